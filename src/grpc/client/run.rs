//! One stream over as many connections as it takes.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

use crate::error::{ErrorKind, Kinded as _};
use crate::grpc::convert::{ack_from_wire, config_to_wire, pacing_from_wire, score_from_wire, segment_from_wire};
use crate::grpc::field::FieldError;
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::analyze_stream_request::Message as Say;
use crate::grpc::proto::v1::analyze_stream_response::Message as Heard;
use crate::grpc::proto::v1::live_service_client::LiveServiceClient;
use crate::grpc::status::kind_of;
use crate::service::{EndCause, LiveEvent, SampleProblem, StreamOptions, StreamReady};
use crate::session::{SegmentChange, SegmentState, SessionEvent, TrackId};

use super::outbox::Outbox;
use super::{ClientCommand, ClientError, ClientEvent, Transport};

/// Attempts to resume without any progress in between.
const MAX_ATTEMPTS: u32 = 8;
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// Messages that may wait for the connection.
const QUEUED: usize = 4;

/// Why a connection ended.
enum End {
    /// The stream is over; everything was told.
    Over,
    /// The caller dropped the events.
    Abandoned,
    /// It is worth resuming, not before the server's own delay if it gave one.
    Broken(String, Option<Duration>),
    /// It is not.
    Failed(ClientError),
}

/// Runs a stream to its end.
pub(super) async fn run(
    client: LiveServiceClient<Transport>,
    options: StreamOptions,
    mut commands: mpsc::Receiver<ClientCommand>,
    events: mpsc::Sender<Result<ClientEvent, ClientError>>,
) {
    let mut session = Session {
        client,
        options,
        outbox: Outbox::default(),
        events,
        seen_segments: BTreeSet::new(),
        has_input_ended: false,
        attempt: 0,
    };
    loop {
        match session.connect_once(&mut commands).await {
            End::Over | End::Abandoned => return,
            End::Failed(error) => {
                // When nobody listens any more there is nobody to tell.
                session.events.send(Err(error)).await.ok();
                return;
            }
            End::Broken(problem, asked) => {
                if !session.pause(problem, asked).await {
                    return;
                }
            }
        }
    }
}

struct Session {
    client: LiveServiceClient<Transport>,
    options: StreamOptions,
    outbox: Outbox,
    events: mpsc::Sender<Result<ClientEvent, ClientError>>,
    seen_segments: BTreeSet<u32>,
    has_input_ended: bool,
    attempt: u32,
}

impl Session {
    /// Tells the caller and waits before the next attempt; `false` when it is not worth another or nobody listens.
    async fn pause(&mut self, problem: String, asked: Option<Duration>) -> bool {
        self.attempt += 1;
        let attempt = self.attempt;
        if attempt > MAX_ATTEMPTS {
            self.events.send(Err(ClientError::Lost { attempts: MAX_ATTEMPTS, problem })).await.ok();
            return false;
        }
        let backoff = FIRST_DELAY.saturating_mul(1 << (attempt - 1).min(10));
        let delay = backoff.max(asked.unwrap_or_default()).min(LONGEST_DELAY);
        let is_heard = self.events.send(Ok(ClientEvent::Resuming { attempt, delay, problem })).await.is_ok();
        tokio::time::sleep(delay).await;
        is_heard
    }

    async fn connect_once(&mut self, commands: &mut mpsc::Receiver<ClientCommand>) -> End {
        self.outbox.rewind();
        let (sender, receiver) = mpsc::channel(QUEUED);
        let config = Say::Config(config_to_wire(&self.options));
        if sender.send(v1::AnalyzeStreamRequest { message: Some(config) }).await.is_err() {
            return End::Broken("the connection closed before the config".to_owned(), None);
        }
        let mut inbound = match self.client.analyze_stream(ReceiverStream::new(receiver)).await {
            Ok(response) => response.into_inner(),
            Err(status) => return end_of(&status),
        };
        let first = match inbound.message().await {
            Ok(Some(v1::AnalyzeStreamResponse { message: Some(Heard::Ready(ready)) })) => ready,
            Ok(Some(_)) => {
                return End::Failed(ClientError::Protocol { problem: "the first answer is not ready".into() });
            }
            Ok(None) => return End::Broken("the stream ended before its first answer".to_owned(), None),
            Err(status) => return end_of(&status),
        };
        match self.begin(first) {
            Ok(ready) => {
                if self.events.send(Ok(ClientEvent::Ready(ready))).await.is_err() {
                    return End::Abandoned;
                }
            }
            Err(error) => return End::Failed(error),
        }
        self.carry(commands, sender, inbound).await
    }

    /// Notes where the server wants to go on.
    fn begin(&mut self, ready: v1::StreamReady) -> Result<StreamReady, ClientError> {
        let resume_from = ready
            .resume_from
            .into_iter()
            .map(|progress| Ok((TrackId::new(&progress.track_id)?, progress.sequence)))
            .collect::<Result<Vec<_>, FieldError>>()?;
        for (track_id, sequence) in &resume_from {
            self.outbox.settle_up_to(track_id, *sequence);
        }
        self.options.resume_token = Some(ready.resume_token.clone());
        let session_id = name::parse_session("session", &ready.session)?;
        let policy = ready.versions.map(|versions| versions.policy).unwrap_or_default();
        Ok(StreamReady { session_id, policy, resume_token: ready.resume_token, resume_from })
    }

    /// Carries messages both ways until the stream ends.
    async fn carry(
        &mut self,
        commands: &mut mpsc::Receiver<ClientCommand>,
        sender: mpsc::Sender<v1::AnalyzeStreamRequest>,
        mut inbound: Streaming<v1::AnalyzeStreamResponse>,
    ) -> End {
        let mut sender = Some(sender);
        let mut is_over = false;
        loop {
            if self.has_input_ended && !self.outbox.has_unsent() {
                sender = None;
            }
            let can_send = sender.is_some() && self.outbox.has_unsent();
            tokio::select! {
                heard = inbound.message() => match heard {
                    Ok(Some(v1::AnalyzeStreamResponse { message: Some(message) })) => {
                        let event = match self.read(message) {
                            Ok(Some(event)) => event,
                            Ok(None) => continue,
                            Err(error) => return End::Failed(error),
                        };
                        // A draining or failing server is not the end of the stream, only of this connection.
                        let goes_on =
                            matches!(event, ClientEvent::Live(LiveEvent::Ended(Some(EndCause::Draining | EndCause::Failed))));
                        is_over = matches!(event, ClientEvent::Live(LiveEvent::Ended(_))) && !goes_on;
                        if !goes_on && self.events.send(Ok(event)).await.is_err() {
                            return End::Abandoned;
                        }
                    }
                    // A message of a later version of the contract.
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) if is_over => return End::Over,
                    Ok(None) => return End::Broken("the stream ended without a cause".to_owned(), None),
                    Err(status) => return end_of(&status),
                },
                command = commands.recv(), if !self.has_input_ended && self.outbox.has_room() => match command {
                    Some(command) => self.outbox.push(command, &mut self.options),
                    None => self.has_input_ended = true,
                },
                permit = reserve(sender.clone()), if can_send => match permit {
                    Some(permit) => {
                        if let Some(message) = self.outbox.next() {
                            permit.send(message);
                        }
                    }
                    // The connection takes no more; why stands in what is read next.
                    None => sender = None,
                },
            }
        }
    }

    fn read(&mut self, message: Heard) -> Result<Option<ClientEvent>, ClientError> {
        let event = match message {
            Heard::Ready(_) => return Err(ClientError::Protocol { problem: "ready came twice".into() }),
            Heard::Score(score) => {
                let (participant_id, score) = score_from_wire(score)?;
                LiveEvent::Session(SessionEvent::Score { participant_id, score })
            }
            Heard::Segment(segment) => {
                let segment = segment_from_wire(segment)?;
                let is_new = self.seen_segments.insert(segment.ordinal);
                let change = match segment.state {
                    SegmentState::Closed => SegmentChange::Closed,
                    SegmentState::Open if is_new => SegmentChange::Opened,
                    SegmentState::Open => SegmentChange::Extended,
                };
                LiveEvent::Session(SessionEvent::Segment { change, segment })
            }
            Heard::Pacing(pacing) => LiveEvent::Session(SessionEvent::Pacing(pacing_from_wire(&pacing)?)),
            Heard::Ack(ack) => {
                let processing_time = ack.processing_time.and_then(|time| Duration::try_from(time).ok());
                let ack = ack_from_wire(ack)?;
                self.outbox.settle_up_to(&ack.track_id, ack.sequence);
                self.options.resume_token = Some(ack.resume_token.clone());
                self.attempt = 0;
                return Ok(Some(ClientEvent::Ack { ack, processing_time }));
            }
            Heard::SampleError(error) => {
                self.outbox.settle_one(&error.track_id, error.sequence);
                let status = error.status.unwrap_or_default();
                // An error without a track concerns a message that this client does not send.
                let Ok(track_id) = TrackId::new(&error.track_id) else { return Ok(None) };
                LiveEvent::SampleProblem(SampleProblem {
                    track_id,
                    sequence: error.sequence,
                    kind: kind_of(tonic::Code::from(status.code)),
                    message: status.message,
                })
            }
            Heard::Ended(ended) => {
                if !ended.resume_token.is_empty() {
                    self.options.resume_token = Some(ended.resume_token.clone());
                }
                LiveEvent::Ended(cause_from_wire(&ended))
            }
        };
        Ok(Some(ClientEvent::Live(event)))
    }
}

async fn reserve(
    sender: Option<mpsc::Sender<v1::AnalyzeStreamRequest>>,
) -> Option<mpsc::OwnedPermit<v1::AnalyzeStreamRequest>> {
    sender?.reserve_owned().await.ok()
}

fn cause_from_wire(ended: &v1::StreamEnded) -> Option<EndCause> {
    match ended.cause() {
        v1::StreamEndCause::InputEnded => None,
        v1::StreamEndCause::SessionFinished => Some(EndCause::Finished),
        v1::StreamEndCause::SessionDeleted => Some(EndCause::Deleted),
        v1::StreamEndCause::Draining => Some(EndCause::Draining),
        v1::StreamEndCause::TakenOver => Some(EndCause::TakenOver),
        v1::StreamEndCause::Unspecified | v1::StreamEndCause::Failed => Some(EndCause::Failed),
    }
}

/// Whether a status is worth another connection.
fn end_of(status: &Status) -> End {
    let error = ClientError::from(status.clone());
    match error.kind() {
        ErrorKind::Unavailable | ErrorKind::Overloaded => {
            let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
            End::Broken(error.to_string(), asked)
        }
        ErrorKind::InvalidInput
        | ErrorKind::NotFound
        | ErrorKind::AlreadyExists
        | ErrorKind::FailedPrecondition
        | ErrorKind::Unauthenticated
        | ErrorKind::PermissionDenied
        | ErrorKind::Timeout
        | ErrorKind::DataLoss
        | ErrorKind::Internal => End::Failed(error),
    }
}
