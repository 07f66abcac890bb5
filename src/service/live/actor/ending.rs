//! How a session ends: finished, deleted, handed back, idle or failed.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::service::error::ServiceError;
use crate::service::live::queue::{QueueItem, StreamId};
use crate::service::live::registry::JUST_LEFT;
use crate::service::live::{EndCause, LiveEvent};
use crate::service::views::SessionView;
use crate::session::JournalEntry;

use super::{Closing, Command, Reply, Session};

/// How long receivers have to take their last events.
const FAREWELL: Duration = Duration::from_secs(5);

impl Session {
    /// Stops the input and waits for what was accepted; idempotent, the first cause counts.
    pub(super) fn begin_closing(&mut self, cause: EndCause, reply: Option<Reply<SessionView>>) {
        if let Some(closing) = &mut self.closing {
            closing.replies.extend(reply);
            return;
        }
        self.shared.close(cause);
        let mut waiting = HashSet::new();
        for (track_id, entry) in self.shared.tracks().iter() {
            entry.queue.push(QueueItem::Flush(StreamId(0)));
            waiting.insert(track_id.clone());
        }
        let deadline = Instant::now() + self.services.options.finish_wait();
        self.closing = Some(Closing { cause, deadline, waiting, replies: reply.into_iter().collect() });
    }

    /// Whether the session leaves memory now; ends it in the store when that is why.
    pub(super) async fn is_over(&mut self) -> bool {
        let Some(closing) = &self.closing else {
            let is_idle = self.idle_since.is_some_and(|since| since.elapsed() >= self.services.options.idle_session());
            return is_idle && self.journal.is_empty();
        };
        if !closing.waiting.is_empty() && Instant::now() < closing.deadline {
            return false;
        }
        match closing.cause {
            EndCause::Finished => {
                if self.record.end_time.is_none() {
                    let at = self.services.arrival(self.record.create_time);
                    if !self.journal.iter().any(|entry| matches!(entry, JournalEntry::Finished { .. })) {
                        self.apply(JournalEntry::Finished { at });
                    }
                    return self.commit_with(Some(self.services.clock.now())).await;
                }
                true
            }
            EndCause::Draining => self.journal.is_empty() || self.commit_with(None).await,
            EndCause::Deleted | EndCause::TakenOver | EndCause::Failed => true,
        }
    }

    /// Leaves the registry and gives receivers their last events.
    pub(super) async fn farewell(mut self) {
        self.services.sessions.remove(&self.record.id, &self.shared);
        self.mailbox.close();
        for (_, entry) in self.shared.tracks().drain() {
            entry.queue.close();
        }
        let closing = self.closing.take();
        let cause = closing.as_ref().map(|closing| closing.cause);
        if let Some(closing) = closing {
            let record = self.services.store.get(&self.record.id).await;
            for reply in closing.replies {
                let answer = record.as_ref().map(|record| SessionView::from(record.clone()));
                let _ = reply
                    .send(answer.map_err(|_| ServiceError::NotFound { what: format!("sessions/{}", self.record.id) }));
            }
        }
        let ended = LiveEvent::Ended(cause);
        for state in self.streams.values_mut() {
            state.outbox.push(ended.clone());
        }
        if cause.is_some() {
            self.services.watchers.publish(&self.record.id, &ended);
        }
        let deadline = Instant::now() + FAREWELL;
        while Instant::now() < deadline && self.streams.values().any(|state| !state.outbox.is_done()) {
            self.streams.values_mut().for_each(|state| state.outbox.flush());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        while let Ok(command) = self.mailbox.try_recv() {
            match command {
                Command::Attach { reply, .. } => {
                    drop(reply.send(Err(ServiceError::Unavailable { problem: JUST_LEFT })))
                }
                Command::Finish(reply) => drop(reply.send(Err(ServiceError::Unavailable { problem: JUST_LEFT }))),
                Command::Delete(reply) => drop(reply.send(Ok(()))),
                _ => {}
            }
        }
        self.workers.shutdown().await;
    }
}
