//! `AnalyzeFrames`: a batch through the same use case as a stream, for clients that cannot stream.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::error::Kinded as _;
use crate::grpc::call::CallError;
use crate::grpc::convert::{
    ack_to_wire, config_from_wire, length_to_wire, pacing_to_wire, problem_to_wire, sample_error, score_to_wire,
    segment_to_wire,
};
use crate::grpc::field;
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::grpc::status;
use crate::service::{Caller, EndCause, LiveEvent, OpenStream, ServiceError, StreamCommand, StreamInput};
use crate::session::{ParticipantId, SessionEvent, SessionId, TrackId};

use super::Live;
use super::arrivals::Arrivals;
use super::stream::{is_end, take_sample};

const MAX_SAMPLES: usize = 256;
/// Left of the caller's time for writing the answer, at most; of a short time a fifth.
const ANSWER_RESERVE: Duration = Duration::from_millis(500);

/// Opens the session, sends the batch, and answers with what came of it until everything is accounted for or `limit` is near.
pub(super) async fn analyze(
    live: &Live,
    caller: &Caller,
    request: v1::AnalyzeFramesRequest,
    limit: Duration,
) -> Result<v1::AnalyzeFramesResponse, CallError> {
    let began = Instant::now();
    let deadline = began + limit.saturating_sub(ANSWER_RESERVE.min(limit / 5));
    field::at_most("samples", &request.samples, MAX_SAMPLES)?;
    let config = field::required("config", request.config)?;
    let options = config_from_wire(config).map_err(|error| error.within("config"))?;
    let OpenStream { ready, input, mut events } = live.interviews.open_stream(caller, options).await?;
    let mut answer = Answer::new(ready.session_id.clone(), ready.resume_token.clone());
    let versions = live.versions_of(&ready);
    answer.send(request.samples, input);
    while let Ok(event) = tokio::time::timeout_at(deadline, events.recv()).await {
        match event {
            Some(LiveEvent::Ended(cause)) => {
                check_end(cause)?;
                break;
            }
            Some(event) => answer.take(event),
            // Events always end with `Ended`; without it the session's task is gone.
            None => {
                check_end(Some(EndCause::Failed))?;
                break;
            }
        }
    }
    Ok(answer.into_wire(versions, began.elapsed()))
}

/// A batch that was cut by a shutdown still tells what is accounted for: the next one will be refused and can be resumed elsewhere.
fn check_end(cause: Option<EndCause>) -> Result<(), ServiceError> {
    let what = "the session of this batch".to_owned();
    match cause {
        None | Some(EndCause::Finished | EndCause::Draining) => Ok(()),
        Some(EndCause::Deleted) => Err(ServiceError::NotFound { what }),
        Some(EndCause::TakenOver) => Err(ServiceError::FailedPrecondition {
            what,
            problem: "another stream resumed it: send from one place only",
        }),
        Some(EndCause::Failed) => {
            Err(ServiceError::Unavailable { problem: "the server failed on this session: send the batch again" })
        }
    }
}

/// The latest of everything that a batch brought about.
struct Answer {
    session_id: SessionId,
    resume_token: String,
    arrivals: Arrivals,
    scores: BTreeMap<ParticipantId, v1::Score>,
    pacing: BTreeMap<TrackId, v1::PacingHint>,
    acks: BTreeMap<TrackId, v1::Ack>,
    segments: BTreeMap<u32, v1::Segment>,
    sample_errors: Vec<v1::SampleError>,
}

impl Answer {
    fn new(session_id: SessionId, resume_token: String) -> Self {
        Self {
            session_id,
            resume_token,
            arrivals: Arrivals::default(),
            scores: BTreeMap::new(),
            pacing: BTreeMap::new(),
            acks: BTreeMap::new(),
            segments: BTreeMap::new(),
            sample_errors: Vec::new(),
        }
    }

    /// Hands over the batch; dropping `input` at the end asks for everything to be analysed.
    #[expect(clippy::needless_pass_by_value, reason = "its end is the point")]
    fn send(&mut self, samples: Vec<v1::MediaSample>, input: StreamInput) {
        for sample in samples {
            let outcome = match take_sample(sample) {
                Ok(command) => self.send_one(&input, command),
                Err((place, error)) => Err(sample_error(&status::of_field(&error), place.track_id, place.sequence)),
            };
            if let Err(problem) = outcome {
                self.sample_errors.push(problem);
            }
        }
    }

    fn send_one(&self, input: &StreamInput, command: StreamCommand) -> Result<(), v1::SampleError> {
        let place = match &command {
            StreamCommand::Video { track_id, sample } => Some((track_id.clone(), sample.sequence)),
            StreamCommand::Audio { track_id, sequence, .. } => Some((track_id.clone(), *sequence)),
            StreamCommand::UpsertTrack(..) | StreamCommand::RemoveTrack(_) => None,
        };
        if let Some((track_id, sequence)) = &place {
            self.arrivals.note(track_id, *sequence);
        }
        match input.send(command) {
            // An ended session is reported by its event, once, and not by every sample.
            Err(error) if !is_end(error.kind()) => {
                let (track_id, sequence) = place.map_or_else(Default::default, |(id, n)| (id.as_str().to_owned(), n));
                Err(sample_error(&status::of_service(&error), track_id, sequence))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn take(&mut self, event: LiveEvent) {
        match event {
            LiveEvent::Session(SessionEvent::Score { participant_id, score }) => {
                let wire = score_to_wire(&participant_id, &score);
                self.scores.insert(participant_id, wire);
            }
            LiveEvent::Session(SessionEvent::Segment { segment, .. }) => {
                self.segments.insert(segment.ordinal, segment_to_wire(&self.session_id, &segment));
            }
            LiveEvent::Session(SessionEvent::Pacing(pacing)) => {
                let wire = pacing_to_wire(&pacing);
                self.pacing.insert(pacing.track_id, wire);
            }
            LiveEvent::Ack(ack) => {
                let processing_time = self.arrivals.settle(&ack.track_id, ack.sequence);
                self.resume_token.clone_from(&ack.resume_token);
                let wire = ack_to_wire(&ack, processing_time);
                self.acks.insert(ack.track_id, wire);
            }
            LiveEvent::SampleProblem(problem) => {
                // One for each sample of the batch and each of its tracks is all there can honestly be.
                if self.sample_errors.len() < 2 * MAX_SAMPLES {
                    self.sample_errors.push(problem_to_wire(&problem));
                }
            }
            LiveEvent::Ended(_) => {}
        }
    }

    fn into_wire(self, versions: v1::Versions, spent: Duration) -> v1::AnalyzeFramesResponse {
        v1::AnalyzeFramesResponse {
            scores: self.scores.into_values().collect(),
            pacing: self.pacing.into_values().collect(),
            acks: self.acks.into_values().collect(),
            sample_errors: self.sample_errors,
            segments: self.segments.into_values().collect(),
            resume_token: self.resume_token,
            session: name::session_name(&self.session_id),
            versions: Some(versions),
            processing_time: Some(length_to_wire(spent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::grpc::proto::v1;
    use crate::scoring::{Level, Score};
    use crate::service::{Acknowledgement, EndCause, LiveEvent};
    use crate::session::{Pacing, ParticipantId, SessionEvent, SessionId, TrackId};

    use super::{Answer, Duration, check_end};

    fn score(policy: &str) -> LiveEvent {
        LiveEvent::Session(SessionEvent::Score {
            participant_id: ParticipantId::new("user-7").expect("valid"),
            score: Score {
                authenticity: None,
                level: Level::Inconclusive,
                signals: vec![],
                reasons: vec![],
                usable_face_secs: 0.0,
                window_start_secs: 0.0,
                window_end_secs: 0.0,
                policy: policy.into(),
                engine: "bonafide 0.0.1".into(),
            },
        })
    }

    #[test]
    fn an_answer_holds_the_latest_of_everything() {
        let track_id = TrackId::new("camera-1").expect("valid");
        let mut answer = Answer::new(SessionId::new("interview-7").expect("valid"), "first".into());
        answer.arrivals.note(&track_id, 2);
        answer.take(score("old"));
        answer.take(score("new"));
        for (sequence, token) in [(1, "second"), (2, "third")] {
            answer.take(LiveEvent::Ack(Acknowledgement {
                track_id: track_id.clone(),
                sequence,
                dropped_frames: 0,
                resume_token: token.into(),
                timing: None,
            }));
        }
        answer.take(LiveEvent::Session(SessionEvent::Pacing(Pacing {
            track_id,
            frames_per_second: 2.0,
            min_height_px: 360,
            wants_audio: false,
        })));
        let wire = answer.into_wire(v1::Versions::default(), Duration::from_secs(1));
        assert_eq!((wire.scores.len(), wire.acks.len(), wire.pacing.len()), (1, 1, 1));
        assert_eq!(wire.scores.first().map(|score| score.policy.as_str()), Some("new"));
        let ack = wire.acks.first().expect("one");
        assert_eq!((ack.sequence, wire.resume_token.as_str()), (2, "third"));
        assert!(ack.processing_time.is_some());
        assert_eq!(wire.session, "sessions/interview-7");
    }

    #[test]
    fn only_ends_that_lose_the_batch_are_errors() {
        for fine in [None, Some(EndCause::Finished), Some(EndCause::Draining)] {
            assert!(check_end(fine).is_ok());
        }
        for bad in [EndCause::Deleted, EndCause::TakenOver, EndCause::Failed] {
            assert!(check_end(Some(bad)).is_err());
        }
    }
}
