//! Which frames deserve to be kept as stills: the few that show a segment, and the participant at the beginning.
//!
//! In: looks at frames that were encoded, in order, and what happens to segments. Out: picks. Nothing here touches a pixel: what
//! is picked is carried along as it came. Bounded: few looks are held, and what a session may keep is counted.

mod look;
mod picker;

use std::collections::{BTreeMap, BTreeSet};

use crate::media::MediaTime;
use crate::vision::FaceTrackId;

use super::ids::ParticipantId;
use super::sampler::{FaceModels, Standing, Urgency};
use super::segment::{Segment, SegmentChange};

use self::picker::Picker;

pub use self::look::Look;

/// Stills of one subject.
pub const STILLS_A_SUBJECT: usize = 3;
/// Least time between two stills of one subject, in seconds.
const APART_SECS: f64 = 1.0;
/// Seconds between two looks while a verdict is clear.
const CLEAR_SECS: f64 = 10.0;
/// Seconds between two looks while there is no verdict, or an answer was odd.
const OPEN_SECS: f64 = 2.0;
/// Seconds between two looks while something speaks against the participant, or good looks are wanted to enrol.
const BUSY_SECS: f64 = 1.0;

/// What a still shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StillSubject {
    /// The participant, at the beginning.
    Enrolment,
    /// A segment, by its ordinal.
    Segment(u32),
}

/// Why a subject has no still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GapCause {
    /// The session keeps no picture.
    NoImages,
    /// No frame was looked at that shows it.
    NoPicture,
    /// The session has as many as it may keep.
    Full,
    /// It could not be written.
    NotKept,
    /// Its time was over.
    Expired,
    /// It was changed after it was kept, or its key is lost.
    Broken,
}

impl GapCause {
    /// Every cause.
    pub const ALL: [Self; 6] =
        [Self::NoImages, Self::NoPicture, Self::Full, Self::NotKept, Self::Expired, Self::Broken];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoImages => "no_images",
            Self::NoPicture => "no_picture",
            Self::Full => "full",
            Self::NotKept => "not_kept",
            Self::Expired => "expired",
            Self::Broken => "broken",
        }
    }

    /// The cause of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// A subject without still, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StillGap {
    /// Whose.
    pub participant_id: ParticipantId,
    /// What is not shown.
    pub shows: StillSubject,
    /// Why.
    pub cause: GapCause,
}

/// How often a still of a track's next frames is worth encoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StillWish {
    /// Seconds between two, whatever the frame shows.
    pub every_secs: f64,
    /// Seconds between two of frames with a face that can be measured.
    pub good_every_secs: f64,
    /// The face to cut out, where there are several.
    pub face: Option<FaceTrackId>,
}

/// How much a session may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StillBounds {
    /// Stills.
    pub max_stills: u32,
    /// Bytes of all of them together.
    pub max_bytes: u64,
}

/// A still that the session has already.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptStill {
    /// Whose.
    pub participant_id: ParticipantId,
    /// What it shows.
    pub shows: StillSubject,
    /// Of which moment.
    pub at: MediaTime,
    /// How large it is.
    pub n_bytes: u64,
}

/// A look that is to be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct StillPick<T> {
    /// Whose.
    pub participant_id: ParticipantId,
    /// What it shows.
    pub shows: StillSubject,
    /// What came with the look.
    pub shot: T,
}

/// Decides for all participants of one session. Deterministic; `T` is whatever carries the pixels, cheap to clone.
#[derive(Clone, Debug)]
pub struct StillDesk<T> {
    pickers: BTreeMap<ParticipantId, Picker<T>>,
    bounds: StillBounds,
    n_stills: u32,
    n_bytes: u64,
    picks: Vec<StillPick<T>>,
    gaps: BTreeSet<StillGap>,
}

impl<T: Clone> StillDesk<T> {
    /// A desk that knows what was kept before.
    pub fn new(bounds: StillBounds, kept: impl IntoIterator<Item = KeptStill>) -> Self {
        let mut desk = Self {
            pickers: BTreeMap::new(),
            bounds,
            n_stills: 0,
            n_bytes: 0,
            picks: Vec::new(),
            gaps: BTreeSet::new(),
        };
        for still in kept {
            desk.n_stills += 1;
            desk.n_bytes += still.n_bytes;
            desk.pickers.entry(still.participant_id).or_default().remember(still.shows, still.at);
        }
        desk
    }

    /// How often a look at a participant is worth encoding; `None` when nothing more fits.
    #[must_use]
    pub fn wish(
        &self,
        participant_id: &ParticipantId,
        urgency: Urgency,
        face: Option<FaceTrackId>,
    ) -> Option<StillWish> {
        if self.is_full() {
            return None;
        }
        let picker = self.pickers.get(participant_id);
        let every_secs = match urgency.standing {
            _ if picker.is_some_and(Picker::is_choosing) => BUSY_SECS,
            // What a long segment shows is known; a look now and then is for the one that may follow.
            Standing::Alert if picker.is_some_and(Picker::is_shown) => CLEAR_SECS,
            Standing::Alert => BUSY_SECS,
            Standing::Clear if urgency.doubts == FaceModels::NONE => CLEAR_SECS,
            Standing::Clear | Standing::Open => OPEN_SECS,
        };
        let enrols = picker.is_none_or(Picker::is_enrolling);
        let good_every_secs = if enrols { BUSY_SECS.min(every_secs) } else { every_secs };
        Some(StillWish { every_secs, good_every_secs, face })
    }

    /// Takes a look that was encoded.
    pub fn offer(&mut self, participant_id: &ParticipantId, look: Look, shot: T) {
        let picker = self.pickers.entry(participant_id.clone()).or_default();
        let picked = picker.offer(look, shot);
        self.keep(participant_id, picked);
    }

    /// Takes what happened to a segment.
    pub fn note(&mut self, change: SegmentChange, segment: &Segment) {
        let picker = self.pickers.entry(segment.participant_id.clone()).or_default();
        let picked = picker.note(change, segment);
        let is_unseen = change == SegmentChange::Closed && !picker.has_any(segment.ordinal) && picked.is_empty();
        if is_unseen {
            self.note_gap(&segment.participant_id, StillSubject::Segment(segment.ordinal), GapCause::NoPicture);
        }
        self.keep(&segment.participant_id, picked);
    }

    /// Decides about all that is still being chosen from: the session ends, or leaves memory.
    pub fn settle(&mut self) {
        let mut picked = Vec::new();
        for (participant_id, picker) in &mut self.pickers {
            picked.push((participant_id.clone(), picker.settle()));
        }
        for (participant_id, picked) in picked {
            self.keep(&participant_id, picked);
        }
    }

    /// Notes that a subject has no still.
    pub fn note_gap(&mut self, participant_id: &ParticipantId, shows: StillSubject, cause: GapCause) {
        self.gaps.insert(StillGap { participant_id: participant_id.clone(), shows, cause });
    }

    /// The picks since the last call.
    pub fn take_picks(&mut self) -> Vec<StillPick<T>> {
        std::mem::take(&mut self.picks)
    }

    /// The gaps since the last call.
    pub fn take_gaps(&mut self) -> Vec<StillGap> {
        std::mem::take(&mut self.gaps).into_iter().collect()
    }

    fn is_full(&self) -> bool {
        self.n_stills >= self.bounds.max_stills || self.n_bytes >= self.bounds.max_bytes
    }

    fn keep(&mut self, participant_id: &ParticipantId, picked: Vec<(StillSubject, Look, T)>) {
        for (shows, look, shot) in picked {
            if self.is_full() {
                self.note_gap(participant_id, shows, GapCause::Full);
                continue;
            }
            self.n_stills += 1;
            self.n_bytes += look.n_bytes;
            self.picks.push(StillPick { participant_id: participant_id.clone(), shows, shot });
        }
    }
}

#[cfg(test)]
mod tests;
