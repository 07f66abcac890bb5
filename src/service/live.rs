//! Live streams: what goes in, what comes out.
//!
//! A stream's samples wait in a queue for each track, a worker for each track has them analysed, the session applies what was
//! measured, stores it, and only then tells anybody. Nothing here waits for a client.

mod actor;
mod outbox;
mod queue;
mod registry;
mod token;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::ErrorKind;
use crate::media::{MediaTime, VideoFormat, VideoSample};
use crate::session::{ParticipantId, SessionEvent, SessionId, Track, TrackId};

use self::actor::{Command, Shared, TrackEntry};
pub(super) use self::outbox::CHANNEL_EVENTS as WATCH_EVENTS;
use self::outbox::Outbox;
use self::queue::{QueueItem, StreamId, TrackQueue};
pub(super) use self::registry::{LiveSession, Services};
use super::error::ServiceError;
use super::sessions::NewSession;

/// How a stream begins.
#[derive(Clone, Debug)]
pub struct StreamOptions {
    /// The session to feed.
    pub session_id: SessionId,
    /// What to create when the session is missing; `None` = it must exist.
    pub create: Option<NewSession>,
    /// Tracks known from the start, with the format their samples default to.
    pub tracks: Vec<(Track, Option<VideoFormat>)>,
    /// Policy asked for; empty = the server's default. Another policy than the session's own is refused.
    pub policy: String,
    /// From the last `StreamReady` or `Ack`, after a broken connection.
    pub resume_token: Option<String>,
    /// Least time between two scores of one participant; `None` = the policy's.
    pub score_interval: Option<Duration>,
    /// Reference images (CV or identity photo): encoded stills.
    pub references: Vec<(ParticipantId, Bytes)>,
}

/// An accepted stream.
#[derive(Debug)]
pub struct OpenStream {
    /// What to tell the client first.
    pub ready: StreamReady,
    /// Where the client's messages go.
    pub input: StreamInput,
    /// What the session has to say; ends after [`LiveEvent::Ended`].
    pub events: tokio::sync::mpsc::Receiver<LiveEvent>,
}

/// The first answer on a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamReady {
    /// The session.
    pub session_id: SessionId,
    /// Good for resuming from now.
    pub resume_token: String,
    /// Highest durably accounted sequence of each track that was seen before: send from the next one.
    pub resume_from: Vec<(TrackId, u64)>,
}

/// One message of the client after the first.
#[derive(Clone, Debug)]
pub enum StreamCommand {
    /// A video sample.
    Video {
        /// Its track.
        track_id: TrackId,
        /// The sample.
        sample: VideoSample,
    },
    /// Audio: accounted for, not scored yet.
    Audio {
        /// Its track.
        track_id: TrackId,
        /// Sequence on its track.
        sequence: u64,
        /// Position on the media clock.
        media_time: MediaTime,
        /// Bytes received.
        n_bytes: u64,
    },
    /// A track appeared or changed, with the format its samples default to.
    UpsertTrack(Track, Option<VideoFormat>),
    /// A track ended.
    RemoveTrack(TrackId),
}

/// Takes the client's messages. Dropping it ends the stream's input; what was accepted is still analysed.
#[derive(Debug)]
pub struct StreamInput {
    id: StreamId,
    shared: Arc<Shared>,
    session: tokio::sync::mpsc::Sender<Command>,
    services: Arc<Services>,
    create_time: jiff::Timestamp,
    /// Dropped with this input, which tells the session.
    _open: tokio::sync::oneshot::Sender<()>,
}

impl StreamInput {
    /// Hands over one message. Never waits for analysis: video past the byte bound pushes the oldest frame out.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`] for one bad message (the stream goes on), [`ServiceError::Unavailable`] or
    /// [`ServiceError::FailedPrecondition`] once the session ended.
    pub fn send(&self, command: StreamCommand) -> Result<(), ServiceError> {
        if let Some(cause) = self.shared.closed() {
            return Err(closed_error(cause));
        }
        match command {
            StreamCommand::Video { track_id, sample } => self.send_video(&track_id, sample),
            StreamCommand::Audio { track_id, sequence, .. } => self.count_audio(&track_id, sequence),
            StreamCommand::UpsertTrack(track, format) => self.upsert_track(track, format),
            StreamCommand::RemoveTrack(track_id) => {
                let tracks = self.shared.tracks();
                let entry = self.owned(&tracks, &track_id)?;
                entry.queue.push(QueueItem::Remove);
                Ok(())
            }
        }
    }

    fn send_video(&self, track_id: &TrackId, sample: VideoSample) -> Result<(), ServiceError> {
        let limit = self.services.pipeline.limits().max_sample_bytes;
        if sample.data.len() as u64 > limit {
            return Err(ServiceError::InvalidField {
                field: "sample.video.data",
                problem: format!("has {} bytes, over the limit of {limit}: send smaller pictures", sample.data.len()),
            });
        }
        let arrival = self.services.arrival(self.create_time);
        let mut tracks = self.shared.tracks();
        self.owned(&tracks, track_id)?;
        let Some(entry) = tracks.get_mut(track_id) else { return Ok(()) };
        let sequence = sample.sequence;
        if entry.last_sequence.is_some_and(|last| sequence <= last) {
            return Err(ServiceError::InvalidField {
                field: "sample.video.sequence",
                problem: format!(
                    "{sequence} is not above {}: count up on each track, and after a reconnect go on after resume_from",
                    entry.last_sequence.unwrap_or(0)
                ),
            });
        }
        entry.last_sequence = Some(sequence);
        entry.queue.push(QueueItem::Sample { sample, arrival });
        Ok(())
    }

    /// Audio is accounted for and not scored.
    fn count_audio(&self, track_id: &TrackId, sequence: u64) -> Result<(), ServiceError> {
        let tracks = self.shared.tracks();
        self.owned(&tracks, track_id)?;
        drop(tracks);
        // A full mailbox only delays the acknowledgement to the next chunk.
        let _ = self.session.try_send(Command::Accounted { track_id: track_id.clone(), sequence });
        Ok(())
    }

    fn upsert_track(&self, track: Track, format: Option<VideoFormat>) -> Result<(), ServiceError> {
        let has_room = self.shared.with_interview(|interview| interview.has_room_for(&track)).unwrap_or(false);
        let mut tracks = self.shared.tracks();
        let is_known = tracks.contains_key(&track.track_id);
        if !has_room || (!is_known && tracks.len() >= crate::session::MAX_TRACKS) {
            return Err(ServiceError::InvalidField {
                field: "track",
                problem: "the session has its most tracks or participants: remove one first".to_owned(),
            });
        }
        if is_known {
            let is_open = tracks.get(&track.track_id).is_some_and(|entry| entry.owner == StreamId(0));
            if is_open && let Some(entry) = tracks.get_mut(&track.track_id) {
                entry.owner = self.id;
            }
            let entry = self.owned(&tracks, &track.track_id)?;
            entry.queue.push(QueueItem::Upsert(track, format));
            return Ok(());
        }
        let queue =
            Arc::new(TrackQueue::new(self.services.options.max_track_queue_bytes, Arc::clone(&self.services.budget)));
        let track_id = track.track_id.clone();
        let command = Command::Work { track_id: track_id.clone(), queue: Arc::clone(&queue) };
        self.session.try_send(command).map_err(|_| ServiceError::Overloaded {
            what: "the session's mailbox",
            limit: actor::MAILBOX_COMMANDS as u64,
            retry_after: Duration::from_secs(1),
        })?;
        queue.push(QueueItem::Upsert(track, format));
        let last_sequence = self
            .shared
            .with_interview(|interview| {
                interview.last_sequences().find(|(known, _)| **known == track_id).map(|(_, sequence)| sequence)
            })
            .flatten();
        tracks.insert(track_id, TrackEntry { queue, owner: self.id, last_sequence });
        Ok(())
    }

    /// The entry of a track that this stream may feed.
    fn owned<'a>(
        &self,
        tracks: &'a std::collections::HashMap<TrackId, TrackEntry>,
        track_id: &TrackId,
    ) -> Result<&'a TrackEntry, ServiceError> {
        match tracks.get(track_id) {
            Some(entry) if entry.owner == self.id => Ok(entry),
            Some(_) => Err(ServiceError::InvalidField {
                field: "track_id",
                problem: "another stream feeds this track: resume with its token, or use a track_id of your own"
                    .to_owned(),
            }),
            None => Err(ServiceError::InvalidField {
                field: "track_id",
                problem: "not announced: name it in config.tracks or send a track_update first".to_owned(),
            }),
        }
    }
}

/// What a client is told that sends into a session that ended.
fn closed_error(cause: EndCause) -> ServiceError {
    match cause {
        EndCause::Finished => ServiceError::FailedPrecondition {
            what: "session".to_owned(),
            problem: "it was finished: create another session",
        },
        EndCause::Deleted => ServiceError::NotFound { what: "session".to_owned() },
        EndCause::Draining => {
            ServiceError::Unavailable { problem: "the server shuts down: reconnect with the last resume token" }
        }
        EndCause::TakenOver => ServiceError::FailedPrecondition {
            what: "session".to_owned(),
            problem: "another stream or server took it over",
        },
        EndCause::Failed => {
            ServiceError::Unavailable { problem: "the store failed: reconnect with the last resume token" }
        }
    }
}

/// Attaches a stream to a live session.
pub(super) async fn attach(
    services: &Arc<Services>,
    session: LiveSession,
    options: &StreamOptions,
) -> Result<OpenStream, ServiceError> {
    let id = services.next_stream();
    let (outbox, events) = Outbox::new(options.score_interval);
    let (reply, answer) = tokio::sync::oneshot::channel();
    let command = Command::Attach { stream: id, outbox, resume_token: options.resume_token.clone(), reply };
    let just_left = || ServiceError::Unavailable { problem: registry::JUST_LEFT };
    session.commands.send(command).await.map_err(|_| just_left())?;
    let attached = answer.await.map_err(|_| just_left())??;
    let (open, closed) = tokio::sync::oneshot::channel::<()>();
    let commands = session.commands.clone();
    tokio::spawn(async move {
        let _ = closed.await;
        let _ = commands.send(Command::InputEnded(id)).await;
    });
    let input = StreamInput {
        id,
        shared: session.shared,
        session: session.commands,
        services: Arc::clone(services),
        create_time: attached.record.create_time,
        _open: open,
    };
    let ready = StreamReady {
        session_id: attached.record.id,
        resume_token: attached.resume_token,
        resume_from: attached.resume_from,
    };
    Ok(OpenStream { ready, input, events })
}

/// Asks a live session to end, and gives back how it ended.
pub(super) async fn finish(session: &LiveSession) -> Result<super::views::SessionView, ServiceError> {
    let (reply, answer) = tokio::sync::oneshot::channel();
    let just_left = || ServiceError::Unavailable { problem: registry::JUST_LEFT };
    session.commands.send(Command::Finish(reply)).await.map_err(|_| just_left())?;
    answer.await.map_err(|_| just_left())?
}

/// Tells a live session that it is deleted.
pub(super) async fn forget(session: &LiveSession) {
    let (reply, answer) = tokio::sync::oneshot::channel();
    if session.commands.send(Command::Delete(reply)).await.is_ok() {
        let _ = answer.await;
    }
}

/// Asks a live session to store what it has and leave.
pub(super) async fn hand_back(session: &LiveSession) {
    if session.commands.send(Command::Drain).await.is_ok() {
        session.commands.closed().await;
    }
}

/// Whether an error only says that a session was leaving memory at this moment.
pub(super) fn is_just_left(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Unavailable { problem } if *problem == registry::JUST_LEFT)
}

/// Feeds one entry to a live session's journal.
pub(super) async fn journal(session: &StreamInput, entry: crate::session::JournalEntry) {
    let _ = session.session.send(Command::Journal(entry)).await;
}

/// What a live session tells its streams and watchers.
#[derive(Clone, Debug)]
pub enum LiveEvent {
    /// Score, segment or pacing.
    Session(SessionEvent),
    /// Samples up to here are durably accounted for (streams only).
    Ack(Acknowledgement),
    /// One sample could not be used (streams only).
    SampleProblem(SampleProblem),
    /// The session ended for this receiver: finished, deleted, drained. `None` = orderly.
    Ended(Option<EndCause>),
}

/// Why a stream ended though its client did not end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// The session was finished by another call.
    Finished,
    /// The session was deleted.
    Deleted,
    /// The server shuts down: reconnect with the resume token of the last ack.
    Draining,
    /// Another stream resumed this session's tracks.
    TakenOver,
    /// The server failed on this session.
    Failed,
}

/// Durable progress of one track.
#[derive(Clone, Debug, PartialEq)]
pub struct Acknowledgement {
    /// Which track.
    pub track_id: TrackId,
    /// Highest sequence that is accounted for: analysed, shed or found bad.
    pub sequence: u64,
    /// Frames shed by the server on this track, cumulative.
    pub dropped_frames: u64,
    /// Good for resuming from here.
    pub resume_token: String,
}

/// Why one sample was not used; the stream goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleProblem {
    /// Which track.
    pub track_id: TrackId,
    /// Which sample.
    pub sequence: u64,
    /// What kind of problem.
    pub kind: ErrorKind,
    /// For the client.
    pub message: String,
}
