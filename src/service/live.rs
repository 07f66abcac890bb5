//! Live streams: what goes in, what comes out.
//!
//! A stream's samples wait in a queue for each track, a worker for each track has them analysed, the session applies what was
//! measured, stores it, and only then tells anybody. Nothing here waits for a client.

mod actor;
mod clock;
mod input;
mod outbox;
mod queue;
mod registry;
mod shared;
#[cfg(test)]
mod tests;
mod token;
mod worker;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::audit::Event;
use crate::error::ErrorKind;
use crate::media::{MediaTime, VideoFormat, VideoSample};
use crate::session::{ParticipantId, SessionEvent, SessionId, SessionName, Sighting, Track, TrackId};

use self::actor::Command;
pub use self::input::StreamInput;
pub(super) use self::outbox::CHANNEL_EVENTS as WATCH_EVENTS;
use self::outbox::Outbox;
pub(super) use self::registry::{DRAINING, LiveSession, Purpose, Services};
use super::analyst::FrameTiming;
use super::error::ServiceError;
use super::sessions::NewSession;

/// What became of a session on this server.
#[derive(Clone, Debug)]
pub enum SessionNews {
    /// It was finished, and all of it is stored.
    Finished {
        /// Which.
        name: SessionName,
        /// Who was behind each participant's camera, and what behind them.
        sightings: Vec<Sighting>,
    },
    /// It was deleted with all that was known of it.
    Deleted(SessionName),
}

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
    pub events: mpsc::Receiver<LiveEvent>,
}

/// The first answer on a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamReady {
    /// The session.
    pub session_id: SessionId,
    /// The policy that scores it, by its versioned name.
    pub policy: String,
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

/// Attaches a stream to a live session.
pub(super) async fn attach(
    services: &Arc<Services>,
    session: LiveSession,
    options: &StreamOptions,
) -> Result<OpenStream, ServiceError> {
    let stream = services.next_stream();
    let (outbox, events) = Outbox::new(options.score_interval);
    let (reply, answer) = oneshot::channel();
    let command = Command::Attach { stream, outbox, resume_token: options.resume_token.clone(), reply };
    let just_left = || ServiceError::Unavailable { problem: registry::JUST_LEFT };
    session.commands.send(command).await.map_err(|_| just_left())?;
    let attached = answer.await.map_err(|_| just_left())??;
    let is_resumed = options.resume_token.is_some();
    let input = StreamInput::new(stream, &attached, session.shared, session.commands, Arc::clone(services), is_resumed);
    let ready = StreamReady {
        session_id: attached.record.name.id,
        policy: attached.record.policy,
        resume_token: attached.resume_token,
        resume_from: attached.resume_from,
    };
    Ok(OpenStream { ready, input, events })
}

/// Asks a live session to end, in the name of whom `audit` tells, and gives back how it ended.
pub(super) async fn finish(session: &LiveSession, audit: Event) -> Result<super::views::SessionView, ServiceError> {
    let (reply, answer) = oneshot::channel();
    let just_left = || ServiceError::Unavailable { problem: registry::JUST_LEFT };
    session.commands.send(Command::Finish(reply, audit)).await.map_err(|_| just_left())?;
    answer.await.map_err(|_| just_left())?
}

/// Tells a live session that it is deleted.
pub(super) async fn forget(session: &LiveSession) {
    let (reply, answer) = oneshot::channel();
    if session.commands.send(Command::Delete(reply)).await.is_ok() {
        let _ = answer.await;
    }
}

/// Asks a live session to store what it has and leave, without analysing what waits beyond `deadline`.
pub(super) async fn hand_back(session: &LiveSession, deadline: Instant) {
    if session.commands.send(Command::Drain(deadline)).await.is_ok() {
        session.commands.closed().await;
    }
}

/// Whether an error only says that a session was leaving memory at this moment.
pub(super) fn is_just_left(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Unavailable { problem } if *problem == registry::JUST_LEFT)
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
    /// Another stream resumed this stream's tracks, or another server the session.
    TakenOver,
    /// The server failed on this session: reconnect with the resume token of the last ack.
    Failed,
}

impl EndCause {
    /// Whether nothing more is stored.
    const fn is_final(self) -> bool {
        matches!(self, Self::Deleted | Self::TakenOver | Self::Failed)
    }
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
    /// How long the analysis of that sequence took; `None` when it was not analysed.
    pub timing: Option<FrameTiming>,
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
