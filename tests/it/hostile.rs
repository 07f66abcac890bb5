//! Everything that a client can do wrong, at one server, beside an interview that must not notice.

use std::collections::BTreeMap;

use bonafide::grpc::proto::v1;
use bonafide::grpc::proto::v1::analyze_stream_request::Message as Say;
use bonafide::grpc::proto::v1::analyze_stream_response::Message as Heard;
use bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Code;

use crate::process::Process;
use crate::wire::{Client, TRACK, at_millis, config, frame, jpeg, moving_pictures, sample, scores, stripes, track};

/// Pictures of the interview that must not notice.
const N_PICTURES: usize = 72;
const N_ABANDONED: usize = 1_000;
/// Sessions and streams at a time: within the server's admission limits.
const N_A_WAVE: usize = 100;
/// What a thousand abandoned sessions may leave in memory: caches and the allocator's, not sessions.
const MAX_GROWTH_BYTES: u64 = 64 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_is_scored_the_same_beside_every_kind_of_abuse() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(server) = Process::start(folder.path(), &[]).await else { return };
    let client = Client::connect(server.address).await;
    let pictures = moving_pictures(N_PICTURES);
    let always = watch::channel(1.0).1;
    let alone = interview(&client, "quiet", &pictures, always).await;

    let (progress, paced) = watch::channel(0.0);
    let beside = tokio::spawn({
        let (client, pictures) = (client.clone(), pictures.clone());
        async move { interview(&client, "beside", &pictures, paced).await }
    });
    samples_of_every_format(&client).await;
    progress.send_replace(0.1);
    numbers_that_are_none(&client).await;
    media_times_from_nowhere(&client).await;
    progress.send_replace(0.2);
    clients_that_vanish_in_mid_frame(&server).await;
    progress.send_replace(0.3);
    let mut resident_after_warm_up = None;
    for wave in 0..N_ABANDONED / N_A_WAVE {
        abandon(&server, wave).await;
        resident_after_warm_up.get_or_insert_with(|| server.resident_bytes());
        progress.send_replace(0.3 + 0.07 * (wave + 1) as f64);
    }
    let grown = server.resident_bytes().saturating_sub(resident_after_warm_up.expect("there are waves"));
    progress.send_replace(1.0);
    let beside = beside.await.expect("no panic");
    println!("memory grew by {} KiB over {N_ABANDONED} abandoned streams", grown / 1_024);
    assert!(grown < MAX_GROWTH_BYTES, "memory grew by {grown} bytes");
    assert_eq!(beside, alone);
    server.stop().await;
}

/// What must be the same: everything but what two clocks say of each other.
fn comparable(score: &v1::Score) -> String {
    let mut score = score.clone();
    for signal in &mut score.signals {
        signal.reasons.retain(|reason| !reason.code.starts_with("stream."));
    }
    format!("{score:#?}")
}

/// Streams the pictures one by one, as far as `paced` lets it, and gives back how they were scored.
async fn interview(client: &Client, session: &str, pictures: &[Bytes], mut paced: watch::Receiver<f64>) -> String {
    let (mut stream, _) = client.open(config(session)).await.expect("opens");
    for (sequence, picture) in (1..).zip(pictures) {
        let share = sequence as f64 / pictures.len() as f64;
        paced.wait_for(|progress| *progress >= share).await.expect("the test runs");
        assert!(stream.show(frame(sequence, picture.clone())).await, "the stream goes on");
        for answer in stream.until_acked(sequence).await {
            assert!(!matches!(answer, Heard::SampleError(_)), "{answer:?}");
            assert!(!matches!(&answer, Heard::Ack(ack) if ack.dropped_frames > 0), "a frame was shed");
        }
    }
    stream.end();
    stream.until_ended().await.1.expect("an orderly end");
    let session = client.finish(session).await;
    assert_eq!(scores(&session).len(), 1);
    comparable(scores(&session)[0])
}

/// Garbage, halves, giants, lies and nothing, as every format.
async fn samples_of_every_format(client: &Client) {
    let picture = jpeg(&stripes(320, 240, 3));
    let noise: Bytes = (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
    let unit: Bytes = [&b"\0\0\0\x01\x65"[..], &noise[..700]].concat().into();
    let layout = |width, height, strides: &[u32]| {
        Some(v1::PixelLayout { width, height, plane_strides: strides.to_vec(), ..v1::PixelLayout::default() })
    };
    let formats = (0..64).filter_map(|number| v1::VideoFormat::try_from(number).ok());
    let mut frames = Vec::new();
    for format in formats {
        let mut push = |data: &Bytes, layout: Option<v1::PixelLayout>, keyframe| {
            let bare = frame(frames.len() as u64 + 1, data.clone());
            frames.push(v1::VideoFrame { format: format.into(), layout, keyframe, ..bare });
        };
        for keyframe in [false, true] {
            push(&noise, layout(64, 48, &[]), keyframe);
            push(&unit, layout(64, 48, &[]), keyframe);
            push(&picture, layout(320, 240, &[]), keyframe);
            push(&picture.slice(..picture.len() / 2), layout(320, 240, &[]), keyframe);
        }
        push(&Bytes::new(), layout(64, 48, &[]), true);
        push(&Bytes::from_static(&[0]), layout(1, 1, &[]), true);
        push(&noise, layout(0, 0, &[]), true);
        push(&noise, layout(u32::MAX, u32::MAX, &[u32::MAX; 3]), true);
        push(&noise, layout(5_000, 5_000, &[]), true);
        push(&noise, layout(4_000, 10, &[]), true);
        push(&noise, layout(64, 48, &[1]), true);
        push(&noise, layout(64, 48, &[u32::MAX, 0, 7, 9]), true);
        push(&noise, None, true);
    }
    let n_frames = frames.len() as u64;
    let (mut stream, _) = client.open(config("formats")).await.expect("opens");
    // In step, so that nothing is shed, and each is answered.
    let mut errors: BTreeMap<u64, v1::SampleError> = BTreeMap::new();
    for frame in frames {
        let sequence = frame.sequence;
        assert!(stream.show(frame).await, "the stream goes on");
        loop {
            match stream.next().await.expect("the stream goes on").expect("an answer") {
                Heard::SampleError(error) => {
                    let is_it = error.sequence == sequence;
                    errors.insert(error.sequence, error);
                    if is_it {
                        break;
                    }
                }
                Heard::Ack(ack) if ack.sequence >= sequence => break,
                Heard::Ended(ended) => panic!("{ended:?}"),
                _ => {}
            }
        }
    }
    stream.end();
    stream.until_ended().await.1.expect("an orderly end");
    assert!(errors.len() as u64 > n_frames / 2, "{} errors of {n_frames} frames", errors.len());
    for error in errors.values() {
        let status = error.status.as_ref().expect("is set");
        assert_eq!(status.code, i32::from(Code::InvalidArgument), "never the server's fault: {error:?}");
        assert!(status.message.len() > 10 && status.message.len() < 400, "{error:?}");
    }
    let session = client.finish("formats").await;
    assert_eq!(session.level(), v1::Level::Inconclusive);

    let (mut stream, _) = client.open(config("overlong")).await.expect("opens");
    stream.show(frame(1, vec![7; 17 * 1024 * 1024].into())).await;
    let status = stream.until_ended().await.1.expect_err("is over the bound of messages");
    assert!(matches!(status.code(), Code::InvalidArgument | Code::OutOfRange | Code::ResourceExhausted), "{status:?}");
}

/// NaN and infinities in every floating-point field that a client can set; the ends of the range in every time.
async fn numbers_that_are_none(client: &Client) {
    let (mut stream, _) = client.open(config("numbers")).await.expect("opens");
    let mut n_refused = 0;
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for field in 0..3 {
            let mut probe = v1::SettingProbe { name: "height".into(), ..v1::SettingProbe::default() };
            match field {
                0 => probe.requested = bad,
                1 => probe.reported = bad,
                _ => probe.actual = bad,
            }
            let device = Some(v1::CaptureDevice { probes: vec![probe], ..v1::CaptureDevice::default() });
            let announced = v1::Track { device, ..track("other") };
            let change = Some(v1::track_update::Change::Upsert(announced.clone()));
            stream.say(Say::TrackUpdate(v1::TrackUpdate { change })).await;
            n_refused += 1;
            let refused = client.open(v1::StreamConfig { tracks: vec![announced], ..config("numbers") }).await;
            assert_eq!(refused.err().expect("refused").code(), Code::InvalidArgument);
        }
    }
    let ends = [(i64::MAX, 999_999_999), (i64::MIN, -999_999_999), (1, -1), (0, i32::MAX), (0, i32::MIN)];
    for (sequence, (seconds, nanos)) in (1..).zip(ends) {
        let media_time = Some(prost_types::Duration { seconds, nanos });
        stream.show(v1::VideoFrame { media_time, ..frame(sequence, jpeg(&stripes(64, 48, 1))) }).await;
        n_refused += 1;
        let score_interval = Some(prost_types::Duration { seconds, nanos });
        let refused = client.open(v1::StreamConfig { score_interval, ..config("numbers") }).await;
        assert_eq!(refused.err().expect("refused").code(), Code::InvalidArgument);
    }
    stream.end();
    let (heard, status) = stream.until_ended().await;
    status.expect("an orderly end");
    let errors = heard.iter().filter_map(|answer| match answer {
        Heard::SampleError(error) => Some(error.status.as_ref().expect("is set").code),
        _ => None,
    });
    let errors: Vec<i32> = errors.collect();
    assert_eq!(errors, vec![i32::from(Code::InvalidArgument); n_refused]);
}

/// Times that jump, go back and are far below zero; sequences to the largest.
async fn media_times_from_nowhere(client: &Client) {
    let (mut stream, _) = client.open(config("times")).await.expect("opens");
    let picture = jpeg(&stripes(64, 48, 2));
    let secs =
        [0, 1_000_000_000, 1, -1_000_000_000, 2, -9_000_000_000, 9_000_000_000, 3, 3, 2, i64::MAX / 1_000_000_000];
    for (sequence, secs) in (1..).zip(secs) {
        let media_time = Some(prost_types::Duration { seconds: secs, nanos: 0 });
        stream.show(v1::VideoFrame { media_time, ..frame(sequence, picture.clone()) }).await;
        stream.until_acked(sequence).await;
    }
    for sequence in [u64::MAX - 1, u64::MAX] {
        let late = v1::VideoFrame { sequence, media_time: Some(at_millis(4_000)), ..frame(1, picture.clone()) };
        stream.show(late).await;
        stream.until_acked(sequence).await;
    }
    stream.end();
    stream.until_ended().await.1.expect("an orderly end");
    let session = client.finish("times").await;
    let score = scores(&session)[0];
    assert_eq!(score.level(), v1::Level::Inconclusive);
    let end = score.window_end.expect("is set").seconds;
    assert!(end.abs() < 60, "the session's clock went on: {score:?}");
}

/// A connection that breaks after so many bytes, somewhere in the middle of a frame.
async fn clients_that_vanish_in_mid_frame(server: &Process) {
    let picture = jpeg(&stripes(1_280, 960, 5));
    for n_bytes in [90, 700, 9_000, 60_000, 200_000] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let upstream = server.address;
        let cutting = tokio::spawn(async move {
            let (mut client_side, _) = listener.accept().await.expect("accepts");
            let mut server_side = TcpStream::connect(upstream).await.expect("the server listens");
            let (from_client, mut to_client) = client_side.split();
            let (mut from_server, mut to_server) = server_side.split();
            let mut first_bytes = from_client.take(n_bytes);
            tokio::select! {
                _ = tokio::io::copy(&mut first_bytes, &mut to_server) => {}
                _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
            }
        });
        let victim = tokio::spawn({
            let picture = picture.clone();
            async move {
                let client = Client::connect(address).await;
                let Ok((mut stream, _)) = client.open(config(&format!("vanishing-{n_bytes}"))).await else { return };
                for sequence in 1..=40 {
                    if !stream.show(frame(sequence, picture.clone())).await {
                        break;
                    }
                }
                stream.until_ended().await.1.expect_err("the connection broke");
            }
        });
        cutting.await.expect("no panic");
        // Without a connection there may be no client either.
        let _ = victim.await;
    }
    server
        .wait_for_metrics("broken streams to be gone", |metrics| metrics.value("bonafide_grpc_open_streams") <= 1.0)
        .await;
}

/// One wave of clients that create a session, open a stream, send something and are gone.
async fn abandon(server: &Process, wave: usize) {
    let client = Client::connect(server.address).await;
    let picture = jpeg(&stripes(64, 48, wave as u64));
    let mut clients = JoinSet::new();
    for number in 0..N_A_WAVE {
        let (client, picture) = (client.clone(), picture.clone());
        clients.spawn(async move {
            let session = format!("abandoned-{wave}-{number}");
            let request = v1::CreateSessionRequest {
                session: Some(v1::Session { consent_reference: "consents/1".into(), ..v1::Session::default() }),
                session_id: session.clone(),
                ..v1::CreateSessionRequest::default()
            };
            client.sessions.clone().create_session(request).await.expect("creates");
            let (mut stream, _) = client.open(config(&session)).await.expect("within the limits");
            match number % 4 {
                // Gone at once, in the middle of a picture's analysis, after it, or without a word.
                0 => {}
                1 => drop(stream.show(frame(1, picture)).await),
                2 => {
                    stream.show(frame(1, picture)).await;
                    stream.until_acked(1).await;
                }
                _ => {
                    let gone = v1::track_update::Change::RemoveTrackId(TRACK.into());
                    stream.say(sample("nobodys", frame(1, picture))).await;
                    stream.say(Say::TrackUpdate(v1::TrackUpdate { change: Some(gone) })).await;
                }
            }
        });
    }
    while let Some(outcome) = clients.join_next().await {
        outcome.expect("a clear answer");
    }
    drop(client);
    server.wait_for_metrics("the wave to be gone", |metrics| metrics.value("bonafide_grpc_open_streams") <= 1.0).await;
}
