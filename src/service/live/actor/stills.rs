//! The stills of a session on their way: picked, sealed and written beside it, and named in a step when they are.
//!
//! A step never waits for a picture: files are written while the session goes on, and the next step names those that are
//! durable. What cannot be kept is a gap that the step names instead.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::service::error::ServiceError;
use crate::service::evidence::{HeldShot, Shot};
use crate::service::live::registry::Services;
use crate::service::live::shared::{Shared, Stills};
use crate::service::ports::{SessionRecord, StillRow};
use crate::session::{EvidenceMode, GapCause, ParticipantId, StillGap, StillPick, StillSubject, TrackId};
use crate::telemetry::metrics::{StillLoss, still_lost};

use super::Session;

/// Stills of one session that wait to be written; more are given up.
const MAX_WAITING: usize = 16;
/// Stills of one session that are written at one time.
const MAX_KEEPING: usize = 2;
/// How long a session that ends waits for its last stills.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of one pick.
#[derive(Debug)]
pub(super) struct Kept {
    participant_id: ParticipantId,
    shows: StillSubject,
    outcome: Result<StillRow, ServiceError>,
}

/// Stills between the desk and the store.
#[derive(Debug, Default)]
pub(super) struct StillsToKeep {
    waiting: VecDeque<StillPick<HeldShot>>,
    keeping: JoinSet<Kept>,
    /// Written, and not named by a step yet.
    pub(super) rows: Vec<StillRow>,
    /// Not named by a step yet.
    pub(super) gaps: Vec<StillGap>,
    settling_since: Option<Instant>,
}

impl StillsToKeep {
    /// What came of a pick that was being written; never while there is none.
    pub(super) async fn next_kept(&mut self) -> Option<Kept> {
        match self.keeping.join_next().await {
            // A task that was cut short belongs to a session that has ended.
            Some(kept) => kept.ok(),
            None => std::future::pending().await,
        }
    }

    /// Whether a step has something to name.
    pub(super) fn has_rows(&self) -> bool {
        !self.rows.is_empty() || !self.gaps.is_empty()
    }

    /// Forgets what a step has named.
    pub(super) fn stored(&mut self) {
        self.rows.clear();
        self.gaps.clear();
    }

    /// Forgets what waits; what is written, or being written, is left to [`Session::discard_stills`].
    pub(super) fn give_up(&mut self) {
        self.waiting.clear();
        self.gaps.clear();
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.keeping.is_empty()
    }

    fn note_gap(&mut self, participant_id: ParticipantId, shows: StillSubject, cause: GapCause) {
        let gap = StillGap { participant_id, shows, cause };
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }
}

impl Shared {
    /// Makes the desk of a session that may have stills. A store that cannot say which there are is one that keeps no further.
    pub(super) async fn prepare_stills(&self, services: &Services, record: &SessionRecord) {
        let Some(evidence) = services.evidence.get() else { return };
        if record.evidence == EvidenceMode::NoImages || record.end_time.is_some() {
            return;
        }
        match evidence.begin(&record.name).await {
            Ok((keeper, desk)) => self.set_stills(Stills { desk, keeper }),
            Err(error) => {
                tracing::warn!(
                    session.id = %record.name,
                    error = &error as &dyn std::error::Error,
                    "a session keeps no stills: those that it has cannot be listed"
                );
            }
        }
    }
}

impl Session {
    /// Shows the desk a frame that was encoded.
    pub(super) fn offer_still(&mut self, track_id: &TrackId, shot: Shot) {
        let behind = |interview: &mut crate::session::Interview| Some(interview.followed_face(track_id)?.0.clone());
        let Some(participant_id) = self.shared().with_interview(behind).flatten() else { return };
        self.stills.settling_since = None;
        self.shared().with_stills(|stills| {
            let look = shot.look;
            if let Some(held) = stills.keeper.hold(shot) {
                stills.desk.offer(&participant_id, look, held);
            }
        });
    }

    /// Takes what the desk picked, and has as much of it written as may be at one time.
    pub(super) fn keep_stills(&mut self) {
        let Some((picks, gaps, keeper)) = self
            .registration
            .shared
            .with_stills(|stills| (stills.desk.take_picks(), stills.desk.take_gaps(), stills.keeper.clone()))
        else {
            return;
        };
        for StillGap { participant_id, shows, cause } in gaps {
            if cause == GapCause::Full {
                still_lost(StillLoss::Full);
            }
            self.stills.note_gap(participant_id, shows, cause);
        }
        for pick in picks {
            if self.stills.waiting.len() < MAX_WAITING {
                self.stills.waiting.push_back(pick);
            } else {
                still_lost(StillLoss::NotKept);
                self.stills.note_gap(pick.participant_id, pick.shows, GapCause::NotKept);
            }
        }
        while self.stills.keeping.len() < MAX_KEEPING
            && let Some(pick) = self.stills.waiting.pop_front()
        {
            let keeper = keeper.clone();
            self.stills.keeping.spawn(async move {
                let outcome = keeper.keep(&pick).await;
                Kept { participant_id: pick.participant_id, shows: pick.shows, outcome }
            });
        }
    }

    /// Takes what came of a pick.
    pub(super) fn note_kept(&mut self, kept: Option<Kept>) {
        let Some(Kept { participant_id, shows, outcome }) = kept else { return };
        match outcome {
            Ok(row) => self.stills.rows.push(row),
            Err(_logged) => self.stills.note_gap(participant_id, shows, GapCause::NotKept),
        }
    }

    /// Whether nothing is chosen, waits or is written any more: asked of a session that ends, which then decides about all that
    /// it was still choosing from, and does not wait for ever.
    pub(super) fn are_stills_settled(&mut self) -> bool {
        let since = *self.stills.settling_since.get_or_insert_with(Instant::now);
        self.shared().with_stills(|stills| stills.desk.settle());
        self.keep_stills();
        if self.stills.is_idle() {
            self.stills.settling_since = None;
            return true;
        }
        if since.elapsed() < PATIENCE {
            return false;
        }
        tracing::warn!(session.id = %self.record.name, "the last stills of a session took too long and are given up");
        for pick in std::mem::take(&mut self.stills.waiting) {
            self.stills.note_gap(pick.participant_id, pick.shows, GapCause::NotKept);
        }
        self.stills.keeping.abort_all();
        true
    }

    /// Removes the files of a deleted session that no step has named and none will.
    pub(super) async fn discard_stills(&mut self) {
        let Some(keeper) = self.shared().with_stills(|stills| stills.keeper.clone()) else { return };
        let written = async {
            while let Some(kept) = self.stills.keeping.join_next().await {
                self.stills.rows.extend(kept.ok().and_then(|kept| kept.outcome.ok()));
            }
        };
        // What takes longer is swept later; its key is gone.
        let _in_time = tokio::time::timeout(PATIENCE, written).await;
        let files = std::mem::take(&mut self.stills.rows).into_iter().map(|row| row.file).collect();
        keeper.discard(files).await;
    }
}
