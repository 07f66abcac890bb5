//! The outputs of a session.

use crate::scoring::Score;

use super::ids::{ParticipantId, TrackId};
use super::segment::{Segment, SegmentChange};

/// Asks the plugin for a cadence: slow when clear, fast when suspicious or starved.
#[derive(Clone, Debug, PartialEq)]
pub struct Pacing {
    /// Which track.
    pub track_id: TrackId,
    /// Frames a second that are worth sending.
    pub frames_per_second: f64,
    /// Smallest useful picture height in pixels.
    pub min_height_px: u32,
    /// Whether audio would help.
    pub wants_audio: bool,
}

/// Something a session has to say.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionEvent {
    /// A participant's score changed or a score interval passed.
    Score {
        /// Whose.
        participant_id: ParticipantId,
        /// The score so far.
        score: Score,
    },
    /// A segment opened, grew or closed.
    Segment {
        /// What happened.
        change: SegmentChange,
        /// The segment as it is now.
        segment: Segment,
    },
    /// The wanted cadence changed.
    Pacing(Pacing),
}
