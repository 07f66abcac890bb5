//! Where interviews were held before: backgrounds of one tenant's sessions, and the exact search among them.

mod calibration;

use std::collections::HashMap;

use super::error::IdentityError;
use super::gallery::TemplateKey;
use super::template::ModelDigest;
use crate::vision::scene::{
    FeatureCode, FeatureMatch, SceneDescriptor, ScenePlace, SceneSimilarity, WORD_BITS, agreement, best_score,
    words_near,
};

pub use self::calibration::{SceneCalibration, SceneKnot, SceneLine, ScenePolicy, SceneTail, SceneThreshold};

/// What stands where a face's template names its weights: descriptors of other versions do not compare. They are made without
/// weights, so that the 32 bytes are a name.
pub const SCENE_MODEL: ModelDigest = ModelDigest::new(*b"bonafide scene descriptor v1    ");

/// Names a background to whoever put it in; means nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SceneKey(pub u64);

impl From<TemplateKey> for SceneKey {
    fn from(key: TemplateKey) -> Self {
        Self(key.0)
    }
}

impl From<SceneKey> for TemplateKey {
    fn from(key: SceneKey) -> Self {
        Self(key.0)
    }
}

/// A background that agrees at least as well as was asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneHit {
    /// Which.
    pub key: SceneKey,
    /// How well.
    pub similarity: SceneSimilarity,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneFinds {
    /// The best first; of equally good ones the smaller key.
    pub hits: Vec<SceneHit>,
    /// How many agree as well as was asked for, those that had no place among the hits too. A background that very many
    /// sessions share is a common virtual one, a logo or an office of the operator's, and says little about any of them.
    pub n_agreeing: usize,
}

/// A feature in the index.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    code: FeatureCode,
    slot: u32,
    feature: u16,
}

/// What is kept of a background beside the index.
#[derive(Clone, Debug)]
struct Stored {
    key: SceneKey,
    places: Vec<ScenePlace>,
    words: Vec<u16>,
}

/// Backgrounds, each under a key, in memory.
///
/// # Shapes
/// A background takes 54 bytes a feature, 8 KiB at most.
#[derive(Clone)]
pub struct SceneGallery {
    max_scenes: usize,
    slot_of: HashMap<SceneKey, usize>,
    stored: Vec<Option<Stored>>,
    free: Vec<usize>,
    /// By word.
    index: Vec<Vec<Entry>>,
}

impl SceneGallery {
    /// An empty gallery.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when no background may be held, or more than 32 bits can count.
    pub fn new(max_scenes: usize) -> Result<Self, IdentityError> {
        if max_scenes == 0 || u32::try_from(max_scenes).is_err() {
            let problem = format!("must be 1 to {}", u32::MAX);
            return Err(IdentityError::Invalid { field: "max_scenes", problem });
        }
        let index = vec![Vec::new(); 1 << WORD_BITS];
        Ok(Self { max_scenes, slot_of: HashMap::new(), stored: Vec::new(), free: Vec::new(), index })
    }

    /// Backgrounds in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slot_of.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slot_of.is_empty()
    }

    /// Whether a background is in it.
    #[must_use]
    pub fn contains(&self, key: SceneKey) -> bool {
        self.slot_of.contains_key(&key)
    }

    /// Puts a background in.
    ///
    /// # Errors
    /// [`IdentityError::KeyTaken`], [`IdentityError::Full`]; the gallery is then as before.
    pub fn add(&mut self, key: SceneKey, scene: &SceneDescriptor) -> Result<(), IdentityError> {
        if self.contains(key) {
            return Err(IdentityError::KeyTaken);
        }
        if self.len() >= self.max_scenes {
            return Err(IdentityError::Full { max_templates: self.max_scenes });
        }
        let slot = self.free.pop().unwrap_or(self.stored.len());
        if slot == self.stored.len() {
            self.stored.push(None);
        }
        let words: Vec<u16> = scene.features().iter().map(|feature| feature.code().word()).collect();
        let number = u32::try_from(slot).unwrap_or(u32::MAX);
        for ((at, feature), word) in (0_u16..).zip(scene.features()).zip(&words) {
            if let Some(entries) = self.index.get_mut(usize::from(*word)) {
                entries.push(Entry { code: *feature.code(), slot: number, feature: at });
            }
        }
        if let Some(place) = self.stored.get_mut(slot) {
            *place = Some(Stored { key, places: scene.places(), words });
        }
        self.slot_of.insert(key, slot);
        Ok(())
    }

    /// Takes a background out and overwrites its codes; says whether it was there.
    pub fn remove(&mut self, key: SceneKey) -> bool {
        let Some(slot) = self.slot_of.remove(&key) else { return false };
        let Some(stored) = self.stored.get_mut(slot).and_then(Option::take) else { return false };
        for word in stored.words {
            let Some(entries) = self.index.get_mut(usize::from(word)) else { continue };
            while let Some(at) = entries.iter().position(|entry| usize::try_from(entry.slot) == Ok(slot)) {
                // Memory that is free for further features keeps nothing of one that was deleted.
                let last = entries.len() - 1;
                entries.swap(at, last);
                if let Some(deleted) = entries.last_mut() {
                    *deleted = Entry::default();
                }
                entries.pop();
            }
        }
        self.free.push(slot);
        true
    }

    /// The backgrounds that agree with the query at least as well as `threshold_score`, at most `max_hits` of them.
    ///
    /// Exact: the similarities are those of [`compare`](crate::vision::scene::compare) with the query first, and none that it
    /// would find is missing. The index only leaves out features that could not match, the bound only backgrounds that could
    /// not score as much.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when the threshold is not above 0 and at most 1, or `max_hits` is 0.
    pub fn search(
        &self,
        query: &SceneDescriptor,
        threshold_score: f32,
        max_hits: usize,
    ) -> Result<SceneFinds, IdentityError> {
        let invalid = |field, problem: &str| Err(IdentityError::Invalid { field, problem: problem.to_owned() });
        if !(threshold_score > 0.0 && threshold_score <= 1.0) {
            return invalid("threshold_score", "must be above 0 and at most 1");
        }
        if max_hits == 0 {
            return invalid("max_hits", "must be 1 or more");
        }
        let straight = self.agreements(query, threshold_score);
        let mirrored = self.agreements(&query.mirrored(), threshold_score);
        let both = straight.into_iter().zip(mirrored).map(|(straight, mirrored)| straight.or_mirrored(mirrored));
        let mut hits: Vec<SceneHit> = self
            .stored
            .iter()
            .zip(both)
            .filter(|(_, similarity)| similarity.score >= threshold_score)
            .filter_map(|(stored, similarity)| Some(SceneHit { key: stored.as_ref()?.key, similarity }))
            .collect();
        let n_agreeing = hits.len();
        hits.sort_by(|a, b| b.similarity.score.total_cmp(&a.similarity.score).then(a.key.cmp(&b.key)));
        hits.truncate(max_hits);
        Ok(SceneFinds { hits, n_agreeing })
    }

    /// How well every slot's background agrees, those that cannot reach the threshold left at nothing.
    fn agreements(&self, query: &SceneDescriptor, threshold_score: f32) -> Vec<SceneSimilarity> {
        let mut matches: Vec<Vec<FeatureMatch>> = vec![Vec::new(); self.stored.len()];
        for (first, feature) in (0_u16..).zip(query.features()) {
            let code = feature.code();
            for word in words_near(code.word()) {
                for entry in self.index.get(usize::from(word)).into_iter().flatten() {
                    let Some(distance) = code.match_distance(&entry.code) else { continue };
                    let slot = usize::try_from(entry.slot).unwrap_or(usize::MAX);
                    if let Some(of_slot) = matches.get_mut(slot) {
                        of_slot.push(FeatureMatch { distance, first, second: entry.feature });
                    }
                }
            }
        }
        let places = query.places();
        let agree = |(stored, matches): (&Option<Stored>, Vec<FeatureMatch>)| match stored {
            Some(stored) if best_score(&matches) >= threshold_score => agreement(&places, &stored.places, matches),
            _ => SceneSimilarity::default(),
        };
        self.stored.iter().zip(matches).map(agree).collect()
    }
}

impl std::fmt::Debug for SceneGallery {
    /// Counts only: what rooms look like never reaches a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SceneGallery({})", self.len())
    }
}

#[cfg(test)]
mod tests;
