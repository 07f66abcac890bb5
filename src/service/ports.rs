//! What the use cases need from the outside: a store and a clock.

mod accounts;
mod audit;
mod data_keys;
mod evidence;
mod groups;
mod identity;
mod points;
mod report;
mod review;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::audit::Event;
use crate::error::{ErrorKind, Kinded};
use crate::scoring::{Level, Score};
use crate::session::{
    CandidateId, EvidenceMode, JournalEntry, ParticipantId, Segment, SessionName, StillGap, TenantId,
};

pub use self::accounts::{Account, AccountPatch, AccountStore, ExternalIdentity, WebSession};
pub use self::audit::AuditRecords;
pub use self::data_keys::{DataKeyOwner, DataKeyStore, DataKeyTable, StoredDataKey};
pub use self::evidence::{EvidenceError, EvidenceStore, FileDigest, StillRow, StillStore, StoredStill};
pub use self::groups::GroupCount;
pub use self::identity::{
    CandidateRecord, FaceName, FaceRecord, IdentityStore, MatchFilter, MatchRecord, MatchVerdict, NewProposal,
    NewReferenceRow, NewTemplate, PageRequest, Pair, Proposal, ProposalRecord, ReferenceId, ReferenceName,
    ReferencePurpose, ReferenceRecord, StoredTemplate, TemplateChanges, TemplateKind, TemplateState, VerdictRecord,
    WatchRecord,
};
pub use self::points::ScorePoint;
pub use self::report::{
    AuditRow, JournalDigest, LogEnd, ReportLimits, ReportRows, ReportStore, Timeline, TimelinePoint,
};
pub use self::review::{
    Decision, DecisionKind, Mark, MarkVerdict, Review, ReviewCount, ReviewState, ReviewStore, ReviewSummary,
};

/// Wall-clock and monotonic time, so that tests can own both.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// Time since some fixed point in the past; never goes back.
    fn monotonic(&self) -> Duration;
}

/// A session as stored, without its journal.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRecord {
    /// Whose it is, and its id.
    pub name: SessionName,
    /// For people; may be empty.
    pub display_name: String,
    /// Requisition or candidate id in the caller's own system; may be empty.
    pub external_ref: String,
    /// Who is interviewed, by the caller's own id; `None` when nobody said.
    pub candidate: Option<CandidateId>,
    /// Where the candidate's consent is filed, in the caller's own system.
    pub consent_reference: String,
    /// Whether stills are kept.
    pub evidence: EvidenceMode,
    /// The caller's own labels.
    pub labels: BTreeMap<String, String>,
    /// Id of the policy that scores it, with its version.
    pub policy: String,
    /// When it was created.
    pub create_time: Timestamp,
    /// When it was finished; `None` while it is open.
    pub end_time: Option<Timestamp>,
    /// When it will be deleted; `None` = never.
    pub expire_time: Option<Timestamp>,
    /// Counts changes of the fields that a caller can change, for etags.
    pub revision: u64,
    /// Secret that a resume token must carry, 32 hex digits.
    pub resume_secret: String,
    /// Journal entries stored so far.
    pub journal_len: u64,
    /// How far people are with it.
    pub review: ReviewSummary,
    /// Latest score of each participant, by participant id.
    pub participants: Vec<ParticipantRecord>,
}

impl SessionRecord {
    /// The worst level of any participant; INCONCLUSIVE when there is none.
    #[must_use]
    pub fn level(&self) -> Level {
        self.participants.iter().map(|participant| participant.score.level).max().unwrap_or(Level::Inconclusive)
    }
}

/// A participant's latest stored score.
#[derive(Clone, Debug, PartialEq)]
pub struct ParticipantRecord {
    /// Who.
    pub participant_id: ParticipantId,
    /// The latest score.
    pub score: Score,
}

/// What one durable step of a session adds. Applied whole or not at all.
#[derive(Clone, Debug)]
pub struct SessionCommit {
    /// Which session.
    pub name: SessionName,
    /// Journal entries that the writer believes are stored already: a fence against two writers.
    pub expected_journal_len: u64,
    /// New inputs, in order.
    pub journal: Vec<JournalEntry>,
    /// New scores, in order; each becomes a score window, the last of each participant its latest score.
    pub scores: Vec<(ParticipantId, Score)>,
    /// Segments that are new or changed, keyed by ordinal.
    pub segments: Vec<Segment>,
    /// New stills, whose files are durable already.
    pub stills: Vec<StillRow>,
    /// Subjects that are known to have no still.
    pub still_gaps: Vec<StillGap>,
    /// Set when the session ends with this step.
    pub end_time: Option<Timestamp>,
    /// What the audit log says of this step.
    pub audit: Vec<Event>,
}

/// Fields of a session that a caller may change; `None` = leave as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionPatch {
    /// For people.
    pub display_name: Option<String>,
    /// The caller's own reference.
    pub external_ref: Option<String>,
    /// Who is interviewed.
    pub candidate: Option<Option<CandidateId>>,
    /// All labels.
    pub labels: Option<BTreeMap<String, String>>,
    /// When it will be deleted.
    pub expire_time: Option<Option<Timestamp>>,
}

/// One condition of a listing; all must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionFilter {
    /// The worst participant's level is this.
    LevelIs(Level),
    /// A label has this value.
    LabelIs {
        /// The label's key.
        key: String,
        /// The wanted value.
        value: String,
    },
    /// The caller's own reference is this.
    ExternalRefIs(String),
    /// This candidate is interviewed.
    CandidateIs(CandidateId),
    /// Created at or after.
    CreatedFrom(Timestamp),
    /// Created before.
    CreatedBefore(Timestamp),
    /// Open (`true`) or finished (`false`).
    IsOpen(bool),
    /// People are that far with it.
    ReviewIs(ReviewState),
    /// This account looks after it; empty for nobody.
    AssigneeIs(String),
}

/// In which order sessions are listed; ties are broken by id, so that pages never overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SessionOrder {
    /// Newest first.
    #[default]
    NewestFirst,
    /// Oldest first.
    OldestFirst,
    /// What nobody decided about first, then the worst level, then newest first.
    MostUrgentFirst,
}

/// One page of a listing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionQuery {
    /// Conditions, all of which hold.
    pub filters: Vec<SessionFilter>,
    /// Order.
    pub order: SessionOrder,
    /// At most so many; at least 1.
    pub page_size: u32,
    /// Where the previous page ended; opaque to the caller, made by the store.
    pub page_token: Option<String>,
}

/// Items and where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Token of the next page; `None` at the end.
    pub next_page_token: Option<String>,
}

/// The record of who did what. Changes write to it in their own transaction; this is for what changes nothing else.
#[async_trait::async_trait]
pub trait AuditLog: Send + Sync + 'static {
    /// Appends an entry; durable when it returns. # Errors [`StoreError::Backend`], [`StoreError::Behind`].
    async fn append(&self, entry: Event) -> Result<(), StoreError>;
}

/// Deletes the oldest part of the record of who did what.
#[async_trait::async_trait]
pub trait AuditPruner: AuditLog {
    /// Deletes at most `limit` rows from the beginning, up to the first that is not older than `before` or concerns a session
    /// under a legal hold; what is left still verifies. Gives back how many.
    ///
    /// # Errors
    /// [`StoreError::Backend`], [`StoreError::Corrupt`].
    async fn prune_audit(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// Keeps sessions. Every method is durable when it returns, and what it says to the audit log stands there then.
#[async_trait::async_trait]
pub trait SessionStore: AuditLog {
    /// Adds a session. With a `request_id` that its tenant used before, gives back what that call created, and logs nothing.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`] when the id is taken (by another request).
    async fn create(
        &self,
        record: SessionRecord,
        request_id: Option<String>,
        audit: Event,
    ) -> Result<SessionRecord, StoreError>;
    /// One session. # Errors [`StoreError::NotFound`].
    async fn get(&self, name: &SessionName) -> Result<SessionRecord, StoreError>;
    /// One page of a tenant's sessions. # Errors [`StoreError::BadPageToken`].
    async fn list(&self, tenant: &TenantId, query: &SessionQuery) -> Result<Page<SessionRecord>, StoreError>;
    /// Changes fields; counts the revision up.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], or [`StoreError::Stale`] when `expected_revision` is given and is not the current one.
    async fn update(
        &self,
        name: &SessionName,
        patch: SessionPatch,
        expected_revision: Option<u64>,
        audit: Event,
    ) -> Result<SessionRecord, StoreError>;
    /// Deletes a session with everything measured in it, its stills and its key. The audit entry becomes its tombstone: it is
    /// given the counts and the digests of what was there.
    ///
    /// # Errors
    /// As [`SessionStore::update`], and [`StoreError::Held`].
    async fn delete(&self, name: &SessionName, expected_revision: Option<u64>, audit: Event) -> Result<(), StoreError>;
    /// Adds one durable step.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the session was deleted, [`StoreError::Stale`] when another writer got there first.
    async fn commit(&self, commit: SessionCommit) -> Result<(), StoreError>;
    /// The whole journal in order. # Errors [`StoreError::NotFound`], [`StoreError::Corrupt`].
    async fn journal(&self, name: &SessionName) -> Result<Vec<JournalEntry>, StoreError>;
    /// One page of a session's segments by ordinal. # Errors [`StoreError::NotFound`], [`StoreError::BadPageToken`].
    async fn segments(
        &self,
        name: &SessionName,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<Page<Segment>, StoreError>;
    /// A participant's stored score windows in order of time, at most `limit`, as points. # Errors [`StoreError::NotFound`].
    async fn score_points(
        &self,
        name: &SessionName,
        participant: &ParticipantId,
        limit: u32,
    ) -> Result<Vec<ScorePoint>, StoreError>;
    /// Deletes sessions of all tenants whose `expire_time` is past and that are not held, at most `limit`, each with a tombstone; gives back how many.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn delete_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
    /// Whether the store answers and can write. # Errors [`StoreError::Backend`].
    async fn ping(&self) -> Result<(), StoreError>;
}

/// What can go wrong in a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such session.
    #[error("sessions/{id} does not exist")]
    NotFound {
        /// Its name.
        id: SessionName,
    },
    /// The id is taken.
    #[error("sessions/{id} exists already: choose another session_id, or repeat the request_id that created it")]
    AlreadyExists {
        /// Its name.
        id: SessionName,
    },
    /// The session may not be deleted.
    #[error("sessions/{id} is under a legal hold: lift it first")]
    Held {
        /// Its name.
        id: SessionName,
    },
    /// There is no such thing.
    #[error("{what} does not exist")]
    NoSuch {
        /// Its resource name.
        what: String,
    },
    /// There is one already.
    #[error("{what} exists already")]
    Taken {
        /// Its resource name.
        what: String,
    },
    /// Somebody else changed it in between.
    #[error("sessions/{id} was changed in between: get it again and repeat the call")]
    Stale {
        /// Its name.
        id: SessionName,
    },
    /// The token was not made by this listing.
    #[error("page_token: not from a previous page of this listing: start again without it")]
    BadPageToken,
    /// A stored row cannot be read back.
    #[error("stored row cannot be read: {problem}")]
    Corrupt {
        /// What is wrong with it.
        problem: String,
    },
    /// The write queue is full.
    #[error("store is behind: {pending} steps wait to be written")]
    Behind {
        /// How many wait.
        pending: u64,
    },
    /// The database failed (disk full, locked, away).
    #[error("store failed while {doing}")]
    Backend {
        /// What was tried.
        doing: &'static str,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Kinded for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } | Self::NoSuch { .. } => ErrorKind::NotFound,
            Self::AlreadyExists { .. } | Self::Taken { .. } => ErrorKind::AlreadyExists,
            Self::Held { .. } | Self::Stale { .. } => ErrorKind::FailedPrecondition,
            Self::BadPageToken => ErrorKind::InvalidInput,
            Self::Corrupt { .. } => ErrorKind::DataLoss,
            Self::Behind { .. } => ErrorKind::Overloaded,
            Self::Backend { .. } => ErrorKind::Unavailable,
        }
    }
}
