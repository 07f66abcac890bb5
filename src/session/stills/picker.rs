//! One participant's stills: who it is at the beginning, and what each segment shows.

use std::collections::{BTreeMap, VecDeque};

use crate::media::MediaTime;
use crate::scoring::Level;
use crate::session::segment::{Segment, SegmentChange};

use super::look::Look;
use super::{APART_SECS, STILLS_A_SUBJECT, StillSubject};

/// Looks that are held: segments are opened after they began, and the best of several is wanted.
const MAX_RECENT: usize = 12;
/// Seconds for which a look is held: a segment begins at most a window (10 s) before it is opened.
const RECENT_SECS: f64 = 15.0;
/// Seconds of good looks among which those of the enrolment are chosen.
const ENROL_SECS: f64 = 5.0;
/// Good looks that are held for it.
const MAX_ENROLLING: usize = 6;
/// Seconds after a segment's opening in which its second still is looked for.
const CHOOSE_SECS: f64 = 6.0;
/// Seconds by which a still may miss a segment that no other shows.
const BESIDE_SECS: f64 = 1.0;
/// Segments whose stills are remembered; older ones are closed for long.
const MAX_SEGMENTS: usize = 512;

/// What one participant's stills are chosen from.
#[derive(Clone, Debug)]
pub(super) struct Picker<T> {
    recent: VecDeque<(Look, T)>,
    enrolled: Vec<MediaTime>,
    enrolling: Vec<(Look, T)>,
    segments: BTreeMap<u32, Vec<MediaTime>>,
    open: Option<OpenSegment>,
}

/// The segment that goes on.
#[derive(Clone, Copy, Debug)]
struct OpenSegment {
    ordinal: u32,
    start: MediaTime,
    level: Level,
    /// Until when its second still is looked for.
    choose_until: MediaTime,
    has_chosen: bool,
}

impl<T> Default for Picker<T> {
    fn default() -> Self {
        Self {
            recent: VecDeque::new(),
            enrolled: Vec::new(),
            enrolling: Vec::new(),
            segments: BTreeMap::new(),
            open: None,
        }
    }
}

impl<T> Picker<T> {
    /// Whether good looks are wanted to show who it is.
    pub(super) fn is_enrolling(&self) -> bool {
        self.enrolled.len() < STILLS_A_SUBJECT
    }

    /// Whether a segment is open whose stills are being chosen.
    pub(super) fn is_choosing(&self) -> bool {
        self.open.is_some_and(|open| !open.has_chosen || self.n_of(open.ordinal) == 0)
    }

    /// Whether a segment is open that has all its stills.
    pub(super) fn is_shown(&self) -> bool {
        self.open.is_some_and(|open| self.n_of(open.ordinal) >= STILLS_A_SUBJECT)
    }

    /// Whether a segment has a still.
    pub(super) fn has_any(&self, ordinal: u32) -> bool {
        self.n_of(ordinal) > 0
    }

    fn n_of(&self, ordinal: u32) -> usize {
        self.segments.get(&ordinal).map_or(0, Vec::len)
    }

    /// Notes a still that there is.
    pub(super) fn remember(&mut self, shows: StillSubject, at: MediaTime) {
        match shows {
            StillSubject::Enrolment => self.enrolled.push(at),
            StillSubject::Segment(ordinal) => self.segments.entry(ordinal).or_default().push(at),
        }
        while self.segments.len() > MAX_SEGMENTS {
            self.segments.pop_first();
        }
    }
}

type Picked<T> = Vec<(StillSubject, Look, T)>;

impl<T: Clone> Picker<T> {
    /// Takes a look. One that is older than the last is of a clock that was set back: what was held says nothing about it.
    pub(super) fn offer(&mut self, look: Look, shot: T) -> Picked<T> {
        if self.recent.back().is_some_and(|(last, _)| look.at < last.at) {
            self.recent.clear();
            self.enrolling.clear();
        }
        while self.recent.front().is_some_and(|(first, _)| look.at.secs_since(first.at) > RECENT_SECS)
            || self.recent.len() >= MAX_RECENT
        {
            self.recent.pop_front();
        }
        self.recent.push_back((look, shot.clone()));
        let mut picked = self.enrol(look, shot);
        if let Some(open) = self.open {
            if self.n_of(open.ordinal) == 0 && look.at >= open.start {
                picked.extend(self.first_of(open.ordinal, open.start, look.at));
            }
            if !open.has_chosen && look.at >= open.choose_until {
                // An alarm is as bad as it gets; a suspicion may grow, and then has a still of that moment.
                let wanted = if open.level >= Level::Alert { STILLS_A_SUBJECT } else { STILLS_A_SUBJECT - 1 };
                picked.extend(self.best_of(open.ordinal, open.start, look.at, wanted));
                self.open = Some(OpenSegment { has_chosen: true, ..open });
            }
        }
        picked
    }

    /// Takes what happened to a segment.
    pub(super) fn note(&mut self, change: SegmentChange, segment: &Segment) -> Picked<T> {
        let before = self.open.filter(|open| open.ordinal == segment.ordinal);
        let mut open = before.unwrap_or(OpenSegment {
            ordinal: segment.ordinal,
            start: segment.start,
            level: segment.level,
            choose_until: segment.end.saturating_add(std::time::Duration::from_secs_f64(CHOOSE_SECS)),
            has_chosen: false,
        });
        let mut picked = Vec::new();
        if before.is_none() {
            picked.extend(self.first_of(segment.ordinal, segment.start, segment.end));
        }
        if segment.level > open.level {
            open.level = segment.level;
            if open.has_chosen {
                let since = self.recent.back().map_or(segment.start, |(last, _)| last.at).max(segment.start);
                picked.extend(self.best_of(segment.ordinal, since, segment.end, STILLS_A_SUBJECT));
            }
        }
        self.open = Some(open);
        if change == SegmentChange::Closed {
            picked.extend(self.close(segment));
        }
        picked
    }

    /// Chooses from what is held.
    pub(super) fn settle(&mut self) -> Picked<T> {
        let mut picked = self.enrol_best();
        if let (Some(open), Some((last, _))) = (self.open, self.recent.back()) {
            let end = last.at;
            picked.extend(self.first_of(open.ordinal, open.start, end));
            picked.extend(self.best_of(open.ordinal, open.start, end, STILLS_A_SUBJECT));
        }
        picked
    }

    fn close(&mut self, segment: &Segment) -> Picked<T> {
        self.open = None;
        let beside = std::time::Duration::from_secs_f64(BESIDE_SECS);
        let mut picked = self.first_of(segment.ordinal, segment.start, segment.end);
        picked.extend(self.best_of(segment.ordinal, segment.start, segment.end, STILLS_A_SUBJECT));
        if self.n_of(segment.ordinal) == 0 {
            let from = segment.start.saturating_sub(beside);
            picked.extend(self.best_of(segment.ordinal, from, segment.end.saturating_add(beside), 1));
        }
        picked
    }

    /// The first look within a segment, if it has no still.
    fn first_of(&mut self, ordinal: u32, start: MediaTime, end: MediaTime) -> Picked<T> {
        if self.n_of(ordinal) > 0 {
            return Vec::new();
        }
        let first = self.recent.iter().find(|(look, _)| (start..=end).contains(&look.at)).cloned();
        first.into_iter().map(|(look, shot)| self.pick(StillSubject::Segment(ordinal), look, shot)).collect()
    }

    /// The best looks within a stretch, apart from those that its segment has, until that has `wanted`.
    fn best_of(&mut self, ordinal: u32, start: MediaTime, end: MediaTime, wanted: usize) -> Picked<T> {
        let within: Vec<_> = self.recent.iter().filter(|(look, _)| (start..=end).contains(&look.at)).cloned().collect();
        let mut kept = self.segments.get(&ordinal).cloned().unwrap_or_default();
        let best = best(within, &mut kept, wanted);
        best.into_iter().map(|(look, shot)| self.pick(StillSubject::Segment(ordinal), look, shot)).collect()
    }

    fn enrol(&mut self, look: Look, shot: T) -> Picked<T> {
        if !look.is_good || !self.is_enrolling() {
            return Vec::new();
        }
        if self.enrolled.iter().any(|at| !are_apart(*at, look.at)) {
            return Vec::new();
        }
        self.enrolling.push((look, shot));
        let since = self.enrolling.first().map_or(look.at, |(first, _)| first.at);
        if look.at.secs_since(since) >= ENROL_SECS || self.enrolling.len() >= MAX_ENROLLING {
            return self.enrol_best();
        }
        Vec::new()
    }

    fn enrol_best(&mut self) -> Picked<T> {
        let held = std::mem::take(&mut self.enrolling);
        let mut kept = self.enrolled.clone();
        let best = best(held, &mut kept, STILLS_A_SUBJECT);
        best.into_iter().map(|(look, shot)| self.pick(StillSubject::Enrolment, look, shot)).collect()
    }

    fn pick(&mut self, shows: StillSubject, look: Look, shot: T) -> (StillSubject, Look, T) {
        self.remember(shows, look.at);
        (shows, look, shot)
    }
}

/// The best of some looks, apart from each other and from what is kept, until there are `wanted`; in order of time.
fn best<T>(mut looks: Vec<(Look, T)>, kept: &mut Vec<MediaTime>, wanted: usize) -> Vec<(Look, T)> {
    looks.sort_by(|(a, _), (b, _)| b.quality.total_cmp(&a.quality).then(a.at.cmp(&b.at)));
    let mut chosen = Vec::new();
    for (look, shot) in looks {
        if kept.len() < wanted && kept.iter().all(|at| are_apart(*at, look.at)) {
            kept.push(look.at);
            chosen.push((look, shot));
        }
    }
    chosen.sort_by_key(|(look, _)| look.at);
    chosen
}

fn are_apart(a: MediaTime, b: MediaTime) -> bool {
    a.secs_since(b).abs() >= APART_SECS
}
