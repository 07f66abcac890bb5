//! What the ledger says, as JSON objects and as lines of a table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::identity::{FalseMatches, Support};
use crate::service::ports::{CandidateRecord, FaceRecord, MatchRecord, VerdictRecord, WatchRecord};
use crate::service::{
    Comparison, HuntedFace, Ledger, LedgerEntry, LedgerPair, Likeness, Opinion, PairKind, Relation, SceneAgreement,
    SceneFigures, SceneMatch, SearchFigures, SearchHit, TemplateCondition,
};
use crate::session::CandidateId;

/// Columns of a table: keys of the objects, and their widths.
type Head = [(&'static str, usize)];

pub(super) const HUNT_HEAD: &Head =
    &[("face", 56), ("candidate", 20), ("time", 20), ("similarity", 10), ("llr", 6), ("confirmed", 9)];
pub(super) const SEARCH_HEAD: &Head =
    &[("face", 56), ("candidate", 20), ("time", 20), ("similarity", 10), ("llr", 6), ("relation", 16), ("verdict", 9)];
pub(super) const SCENES_HEAD: &Head = &[
    ("face", 56),
    ("candidate", 20),
    ("time", 20),
    ("score", 6),
    ("features", 8),
    ("llr", 6),
    ("relation", 16),
    ("verdict", 9),
];
pub(super) const COMPARE_HEAD: &Head = &[
    ("similarity", 10),
    ("llr", 6),
    ("llr_low", 7),
    ("llr_high", 8),
    ("opinion", 9),
    ("verdict", 9),
    ("scene_score", 11),
    ("scene_llr", 9),
    ("scene_opinion", 13),
    ("scene_verdict", 13),
];
pub(super) const MATCHES_HEAD: &Head = &[
    ("first", 56),
    ("second", 56),
    ("of", 5),
    ("proposal", 16),
    ("similarity", 10),
    ("verdict", 9),
    ("decided_by", 16),
];
pub(super) const CANDIDATES_HEAD: &Head =
    &[("candidate", 32), ("sessions", 8), ("references", 10), ("last_session", 20)];
pub(super) const ENTRIES_HEAD: &Head = &[("face", 56), ("time", 20), ("stage", 10), ("template", 12)];
pub(super) const PAIRS_HEAD: &Head =
    &[("first", 56), ("second", 56), ("kind", 22), ("similarity", 10), ("opinion", 9), ("verdict", 9)];
pub(super) const WATCHED_HEAD: &Head = &[("face", 56), ("candidate", 20), ("watched_by", 16), ("note", 20)];

/// A table's first line.
pub(super) fn head(columns: &[(&str, usize)]) -> String {
    let mut line = String::new();
    for (name, width) in columns {
        let _ = write!(line, "{:<width$} ", name.to_uppercase().replace('_', " "));
    }
    line.trim_end().to_owned()
}

/// One line of a table.
pub(super) fn row(object: &Value, columns: &[(&str, usize)]) -> String {
    let mut line = String::new();
    for (name, width) in columns {
        let text = match object.get(name) {
            None | Some(Value::Null) => "–".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) if number.is_f64() => format!("{:.2}", number.as_f64().unwrap_or(f64::NAN)),
            Some(other) => other.to_string(),
        };
        let _ = write!(line, "{text:<width$} ");
    }
    line.trim_end().to_owned()
}

fn of_face(face: &FaceRecord) -> serde_json::Map<String, Value> {
    let object = json!({
        "face": face.face.to_string(),
        "candidate": face.candidate.as_ref().map(CandidateId::as_str),
        "display_name": face.display_name,
        "time": format!("{:.0}", face.time),
        "watched": face.is_watched,
    });
    if let Value::Object(object) = object { object } else { serde_json::Map::new() }
}

fn add(object: &mut serde_json::Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        object.extend(more);
    }
}

fn of_likeness(likeness: &Likeness) -> Value {
    json!({
        "similarity": likeness.similarity,
        "llr": likeness.llr,
        "llr_low": likeness.llr_low,
        "llr_high": likeness.llr_high,
        "bounded": likeness.is_bounded,
        "opinion": opinion(likeness.opinion),
    })
}

const fn opinion(opinion: Opinion) -> &'static str {
    match opinion {
        Opinion::Same => "same",
        Opinion::Different => "different",
        Opinion::Unclear => "unclear",
    }
}

const fn relation(relation: Relation) -> &'static str {
    match relation {
        Relation::SameCandidate => "same candidate",
        Relation::OtherCandidate => "other candidate",
        Relation::Unknown => "unknown",
    }
}

fn of_verdict(verdict: Option<&VerdictRecord>) -> Value {
    json!({
        "verdict": verdict.map(|verdict| verdict.verdict.as_str()),
        "note": verdict.map(|verdict| verdict.note.as_str()),
        "decided_by": verdict.map(|verdict| verdict.by.as_str()),
        "decided_at": verdict.map(|verdict| format!("{:.0}", verdict.time)),
    })
}

/// A face that a hunt found.
pub(super) fn hunted(found: &HuntedFace) -> Value {
    let mut object = of_face(&found.face);
    add(&mut object, json!({ "confirmed": found.is_confirmed }));
    if let Some(likeness) = &found.likeness {
        add(&mut object, of_likeness(likeness));
    }
    Value::Object(object)
}

/// A hit of a search.
pub(super) fn hit(hit: &SearchHit) -> Value {
    let mut object = of_face(&hit.face);
    add(&mut object, of_likeness(&hit.likeness));
    add(&mut object, json!({ "relation": relation(hit.relation) }));
    add(&mut object, of_verdict(hit.verdict.as_ref()));
    Value::Object(object)
}

/// A session that seems to have been held in the same place.
pub(super) fn scene(hit: &SceneMatch) -> Value {
    let mut object = of_face(&hit.face);
    let SceneAgreement { score, n_matched, is_mirrored, llr, llr_low, llr_high, is_bounded, opinion: of } =
        hit.agreement;
    add(
        &mut object,
        json!({
            "score": score,
            "features": n_matched,
            "mirrored": is_mirrored,
            "llr": llr,
            "llr_low": llr_low,
            "llr_high": llr_high,
            "bounded": is_bounded,
            "opinion": opinion(of),
            "relation": relation(hit.relation),
        }),
    );
    add(&mut object, of_verdict(hit.verdict.as_ref()));
    Value::Object(object)
}

/// Two faces compared.
pub(super) fn comparison(comparison: &Comparison) -> Value {
    let mut object = serde_json::Map::new();
    add(&mut object, of_likeness(&comparison.likeness));
    add(&mut object, of_verdict(comparison.verdict.as_ref()));
    add(&mut object, json!({ "calibration": comparison.calibration }));
    if let Some(scene) = &comparison.scene {
        add(
            &mut object,
            json!({
                "scene_score": scene.agreement.score,
                "scene_llr": scene.agreement.llr,
                "scene_opinion": opinion(scene.agreement.opinion),
                "scene_verdict": scene.verdict.as_ref().map(|verdict| verdict.verdict.as_str()),
                "scene_calibration": scene.calibration,
            }),
        );
    }
    Value::Object(object)
}

/// Two faces that somebody or something spoke of.
pub(super) fn pair(pair: &MatchRecord) -> Value {
    let mut object = serde_json::Map::new();
    let proposal = pair.proposal.as_ref();
    add(
        &mut object,
        json!({
            "first": pair.first.face.to_string(),
            "second": pair.second.face.to_string(),
            "of": pair.kind.as_str(),
            "proposal": proposal.map(|proposal| proposal.reason.as_str()),
            "similarity": proposal.map(|proposal| proposal.similarity),
            "llr": proposal.map(|proposal| proposal.llr),
        }),
    );
    add(&mut object, of_verdict(pair.verdict.as_ref()));
    Value::Object(object)
}

/// A candidate.
pub(super) fn candidate(candidate: &CandidateRecord) -> Value {
    json!({
        "candidate": candidate.id.as_str(),
        "display_name": candidate.display_name,
        "sessions": candidate.n_sessions,
        "references": candidate.n_references,
        "last_session": candidate.last_session_time.map(|time| format!("{time:.0}")),
    })
}

/// A line of a ledger.
pub(super) fn entry(entry: &LedgerEntry) -> Value {
    let (face, time, stage, condition) = match entry {
        LedgerEntry::Session { session, face, condition } => {
            let face = face.as_ref().map_or_else(|| format!("sessions/{}", session.id), ToString::to_string);
            (face, session.create_time, session.labels.get("stage").cloned().unwrap_or_default(), condition)
        }
        LedgerEntry::Reference { reference, condition } => {
            (reference.name.to_string(), reference.create_time, reference.purpose.as_str().to_owned(), condition)
        }
    };
    let (template, n_embeddings) = match condition {
        TemplateCondition::Known(quality) => ("known", Some(quality.n_embeddings)),
        TemplateCondition::Missing(state) if state.as_str().is_empty() => ("not made yet", None),
        TemplateCondition::Missing(state) => (state.as_str(), None),
        TemplateCondition::OtherModel => ("other model", None),
        TemplateCondition::Unreadable => ("unreadable", None),
    };
    json!({
        "face": face,
        "time": format!("{time:.0}"),
        "stage": stage,
        "template": template,
        "embeddings": n_embeddings,
    })
}

/// Two lines of a ledger compared.
pub(super) fn ledger_pair(ledger: &Ledger, pair: &LedgerPair) -> Value {
    let face = |position: usize| ledger.entries.get(position).and_then(LedgerEntry::face).map(|face| face.to_string());
    let kind = match pair.kind {
        PairKind::WithinSession => "within session",
        PairKind::RoundToRound => "round to round",
        PairKind::AppliedToInterviewed => "applied to interviewed",
        PairKind::InterviewedToHired => "interviewed to hired",
        PairKind::Other => "other",
    };
    let mut object = serde_json::Map::new();
    add(&mut object, json!({ "first": face(pair.first), "second": face(pair.second), "kind": kind }));
    add(&mut object, of_likeness(&pair.likeness));
    add(&mut object, of_verdict(pair.verdict.as_ref()));
    Value::Object(object)
}

/// A face of the watch list.
pub(super) fn watched(watched: &WatchRecord) -> Value {
    let mut object = of_face(&watched.face);
    add(
        &mut object,
        json!({ "note": watched.note, "watched_by": watched.by, "watched_at": format!("{:.0}", watched.time) }),
    );
    Value::Object(object)
}

/// What stands behind a search, as a sentence.
pub(super) fn figures(figures: &SearchFigures) -> String {
    let text = format!(
        "{} templates searched from a similarity of {:.3}; were the person nowhere, {}",
        figures.n_searched,
        figures.threshold_similarity,
        expected(&figures.false_matches)
    );
    let left_out =
        [(figures.n_other_model, "another model made them"), (figures.n_unreadable, "their seals do not open")];
    with_left_out(text, &left_out)
}

/// What stands behind a search for a place, as a sentence.
pub(super) fn scene_figures(figures: &SceneFigures) -> String {
    let text = format!(
        "{} backgrounds searched from an agreement of {:.3}, {} agree; were nobody else in that place, {}",
        figures.n_searched,
        figures.threshold_score,
        figures.n_agreeing,
        expected(&figures.false_matches)
    );
    let left_out = [
        (figures.n_left_out, "they cannot be opened or compared"),
        (figures.n_too_old, "newer ones fill the memory (identity.max_scenes)"),
    ];
    with_left_out(text, &left_out)
}

fn expected(matches: &FalseMatches) -> String {
    let support = match matches.support {
        Support::Measured => "measured",
        Support::Extrapolated => "by the tail that was fitted to what was measured",
        Support::Beyond => "the least that the data can say",
    };
    let FalseMatches { expected, low, high, .. } = matches;
    format!("{expected:.2} false matches were to be expected ({low:.2} to {high:.2}; {support})")
}

fn with_left_out(mut text: String, left_out: &[(usize, &str)]) -> String {
    for (n_left_out, why) in left_out.iter().filter(|(n_left_out, _)| *n_left_out > 0) {
        let _ = write!(text, "; {n_left_out} left out because {why}");
    }
    text
}
