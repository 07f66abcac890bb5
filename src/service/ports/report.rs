//! What a report is made of, as stored.

use crate::audit::{Digest, Event};
use crate::scoring::{Authenticity, Level};
use crate::session::{ParticipantId, Segment, SessionName};

use super::{AuditLog, Review, SessionRecord, StoreError};

/// How much of a session a report takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportLimits {
    /// Segments; those with a mark come first, then the worst.
    pub segments: u32,
    /// Points of a participant's timeline; of more score windows, every n-th is taken, and the last.
    pub points: u32,
    /// Rows of the audit log; the newest.
    pub audit_rows: u32,
}

/// A score of the past: one point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelinePoint {
    /// Media time of the last frame behind it, in seconds.
    pub at_secs: f64,
    /// What the level was.
    pub level: Level,
    /// Estimate and interval; `None` where there was no score.
    pub authenticity: Option<Authenticity>,
}

/// A participant's scores over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// Whose.
    pub participant_id: ParticipantId,
    /// In order of time.
    pub points: Vec<TimelinePoint>,
}

/// A session's journal by number and digest: what its tombstone will say, should it be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalDigest {
    /// Entries.
    pub n_entries: u64,
    /// SHA-256 over the stored chunks, one after the other.
    pub sha256: Digest,
}

/// An entry of the audit log in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its place, from 1.
    pub sequence: u64,
    /// The entry.
    pub event: Event,
}

/// Where the audit log ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// The last row.
    pub sequence: u64,
    /// Its digest, which covers all rows before.
    pub hash: Digest,
}

/// A session as one moment has it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportRows {
    /// The session with its latest scores.
    pub session: SessionRecord,
    /// What people said.
    pub review: Review,
    /// Segments by ordinal, as many as wanted.
    pub segments: Vec<Segment>,
    /// Segments that there are.
    pub n_segments: u64,
    /// Scores over time, by participant.
    pub timelines: Vec<Timeline>,
    /// The journal.
    pub journal: JournalDigest,
    /// What the audit log says of the session, oldest first, as many as wanted.
    pub audit: Vec<AuditRow>,
    /// Rows about the session that there are.
    pub n_audit_rows: u64,
    /// The log's end.
    pub log_end: LogEnd,
}

/// Reads what a report is made of.
#[async_trait::async_trait]
pub trait ReportStore: AuditLog {
    /// Whether there is such a session. # Errors [`StoreError::NotFound`].
    async fn require_session(&self, name: &SessionName) -> Result<(), StoreError>;
    /// Everything, of one moment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Corrupt`].
    async fn report_rows(&self, name: &SessionName, limits: ReportLimits) -> Result<ReportRows, StoreError>;
}
