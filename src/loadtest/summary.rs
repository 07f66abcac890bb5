//! What a load test's figures come to, and how a terminal shows it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::scoring::Level;

use super::report::Outcome;
use super::table::{columns, count, mib, millis};
use super::tally::{Counts, Ending, quantile_millis};

/// Share of frames taken up late from which the generator is said to be too slow.
const TOLD_LATE_RATIO: f64 = 0.01;
/// What recordings without a label are counted under.
const NO_LABEL: &str = "(no label)";

/// What the figures come to.
pub(super) struct Summary {
    /// Sessions that did not end in order.
    pub(super) n_failed: u64,
    /// Levels of the sessions that were played to their end, by label.
    pub(super) levels: Vec<LevelRow>,
    /// What the server used, if it was watched.
    pub(super) server: Option<ServerUse>,
    /// How the levels compare with those without load, if those are known.
    pub(super) comparison: Option<Comparison>,
}

/// How often sessions of one label got which level.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LevelRow {
    pub(super) label: String,
    pub(super) n_sessions: u64,
    /// In the order of [`Level::ALL`].
    pub(super) n_of_level: [u64; 4],
}

/// What the server's process used.
pub(super) struct ServerUse {
    /// From the beginning until the last session had ended.
    pub(super) cpu_secs: f64,
    /// A second of the time in which frames were sent.
    pub(super) cpu_secs_per_sec: f64,
    /// A second of a session.
    pub(super) cpu_secs_per_session_sec: Option<f64>,
    pub(super) rss_first_bytes: u64,
    pub(super) rss_last_bytes: u64,
    pub(super) rss_max_bytes: u64,
}

/// Levels under load against levels alone. Sessions that were cut or failed are not compared.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) n_compared: u64,
    pub(super) n_equal: u64,
    pub(super) differing: Vec<Differing>,
}

/// A recording that got another level under load.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Differing {
    pub(super) recording: String,
    pub(super) alone: Level,
    pub(super) level: Level,
    pub(super) n_sessions: u64,
}

impl Summary {
    pub(super) fn of(outcome: &Outcome<'_>) -> Self {
        let is_failed = |session: &&super::report::SessionRow| session.played.ending == Ending::Failed;
        Self {
            n_failed: outcome.sessions.iter().filter(is_failed).count() as u64,
            levels: levels(outcome),
            server: server_use(outcome),
            comparison: (!outcome.alone.is_empty()).then(|| compare(outcome)),
        }
    }

    /// Why the load test failed, if it did.
    pub(super) fn problem(&self, outcome: &Outcome<'_>) -> Option<String> {
        if self.n_failed > 0 {
            let first = outcome.sessions.iter().find_map(|session| session.played.failure.as_deref());
            let n_sessions = outcome.sessions.len();
            return Some(format!(
                "{} of {n_sessions} sessions failed, the first: {}",
                self.n_failed,
                first.unwrap_or("")
            ));
        }
        (outcome.total.counts.n_acknowledged == 0).then(|| "the server acknowledged no frame".to_owned())
    }

    /// Everything for a terminal.
    pub(super) fn table(&self, outcome: &Outcome<'_>) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{}\n", headline(outcome));
        text.push_str(&self.sessions_table(&outcome.total.counts));
        text.push('\n');
        text.push_str(&frames_table(&outcome.total.counts));
        text.push('\n');
        text.push_str(&latency_table(outcome));
        text.push('\n');
        text.push_str(&levels_table(&self.levels));
        if let Some(server) = &self.server {
            let _ = write!(text, "\n{}", server_table(server));
        }
        if let Some(comparison) = &self.comparison {
            let _ = write!(text, "\n{}", comparison_text(comparison));
        }
        for warning in warnings(&outcome.total.counts) {
            let _ = write!(text, "\nWARNING: {warning}\n");
        }
        text
    }

    fn sessions_table(&self, counts: &Counts) -> String {
        let row = [counts.n_started, counts.n_finished, counts.n_cut, self.n_failed, counts.n_lost_connections];
        let mut cells = vec![String::new()];
        cells.extend(row.map(|n| n.to_string()));
        columns(&["SESSIONS", "STARTED", "FINISHED", "CUT BY THE END", "FAILED", "CONNECTIONS LOST"], &[cells])
    }
}

fn headline(outcome: &Outcome<'_>) -> String {
    let (task, profile) = (outcome.task, &outcome.task.profile);
    let sessions = if task.n_sessions == 1 { "session" } else { "sessions" };
    let pacing = if profile.follow_pacing { ", paced by the server" } else { "" };
    let recordings = if outcome.footages.len() == 1 { "recording" } else { "recordings" };
    format!(
        "{} {sessions} of {} frames/s{pacing} for {:.0} s, {} within {}x{}, {} {recordings}",
        task.n_sessions,
        task.rate_hz,
        outcome.clock.sending_secs,
        profile.format.as_str(),
        profile.width,
        profile.height,
        outcome.footages.len(),
    )
}

fn frames_table(counts: &Counts) -> String {
    let row = vec![
        String::new(),
        counts.n_due.to_string(),
        counts.n_sent.to_string(),
        count(counts.n_acknowledged, 0),
        count(counts.n_dropped, counts.n_sent),
        count(counts.n_refused, counts.n_sent),
        count(counts.n_unanswered, counts.n_sent),
        count(counts.n_late, counts.n_sent),
        count(counts.n_held, counts.n_sent),
    ];
    columns(&["FRAMES", "DUE", "SENT", "ACKNOWLEDGED", "DROPPED", "REFUSED", "UNANSWERED", "LATE", "HELD BACK"], &[row])
}

fn latency_table(outcome: &Outcome<'_>) -> String {
    let row = |name: &str, histogram: &hdrhistogram::Histogram<u64>| {
        let quantiles = [0.5, 0.9, 0.99, 0.999, 1.0].map(|quantile| millis(quantile_millis(histogram, quantile)));
        std::iter::once(name.to_owned()).chain(quantiles).collect::<Vec<_>>()
    };
    let rows = [
        row("latency, due to acknowledged", &outcome.total.latency),
        row("server's own time, by acknowledgement", &outcome.total.server_time),
    ];
    columns(&["MILLISECONDS", "P50", "P90", "P99", "P99.9", "MAX"], &rows)
}

fn levels_table(levels: &[LevelRow]) -> String {
    let rows: Vec<Vec<String>> = levels
        .iter()
        .map(|row| {
            let cells = row.n_of_level.iter().map(|n| count(*n, row.n_sessions));
            [row.label.clone(), row.n_sessions.to_string()].into_iter().chain(cells).collect()
        })
        .collect();
    let mut head = vec!["FINISHED, BY LABEL", "SESSIONS"];
    head.extend(Level::ALL.map(Level::as_str));
    columns(&head, &rows)
}

fn server_table(server: &ServerUse) -> String {
    let per_session = server.cpu_secs_per_session_sec.map_or_else(|| "–".to_owned(), |secs| format!("{secs:.3} s"));
    let row = vec![
        String::new(),
        format!("{:.1} s", server.cpu_secs),
        format!("{:.2} s", server.cpu_secs_per_sec),
        per_session,
        mib(server.rss_first_bytes),
        mib(server.rss_last_bytes),
        mib(server.rss_max_bytes),
    ];
    columns(&["SERVER", "CPU", "A SECOND", "A SESSION SECOND", "RSS FIRST", "LAST", "MAX"], &[row])
}

fn comparison_text(comparison: &Comparison) -> String {
    let Comparison { n_compared, n_equal, differing } = comparison;
    let mut text =
        format!("ALONE: {n_equal} of {n_compared} finished sessions have the level of their recording by itself\n");
    for Differing { recording, alone, level, n_sessions } in differing {
        let _ = writeln!(text, "    {recording}: {} alone, {} in {n_sessions}", alone.as_str(), level.as_str());
    }
    text
}

fn warnings(counts: &Counts) -> Vec<String> {
    let mut told = Vec::new();
    let late_ratio = counts.n_late as f64 / counts.n_sent.max(1) as f64;
    if late_ratio > TOLD_LATE_RATIO {
        told.push(format!(
            "the generator was too slow, not the server: {:.1} % of the frames were taken up more than 20 ms after they \
             were due; use fewer sessions, or a machine of its own",
            100.0 * late_ratio
        ));
    }
    let n_unsent = counts.n_due.saturating_sub(counts.n_sent);
    if n_unsent > 0 {
        told.push(format!("{n_unsent} frames were due and never sent: the connection took no more"));
    }
    told
}

/// Levels of finished sessions by label, labels in order.
fn levels(outcome: &Outcome<'_>) -> Vec<LevelRow> {
    let mut by_label: BTreeMap<&str, [u64; 4]> = BTreeMap::new();
    for (reel, level) in finished(outcome) {
        let label = outcome.footages.get(reel).map_or("", |footage| footage.label.as_str());
        let n_of_level = by_label.entry(label).or_default();
        for (known, n) in Level::ALL.iter().zip(n_of_level) {
            *n += u64::from(*known == level);
        }
    }
    let row = |(label, n_of_level): (&str, [u64; 4])| {
        let label = if label.is_empty() { NO_LABEL } else { label };
        LevelRow { label: label.to_owned(), n_sessions: n_of_level.iter().sum(), n_of_level }
    };
    by_label.into_iter().map(row).collect()
}

/// Recording and level of every session that was played to its end.
fn finished<'a>(outcome: &'a Outcome<'_>) -> impl Iterator<Item = (usize, Level)> + 'a {
    let played = outcome.sessions.iter().filter(|session| session.played.ending == Ending::Finished);
    played.filter_map(|session| Some((session.reel?, session.played.verdict?.level)))
}

fn compare(outcome: &Outcome<'_>) -> Comparison {
    let (mut n_compared, mut n_equal) = (0, 0);
    let mut differing: BTreeMap<(usize, Level, Level), u64> = BTreeMap::new();
    for (reel, level) in finished(outcome) {
        let Some(alone) = outcome.alone.get(reel).copied().flatten() else { continue };
        n_compared += 1;
        if level == alone {
            n_equal += 1;
        } else {
            *differing.entry((reel, alone, level)).or_default() += 1;
        }
    }
    let named = differing.into_iter().map(|((reel, alone, level), n_sessions)| Differing {
        recording: outcome.footages.get(reel).map(|footage| footage.name.clone()).unwrap_or_default(),
        alone,
        level,
        n_sessions,
    });
    Comparison { n_compared, n_equal, differing: named.collect() }
}

fn server_use(outcome: &Outcome<'_>) -> Option<ServerUse> {
    let (seconds, clock) = (&outcome.total.seconds, outcome.clock);
    let rss: Vec<u64> = seconds.iter().filter_map(|second| second.server_rss_bytes).collect();
    // A row belongs to the time of sending when it ends in it; half a second is the scheduler's.
    let is_sending = |secs: f64| secs <= clock.sending_secs + 0.5;
    let cpu = || seconds.iter().filter_map(|second| Some((second.secs, second.server_cpu_secs?)));
    let cpu_secs: f64 = cpu().map(|(_, cpu_secs)| cpu_secs).sum();
    let while_sending: f64 = cpu().filter(|(secs, _)| is_sending(*secs)).map(|(_, cpu_secs)| cpu_secs).sum();
    let last_secs = cpu().map(|(secs, _)| secs).take_while(|secs| is_sending(*secs)).last()?;
    let session_secs = outcome.total.session_secs;
    Some(ServerUse {
        cpu_secs,
        cpu_secs_per_sec: while_sending / last_secs,
        cpu_secs_per_session_sec: (session_secs > 0.0).then(|| cpu_secs / session_secs),
        rss_first_bytes: *rss.first()?,
        rss_last_bytes: *rss.last()?,
        rss_max_bytes: rss.into_iter().max()?,
    })
}

#[cfg(test)]
mod tests;
