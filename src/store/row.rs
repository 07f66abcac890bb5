//! Rows to domain values and back.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::FromRow;

use crate::media::MediaTime;
use crate::scoring::Level;
use crate::service::ports::{ParticipantRecord, SessionRecord, StoreError};
use crate::session::{
    CandidateId, EvidenceMode, ParticipantId, Segment, SegmentState, SessionId, SessionName, TenantId,
};

use super::journal::corrupt;
use super::review;
use super::score_json;

/// One row of `sessions`.
#[derive(FromRow)]
pub(super) struct SessionRow {
    pub(super) key: i64,
    tenant: String,
    pub(super) id: String,
    display_name: String,
    external_ref: String,
    candidate: String,
    consent_reference: String,
    evidence: String,
    policy: String,
    pub(super) create_time: String,
    end_time: Option<String>,
    expire_time: Option<String>,
    revision: i64,
    resume_secret: String,
    journal_len: i64,
    review_state: String,
    assignee: String,
    is_held: i64,
    pub(super) urgency: i64,
}

/// The columns of [`SessionRow`].
pub(super) const SESSION_COLUMNS: &str = "key, tenant, id, display_name, external_ref, candidate, consent_reference, evidence, \
     policy, create_time, end_time, expire_time, revision, resume_secret, journal_len, review_state, assignee, is_held, urgency";

impl SessionRow {
    /// The record, with what belongs to it from other tables.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for values that this program never writes.
    pub(super) fn into_record(
        self,
        labels: BTreeMap<String, String>,
        participants: Vec<ParticipantRecord>,
    ) -> Result<SessionRecord, StoreError> {
        Ok(SessionRecord {
            name: SessionName { tenant: tenant_id(&self.tenant)?, id: session_id(&self.id)? },
            display_name: self.display_name,
            external_ref: self.external_ref,
            candidate: candidate_id(&self.candidate)?,
            consent_reference: self.consent_reference,
            evidence: EvidenceMode::from_name(&self.evidence)
                .ok_or_else(|| corrupt("stored evidence mode is not known"))?,
            labels,
            policy: self.policy,
            create_time: timestamp(&self.create_time)?,
            end_time: self.end_time.as_deref().map(timestamp).transpose()?,
            expire_time: self.expire_time.as_deref().map(timestamp).transpose()?,
            revision: to_u64(self.revision, "revision")?,
            resume_secret: self.resume_secret,
            journal_len: to_u64(self.journal_len, "journal_len")?,
            review: review::summary(&self.review_state, self.assignee, self.is_held)?,
            participants,
        })
    }
}

/// One row of `segments`.
#[derive(FromRow)]
pub(super) struct SegmentRow {
    ordinal: i64,
    participant_id: String,
    start_nanos: i64,
    end_nanos: i64,
    level: String,
    is_open: i64,
    signals: String,
}

impl TryFrom<SegmentRow> for Segment {
    type Error = StoreError;

    fn try_from(row: SegmentRow) -> Result<Self, StoreError> {
        Ok(Self {
            ordinal: u32::try_from(row.ordinal).map_err(|_error| corrupt("segment ordinal is out of range"))?,
            participant_id: participant_id(&row.participant_id)?,
            start: MediaTime::from_nanos(row.start_nanos),
            end: MediaTime::from_nanos(row.end_nanos),
            level: score_json::level(&row.level)?,
            state: if row.is_open != 0 { SegmentState::Open } else { SegmentState::Closed },
            signals: score_json::decode_signals(&row.signals)?,
        })
    }
}

/// A participant with the latest score.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn participant(id: &str, score: &str) -> Result<ParticipantRecord, StoreError> {
    Ok(ParticipantRecord { participant_id: participant_id(id)?, score: score_json::decode_score(score)? })
}

/// The worst of several levels; INCONCLUSIVE for none, as [`SessionRecord::level`] has it.
pub(super) fn worst(levels: impl IntoIterator<Item = Level>) -> Level {
    levels.into_iter().max().unwrap_or(Level::Inconclusive)
}

/// A time as text that sorts: RFC 3339 in UTC with nine decimals.
pub(super) fn time_text(time: Timestamp) -> String {
    format!("{time:.9}")
}

/// A count as SQLite's integer; what does not fit is larger than any stored count and so matches none.
pub(super) fn to_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A stored count.
///
/// # Errors
/// [`StoreError::Corrupt`] when it is negative.
pub(super) fn to_u64(count: i64, column: &'static str) -> Result<u64, StoreError> {
    u64::try_from(count).map_err(|_error| corrupt(format!("{column} is negative")))
}

pub(super) fn timestamp(text: &str) -> Result<Timestamp, StoreError> {
    text.parse().map_err(|error| corrupt(format!("stored time does not parse: {error}")))
}

pub(super) fn session_id(id: &str) -> Result<SessionId, StoreError> {
    SessionId::new(id).map_err(|error| corrupt(error.to_string()))
}

/// A stored candidate; empty for none.
pub(super) fn candidate_id(id: &str) -> Result<Option<CandidateId>, StoreError> {
    let known = |id| CandidateId::new(id).map_err(|error| corrupt(error.to_string()));
    Some(id).filter(|id| !id.is_empty()).map(known).transpose()
}

pub(super) fn tenant_id(id: &str) -> Result<TenantId, StoreError> {
    TenantId::new(id).map_err(|error| corrupt(error.to_string()))
}

pub(super) fn participant_id(id: &str) -> Result<ParticipantId, StoreError> {
    ParticipantId::new(id).map_err(|error| corrupt(error.to_string()))
}
