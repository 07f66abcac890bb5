//! A server that is told to stop while somebody streams, and another one that goes on.

use std::time::{Duration, Instant};

use bonafide::grpc::proto::v1;
use bonafide::grpc::proto::v1::analyze_stream_response::Message as Heard;
use tonic::Code;

use crate::process::Process;
use crate::wire::{Client, TRACK, config, frame, jpeg, stripes};

const DRAIN: Duration = Duration::from_secs(6);
/// Enough to be at work when the signal comes.
const N_BACKLOG: u64 = 120;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_mid_stream_keeps_its_time_and_hands_out_a_token() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let drain_secs = DRAIN.as_secs().to_string();
    let Some(server) = Process::start(folder.path(), &[("BONAFIDE__GRPC__DRAIN_SECS", &drain_secs)]).await else {
        return;
    };
    let client = Client::connect(server.address).await;
    let (mut stream, _) = client.open(config("stopped")).await.expect("opens");
    let mut watching = client.live.clone();
    let request = v1::WatchSessionRequest { session: "sessions/stopped".into() };
    let mut watcher = watching.watch_session(request).await.expect("follows").into_inner();
    let picture = jpeg(&stripes(640, 480, 1));
    for sequence in 1..=N_BACKLOG {
        assert!(stream.show(frame(sequence, picture.clone())).await);
    }
    stream.until_acked(1).await;
    let began = Instant::now();
    server.terminate().await;
    let (heard, status) = stream.until_ended().await;
    assert_eq!(status.expect_err("says that the server goes away").code(), Code::Unavailable);
    let Some(Heard::Ended(ended)) = heard.last() else { panic!("the last message is {:?}", heard.last()) };
    assert_eq!(ended.cause(), v1::StreamEndCause::Draining);
    assert!(!ended.resume_token.is_empty());
    let acked = heard.iter().filter_map(|answer| match answer {
        Heard::Ack(ack) => Some(ack.sequence),
        _ => None,
    });
    let acked = acked.max().unwrap_or(1);
    let mut last = None;
    while let Ok(Some(message)) = tokio::time::timeout(DRAIN, watcher.message()).await.expect("an end in time") {
        last = message.event;
    }
    let Some(v1::watch_session_response::Event::Ended(told)) = last else { panic!("the watcher's last is {last:?}") };
    assert_eq!(told.cause(), v1::StreamEndCause::Draining);
    let (status, said) = server.wait().await;
    assert!(status.success() && !said.contains("panicked"), "{status}:\n{said}");
    assert!(began.elapsed() < DRAIN + Duration::from_secs(4), "{:?}", began.elapsed());

    let Some(server) = Process::start(folder.path(), &[]).await else { return };
    let client = Client::connect(server.address).await;
    let resumed = v1::StreamConfig { resume_token: ended.resume_token.clone(), ..config("stopped") };
    let (mut stream, ready) = client.open(resumed).await.expect("resumes on another server");
    let from = ready.resume_from.iter().find(|progress| progress.track_id == TRACK).expect("was seen").sequence;
    assert!(from >= acked, "{acked} was acknowledged, {from} is stored");
    for sequence in from + 1..=N_BACKLOG + 1 {
        assert!(stream.show(frame(sequence, picture.clone())).await);
    }
    stream.end();
    let (heard, status) = stream.until_ended().await;
    status.expect("an orderly end");
    let acked = heard.iter().filter_map(|answer| match answer {
        Heard::Ack(ack) => Some(ack.sequence),
        _ => None,
    });
    assert_eq!(acked.max(), Some(N_BACKLOG + 1));
    server.stop().await;
}
