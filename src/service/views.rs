//! What adapters may show: no embeddings, no raw measurements.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::scoring::{Level, Score};
use crate::session::{CandidateId, EvidenceMode, ParticipantId, Segment, SessionId};

use super::ports::{ReviewSummary, SessionRecord};

/// A session as its callers see it.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionView {
    /// Its id.
    pub id: SessionId,
    /// For people; may be empty.
    pub display_name: String,
    /// The caller's own reference; may be empty.
    pub external_ref: String,
    /// Who is interviewed, by the caller's own id; `None` when nobody said.
    pub candidate: Option<CandidateId>,
    /// Where consent is filed.
    pub consent_reference: String,
    /// Whether stills are kept.
    pub evidence: EvidenceMode,
    /// The caller's own labels.
    pub labels: BTreeMap<String, String>,
    /// Policy id and version.
    pub policy: String,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it was finished; `None` while it is open.
    pub end_time: Option<Timestamp>,
    /// When it will be deleted; `None` = never.
    pub expire_time: Option<Timestamp>,
    /// Changes with every change of a field that a caller can change.
    pub etag: String,
    /// Worst level of any participant.
    pub level: Level,
    /// How far people are with it.
    pub review: ReviewSummary,
    /// Latest score of each participant.
    pub participants: Vec<ParticipantView>,
}

/// A participant and the latest score.
#[derive(Clone, Debug, PartialEq)]
pub struct ParticipantView {
    /// Who.
    pub participant_id: ParticipantId,
    /// The latest score.
    pub score: Score,
}

/// A segment with the session that it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentView {
    /// Which session.
    pub session_id: SessionId,
    /// The segment.
    pub segment: Segment,
}

impl From<SessionRecord> for SessionView {
    fn from(record: SessionRecord) -> Self {
        Self {
            level: record.level(),
            etag: format!("r{}", record.revision),
            id: record.name.id,
            display_name: record.display_name,
            external_ref: record.external_ref,
            candidate: record.candidate,
            consent_reference: record.consent_reference,
            evidence: record.evidence,
            labels: record.labels,
            policy: record.policy,
            create_time: record.create_time,
            end_time: record.end_time,
            expire_time: record.expire_time,
            review: record.review,
            participants: record
                .participants
                .into_iter()
                .map(|participant| ParticipantView {
                    participant_id: participant.participant_id,
                    score: participant.score,
                })
                .collect(),
        }
    }
}
