//! Faces across sessions: subjects in; faces, likenesses, verdicts and figures out. No template leaves the server.

use crate::grpc::field::{self, FieldError};
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::identity::Support;
use crate::service::ports::{
    CandidateRecord, FaceName, FaceRecord, MatchRecord, MatchVerdict, Proposal, ReferencePurpose, ReferenceRecord,
    TemplateKind, TemplateState, VerdictRecord, WatchRecord,
};
use crate::service::{
    Comparison, Hunt, HuntedFace, Ledger, LedgerEntry, LedgerPair, Likeness, NewReference, Opinion, PairKind,
    ReferenceSource, Relation, SearchAnswer, SearchFigures, SearchHit, SessionFace, Subject, TemplateCondition,
    TemplateQuality,
};
use crate::session::{ParticipantId, SessionId};

use super::scene::agreement_to_wire;
use super::session::timestamp_to_wire;

/// The label that says how far the process was.
const STAGE_LABEL: &str = "stage";

/// Whose face is meant.
pub(in crate::grpc) fn subject_from_wire(
    field: &'static str,
    subject: Option<v1::FaceSubject>,
) -> Result<Subject, FieldError> {
    let subject = subject
        .and_then(|subject| subject.subject)
        .ok_or_else(|| FieldError::new(field, "is not set: name a session, a reference or send an image"))?;
    let converted = match subject {
        v1::face_subject::Subject::Session(face) => session_face_from_wire(&face).map(Subject::Session),
        v1::face_subject::Subject::Reference(name) => name::parse_reference("reference", &name).map(Subject::Reference),
        v1::face_subject::Subject::Image(image) => Ok(Subject::Picture(image)),
    };
    converted.map_err(|error| error.within(field))
}

pub(super) fn session_face_from_wire(face: &v1::SessionFace) -> Result<SessionFace, FieldError> {
    let participant =
        (!face.participant_id.is_empty()).then(|| ParticipantId::new(&face.participant_id)).transpose()?;
    let person = u32::try_from(face.person)
        .map_err(|_| FieldError::new("person", "is negative: 0 is whom the participant began with"))?;
    Ok(SessionFace { session: name::parse_session("session", &face.session)?, participant, person })
}

/// A reference to enrol.
pub(in crate::grpc) fn new_reference_from_wire(
    request: v1::EnrollReferenceRequest,
) -> Result<NewReference, FieldError> {
    let source = match request.source {
        Some(v1::enroll_reference_request::Source::Image(image)) => ReferenceSource::Picture(image),
        Some(v1::enroll_reference_request::Source::Session(face)) => {
            ReferenceSource::Session(session_face_from_wire(&face).map_err(|error| error.within("session"))?)
        }
        None => return Err(FieldError::new("source", "is not set: send an image or name a session")),
    };
    Ok(NewReference {
        candidate: name::parse_candidate("candidate", &request.candidate)?,
        display_name: field::text("display_name", request.display_name, field::MAX_TEXT_BYTES)?,
        purpose: purpose_from_wire(request.purpose)?,
        source,
        consent_reference: field::text("consent_reference", request.consent_reference, field::MAX_TEXT_BYTES)?,
        expire_time: field::timestamp("expire_time", request.expire_time)?,
    })
}

fn purpose_from_wire(purpose: i32) -> Result<ReferencePurpose, FieldError> {
    match v1::ReferencePurpose::try_from(purpose) {
        Ok(v1::ReferencePurpose::Applied) => Ok(ReferencePurpose::Applied),
        Ok(v1::ReferencePurpose::Interviewed) => Ok(ReferencePurpose::Interviewed),
        Ok(v1::ReferencePurpose::Hired) => Ok(ReferencePurpose::Hired),
        Ok(v1::ReferencePurpose::Unspecified) | Err(_) => {
            Err(FieldError::new("purpose", "is not set or not known: use a value of ReferencePurpose"))
        }
    }
}

/// What a person says of two faces.
pub(in crate::grpc) fn match_verdict_from_wire(verdict: i32) -> Result<MatchVerdict, FieldError> {
    match v1::MatchVerdict::try_from(verdict) {
        Ok(v1::MatchVerdict::Same) => Ok(MatchVerdict::Same),
        Ok(v1::MatchVerdict::Different) => Ok(MatchVerdict::Different),
        Ok(v1::MatchVerdict::Unspecified) | Err(_) => Err(FieldError::new(
            "verdict",
            "is not set or not known: use MATCH_VERDICT_SAME or MATCH_VERDICT_DIFFERENT",
        )),
    }
}

/// Of what a person says it.
pub(in crate::grpc) fn match_kind_from_wire(kind: i32) -> Result<TemplateKind, FieldError> {
    match v1::MatchKind::try_from(kind) {
        Ok(v1::MatchKind::Unspecified | v1::MatchKind::Face) => Ok(TemplateKind::Face),
        Ok(v1::MatchKind::Scene) => Ok(TemplateKind::Scene),
        Err(_) => Err(FieldError::new("kind", "is not known: use MATCH_KIND_FACE or MATCH_KIND_SCENE")),
    }
}

fn purpose_to_wire(purpose: Option<ReferencePurpose>) -> i32 {
    let purpose = match purpose {
        None => v1::ReferencePurpose::Unspecified,
        Some(ReferencePurpose::Applied) => v1::ReferencePurpose::Applied,
        Some(ReferencePurpose::Interviewed) => v1::ReferencePurpose::Interviewed,
        Some(ReferencePurpose::Hired) => v1::ReferencePurpose::Hired,
    };
    purpose.into()
}

/// A candidate for the wire.
pub(in crate::grpc) fn candidate_to_wire(candidate: CandidateRecord) -> v1::Candidate {
    v1::Candidate {
        name: name::candidate_name(&candidate.id),
        display_name: candidate.display_name,
        session_count: count(candidate.n_sessions),
        reference_count: count(candidate.n_references),
        last_session_time: candidate.last_session_time.map(timestamp_to_wire),
    }
}

/// A reference for the wire.
pub(in crate::grpc) fn reference_to_wire(reference: ReferenceRecord) -> v1::Reference {
    v1::Reference {
        name: reference.name.to_string(),
        purpose: purpose_to_wire(Some(reference.purpose)),
        source_session: reference.source_session.as_ref().map(name::session_name).unwrap_or_default(),
        consent_reference: reference.consent_reference,
        create_time: Some(timestamp_to_wire(reference.create_time)),
        created_by: reference.created_by,
        expire_time: reference.expire_time.map(timestamp_to_wire),
    }
}

/// A face for the wire.
pub(in crate::grpc) fn face_to_wire(record: FaceRecord) -> v1::Face {
    v1::Face {
        face: Some(face_name_to_wire(record.face)),
        candidate: record.candidate.as_ref().map(name::candidate_name).unwrap_or_default(),
        display_name: record.display_name,
        create_time: Some(timestamp_to_wire(record.time)),
        purpose: purpose_to_wire(record.purpose),
        watched: record.is_watched,
    }
}

fn face_name_to_wire(face: FaceName) -> v1::face::Face {
    match face {
        FaceName::Session { session, participant, person } => {
            v1::face::Face::Session(session_face_to_wire(&session, participant.as_str(), person))
        }
        FaceName::Reference(name) => v1::face::Face::Reference(name.to_string()),
    }
}

fn session_face_to_wire(session: &SessionId, participant: &str, person: u32) -> v1::SessionFace {
    v1::SessionFace {
        session: name::session_name(session),
        participant_id: participant.to_owned(),
        person: i32::try_from(person).unwrap_or(i32::MAX),
    }
}

fn quality_to_wire(quality: TemplateQuality) -> v1::TemplateQuality {
    v1::TemplateQuality {
        embeddings: i32::try_from(quality.n_embeddings).unwrap_or(i32::MAX),
        spread: f64::from(quality.spread),
    }
}

pub(super) const fn opinion_to_wire(opinion: Opinion) -> v1::FaceOpinion {
    match opinion {
        Opinion::Same => v1::FaceOpinion::Same,
        Opinion::Different => v1::FaceOpinion::Different,
        Opinion::Unclear => v1::FaceOpinion::Unclear,
    }
}

pub(super) const fn relation_to_wire(relation: Relation) -> v1::FaceRelation {
    match relation {
        Relation::SameCandidate => v1::FaceRelation::SameCandidate,
        Relation::OtherCandidate => v1::FaceRelation::OtherCandidate,
        Relation::Unknown => v1::FaceRelation::Unspecified,
    }
}

pub(super) const fn support_to_wire(support: Support) -> v1::FalseMatchSupport {
    match support {
        Support::Measured => v1::FalseMatchSupport::Measured,
        Support::Extrapolated => v1::FalseMatchSupport::Extrapolated,
        Support::Beyond => v1::FalseMatchSupport::Beyond,
    }
}

fn likeness_to_wire(likeness: Likeness) -> v1::FaceLikeness {
    v1::FaceLikeness {
        similarity: f64::from(likeness.similarity),
        llr: likeness.llr,
        llr_low: likeness.llr_low,
        llr_high: likeness.llr_high,
        bounded: likeness.is_bounded,
        opinion: opinion_to_wire(likeness.opinion).into(),
    }
}

pub(super) fn verdict_to_wire(verdict: VerdictRecord) -> v1::FaceVerdict {
    let said = match verdict.verdict {
        MatchVerdict::Same => v1::MatchVerdict::Same,
        MatchVerdict::Different => v1::MatchVerdict::Different,
    };
    v1::FaceVerdict {
        verdict: said.into(),
        note: verdict.note,
        decided_by: verdict.by,
        decide_time: Some(timestamp_to_wire(verdict.time)),
    }
}

/// A ledger for the wire.
pub(in crate::grpc) fn ledger_to_wire(ledger: Ledger) -> v1::GetLedgerResponse {
    v1::GetLedgerResponse {
        candidate: Some(candidate_to_wire(ledger.candidate)),
        entries: ledger.entries.into_iter().map(entry_to_wire).collect(),
        pairs: ledger.pairs.into_iter().map(pair_to_wire).collect(),
        different_faces: ledger.has_different_faces,
        more_sessions: ledger.has_more_sessions,
    }
}

fn entry_to_wire(entry: LedgerEntry) -> v1::LedgerEntry {
    let (face, reference, condition, stage) = match entry {
        LedgerEntry::Session { session, face, condition } => {
            let name = face
                .map_or_else(|| v1::face::Face::Session(session_face_to_wire(&session.id, "", 0)), face_name_to_wire);
            let face = v1::Face {
                face: Some(name),
                candidate: session.candidate.as_ref().map(name::candidate_name).unwrap_or_default(),
                display_name: session.display_name,
                create_time: Some(timestamp_to_wire(session.create_time)),
                ..v1::Face::default()
            };
            (face, None, condition, session.labels.get(STAGE_LABEL).cloned().unwrap_or_default())
        }
        LedgerEntry::Reference { reference, condition } => {
            let face = v1::Face {
                face: Some(v1::face::Face::Reference(reference.name.to_string())),
                candidate: name::candidate_name(&reference.name.candidate),
                create_time: Some(timestamp_to_wire(reference.create_time)),
                purpose: purpose_to_wire(Some(reference.purpose)),
                ..v1::Face::default()
            };
            (face, Some(reference_to_wire(reference)), condition, String::new())
        }
    };
    let (state, quality) = match condition {
        TemplateCondition::Known(quality) => (v1::TemplateState::Kept, Some(quality_to_wire(quality))),
        TemplateCondition::Missing(state) => (state_to_wire(state), None),
        TemplateCondition::OtherModel => (v1::TemplateState::OtherModel, None),
        TemplateCondition::Unreadable => (v1::TemplateState::Unreadable, None),
    };
    v1::LedgerEntry { face: Some(face), reference, state: state.into(), quality, stage }
}

const fn state_to_wire(state: TemplateState) -> v1::TemplateState {
    match state {
        TemplateState::Pending => v1::TemplateState::Unspecified,
        TemplateState::Kept => v1::TemplateState::Kept,
        TemplateState::NoConsent => v1::TemplateState::NoConsent,
        TemplateState::NoFace => v1::TemplateState::NoFace,
        TemplateState::Expired => v1::TemplateState::Expired,
    }
}

fn pair_to_wire(pair: LedgerPair) -> v1::LedgerPair {
    let kind = match pair.kind {
        PairKind::WithinSession => "within_session",
        PairKind::RoundToRound => "round_to_round",
        PairKind::AppliedToInterviewed => "applied_to_interviewed",
        PairKind::InterviewedToHired => "interviewed_to_hired",
        PairKind::Other => "other",
    };
    v1::LedgerPair {
        first: i32::try_from(pair.first).unwrap_or(i32::MAX),
        second: i32::try_from(pair.second).unwrap_or(i32::MAX),
        kind: kind.to_owned(),
        likeness: Some(likeness_to_wire(pair.likeness)),
        verdict: pair.verdict.map(verdict_to_wire),
    }
}

/// A comparison for the wire.
pub(in crate::grpc) fn comparison_to_wire(comparison: Comparison) -> v1::CompareFacesResponse {
    let people = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
    v1::CompareFacesResponse {
        likeness: Some(likeness_to_wire(comparison.likeness)),
        first_quality: Some(quality_to_wire(comparison.first)),
        second_quality: Some(quality_to_wire(comparison.second)),
        verdict: comparison.verdict.map(verdict_to_wire),
        calibration: comparison.calibration,
        people_same: people(comparison.n_people.0),
        people_different: people(comparison.n_people.1),
        scene: comparison.scene.as_ref().map(|scene| agreement_to_wire(&scene.agreement)),
        scene_calibration: comparison.scene.as_ref().map(|scene| scene.calibration.clone()).unwrap_or_default(),
        scene_verdict: comparison.scene.and_then(|scene| scene.verdict).map(verdict_to_wire),
    }
}

/// An answer of a search for the wire.
pub(in crate::grpc) fn search_to_wire(answer: SearchAnswer) -> v1::SearchFaceResponse {
    v1::SearchFaceResponse {
        hits: answer.hits.into_iter().map(hit_to_wire).collect(),
        more_hits: answer.has_more,
        figures: Some(figures_to_wire(answer.figures)),
    }
}

fn hit_to_wire(hit: SearchHit) -> v1::FaceHit {
    v1::FaceHit {
        face: Some(face_to_wire(hit.face)),
        likeness: Some(likeness_to_wire(hit.likeness)),
        relation: relation_to_wire(hit.relation).into(),
        verdict: hit.verdict.map(verdict_to_wire),
    }
}

fn figures_to_wire(figures: SearchFigures) -> v1::SearchFigures {
    v1::SearchFigures {
        searched: count(figures.n_searched as u64),
        other_model: count(figures.n_other_model as u64),
        unreadable: count(figures.n_unreadable as u64),
        threshold_similarity: f64::from(figures.threshold_similarity),
        false_matches: figures.false_matches.expected,
        false_matches_low: figures.false_matches.low,
        false_matches_high: figures.false_matches.high,
        support: support_to_wire(figures.false_matches.support).into(),
        calibration: figures.calibration,
        quality: Some(quality_to_wire(figures.quality)),
    }
}

/// A hunt for the wire.
pub(in crate::grpc) fn hunt_to_wire(hunt: Hunt) -> v1::HuntFaceResponse {
    let found = |face: HuntedFace| v1::HuntedFace {
        face: Some(face_to_wire(face.face)),
        likeness: face.likeness.map(likeness_to_wire),
        confirmed: face.is_confirmed,
    };
    v1::HuntFaceResponse {
        found: hunt.found.into_iter().map(found).collect(),
        followed: i32::try_from(hunt.n_followed).unwrap_or(i32::MAX),
        figures: Some(figures_to_wire(hunt.figures)),
    }
}

/// A pair of faces for the wire.
pub(in crate::grpc) fn match_to_wire(pair: MatchRecord) -> v1::FaceMatch {
    let reason = match pair.proposal.as_ref().map(|proposal| proposal.reason) {
        None => v1::ProposalReason::Unspecified,
        Some(Proposal::Watched) => v1::ProposalReason::Watched,
        Some(Proposal::OtherCandidate) => v1::ProposalReason::OtherCandidate,
        Some(Proposal::DifferentFaces) => v1::ProposalReason::DifferentFaces,
        Some(Proposal::SameScene) => v1::ProposalReason::SameScene,
    };
    let proposal = pair.proposal.as_ref();
    let kind = match pair.kind {
        TemplateKind::Face => v1::MatchKind::Face,
        TemplateKind::Scene => v1::MatchKind::Scene,
    };
    v1::FaceMatch {
        kind: kind.into(),
        reason: reason.into(),
        similarity: proposal.map_or(0.0, |proposal| proposal.similarity),
        llr: proposal.map_or(0.0, |proposal| proposal.llr),
        propose_time: proposal.map(|proposal| timestamp_to_wire(proposal.time)),
        verdict: pair.verdict.map(verdict_to_wire),
        first: Some(face_to_wire(pair.first)),
        second: Some(face_to_wire(pair.second)),
    }
}

/// An entry of the watch list for the wire.
pub(in crate::grpc) fn watched_to_wire(watched: WatchRecord) -> v1::WatchedFace {
    v1::WatchedFace {
        face: Some(face_to_wire(watched.face)),
        note: watched.note,
        watched_by: watched.by,
        watch_time: Some(timestamp_to_wire(watched.time)),
    }
}

pub(super) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Subject, match_verdict_from_wire, purpose_from_wire, subject_from_wire, v1};

    #[test]
    fn unset_and_unknown_numbers_are_no_word_of_a_person() {
        for number in [0, -1, 99] {
            assert!(match_verdict_from_wire(number).is_err(), "{number}");
            assert!(purpose_from_wire(number).is_err(), "{number}");
        }
    }

    #[test]
    fn subjects_are_checked_and_their_faults_named() {
        let of = |subject| subject_from_wire("first", Some(v1::FaceSubject { subject: Some(subject) }));
        let session = |session: &str, participant: &str, person| {
            v1::face_subject::Subject::Session(v1::SessionFace {
                session: session.to_owned(),
                participant_id: participant.to_owned(),
                person,
            })
        };
        assert!(matches!(of(session("sessions/abcd-1", "", 0)), Ok(Subject::Session(_))));
        for (bad, field) in [
            (session("abcd-1", "", 0), "first.session"),
            (session("sessions/abcd-1", "a\nb", 0), "first.participant_id"),
            (session("sessions/abcd-1", "", -1), "first.person"),
            (v1::face_subject::Subject::Reference("candidates/7".to_owned()), "first.reference"),
            (v1::face_subject::Subject::Reference("candidates/7/references/x".to_owned()), "first.reference"),
        ] {
            assert_eq!(of(bad).expect_err(field).field, field);
        }
        assert_eq!(subject_from_wire("first", None).expect_err("unset").field, "first");
        let unset = v1::FaceSubject { subject: None };
        assert_eq!(subject_from_wire("first", Some(unset)).expect_err("unset").field, "first");
    }
}
