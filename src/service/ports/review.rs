//! What people say about a session, as stored.

use jiff::Timestamp;

use crate::audit::Event;
use crate::scoring::Level;
use crate::session::{SessionName, TenantId};

use super::{AuditLog, GroupCount, StoreError};

/// How far people are with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReviewState {
    /// Nobody has looked, or said anything.
    #[default]
    Unreviewed,
    /// Somebody was assigned, marked a segment, or decided where a second person has to agree.
    InReview,
    /// It is decided.
    Decided,
}

impl ReviewState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Unreviewed, Self::InReview, Self::Decided];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreviewed => "unreviewed",
            Self::InReview => "in_review",
            Self::Decided => "decided",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// What a listing says of a session's review.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReviewSummary {
    /// How far people are.
    pub state: ReviewState,
    /// The account that looks after it; empty for nobody.
    pub assignee: String,
    /// Whether it may not be deleted.
    pub is_held: bool,
}

/// What a person thinks of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkVerdict {
    /// What the segment shows is worth a second look.
    Confirmed,
    /// It has a harmless explanation.
    Dismissed,
}

impl MarkVerdict {
    /// Every verdict.
    pub const ALL: [Self; 2] = [Self::Confirmed, Self::Dismissed];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Dismissed => "dismissed",
        }
    }

    /// The verdict of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == name)
    }
}

/// A person's word on a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Which segment.
    pub ordinal: u32,
    /// What they think.
    pub verdict: MarkVerdict,
    /// Why; may be empty.
    pub note: String,
    /// Who, as in the audit log.
    pub by: String,
    /// When.
    pub time: Timestamp,
}

/// What a person decides about a session. It is about the interview, never about the person's worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DecisionKind {
    /// Nothing stands in the way: the process goes on.
    Proceed,
    /// The candidate is asked to show who they are in another way, such as a second interview.
    Clarify,
    /// The interview was not given by the person who applied, or not before a camera.
    Decline,
}

impl DecisionKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Proceed, Self::Clarify, Self::Decline];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proceed => "proceed",
            Self::Clarify => "clarify",
            Self::Decline => "decline",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A person's decision about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Counted from 1 within the session.
    pub ordinal: u32,
    /// What.
    pub kind: DecisionKind,
    /// Why; never empty.
    pub note: String,
    /// Who, as in the audit log.
    pub by: String,
    /// When.
    pub time: Timestamp,
}

/// All that people said about a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Review {
    /// State, assignee, hold.
    pub summary: ReviewSummary,
    /// The latest mark of each segment, by ordinal.
    pub marks: Vec<Mark>,
    /// Decisions, oldest first.
    pub decisions: Vec<Decision>,
}

/// Sessions of a tenant by state and level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewCount {
    /// The state.
    pub state: ReviewState,
    /// The worst level of any participant.
    pub level: Level,
    /// How many.
    pub n_sessions: u64,
}

/// Keeps what people say about sessions. Every method is durable when it returns.
#[async_trait::async_trait]
pub trait ReviewStore: AuditLog {
    /// All that was said about a session. # Errors [`StoreError::NotFound`].
    async fn review(&self, name: &SessionName) -> Result<Review, StoreError>;
    /// How many sessions stand where. # Errors [`StoreError::Backend`].
    async fn review_counts(&self, tenant: &TenantId) -> Result<Vec<ReviewCount>, StoreError>;
    /// How many sessions of each group stand where, by the value of the label `key` that they share; of the `limit` groups whose
    /// values come last.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn group_counts(&self, tenant: &TenantId, key: &str, limit: u32) -> Result<Vec<GroupCount>, StoreError>;
    /// Gives a session to an account, or to nobody when `assignee` is empty.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn assign(&self, name: &SessionName, assignee: String, audit: Event) -> Result<(), StoreError>;
    /// Keeps a mark; it replaces the segment's earlier one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NoSuch`] for a segment that is not there.
    async fn mark(&self, name: &SessionName, mark: Mark, audit: Event) -> Result<(), StoreError>;
    /// Keeps a decision and where the session stands after it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Stale`] when its ordinal is not the next one.
    async fn decide(
        &self,
        name: &SessionName,
        decision: Decision,
        state: ReviewState,
        audit: Event,
    ) -> Result<(), StoreError>;
    /// Keeps a session from being deleted, or lets it go again.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn hold(&self, name: &SessionName, is_held: bool, audit: Event) -> Result<(), StoreError>;
}
