//! The streams of a session: who is let in, who replaces whom, when one has been told everything.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::service::error::ServiceError;
use crate::service::live::input::closed_error;
use crate::service::live::outbox::Outbox;
use crate::service::live::queue::{QueueItem, StreamId};
use crate::service::live::registry::JUST_LEFT;
use crate::service::live::{Acknowledgement, EndCause, LiveEvent, token};
use crate::session::TrackId;

use super::{Attached, Reply, Session, StreamState};

/// When it is worth trying again to open one more stream of a session.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn attach(
        &mut self,
        stream: StreamId,
        outbox: Outbox,
        resume_token: Option<&str>,
        reply: Reply<Attached>,
    ) {
        let answer = self.admit(resume_token);
        let is_over = answer.as_ref().ok().map(|attached| Arc::clone(&attached.is_over));
        // A caller that left meanwhile has no stream.
        if reply.send(answer).is_ok()
            && let Some(is_over) = is_over
        {
            self.streams.insert(stream, StreamState { outbox, is_over, unflushed: None });
            self.must_make_room = false;
        }
    }

    fn admit(&self, resume_token: Option<&str>) -> Result<Attached, ServiceError> {
        let finished = || ServiceError::FailedPrecondition {
            what: format!("sessions/{}", self.record.name),
            problem: "it is finished: create another session",
        };
        match self.closing.as_ref().map(|closing| closing.cause) {
            None if self.record.end_time.is_none() => {}
            None | Some(EndCause::Finished) => return Err(finished()),
            Some(cause @ (EndCause::Draining | EndCause::Deleted)) => return Err(closed_error(cause)),
            // The next one to try loads the session as it is stored.
            Some(EndCause::TakenOver | EndCause::Failed) => {
                return Err(ServiceError::Unavailable { problem: JUST_LEFT });
            }
        }
        if let Some(token) = resume_token {
            token::check(token, &self.record)?;
        }
        // Streams that resume replace others, which may still be there.
        let limit = self.services().options.max_streams_per_session;
        let allowed = if resume_token.is_some() { limit * 2 } else { limit };
        if self.streams.len() >= allowed {
            return Err(ServiceError::Overloaded {
                what: "streams of one session",
                limit: limit as u64,
                retry_after: RETRY_AFTER,
            });
        }
        Ok(Attached {
            resume_token: self.resume_token(),
            resume_from: self.stored.iter().map(|(track_id, sequence)| (track_id.clone(), *sequence)).collect(),
            record: self.record.clone(),
            is_over: Arc::new(AtomicBool::new(false)),
        })
    }

    /// Marks the end of what a stream sent, on each track that it feeds.
    pub(super) fn end_input(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        let tracks = self.registration.shared.tracks();
        let owned = tracks.entries.iter().filter(|(_, entry)| entry.is_owned_by(stream));
        let unflushed: HashSet<TrackId> = owned
            .map(|(track_id, entry)| {
                entry.queue.push_mark(QueueItem::Flush(stream));
                track_id.clone()
            })
            .collect();
        state.unflushed = Some(unflushed);
    }

    /// Notes that a track was analysed up to a stream's end, or to its own.
    pub(super) fn note_flushed(&mut self, track_id: &TrackId, stream: Option<StreamId>) {
        for (id, state) in &mut self.streams {
            if stream.is_none_or(|stream| stream == *id)
                && let Some(unflushed) = &mut state.unflushed
            {
                unflushed.remove(track_id);
            }
        }
    }

    /// Ends streams that were replaced, or whose input is flushed and stored; forgets those that nobody reads.
    pub(super) fn tend_streams(&mut self) {
        self.repeat_acknowledgements();
        let is_stored = self.journal.is_empty() && self.accounted.is_empty();
        let mut tracks = self.registration.shared.tracks();
        for (id, state) in &mut self.streams {
            let is_flushed = is_stored && state.unflushed.as_ref().is_some_and(HashSet::is_empty);
            if state.is_over.load(Ordering::Acquire) {
                state.outbox.push(LiveEvent::Ended(Some(EndCause::TakenOver)));
                tracks.release(*id);
            } else if is_flushed {
                state.outbox.push(LiveEvent::Ended(None));
            }
            state.outbox.flush();
        }
        self.streams.retain(|id, state| {
            let is_done = state.outbox.is_done();
            if is_done {
                state.is_over.store(true, Ordering::Release);
                tracks.release(*id);
            }
            !is_done
        });
        drop(tracks);
        self.shared().set_idle(self.streams.is_empty() && self.closing.is_none());
    }

    /// Tells who sent something again that it is done with: the first acknowledgement went to a stream that is gone.
    fn repeat_acknowledgements(&mut self) {
        let resume_token = self.resume_token();
        let mut tracks = self.registration.shared.tracks();
        for (track_id, entry) in tracks.entries.iter_mut().filter(|(_, entry)| entry.wants_ack) {
            entry.wants_ack = false;
            let state = entry.owner.as_ref().and_then(|owner| self.streams.get_mut(&owner.stream));
            let (Some(state), Some(sequence)) = (state, self.stored.get(track_id)) else { continue };
            state.outbox.push(LiveEvent::Ack(Acknowledgement {
                track_id: track_id.clone(),
                sequence: *sequence,
                dropped_frames: entry.queue.shed_total(),
                resume_token: resume_token.clone(),
                timing: None,
            }));
        }
    }

    pub(super) fn resume_token(&self) -> String {
        token::issue(&self.record.name.id, self.record.journal_len, &self.record.resume_secret)
    }
}
