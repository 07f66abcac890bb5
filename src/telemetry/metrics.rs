//! Every metric that exists, one file an area, behind typed functions: names and labels cannot be mistyped or invented.
//!
//! Named `bonafide_<module>_<what>_<unit>[_total]`. Labels come from closed sets; ids of sessions, participants and tracks
//! are never labels. Gauges move by guards, so that no early return can leave one up.

mod evidence;
mod frames;
mod grpc;
mod guard;
mod identity;
mod inference;
mod sessions;
mod store;
mod web;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

pub use self::evidence::{StillLoss, files_removed, held_still_bytes, still_kept, still_lost};
pub use self::frames::{
    DropReason, Queue, Stage, frame_analysed, frame_decoded, frame_dropped, frame_received, queued, queued_bytes,
    stage_took, timed,
};
pub use self::grpc::{CallWatch, call_ended, open_stream};
pub use self::guard::GaugeGuard;
pub use self::identity::{search_took, templates_held};
pub use self::inference::{ModelMetrics, Provider, provider_in_use};
pub use self::sessions::{VerdictLevel, live_session, verdict};
pub use self::store::{batch_written, commit_took, pending_write, write_failed};
pub use self::web::page_served;

/// Upper bounds of the buckets of every `*_seconds` histogram: half a millisecond to ten seconds.
const SECONDS_BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the buckets of every `*_writes` histogram.
const COUNT_BUCKETS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

/// A recorder that knows every metric.
pub(super) fn recorder() -> PrometheusRecorder {
    let recorder = builder().build_recorder();
    ::metrics::with_local_recorder(&recorder, describe);
    recorder
}

/// Makes such a recorder the process's own.
pub(super) fn install() -> Result<PrometheusHandle, BuildError> {
    let recorder = recorder();
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder)?;
    sessions::show_version();
    Ok(handle)
}

fn builder() -> PrometheusBuilder {
    let builder = PrometheusBuilder::new();
    let with_seconds = builder.set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS);
    with_seconds
        .and_then(|builder| builder.set_buckets_for_metric(Matcher::Suffix("_writes".to_owned()), &COUNT_BUCKETS))
        .expect("the lists of bounds are constants and not empty")
}

fn describe() {
    evidence::describe();
    frames::describe();
    grpc::describe();
    identity::describe();
    inference::describe();
    sessions::describe();
    store::describe();
    web::describe();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::{
        CallWatch, DropReason, ModelMetrics, Provider, Queue, Stage, StillLoss, VerdictLevel, batch_written,
        call_ended, commit_took, files_removed, frame_analysed, frame_decoded, frame_dropped, frame_received,
        held_still_bytes, live_session, open_stream, page_served, pending_write, provider_in_use, queued, queued_bytes,
        recorder, search_took, stage_took, still_kept, still_lost, templates_held, verdict, write_failed,
    };

    const A_WHILE: Duration = Duration::from_millis(3);

    fn move_everything() {
        frame_received();
        frame_decoded();
        frame_analysed();
        DropReason::ALL.into_iter().for_each(frame_dropped);
        for stage in Stage::ALL {
            stage_took(stage, A_WHILE);
        }
        VerdictLevel::ALL.into_iter().for_each(verdict);
        call_ended("LiveService/AnalyzeStream", 8, A_WHILE);
        CallWatch::start("LiveService/AnalyzeStream").end(0);
        drop(CallWatch::start("LiveService/AnalyzeStream"));
        let model = ModelMetrics::new("example");
        model.ran([A_WHILE; 4]);
        model.failed();
        provider_in_use(Provider::Cpu);
        batch_written(3);
        commit_took(A_WHILE);
        search_took(A_WHILE);
        drop(templates_held(3));
        write_failed();
        still_kept();
        StillLoss::ALL.into_iter().for_each(still_lost);
        files_removed(2);
        page_served(200, A_WHILE);
        super::sessions::show_version();
    }

    #[test]
    fn every_metric_is_described_and_named_by_the_rule() {
        let recorder = recorder();
        ::metrics::with_local_recorder(&recorder, || {
            move_everything();
            let _guards = [
                live_session(),
                open_stream(),
                pending_write(),
                queued(Queue::Frames),
                queued_bytes(Queue::Frames, 9),
                held_still_bytes(9),
            ];
        });
        let text = recorder.handle().render();
        let lines_of = |kind: &str| -> BTreeMap<String, String> {
            let lines = text.lines().filter_map(|line| line.strip_prefix(kind)?.split_once(' '));
            lines.map(|(name, rest)| (name.to_owned(), rest.to_owned())).collect()
        };
        let (helps, types) = (lines_of("# HELP "), lines_of("# TYPE "));
        assert!(types.len() >= 20, "{text}");
        for (name, kind) in &types {
            assert!(helps.get(name).is_some_and(|help| help.len() > 10), "{name} has no help text");
            let is_counter = kind == "counter";
            assert_eq!(name.ends_with("_total"), is_counter, "{name} is a {kind}");
            let modules = ["service", "session", "scoring", "grpc", "inference", "store", "telemetry", "web"];
            assert!(modules.iter().any(|module| name.starts_with(&format!("bonafide_{module}_"))), "{name}");
        }
        assert_eq!(helps.keys().collect::<Vec<_>>(), types.keys().collect::<Vec<_>>());
        assert!(text.contains("bonafide_service_stage_seconds_bucket{stage=\"decode\",le=\"0.005\"} 1"), "{text}");
        for code in ["RESOURCE_EXHAUSTED", "OK", "CANCELLED"] {
            let line = format!("method=\"LiveService/AnalyzeStream\",code=\"{code}\"}} 1");
            assert!(text.contains(&line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn gauges_follow_their_guards() {
        let recorder = recorder();
        let shown = |wanted: &str| {
            let text = recorder.handle().render();
            let line = text.lines().find_map(|line| line.strip_prefix(wanted).map(str::to_owned));
            line.unwrap_or_else(|| panic!("{wanted} is missing in\n{text}"))
        };
        ::metrics::with_local_recorder(&recorder, || {
            let first = live_session();
            let second = live_session();
            assert_eq!(shown("bonafide_session_live_sessions"), " 2");
            drop(first);
            assert_eq!(shown("bonafide_session_live_sessions"), " 1");
            drop(second);
            assert_eq!(shown("bonafide_session_live_sessions"), " 0");
            let bytes = queued_bytes(Queue::Frames, 1_500);
            assert_eq!(shown("bonafide_service_queue_bytes{queue=\"frames\"}"), " 1500");
            drop(bytes);
            assert_eq!(shown("bonafide_service_queue_bytes{queue=\"frames\"}"), " 0");
        });
    }
}
