//! Sessions that are finished, deleted, handed back or left alone while somebody streams.

use std::time::Duration;

use crate::error::{ErrorKind, Kinded as _};
use crate::service::live;
use crate::service::ports::SessionStore as _;
use crate::service::{EndCause, LiveEvent, StreamInput};
use crate::session::SessionEvent;

use super::bench::{Bench, PATIENCE, caller, id, name, next, picture, until_acked, until_ended, wait_for};

/// Waits until the session takes nothing more, by what it says to a sample of nobody's.
async fn wait_until_closed(input: &StreamInput, kind: ErrorKind) {
    let is_closed = || input.send(picture("nobodys", 1)).is_err_and(|error| error.kind() == kind);
    wait_for("the input to be refused", is_closed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finishing_analyses_what_was_accepted() {
    let bench = Bench::start().await;
    let mut stream = bench.open("finished", &["camera"], None).await;
    bench.gate.set_closed(true);
    for sequence in 1..=5 {
        stream.input.send(picture("camera", sequence)).expect("accepted");
    }
    let finishing = tokio::spawn({
        let interviews = bench.interviews.clone();
        async move { interviews.finish(&caller(), &id("finished")).await }
    });
    wait_until_closed(&stream.input, ErrorKind::FailedPrecondition).await;
    bench.gate.set_closed(false);
    let session = finishing.await.expect("no panic").expect("finishes");
    assert!(session.end_time.is_some() && session.participants.len() == 1);
    let (cause, before) = until_ended(&mut stream.events).await;
    assert_eq!(cause, Some(EndCause::Finished));
    assert!(before.iter().any(|event| matches!(event, LiveEvent::Ack(ack) if ack.sequence == 5)));
    assert!(before.iter().any(|event| matches!(event, LiveEvent::Session(SessionEvent::Score { .. }))));
    assert_eq!(bench.stored_sequences("finished", "camera").await, [1, 2, 3, 4, 5]);
    assert!(bench.interviews.finish(&caller(), &id("finished")).await.expect("again").end_time == session.end_time);
    bench.wait_until_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_ends_the_stream_and_nothing_comes_back() {
    let bench = Bench::start().await;
    let mut stream = bench.open("deleted", &["camera"], None).await;
    let mut watcher = bench.interviews.watch(&caller(), &id("deleted")).await.expect("follows");
    stream.input.send(picture("camera", 1)).expect("accepted");
    until_acked(&mut stream.events, "camera", 1).await;
    bench.gate.set_closed(true);
    for sequence in 2..=5 {
        stream.input.send(picture("camera", sequence)).expect("accepted");
    }
    bench.interviews.delete(&caller(), &id("deleted"), None).await.expect("deletes");
    let (cause, before) = until_ended(&mut stream.events).await;
    assert_eq!(cause, Some(EndCause::Deleted));
    assert!(!before.iter().any(|event| matches!(event, LiveEvent::Ack(_))), "nothing is acknowledged that is gone");
    assert_eq!(until_ended(&mut watcher).await.0, Some(EndCause::Deleted));
    assert_eq!(stream.input.send(picture("camera", 6)).expect_err("gone").kind(), ErrorKind::NotFound);
    bench.gate.set_closed(false);
    bench.wait_until_empty().await;
    assert_eq!(bench.interviews.get(&caller(), &id("deleted")).await.expect_err("gone").kind(), ErrorKind::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_ends_in_time_however_much_waits() {
    let bench = Bench::start().await;
    let mut stream = bench.open("drained", &["camera"], None).await;
    stream.input.send(picture("camera", 1)).expect("accepted");
    until_acked(&mut stream.events, "camera", 1).await;
    bench.gate.set_closed(true);
    for sequence in 2..=9 {
        stream.input.send(picture("camera", sequence)).expect("accepted");
    }
    let began = std::time::Instant::now();
    bench.interviews.drain(Duration::from_millis(800)).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(bench.interviews.n_live_sessions(), 0);
    let (cause, before) = until_ended(&mut stream.events).await;
    assert_eq!(cause, Some(EndCause::Draining));
    let acked = before.iter().filter_map(|event| match event {
        LiveEvent::Ack(ack) => Some(ack.sequence),
        _ => None,
    });
    assert!(acked.max().is_none_or(|sequence| sequence == 1), "what was not analysed is not acknowledged");
    for refused in [bench.try_open("drained", &["camera"], None).await, bench.try_open("another", &[], None).await] {
        assert_eq!(refused.expect_err("shut down").kind(), ErrorKind::Unavailable);
    }
    assert_eq!(
        bench.interviews.finish(&caller(), &id("drained")).await.expect_err("shut down").kind(),
        ErrorKind::Unavailable
    );
    bench.gate.set_closed(false);
    let after = bench.another();
    let resumed = after
        .open_stream(&caller(), super::bench::options("drained", &["camera"], Some(&stream.ready.resume_token)))
        .await;
    let resume_from = resumed.expect("resumes elsewhere").ready.resume_from;
    assert_eq!(resume_from.iter().map(|(_, last)| *last).collect::<Vec<_>>(), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_finished_during_a_shutdown_is_finished() {
    let bench = Bench::start().await;
    let stream = bench.open("both", &["camera"], None).await;
    bench.gate.set_closed(true);
    stream.input.send(picture("camera", 1)).expect("accepted");
    let interviews = bench.interviews.clone();
    let draining = tokio::spawn(async move { interviews.drain(Duration::from_secs(10)).await });
    wait_until_closed(&stream.input, ErrorKind::Unavailable).await;
    let session = bench.interviews.services.sessions.get(&name("both")).expect("still live");
    let asked = caller().did(jiff::Timestamp::now(), crate::audit::Action::SessionFinish, "sessions/both".to_owned());
    let mut finishing = std::pin::pin!(live::finish(&session, asked));
    assert!(futures_util::poll!(&mut finishing).is_pending(), "asked while the session drains");
    bench.gate.set_closed(false);
    let finished = tokio::time::timeout(PATIENCE, finishing).await.expect("in time").expect("finishes");
    assert!(finished.end_time.is_some(), "finished in word is finished in deed");
    draining.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_leave_free_their_session_and_make_room() {
    let bench = Bench::start_with(|options| options.max_live_sessions = 3).await;
    for number in 0..40 {
        let stream = bench.open(&format!("left-{number}"), &["camera"], None).await;
        stream.input.send(picture("camera", 1)).expect("accepted");
        drop(stream);
        wait_for("the session to be left alone", || bench.interviews.n_live_sessions() <= 6).await;
        let name = name(&format!("left-{number}"));
        let is_idle = || {
            let session = bench.interviews.services.sessions.get(&name);
            session.is_none_or(|session| session.shared.idle_since().is_some())
        };
        wait_for("the stream to be gone", is_idle).await;
    }
    let _fed = [
        bench.open("fed-1", &[], None).await,
        bench.open("fed-2", &[], None).await,
        bench.open("fed-3", &[], None).await,
    ];
    let refused = bench.try_open("fed-4", &[], None).await.expect_err("full");
    assert_eq!(refused.kind(), ErrorKind::Overloaded);
    let finished = bench.interviews.finish(&caller(), &id("left-39")).await;
    assert!(finished.expect("possible on a full server").end_time.is_some());
    let again = bench.open("fed-1", &[], None).await;
    drop(again);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_left_alone_leave() {
    let bench = Bench::start_with(|options| options.idle_session_secs = 1).await;
    let stream = bench.open("idle", &["camera"], None).await;
    drop(stream);
    bench.wait_until_empty().await;
    bench.open("idle", &["camera"], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_a_session_that_sleeps_is_told_when_it_wakes() {
    let bench = Bench::start().await;
    drop(bench.open("asleep", &["camera"], None).await);
    let mut watcher = bench.interviews.watch(&caller(), &id("asleep")).await.expect("follows");
    let stream = bench.open("asleep", &["camera"], None).await;
    stream.input.send(picture("camera", 1)).expect("accepted");
    let mut told = next(&mut watcher).await;
    while matches!(told, Some(LiveEvent::Session(SessionEvent::Pacing(_)))) {
        told = next(&mut watcher).await;
    }
    assert!(matches!(told, Some(LiveEvent::Session(SessionEvent::Score { .. }))), "{told:?}");
    bench.interviews.finish(&caller(), &id("asleep")).await.expect("finishes");
    assert_eq!(until_ended(&mut watcher).await.0, Some(EndCause::Finished));
    let mut late = bench.interviews.watch(&caller(), &id("asleep")).await.expect("follows what is over");
    let (cause, before) = until_ended(&mut late).await;
    assert_eq!((cause, before.len()), (Some(EndCause::Finished), 1));
    assert_eq!(
        bench.interviews.watch(&caller(), &id("nobody")).await.expect_err("unknown").kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_of_a_session_whose_time_is_over_is_told() {
    let bench = Bench::start().await;
    drop(bench.open("expired", &[], None).await);
    let mut watcher = bench.interviews.watch(&caller(), &id("expired")).await.expect("follows");
    let past = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(5);
    let patch = crate::service::ports::SessionPatch { expire_time: Some(Some(past)), ..Default::default() };
    bench.interviews.update(&caller(), &id("expired"), patch, None).await.expect("changes");
    assert_eq!(bench.interviews.sweep().await.expect("sweeps"), 1);
    assert_eq!(until_ended(&mut watcher).await.0, Some(EndCause::Deleted));
    assert!(bench.store.get(&name("expired")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_reads_late_gets_the_end() {
    let bench = Bench::start().await;
    let mut stream = bench.open("slow", &["camera"], None).await;
    let mut watcher = bench.interviews.watch(&caller(), &id("slow")).await.expect("follows");
    // A score a second of media time, twice as many as wait anywhere.
    for sequence in 1..=1_200 {
        let at = crate::media::MediaTime::from_millis(i64::try_from(sequence).expect("small") * 1_100);
        stream.input.send(super::bench::picture_at("camera", sequence, at)).expect("accepted");
        if sequence % 64 == 0 {
            until_acked(&mut stream.events, "camera", sequence).await;
        }
    }
    bench.interviews.finish(&caller(), &id("slow")).await.expect("finishes");
    let (cause, before) = until_ended(&mut watcher).await;
    assert_eq!(cause, Some(EndCause::Finished));
    assert!(before.len() < 1_200, "{} events waited", before.len());
}
