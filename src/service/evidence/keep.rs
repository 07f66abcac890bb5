//! From a pick to a sealed file and the row that names it.

use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::keys::DataKey;
use crate::service::error::ServiceError;
use crate::service::ports::{FileDigest, StillRow};
use crate::session::{KeptStill, SessionName, StillDesk, StillPick};
use crate::telemetry::metrics::{StillLoss, still_kept, still_lost};

use super::capture::{HeldShot, Shot};
use super::held::PictureBudget;
use super::sealing::{self, StillOwner};
use super::{Evidence, is_passing};

/// Keeps the stills of one live session. Cheap to clone; knows the session's key from the first one on.
#[derive(Clone)]
pub(in crate::service) struct StillKeeper {
    evidence: Evidence,
    name: SessionName,
    key: Arc<OnceCell<DataKey>>,
}

impl std::fmt::Debug for StillKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StillKeeper").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Evidence {
    /// A keeper of a session's stills, and a desk that knows which it has.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub(in crate::service) async fn begin(
        &self,
        name: &SessionName,
    ) -> Result<(StillKeeper, StillDesk<HeldShot>), ServiceError> {
        let rows = self.inner.store.stills(name).await?;
        let kept = rows.into_iter().map(|stored| KeptStill {
            participant_id: stored.row.participant_id,
            shows: stored.row.shows,
            at: stored.row.media_time,
            n_bytes: stored.row.n_bytes,
        });
        let desk = StillDesk::new(self.inner.options.bounds(), kept);
        let keeper = StillKeeper { evidence: self.clone(), name: name.clone(), key: Arc::new(OnceCell::new()) };
        Ok((keeper, desk))
    }

    /// What counts the pictures that are held.
    pub(in crate::service) fn budget(&self) -> &Arc<PictureBudget> {
        &self.inner.budget
    }
}

impl StillKeeper {
    /// Whether another picture may be encoded.
    pub(in crate::service) fn has_room(&self) -> bool {
        self.evidence.budget().has_room()
    }

    /// Counts a shot until it is let go; `None` when too much is held already.
    pub(in crate::service) fn hold(&self, shot: Shot) -> Option<HeldShot> {
        let budget = self.evidence.budget();
        if !budget.has_room() {
            still_lost(StillLoss::NoRoom);
            return None;
        }
        let held = budget.hold(shot.look.n_bytes);
        Some(HeldShot::new(shot, held))
    }

    /// Seals a picked shot and writes its file, durably; gives back the row that is to name it.
    ///
    /// # Errors
    /// [`ServiceError::Evidence`], [`ServiceError::Seal`], [`ServiceError::Store`]; counted and logged here.
    pub(in crate::service) async fn keep(&self, pick: &StillPick<HeldShot>) -> Result<StillRow, ServiceError> {
        let outcome = self.seal_and_write(pick).await;
        match &outcome {
            Ok(_) => still_kept(),
            Err(error) => {
                still_lost(StillLoss::NotKept);
                tracing::warn!(
                    session.id = %self.name,
                    is_passing = is_passing(error),
                    error = error as &dyn std::error::Error,
                    "a still is not kept"
                );
            }
        }
        outcome
    }

    async fn seal_and_write(&self, pick: &StillPick<HeldShot>) -> Result<StillRow, ServiceError> {
        let Self { evidence, name, key } = self;
        // Nobody closes the semaphore; without a permit more would be written at one time.
        let _permit = evidence.inner.keeping.acquire().await.ok();
        key.get_or_try_init(|| evidence.inner.keys.open_or_make(name)).await?;
        let (key, session, shot) = (Arc::clone(key), name.clone(), Arc::clone(&pick.shot.shot));
        let (participant_id, shows) = (pick.participant_id.clone(), pick.shows);
        let media_time = shot.look.at;
        let sealing = tokio::task::spawn_blocking(move || {
            let owner = StillOwner { session: &session, participant_id: &participant_id, shows, media_time };
            key.get().map(|key| sealing::seal(key, owner, &shot))
        });
        let panicked = |problem: String| ServiceError::Internal { problem };
        let sealed = sealing.await.map_err(|panic| panicked(panic.to_string()))?;
        let sealed = sealed.ok_or_else(|| panicked("the session's key was forgotten".to_owned()))??;
        let n_bytes = sealed.pictures.len() as u64;
        let file = evidence.inner.files.keep(sealed.pictures).await?;
        Ok(StillRow {
            participant_id: pick.participant_id.clone(),
            shows,
            media_time,
            keep_time: evidence.inner.clock.now(),
            key: sealed.key,
            facts: sealed.facts,
            file,
            n_bytes,
        })
    }

    /// Removes files that no row will ever name; what cannot be removed now is swept later.
    pub(in crate::service) async fn discard(&self, files: Vec<FileDigest>) {
        if let Err(error) = self.evidence.inner.files.remove(files).await {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "files of a deleted session are left to the sweeper"
            );
        }
    }
}
