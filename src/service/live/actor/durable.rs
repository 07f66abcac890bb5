//! Makes what a session learned durable, and only then tells it.

use std::time::{Duration, Instant};

use crate::audit::Event;
use crate::error::Kinded;
use crate::service::error::ServiceError;
use crate::service::live::{Acknowledgement, EndCause, LiveEvent};
use crate::service::ports::{SessionCommit, StoreError};
use crate::session::{JournalEntry, TrackId};
use crate::telemetry::metrics::{Stage, stage_took};

use super::{Progress, Session};

/// Journal entries kept while the store fails, beyond which the session gives up: some 30 s of 16 tracks.
const MAX_UNSTORED_ENTRIES: usize = 5_000;
/// How long the store may fail before the session gives up.
const MAX_STORE_FAILURE: Duration = Duration::from_secs(30);
/// Pause between two tries of a store that fails.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

impl Session {
    /// Whether there is something to store or to tell, and the time for it has come.
    pub(super) fn is_commit_due(&self) -> bool {
        let has_news = !self.journal.is_empty()
            || !self.accounted.is_empty()
            || !self.ended_tracks.is_empty()
            || self.stills.has_rows();
        let is_urgent = !self.scores.is_empty()
            || self.closing.is_some()
            || self.streams.values().any(|state| state.unflushed.is_some());
        has_news
            && self.may_commit()
            && (is_urgent || self.last_commit.elapsed() >= self.services().options.commit_interval())
    }

    /// Whether the store may be tried now.
    pub(super) fn may_commit(&self) -> bool {
        self.failing_since.is_none() || self.last_commit.elapsed() >= RETRY_INTERVAL
    }

    /// Makes everything so far durable, then tells it. On failure (`false`) all is kept for the next round.
    pub(super) async fn commit(&mut self) -> bool {
        self.note_accounted();
        if !self.journal.is_empty() || self.end_time.is_some() || self.stills.has_rows() {
            let commit = SessionCommit {
                name: self.record.name.clone(),
                expected_journal_len: self.record.journal_len,
                journal: self.journal.clone(),
                scores: self.scores.clone(),
                segments: self.segments.values().cloned().collect(),
                stills: self.stills.rows.clone(),
                still_gaps: self.stills.gaps.clone(),
                end_time: self.end_time,
                audit: self.words_of_end(),
            };
            let began = Instant::now();
            let outcome = self.services().store.commit(commit).await;
            stage_took(Stage::Store, began.elapsed());
            if let Err(error) = outcome {
                self.last_commit = Instant::now();
                self.note_store_failure(&error);
                return false;
            }
            self.failing_since = None;
            self.record.journal_len += self.journal.len() as u64;
            if let Some(end_time) = self.end_time.take() {
                self.record.end_time = Some(end_time);
                self.count_verdicts();
                self.tell_of_end();
            }
            self.journal.clear();
            self.scores.clear();
            self.segments.clear();
            self.stills.stored();
            self.stored = self.last_sequences();
        }
        self.last_commit = Instant::now();
        self.tell();
        true
    }

    /// What the audit log says of a step that ends the session.
    fn words_of_end(&self) -> Vec<Event> {
        let asked = self.closing.as_ref().and_then(|closing| closing.audit.clone());
        let time = self.end_time;
        asked.zip(time).map(|(event, time)| Event { time, ..event }).into_iter().collect()
    }

    /// Puts into the journal what is done with and gave no frame: it is acknowledged, so that it must be stored.
    fn note_accounted(&mut self) {
        let known = self.last_sequences();
        let is_new = |(track_id, progress): &(&TrackId, &Progress)| {
            known.get(*track_id).is_none_or(|last| *last < progress.sequence) && self.knows(track_id)
        };
        let entries: Vec<JournalEntry> = self
            .accounted
            .iter()
            .filter(is_new)
            .map(|(track_id, progress)| JournalEntry::Accounted {
                track_id: track_id.clone(),
                sequence: progress.sequence,
            })
            .collect();
        for entry in entries {
            self.apply(entry);
        }
    }

    fn knows(&self, track_id: &TrackId) -> bool {
        self.shared().with_interview(|interview| interview.track(track_id).is_some()) == Some(true)
    }

    fn last_sequences(&self) -> std::collections::HashMap<TrackId, u64> {
        let owned = |(track_id, sequence): (&TrackId, u64)| (track_id.clone(), sequence);
        self.shared().with_interview(|interview| interview.last_sequences().map(owned).collect()).unwrap_or_default()
    }

    fn note_store_failure(&mut self, error: &StoreError) {
        let was_failing = self.failing_since.is_some();
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        #[expect(clippy::wildcard_enum_match_arm, reason = "the kind decides for all others, new ones too")]
        let cause = match error {
            StoreError::NotFound { .. } => Some(EndCause::Deleted),
            // After a failure whose outcome is not known, the step in between may have been this session's own.
            StoreError::Stale { .. } if was_failing => Some(EndCause::Failed),
            StoreError::Stale { .. } => Some(EndCause::TakenOver),
            _ if !error.kind().is_retryable() => Some(EndCause::Failed),
            _ if since.elapsed() > MAX_STORE_FAILURE || self.journal.len() > MAX_UNSTORED_ENTRIES => {
                Some(EndCause::Failed)
            }
            _ => None,
        };
        if !was_failing || cause.is_some() {
            tracing::warn!(
                session.id = %self.record.name,
                error = error as &dyn std::error::Error,
                gives_up = cause.is_some(),
                "session could not be stored"
            );
        }
        if let Some(cause) = cause {
            let replies = self.closing.as_mut().map(|closing| std::mem::take(&mut closing.replies)).unwrap_or_default();
            for reply in replies {
                let _ = reply.send(Err(ServiceError::Unavailable { problem: "the store failed: try again later" }));
            }
            self.end_now(cause);
        }
    }

    /// Tells streams and watchers what is durable now.
    fn tell(&mut self) {
        for event in self.events.drain(..) {
            for state in self.streams.values_mut() {
                state.outbox.push(LiveEvent::Session(event.clone()));
            }
            self.registration.services.watchers.publish(&self.record.name, &LiveEvent::Session(event));
        }
        let resume_token = self.resume_token();
        let tracks = self.registration.shared.tracks();
        for problem in self.problems.drain(..) {
            let owner = tracks.entries.get(&problem.track_id).and_then(|entry| entry.owner.as_ref());
            if let Some(state) = owner.and_then(|owner| self.streams.get_mut(&owner.stream)) {
                state.outbox.push(LiveEvent::SampleProblem(problem));
            }
        }
        let ended = self.ended_tracks.iter().filter_map(|(track_id, last)| Some((track_id.clone(), (*last)?)));
        for (track_id, Progress { sequence, timing }) in ended.chain(self.accounted.drain()) {
            let Some(entry) = tracks.entries.get(&track_id) else { continue };
            let owner = entry.owner.as_ref();
            if let Some(state) = owner.and_then(|owner| self.streams.get_mut(&owner.stream)) {
                state.outbox.push(LiveEvent::Ack(Acknowledgement {
                    track_id,
                    sequence,
                    dropped_frames: entry.queue.shed_total(),
                    resume_token: resume_token.clone(),
                    timing,
                }));
            }
        }
        drop(tracks);
        self.forget_ended_tracks();
    }

    /// Lets go of tracks that were removed and not announced again meanwhile.
    fn forget_ended_tracks(&mut self) {
        for (track_id, _) in std::mem::take(&mut self.ended_tracks) {
            {
                let mut tracks = self.registration.shared.tracks();
                let Some(entry) = tracks.entries.get_mut(&track_id) else { continue };
                entry.n_removals = entry.n_removals.saturating_sub(1);
                if !entry.is_removed || entry.n_removals > 0 {
                    continue;
                }
                entry.queue.close();
                tracks.entries.remove(&track_id);
            }
            // Marks that were still in the queue went with it.
            self.note_flushed(&track_id, None);
            if let Some(closing) = &mut self.closing {
                closing.waiting.remove(&track_id);
            }
        }
    }
}
