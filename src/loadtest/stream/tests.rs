//! Streams against a made-up server, under a clock that stands still while nobody waits.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::grpc::{ClientCommand, ClientError, ClientEvent};
use crate::loadtest::footage::{Footage, Picture};
use crate::loadtest::session::Script;
use crate::loadtest::tally::{Tally, Total, quantile_millis};
use crate::media::VideoFormat;
use crate::service::{Acknowledgement, EndCause, LiveEvent, SampleProblem};
use crate::session::{Pacing, SessionEvent, TrackId};

use super::{Line, Pacer, Streamed, stream};

const RATE_HZ: f64 = 10.0;

type Answers = mpsc::Sender<Result<ClientEvent, ClientError>>;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn track_id() -> TrackId {
    TrackId::new("camera").expect("valid")
}

fn ack(sequence: u64, dropped_frames: u64) -> ClientEvent {
    let ack =
        Acknowledgement { track_id: track_id(), sequence, dropped_frames, resume_token: String::new(), timing: None };
    ClientEvent::Ack { ack, processing_time: Some(millis(7)) }
}

fn script(n_pictures: u32, end: Duration) -> Script {
    let picture = |number: u32| Picture {
        at: Duration::from_secs_f64(f64::from(number) / RATE_HZ),
        layout: None,
        data: Bytes::from_static(b"picture"),
    };
    let footage = Footage {
        name: "recording".to_owned(),
        label: String::new(),
        weight: 1.0,
        pictures: (0..n_pictures).map(picture).collect(),
        span: Duration::from_secs_f64(f64::from(n_pictures) / RATE_HZ),
        is_whole: true,
    };
    let start = Instant::now();
    Script { footage: Arc::new(footage), format: VideoFormat::Jpeg, start, end: start + end, follows_pacing: false }
}

/// Streams a script to a server that handles each frame in turn; a server that handles its last answer ends the stream.
async fn streamed<F>(
    script: &Script,
    room: usize,
    mut serve: impl FnMut(u64, Answers) -> F + Send + 'static,
) -> (Streamed, Total)
where
    F: Future<Output = ()> + Send,
{
    let (commands, mut inbound) = mpsc::channel(room);
    let (answers, events) = mpsc::channel(64);
    let server: JoinHandle<()> = tokio::spawn(async move {
        while let Some(command) = inbound.recv().await {
            let ClientCommand::Video { sample, .. } = command else { panic!("only frames are sent") };
            serve(sample.sequence, answers.clone()).await;
        }
        // A client that stopped listening is no concern here.
        answers.send(Ok(ClientEvent::Live(LiveEvent::Ended(None)))).await.ok();
    });
    let tally = Tally::new(None);
    tally.started();
    let line = Line { commands, events, track_id: track_id() };
    let streamed = stream(line, script, &tally, &CancellationToken::new()).await;
    server.await.expect("the server does not panic");
    (streamed, tally.into_total())
}

async fn say(answers: &Answers, event: ClientEvent) {
    answers.send(Ok(event)).await.expect("somebody listens");
}

#[tokio::test(start_paused = true)]
async fn every_frame_is_sent_when_due_and_acknowledged() {
    let script = script(20, millis(60_000));
    let began = Instant::now();
    let (streamed, total) = streamed(&script, 16, |sequence, answers| async move {
        tokio::time::sleep(millis(30)).await;
        say(&answers, ack(sequence, 0)).await;
    })
    .await;
    assert_eq!((streamed.failure, streamed.is_cut, streamed.n_sent), (None, false, 20));
    assert_eq!((total.counts.n_due, total.counts.n_acknowledged, total.counts.n_late), (20, 20, 0));
    assert!(streamed.latencies.iter().all(|latency| (millis(30)..millis(35)).contains(latency)));
    assert_eq!(quantile_millis(&total.server_time, 0.5).map(f64::round), Some(7.0));
    let took = began.elapsed();
    assert!((millis(1_900)..millis(2_000)).contains(&took), "the last is due after 1.9 s: {took:?}");
}

/// The whole point of an open loop: a stall of a second is in the latency of all ten frames that fell due in it.
#[tokio::test(start_paused = true)]
async fn a_stall_shows_in_every_frame_that_fell_due_meanwhile() {
    // No room at all: the frame after the one that stalls the server is held back at the connection, too.
    for room in [16, 1] {
        let script = script(40, millis(60_000));
        let (streamed, total) = streamed(&script, room, |sequence, answers| async move {
            if sequence == 11 {
                tokio::time::sleep(millis(1_000)).await;
            }
            say(&answers, ack(sequence, 0)).await;
        })
        .await;
        assert_eq!((streamed.failure, streamed.n_sent, total.counts.n_acknowledged), (None, 40, 40));
        let mut slow: Vec<u128> = streamed.latencies.iter().map(Duration::as_millis).filter(|at| *at >= 50).collect();
        slow.sort_unstable();
        assert_eq!(slow.len(), 10, "with room for {room}: {slow:?}");
        for (latency, expected) in slow.iter().zip((1..=10).map(|tenth| tenth * 100)) {
            assert!(latency.abs_diff(expected) <= 5, "with room for {room}: {slow:?}");
        }
        assert_eq!(total.counts.n_late, 0, "the server is slow, not the generator");
        assert_eq!(total.counts.n_held > 0, room == 1, "{:?}", total.counts);
    }
}

#[tokio::test(start_paused = true)]
async fn one_acknowledgement_for_many_frames_counts_for_each() {
    let script = script(20, millis(60_000));
    let (streamed, total) = streamed(&script, 16, |sequence, answers| async move {
        if sequence % 5 == 0 {
            say(&answers, ack(sequence, sequence / 5)).await;
        }
    })
    .await;
    assert_eq!((streamed.failure, total.counts.n_acknowledged, total.counts.n_unanswered), (None, 20, 0));
    assert_eq!((streamed.n_dropped, total.counts.n_dropped), (4, 4), "what the server dropped is cumulative");
    let longest = streamed.latencies.iter().max().expect("twenty");
    assert!((millis(400)..millis(410)).contains(longest), "{longest:?}");
}

#[tokio::test(start_paused = true)]
async fn refused_frames_are_counted_and_wait_for_nothing() {
    let script = script(12, millis(60_000));
    let (streamed, total) = streamed(&script, 16, |sequence, answers| async move {
        let event = if sequence == 12 {
            let message = "not a picture".to_owned();
            let kind = crate::error::ErrorKind::InvalidInput;
            ClientEvent::Live(LiveEvent::SampleProblem(SampleProblem { track_id: track_id(), sequence, kind, message }))
        } else {
            ack(sequence, 0)
        };
        say(&answers, event).await;
    })
    .await;
    assert_eq!((streamed.n_refused, streamed.failure), (1, None));
    assert_eq!((total.counts.n_acknowledged, total.counts.n_refused), (11, 1));
    assert!(streamed.unanswered.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_load_cuts_the_recording() {
    let script = script(40, millis(1_000));
    let (streamed, total) = streamed(&script, 16, |sequence, answers| async move {
        say(&answers, ack(sequence, 0)).await;
    })
    .await;
    assert_eq!((streamed.is_cut, streamed.n_sent, streamed.failure), (true, 10, None));
    assert_eq!((total.counts.n_due, total.counts.n_sent), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_the_connection_never_takes_is_due_and_not_sent() {
    let script = script(80, millis(60_000));
    let (commands, _full) = mpsc::channel(1);
    let (_silent, events) = mpsc::channel(1);
    let (tally, over) = (Tally::new(None), CancellationToken::new());
    let line = Line { commands, events, track_id: track_id() };
    let stopper = over.clone();
    let stop = tokio::spawn(async move {
        tokio::time::sleep(millis(5_000)).await;
        stopper.cancel();
    });
    let streamed = stream(line, &script, &tally, &over).await;
    stop.await.expect("does not panic");
    let counts = tally.into_total().counts;
    assert_eq!((counts.n_sent, streamed.is_cut), (1, true));
    assert!((50..=51).contains(&counts.n_due), "all of five seconds were due: {counts:?}");
    assert!(streamed.failure.expect("nobody ended it").contains("did not end the stream within 60 s"));
    let waited = streamed.unanswered;
    assert!(waited.len() == 1 && waited[0] >= millis(65_000), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_off_or_is_ended_is_a_failure() {
    for (last, said) in [
        (Some(Ok(ClientEvent::Live(LiveEvent::Ended(Some(EndCause::Deleted))))), "Deleted"),
        (Some(Ok(ClientEvent::Live(LiveEvent::Ended(None)))), "before everything was sent"),
        (Some(Err(ClientError::Protocol { problem: "gibberish".to_owned() })), "gibberish"),
        (None, "before everything was sent"),
    ] {
        let script = script(40, millis(60_000));
        let (commands, _inbound) = mpsc::channel(64);
        let (answers, events) = mpsc::channel(1);
        if let Some(last) = last {
            answers.send(last).await.expect("somebody listens");
        }
        drop(answers);
        let tally = Tally::new(None);
        let line = Line { commands, events, track_id: track_id() };
        let streamed = stream(line, &script, &tally, &CancellationToken::new()).await;
        let failure = streamed.failure.expect("it failed");
        assert!(failure.contains(said), "{failure:?} lacks {said:?}");
        assert!(streamed.is_cut);
    }
}

#[tokio::test(start_paused = true)]
async fn pacing_is_followed_only_when_the_profile_says_so() {
    for (follows_pacing, expected) in [(false, 40), (true, 9)] {
        let script = Script { follows_pacing, ..script(40, millis(60_000)) };
        let (streamed, _total) = streamed(&script, 16, |sequence, answers| async move {
            if sequence == 1 {
                let pacing =
                    Pacing { track_id: track_id(), frames_per_second: 2.0, min_height_px: 0, wants_audio: false };
                say(&answers, ClientEvent::Live(LiveEvent::Session(SessionEvent::Pacing(pacing)))).await;
            }
            say(&answers, ack(sequence, 0)).await;
        })
        .await;
        assert_eq!((streamed.n_sent, streamed.failure, streamed.is_cut), (expected, None, false));
    }
}

#[test]
fn pacing_lowers_the_rate_and_never_raises_it() {
    let n_taken = |asked_hz: &[f64]| {
        let mut pacer = Pacer::new(true);
        for rate_hz in asked_hz {
            pacer.ask(*rate_hz);
        }
        (0..150).filter(|frame| pacer.takes(f64::from(*frame) / 15.0)).count()
    };
    for (asked_hz, expected) in [(2.0, 20), (5.0, 50), (15.0, 150), (100.0, 150)] {
        assert!(n_taken(&[asked_hz]).abs_diff(expected) <= 1, "{} at {asked_hz}", n_taken(&[asked_hz]));
    }
    for asks_nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(n_taken(&[asks_nothing]), 150, "{asks_nothing}");
    }
    assert_eq!(n_taken(&[2.0, 0.0]), 150, "the last word counts");
}
