//! One interview's state: participants, tracks, what to analyse next, scores and segments over time.
//!
//! In: [`JournalEntry`]s in order. Out: [`SessionEvent`]s. Replaying a journal gives the same session again, which is how a
//! session resumes on any node after any crash and how a new policy re-scores without decoding.
//! Deliberately not here: IO, clocks, async, randomness.

mod candidate;
mod event;
mod evidence_mode;
mod ids;
mod interview;
mod journal;
mod participant;
mod sampler;
mod segment;
mod segments;
mod sighting;
mod stills;
mod surroundings;

pub use self::event::{Pacing, SessionEvent};
pub use self::evidence_mode::EvidenceMode;
pub use self::ids::{CandidateId, IdError, ParticipantId, SessionId, SessionName, TenantId, TrackId};
pub use self::interview::{Interview, MAX_PARTICIPANTS, MAX_TRACKS};
pub use self::journal::{CaptureDevice, JournalEntry, SettingProbe, SourceKind, Track};
pub use self::sampler::{FaceModels, FramePlan, NextFrame, Sampler, Standing, Urgency};
pub use self::segment::{Segment, SegmentChange, SegmentState};
pub use self::sighting::Sighting;
pub use self::stills::{
    GapCause, KeptStill, Look, STILLS_A_SUBJECT, StillBounds, StillDesk, StillGap, StillPick, StillSubject, StillWish,
};
