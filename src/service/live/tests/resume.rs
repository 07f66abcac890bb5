//! Broken connections, crashed servers, and who goes on from where.

use crate::error::{ErrorKind, Kinded as _};
use crate::service::{EndCause, LiveEvent, ServiceError};

use super::bench::{
    Bench, caller, camera, garbage, id, name, next, options, picture, picture_at, until_acked, until_ended,
};
use crate::media::MediaTime;
use crate::service::StreamCommand;
use crate::session::JournalEntry;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_survives_a_crash() {
    let bench = Bench::start().await;
    let mut stream = bench.open("crash", &["camera"], None).await;
    for sequence in 1..=6 {
        let command = if sequence == 6 { garbage("camera", sequence) } else { picture("camera", sequence) };
        stream.input.send(command).expect("accepted");
    }
    let ack = until_acked(&mut stream.events, "camera", 6).await;
    // The process dies here: nothing of it is asked to store anything.
    let after = bench.another();
    let resumed =
        after.open_stream(&caller(), options("crash", &["camera"], Some(&ack.resume_token))).await.expect("resumes");
    let resume_from: Vec<_> = resumed.ready.resume_from.iter().map(|(track, last)| (track.as_str(), *last)).collect();
    assert_eq!(resume_from, [("camera", 6)], "an unreadable sample is accounted for too");
    assert_eq!(bench.stored_sequences("crash", "camera").await, [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_lost_its_session_to_another_server_says_so() {
    let bench = Bench::start().await;
    let mut old = bench.open("moved", &["camera"], None).await;
    old.input.send(picture("camera", 1)).expect("accepted");
    let ack = until_acked(&mut old.events, "camera", 1).await;
    let other = bench.another();
    let mut new =
        other.open_stream(&caller(), options("moved", &["camera"], Some(&ack.resume_token))).await.expect("resumes");
    new.input.send(picture("camera", 2)).expect("accepted");
    until_acked(&mut new.events, "camera", 2).await;
    old.input.send(picture("camera", 2)).expect("not known yet");
    assert_eq!(until_ended(&mut old.events).await.0, Some(EndCause::TakenOver));
    assert_eq!(bench.stored_sequences("moved", "camera").await, [1, 2]);
    bench.wait_until_empty().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_that_wait_are_not_asked_for_again_and_not_analysed_twice() {
    let bench = Bench::start().await;
    let mut old = bench.open("waiting", &["camera"], None).await;
    old.input.send(picture("camera", 1)).expect("accepted");
    let token = until_acked(&mut old.events, "camera", 1).await.resume_token;
    bench.gate.set_closed(true);
    for sequence in 2..=5 {
        old.input.send(picture("camera", sequence)).expect("accepted");
    }
    drop(old);
    let mut new = bench.open("waiting", &["camera"], Some(&token)).await;
    assert_eq!(new.ready.resume_from.iter().map(|(_, last)| *last).collect::<Vec<_>>(), [1], "only what is stored");
    // The client does what it was told, and sends again what it has no acknowledgement for.
    for sequence in 2..=7 {
        new.input.send(picture("camera", sequence)).unwrap_or_else(|error| panic!("{sequence}: {error}"));
    }
    let told_not_to = new.input.send(picture("camera", 1)).expect_err("was told to go on after it");
    assert_eq!(told_not_to.kind(), ErrorKind::InvalidInput);
    bench.gate.set_closed(false);
    until_acked(&mut new.events, "camera", 7).await;
    let mut stored = bench.stored_sequences("waiting", "camera").await;
    stored.dedup();
    assert_eq!(stored, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_that_went_to_a_broken_connection_is_repeated() {
    let bench = Bench::start().await;
    let mut old = bench.open("lost-ack", &["camera"], None).await;
    let token = old.ready.resume_token.clone();
    for sequence in 1..=3 {
        old.input.send(picture("camera", sequence)).expect("accepted");
    }
    // Attached before anything is stored, so that it is told to send everything again.
    bench.gate.set_closed(true);
    let resume_from = {
        let new = bench.open("lost-ack", &[], Some(&token)).await;
        let told = new.ready.resume_from.clone();
        bench.gate.set_closed(false);
        until_acked(&mut old.events, "camera", 3).await;
        for sequence in told.first().map_or(1, |(_, last)| last + 1)..=3 {
            new.input.send(picture("camera", sequence)).expect("accepted again");
        }
        let mut events = new.events;
        if told.first().is_none_or(|(_, last)| *last < 3) {
            assert_eq!(until_acked(&mut events, "camera", 3).await.sequence, 3);
        }
        told
    };
    assert!(resume_from.len() <= 1);
    assert_eq!(until_ended(&mut old.events).await.0, Some(EndCause::TakenOver));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_of_one_session_and_of_nobody_elses() {
    let bench = Bench::start().await;
    let (first, second) = (bench.open("first", &[], None).await, bench.open("second", &[], None).await);
    let (own, foreign) = (first.ready.resume_token.clone(), second.ready.resume_token.clone());
    let mut forged = own.clone();
    forged.replace_range(own.len() - 1.., if own.ends_with('0') { "1" } else { "0" });
    for bad in [&foreign, &forged, &"first".to_owned(), &"first.0".to_owned(), &format!("{own}0")] {
        let error = bench.try_open("first", &[], Some(bad)).await.expect_err("refused");
        assert!(matches!(error, ServiceError::InvalidField { field: "resume_token", .. }), "{bad}: {error}");
    }
    drop(first);
    bench.open("first", &[], Some(&own)).await;
    bench.interviews.finish(&caller(), &id("first")).await.expect("finishes");
    let error = bench.try_open("first", &[], Some(&own)).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::FailedPrecondition);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_resumes_replaces_the_stream_of_its_tracks_and_no_other() {
    let bench = Bench::start().await;
    let mut left = bench.open("pair", &["left"], None).await;
    let mut right = bench.open("pair", &["right"], None).await;
    let taken = bench.try_open("pair", &["left"], None).await.expect_err("is fed by another");
    assert_eq!(taken.kind(), ErrorKind::InvalidInput);
    left.input.send(picture("left", 1)).expect("accepted");
    right.input.send(picture("right", 1)).expect("accepted");
    let token = until_acked(&mut left.events, "left", 1).await.resume_token;
    until_acked(&mut right.events, "right", 1).await;
    let mut again = bench.open("pair", &["left"], Some(&token)).await;
    assert_eq!(until_ended(&mut left.events).await.0, Some(EndCause::TakenOver));
    let late = left.input.send(picture("left", 2)).expect_err("taken over");
    assert_eq!(late.kind(), ErrorKind::FailedPrecondition);
    again.input.send(picture("left", 2)).expect("accepted");
    right.input.send(picture("right", 2)).expect("accepted");
    until_acked(&mut again.events, "left", 2).await;
    until_acked(&mut right.events, "right", 2).await;
    drop((again.input, right.input));
    assert_eq!(until_ended(&mut again.events).await.0, None);
    assert_eq!(until_ended(&mut right.events).await.0, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_track_without_a_stream_is_taken_on_without_being_announced_again() {
    let bench = Bench::start().await;
    let mut first = bench.open("again", &["camera"], None).await;
    first.input.send(picture("camera", 1)).expect("accepted");
    until_acked(&mut first.events, "camera", 1).await;
    drop(first.input);
    assert_eq!(until_ended(&mut first.events).await.0, None);
    let mut second = bench.open("again", &[], None).await;
    second.input.send(picture("camera", 2)).expect("the track is known");
    let token = until_acked(&mut second.events, "camera", 2).await.resume_token;
    let after = bench.another();
    let mut third = after.open_stream(&caller(), options("again", &[], Some(&token))).await.expect("resumes");
    third.input.send(picture("camera", 3)).expect("the track is known after a restart");
    until_acked(&mut third.events, "camera", 3).await;
    let unknown = third.input.send(picture("other", 1)).expect_err("nobody announced it");
    assert!(unknown.to_string().contains("not announced"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn announcing_again_what_is_known_leaves_no_trace() {
    let bench = Bench::start().await;
    for round in 0..5 {
        let mut stream = bench.open("same", &["camera"], None).await;
        stream.input.send(picture("camera", round)).expect("accepted");
        until_acked(&mut stream.events, "camera", round).await;
        drop(stream.input);
        until_ended(&mut stream.events).await;
    }
    let journal = bench.interviews.services.store.journal(&name("same")).await.expect("reads");
    let n_announced = journal.iter().filter(|entry| matches!(entry, JournalEntry::TrackUpserted(_))).count();
    assert_eq!(n_announced, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_begins_anew_goes_on_where_the_session_was() {
    let bench = Bench::start().await;
    let at = |secs: i64| MediaTime::from_millis(secs * 1_000);
    let mut stream = bench.open("clock", &["camera"], None).await;
    let times = [105, 106, 1_000_000_000, 108, -1_000_000_000, 110];
    for (sequence, secs) in (1..).zip(times) {
        stream.input.send(picture_at("camera", sequence, at(secs))).expect("accepted");
        until_acked(&mut stream.events, "camera", sequence).await;
    }
    // Another process, a plugin that starts at zero again, and then another track of the same person.
    let after = bench.another();
    let mut second = after.open_stream(&caller(), options("clock", &["camera"], None)).await.expect("opens");
    second.input.send(picture_at("camera", 10, at(0))).expect("accepted");
    until_acked(&mut second.events, "camera", 10).await;
    let mut other = camera("other");
    other.participant_id = camera("camera").participant_id;
    second.input.send(StreamCommand::UpsertTrack(other, None)).expect("accepted");
    second.input.send(picture_at("other", 1, at(-500))).expect("accepted");
    until_acked(&mut second.events, "other", 1).await;
    let journal = bench.interviews.services.store.journal(&name("clock")).await.expect("reads");
    let times: Vec<f64> = journal
        .iter()
        .filter_map(|entry| match entry {
            JournalEntry::Frame { observation, .. } => Some(observation.media_time.as_secs_f64()),
            _ => None,
        })
        .collect();
    assert_eq!(times.len(), 8, "{times:?}");
    assert!(times.is_sorted() && times[0] == 105.0 && times[7] < 120.0, "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_gives_way_to_another_on_the_same_track() {
    let bench = Bench::start().await;
    let mut stream = bench.open("handover", &["camera"], None).await;
    stream.input.send(picture("camera", 1)).expect("accepted");
    let mut track = camera("camera");
    track.participant_id = camera("someone-else").participant_id;
    stream.input.send(StreamCommand::UpsertTrack(track, None)).expect("accepted");
    stream.input.send(picture("camera", 2)).expect("accepted");
    until_acked(&mut stream.events, "camera", 2).await;
    bench.interviews.finish(&caller(), &id("handover")).await.expect("finishes");
    let (cause, before) = until_ended(&mut stream.events).await;
    assert_eq!(cause, Some(EndCause::Finished));
    assert!(before.iter().any(|event| matches!(event, LiveEvent::Session(_))));
    let session = bench.interviews.get(&caller(), &id("handover")).await.expect("reads");
    let scored: Vec<_> = session.participants.iter().map(|view| view.participant_id.as_str()).collect();
    assert_eq!(scored, ["camera", "someone-else"]);
    assert!(next(&mut stream.events).await.is_none());
}
