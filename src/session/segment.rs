//! Stretches of the interview worth a reviewer's look.

use crate::media::MediaTime;
use crate::scoring::Level;
use crate::scoring::SignalEvidence;

use super::ids::ParticipantId;

/// Whether a segment may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentState {
    /// Still going on.
    Open,
    /// Ended.
    Closed,
}

/// A time-coded stretch with a level and the evidence for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Counts up from 1 within the session.
    pub ordinal: u32,
    /// Whose.
    pub participant_id: ParticipantId,
    /// Media time at which it begins.
    pub start: MediaTime,
    /// Media time up to which it reaches so far.
    pub end: MediaTime,
    /// Worst level within.
    pub level: Level,
    /// Whether it may still grow.
    pub state: SegmentState,
    /// The evidence at its worst moment.
    pub signals: Vec<SignalEvidence>,
}

/// What happened to a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentChange {
    /// New.
    Opened,
    /// Longer, or worse.
    Extended,
    /// Ended.
    Closed,
}
