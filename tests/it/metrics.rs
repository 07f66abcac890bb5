//! What operators see of a stream: every frame is counted once, and nothing stays up that went down.

use bonafide::grpc::proto::v1;
use bonafide::grpc::proto::v1::analyze_stream_request::Message as Say;
use bonafide::grpc::proto::v1::analyze_stream_response::Message as Heard;
use bytes::Bytes;

use crate::process::Process;
use crate::wire::{Client, TRACK, config, frame, jpeg, moving_pictures, sample, scores, stripes, track};

const N_PICTURES: u64 = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_frame_is_counted_once_and_gauges_come_down() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some(server) = Process::start(folder.path(), &[]).await else { return };
    let client = Client::connect(server.address).await;
    let (mut stream, _) = client.open(config("counted")).await.expect("opens");
    let screen = v1::Track { kind: v1::SourceKind::Screen.into(), ..track("screen") };
    let upsert = v1::TrackUpdate { change: Some(v1::track_update::Change::Upsert(screen)) };
    stream.say(Say::TrackUpdate(upsert)).await;
    for (sequence, picture) in (1..=N_PICTURES).zip(moving_pictures(12)) {
        stream.show(frame(sequence, picture)).await;
        stream.until_acked(sequence).await;
    }
    let picture = jpeg(&stripes(64, 48, 0));
    // One of each: unreadable, over a limit, repeated, not a camera's, without picture, nobody's track, no data.
    stream.show(frame(20, Bytes::from_static(b"no picture"))).await;
    stream.show(frame(21, jpeg(&stripes(600, 100, 0)))).await;
    stream.show(frame(20, picture.clone())).await;
    stream.say(sample("screen", frame(1, picture.clone()))).await;
    let parameters = Bytes::from_static(b"\0\0\0\x01\x09\xf0");
    stream.show(v1::VideoFrame { format: v1::VideoFormat::H264.into(), ..frame(22, parameters) }).await;
    stream.say(sample("nobodys", frame(1, picture))).await;
    stream.show(frame(23, Bytes::new())).await;
    stream.until_acked(22).await;
    let during = server.metrics().await;
    for (gauge, expected) in [
        ("bonafide_grpc_open_streams", 1.0),
        ("bonafide_session_live_sessions", 1.0),
        ("bonafide_inference_provider_info{provider=\"cpu\"}", 1.0),
    ] {
        assert_eq!(during.value(gauge), expected, "{gauge}:\n{during}");
    }
    stream.end();
    let (heard, status) = stream.until_ended().await;
    status.expect("an orderly end");
    assert!(matches!(heard.last(), Some(Heard::Ended(_))));
    client.finish("counted").await;
    server
        .wait_for_metrics("the stream to be gone", |metrics| metrics.value("bonafide_grpc_open_streams") == 0.0)
        .await;

    let after = server.metrics().await;
    let dropped = |reason: &str| after.value(&format!("bonafide_service_frames_dropped_total{{reason=\"{reason}\"}}"));
    for (reason, expected) in [
        ("undecodable", 1.0),
        ("over_limit", 1.0),
        ("repeated", 1.0),
        ("not_scored", 1.0),
        ("no_picture", 1.0),
        ("refused", 2.0),
        ("queue_full", 0.0),
        ("inference", 0.0),
        ("session_ended", 0.0),
    ] {
        assert_eq!(dropped(reason), expected, "{reason}:\n{after}");
    }
    let received = after.value("bonafide_service_frames_received_total");
    let analysed = after.value("bonafide_service_frames_analysed_total");
    assert_eq!(received, N_PICTURES as f64 + 7.0, "{after}");
    assert_eq!(analysed + after.sum("bonafide_service_frames_dropped_total", "reason"), received, "{after}");
    assert_eq!(after.value("bonafide_service_frames_decoded_total"), N_PICTURES as f64, "{after}");
    assert!(analysed >= 1.0 && analysed <= N_PICTURES as f64, "{after}");
    let stage = |stage: &str| after.value(&format!("bonafide_service_stage_seconds_count{{stage=\"{stage}\"}}"));
    assert_eq!(stage("decode"), stage("queue"), "{after}");
    assert_eq!(stage("score"), N_PICTURES as f64, "{after}");
    assert!(stage("detect") >= 1.0 && stage("store") >= 1.0, "{after}");
    let session = client.get("counted").await;
    let has_face = scores(&session).iter().any(|score| score.usable_face_time.is_some_and(|time| time.nanos > 0));
    if has_face {
        for face_stage in ["mesh", "quality", "embed", "presentation"] {
            assert!(stage(face_stage) >= 1.0, "{face_stage}:\n{after}");
        }
    }
    assert_eq!(after.sum("bonafide_scoring_verdicts_total", "level"), 1.0, "{after}");
    assert!(after.sum("bonafide_inference_device_seconds_count", "model") >= 1.0, "{after}");
    assert_eq!(
        after.sum("bonafide_inference_device_seconds_count", "model"),
        after.sum("bonafide_inference_queue_seconds_count", "model")
    );
    for (method, code) in [("LiveService/AnalyzeStream", "OK"), ("SessionService/FinishSession", "OK")] {
        let series = format!("bonafide_grpc_requests_total{{method=\"{method}\",code=\"{code}\"}}");
        assert_eq!(after.value(&series), 1.0, "{series}:\n{after}");
    }
    for gauge in [
        "bonafide_service_queue_items{queue=\"frames\"}",
        "bonafide_service_queue_bytes{queue=\"frames\"}",
        "bonafide_service_queue_items{queue=\"events\"}",
        "bonafide_session_live_sessions",
        "bonafide_store_pending_writes",
    ] {
        assert_eq!(after.value(gauge), 0.0, "{gauge}:\n{after}");
    }
    assert_eq!(during.value(&format!("bonafide_nothing{{track=\"{TRACK}\"}}")), 0.0, "ids are no labels");
    assert!(!after.to_string().contains(TRACK) && !after.to_string().contains("candidate-1"), "{after}");
    server.stop().await;
}
