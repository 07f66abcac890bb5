//! Opens, extends and closes segments from the scores of a sliding window.

use crate::media::MediaTime;
use crate::scoring::{Authenticity, Level, Sampling, Score};
use crate::signals::Window;

use super::event::SessionEvent;
use super::ids::ParticipantId;
use super::segment::{Segment, SegmentChange, SegmentState};

/// Segments kept a participant; when they are used up the last one is extended instead.
const MAX_SEGMENTS: usize = 500;

/// The segments of one participant.
#[derive(Clone, Debug, Default)]
pub(super) struct SegmentTracker {
    segments: Vec<Segment>,
    suspicious_since: Option<MediaTime>,
    last_suspicious: Option<MediaTime>,
    worst: Option<WorstStretch>,
}

/// The window with the lowest authenticity among all that became segments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WorstStretch {
    /// Its score.
    pub(super) authenticity: Authenticity,
    /// Its level.
    pub(super) level: Level,
    /// Its place.
    pub(super) window: Window,
}

/// A sliding window as it was scored.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScoredWindow<'a> {
    /// Its place; its end is now.
    pub(super) window: Window,
    /// What it was scored.
    pub(super) score: &'a Score,
    /// Whether a signal raised an alarm within it.
    pub(super) is_alarmed: bool,
}

impl SegmentTracker {
    /// The worst stretch so far, if any segment was opened.
    pub(super) const fn worst(&self) -> Option<WorstStretch> {
        self.worst
    }

    /// Whether a segment is open.
    pub(super) fn is_open(&self) -> bool {
        self.segments.last().is_some_and(|segment| segment.state == SegmentState::Open)
    }

    /// Takes the score of the window that ends at `window.end`; what a signal confirmed itself need not be held longer.
    pub(super) fn observe(
        &mut self,
        sampling: &Sampling,
        participant_id: &ParticipantId,
        next_ordinal: &mut u32,
        ScoredWindow { window, score, is_alarmed }: ScoredWindow<'_>,
    ) -> Option<SessionEvent> {
        let at = window.end;
        if let (true, Some(authenticity)) = (score.level >= Level::Suspicious, score.authenticity) {
            self.last_suspicious = Some(at);
            let since = *self.suspicious_since.get_or_insert(at);
            if self.is_open() {
                self.note_worst(authenticity, score.level, window);
                return self.extend(at, score);
            }
            let is_due = is_alarmed || score.level == Level::Alert || at.secs_since(since) >= sampling.open_after_secs;
            if is_due {
                self.note_worst(authenticity, score.level, window);
                return Some(self.open(participant_id, next_ordinal, window, score));
            }
            return None;
        }
        self.suspicious_since = None;
        let calm_secs = self.last_suspicious.map_or(f64::INFINITY, |last| at.secs_since(last));
        (self.is_open() && calm_secs >= sampling.close_after_secs).then(|| self.close()).flatten()
    }

    /// Closes what is open.
    pub(super) fn close(&mut self) -> Option<SessionEvent> {
        let segment = self.segments.last_mut().filter(|segment| segment.state == SegmentState::Open)?;
        segment.state = SegmentState::Closed;
        Some(SessionEvent::Segment { change: SegmentChange::Closed, segment: segment.clone() })
    }

    fn open(
        &mut self,
        participant_id: &ParticipantId,
        next_ordinal: &mut u32,
        window: Window,
        score: &Score,
    ) -> SessionEvent {
        if self.segments.len() == MAX_SEGMENTS
            && let Some(segment) = self.segments.last_mut()
        {
            segment.state = SegmentState::Open;
            segment.end = window.end;
            segment.level = segment.level.max(score.level);
            return SessionEvent::Segment { change: SegmentChange::Extended, segment: segment.clone() };
        }
        // The window's evidence may reach back before the segment that was closed last; the new one does not.
        let start = self.segments.last().map_or(window.start, |previous| previous.end.max(window.start));
        let segment = Segment {
            ordinal: *next_ordinal,
            participant_id: participant_id.clone(),
            start,
            end: window.end,
            level: score.level,
            state: SegmentState::Open,
            signals: score.signals.clone(),
        };
        *next_ordinal += 1;
        self.segments.push(segment.clone());
        SessionEvent::Segment { change: SegmentChange::Opened, segment }
    }

    fn extend(&mut self, at: MediaTime, score: &Score) -> Option<SessionEvent> {
        let segment = self.segments.last_mut()?;
        segment.end = at;
        if score.level > segment.level {
            segment.level = score.level;
            segment.signals.clone_from(&score.signals);
        }
        Some(SessionEvent::Segment { change: SegmentChange::Extended, segment: segment.clone() })
    }

    fn note_worst(&mut self, authenticity: Authenticity, level: Level, window: Window) {
        if self.worst.is_none_or(|worst| authenticity.value < worst.authenticity.value) {
            self.worst = Some(WorstStretch { authenticity, level, window });
        }
    }
}
