//! How a session ends: finished, deleted, handed back, idle or failed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::audit::Event;
use crate::scoring::Level;
use crate::service::error::ServiceError;
use crate::service::live::input::closed_error;
use crate::service::live::queue::QueueItem;
use crate::service::live::registry::JUST_LEFT;
use crate::service::live::{EndCause, LiveEvent, SessionNews};
use crate::service::views::SessionView;
use crate::session::{Interview, JournalEntry};
use crate::telemetry::metrics::{VerdictLevel, verdict};

use super::{Closing, Reply, Session, refuse};

/// How long receivers have to take their last events.
const FAREWELL: Duration = Duration::from_secs(5);

impl Session {
    /// Stops the input and waits for what was accepted, until `deadline` at the latest; idempotent. A session that is asked to
    /// finish while it is handed back finishes. `audit` is who asked.
    pub(super) fn begin_closing(
        &mut self,
        cause: EndCause,
        deadline: Option<Instant>,
        reply: Option<Reply<SessionView>>,
        audit: Option<Event>,
    ) {
        if let Some(closing) = &mut self.closing {
            if cause == EndCause::Finished {
                closing.cause = cause;
            }
            closing.replies.extend(reply);
            closing.audit = closing.audit.take().or(audit);
            closing.deadline = deadline.map_or(closing.deadline, |deadline| closing.deadline.min(deadline));
            return;
        }
        let mut waiting = HashSet::new();
        {
            let tracks = self.registration.shared.tracks();
            self.registration.shared.close(cause);
            for (track_id, entry) in &tracks.entries {
                entry.queue.push_mark(QueueItem::Finish);
                waiting.insert(track_id.clone());
            }
        }
        let patience = Instant::now() + self.services().options.finish_wait();
        let deadline = deadline.map_or(patience, |deadline| patience.min(deadline));
        self.closing = Some(Closing { cause, deadline, waiting, replies: reply.into_iter().collect(), audit });
    }

    /// Ends without waiting for anything; what is not stored is given up.
    pub(super) fn end_now(&mut self, cause: EndCause) {
        self.shared().close(cause);
        self.journal.clear();
        self.scores.clear();
        self.segments.clear();
        self.events.clear();
        self.problems.clear();
        self.accounted.clear();
        self.ended_tracks.clear();
        self.stills.give_up();
        self.end_time = None;
        let replies = self.closing.take().map(|closing| closing.replies).unwrap_or_default();
        self.closing = Some(Closing { cause, deadline: Instant::now(), waiting: HashSet::new(), replies, audit: None });
    }

    /// Whether the session leaves memory now; ends it in the store when that is why.
    pub(super) async fn is_over(&mut self) -> bool {
        let Some(closing) = &self.closing else { return self.is_idle() };
        let (cause, is_waiting) = (closing.cause, !closing.waiting.is_empty() && Instant::now() < closing.deadline);
        if is_waiting && !cause.is_final() {
            return false;
        }
        match cause {
            EndCause::Finished => {
                if self.end_time.is_none() && self.record.end_time.is_none() {
                    let at = self.services().arrival(self.record.create_time);
                    self.apply(JournalEntry::Finished { at });
                    self.end_time = Some(self.services().clock.now());
                }
                let is_stored = self.record.end_time.is_some() && !self.stills.has_rows();
                self.are_stills_settled() && (is_stored || (self.may_commit() && self.commit().await))
            }
            EndCause::Draining => {
                self.are_stills_settled() && (!self.has_news() || (self.may_commit() && self.commit().await))
            }
            EndCause::Deleted | EndCause::TakenOver | EndCause::Failed => true,
        }
    }

    /// Whether nobody feeds the session any more, for long enough, and nothing is left to do.
    fn is_idle(&mut self) -> bool {
        let Some(since) = self.shared().idle_since() else { return false };
        let is_long = since.elapsed() >= self.services().options.idle_session();
        let is_waiting = self.shared().tracks().entries.values().any(|entry| !entry.queue.is_empty());
        !self.has_news()
            && (is_long || (self.must_make_room && !is_waiting))
            && self.are_stills_settled()
            && !self.has_news()
    }

    fn has_news(&self) -> bool {
        !self.journal.is_empty() || !self.accounted.is_empty() || self.stills.has_rows()
    }

    pub(super) fn count_verdicts(&self) {
        let count = |interview: &mut Interview| {
            for (_, score) in interview.scores() {
                verdict(match score.level {
                    Level::Inconclusive => VerdictLevel::Inconclusive,
                    Level::Clear => VerdictLevel::Clear,
                    Level::Suspicious => VerdictLevel::Suspicious,
                    Level::Alert => VerdictLevel::Alert,
                });
            }
        };
        self.shared().with_interview(count);
    }

    /// Tells whoever listens that the session is finished, and who was seen in it.
    pub(super) fn tell_of_end(&self) {
        let sightings = self.shared().with_interview(|interview| interview.sightings()).unwrap_or_default();
        self.services().tell(SessionNews::Finished { name: self.record.name.clone(), sightings });
    }

    /// Leaves the registry, answers who waits, and gives receivers their last events.
    pub(super) async fn farewell(mut self) {
        let (services, shared) = (Arc::clone(&self.registration.services), Arc::clone(&self.registration.shared));
        let closing = self.closing.take();
        let cause = closing.as_ref().map(|closing| closing.cause);
        if cause == Some(EndCause::Deleted) {
            self.discard_stills().await;
        }
        // An idle session has no input left; should there be one, it resumes.
        shared.close(cause.unwrap_or(EndCause::Failed));
        drop(self.registration);
        self.mailbox.close();
        while let Ok(command) = self.mailbox.try_recv() {
            refuse(command, || ServiceError::Unavailable { problem: JUST_LEFT });
        }
        let ended = LiveEvent::Ended(cause);
        if cause.is_some() {
            services.watchers.publish(&self.record.name, &ended);
        }
        for state in self.streams.values_mut() {
            state.outbox.push(ended.clone());
        }
        for reply in closing.into_iter().flat_map(|closing| closing.replies) {
            let answer = match cause {
                Some(EndCause::Finished) | None => services.store.get(&self.record.name).await.map_err(Into::into),
                Some(cause) => Err(closed_error(cause)),
            };
            let _ = reply.send(answer.map(SessionView::from));
        }
        let mut workers = std::mem::take(&mut *shared.workers());
        workers.shutdown().await;
        let handed_over = join_all(self.streams.into_values().map(|state| state.outbox.hand_over()));
        if tokio::time::timeout(FAREWELL, handed_over).await.is_err() {
            tracing::debug!(session.id = %self.record.name, "a stream did not take its last events");
        }
    }
}
