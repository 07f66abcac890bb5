//! Live streams: what goes in, what comes out.

use std::time::Duration;

use bytes::Bytes;

use crate::error::ErrorKind;
use crate::media::{MediaTime, VideoFormat, VideoSample};
use crate::session::{ParticipantId, SessionEvent, SessionId, Track, TrackId};

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
pub struct StreamInput {}

impl StreamInput {
    /// Hands over one message. Never waits for analysis: video past the byte bound pushes the oldest frame out.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`] for one bad message (the stream goes on), [`ServiceError::Unavailable`] once the
    /// session ended.
    pub fn send(&self, command: StreamCommand) -> Result<(), ServiceError> {
        todo!()
    }
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
