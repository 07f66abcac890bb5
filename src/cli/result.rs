//! Scores as JSON objects and as lines for a terminal: the same for `score` and `stream`.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::scoring::{Level, Score, SignalEvidence};
use crate::session::{ParticipantId, Segment};
use crate::signals::Reason;
use crate::text::{Language, reason as sentence};

/// Reasons shown beside a level on a terminal.
const MAX_SHOWN_REASONS: usize = 3;
/// Ratio below which a signal says too little to be shown among the strongest.
const MIN_TOLD_LLR: f64 = 0.2;

/// A participant with its score.
pub(super) fn participant_json(participant_id: &ParticipantId, score: &Score) -> Value {
    let authenticity = score.authenticity;
    json!({
        "participant": participant_id.as_str(),
        "level": score.level.as_str(),
        "authenticity": authenticity.map(|authenticity| authenticity.value),
        "authenticity_low": authenticity.map(|authenticity| authenticity.low),
        "authenticity_high": authenticity.map(|authenticity| authenticity.high),
        "usable_face_secs": score.usable_face_secs,
        "signals": score.signals.iter().map(signal_json).collect::<Vec<_>>(),
        "reasons": score.reasons.iter().map(reason_json).collect::<Vec<_>>(),
        "summary": strongest_reasons(score),
        "policy": score.policy,
        "engine": score.engine,
    })
}

/// A segment.
pub(super) fn segment_json(segment: &Segment) -> Value {
    json!({
        "segment": segment.ordinal,
        "participant": segment.participant_id.as_str(),
        "start_secs": segment.start.as_secs_f64(),
        "end_secs": segment.end.as_secs_f64(),
        "level": segment.level.as_str(),
        "signals": segment.signals.iter().map(signal_json).collect::<Vec<_>>(),
    })
}

fn signal_json(signal: &SignalEvidence) -> Value {
    json!({
        "name": signal.name.as_str(),
        "llr": signal.llr,
        "usable_ratio": signal.usable_ratio,
        "model": signal.model,
        "reasons": signal.reasons.iter().map(reason_json).collect::<Vec<_>>(),
    })
}

fn reason_json(reason: &Reason) -> Value {
    let values: Map<String, Value> = reason.values.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
    json!({ "code": reason.code, "values": values, "text": sentence(Language::En, reason) })
}

/// The table's first line, for [`row`].
pub(super) fn table_head() -> String {
    columns(["RECORDING", "LEVEL", "SCORE", "95 % INTERVAL", "FACE"].map(Cow::Borrowed))
}

/// One line of the table: what was scored, level, estimate, interval, usable face time.
pub(super) fn row(name: &str, score: &Score) -> String {
    let (estimate, interval) = score.authenticity.map_or_else(
        || ("–".to_owned(), "–".to_owned()),
        |authenticity| {
            (format!("{:.2}", authenticity.value), format!("{:.2} to {:.2}", authenticity.low, authenticity.high))
        },
    );
    let face = format!("{:.1} s", score.usable_face_secs);
    columns([name.into(), score.level.as_str().into(), estimate.into(), interval.into(), face.into()])
}

fn columns([name, level, estimate, interval, face]: [Cow<'_, str>; 5]) -> String {
    format!("{name:<30} {level:<12} {estimate:>6} {interval:>14} {face:>8}")
}

/// The strongest reasons, the score's own first, then signals by weight.
pub(super) fn strongest_reasons(score: &Score) -> Vec<String> {
    let mut told: Vec<String> = score.reasons.iter().map(|reason| sentence(Language::En, reason)).collect();
    let mut signals: Vec<&SignalEvidence> = score.signals.iter().collect();
    let weight = |signal: &SignalEvidence| {
        let llr = signal.llr.unwrap_or(0.0);
        // What speaks against comes first where the level does.
        if score.level >= Level::Suspicious { llr } else { -llr.abs() }
    };
    signals.sort_by(|a, b| weight(a).total_cmp(&weight(b)));
    for signal in signals {
        if let Some(llr) = signal.llr.filter(|llr| llr.abs() >= MIN_TOLD_LLR)
            && let Some(reason) = leading_reason(signal)
        {
            told.push(format!("{} {llr:+.1}: {}", signal.name, sentence(Language::En, reason)));
        }
    }
    told.truncate(MAX_SHOWN_REASONS);
    told
}

/// The reason that explains a signal's ratio: an event before a plain measurement.
fn leading_reason(signal: &SignalEvidence) -> Option<&Reason> {
    let is_event = |reason: &&Reason| {
        [
            "identity.changed",
            "identity.differs_from_reference",
            "stream.loop",
            "stream.duplicates",
            "stream.virtual_camera",
        ]
        .contains(&reason.code.as_ref())
    };
    signal.reasons.iter().find(is_event).or_else(|| signal.reasons.first())
}
