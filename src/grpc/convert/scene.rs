//! Places behind people: agreements and the answers of searches out.

use crate::grpc::field::FieldError;
use crate::grpc::proto::v1;
use crate::service::{SceneAgreement, SceneAnswer, SceneMatch, Subject};

use super::identity::{
    count, face_to_wire, opinion_to_wire, relation_to_wire, session_face_from_wire, support_to_wire, verdict_to_wire,
};

/// Behind whom a place is.
pub(in crate::grpc) fn scene_subject_from_wire(
    field: &'static str,
    face: Option<&v1::SessionFace>,
) -> Result<Subject, FieldError> {
    let face = face.ok_or_else(|| FieldError::new(field, "is not set: name somebody of a finished session"))?;
    session_face_from_wire(face).map(Subject::Session).map_err(|error| error.within(field))
}

/// How well two places agree, for the wire.
pub(super) fn agreement_to_wire(agreement: &SceneAgreement) -> v1::SceneAgreement {
    v1::SceneAgreement {
        score: f64::from(agreement.score),
        matched: i32::from(agreement.n_matched),
        mirrored: agreement.is_mirrored,
        llr: agreement.llr,
        llr_low: agreement.llr_low,
        llr_high: agreement.llr_high,
        bounded: agreement.is_bounded,
        opinion: opinion_to_wire(agreement.opinion).into(),
    }
}

/// An answer of a search for a place, for the wire.
pub(in crate::grpc) fn scene_search_to_wire(answer: SceneAnswer) -> v1::SearchSceneResponse {
    let SceneAnswer { matches, has_more, figures } = answer;
    v1::SearchSceneResponse {
        hits: matches.into_iter().map(hit_to_wire).collect(),
        more_hits: has_more,
        searched: count(figures.n_searched as u64),
        left_out: count(figures.n_left_out as u64),
        too_old: count(figures.n_too_old as u64),
        threshold_score: f64::from(figures.threshold_score),
        false_matches: figures.false_matches.expected,
        false_matches_low: figures.false_matches.low,
        false_matches_high: figures.false_matches.high,
        support: support_to_wire(figures.false_matches.support).into(),
        agreeing: count(figures.n_agreeing as u64),
        calibration: figures.calibration,
    }
}

fn hit_to_wire(hit: SceneMatch) -> v1::SceneHit {
    v1::SceneHit {
        face: Some(face_to_wire(hit.face)),
        agreement: Some(agreement_to_wire(&hit.agreement)),
        relation: relation_to_wire(hit.relation).into(),
        verdict: hit.verdict.map(verdict_to_wire),
    }
}
