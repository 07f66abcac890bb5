//! The templates of each tenant in memory, loaded when they are first searched and kept up with the store.
//!
//! Every search first asks the store how often templates of the tenant came, changed or went, and takes in what is new, so that
//! what another server deleted a moment ago is not found. Who is not searched for a while leaves memory.

mod tenant;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedRwLockReadGuard, RwLock, Semaphore};

use crate::identity::{ModelDigest, TemplateKey};
use crate::keys::SealingKeys;
use crate::service::error::ServiceError;
use crate::service::ports::{IdentityStore, StoredTemplate, TemplateKind};
use crate::session::TenantId;
use crate::telemetry::metrics::{GaugeGuard, search_took, templates_held};

use super::sealed::Opener;

pub(super) use self::tenant::{LeftOut, TenantGallery};

/// Templates read and opened at one time.
const PORTION: u32 = 1_000;
/// Changes that are taken in one by one; with more of them everything is loaded anew.
const MAX_CHANGES: u32 = 5_000;
/// A tenant's templates leave memory after so long without a search.
const IDLE: Duration = Duration::from_hours(1);

/// What may be held in memory, of all tenants together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// Templates of faces: with more of one tenant there is no search.
    pub(super) max_templates: usize,
    /// Backgrounds: of more of one tenant the newest are searched.
    pub(super) max_scenes: usize,
    /// What is held: what nobody compares is not read either.
    pub(super) kinds: &'static [TemplateKind],
}

/// How much a tenant's gallery holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    templates: usize,
    scenes: usize,
}

impl Held {
    fn of(gallery: &TenantGallery) -> Self {
        Self { templates: gallery.faces.len(), scenes: gallery.scenes.gallery().len() }
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
    held: Held,
    /// What operators see of it.
    shown: Option<GaugeGuard>,
}

/// The galleries of all tenants.
pub(super) struct Galleries {
    bounds: Bounds,
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
    pub(super) fn new(bounds: Bounds, model: ModelDigest) -> Self {
        Self { bounds, model, places: Mutex::default(), turns: Arc::new(Semaphore::new(1)) }
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
        self.note_size(tenant, Held::of(&gallery))?;
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
        if let Some(gallery) = before
            && let Some(gallery) = self.take_changes(tenant, gallery, source).await?
        {
            return Ok(gallery);
        }
        self.load(tenant, source).await
    }

    /// Takes in what changed; `None` when that is too much, or forgotten.
    async fn take_changes(
        &self,
        tenant: &TenantId,
        mut gallery: TenantGallery,
        source: &Source<'_>,
    ) -> Result<Option<TenantGallery>, ServiceError> {
        let since = gallery.n_changes;
        let mut n_changes = u64::MAX;
        for kind in self.bounds.kinds {
            let changes = source.store.template_changes(tenant, *kind, since, MAX_CHANGES).await?;
            let Some(changed) = changes.changed else { return Ok(None) };
            // What came between the two answers is looked at again the next time.
            n_changes = n_changes.min(changes.n_changes);
            let mut came = Vec::new();
            for (key, stored) in changed {
                match stored {
                    Some(stored) => came.push(stored),
                    // Of the other kind, or gone.
                    None => gallery.remove(*kind, key),
                }
            }
            gallery = open_all(gallery, tenant, *kind, came, source.sealing).await?;
        }
        gallery.n_changes = n_changes;
        Ok(Some(gallery))
    }

    async fn load(&self, tenant: &TenantId, source: &Source<'_>) -> Result<TenantGallery, ServiceError> {
        let mut gallery = TenantGallery::new(self.model, self.bounds)?;
        // Counted before anything is read: what changes meanwhile is looked at again.
        let n_changes = source.store.n_template_changes(tenant).await?;
        for kind in self.bounds.kinds {
            let mut after = TemplateKey(0);
            loop {
                let portion = source.store.templates(tenant, *kind, after, PORTION).await?;
                let Some(last) = portion.last() else { break };
                after = last.key;
                let is_last = portion.len() < PORTION as usize;
                gallery = open_all(gallery, tenant, *kind, portion, source.sealing).await?;
                if is_last {
                    break;
                }
            }
        }
        gallery.n_changes = n_changes;
        let faces = &gallery.faces;
        let (other_model, unreadable) = (faces.n_left_out(LeftOut::OtherModel), faces.n_left_out(LeftOut::Unreadable));
        let scenes = gallery.scenes.gallery().len();
        tracing::info!(templates = faces.len(), other_model, unreadable, scenes, "loaded the templates of a tenant");
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
            held: Held::default(),
            shown: None,
        });
        place.last_used = place.last_used.max(now);
        Arc::clone(&place.gallery)
    }

    /// Notes how large a gallery is; lets the least used others go when all of them together are too large.
    fn note_size(&self, tenant: &TenantId, held: Held) -> Result<(), ServiceError> {
        let mut places = self.lock();
        if let Some(place) = places.get_mut(tenant) {
            if place.held.templates != held.templates {
                place.shown = Some(templates_held(held.templates));
            }
            place.held = held;
        }
        let is_too_much = |places: &HashMap<TenantId, Place>| {
            let sum = |count: fn(&Held) -> usize| places.values().map(|place| count(&place.held)).sum::<usize>();
            sum(|held| held.templates) > self.bounds.max_templates || sum(|held| held.scenes) > self.bounds.max_scenes
        };
        while is_too_much(&places) {
            let others = places.iter().filter(|(other, place)| *other != tenant && place.held != Held::default());
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
    kind: TemplateKind,
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
            gallery.take_in(kind, stored, &mut opener)?;
        }
        Ok(gallery)
    });
    opened.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() })?
}
