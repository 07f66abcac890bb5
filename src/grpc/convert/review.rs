//! Reviews: states, marks, decisions.

use crate::grpc::field::FieldError;
use crate::grpc::name;
use crate::grpc::proto::v1;
use crate::service::ports::{Decision, DecisionKind, Mark, MarkVerdict, Review, ReviewState, ReviewSummary};
use crate::session::SessionId;

use super::session::timestamp_to_wire;

/// A state for the wire.
pub(in crate::grpc) fn review_state_to_wire(state: ReviewState) -> v1::ReviewState {
    match state {
        ReviewState::Unreviewed => v1::ReviewState::Unreviewed,
        ReviewState::InReview => v1::ReviewState::InReview,
        ReviewState::Decided => v1::ReviewState::Decided,
    }
}

/// What a client reads of a session's review. A server of an earlier version says nothing, which is unreviewed.
pub(in crate::grpc) fn review_summary_from_wire(
    state: i32,
    assignee: String,
    is_held: bool,
) -> Result<ReviewSummary, FieldError> {
    let state = match v1::ReviewState::try_from(state) {
        Ok(v1::ReviewState::Unspecified | v1::ReviewState::Unreviewed) => ReviewState::Unreviewed,
        Ok(v1::ReviewState::InReview) => ReviewState::InReview,
        Ok(v1::ReviewState::Decided) => ReviewState::Decided,
        Err(_) => return Err(FieldError::new("review_state", "is not known to this client")),
    };
    Ok(ReviewSummary { state, assignee, is_held })
}

/// A review for the wire.
pub(in crate::grpc) fn review_to_wire(id: &SessionId, review: Review) -> v1::Review {
    v1::Review {
        session: name::session_name(id),
        state: review_state_to_wire(review.summary.state).into(),
        assignee: review.summary.assignee,
        legal_hold: review.summary.is_held,
        marks: review.marks.into_iter().map(|mark| mark_to_wire(id, mark)).collect(),
        decisions: review.decisions.into_iter().map(decision_to_wire).collect(),
    }
}

fn mark_to_wire(id: &SessionId, mark: Mark) -> v1::SegmentMark {
    let verdict = match mark.verdict {
        MarkVerdict::Confirmed => v1::MarkVerdict::Confirmed,
        MarkVerdict::Dismissed => v1::MarkVerdict::Dismissed,
    };
    v1::SegmentMark {
        segment: name::segment_name(id, mark.ordinal),
        verdict: verdict.into(),
        note: mark.note,
        marked_by: mark.by,
        mark_time: Some(timestamp_to_wire(mark.time)),
    }
}

fn decision_to_wire(decision: Decision) -> v1::Decision {
    let kind = match decision.kind {
        DecisionKind::Proceed => v1::DecisionKind::Proceed,
        DecisionKind::Clarify => v1::DecisionKind::Clarify,
        DecisionKind::Decline => v1::DecisionKind::Decline,
    };
    v1::Decision {
        kind: kind.into(),
        note: decision.note,
        decided_by: decision.by,
        decide_time: Some(timestamp_to_wire(decision.time)),
    }
}

/// The verdict of a mark.
pub(in crate::grpc) fn verdict_from_wire(field: &'static str, verdict: i32) -> Result<MarkVerdict, FieldError> {
    match v1::MarkVerdict::try_from(verdict) {
        Ok(v1::MarkVerdict::Confirmed) => Ok(MarkVerdict::Confirmed),
        Ok(v1::MarkVerdict::Dismissed) => Ok(MarkVerdict::Dismissed),
        Ok(v1::MarkVerdict::Unspecified) | Err(_) => {
            Err(FieldError::new(field, "is not set or not known: use MARK_VERDICT_CONFIRMED or MARK_VERDICT_DISMISSED"))
        }
    }
}

/// The kind of a decision.
pub(in crate::grpc) fn decision_kind_from_wire(field: &'static str, kind: i32) -> Result<DecisionKind, FieldError> {
    match v1::DecisionKind::try_from(kind) {
        Ok(v1::DecisionKind::Proceed) => Ok(DecisionKind::Proceed),
        Ok(v1::DecisionKind::Clarify) => Ok(DecisionKind::Clarify),
        Ok(v1::DecisionKind::Decline) => Ok(DecisionKind::Decline),
        Ok(v1::DecisionKind::Unspecified) | Err(_) => Err(FieldError::new(
            field,
            "is not set or not known: use DECISION_KIND_PROCEED, DECISION_KIND_CLARIFY or DECISION_KIND_DECLINE",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{decision_kind_from_wire, review_summary_from_wire, verdict_from_wire};

    #[test]
    fn unset_and_unknown_numbers_are_no_word_of_a_person() {
        for number in [0, -1, 99] {
            assert!(verdict_from_wire("mark.verdict", number).is_err(), "{number}");
            assert!(decision_kind_from_wire("decision.kind", number).is_err(), "{number}");
        }
        assert!(review_summary_from_wire(99, String::new(), false).is_err());
    }
}
