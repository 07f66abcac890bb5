//! What a load test leaves behind: a table, CSV, JSON and a drawing.

use std::path::Path;
use std::sync::Arc;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::scoring::Level;

use super::chart::load_svg;
use super::error::LoadError;
use super::footage::Footage;
use super::run::LoadTask;
use super::session::Played;
use super::summary::{Comparison, LevelRow, ServerUse, Summary};
use super::tally::{Ending, Total, quantile_millis};

/// Quantiles of `latency.csv`.
const QUANTILES: [f64; 13] = [0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999, 1.0];
/// Failures that are told one by one.
const MAX_TOLD_FAILURES: usize = 100;

/// What a load test found.
#[derive(Clone, Debug)]
pub struct LoadReport {
    /// For a terminal.
    pub table: String,
    /// `report.json`.
    pub json: Value,
    /// Why the load test failed, if it did: nothing was acknowledged, or a session did not end in order.
    pub problem: Option<String>,
    /// Further files: name and content.
    files: Vec<(&'static str, String)>,
}

/// Everything that is known once the last session has ended.
pub(super) struct Outcome<'a> {
    pub(super) task: &'a LoadTask,
    /// Names this run in the ids of its sessions.
    pub(super) run: &'a str,
    pub(super) footages: &'a [Arc<Footage>],
    /// The level of each recording by itself; empty when they were not played so.
    pub(super) alone: Vec<Option<Level>>,
    /// In order of their starts.
    pub(super) sessions: Vec<SessionRow>,
    pub(super) total: Total,
    pub(super) clock: WallClock,
}

/// One session of the load.
pub(super) struct SessionRow {
    /// Counts from 1 in order of starts.
    pub(super) number: u64,
    /// When it began.
    pub(super) start_secs: f64,
    /// Its recording.
    pub(super) reel: Option<usize>,
    /// How it went.
    pub(super) played: Played,
}

/// How long it took.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClock {
    /// From the beginning until nothing more was sent.
    pub(super) sending_secs: f64,
    /// Until the last session had ended.
    pub(super) all_secs: f64,
}

impl LoadReport {
    /// Draws everything up.
    pub(super) fn of(outcome: &Outcome<'_>) -> Self {
        let summary = Summary::of(outcome);
        Self {
            table: summary.table(outcome),
            json: report_json(outcome, &summary),
            problem: summary.problem(outcome),
            files: vec![
                ("loadtest.csv", seconds_csv(&outcome.total)),
                ("sessions.csv", sessions_csv(outcome)),
                ("latency.csv", latency_csv(&outcome.total)),
                ("loadtest.svg", load_svg(&outcome.total.seconds)),
            ],
        }
    }

    /// Writes every file into a folder, which is made if need be.
    ///
    /// # Errors
    /// [`LoadError::Write`] naming the file.
    pub fn write(&self, folder: &Path) -> Result<(), LoadError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| LoadError::Write { path, source }
        };
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
        let json = format!("{:#}\n", self.json);
        let files = self.files.iter().map(|(name, content)| (*name, content.as_str()));
        for (name, content) in files.chain([("report.json", json.as_str())]) {
            let path = folder.join(name);
            std::fs::write(&path, content).map_err(failed(&path))?;
        }
        Ok(())
    }
}

fn seconds_csv(total: &Total) -> String {
    let head = [
        "secs",
        "live_sessions",
        "ending_sessions",
        "frames_sent",
        "frames_acknowledged",
        "frames_dropped",
        "frames_refused",
        "errors",
        "latency_p50_millis",
        "latency_p99_millis",
        "latency_max_millis",
        "server_cpu_secs",
        "server_rss_bytes",
    ];
    let rows = total.seconds.iter().map(|second| {
        vec![
            format!("{:.3}", second.secs),
            second.n_live.to_string(),
            second.n_ending.to_string(),
            second.n_sent.to_string(),
            second.n_acknowledged.to_string(),
            second.n_dropped.to_string(),
            second.n_refused.to_string(),
            second.n_errors.to_string(),
            decimals(second.latency.map(|latency| latency.p50_millis)),
            decimals(second.latency.map(|latency| latency.p99_millis)),
            decimals(second.latency.map(|latency| latency.max_millis)),
            decimals(second.server_cpu_secs),
            second.server_rss_bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
        ]
    });
    csv_text(&head, rows)
}

fn sessions_csv(outcome: &Outcome<'_>) -> String {
    let head = [
        "session",
        "recording",
        "label",
        "start_secs",
        "ending",
        "level",
        "authenticity",
        "level_alone",
        "frames_sent",
        "frames_dropped",
        "frames_refused",
        "latency_p99_millis",
        "problem",
    ];
    let rows = outcome.sessions.iter().map(|session| {
        let footage = session.reel.and_then(|reel| outcome.footages.get(reel));
        let alone = session.reel.and_then(|reel| outcome.alone.get(reel).copied().flatten());
        let played = &session.played;
        let level = |level: Option<Level>| level.map_or("", Level::as_str).to_owned();
        let authenticity = played.verdict.and_then(|verdict| verdict.authenticity);
        vec![
            format!("loadtest-{}-{}", outcome.run, session.number),
            footage.map(|footage| footage.name.clone()).unwrap_or_default(),
            footage.map(|footage| footage.label.clone()).unwrap_or_default(),
            decimals(Some(session.start_secs)),
            ending_name(played.ending).to_owned(),
            level(played.verdict.map(|verdict| verdict.level)),
            decimals(authenticity.map(|authenticity| authenticity.value)),
            level(alone),
            played.n_sent.to_string(),
            played.n_dropped.to_string(),
            played.n_refused.to_string(),
            decimals(played.latency_p99.map(|latency| latency.as_secs_f64() * 1_000.0)),
            played.failure.clone().unwrap_or_default(),
        ]
    });
    csv_text(&head, rows)
}

fn latency_csv(total: &Total) -> String {
    let rows = QUANTILES.iter().map(|quantile| {
        let percentile = format!("{:.4}", quantile * 100.0);
        vec![
            percentile.trim_end_matches('0').trim_end_matches('.').to_owned(),
            decimals(quantile_millis(&total.latency, *quantile)),
            decimals(quantile_millis(&total.server_time, *quantile)),
        ]
    });
    csv_text(&["percentile", "latency_millis", "server_millis"], rows)
}

fn csv_text(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(head);
    for row in rows {
        let _ = writer.write_record(row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// Three decimals; nothing of none.
fn decimals(value: Option<f64>) -> String {
    value.filter(|value| value.is_finite()).map_or_else(String::new, |value| format!("{value:.3}"))
}

const fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Finished => "finished",
        Ending::Cut => "cut",
        Ending::Failed => "failed",
    }
}

fn report_json(outcome: &Outcome<'_>, summary: &Summary) -> Value {
    let Outcome { task, total, clock, .. } = outcome;
    let (profile, counts) = (&task.profile, &total.counts);
    let recordings = outcome.footages.iter().map(|footage| {
        json!({
            "recording": footage.name,
            "label": footage.label,
            "weight": footage.weight,
            "secs": footage.span.as_secs_f64(),
            "frames_per_second": footage.rate_hz(),
            "is_whole": footage.is_whole,
        })
    });
    let failures =
        outcome.sessions.iter().filter_map(|session| Some((session.number, session.played.failure.as_ref()?)));
    json!({
        "bonafide": env!("CARGO_PKG_VERSION"),
        "run": outcome.run,
        "sessions": task.n_sessions,
        "frames_per_second": task.rate_hz,
        "secs": task.secs,
        "sending_secs": clock.sending_secs,
        "all_secs": clock.all_secs,
        "profile": {
            "width": profile.width,
            "height": profile.height,
            "quality": profile.quality,
            "format": profile.format.as_str(),
            "follow_pacing": profile.follow_pacing,
            "sessions_per_connection": profile.sessions_per_connection,
            "ramp_secs": profile.ramp_secs,
            "seed": profile.seed,
        },
        "recordings": recordings.collect::<Vec<_>>(),
        "counts": {
            "sessions_started": counts.n_started,
            "sessions_finished": counts.n_finished,
            "sessions_cut": counts.n_cut,
            "sessions_failed": summary.n_failed,
            "connections_lost": counts.n_lost_connections,
            "frames_due": counts.n_due,
            "frames_sent": counts.n_sent,
            "frames_acknowledged": counts.n_acknowledged,
            "frames_dropped": counts.n_dropped,
            "frames_refused": counts.n_refused,
            "frames_unanswered": counts.n_unanswered,
            "frames_late": counts.n_late,
            "frames_held": counts.n_held,
        },
        "latency_millis": quantiles_json(&total.latency),
        "server_millis": quantiles_json(&total.server_time),
        "session_secs": total.session_secs,
        "server": summary.server.as_ref().map(server_json),
        "levels": summary.levels.iter().map(level_json).collect::<Vec<_>>(),
        "alone": summary.comparison.as_ref().map(|comparison| comparison_json(comparison, outcome)),
        "failures": failures
            .take(MAX_TOLD_FAILURES)
            .map(|(number, problem)| json!({ "session": number, "problem": problem }))
            .collect::<Vec<_>>(),
    })
}

fn quantiles_json(histogram: &Histogram<u64>) -> Value {
    json!({
        "count": histogram.len(),
        "p50": quantile_millis(histogram, 0.5),
        "p90": quantile_millis(histogram, 0.9),
        "p99": quantile_millis(histogram, 0.99),
        "p999": quantile_millis(histogram, 0.999),
        "max": quantile_millis(histogram, 1.0),
    })
}

fn server_json(server: &ServerUse) -> Value {
    json!({
        "cpu_secs": server.cpu_secs,
        "cpu_secs_per_sec": server.cpu_secs_per_sec,
        "cpu_secs_per_session_sec": server.cpu_secs_per_session_sec,
        "rss_first_bytes": server.rss_first_bytes,
        "rss_last_bytes": server.rss_last_bytes,
        "rss_max_bytes": server.rss_max_bytes,
    })
}

fn level_json(row: &LevelRow) -> Value {
    let levels = Level::ALL.iter().zip(row.n_of_level).map(|(level, n)| (level.as_str().to_owned(), json!(n)));
    json!({ "label": row.label, "sessions": row.n_sessions, "levels": levels.collect::<serde_json::Map<_, _>>() })
}

fn comparison_json(comparison: &Comparison, outcome: &Outcome<'_>) -> Value {
    let alone = outcome
        .footages
        .iter()
        .zip(&outcome.alone)
        .map(|(footage, level)| json!({ "recording": footage.name, "level": level.map(Level::as_str) }));
    let differing = comparison.differing.iter().map(|differing| {
        json!({
            "recording": differing.recording,
            "level_alone": differing.alone.as_str(),
            "level": differing.level.as_str(),
            "sessions": differing.n_sessions,
        })
    });
    json!({
        "n_compared": comparison.n_compared,
        "n_equal": comparison.n_equal,
        "recordings": alone.collect::<Vec<_>>(),
        "differing": differing.collect::<Vec<_>>(),
    })
}
