//! A store that fails, lies or panics.

use std::time::Duration;

use crate::error::{ErrorKind, Kinded as _};
use crate::service::ports::SessionStore as _;
use crate::service::{EndCause, LiveEvent};

use super::bench::{Bench, Mood, caller, id, name, next, options, picture, until_acked, until_ended, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_for_a_while_costs_nothing() {
    let bench = Bench::start().await;
    let mut stream = bench.open("failing", &["camera"], None).await;
    stream.input.send(picture("camera", 1)).expect("accepted");
    until_acked(&mut stream.events, "camera", 1).await;
    bench.store.set_mood(Mood::Failing);
    let n_before = *bench.store.n_commits.lock().expect("no panic");
    for sequence in 2..=40 {
        stream.input.send(picture("camera", sequence)).expect("accepted");
    }
    let n_tries = || *bench.store.n_commits.lock().expect("no panic") - n_before;
    wait_for("a second try", || n_tries() >= 2).await;
    assert!(n_tries() < 20, "a failing store is not hammered: {} tries", n_tries());
    while let Ok(event) = stream.events.try_recv() {
        assert!(!matches!(event, LiveEvent::Ack(_)), "acknowledged before it was stored: {event:?}");
    }
    bench.store.set_mood(Mood::Healthy);
    until_acked(&mut stream.events, "camera", 40).await;
    assert_eq!(bench.stored_sequences("failing", "camera").await, (1..=40).collect::<Vec<_>>());
    drop(stream.input);
    assert_eq!(until_ended(&mut stream.events).await.0, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn finishing_waits_for_a_store_that_fails_for_a_while() {
    let bench = Bench::start().await;
    let stream = bench.open("finishing", &["camera"], None).await;
    stream.input.send(picture("camera", 1)).expect("accepted");
    bench.store.set_mood(Mood::Failing);
    let interviews = bench.interviews.clone();
    let finishing = tokio::spawn(async move { interviews.finish(&caller(), &id("finishing")).await });
    let n_before = *bench.store.n_commits.lock().expect("no panic");
    wait_for("a try", || *bench.store.n_commits.lock().expect("no panic") > n_before + 1).await;
    bench.store.set_mood(Mood::Healthy);
    let session = finishing.await.expect("no panic").expect("finishes");
    assert!(session.end_time.is_some());
    let journal = bench.store.journal(&name("finishing")).await.expect("reads");
    let n_ends = journal.iter().filter(|entry| matches!(entry, crate::session::JournalEntry::Finished { .. })).count();
    assert_eq!(n_ends, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_stored_unheard_is_not_stored_twice() {
    let bench = Bench::start().await;
    let mut stream = bench.open("unheard", &["camera"], None).await;
    stream.input.send(picture("camera", 1)).expect("accepted");
    let token = until_acked(&mut stream.events, "camera", 1).await.resume_token;
    bench.store.set_mood(Mood::Forgetful);
    stream.input.send(picture("camera", 2)).expect("accepted");
    let (cause, _) = until_ended(&mut stream.events).await;
    assert_eq!(cause, Some(EndCause::Failed), "it may come back: nobody else has the session");
    bench.store.set_mood(Mood::Healthy);
    let mut resumed = bench.open("unheard", &["camera"], Some(&token)).await;
    assert_eq!(resumed.ready.resume_from.iter().map(|(_, last)| *last).collect::<Vec<_>>(), [2]);
    resumed.input.send(picture("camera", 3)).expect("accepted");
    until_acked(&mut resumed.events, "camera", 3).await;
    assert_eq!(bench.stored_sequences("unheard", "camera").await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_task_panics_leaves_and_can_be_resumed() {
    let bench = Bench::start().await;
    let mut stream = bench.open("panicking", &["camera"], None).await;
    stream.input.send(picture("camera", 1)).expect("accepted");
    let token = until_acked(&mut stream.events, "camera", 1).await.resume_token;
    bench.store.set_mood(Mood::Panicking);
    stream.input.send(picture("camera", 2)).expect("accepted");
    // Whatever came before, the events end.
    while next(&mut stream.events).await.is_some() {}
    bench.wait_until_empty().await;
    assert_eq!(stream.input.send(picture("camera", 3)).expect_err("over").kind(), ErrorKind::Unavailable);
    bench.store.set_mood(Mood::Healthy);
    let mut resumed = bench.open("panicking", &["camera"], Some(&token)).await;
    for sequence in 2..=3 {
        resumed.input.send(picture("camera", sequence)).expect("accepted");
    }
    until_acked(&mut resumed.events, "camera", 3).await;
    assert_eq!(bench.stored_sequences("panicking", "camera").await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_with_a_failing_store_ends_in_time() {
    let bench = Bench::start().await;
    let stream = bench.open("hopeless", &["camera"], None).await;
    bench.store.set_mood(Mood::Failing);
    stream.input.send(picture("camera", 1)).expect("accepted");
    let began = std::time::Instant::now();
    bench.interviews.drain(Duration::from_millis(600)).await;
    assert!(began.elapsed() < Duration::from_secs(5));
    bench.store.set_mood(Mood::Healthy);
    let after = bench.another();
    after.open_stream(&caller(), options("hopeless", &["camera"], None)).await.expect("the session is there");
}
