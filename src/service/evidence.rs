//! Stills: the few pictures that show why, sealed before they leave the process, opened for who may see them.
//!
//! In: shots that live sessions picked. Out: sealed files and the rows that name them; views and JPEGs for the adapters.
//! The key of each still is wrapped by its session's, that one by the master key: deleting a session, or a still, destroys the
//! key of what is left of it anywhere. Deliberately not here: which frames deserve it (`session`), files and SQL (`store`).

mod capture;
mod facts;
mod held;
mod keep;
mod options;
mod reported;
mod sealing;
mod sweep;
#[cfg(test)]
pub(crate) mod testing;
mod view;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::audit::Action;
use crate::error::Kinded as _;
use crate::keys::{DataKey, SealError};
use crate::session::{EvidenceMode, GapCause, SegmentState, SessionId, SessionName, StillGap, StillSubject};

use self::held::PictureBudget;
use self::sealing::{OpenedFacts, StillOwner};
use super::caller::{Attempt, Caller, Permission, permit};
use super::error::ServiceError;
use super::ports::{Clock, EvidenceStore, SessionRecord, StillStore, StoredStill};
use super::session_keys::SessionKeys;

pub(super) use self::capture::{Camera, HeldShot};
pub use self::capture::{Shot, StillPicture};
pub use self::facts::{StillFace, StillFacts};
pub(super) use self::keep::StillKeeper;
pub use self::options::EvidenceOptions;
pub use self::sealing::PictureInfo;
pub use self::sweep::Swept;
pub use self::view::{SessionStills, StillPart, StillView};

/// Stills that are sealed and written at one time.
const MAX_KEEPING: usize = 4;
/// Segments of one page while gaps are looked for.
const SEGMENTS_A_PAGE: u32 = 1_000;

/// The use cases of stills. Cheap to clone.
#[derive(Clone)]
pub struct Evidence {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn StillStore>,
    files: Arc<dyn EvidenceStore>,
    keys: SessionKeys,
    clock: Arc<dyn Clock>,
    options: EvidenceOptions,
    budget: Arc<PictureBudget>,
    keeping: Semaphore,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Evidence {
    /// Puts the use cases together.
    #[must_use]
    pub fn new(
        store: Arc<dyn StillStore>,
        files: Arc<dyn EvidenceStore>,
        keys: SessionKeys,
        clock: Arc<dyn Clock>,
        options: EvidenceOptions,
    ) -> Self {
        let budget = Arc::new(PictureBudget::new(options.max_held_bytes));
        let keeping = Semaphore::new(MAX_KEEPING);
        Self { inner: Arc::new(Inner { store, files, keys, clock, options, budget, keeping }) }
    }

    /// Takes the folder for this database; to be called once before anything is kept or swept.
    ///
    /// # Errors
    /// [`ServiceError::Evidence`] when it belongs to another database or cannot be written, [`ServiceError::Store`].
    pub async fn claim(&self) -> Result<(), ServiceError> {
        let id = self.inner.store.database_id().await?;
        Ok(self.inner.files.claim(&id).await?)
    }

    /// A session's stills, in the order in which they were kept.
    ///
    /// # Errors
    /// As [`Evidence::list`].
    pub async fn stills(&self, caller: &Caller, id: &SessionId) -> Result<Vec<StillView>, ServiceError> {
        Ok(self.list(caller, id).await?.stills)
    }

    /// A session's stills, and what has none and why. The pictures themselves are not opened.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`] when there is no such session.
    pub async fn list(&self, caller: &Caller, id: &SessionId) -> Result<SessionStills, ServiceError> {
        self.permit(caller, Action::SessionView, format!("sessions/{id}")).await?;
        let name = caller.session(id);
        let record = self.inner.store.get(&name).await?;
        let rows = self.inner.store.stills(&name).await?;
        let key = if rows.is_empty() { None } else { self.session_key(&name).await? };
        let mut stills = Vec::with_capacity(rows.len());
        let mut broken = Vec::new();
        for stored in rows {
            match open_row(&name, key.as_ref(), &stored) {
                Ok(opened) => stills.push(StillView::new(stored, opened)),
                Err(error) => {
                    tracing::error!(
                        session.id = %name,
                        still.ordinal = stored.ordinal,
                        error = &error as &dyn std::error::Error,
                        "a still cannot be opened"
                    );
                    broken.push(gap(&stored, GapCause::Broken));
                }
            }
        }
        let gaps = self.gaps(&record, &stills, broken).await?;
        Ok(SessionStills { mode: record.evidence, stills, gaps })
    }

    /// A still's picture, as JPEG. That it was looked at stands in the audit log before it is given.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`]; [`ServiceError::NotFound`] for a still or part that there is not;
    /// [`ServiceError::Evidence`] or [`ServiceError::Seal`] when what was kept is lost or changed; [`ServiceError::Store`].
    pub async fn open(
        &self,
        caller: &Caller,
        id: &SessionId,
        ordinal: u32,
        part: StillPart,
    ) -> Result<Bytes, ServiceError> {
        let object = format!("sessions/{id}/stills/{ordinal}");
        self.permit(caller, Action::EvidenceView, object.clone()).await?;
        let name = caller.session(id);
        let rows = self.inner.store.stills(&name).await?;
        let missing = || ServiceError::NotFound { what: object.clone() };
        let stored = rows.into_iter().find(|stored| stored.ordinal == ordinal).ok_or_else(missing)?;
        let key = self.session_key(&name).await?;
        let opened = open_row(&name, key.as_ref(), &stored)?;
        if part == StillPart::Chip && opened.chip.is_none() {
            return Err(missing());
        }
        let looked = caller.did(self.inner.clock.now(), Action::EvidenceView, object).with("part", part.as_str());
        self.inner.store.append(looked).await?;
        let file = self.inner.files.read(stored.row.file).await?;
        let key = key.ok_or(SealError::Broken)?;
        let owner = owner(&name, &stored);
        let (frame, chip) = sealing::open_pictures(&key, owner, &stored.row.key, (&opened, &file))?;
        Ok(match part {
            StillPart::Frame => frame,
            StillPart::Chip => chip,
        })
    }

    async fn session_key(&self, name: &SessionName) -> Result<Option<DataKey>, ServiceError> {
        match self.inner.keys.open(name).await {
            // The rows say themselves what cannot be opened.
            Err(ServiceError::Seal(error)) => {
                tracing::error!(session.id = %name, error = &error as &dyn std::error::Error, "a session's key cannot be opened");
                Ok(None)
            }
            outcome => outcome,
        }
    }

    /// What has no still: participants who are not shown at the beginning, and segments. While a session goes on, what it has
    /// none of may still come.
    async fn gaps(
        &self,
        record: &SessionRecord,
        stills: &[StillView],
        broken: Vec<StillGap>,
    ) -> Result<Vec<StillGap>, ServiceError> {
        let store = &self.inner.store;
        let mut known = store.still_gaps(&record.name).await?;
        known.extend(broken);
        let is_over = record.end_time.is_some() || record.evidence == EvidenceMode::NoImages;
        let mut subjects: Vec<_> = Vec::new();
        for participant in &record.participants {
            subjects.push((participant.participant_id.clone(), StillSubject::Enrolment, is_over));
        }
        let mut token = None;
        loop {
            let page = store.segments(&record.name, SEGMENTS_A_PAGE, token.as_deref()).await?;
            for segment in page.items {
                let is_over = is_over || segment.state == SegmentState::Closed;
                subjects.push((segment.participant_id, StillSubject::Segment(segment.ordinal), is_over));
            }
            token = page.next_page_token;
            if token.is_none() {
                break;
            }
        }
        let default = match record.evidence {
            EvidenceMode::NoImages => GapCause::NoImages,
            EvidenceMode::Stills => GapCause::NoPicture,
        };
        let is_shown = |participant_id: &_, shows| {
            stills.iter().any(|still| still.shows == shows && still.participant_id == *participant_id)
        };
        let gaps = subjects.into_iter().filter(|(participant_id, shows, _)| !is_shown(participant_id, *shows));
        let gaps = gaps.filter_map(|(participant_id, shows, is_over)| {
            let told = known.iter().rev().find(|gap| gap.shows == shows && gap.participant_id == participant_id);
            let cause = told.map(|gap| gap.cause).or(is_over.then_some(default))?;
            Some(StillGap { participant_id, shows, cause })
        });
        Ok(gaps.collect())
    }

    async fn permit(&self, caller: &Caller, action: Action, object: String) -> Result<(), ServiceError> {
        let attempt = Attempt { permission: Permission::ReadSessions, action, object };
        permit(&*self.inner.store, &*self.inner.clock, caller, attempt).await
    }
}

fn owner<'a>(name: &'a SessionName, stored: &'a StoredStill) -> StillOwner<'a> {
    StillOwner {
        session: name,
        participant_id: &stored.row.participant_id,
        shows: stored.row.shows,
        media_time: stored.row.media_time,
    }
}

fn open_row(name: &SessionName, key: Option<&DataKey>, stored: &StoredStill) -> Result<OpenedFacts, SealError> {
    let key = key.ok_or(SealError::Broken)?;
    sealing::open_facts(key, owner(name, stored), &stored.row.key, &stored.row.facts)
}

fn gap(stored: &StoredStill, cause: GapCause) -> StillGap {
    StillGap { participant_id: stored.row.participant_id.clone(), shows: stored.row.shows, cause }
}

/// Whether trying again may help; for the log.
fn is_passing(error: &ServiceError) -> bool {
    error.kind().is_retryable()
}
