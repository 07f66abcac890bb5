//! Faces, their sealed templates and what people say of them, as stored.

use std::fmt;

use jiff::Timestamp;

use crate::audit::Event;
use crate::identity::{ModelDigest, TemplateKey};
use crate::keys::WrappedKey;
use crate::session::{CandidateId, IdError, ParticipantId, SessionId, SessionName, TenantId};

use super::{AuditLog, Page, StoreError};

/// Names one reference of a candidate: `r-` and 24 hexadecimal digits, made by the service.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceId(String);

impl ReferenceId {
    /// Checks and wraps an id.
    ///
    /// # Errors
    /// [`IdError`] when the pattern does not hold.
    pub fn new(id: &str) -> Result<Self, IdError> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_good = id.strip_prefix("r-").is_some_and(|digits| digits.len() == 24 && digits.bytes().all(is_digit));
        let problem = "must be 'r-' and 24 lower-case hexadecimal digits, as the enrolment answered";
        if is_good { Ok(Self(id.to_owned())) } else { Err(IdError { field: "reference", problem }) }
    }

    /// The id without its collection.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ReferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ReferenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one reference among those of all candidates of a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferenceName {
    /// Whose.
    pub candidate: CandidateId,
    /// Which.
    pub id: ReferenceId,
}

impl fmt::Display for ReferenceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "candidates/{}/references/{}", self.candidate, self.id)
    }
}

/// Names one face that is or was known, within a tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaceName {
    /// A person behind a participant's camera.
    Session {
        /// The session.
        session: SessionId,
        /// Whose camera.
        participant: ParticipantId,
        /// Which of those who were seen there, in the order in which they were met: 0 = the first.
        person: u32,
    },
    /// The face of a reference.
    Reference(ReferenceName),
}

impl FaceName {
    /// The session that it was seen in; `None` for a reference.
    #[must_use]
    pub const fn session(&self) -> Option<&SessionId> {
        match self {
            Self::Session { session, .. } => Some(session),
            Self::Reference(_) => None,
        }
    }
}

impl fmt::Display for FaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session { session, participant, person } => {
                write!(f, "sessions/{session}/participants/{participant}/persons/{person}")
            }
            Self::Reference(name) => name.fmt(f),
        }
    }
}

macro_rules! stored_names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stored name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// The one of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.as_str() == name)
            }
        }
    };
}

stored_names! {
    /// What a template describes.
    TemplateKind {
        /// A face.
        Face = "face",
        /// What is behind the person.
        Scene = "scene",
    }
}

stored_names! {
    /// What became of a session's templates.
    TemplateState {
        /// Nobody looked yet.
        Pending = "",
        /// They were made.
        Kept = "kept",
        /// None was made: the session names no consent.
        NoConsent = "no_consent",
        /// None was made: no face was seen well enough, for long enough.
        NoFace = "no_face",
        /// They were deleted at the end of their retention.
        Expired = "expired",
    }
}

stored_names! {
    /// What a reference shows the candidate as.
    ReferencePurpose {
        /// Who applied: the picture of an application or of an identity document.
        Applied = "applied",
        /// Who was interviewed.
        Interviewed = "interviewed",
        /// Who was hired: a picture of the first day, say.
        Hired = "hired",
    }
}

stored_names! {
    /// Why the machine asks a person to look at two faces.
    Proposal {
        /// A face of the watch list was seen again.
        Watched = "watched",
        /// The same face seems to belong to another candidate.
        OtherCandidate = "other_candidate",
        /// The same candidate seems to have different faces.
        DifferentFaces = "different_faces",
        /// Another candidate seems to have sat in the same place.
        SameScene = "same_scene",
    }
}

impl Proposal {
    /// What is alike, or is not: faces, or what is behind them.
    #[must_use]
    pub const fn kind(self) -> TemplateKind {
        match self {
            Self::Watched | Self::OtherCandidate | Self::DifferentFaces => TemplateKind::Face,
            Self::SameScene => TemplateKind::Scene,
        }
    }
}

stored_names! {
    /// What a person says of two faces, or of what is behind them.
    MatchVerdict {
        /// They are one person's, or one place.
        Same = "same",
        /// They are two people's, or two places.
        Different = "different",
    }
}

/// A sealed template with what opens it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTemplate {
    /// Names it in searches; never used again for another one.
    pub key: TemplateKey,
    /// Whose face.
    pub face: FaceName,
    /// What made it.
    pub model: ModelDigest,
    /// The sealed template.
    pub sealed: Vec<u8>,
    /// The key of the session or candidate; `None` when it is gone.
    pub wrapped: Option<WrappedKey>,
}

impl fmt::Debug for StoredTemplate {
    /// Names only: templates never reach a log, sealed or not.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredTemplate({:?} of {})", self.key, self.face)
    }
}

/// A template to keep.
pub struct NewTemplate {
    /// Whose camera.
    pub participant: ParticipantId,
    /// Which of those seen there.
    pub person: u32,
    /// What it describes.
    pub kind: TemplateKind,
    /// What made it.
    pub model: ModelDigest,
    /// When it is deleted; `None` = with its session.
    pub expire_time: Option<Timestamp>,
    /// The sealed template.
    pub sealed: Vec<u8>,
}

/// What became of the templates of a tenant since they were looked at.
#[derive(Debug)]
pub struct TemplateChanges {
    /// Changes counted so far.
    pub n_changes: u64,
    /// The templates that came, changed or went; `None` = gone. `None` in all when what is asked for was forgotten: load anew.
    pub changed: Option<Vec<(TemplateKey, Option<StoredTemplate>)>>,
}

/// What is known of a face besides its template.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceRecord {
    /// Its name.
    pub face: FaceName,
    /// Whose session or reference; `None` when nobody said.
    pub candidate: Option<CandidateId>,
    /// What people call the session or the candidate; may be empty.
    pub display_name: String,
    /// When the session was created, or the reference enrolled.
    pub time: Timestamp,
    /// What a reference shows.
    pub purpose: Option<ReferencePurpose>,
    /// Whether it is on the watch list.
    pub is_watched: bool,
}

/// A candidate as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateRecord {
    /// The caller's own id.
    pub id: CandidateId,
    /// For people; empty when there are sessions alone.
    pub display_name: String,
    /// Sessions that name it.
    pub n_sessions: u64,
    /// References of it.
    pub n_references: u64,
    /// When the newest session was created.
    pub last_session_time: Option<Timestamp>,
}

/// A reference, without its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceRecord {
    /// Its name.
    pub name: ReferenceName,
    /// What it shows.
    pub purpose: ReferencePurpose,
    /// The session that it was taken from; `None` for a picture.
    pub source_session: Option<SessionId>,
    /// Where consent is filed.
    pub consent_reference: String,
    /// When it was enrolled.
    pub create_time: Timestamp,
    /// Who enrolled it, as in the audit log.
    pub created_by: String,
    /// When it is deleted; `None` = never.
    pub expire_time: Option<Timestamp>,
}

/// A reference to add.
pub struct NewReferenceRow {
    /// The reference.
    pub record: ReferenceRecord,
    /// For people; empty leaves the stored one.
    pub display_name: String,
    /// The candidate's key, as read or made.
    pub wrapped: WrappedKey,
    /// What made the template.
    pub model: ModelDigest,
    /// The sealed template.
    pub sealed: Vec<u8>,
}

/// Two faces, or the places behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<F> {
    /// What is compared.
    pub kind: TemplateKind,
    /// One.
    pub first: F,
    /// The other.
    pub second: F,
}

impl<F> Pair<F> {
    /// A pair of that kind.
    pub fn of(kind: TemplateKind, (first, second): (F, F)) -> Self {
        Self { kind, first, second }
    }
}

/// Two faces that the machine asks a person to look at.
#[derive(Clone, Debug, PartialEq)]
pub struct NewProposal {
    /// One.
    pub first: FaceName,
    /// The other.
    pub second: FaceName,
    /// Why.
    pub reason: Proposal,
    /// Cosine of two faces, score of two backgrounds.
    pub similarity: f64,
    /// How much likelier that is for one person or place than for two, natural logarithm.
    pub llr: f64,
}

/// What the machine said of two faces.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposalRecord {
    /// Why.
    pub reason: Proposal,
    /// Cosine of two faces, score of two backgrounds.
    pub similarity: f64,
    /// Natural logarithm, positive for one person or place.
    pub llr: f64,
    /// When.
    pub time: Timestamp,
}

/// What a person said of two faces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictRecord {
    /// What.
    pub verdict: MatchVerdict,
    /// Why.
    pub note: String,
    /// Who, as in the audit log.
    pub by: String,
    /// When.
    pub time: Timestamp,
}

/// Two faces with what was said of them, or of what is behind them.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchRecord {
    /// What is compared.
    pub kind: TemplateKind,
    /// One.
    pub first: FaceRecord,
    /// The other.
    pub second: FaceRecord,
    /// What the machine says, if anything.
    pub proposal: Option<ProposalRecord>,
    /// What a person says; `None` = open.
    pub verdict: Option<VerdictRecord>,
}

/// Which pairs are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchFilter {
    /// All.
    All,
    /// Those of which no person said anything.
    Open,
    /// Those with a face of the session.
    OfSession(SessionId),
    /// Those with a face of the candidate's sessions or references.
    OfCandidate(CandidateId),
}

/// A face of the watch list.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchRecord {
    /// The face.
    pub face: FaceRecord,
    /// Why.
    pub note: String,
    /// Who put it there, as in the audit log.
    pub by: String,
    /// When.
    pub time: Timestamp,
}

/// A page to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many; at least 1.
    pub size: u32,
    /// Where the previous page ended.
    pub token: Option<String>,
}

/// Keeps faces, sealed templates and what people say of them. Every method is durable when it returns.
#[async_trait::async_trait]
pub trait IdentityStore: AuditLog {
    /// Keeps what became of a session's templates; one of the same face and kind takes the place of the one before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn keep_session_templates(
        &self,
        name: &SessionName,
        state: TemplateState,
        templates: Vec<NewTemplate>,
        audit: Event,
    ) -> Result<(), StoreError>;
    /// Sessions of a tenant, or of all, that ended at or after `since` and whose templates nobody made, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn sessions_without_templates(
        &self,
        tenant: Option<&TenantId>,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionName>, StoreError>;
    /// A session's templates of a kind, by participant and person, and what became of them. # Errors [`StoreError::NotFound`].
    async fn session_templates(
        &self,
        name: &SessionName,
        kind: TemplateKind,
    ) -> Result<(TemplateState, Vec<StoredTemplate>), StoreError>;
    /// A reference's template. # Errors [`StoreError::NoSuch`].
    async fn reference_template(&self, tenant: &TenantId, name: &ReferenceName) -> Result<StoredTemplate, StoreError>;
    /// How often templates of a tenant came, changed or went. # Errors [`StoreError::Backend`].
    async fn n_template_changes(&self, tenant: &TenantId) -> Result<u64, StoreError>;
    /// A tenant's templates of a kind with keys above `after`, in order, at most `limit`. # Errors [`StoreError::Backend`].
    async fn templates(
        &self,
        tenant: &TenantId,
        kind: TemplateKind,
        after: TemplateKey,
        limit: u32,
    ) -> Result<Vec<StoredTemplate>, StoreError>;
    /// What changed among them since `n_changes` were counted; `None` in it for more than `limit`.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn template_changes(
        &self,
        tenant: &TenantId,
        kind: TemplateKind,
        n_changes: u64,
        limit: u32,
    ) -> Result<TemplateChanges, StoreError>;
    /// How many templates of a kind a tenant has. # Errors [`StoreError::Backend`].
    async fn n_templates(&self, tenant: &TenantId, kind: TemplateKind) -> Result<u64, StoreError>;
    /// What people said of two faces so far, or of the places behind them, newest first, as the audit log tells it: without the
    /// notes, and no further back than
    /// the log reaches.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for an entry that cannot be read.
    async fn verdict_history(&self, tenant: &TenantId, pair: Pair<&FaceName>)
    -> Result<Vec<VerdictRecord>, StoreError>;
    /// What is known of the faces of templates; of those that are gone, nothing. # Errors [`StoreError::Backend`].
    async fn faces(
        &self,
        tenant: &TenantId,
        keys: &[TemplateKey],
    ) -> Result<Vec<(TemplateKey, FaceRecord)>, StoreError>;
    /// Deletes templates and references of all tenants whose time is past, at most `limit` of each, but none of a session that
    /// is held; gives back how many.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn delete_expired_templates(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// One page of a tenant's candidates, by id. # Errors [`StoreError::BadPageToken`].
    async fn candidates(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<CandidateRecord>, StoreError>;
    /// One candidate with its references, oldest first. # Errors [`StoreError::NoSuch`] for one that nothing names.
    async fn candidate(
        &self,
        tenant: &TenantId,
        id: &CandidateId,
    ) -> Result<(CandidateRecord, Vec<ReferenceRecord>), StoreError>;
    /// The key that seals a candidate's references, if there is one. # Errors [`StoreError::Backend`].
    async fn candidate_key(&self, tenant: &TenantId, id: &CandidateId) -> Result<Option<WrappedKey>, StoreError>;
    /// Adds a reference, and its candidate when it is the first.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the candidate has another key by now: read it and try again.
    async fn add_reference(&self, tenant: &TenantId, new: NewReferenceRow, audit: Event) -> Result<(), StoreError>;
    /// Deletes a reference, and with the last one the candidate's key. # Errors [`StoreError::NoSuch`].
    async fn delete_reference(&self, tenant: &TenantId, name: &ReferenceName, audit: Event) -> Result<(), StoreError>;

    /// Keeps proposals; a pair that was proposed before, or that a person spoke of, stays as it is. Faces that are gone are
    /// passed over. Gives back how many are new.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn propose(&self, tenant: &TenantId, proposals: Vec<NewProposal>, time: Timestamp)
    -> Result<u64, StoreError>;
    /// Keeps what a person says of two faces, or of what is behind them, in place of what was said before.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`].
    async fn decide_match(
        &self,
        tenant: &TenantId,
        pair: Pair<FaceName>,
        verdict: VerdictRecord,
        audit: Event,
    ) -> Result<(), StoreError>;
    /// One page of pairs, newest first. # Errors [`StoreError::BadPageToken`].
    async fn matches(
        &self,
        tenant: &TenantId,
        filter: &MatchFilter,
        page: &PageRequest,
    ) -> Result<Page<MatchRecord>, StoreError>;
    /// The pairs with one face, or with what is behind it. At most 1,000 of them. # Errors [`StoreError::Backend`].
    async fn matches_of(&self, tenant: &TenantId, face: &FaceName) -> Result<Vec<MatchRecord>, StoreError>;

    /// Puts a face on the watch list, or changes its note. # Errors [`StoreError::NoSuch`].
    async fn watch(&self, tenant: &TenantId, face: &FaceName, note: String, audit: Event) -> Result<(), StoreError>;
    /// Takes a face off it. # Errors [`StoreError::NoSuch`].
    async fn unwatch(&self, tenant: &TenantId, face: &FaceName, audit: Event) -> Result<(), StoreError>;
    /// One page of the watch list, newest first. # Errors [`StoreError::BadPageToken`].
    async fn watched(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<WatchRecord>, StoreError>;
}
