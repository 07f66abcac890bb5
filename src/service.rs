//! Use cases and their ports: the only place where models, faces, sessions and stores meet.
//!
//! In: domain values from the adapters. Out: views for the adapters. Deliberately not here: protobuf, HTTP, SQL, flags.

pub mod ports;

mod accounts;
mod analysis_pool;
mod analyst;
mod audit_retention;
mod audit_trail;
mod caller;
mod error;
mod evidence;
mod identities;
mod installation;
mod key_rotation;
mod live;
mod options;
mod pipeline;
mod recording;
mod report;
mod review;
mod session_keys;
mod sessions;
mod timeline;
mod views;

pub use self::accounts::{
    Accounts, ExternalLogin, ExternalPerson, ExternalRefusal, LoggedIn, LoginOutcome, MAX_PASSWORD_BYTES,
    MIN_PASSWORD_CHARS, NewAccount, NewLogin, command_line,
};
pub use self::analyst::{Analysed, FrameTiming, SampleContext, TrackAnalyst};
pub use self::audit_retention::{AuditOptions, AuditRetention};
pub use self::audit_trail::{AuditTrail, TrailFilter, TrailPage};
pub use self::caller::{Caller, Permission, Role};
pub use self::error::ServiceError;
pub use self::evidence::{
    Evidence, EvidenceOptions, PictureInfo, SessionStills, Shot, StillFace, StillFacts, StillPart, StillPicture,
    StillView, Swept,
};
pub use self::identities::{
    Comparison, Enrolment, Hunt, HuntedFace, Identities, IdentityOptions, IdentityParts, Ledger, LedgerEntry,
    LedgerPair, Likeness, NewReference, Opinion, PairKind, ReferenceSource, Relation, SceneAgreement, SceneAnswer,
    SceneComparison, SceneFigures, SceneMatch, SceneSearch, SearchAnswer, SearchFigures, SearchHit, SearchRequest,
    SessionFace, Standing, Subject, TemplateCondition, TemplateQuality,
};
pub use self::installation::{ApiKeyView, HealthView, Installation, InstallationFacts, InstallationView};
pub use self::key_rotation::{KeyRotation, Rewrapped};
pub use self::live::{
    Acknowledgement, EndCause, LiveEvent, OpenStream, SampleProblem, SessionNews, StreamCommand, StreamInput,
    StreamOptions, StreamReady,
};
pub use self::options::ServiceOptions;
pub use self::pipeline::Pipeline;
pub use self::recording::{FrameOutcome, FrameSession, RecordingReport, score_recording};
pub use self::report::{ReportContent, ReportPicture, ReportStill, ReportStills, Reports, StillSource};
pub use self::review::{MAX_NOTE_BYTES, Reviews, SecondReviewer, SegmentWord};
pub use self::session_keys::SessionKeys;
pub use self::sessions::{Interviews, NewSession};
pub use self::timeline::{Spread, Timeline, TimelineBucket, TimelineRange, TimelineWish};
pub use self::views::{ParticipantView, SegmentView, SessionView};
