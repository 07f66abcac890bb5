//! `AnalyzeStream`: one task a stream reads the client's messages and writes the session's events side by side, so that a client
//! that only sends or only reads never stands in its own way.

use futures_core::Stream;
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tonic::{Code, Status};

use crate::error::{ErrorKind, Kinded};
use crate::grpc::call::CallError;
use crate::grpc::convert::{
    SampleFromWire, SampleRef, ack_to_wire, config_from_wire, ended_to_wire, pacing_to_wire, problem_to_wire,
    sample_error, sample_from_wire, score_to_wire, segment_to_wire, track_from_wire,
};
use crate::grpc::field::FieldError;
use crate::grpc::options::MAX_MESSAGE_BYTES;
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::analyze_stream_request::Message as Request;
use crate::grpc::proto::v1::analyze_stream_response::Message as Reply;
use crate::grpc::status;
use crate::service::{Caller, EndCause, LiveEvent, OpenStream, ServiceError, StreamCommand, StreamOptions};
use crate::session::{SessionEvent, SessionId, TrackId};
use crate::telemetry::metrics::{DropReason, frame_dropped, frame_received, open_stream};

use super::arrivals::Arrivals;
use super::replies::{Gone, Replies};
use super::{Live, ready_to_wire};

/// Bad samples that may wait to be reported; further ones are dropped, their sender can count its own.
const QUEUED_PROBLEMS: usize = 64;

/// Carries one stream from its config to its end. `Err` is the status that it ends with.
pub(super) async fn drive(
    live: &Live,
    caller: &Caller,
    mut inbound: impl Stream<Item = Result<v1::AnalyzeStreamRequest, Status>> + Send + Unpin,
    replies: &Replies<v1::AnalyzeStreamResponse>,
) -> Result<(), Status> {
    let _open = open_stream();
    let patience = live.config_patience;
    let options = tokio::time::timeout(patience, read_config(&mut inbound)).await.map_err(|_elapsed| {
        status::of_service(&ServiceError::Timeout { what: "waiting for config", limit_secs: patience.as_secs_f64() })
    })??;
    let to_status = |error: CallError| error.to_status();
    let OpenStream { ready, input, events } =
        live.interviews.open_stream(caller, options).await.map_err(|error| to_status(error.into()))?;
    let versions = live.versions_of(&ready);
    if say(replies, Reply::Ready(ready_to_wire(&ready, versions))).await == Err(Gone) {
        return Ok(());
    }
    let arrivals = Arrivals::default();
    let (problem_sender, problems) = mpsc::channel(QUEUED_PROBLEMS);
    let reading = read_media(inbound, move |command| input.send(command), problem_sender, &arrivals);
    let writing =
        Writer { replies, session_id: ready.session_id, resume_token: ready.resume_token, arrivals: &arrivals }
            .run(events, problems);
    tokio::pin!(writing);
    tokio::select! {
        outcome = reading => {
            outcome?;
            writing.await
        }
        outcome = &mut writing => outcome,
    }
}

async fn read_config(
    inbound: &mut (impl Stream<Item = Result<v1::AnalyzeStreamRequest, Status>> + Unpin),
) -> Result<StreamOptions, Status> {
    let refused = |problem| status::of_field(&FieldError::new("config", problem));
    let first = inbound.next().await.ok_or_else(|| refused("is not set: the stream ended before its first message"))?;
    match first.map_err(transport_status)?.message {
        Some(Request::Config(config)) => {
            config_from_wire(config).map_err(|error| status::of_field(&error.within("config")))
        }
        _ => Err(refused("is not the first message: send it before samples and track updates")),
    }
}

/// Hands the client's messages to `send` until the client ends its side (`Ok`) or breaks the protocol (`Err`).
/// `send` is dropped on return, which is what flushes the session.
async fn read_media(
    mut inbound: impl Stream<Item = Result<v1::AnalyzeStreamRequest, Status>> + Unpin,
    send: impl Fn(StreamCommand) -> Result<(), ServiceError>,
    problems: mpsc::Sender<v1::SampleError>,
    arrivals: &Arrivals,
) -> Result<(), Status> {
    while let Some(message) = inbound.next().await {
        let read = match message.map_err(transport_status)?.message {
            Some(Request::Config(_)) => {
                return Err(status::of_field(&FieldError::new(
                    "config",
                    "was sent twice: send it once, as the first message",
                )));
            }
            Some(Request::Sample(sample)) => take_sample(sample),
            Some(Request::TrackUpdate(update)) => command_from_update(update),
            None => {
                let error =
                    FieldError::new("message", "is not set or not known to this server: send a sample or track update");
                Err((SampleRef::default(), error))
            }
        };
        let problem = match read {
            Err((place, error)) => Some(sample_error(&status::of_field(&error), place.track_id, place.sequence)),
            Ok(command) => {
                let place = place_of(&command, arrivals);
                match send(command) {
                    Ok(()) => None,
                    // The session ended: the writer knows why and tells the client.
                    Err(error) if is_end(error.kind()) => return Ok(()),
                    Err(error) => Some(sample_error(&status::of_service(&error), place.track_id, place.sequence)),
                }
            }
        };
        if problem.is_some_and(|problem| problems.try_send(problem).is_err()) {
            tracing::debug!("dropped a sample error: the client reads more slowly than it errs");
        }
    }
    Ok(())
}

/// Whether a refusal of that kind concerns the whole session and not the one message.
pub(super) const fn is_end(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unavailable | ErrorKind::FailedPrecondition | ErrorKind::NotFound)
}

/// A sample of the wire as a command; a picture that cannot be one counts as received all the same.
pub(super) fn take_sample(sample: v1::MediaSample) -> SampleFromWire {
    let is_video = matches!(sample.payload, Some(v1::media_sample::Payload::Video(_)));
    let taken = sample_from_wire(sample);
    if is_video && taken.is_err() {
        frame_received();
        frame_dropped(DropReason::Refused);
    }
    taken
}

fn command_from_update(update: v1::TrackUpdate) -> Result<StreamCommand, (SampleRef, FieldError)> {
    use v1::track_update::Change;

    match update.change {
        Some(Change::Upsert(track)) => {
            let track_id = track.track_id.chars().take(128).collect();
            track_from_wire(track)
                .map(|(track, format)| StreamCommand::UpsertTrack(track, format))
                .map_err(|error| (SampleRef { track_id, sequence: 0 }, error.within("track_update.upsert")))
        }
        Some(Change::RemoveTrackId(track_id)) => {
            TrackId::new(&track_id).map(StreamCommand::RemoveTrack).map_err(|error| {
                let track_id = track_id.chars().take(128).collect();
                (SampleRef { track_id, sequence: 0 }, FieldError::new("track_update.remove_track_id", error.problem))
            })
        }
        None => {
            let error = FieldError::new("track_update.change", "is not set: send upsert or remove_track_id");
            Err((SampleRef::default(), error))
        }
    }
}

/// Which sample a command is about; notes its arrival.
fn place_of(command: &StreamCommand, arrivals: &Arrivals) -> SampleRef {
    let (track_id, sequence) = match command {
        StreamCommand::Video { track_id, sample } => (track_id, Some(sample.sequence)),
        StreamCommand::Audio { track_id, sequence, .. } => (track_id, Some(*sequence)),
        StreamCommand::UpsertTrack(track, _) => (&track.track_id, None),
        StreamCommand::RemoveTrack(track_id) => (track_id, None),
    };
    if let Some(sequence) = sequence {
        arrivals.note(track_id, sequence);
    }
    SampleRef { track_id: track_id.as_str().to_owned(), sequence: sequence.unwrap_or(0) }
}

/// A message that the transport could not deliver; one that is too long gets a remedy.
fn transport_status(status: Status) -> Status {
    if status.code() == Code::OutOfRange {
        return status::of_field(&FieldError::new(
            "message",
            format!("is longer than {MAX_MESSAGE_BYTES} bytes: send smaller or compressed pictures"),
        ));
    }
    status
}

/// Writes a session's events to one client.
struct Writer<'a> {
    replies: &'a Replies<v1::AnalyzeStreamResponse>,
    session_id: SessionId,
    resume_token: String,
    arrivals: &'a Arrivals,
}

impl Writer<'_> {
    /// Runs until the session has nothing more to say to this client.
    async fn run(
        mut self,
        mut events: mpsc::Receiver<LiveEvent>,
        mut problems: mpsc::Receiver<v1::SampleError>,
    ) -> Result<(), Status> {
        let cause = loop {
            let reply = tokio::select! {
                Some(problem) = problems.recv() => Reply::SampleError(problem),
                event = events.recv() => match event {
                    Some(LiveEvent::Ended(cause)) => break cause,
                    Some(event) => match self.reply_of(event) {
                        Some(reply) => reply,
                        None => continue,
                    },
                    // Events always end with `Ended`; without it the session's task is gone.
                    None => break Some(EndCause::Failed),
                },
            };
            if say(self.replies, reply).await == Err(Gone) {
                return Err(slow_reader());
            }
        };
        while let Ok(problem) = problems.try_recv() {
            if say(self.replies, Reply::SampleError(problem)).await == Err(Gone) {
                return Err(slow_reader());
            }
        }
        let ended = ended_to_wire(cause, self.resume_token);
        if say(self.replies, Reply::Ended(ended)).await == Err(Gone) {
            return Err(slow_reader());
        }
        end_status(cause)
    }

    fn reply_of(&mut self, event: LiveEvent) -> Option<Reply> {
        match event {
            LiveEvent::Session(SessionEvent::Score { participant_id, score }) => {
                Some(Reply::Score(score_to_wire(&participant_id, &score)))
            }
            LiveEvent::Session(SessionEvent::Segment { segment, .. }) => {
                Some(Reply::Segment(segment_to_wire(&self.session_id, &segment)))
            }
            LiveEvent::Session(SessionEvent::Pacing(pacing)) => Some(Reply::Pacing(pacing_to_wire(&pacing))),
            LiveEvent::Ack(ack) => {
                self.resume_token.clone_from(&ack.resume_token);
                let processing_time = self.arrivals.settle(&ack.track_id, ack.sequence);
                Some(Reply::Ack(ack_to_wire(&ack, processing_time)))
            }
            LiveEvent::SampleProblem(problem) => Some(Reply::SampleError(problem_to_wire(&problem))),
            LiveEvent::Ended(_) => None,
        }
    }
}

async fn say(replies: &Replies<v1::AnalyzeStreamResponse>, reply: Reply) -> Result<(), Gone> {
    replies.say(v1::AnalyzeStreamResponse { message: Some(reply) }).await
}

fn slow_reader() -> Status {
    status::of_kind(
        ErrorKind::Overloaded,
        "answers were not read for too long: read them, or resume with the last token",
    )
}

/// The status that goes with the cause of an end.
pub(super) fn end_status(cause: Option<EndCause>) -> Result<(), Status> {
    match cause {
        None | Some(EndCause::Finished) => Ok(()),
        Some(EndCause::Deleted) => Err(status::of_kind(ErrorKind::NotFound, "the session was deleted")),
        Some(EndCause::Draining) => Err(status::of_kind(
            ErrorKind::Unavailable,
            "the server shuts down: open a new stream with the resume token of the last ack",
        )),
        Some(EndCause::TakenOver) => Err(status::of_kind(
            ErrorKind::FailedPrecondition,
            "another stream resumed this session: do not reconnect from here",
        )),
        Some(EndCause::Failed) => Err(status::of_kind(
            ErrorKind::Unavailable,
            "the server failed on this session: open a new stream with the resume token of the last ack",
        )),
    }
}

#[cfg(test)]
mod tests;
