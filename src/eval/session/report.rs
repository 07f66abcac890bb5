//! The session report: error rates, levels by label, and every recording with its reasons.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::eval::clip::short_name;
use crate::eval::manifest::{Item, Label};
use crate::eval::output::{EvalReport, versions};
use crate::eval::plot::{Curve, det_svg, reliability_svg, risk_coverage_svg, roc_svg};
use crate::eval::run::Bench;
use crate::eval::table::{by_species, headline};
use crate::eval::trial::{Figures, Trial};
use crate::scoring::{Level, Score};
use crate::signals::{Reason, SignalName};

use super::Outcome;

/// Evidence below which a signal is not named among the reasons.
const MIN_TOLD_LLR: f64 = -0.5;

/// Attacks from which a ranking says something.
const MIN_RANKED_ATTACKS: u64 = 20;

/// Puts all figures together.
pub(super) fn write(bench: &Bench<'_>, items: &[Item], outcomes: &[Outcome], trials: &[Trial]) -> EvalReport {
    let figures = Figures::of(trials);
    let mut text = String::from("# Sessions\n\n");
    let _ = writeln!(
        text,
        "{} bona fide and {} attack recordings, scored by {}.\n",
        figures.n_bona_fide,
        figures.n_attack,
        bench.policy.name()
    );
    text.push_str(&levels_by_label(items, outcomes));
    text.push('\n');
    text.push_str(&headline(&[("sessions with a verdict", &figures)]));
    if figures.n_attack < MIN_RANKED_ATTACKS {
        text.push_str("Figures that rank sessions (AUC to minimum Cllr) say nothing with so few attacks.\n");
    }
    text.push('\n');
    text.push_str(&by_species(&figures, "label"));
    text.push_str("\n## Every recording\n\n");
    text.push_str(&recordings(items, outcomes));
    let ranking = Figures::ranking(trials);
    let curves: Vec<Curve<'_>> = ranking.iter().map(|ranking| Curve { name: "sessions", ranking }).collect();
    EvalReport {
        markdown: text,
        json: json!({
            "task": "session",
            "versions": versions(bench),
            "figures": figures,
            "recordings": items.iter().zip(outcomes).map(|(item, outcome)| recording_json(item, outcome)).collect::<Vec<_>>(),
        }),
        rows: items.iter().zip(trials).map(|(item, trial)| trial.row(item)).collect(),
        plots: vec![
            ("roc.svg", roc_svg(&curves)),
            ("det.svg", det_svg(&curves)),
            ("reliability.svg", reliability_svg(&[("sessions", &figures.reliability)])),
            ("risk-coverage.svg", risk_coverage_svg(&[("sessions", &Figures::risks(trials))])),
        ],
    }
}

fn levels_by_label(items: &[Item], outcomes: &[Outcome]) -> String {
    let mut counts: BTreeMap<&str, [u32; 4]> = BTreeMap::new();
    for (item, outcome) in items.iter().zip(outcomes) {
        let level = outcome.score.as_ref().map_or(Level::Inconclusive, |score| score.level);
        let of_label = counts.entry(&item.name).or_default();
        for (count, of_level) in of_label.iter_mut().zip(Level::ALL) {
            *count += u32::from(level == of_level);
        }
    }
    let mut text = String::from("| label |");
    for level in Level::ALL {
        let _ = write!(text, " {} |", level.as_str());
    }
    text.push_str("\n|---|---|---|---|---|\n");
    for (label, counts) in counts {
        let [inconclusive, clear, suspicious, alert] = counts;
        let _ = writeln!(text, "| {label} | {inconclusive} | {clear} | {suspicious} | {alert} |");
    }
    text
}

fn recordings(items: &[Item], outcomes: &[Outcome]) -> String {
    let mut text = String::from(
        "| recording | label | level | authenticity | usable face | verdict | identity, presentation, deepfake, motion, presence, \
         stream (llr) | reasons |\n|---|---|---|---|---|---|---|---|\n",
    );
    for (item, outcome) in items.iter().zip(outcomes) {
        let name = short_name(&item.file);
        let Some(score) = &outcome.score else {
            let problem = outcome.problem.as_deref().unwrap_or("no participant");
            let _ = writeln!(text, "| {name} | {} | – | – | – | not readable | – | {problem} |", item.name);
            continue;
        };
        let estimate = score.authenticity.map_or_else(
            || "–".to_owned(),
            |estimate| format!("{:.2} ({:.2} to {:.2})", estimate.value, estimate.low, estimate.high),
        );
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {estimate} | {:.0} of {:.0} s | {} | {} | {} |",
            item.name,
            score.level.as_str(),
            score.usable_face_secs,
            outcome.duration_secs.unwrap_or(score.window_end_secs - score.window_start_secs),
            verdict(item.label(), score.level),
            ratios(score),
            reasons(score).join("; "),
        );
    }
    text
}

/// What the level is worth, given the truth.
fn verdict(label: Option<Label>, level: Level) -> &'static str {
    match (label, level) {
        (_, Level::Inconclusive) => "none",
        (Some(Label::BonaFide), Level::Clear) | (Some(Label::Attack), Level::Suspicious | Level::Alert) => "right",
        (Some(Label::BonaFide), Level::Suspicious | Level::Alert) => "**false alarm**",
        (Some(Label::Attack), Level::Clear) => "**missed**",
        (None, _) => "unknown",
    }
}

fn ratios(score: &Score) -> String {
    let ratio = |signal: SignalName| {
        let llr = score.signals.iter().find(|evidence| evidence.name == signal).and_then(|evidence| evidence.llr);
        llr.map_or_else(|| "–".to_owned(), |llr| format!("{llr:+.1}"))
    };
    SignalName::ALL.map(ratio).join(", ")
}

/// The score's own reasons, then the first of every signal that speaks against the participant.
fn reasons(score: &Score) -> Vec<String> {
    let against = score.signals.iter().filter(|signal| signal.llr.is_some_and(|llr| llr < MIN_TOLD_LLR));
    let of_signals = against.filter_map(|signal| signal.reasons.last());
    score.reasons.iter().chain(of_signals).map(told).collect()
}

fn told(reason: &Reason) -> String {
    let values: Vec<String> = reason.values.iter().map(|(key, value)| format!("{key} {value:.2}")).collect();
    if values.is_empty() { reason.code.to_string() } else { format!("{} ({})", reason.code, values.join(", ")) }
}

fn recording_json(item: &Item, outcome: &Outcome) -> Value {
    let score = outcome.score.as_ref();
    json!({
        "path": item.path,
        "label": item.name,
        "level": score.map(|score| score.level.as_str()),
        "authenticity": score.and_then(|score| score.authenticity).map(|estimate| estimate.value),
        "authenticity_low": score.and_then(|score| score.authenticity).map(|estimate| estimate.low),
        "authenticity_high": score.and_then(|score| score.authenticity).map(|estimate| estimate.high),
        "usable_face_secs": score.map(|score| score.usable_face_secs),
        "duration_secs": outcome.duration_secs,
        "n_segments": outcome.n_segments,
        "signals": score.map(|score| score.signals.iter().map(|signal| json!({
            "name": signal.name.as_str(),
            "llr": signal.llr,
            "reasons": signal.reasons.iter().map(told).collect::<Vec<_>>(),
        })).collect::<Vec<_>>()),
        "reasons": score.map(|score| score.reasons.iter().map(told).collect::<Vec<_>>()),
        "problem": outcome.problem,
    })
}
