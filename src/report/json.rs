//! A report as canonical JSON: sorted keys, no space, numbers to the last bit.
//!
//! `{"content": …, "content_sha256": …, "format": "bonafide-report", "version": 1}`; the digest is that of the bytes of
//! `content`. Codes and numbers are the same in every language; members named `text` and `words` are in that of the report.
//! A member may be added; any other change is a new version.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::audit::Digest;
use crate::scoring::{Authenticity, Score, SignalEvidence};
use crate::service::ports::{AuditRow, Decision, Mark, TimelinePoint};
use crate::service::{ParticipantView, ReportContent, ReportPicture, ReportStill, SecondReviewer, SessionView};
use crate::session::{Segment, SegmentState, StillGap, StillSubject};
use crate::signals::Reason;
use crate::text::Language;

use super::error::ReportError;
use super::words::Words;

/// The version that is written.
const VERSION: u32 = 1;

/// A report as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenJson {
    /// The file.
    pub bytes: Vec<u8>,
    /// SHA-256 of the member `content`, as it stands in the file.
    pub content_sha256: Digest,
}

/// Writes a report as JSON.
///
/// # Errors
/// [`ReportError::Json`] should serialisation fail.
pub fn to_json(content: &ReportContent, language: Language) -> Result<WrittenJson, ReportError> {
    let failed = |source| ReportError::Json { source };
    let inner = serde_json::to_string(&sorted(content_json(content, Words(language)))).map_err(failed)?;
    let content_sha256 = Digest(Sha256::digest(&inner).into());
    let file = format!(
        "{{\"content\":{inner},\"content_sha256\":\"{content_sha256}\",\"format\":\"bonafide-report\",\"version\":{VERSION}}}\n"
    );
    Ok(WrittenJson { bytes: file.into_bytes(), content_sha256 })
}

/// The same with the keys of every object in order, however they were put in.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

fn content_json(content: &ReportContent, words: Words) -> Value {
    let (says, says_not) = words.statements(content.n_segments);
    json!({
        "made": { "time": content.made.to_string(), "for": content.made_by.to_string(), "program": content.engine },
        "language": words.0.tag(),
        "session": session_json(&content.session, words),
        "participants": content.session.participants.iter().map(|one| participant_json(one, words)).collect::<Vec<_>>(),
        "timelines": content.timelines.iter().map(|timeline| json!({
            "participant": timeline.participant_id.as_str(),
            "points": timeline.points.iter().map(point_json).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "segments": content.segments.iter().map(|one| segment_json(one, content, words)).collect::<Vec<_>>(),
        "segments_left_out": content.n_segments.saturating_sub(content.segments.len() as u64),
        "review": review_json(content, words),
        "stills": content.stills.iter().map(still_json).collect::<Vec<_>>(),
        "gaps": content.gaps.iter().map(gap_json).collect::<Vec<_>>(),
        "stills_left_out": content.n_stills.saturating_sub(content.stills.len() as u64),
        "journal": { "entries": content.journal.n_entries, "sha256": content.journal.sha256.to_string() },
        "audit": content.audit.iter().map(|row| audit_json(row, words)).collect::<Vec<_>>(),
        "audit_left_out": content.n_audit_rows.saturating_sub(content.audit.len() as u64),
        "audit_end": { "row": content.log_end.sequence, "sha256": content.log_end.hash.to_string() },
        "words": {
            "says": says,
            "says_not": says_not,
            "limits": words.limits().collect::<Vec<_>>(),
        },
    })
}

fn session_json(session: &SessionView, words: Words) -> Value {
    json!({
        "id": session.id.as_str(),
        "display_name": session.display_name,
        "external_ref": session.external_ref,
        "candidate": session.candidate.as_ref().map(|candidate| candidate.as_str().to_owned()),
        "consent_reference": session.consent_reference,
        "labels": session.labels,
        "evidence": session.evidence.as_str(),
        "policy": session.policy,
        "created": session.create_time.to_string(),
        "ended": session.end_time.map(|time| time.to_string()),
        "expires": session.expire_time.map(|time| time.to_string()),
        "level": session.level.as_str(),
        "text": { "level": words.level(session.level), "meaning": words.meaning(session.level) },
    })
}

fn participant_json(participant: &ParticipantView, words: Words) -> Value {
    let Score {
        authenticity,
        level,
        signals,
        reasons,
        usable_face_secs,
        window_start_secs,
        window_end_secs,
        policy,
        engine,
    } = &participant.score;
    json!({
        "participant": participant.participant_id.as_str(),
        "level": level.as_str(),
        "authenticity": authenticity_json(*authenticity),
        "usable_face_secs": usable_face_secs,
        "start_secs": window_start_secs,
        "end_secs": window_end_secs,
        "reasons": reasons.iter().map(|reason| reason_json(reason, words)).collect::<Vec<_>>(),
        "signals": signals.iter().map(|signal| signal_json(signal, words)).collect::<Vec<_>>(),
        "policy": policy,
        "program": engine,
        "text": { "level": words.level(*level), "meaning": words.meaning(*level) },
    })
}

fn authenticity_json(authenticity: Option<Authenticity>) -> Value {
    authenticity
        .map_or(Value::Null, |Authenticity { value, low, high }| json!({ "value": value, "low": low, "high": high }))
}

fn signal_json(signal: &SignalEvidence, words: Words) -> Value {
    json!({
        "signal": signal.name.as_str(),
        "llr": signal.llr,
        "usable_ratio": signal.usable_ratio,
        "model": signal.model,
        "reasons": signal.reasons.iter().map(|reason| reason_json(reason, words)).collect::<Vec<_>>(),
        "text": words.signal(signal.name),
    })
}

fn reason_json(reason: &Reason, words: Words) -> Value {
    let values: Map<String, Value> = reason.values.iter().map(|(key, value)| (key.to_string(), json!(value))).collect();
    json!({ "code": reason.code, "values": values, "text": words.reason(reason) })
}

fn point_json(point: &TimelinePoint) -> Value {
    json!({
        "at_secs": point.at_secs,
        "level": point.level.as_str(),
        "authenticity": authenticity_json(point.authenticity),
    })
}

fn segment_json(segment: &Segment, content: &ReportContent, words: Words) -> Value {
    let mark = content.review.marks.iter().find(|mark| mark.ordinal == segment.ordinal);
    json!({
        "segment": segment.ordinal,
        "participant": segment.participant_id.as_str(),
        "start_secs": segment.start.as_secs_f64(),
        "end_secs": segment.end.as_secs_f64(),
        "level": segment.level.as_str(),
        "is_open": segment.state == SegmentState::Open,
        "signals": segment.signals.iter().map(|signal| signal_json(signal, words)).collect::<Vec<_>>(),
        "mark": mark.map(|mark| mark_json(mark, words)),
        "text": words.level(segment.level),
    })
}

fn mark_json(mark: &Mark, words: Words) -> Value {
    json!({
        "verdict": mark.verdict.as_str(),
        "note": mark.note,
        "by": mark.by,
        "time": mark.time.to_string(),
        "text": words.mark(mark.verdict),
    })
}

fn review_json(content: &ReportContent, words: Words) -> Value {
    let review = &content.review;
    json!({
        "state": review.summary.state.as_str(),
        "assignee": review.summary.assignee,
        "is_held": review.summary.is_held,
        "second_reviewer": match content.second_reviewer {
            SecondReviewer::Never => "never",
            SecondReviewer::Decline => "decline",
            SecondReviewer::Always => "always",
        },
        "decisions": review.decisions.iter().map(|decision| decision_json(decision, words)).collect::<Vec<_>>(),
        "text": words.state(review.summary.state),
    })
}

fn decision_json(decision: &Decision, words: Words) -> Value {
    json!({
        "decision": decision.kind.as_str(),
        "note": decision.note,
        "by": decision.by,
        "time": decision.time.to_string(),
        "text": words.decision(decision.kind),
    })
}

fn still_json(still: &ReportStill) -> Value {
    let picture =
        |picture: &ReportPicture| json!({ "sha256": picture.sha256.to_string(), "bytes": picture.jpeg.len() });
    json!({
        "still": still.ordinal,
        "participant": still.participant_id.as_str(),
        "segment": still.segment,
        "at_secs": still.at.as_secs_f64(),
        "frame": picture(&still.frame),
        "chip": still.chip.as_ref().map(picture),
        "face_box": still.face_box,
        "presentation_score": still.presentation_score,
        "deepfake_score": still.deepfake_score,
    })
}

fn gap_json(gap: &StillGap) -> Value {
    let segment = match gap.shows {
        StillSubject::Enrolment => None,
        StillSubject::Segment(ordinal) => Some(ordinal),
    };
    json!({ "participant": gap.participant_id.as_str(), "segment": segment, "cause": gap.cause.as_str() })
}

fn audit_json(row: &AuditRow, words: Words) -> Value {
    json!({
        "row": row.sequence,
        "time": row.event.time.to_string(),
        "by": row.event.actor.to_string(),
        "action": row.event.action.as_str(),
        "outcome": row.event.outcome.as_str(),
        "details": row.event.details,
        "text": words.action(row.event.action),
    })
}
