//! `WatchSession`: a session's scores, segments and pacing for someone who does not feed it.

use tokio::sync::mpsc;
use tonic::Status;

use crate::grpc::convert::{ended_to_wire, pacing_to_wire, score_to_wire, segment_to_wire};
use crate::grpc::proto::v1;
use crate::grpc::proto::v1::watch_session_response::Event;
use crate::service::{EndCause, LiveEvent};
use crate::session::{SessionEvent, SessionId};

use super::replies::Replies;
use super::stream::end_status;

/// Forwards events until the session ends or the watcher goes. `Err` is the status that the stream ends with.
pub(super) async fn forward(
    session_id: &SessionId,
    mut events: mpsc::Receiver<LiveEvent>,
    replies: &Replies<v1::WatchSessionResponse>,
) -> Result<(), Status> {
    let cause = loop {
        let event = match events.recv().await {
            Some(LiveEvent::Session(SessionEvent::Score { participant_id, score })) => {
                Event::Score(score_to_wire(&participant_id, &score))
            }
            Some(LiveEvent::Session(SessionEvent::Segment { segment, .. })) => {
                Event::Segment(segment_to_wire(session_id, &segment))
            }
            Some(LiveEvent::Session(SessionEvent::Pacing(pacing))) => Event::Pacing(pacing_to_wire(&pacing)),
            Some(LiveEvent::Ack(_) | LiveEvent::SampleProblem(_)) => continue,
            // Whoever watches has no input that could end: an orderly end is the session's.
            Some(LiveEvent::Ended(cause)) => break cause.unwrap_or(EndCause::Finished),
            None => break EndCause::Failed,
        };
        if replies.say(v1::WatchSessionResponse { event: Some(event) }).await.is_err() {
            return Ok(());
        }
    };
    let ended = Event::Ended(ended_to_wire(Some(cause), String::new()));
    if replies.say(v1::WatchSessionResponse { event: Some(ended) }).await.is_err() {
        return Ok(());
    }
    end_status(Some(cause))
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tonic::Code;

    use crate::grpc::live::replies::tests::replies;
    use crate::grpc::proto::v1;
    use crate::grpc::proto::v1::watch_session_response::Event;
    use crate::service::{EndCause, LiveEvent};
    use crate::session::{Pacing, SessionEvent, SessionId, TrackId};

    use super::forward;

    async fn check(events: Vec<LiveEvent>, expected: Result<v1::StreamEndCause, (v1::StreamEndCause, Code)>) {
        let (sender, receiver) = mpsc::channel(8);
        for event in events {
            sender.send(event).await.expect("room");
        }
        drop(sender);
        let (replies, mut read) = replies();
        let outcome = forward(&SessionId::new("interview-7").expect("valid"), receiver, &replies).await;
        drop(replies);
        let mut last = None;
        while let Some(reply) = read.recv().await {
            last = reply.expect("a message").event;
        }
        let Some(Event::Ended(ended)) = last else { panic!("the last message must be the end, not {last:?}") };
        let cause = ended.cause();
        assert_eq!(outcome.map(|()| cause).map_err(|status| (cause, status.code())), expected);
    }

    #[tokio::test]
    async fn every_end_is_told_and_has_its_status() {
        let pacing = SessionEvent::Pacing(Pacing {
            track_id: TrackId::new("camera-1").expect("valid"),
            frames_per_second: 1.0,
            min_height_px: 0,
            wants_audio: false,
        });
        check(vec![LiveEvent::Session(pacing), LiveEvent::Ended(None)], Ok(v1::StreamEndCause::SessionFinished)).await;
        let deleted = vec![LiveEvent::Ended(Some(EndCause::Deleted))];
        check(deleted, Err((v1::StreamEndCause::SessionDeleted, Code::NotFound))).await;
        let draining = vec![LiveEvent::Ended(Some(EndCause::Draining))];
        check(draining, Err((v1::StreamEndCause::Draining, Code::Unavailable))).await;
        check(vec![], Err((v1::StreamEndCause::Failed, Code::Unavailable))).await;
    }
}
