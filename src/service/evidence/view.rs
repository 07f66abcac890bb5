//! What adapters show of stills.

use jiff::Timestamp;

use crate::media::MediaTime;
use crate::service::ports::StoredStill;
use crate::session::{EvidenceMode, ParticipantId, StillGap, StillSubject};

use super::facts::StillFacts;
use super::sealing::{OpenedFacts, PictureInfo};

/// One of a still's two pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StillPart {
    /// The whole frame.
    Frame,
    /// The face, cut out.
    Chip,
}

impl StillPart {
    /// The name in addresses and in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Chip => "chip",
        }
    }

    /// The part of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Frame, Self::Chip].into_iter().find(|part| part.as_str() == name)
    }
}

/// A still, without its pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct StillView {
    /// Its number in the session, from 1.
    pub ordinal: u32,
    /// Whose.
    pub participant_id: ParticipantId,
    /// What it shows.
    pub shows: StillSubject,
    /// Of which moment.
    pub media_time: MediaTime,
    /// When it was kept.
    pub keep_time: Timestamp,
    /// The frame.
    pub frame: PictureInfo,
    /// The face; `None` when there was none.
    pub chip: Option<PictureInfo>,
    /// What was measured on it, in pixels of the frame.
    pub facts: StillFacts,
}

impl StillView {
    pub(super) fn new(stored: StoredStill, opened: OpenedFacts) -> Self {
        let StoredStill { ordinal, row } = stored;
        let OpenedFacts { facts, frame, chip } = opened;
        Self {
            ordinal,
            participant_id: row.participant_id,
            shows: row.shows,
            media_time: row.media_time,
            keep_time: row.keep_time,
            frame,
            chip,
            facts,
        }
    }
}

/// All that a session has to show, and what it has not.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionStills {
    /// Whether it keeps any.
    pub mode: EvidenceMode,
    /// The stills, in the order in which they were kept.
    pub stills: Vec<StillView>,
    /// Participants and segments without still, and why.
    pub gaps: Vec<StillGap>,
}
