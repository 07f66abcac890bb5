//! Tracks that come, go, change and are many.

use crate::error::{ErrorKind, Kinded as _};
use crate::media::MediaTime;
use crate::service::{LiveEvent, StreamCommand};
use crate::session::{JournalEntry, MAX_PARTICIPANTS, MAX_TRACKS, SourceKind};

use super::bench::{Bench, caller, camera, garbage, id, name, picture, track_id, until_acked, until_ended};

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_tracks_ends_in_order() {
    let bench = Bench::start().await;
    let mut stream = bench.open("nothing", &[], None).await;
    drop(stream.input);
    assert_eq!(until_ended(&mut stream.events).await.0, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_track_is_told_to_its_end_and_may_come_back_at_once() {
    let bench = Bench::start().await;
    let mut stream = bench.open("removed", &["camera"], None).await;
    for round in 0..3 {
        for sequence in 1..=3 {
            stream.input.send(picture("camera", sequence)).unwrap_or_else(|error| panic!("round {round}: {error}"));
        }
        stream.input.send(StreamCommand::RemoveTrack(track_id("camera"))).expect("accepted");
        let gone = stream.input.send(picture("camera", 4)).expect_err("removed");
        assert_eq!(gone.kind(), ErrorKind::InvalidInput);
        stream.input.send(StreamCommand::UpsertTrack(camera("camera"), None)).expect("announced again");
    }
    stream.input.send(picture("camera", 1)).expect("counts from the start again");
    stream.input.send(StreamCommand::RemoveTrack(track_id("camera"))).expect("accepted");
    drop(stream.input);
    let (cause, before) = until_ended(&mut stream.events).await;
    assert_eq!(cause, None);
    let last_ack = before.iter().rev().find_map(|event| match event {
        LiveEvent::Ack(ack) => Some(ack.sequence),
        _ => None,
    });
    assert_eq!(last_ack, Some(1), "the last samples of a removed track are acknowledged");
    assert_eq!(bench.stored_sequences("removed", "camera").await, [1, 2, 3, 1, 2, 3, 1, 2, 3, 1]);
    let journal = bench.interviews.services.store.journal(&name("removed")).await.expect("reads");
    assert!(matches!(journal.last(), Some(JournalEntry::TrackRemoved(_))), "{:?}", journal.last());
}

#[tokio::test(flavor = "multi_thread")]
async fn finishing_does_not_wait_for_a_track_that_was_removed() {
    let bench = Bench::start().await;
    for round in 0..20 {
        let session = format!("removed-{round}");
        let stream = bench.open(&session, &["camera", "other"], None).await;
        stream.input.send(picture("camera", 1)).expect("accepted");
        stream.input.send(StreamCommand::RemoveTrack(track_id("camera"))).expect("accepted");
        let (caller, session) = (caller(), id(&session));
        let finishing = bench.interviews.finish(&caller, &session);
        tokio::time::timeout(std::time::Duration::from_secs(10), finishing).await.expect("at once").expect("finishes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_tracks_are_served_and_no_more() {
    let bench = Bench::start().await;
    let mut stream = bench.open("many", &[], None).await;
    let name = |number: usize| format!("camera-{number}");
    let upsert = |track: usize, participant: usize| {
        let mut announced = camera(&name(track));
        announced.participant_id = camera(&name(participant)).participant_id;
        StreamCommand::UpsertTrack(announced, None)
    };
    for number in 0..MAX_TRACKS {
        stream.input.send(upsert(number, number % MAX_PARTICIPANTS)).expect("there is room");
    }
    let one_more = stream.input.send(upsert(MAX_TRACKS, 0)).expect_err("there is none");
    assert_eq!(one_more.kind(), ErrorKind::InvalidInput);
    let somebody_new = stream.input.send(upsert(0, MAX_PARTICIPANTS)).expect_err("too many persons");
    assert_eq!(somebody_new.kind(), ErrorKind::InvalidInput);
    for sequence in 1..=3 {
        for number in 0..MAX_TRACKS {
            stream.input.send(picture(&name(number), sequence)).expect("accepted");
        }
    }
    drop(stream.input);
    let (cause, before) = until_ended(&mut stream.events).await;
    assert_eq!(cause, None);
    for number in 0..MAX_TRACKS {
        let acked = before.iter().filter_map(|event| match event {
            LiveEvent::Ack(ack) if ack.track_id.as_str() == name(number) => Some(ack.sequence),
            _ => None,
        });
        assert_eq!(acked.max(), Some(3), "{}", name(number));
        let stored = bench.stored_sequences("many", &name(number)).await;
        assert_eq!(stored, [1, 2, 3], "no frame is acknowledged and then forgotten: {}", name(number));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn screens_and_sound_are_accounted_for_in_their_turn_and_not_looked_at() {
    let bench = Bench::start().await;
    let mut stream = bench.open("kinds", &["camera"], None).await;
    let mut screen = camera("screen");
    screen.kind = SourceKind::Screen;
    stream.input.send(StreamCommand::UpsertTrack(screen, None)).expect("accepted");
    bench.gate.set_closed(true);
    let sound = |sequence| StreamCommand::Audio {
        track_id: track_id("camera"),
        sequence,
        media_time: MediaTime::ZERO,
        n_bytes: 10,
    };
    stream.input.send(picture("camera", 1)).expect("accepted");
    stream.input.send(sound(2)).expect("accepted");
    assert_eq!(stream.input.send(sound(2)).expect_err("twice").kind(), ErrorKind::InvalidInput);
    for sequence in 1..=4 {
        stream.input.send(picture("screen", sequence)).expect("accepted");
    }
    // No model runs while the gate is closed.
    until_acked(&mut stream.events, "screen", 4).await;
    assert_eq!(
        bench.stored_sequences("kinds", "camera").await,
        Vec::<u64>::new(),
        "sound waits for the picture before"
    );
    bench.gate.set_closed(false);
    assert_eq!(until_acked(&mut stream.events, "camera", 2).await.sequence, 2);
    assert_eq!(bench.stored_sequences("kinds", "screen").await.last(), Some(&4));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_sequence_is_one_like_any_other() {
    let bench = Bench::start().await;
    let mut stream = bench.open("largest", &["camera"], None).await;
    stream.input.send(picture("camera", 0)).expect("accepted");
    stream.input.send(garbage("camera", u64::MAX - 1)).expect("accepted");
    stream.input.send(picture("camera", u64::MAX)).expect("accepted");
    let ack = until_acked(&mut stream.events, "camera", u64::MAX).await;
    assert_eq!(stream.input.send(picture("camera", 5)).expect_err("not above").kind(), ErrorKind::InvalidInput);
    let resumed = bench.open("largest", &["camera"], Some(&ack.resume_token)).await;
    assert_eq!(resumed.ready.resume_from.iter().map(|(_, last)| *last).collect::<Vec<_>>(), [u64::MAX]);
    let session = bench.interviews.finish(&caller(), &id("largest")).await.expect("finishes");
    assert_eq!(session.participants.len(), 1);
}
