//! Sessions: creation, change, view.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::review::{review_state_to_wire, review_summary_from_wire};
use crate::grpc::field::{self, FieldError, MAX_TEXT_BYTES};
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::service::ports::SessionPatch;
use crate::service::{NewSession, ParticipantView, SessionView};
use crate::session::{CandidateId, EvidenceMode, SessionId};

use super::score::{level_from_wire, level_to_wire};
use super::{score_from_wire, score_to_wire};

const MAX_LABELS: usize = 64;
const MAX_LABEL_KEY_BYTES: usize = 63;
const MAX_LABEL_VALUE_BYTES: usize = 128;

/// What a caller gives to create a session.
pub(in crate::grpc) fn new_session_from_wire(
    session: v1::Session,
    id: Option<SessionId>,
    request_id: Option<String>,
) -> Result<NewSession, FieldError> {
    Ok(NewSession {
        id,
        display_name: field::text("display_name", session.display_name, MAX_TEXT_BYTES)?,
        external_ref: field::text("external_ref", session.external_ref, MAX_TEXT_BYTES)?,
        candidate: candidate_from_wire(&session.candidate)?,
        consent_reference: field::text("consent_reference", session.consent_reference, MAX_TEXT_BYTES)?,
        evidence: evidence_mode_from_wire(session.evidence_mode)?,
        labels: labels_from_wire(session.labels)?,
        expire_time: field::timestamp("expire_time", session.expire_time)?,
        request_id,
    })
}

/// The fields that `mask` names; without a mask those that are not empty (AIP-134).
pub(in crate::grpc) fn patch_from_wire(
    session: v1::Session,
    mask: Option<prost_types::FieldMask>,
) -> Result<SessionPatch, FieldError> {
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    field::at_most("update_mask", &paths, 16)?;
    let all = ["display_name", "external_ref", "candidate", "labels", "expire_time"];
    if let Some(path) = paths.iter().find(|path| *path != "*" && !all.contains(&path.as_str())) {
        let path: String = path.chars().take(40).collect();
        let problem = format!("{path:?} cannot be changed: use {} or *", all.join(", "));
        return Err(FieldError::new("update_mask", problem));
    }
    let is_named = |field: &str, is_filled: bool| {
        if paths.is_empty() { is_filled } else { paths.iter().any(|path| path == "*" || path == field) }
    };
    let patch = SessionPatch {
        display_name: is_named("display_name", !session.display_name.is_empty())
            .then(|| field::text("display_name", session.display_name, MAX_TEXT_BYTES))
            .transpose()?,
        external_ref: is_named("external_ref", !session.external_ref.is_empty())
            .then(|| field::text("external_ref", session.external_ref, MAX_TEXT_BYTES))
            .transpose()?,
        candidate: is_named("candidate", !session.candidate.is_empty())
            .then(|| candidate_from_wire(&session.candidate))
            .transpose()?,
        labels: is_named("labels", !session.labels.is_empty()).then(|| labels_from_wire(session.labels)).transpose()?,
        expire_time: is_named("expire_time", session.expire_time.is_some())
            .then(|| field::timestamp("expire_time", session.expire_time))
            .transpose()?,
    };
    if patch == SessionPatch::default() {
        return Err(FieldError::new(
            "update_mask",
            "names nothing to change: set it, or fill a field that can be changed",
        ));
    }
    Ok(patch)
}

/// The candidate of a session; empty for none.
fn candidate_from_wire(name: &str) -> Result<Option<CandidateId>, FieldError> {
    Some(name).filter(|name| !name.is_empty()).map(|name| name::parse_candidate("candidate", name)).transpose()
}

/// A mode as a caller or an earlier server says it; `None` for none.
fn evidence_mode_from_wire(mode: i32) -> Result<Option<EvidenceMode>, FieldError> {
    match v1::EvidenceMode::try_from(mode) {
        Ok(v1::EvidenceMode::Unspecified) => Ok(None),
        Ok(v1::EvidenceMode::Stills) => Ok(Some(EvidenceMode::Stills)),
        Ok(v1::EvidenceMode::NoImages) => Ok(Some(EvidenceMode::NoImages)),
        Err(_) => Err(FieldError::new("evidence_mode", "is not known: use one of EvidenceMode")),
    }
}

/// A mode for the wire.
pub(super) fn evidence_mode_to_wire(mode: EvidenceMode) -> v1::EvidenceMode {
    match mode {
        EvidenceMode::Stills => v1::EvidenceMode::Stills,
        EvidenceMode::NoImages => v1::EvidenceMode::NoImages,
    }
}

fn labels_from_wire(labels: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, FieldError> {
    if labels.len() > MAX_LABELS {
        return Err(FieldError::new("labels", format!("has {} entries: use at most {MAX_LABELS}", labels.len())));
    }
    let is_key = |key: &str| {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        (1..=MAX_LABEL_KEY_BYTES).contains(&key.len()) && key.bytes().all(is_word)
    };
    labels
        .into_iter()
        .map(|(key, value)| {
            if !is_key(&key) {
                return Err(FieldError::new("labels", "keys must be 1 to 63 of a-z, 0-9, '_' and '-'"));
            }
            Ok((key, field::text("labels", value, MAX_LABEL_VALUE_BYTES)?))
        })
        .collect()
}

/// A session for the wire.
pub(in crate::grpc) fn session_to_wire(view: SessionView) -> v1::Session {
    let state = if view.end_time.is_some() { v1::SessionState::Finished } else { v1::SessionState::Open };
    v1::Session {
        name: name::session_name(&view.id),
        display_name: view.display_name,
        external_ref: view.external_ref,
        create_time: Some(timestamp_to_wire(view.create_time)),
        end_time: view.end_time.map(timestamp_to_wire),
        expire_time: view.expire_time.map(timestamp_to_wire),
        etag: view.etag,
        labels: view.labels,
        candidate: view.candidate.as_ref().map(name::candidate_name).unwrap_or_default(),
        consent_reference: view.consent_reference,
        evidence_mode: evidence_mode_to_wire(view.evidence).into(),
        policy: view.policy,
        state: state.into(),
        level: level_to_wire(view.level).into(),
        review_state: review_state_to_wire(view.review.state).into(),
        assignee: view.review.assignee,
        legal_hold: view.review.is_held,
        participants: view
            .participants
            .iter()
            .map(|participant| v1::Participant {
                participant_id: participant.participant_id.as_str().to_owned(),
                score: Some(score_to_wire(&participant.participant_id, &participant.score)),
            })
            .collect(),
    }
}

/// A session as a client reads it.
pub(in crate::grpc) fn session_from_wire(session: v1::Session) -> Result<SessionView, FieldError> {
    let participants = session.participants.into_iter().map(|participant| {
        let (participant_id, score) = score_from_wire(field::required("score", participant.score)?)?;
        Ok(ParticipantView { participant_id, score })
    });
    Ok(SessionView {
        id: name::parse_session("name", &session.name)?,
        display_name: session.display_name,
        external_ref: session.external_ref,
        candidate: candidate_from_wire(&session.candidate)?,
        consent_reference: session.consent_reference,
        evidence: evidence_mode_from_wire(session.evidence_mode)?.unwrap_or_default(),
        labels: session.labels,
        policy: session.policy,
        create_time: field::required("create_time", field::timestamp("create_time", session.create_time)?)?,
        end_time: field::timestamp("end_time", session.end_time)?,
        expire_time: field::timestamp("expire_time", session.expire_time)?,
        etag: session.etag,
        level: level_from_wire("level", session.level)?,
        review: review_summary_from_wire(session.review_state, session.assignee, session.legal_hold)?,
        participants: participants.collect::<Result<_, FieldError>>()?,
    })
}

/// A wall-clock time for the wire.
pub(in crate::grpc) fn timestamp_to_wire(time: Timestamp) -> prost_types::Timestamp {
    let nanos = time.as_nanosecond();
    let seconds = nanos.div_euclid(1_000_000_000);
    prost_types::Timestamp {
        // Both fit: the whole range of `Timestamp` has fewer than 2^40 seconds, and the remainder is below 1e9.
        seconds: i64::try_from(seconds).unwrap_or(0),
        nanos: i32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::grpc::convert::score::tests::score;
    use crate::grpc::proto::v1;
    use crate::scoring::Level;
    use crate::service::ports::{ReviewSummary, SessionPatch};
    use crate::service::{ParticipantView, SessionView};
    use crate::session::{CandidateId, EvidenceMode, ParticipantId, SessionId};

    use super::{new_session_from_wire, patch_from_wire, session_from_wire, session_to_wire};

    #[expect(clippy::unnecessary_wraps, reason = "a mask may be missing on the wire")]
    fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
        Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
    }

    fn labels(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn sessions_survive_the_round_trip() {
        let view = SessionView {
            id: SessionId::new("interview-7").expect("valid"),
            display_name: "Interview 7".into(),
            external_ref: "req-17".into(),
            candidate: Some(CandidateId::new("ats-7").expect("valid")),
            consent_reference: "consent/1".into(),
            evidence: EvidenceMode::NoImages,
            labels: labels("team", "eu"),
            policy: "default@1".into(),
            create_time: "2026-01-31T00:00:00.000000007Z".parse().expect("a time"),
            end_time: Some("1969-12-31T23:59:59.5Z".parse().expect("a time")),
            expire_time: None,
            etag: "r7".into(),
            level: Level::Suspicious,
            review: ReviewSummary {
                state: crate::service::ports::ReviewState::InReview,
                assignee: "anna".into(),
                is_held: true,
            },
            participants: vec![ParticipantView {
                participant_id: ParticipantId::new("user-7").expect("valid"),
                score: score(Level::Suspicious, Some(0.5)),
            }],
        };
        let wire = session_to_wire(view.clone());
        assert_eq!(wire.state, i32::from(v1::SessionState::Finished));
        assert_eq!(session_from_wire(wire), Ok(view));
    }

    #[test]
    fn bad_new_sessions_are_refused_by_field() {
        let check = |field: &str, change: fn(&mut v1::Session)| {
            let mut session = v1::Session::default();
            change(&mut session);
            assert_eq!(new_session_from_wire(session, None, None).expect_err(field).field, field);
        };
        check("display_name", |session| session.display_name = "x".repeat(257));
        check("external_ref", |session| session.external_ref = "a\nb".into());
        check("consent_reference", |session| session.consent_reference = "x".repeat(257));
        check("candidate", |session| session.candidate = "ats-7".into());
        check("evidence_mode", |session| session.evidence_mode = 7);
        check("labels", |session| session.labels = labels("Team", "eu"));
        check("labels", |session| session.labels = labels("team", &"x".repeat(129)));
        check("labels", |session| {
            session.labels = (0..65).map(|n| (format!("k{n}"), String::new())).collect();
        });
        check("expire_time", |session| {
            session.expire_time = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
        });
    }

    #[test]
    fn masks_say_what_changes() {
        let session = v1::Session { display_name: "New".into(), ..Default::default() };
        let named = patch_from_wire(session.clone(), mask(&["external_ref", "expire_time"])).expect("valid");
        let expected =
            SessionPatch { external_ref: Some(String::new()), expire_time: Some(None), ..SessionPatch::default() };
        assert_eq!(named, expected);
        let filled = patch_from_wire(session.clone(), None).expect("valid");
        assert_eq!(filled, SessionPatch { display_name: Some("New".into()), ..SessionPatch::default() });
        let all = patch_from_wire(session.clone(), mask(&["*"])).expect("valid");
        assert!(all.labels.is_some() && all.expire_time == Some(None));
        for bad in ["consent_reference", "name", "labels.team", ""] {
            assert_eq!(patch_from_wire(session.clone(), mask(&[bad])).expect_err(bad).field, "update_mask");
        }
        assert_eq!(patch_from_wire(v1::Session::default(), None).expect_err("empty").field, "update_mask");
    }
}
