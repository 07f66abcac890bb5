//! Makes what a session learned durable, and only then tells it.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::error::Kinded;
use crate::service::error::ServiceError;
use crate::service::live::{Acknowledgement, EndCause, LiveEvent};
use crate::service::ports::{SessionCommit, StoreError};

use super::{Closing, Session};

/// Journal entries kept while the store fails, beyond which the session gives up.
const MAX_UNSTORED_ENTRIES: usize = 20_000;
/// How long the store may fail before the session gives up.
const MAX_STORE_FAILURE: Duration = Duration::from_secs(30);

impl Session {
    pub(super) fn is_commit_due(&self) -> bool {
        let has_news = !self.journal.is_empty() || !self.problems.is_empty() || self.has_untold_progress();
        let is_ending = self.closing.is_some() || self.streams.values().any(|state| state.unflushed.is_some());
        has_news
            && (!self.scores.is_empty()
                || is_ending
                || self.last_commit.elapsed() >= self.services.options.commit_interval())
    }

    pub(super) fn has_untold_progress(&self) -> bool {
        self.progress.iter().any(|(track_id, sequence)| self.told_progress.get(track_id) != Some(sequence))
    }

    /// Makes everything so far durable, then tells it. On failure all is kept for the next round.
    pub(super) async fn commit(&mut self) {
        self.commit_with(None).await;
    }

    pub(super) async fn commit_with(&mut self, end_time: Option<jiff::Timestamp>) -> bool {
        self.last_commit = Instant::now();
        if !self.journal.is_empty() || end_time.is_some() {
            let commit = SessionCommit {
                id: self.record.id.clone(),
                expected_journal_len: self.record.journal_len,
                journal: self.journal.clone(),
                scores: self.scores.clone(),
                segments: self.segments.values().cloned().collect(),
                end_time,
            };
            match self.services.store.commit(commit).await {
                Ok(()) => {
                    self.failing_since = None;
                    self.record.journal_len += self.journal.len() as u64;
                    self.record.end_time = end_time.or(self.record.end_time);
                    self.journal.clear();
                    self.scores.clear();
                    self.segments.clear();
                }
                Err(error) => {
                    self.note_store_failure(&error);
                    return false;
                }
            }
        }
        self.tell();
        true
    }

    pub(super) fn note_store_failure(&mut self, error: &StoreError) {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        let cause = match error {
            StoreError::NotFound { .. } => Some(EndCause::Deleted),
            StoreError::Stale { .. } => Some(EndCause::TakenOver),
            _ if !error.kind().is_retryable() => Some(EndCause::Failed),
            _ if since.elapsed() > MAX_STORE_FAILURE || self.journal.len() > MAX_UNSTORED_ENTRIES => {
                Some(EndCause::Failed)
            }
            _ => None,
        };
        tracing::warn!(
            session.id = %self.record.id,
            error = error as &dyn std::error::Error,
            gives_up = cause.is_some(),
            "session could not be stored"
        );
        if let Some(cause) = cause {
            self.shared.close(cause);
            let replies = self.closing.take().map(|closing| closing.replies).unwrap_or_default();
            for reply in replies {
                let _ = reply.send(Err(ServiceError::Unavailable { problem: "the store failed: try again later" }));
            }
            self.journal.clear();
            self.events.clear();
            self.closing =
                Some(Closing { cause, deadline: Instant::now(), waiting: HashSet::new(), replies: Vec::new() });
        }
    }

    /// Tells streams and watchers what is durable now.
    pub(super) fn tell(&mut self) {
        let resume_token = self.resume_token();
        let mut acks = Vec::new();
        {
            let tracks = self.shared.tracks();
            for (track_id, sequence) in &self.progress {
                if self.told_progress.get(track_id) != Some(sequence) {
                    acks.push((
                        track_id.clone(),
                        *sequence,
                        tracks.get(track_id).map(|entry| (entry.owner, entry.queue.shed_total())),
                    ));
                }
            }
        }
        for event in self.events.drain(..) {
            for state in self.streams.values_mut() {
                state.outbox.push(LiveEvent::Session(event.clone()));
            }
            self.services.watchers.publish(&self.record.id, &LiveEvent::Session(event));
        }
        for problem in self.problems.drain(..) {
            let owner = self.shared.tracks().get(&problem.track_id).map(|entry| entry.owner);
            if let Some(state) = owner.and_then(|owner| self.streams.get_mut(&owner)) {
                state.outbox.push(LiveEvent::SampleProblem(problem));
            }
        }
        for (track_id, sequence, place) in acks {
            self.told_progress.insert(track_id.clone(), sequence);
            let Some((owner, dropped_frames)) = place else { continue };
            if let Some(state) = self.streams.get_mut(&owner) {
                let resume_token = resume_token.clone();
                state.outbox.push(LiveEvent::Ack(Acknowledgement { track_id, sequence, dropped_frames, resume_token }));
            }
        }
    }
}
