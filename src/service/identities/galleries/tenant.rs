//! One tenant's templates in memory: faces, and backgrounds.

use std::collections::{BTreeMap, BTreeSet};

use crate::identity::{
    Gallery, IdentityError, ModelDigest, SCENE_MODEL, SceneGallery, SceneKey, Template, TemplateKey,
};
use crate::keys::SealError;
use crate::service::error::ServiceError;
use crate::service::identities::sealed::Opener;
use crate::service::identities::subject::broken;
use crate::service::ports::{StoredTemplate, TemplateKind};
use crate::vision::scene::SceneDescriptor;

use super::{Bounds, too_many};

/// Why a template cannot be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service::identities) enum LeftOut {
    /// Another model made it, and vectors of different models do not compare.
    OtherModel,
    /// Its seal does not open.
    Unreadable,
}

impl LeftOut {
    fn unreadable(stored: &StoredTemplate, error: SealError) -> Self {
        drop(broken(stored, error));
        Self::Unreadable
    }
}

/// One tenant's templates.
#[derive(Debug)]
pub(in crate::service::identities) struct TenantGallery {
    pub(in crate::service::identities) faces: Faces,
    pub(in crate::service::identities) scenes: Scenes,
    /// Changes of the store that are in it.
    pub(super) n_changes: u64,
}

impl TenantGallery {
    pub(super) fn new(model: ModelDigest, bounds: Bounds) -> Result<Self, ServiceError> {
        Ok(Self {
            faces: Faces::new(model, bounds.max_templates),
            scenes: Scenes::new(bounds.max_scenes)?,
            n_changes: 0,
        })
    }

    /// Opens a stored template and takes it in, in place of what was under its key.
    pub(super) fn take_in(
        &mut self,
        kind: TemplateKind,
        stored: &StoredTemplate,
        opener: &mut Opener<'_>,
    ) -> Result<(), ServiceError> {
        match kind {
            TemplateKind::Face if stored.model != self.faces.model => {
                self.faces.put(stored.key, Err(LeftOut::OtherModel))
            }
            TemplateKind::Face => {
                let template = opener.open(stored).map_err(|error| LeftOut::unreadable(stored, error));
                self.faces.put(stored.key, template)
            }
            TemplateKind::Scene if stored.model != SCENE_MODEL => self.scenes.put(stored.key, Err(LeftOut::OtherModel)),
            TemplateKind::Scene => {
                let scene = opener.open_scene(stored).map_err(|error| LeftOut::unreadable(stored, error));
                self.scenes.put(stored.key, scene)
            }
        }
    }

    /// Lets a template go.
    pub(super) fn remove(&mut self, kind: TemplateKind, key: TemplateKey) {
        match kind {
            TemplateKind::Face => self.faces.remove(key),
            TemplateKind::Scene => self.scenes.remove(key),
        }
    }
}

/// One tenant's faces.
#[derive(Debug)]
pub(in crate::service::identities) struct Faces {
    /// Made with the first template, whose length it takes.
    gallery: Option<Gallery>,
    left_out: BTreeMap<TemplateKey, LeftOut>,
    model: ModelDigest,
    max_templates: usize,
}

impl Faces {
    const fn new(model: ModelDigest, max_templates: usize) -> Self {
        Self { gallery: None, left_out: BTreeMap::new(), model, max_templates }
    }

    /// The templates; `None` when there is none.
    pub(in crate::service::identities) const fn gallery(&self) -> Option<&Gallery> {
        self.gallery.as_ref()
    }

    /// Templates that can be searched.
    pub(in crate::service::identities) fn len(&self) -> usize {
        self.gallery.as_ref().map_or(0, Gallery::len)
    }

    /// Templates that cannot, for that reason.
    pub(in crate::service::identities) fn n_left_out(&self, reason: LeftOut) -> usize {
        self.left_out.values().filter(|left_out| **left_out == reason).count()
    }

    fn put(&mut self, key: TemplateKey, template: Result<Template, LeftOut>) -> Result<(), ServiceError> {
        let template = match template {
            Ok(template) => template,
            Err(reason) => {
                self.remove(key);
                self.left_out.insert(key, reason);
                return Ok(());
            }
        };
        let gallery = match &mut self.gallery {
            Some(gallery) => gallery,
            none => {
                let dimension = template.direction().values().len();
                none.insert(Gallery::new(self.model, dimension, self.max_templates)?)
            }
        };
        self.left_out.remove(&key);
        let outcome = if gallery.contains(key) { gallery.replace(key, &template) } else { gallery.add(key, &template) };
        match outcome {
            Err(IdentityError::OtherModel { .. } | IdentityError::Dimension { .. }) => {
                self.remove(key);
                self.left_out.insert(key, LeftOut::OtherModel);
                Ok(())
            }
            Err(IdentityError::Full { .. }) => Err(too_many()),
            outcome => Ok(outcome?),
        }
    }

    fn remove(&mut self, key: TemplateKey) {
        self.left_out.remove(&key);
        if let Some(gallery) = &mut self.gallery {
            gallery.remove(key);
        }
    }
}

/// One tenant's backgrounds: the newest ones, should there be more than may be held. Places that somebody used long ago matter
/// less than a session that nobody could look up.
#[derive(Debug)]
pub(in crate::service::identities) struct Scenes {
    gallery: SceneGallery,
    held: BTreeSet<TemplateKey>,
    left_out: BTreeMap<TemplateKey, LeftOut>,
    /// Older ones that had to go.
    too_old: BTreeSet<TemplateKey>,
    max_scenes: usize,
}

impl Scenes {
    fn new(max_scenes: usize) -> Result<Self, ServiceError> {
        Ok(Self {
            gallery: SceneGallery::new(max_scenes)?,
            held: BTreeSet::new(),
            left_out: BTreeMap::new(),
            too_old: BTreeSet::new(),
            max_scenes,
        })
    }

    /// The backgrounds.
    pub(in crate::service::identities) const fn gallery(&self) -> &SceneGallery {
        &self.gallery
    }

    /// Backgrounds that cannot be compared: another version described them, or their seals do not open.
    pub(in crate::service::identities) fn n_left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Backgrounds that are too old to be held.
    pub(in crate::service::identities) fn n_too_old(&self) -> usize {
        self.too_old.len()
    }

    fn put(&mut self, key: TemplateKey, scene: Result<SceneDescriptor, LeftOut>) -> Result<(), ServiceError> {
        self.remove(key);
        match scene {
            Ok(scene) => {
                if self.held.len() >= self.max_scenes {
                    match self.held.first() {
                        Some(oldest) if *oldest < key => {
                            let oldest = *oldest;
                            self.remove(oldest);
                            self.too_old.insert(oldest);
                        }
                        _ => {
                            self.too_old.insert(key);
                            return Ok(());
                        }
                    }
                }
                self.gallery.add(SceneKey(key.0), &scene)?;
                self.held.insert(key);
            }
            Err(reason) => drop(self.left_out.insert(key, reason)),
        }
        Ok(())
    }

    fn remove(&mut self, key: TemplateKey) {
        self.left_out.remove(&key);
        self.too_old.remove(&key);
        if self.held.remove(&key) {
            self.gallery.remove(SceneKey(key.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LeftOut, Scenes, TemplateKey};
    use crate::vision::scene::testing::scene;

    #[test]
    fn of_too_many_backgrounds_the_newest_are_held() {
        let mut scenes = Scenes::new(3).expect("valid");
        for key in [5, 2, 9, 7, 1] {
            scenes.put(TemplateKey(key), Ok(scene(key))).expect("goes in");
        }
        let found =
            |scenes: &Scenes, key| !scenes.gallery().search(&scene(key), 0.5, 5).expect("valid").hits.is_empty();
        assert_eq!([1, 2, 5, 7, 9].map(|key| found(&scenes, key)), [false, false, true, true, true]);
        assert_eq!((scenes.gallery().len(), scenes.n_too_old()), (3, 2));
        scenes.remove(TemplateKey(9));
        scenes.remove(TemplateKey(1));
        assert_eq!((scenes.gallery().len(), scenes.n_too_old()), (2, 1));
        scenes.put(TemplateKey(7), Err(LeftOut::Unreadable)).expect("is noted");
        assert_eq!((scenes.gallery().len(), scenes.n_left_out(), found(&scenes, 7)), (1, 1, false));
    }
}
