//! The gRPC server end to end, through the client that ships with it.

use std::time::Duration;

use bonafide::error::{ErrorKind, Kinded as _};
use bonafide::grpc::{
    ClientCommand, ClientError, ClientEvent, ClientOptions, ClientStream, GrpcOptions, LiveClient, TlsOptions,
};
use bonafide::media::{MediaTime, Rotation, VideoFormat, VideoSample};
use bonafide::scoring::Level;
use bonafide::service::{EndCause, LiveEvent, NewSession, StreamOptions};
use bonafide::session::{ParticipantId, SessionId, SourceKind, Track, TrackId};
use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};

use crate::harness::{PATIENCE, Server, certificate, operator};

const N_FRAMES: u64 = 24;

fn track_id() -> TrackId {
    TrackId::new("camera-1").expect("valid")
}

fn options(session: &str) -> StreamOptions {
    let track = Track {
        track_id: track_id(),
        participant_id: ParticipantId::new("candidate-1").expect("valid"),
        kind: SourceKind::Camera,
        device: None,
    };
    StreamOptions {
        session_id: SessionId::new(session).expect("valid"),
        create: Some(NewSession { consent_reference: "consents/1".to_owned(), ..NewSession::default() }),
        tracks: vec![(track, Some(VideoFormat::Jpeg))],
        policy: String::new(),
        resume_token: None,
        score_interval: None,
        references: Vec::new(),
    }
}

/// A picture without a face.
fn picture(sequence: u64) -> ClientCommand {
    let shade = u8::try_from(sequence * 7 % 256).unwrap_or(0);
    let picture = RgbImage::from_fn(320, 240, |x, _| Rgb([u8::try_from(x % 256).unwrap_or(0), shade, 90]));
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 80).encode_image(&picture).expect("a JPEG");
    let sample = VideoSample {
        sequence,
        media_time: MediaTime::from_millis(i64::try_from(sequence).unwrap_or(0) * 125),
        format: None,
        layout: None,
        rotation: Rotation::None,
        keyframe: false,
        data: Bytes::from(bytes),
    };
    ClientCommand::Video { track_id: track_id(), sample }
}

async fn next(stream: &mut ClientStream) -> Option<Result<ClientEvent, ClientError>> {
    tokio::time::timeout(PATIENCE, stream.events.recv()).await.expect("an event in time")
}

/// Reads until an event for which `is_it` holds; the events up to and with it.
async fn until(stream: &mut ClientStream, is_it: impl Fn(&ClientEvent) -> bool) -> Vec<ClientEvent> {
    let mut events = Vec::new();
    loop {
        let event = next(stream).await.expect("more events").expect("no error");
        let is_last = is_it(&event);
        events.push(event);
        if is_last {
            return events;
        }
    }
}

fn is_ready(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Ready(_))
}

fn is_ended(event: &ClientEvent) -> bool {
    matches!(event, ClientEvent::Live(LiveEvent::Ended(_)))
}

fn acked(event: &ClientEvent) -> Option<u64> {
    if let ClientEvent::Ack { ack, .. } = event { Some(ack.sequence) } else { None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_without_a_face_is_accounted_for_and_inconclusive() {
    let Some(server) = Server::start(None).await else { return };
    let client = server.client().await;
    let mut stream = client.stream(options("no-face"));
    until(&mut stream, is_ready).await;
    let commands = std::mem::replace(&mut stream.commands, tokio::sync::mpsc::channel(1).0);
    tokio::spawn(async move {
        for sequence in 1..=N_FRAMES {
            commands.send(picture(sequence)).await.expect("the stream runs");
        }
    });
    let events = until(&mut stream, is_ended).await;
    assert_eq!(events.iter().filter_map(acked).max(), Some(N_FRAMES), "every frame is accounted for");
    assert!(matches!(events.last(), Some(ClientEvent::Live(LiveEvent::Ended(None)))));
    assert!(next(&mut stream).await.is_none(), "nothing comes after the end");
    let session = client.finish(&SessionId::new("no-face").expect("valid")).await.expect("finished");
    assert_eq!(session.level, Level::Inconclusive, "nothing to see never reads as authentic");
    assert!(session.end_time.is_some());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_hands_out_a_token_and_stores_what_was_acknowledged() {
    let Some(server) = Server::start(None).await else { return };
    let client = server.client().await;
    let mut stream = client.stream(options("shutdown"));
    until(&mut stream, is_ready).await;
    for sequence in 1..=4 {
        stream.commands.send(picture(sequence)).await.expect("the stream runs");
    }
    until(&mut stream, |event| acked(event) == Some(4)).await;
    let stopping = tokio::spawn(server.stop());
    until(&mut stream, |event| matches!(event, ClientEvent::Resuming { attempt: 1, .. })).await;
    drop(stream);
    drop(client);
    tokio::time::timeout(PATIENCE, stopping).await.expect("in time").expect("an orderly stop");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finishing_and_deleting_reach_the_stream() {
    let Some(server) = Server::start(None).await else { return };
    let client = server.client().await;
    for (session, cause) in [("finished", EndCause::Finished), ("deleted", EndCause::Deleted)] {
        let mut stream = client.stream(options(session));
        until(&mut stream, is_ready).await;
        let id = SessionId::new(session).expect("valid");
        if cause == EndCause::Finished {
            client.finish(&id).await.expect("finished");
        } else {
            server.interviews.delete(&operator(), &id, None).await.expect("deleted");
        }
        let events = until(&mut stream, is_ended).await;
        assert!(matches!(events.last(), Some(ClientEvent::Live(LiveEvent::Ended(Some(told)))) if *told == cause));
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_vanish_do_not_disturb_others() {
    let Some(server) = Server::start(None).await else { return };
    let client = server.client().await;
    for number in 0..20 {
        let gone = client.stream(options(&format!("vanishing-{number}")));
        gone.commands.send(picture(1)).await.expect("the stream runs");
        drop(gone);
    }
    let mut stream = client.stream(options("staying"));
    stream.commands.send(picture(1)).await.expect("the stream runs");
    until(&mut stream, |event| acked(event) == Some(1)).await;
    drop(stream);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_asked_for() {
    let Some(server) = Server::start(Some("right")).await else { return };
    let id = SessionId::new("nobody").expect("valid");
    for (key, kind) in [
        (None, ErrorKind::Unauthenticated),
        (Some("wrong"), ErrorKind::Unauthenticated),
        (Some("right"), ErrorKind::NotFound),
    ] {
        let options = ClientOptions {
            endpoint: format!("http://{}", server.address),
            api_key: key.map(Into::into),
            ca_cert: None,
        };
        let client = LiveClient::connect(&options).await.expect("the server listens");
        assert_eq!(client.get(&id).await.expect_err("refused").kind(), kind, "{key:?}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_served_and_plaintext_is_not_understood_then() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some((cert, key)) = certificate(folder.path()) else { return };
    let ca_cert = Some(cert.clone());
    let tls = TlsOptions { cert, key, client_ca: None };
    let Some(server) = Server::start_with(GrpcOptions { tls: Some(tls), ..GrpcOptions::default() }).await else {
        return;
    };
    let id = SessionId::new("nobody").expect("valid");
    let endpoint = format!("https://localhost:{}", server.address.port());
    let secure = LiveClient::connect(&ClientOptions { endpoint, api_key: None, ca_cert }).await.expect("TLS works");
    assert_eq!(secure.get(&id).await.expect_err("nobody there").kind(), ErrorKind::NotFound);
    let plain = ClientOptions { endpoint: format!("http://{}", server.address), ..ClientOptions::default() };
    match LiveClient::connect(&plain).await {
        Ok(client) => assert_eq!(client.get(&id).await.expect_err("no TLS").kind(), ErrorKind::Unavailable),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable),
    }
    drop(secure);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_stream_says_why_and_is_not_tried_again() {
    let Some(server) = Server::start(None).await else { return };
    let client = server.client().await;
    let mut stream = client.stream(StreamOptions { create: None, ..options("missing") });
    let error = tokio::time::timeout(Duration::from_secs(20), next(&mut stream)).await.expect("at once");
    assert_eq!(error.expect("an answer").expect_err("refused").kind(), ErrorKind::NotFound);
    assert!(next(&mut stream).await.is_none());
    server.stop().await;
}
