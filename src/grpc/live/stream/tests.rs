use std::sync::Mutex;

use tokio::sync::mpsc;
use tonic::{Code, Status};

use crate::error::ErrorKind;
use crate::grpc::live::replies::tests::replies;
use crate::grpc::proto::v1;
use crate::service::{Acknowledgement, EndCause, LiveEvent, SampleProblem, ServiceError, StreamCommand};
use crate::session::{SessionId, TrackId};

use super::{Arrivals, Reply, Request, Writer, end_status, read_config, read_media};

type Inbound = Vec<Result<v1::AnalyzeStreamRequest, Status>>;

#[expect(clippy::unnecessary_wraps, reason = "a stream's messages may fail to come")]
fn message(message: Request) -> Result<v1::AnalyzeStreamRequest, Status> {
    Ok(v1::AnalyzeStreamRequest { message: Some(message) })
}

fn picture(sequence: u64, format: i32) -> Result<v1::AnalyzeStreamRequest, Status> {
    let frame = v1::VideoFrame {
        sequence,
        media_time: Some(prost_types::Duration::default()),
        format,
        data: bytes::Bytes::from_static(b"picture"),
        ..Default::default()
    };
    message(Request::Sample(v1::MediaSample {
        track_id: "camera-1".into(),
        payload: Some(v1::media_sample::Payload::Video(frame)),
    }))
}

fn config() -> Result<v1::AnalyzeStreamRequest, Status> {
    message(Request::Config(v1::StreamConfig { session: "sessions/interview-7".into(), ..Default::default() }))
}

/// Reads `inbound` with a session that refuses samples as `refusal` says; gives back the outcome, what was accepted and the
/// reported problems.
async fn read(
    inbound: Inbound,
    refusal: impl Fn(&StreamCommand) -> Option<ServiceError>,
) -> (Result<(), Code>, usize, Vec<v1::SampleError>) {
    let (problem_sender, mut problems) = mpsc::channel(64);
    let accepted = Mutex::new(0);
    let send = |command: StreamCommand| {
        if let Some(error) = refusal(&command) {
            return Err(error);
        }
        *accepted.lock().expect("not poisoned") += 1;
        Ok(())
    };
    let outcome = read_media(tokio_stream::iter(inbound), send, problem_sender, &Arrivals::default()).await;
    let mut reported = Vec::new();
    while let Ok(problem) = problems.try_recv() {
        reported.push(problem);
    }
    let accepted = *accepted.lock().expect("not poisoned");
    (outcome.map_err(|status| status.code()), accepted, reported)
}

#[tokio::test]
async fn the_first_message_must_be_the_config() {
    let first = |inbound: Inbound| async { read_config(&mut tokio_stream::iter(inbound)).await };
    assert!(first(vec![config()]).await.is_ok());
    let bad = vec![
        vec![],
        vec![picture(1, 1)],
        vec![Ok(v1::AnalyzeStreamRequest { message: None })],
        vec![message(Request::Config(v1::StreamConfig::default()))],
    ];
    for inbound in bad {
        let status = first(inbound).await.expect_err("must be refused");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().starts_with("config"), "{status:?}");
    }
}

#[tokio::test]
async fn one_bad_sample_is_reported_and_the_stream_goes_on() {
    let inbound = vec![picture(1, 1), picture(2, 99), Ok(v1::AnalyzeStreamRequest::default()), picture(3, 1)];
    let (outcome, accepted, reported) = read(inbound, |_| None).await;
    assert_eq!((outcome, accepted, reported.len()), (Ok(()), 2, 2));
    let bad = reported.first().expect("one");
    assert_eq!((bad.track_id.as_str(), bad.sequence), ("camera-1", 2));
    assert_eq!(bad.status.as_ref().map(|status| status.code), Some(i32::from(Code::InvalidArgument)));
}

#[tokio::test]
async fn what_the_session_refuses_is_reported_with_its_place() {
    let refusal = |command: &StreamCommand| match command {
        StreamCommand::Video { sample, .. } if sample.sequence == 1 => {
            Some(ServiceError::InvalidField { field: "sequence", problem: "does not increase".into() })
        }
        _ => None,
    };
    let (outcome, accepted, reported) = read(vec![picture(1, 1), picture(2, 1)], refusal).await;
    assert_eq!((outcome, accepted), (Ok(()), 1));
    assert_eq!(reported.first().map(|problem| problem.sequence), Some(1));
}

#[tokio::test]
async fn reading_stops_quietly_when_the_session_ended() {
    let refusal = |_: &StreamCommand| Some(ServiceError::Unavailable { problem: "the session ended" });
    let (outcome, accepted, reported) = read(vec![picture(1, 1), picture(2, 1)], refusal).await;
    assert_eq!((outcome, accepted, reported.len()), (Ok(()), 0, 0));
}

#[tokio::test]
async fn a_second_config_and_an_overlong_message_end_the_stream() {
    let (outcome, accepted, _) = read(vec![picture(1, 1), config(), picture(2, 1)], |_| None).await;
    assert_eq!((outcome, accepted), (Err(Code::InvalidArgument), 1));
    let (outcome, ..) = read(vec![Err(Status::out_of_range("decoded message length too large"))], |_| None).await;
    assert_eq!(outcome, Err(Code::InvalidArgument));
    let (outcome, ..) = read(vec![Err(Status::cancelled("gone"))], |_| None).await;
    assert_eq!(outcome, Err(Code::Cancelled));
}

#[tokio::test]
async fn bad_track_updates_name_their_track() {
    let update = |change| message(Request::TrackUpdate(v1::TrackUpdate { change }));
    let inbound = vec![
        update(None),
        update(Some(v1::track_update::Change::Upsert(v1::Track { track_id: "camera-2".into(), ..Default::default() }))),
        update(Some(v1::track_update::Change::RemoveTrackId(String::new()))),
        update(Some(v1::track_update::Change::RemoveTrackId("camera-1".into()))),
    ];
    let (outcome, accepted, reported) = read(inbound, |_| None).await;
    assert_eq!((outcome, accepted, reported.len()), (Ok(()), 1, 3));
    assert_eq!(reported.get(1).map(|problem| problem.track_id.as_str()), Some("camera-2"));
}

#[tokio::test]
async fn a_flood_of_bad_samples_stays_bounded() {
    let inbound = (0..1_000).map(|sequence| picture(sequence, 99)).collect();
    let (outcome, _, reported) = read(inbound, |_| None).await;
    assert_eq!((outcome, reported.len()), (Ok(()), 64));
}

fn ack(token: &str) -> LiveEvent {
    LiveEvent::Ack(Acknowledgement {
        track_id: TrackId::new("camera-1").expect("valid"),
        sequence: 7,
        dropped_frames: 1,
        resume_token: token.into(),
        timing: None,
    })
}

/// Writes `events`; gives back the outcome and the last message but one, and the end.
async fn write(events: Vec<LiveEvent>) -> (Result<(), Code>, Vec<Reply>) {
    let (event_sender, event_receiver) = mpsc::channel(16);
    for event in events {
        event_sender.send(event).await.expect("room");
    }
    drop(event_sender);
    let (problem_sender, problems) = mpsc::channel(4);
    problem_sender.send(v1::SampleError::default()).await.expect("room");
    let (replies, mut read) = replies();
    let writer = Writer {
        replies: &replies,
        session_id: SessionId::new("interview-7").expect("valid"),
        resume_token: "first".into(),
        arrivals: &Arrivals::default(),
    };
    let outcome = writer.run(event_receiver, problems).await.map_err(|status| status.code());
    drop(replies);
    let mut said = Vec::new();
    while let Some(reply) = read.recv().await {
        said.push(reply.expect("a message").message.expect("set"));
    }
    (outcome, said)
}

#[tokio::test]
async fn an_orderly_end_delivers_everything_then_ok() {
    let problem = LiveEvent::SampleProblem(SampleProblem {
        track_id: TrackId::new("camera-1").expect("valid"),
        sequence: 3,
        kind: ErrorKind::InvalidInput,
        message: "data: not readable".into(),
    });
    let (outcome, said) = write(vec![problem, ack("second"), LiveEvent::Ended(None)]).await;
    assert_eq!((outcome, said.len()), (Ok(()), 4));
    let Some(Reply::Ended(ended)) = said.last() else { panic!("the end must be told") };
    assert_eq!((ended.cause(), ended.resume_token.as_str()), (v1::StreamEndCause::InputEnded, "second"));
}

#[tokio::test]
async fn draining_hands_out_the_latest_token_before_unavailable() {
    let (outcome, said) = write(vec![ack("second"), LiveEvent::Ended(Some(EndCause::Draining))]).await;
    assert_eq!(outcome, Err(Code::Unavailable));
    let Some(Reply::Ended(ended)) = said.last() else { panic!("the end must be told") };
    assert_eq!((ended.cause(), ended.resume_token.as_str()), (v1::StreamEndCause::Draining, "second"));
}

#[tokio::test]
async fn a_session_that_vanishes_is_a_failure() {
    let (outcome, said) = write(vec![]).await;
    assert_eq!(outcome, Err(Code::Unavailable));
    assert!(matches!(said.last(), Some(Reply::Ended(ended)) if ended.cause() == v1::StreamEndCause::Failed));
}

#[test]
fn every_cause_has_its_status() {
    let code = |cause| end_status(cause).map_err(|status| status.code());
    assert_eq!(code(None), Ok(()));
    assert_eq!(code(Some(EndCause::Finished)), Ok(()));
    assert_eq!(code(Some(EndCause::Deleted)), Err(Code::NotFound));
    assert_eq!(code(Some(EndCause::Draining)), Err(Code::Unavailable));
    assert_eq!(code(Some(EndCause::TakenOver)), Err(Code::FailedPrecondition));
    assert_eq!(code(Some(EndCause::Failed)), Err(Code::Unavailable));
}
