//! The templates of each tenant in memory, loaded when they are first searched and kept up with the store.
//!
//! Every search first asks the store how often templates of the tenant came, changed or went, and takes in what is new, so that
//! what another server deleted a moment ago is not found. Who is not searched for a while leaves memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedRwLockReadGuard, RwLock, Semaphore};

use crate::identity::{Gallery, IdentityError, ModelDigest, Template, TemplateKey};
use crate::keys::SealingKeys;
use crate::service::error::ServiceError;
use crate::service::ports::{IdentityStore, StoredTemplate, TemplateKind};
use crate::session::TenantId;
use crate::telemetry::metrics::{GaugeGuard, search_took, templates_held};

use super::sealed::Opener;
use super::subject::broken;

/// Templates read and opened at one time.
const PORTION: u32 = 1_000;
/// Changes that are taken in one by one; with more of them everything is loaded anew.
const MAX_CHANGES: u32 = 5_000;
/// A tenant's templates leave memory after so long without a search.
const IDLE: Duration = Duration::from_hours(1);

/// Why a template cannot be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// Another model made it, and vectors of different models do not compare.
    OtherModel,
    /// Its seal does not open.
    Unreadable,
}

/// One tenant's templates.
#[derive(Debug)]
pub(super) struct TenantGallery {
    /// Made with the first template, whose length it takes.
    gallery: Option<Gallery>,
    left_out: BTreeMap<TemplateKey, LeftOut>,
    model: ModelDigest,
    max_templates: usize,
    /// Changes of the store that are in it.
    n_changes: u64,
}

impl TenantGallery {
    const fn new(model: ModelDigest, max_templates: usize) -> Self {
        Self { gallery: None, left_out: BTreeMap::new(), model, max_templates, n_changes: 0 }
    }

    /// The templates; `None` when there is none.
    pub(super) const fn gallery(&self) -> Option<&Gallery> {
        self.gallery.as_ref()
    }

    /// Templates that can be searched.
    pub(super) fn len(&self) -> usize {
        self.gallery.as_ref().map_or(0, Gallery::len)
    }

    /// Templates that cannot, for that reason.
    pub(super) fn n_left_out(&self, reason: LeftOut) -> usize {
        self.left_out.values().filter(|left_out| **left_out == reason).count()
    }

    /// Takes a template in, in place of what was under its key.
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

fn too_many() -> ServiceError {
    ServiceError::FailedPrecondition {
        what: "identity.max_templates".to_owned(),
        problem: "more templates are stored than may be held in memory, and a search that looks at some of them only would \
                  miss people: allow more, or let fewer be kept",
    }
}

/// Where a tenant's templates are, and when they were last asked for.
struct Place {
    gallery: Arc<RwLock<Option<TenantGallery>>>,
    last_used: Duration,
    n_templates: usize,
    /// What operators see of it.
    shown: Option<GaugeGuard>,
}

/// The galleries of all tenants.
pub(super) struct Galleries {
    max_templates: usize,
    model: ModelDigest,
    places: Mutex<HashMap<TenantId, Place>>,
    /// One search at a time, so that all of them together take one core from those that analyse frames.
    turns: Arc<Semaphore>,
}

/// Where templates come from.
pub(super) struct Source<'a> {
    pub(super) store: &'a dyn IdentityStore,
    pub(super) sealing: &'a Arc<SealingKeys>,
    /// Time since some fixed point in the past.
    pub(super) now: Duration,
}

impl Galleries {
    pub(super) fn new(max_templates: usize, model: ModelDigest) -> Self {
        Self { max_templates, model, places: Mutex::default(), turns: Arc::new(Semaphore::new(1)) }
    }

    /// One tenant's templates as they are in the store now.
    ///
    /// # Errors
    /// [`ServiceError::Store`], [`ServiceError::FailedPrecondition`] when there are too many of them.
    pub(super) async fn of(
        &self,
        tenant: &TenantId,
        source: &Source<'_>,
    ) -> Result<OwnedRwLockReadGuard<Option<TenantGallery>, TenantGallery>, ServiceError> {
        let place = self.place(tenant, source.now);
        let n_changes = source.store.n_template_changes(tenant).await?;
        let mut reading = Arc::clone(&place).read_owned().await;
        if reading.as_ref().is_none_or(|gallery| gallery.n_changes < n_changes) {
            drop(reading);
            let mut writing = Arc::clone(&place).write_owned().await;
            let before = writing.take();
            match self.catch_up(tenant, before, source).await {
                Ok(gallery) => *writing = Some(gallery),
                Err(error) => {
                    // What fails leaves nothing behind, so that the next search begins anew.
                    self.forget(tenant, &place);
                    return Err(error);
                }
            }
            reading = writing.downgrade();
        }
        let gone = || ServiceError::Unavailable { problem: "the templates are being loaded: try again" };
        let gallery = OwnedRwLockReadGuard::try_map(reading, Option::as_ref).map_err(|_gone| gone())?;
        self.note_size(tenant, gallery.len())?;
        Ok(gallery)
    }

    /// Takes in what changed, of tenants whose templates are in memory.
    ///
    /// # Errors
    /// As [`Galleries::of`].
    pub(super) async fn refresh(&self, tenant: &TenantId, source: &Source<'_>) -> Result<(), ServiceError> {
        if self.lock().contains_key(tenant) {
            let last_used = self.lock().get(tenant).map_or(source.now, |place| place.last_used);
            self.of(tenant, &Source { now: last_used, ..*source }).await?;
        }
        Ok(())
    }

    /// Tenants whose templates are in memory.
    pub(super) fn tenants(&self) -> Vec<TenantId> {
        self.lock().keys().cloned().collect()
    }

    /// Lets templates go that nobody searched for a while.
    pub(super) fn drop_idle(&self, now: Duration) {
        self.lock().retain(|_, place| now.saturating_sub(place.last_used) < IDLE);
    }

    /// Runs a search on a thread that may take its time.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when it panics.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        gallery: OwnedRwLockReadGuard<Option<TenantGallery>, TenantGallery>,
        work: impl FnOnce(&TenantGallery) -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let began = Instant::now();
        // Nobody closes the semaphore.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        let searched = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&gallery)
        });
        let outcome = searched.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() });
        search_took(began.elapsed());
        outcome
    }

    /// The gallery as it is in the store now.
    async fn catch_up(
        &self,
        tenant: &TenantId,
        before: Option<TenantGallery>,
        source: &Source<'_>,
    ) -> Result<TenantGallery, ServiceError> {
        if let Some(gallery) = before {
            let changes =
                source.store.template_changes(tenant, TemplateKind::Face, gallery.n_changes, MAX_CHANGES).await?;
            if let Some(changed) = changes.changed {
                let mut gallery = gallery;
                let mut came = Vec::new();
                for (key, stored) in changed {
                    match stored {
                        Some(stored) => came.push(stored),
                        None => gallery.remove(key),
                    }
                }
                let mut gallery = open_all(gallery, tenant, came, source.sealing).await?;
                gallery.n_changes = changes.n_changes;
                return Ok(gallery);
            }
        }
        self.load(tenant, source).await
    }

    async fn load(&self, tenant: &TenantId, source: &Source<'_>) -> Result<TenantGallery, ServiceError> {
        let mut gallery = TenantGallery::new(self.model, self.max_templates);
        // Counted before anything is read: what changes meanwhile is looked at again.
        let n_changes = source.store.n_template_changes(tenant).await?;
        let mut after = TemplateKey(0);
        loop {
            let portion = source.store.templates(tenant, TemplateKind::Face, after, PORTION).await?;
            let Some(last) = portion.last() else { break };
            after = last.key;
            let is_last = portion.len() < PORTION as usize;
            gallery = open_all(gallery, tenant, portion, source.sealing).await?;
            if is_last {
                break;
            }
        }
        gallery.n_changes = n_changes;
        let (other_model, unreadable) =
            (gallery.n_left_out(LeftOut::OtherModel), gallery.n_left_out(LeftOut::Unreadable));
        tracing::info!(templates = gallery.len(), other_model, unreadable, "loaded the templates of a tenant");
        Ok(gallery)
    }

    fn forget(&self, tenant: &TenantId, place: &Arc<RwLock<Option<TenantGallery>>>) {
        let mut places = self.lock();
        if places.get(tenant).is_some_and(|known| Arc::ptr_eq(&known.gallery, place)) {
            places.remove(tenant);
        }
    }

    fn place(&self, tenant: &TenantId, now: Duration) -> Arc<RwLock<Option<TenantGallery>>> {
        let mut places = self.lock();
        let place = places.entry(tenant.clone()).or_insert_with(|| Place {
            gallery: Arc::default(),
            last_used: now,
            n_templates: 0,
            shown: None,
        });
        place.last_used = place.last_used.max(now);
        Arc::clone(&place.gallery)
    }

    /// Notes how large a gallery is; lets the least used others go when all of them together are too large.
    fn note_size(&self, tenant: &TenantId, n_templates: usize) -> Result<(), ServiceError> {
        let mut places = self.lock();
        if let Some(place) = places.get_mut(tenant) {
            if place.n_templates != n_templates {
                place.shown = Some(templates_held(n_templates));
            }
            place.n_templates = n_templates;
        }
        while places.values().map(|place| place.n_templates).sum::<usize>() > self.max_templates {
            let others = places.iter().filter(|(other, place)| *other != tenant && place.n_templates > 0);
            let least_used = others.min_by_key(|(_, place)| place.last_used).map(|(other, _)| other.clone());
            places.remove(&least_used.ok_or_else(too_many)?);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TenantId, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens stored templates and takes them in, on a thread that may take its time.
async fn open_all(
    mut gallery: TenantGallery,
    tenant: &TenantId,
    stored: Vec<StoredTemplate>,
    sealing: &Arc<SealingKeys>,
) -> Result<TenantGallery, ServiceError> {
    if stored.is_empty() {
        return Ok(gallery);
    }
    let (tenant, sealing) = (tenant.clone(), Arc::clone(sealing));
    let opened = tokio::task::spawn_blocking(move || {
        let mut opener = Opener::new(&sealing, &tenant);
        for stored in &stored {
            let template = if stored.model == gallery.model {
                opener.open(stored).map_err(|error| {
                    drop(broken(stored, error));
                    LeftOut::Unreadable
                })
            } else {
                Err(LeftOut::OtherModel)
            };
            gallery.put(stored.key, template)?;
        }
        Ok(gallery)
    });
    opened.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() })?
}
