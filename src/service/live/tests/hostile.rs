//! Clients that flood, do not read, or leave at the worst moment.

use std::time::Duration;

use crate::error::ErrorKind;
use crate::service::{LiveEvent, StreamCommand};
use crate::session::{CaptureDevice, JournalEntry};

use super::bench::{Bench, caller, camera, garbage, name, picture, track_id, until_acked, until_ended, wait_for};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_served_and_told_the_newest() {
    let bench = Bench::start().await;
    let mut stream = bench.open("unread", &["camera"], None).await;
    for sequence in 1..=2_000 {
        let command = if sequence % 2 == 0 { garbage("camera", sequence) } else { picture("camera", sequence) };
        stream.input.send(command).expect("accepted");
        if sequence % 100 == 0 {
            bench.wait_until_analysed("unread").await;
        }
    }
    drop(stream.input);
    let mut n_events = 0;
    let mut last_ack = None;
    loop {
        match super::bench::next(&mut stream.events).await {
            Some(LiveEvent::Ack(ack)) => last_ack = Some(ack),
            Some(LiveEvent::Ended(cause)) => {
                assert_eq!(cause, None);
                break;
            }
            Some(_) => {}
            None => panic!("no end"),
        }
        n_events += 1;
    }
    let last_ack = last_ack.expect("acknowledged");
    assert_eq!(last_ack.sequence, 2_000);
    assert!(n_events < 2_000, "{n_events} events waited");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_changes_is_refused_and_the_stream_goes_on() {
    let bench = Bench::start().await;
    let mut stream = bench.open("changing", &["camera"], None).await;
    bench.gate.set_closed(true);
    stream.input.send(picture("camera", 1)).expect("accepted");
    let mut kinds = Vec::new();
    for number in 0..20_000 {
        let mut track = camera("camera");
        track.device = Some(CaptureDevice { label: format!("camera {number}"), ..CaptureDevice::default() });
        if let Err(error) = stream.input.send(StreamCommand::UpsertTrack(track, None)) {
            kinds.push(crate::error::Kinded::kind(&error));
        }
    }
    assert!(kinds.len() > 19_900 && kinds[0] == ErrorKind::Overloaded, "{} of {:?}", kinds.len(), kinds.first());
    bench.gate.set_closed(false);
    stream.input.send(picture("camera", 2)).expect("the stream goes on");
    until_acked(&mut stream.events, "camera", 2).await;
    let journal = bench.interviews.services.store.journal(&name("changing")).await.expect("reads");
    let n_announced = journal.iter().filter(|entry| matches!(entry, JournalEntry::TrackUpserted(_))).count();
    assert!(n_announced < 100, "{n_announced}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tracks_that_come_and_go_without_end_are_refused_at_last() {
    let bench = Bench::start().await;
    let mut stream = bench.open("coming", &[], None).await;
    let shared = bench.interviews.services.sessions.get(&name("coming")).expect("live").shared;
    let mut n_announced = 0;
    loop {
        // What was removed is let go with the next step.
        wait_for("room", || shared.tracks().entries.len() < 32).await;
        let name = format!("camera-{n_announced}");
        let mut track = camera(&name);
        track.participant_id = camera("one").participant_id;
        if stream.input.send(StreamCommand::UpsertTrack(track, None)).is_err() {
            break;
        }
        stream.input.send(StreamCommand::RemoveTrack(track_id(&name))).expect("accepted");
        n_announced += 1;
    }
    assert_eq!(n_announced, 10_000, "enough for any interview");
    drop(stream.input);
    assert_eq!(until_ended(&mut stream.events).await.0, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_are_abandoned_at_once_leave_nothing() {
    let bench = Bench::start_with(|options| options.idle_session_secs = 1).await;
    let mut opening = tokio::task::JoinSet::new();
    for number in 0..60 {
        let interviews = bench.interviews.clone();
        opening.spawn(async move {
            let options = super::bench::options(&format!("abandoned-{}", number % 7), &[], None);
            // Some are dropped while they are being opened.
            let patience = Duration::from_micros(200 * number);
            if let Ok(Ok(stream)) = tokio::time::timeout(patience, interviews.open_stream(&caller(), options)).await {
                let _ = stream.input.send(StreamCommand::UpsertTrack(camera("camera"), None));
                let _ = stream.input.send(picture("camera", number));
            }
        });
    }
    while let Some(outcome) = opening.join_next().await {
        outcome.expect("no panic");
    }
    bench.wait_until_empty().await;
}
