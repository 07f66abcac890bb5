use std::collections::BTreeMap;

use super::{
    GapCause, KeptStill, Look, ParticipantId, Segment, SegmentChange, Standing, StillBounds, StillDesk, StillSubject,
    Urgency,
};
use crate::media::MediaTime;
use crate::scoring::Level;
use crate::session::SegmentState;

const BOUNDS: StillBounds = StillBounds { max_stills: 100, max_bytes: 1_000_000 };

fn participant() -> ParticipantId {
    ParticipantId::new("candidate").expect("valid")
}

fn secs(at: f64) -> MediaTime {
    MediaTime::from_secs_f64(at).expect("finite")
}

fn look(at: f64, quality: f32) -> Look {
    Look { at: secs(at), quality, is_good: quality > 0.2, n_bytes: 1_000 }
}

fn segment(ordinal: u32, start: f64, end: f64, level: Level) -> Segment {
    Segment {
        ordinal,
        participant_id: participant(),
        start: secs(start),
        end: secs(end),
        level,
        state: SegmentState::Open,
        signals: Vec::new(),
    }
}

/// A desk at which each look's shot is its time in milliseconds.
struct Table(StillDesk<i64>);

impl Table {
    fn new() -> Self {
        Self(StillDesk::new(BOUNDS, []))
    }

    fn offer(&mut self, at: f64, quality: f32) {
        let shot = secs(at).as_nanos() / 1_000_000;
        self.0.offer(&participant(), look(at, quality), shot);
    }

    fn note(&mut self, change: SegmentChange, segment: &Segment) {
        self.0.note(change, segment);
    }

    /// What was picked, by subject.
    fn picked(&mut self) -> BTreeMap<StillSubject, Vec<i64>> {
        let mut picked: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for pick in self.0.take_picks() {
            picked.entry(pick.shows).or_default().push(pick.shot);
        }
        picked
    }

    fn wish(&self, standing: Standing) -> (f64, f64) {
        let urgency = Urgency { standing, ..Urgency::default() };
        let wish = self.0.wish(&participant(), urgency, None).expect("there is room");
        (wish.every_secs, wish.good_every_secs)
    }
}

/// A table that enrolled its participant within the first six seconds.
fn enrolled() -> Table {
    let mut table = Table::new();
    (0..=6).for_each(|at| table.offer(f64::from(at), 0.5));
    assert_eq!(table.picked()[&StillSubject::Enrolment].len(), 3);
    table
}

#[test]
fn the_enrolment_is_the_best_of_the_first_good_looks() {
    let mut table = Table::new();
    for (at, quality) in [(0.0, 0.1), (1.0, 0.5), (2.0, 0.9), (2.5, 0.95), (3.5, 0.6), (4.5, 0.3), (6.1, 0.7)] {
        assert!(table.picked().is_empty(), "before {at}");
        table.offer(at, quality);
    }
    // Of two looks half a second apart the better one counts, and what cannot be measured is none.
    assert_eq!(table.picked()[&StillSubject::Enrolment], [2_500, 3_500, 6_100]);
    (7..60).for_each(|at| table.offer(f64::from(at), 1.0));
    assert!(table.picked().is_empty(), "it is complete");
}

#[test]
fn few_good_looks_are_kept_at_the_end() {
    let mut table = Table::new();
    table.offer(1.0, 0.5);
    table.offer(2.0, f32::NAN);
    table.0.settle();
    assert_eq!(table.picked()[&StillSubject::Enrolment], [1_000]);
    table.0.settle();
    assert!(table.picked().is_empty());
}

#[test]
fn a_segment_has_its_first_moment_and_its_best_ones() {
    let mut table = enrolled();
    (7..=20).for_each(|at| table.offer(f64::from(at), 0.4));
    // Opened two seconds after it began.
    table.note(SegmentChange::Opened, &segment(1, 17.5, 20.0, Level::Suspicious));
    assert_eq!(table.picked()[&StillSubject::Segment(1)], [18_000], "at once");
    for (at, quality) in [(21.0, 0.3), (22.0, 0.8), (23.0, 0.2), (24.0, 0.6), (25.0, 0.1)] {
        table.offer(at, quality);
        table.note(SegmentChange::Extended, &segment(1, 17.5, at, Level::Suspicious));
    }
    assert!(table.picked().is_empty(), "the best is still looked for");
    table.offer(26.0, 0.1);
    assert_eq!(table.picked()[&StillSubject::Segment(1)], [22_000]);
    // It becomes worse, which is what the last one is for.
    table.offer(40.0, 0.1);
    table.note(SegmentChange::Extended, &segment(1, 17.5, 40.0, Level::Alert));
    assert_eq!(table.picked()[&StillSubject::Segment(1)], [40_000]);
    (41..50).for_each(|at| table.offer(f64::from(at), 1.0));
    table.note(SegmentChange::Closed, &segment(1, 17.5, 49.0, Level::Alert));
    assert!(table.picked().is_empty() && table.0.take_gaps().is_empty());
}

#[test]
fn a_short_segment_is_shown_by_what_there_is() {
    let mut table = enrolled();
    (7..=20).for_each(|at| table.offer(f64::from(at), 0.4));
    table.note(SegmentChange::Opened, &segment(1, 19.0, 20.0, Level::Alert));
    table.note(SegmentChange::Closed, &segment(1, 19.0, 20.0, Level::Alert));
    assert_eq!(table.picked()[&StillSubject::Segment(1)], [19_000, 20_000]);
    // Another one between two looks: the one just beside it.
    table.note(SegmentChange::Opened, &segment(2, 20.2, 20.4, Level::Alert));
    table.note(SegmentChange::Closed, &segment(2, 20.2, 20.4, Level::Alert));
    assert_eq!(table.picked()[&StillSubject::Segment(2)], [20_000]);
}

#[test]
fn a_segment_that_nobody_saw_is_a_gap() {
    let mut table = enrolled();
    table.note(SegmentChange::Opened, &segment(1, 30.0, 32.0, Level::Suspicious));
    table.note(SegmentChange::Closed, &segment(1, 30.0, 33.0, Level::Suspicious));
    assert!(table.picked().is_empty());
    let gaps = table.0.take_gaps();
    assert_eq!((gaps.len(), gaps[0].cause, gaps[0].shows), (1, GapCause::NoPicture, StillSubject::Segment(1)));
}

#[test]
fn a_segment_without_a_look_takes_the_next_one() {
    let mut table = enrolled();
    table.note(SegmentChange::Opened, &segment(1, 30.0, 32.0, Level::Suspicious));
    table.offer(33.0, 0.0);
    assert_eq!(table.picked()[&StillSubject::Segment(1)], [33_000], "a picture without a face, too");
}

#[test]
fn looks_cost_most_where_something_is_to_be_shown() {
    let mut table = Table::new();
    assert_eq!(table.wish(Standing::Clear), (10.0, 1.0), "the enrolment wants good ones");
    assert_eq!(table.wish(Standing::Open).1, 1.0);
    let mut table_after = enrolled();
    assert_eq!(table_after.wish(Standing::Clear), (10.0, 10.0));
    assert_eq!(table_after.wish(Standing::Open), (2.0, 2.0));
    assert_eq!(table_after.wish(Standing::Alert), (1.0, 1.0));
    table_after.note(SegmentChange::Opened, &segment(1, 4.0, 6.0, Level::Alert));
    assert_eq!(table_after.wish(Standing::Alert).0, 1.0);
    (7..30).for_each(|at| table_after.offer(f64::from(at), 0.5));
    assert_eq!(table_after.wish(Standing::Alert).0, 10.0, "a long segment has all that it needs");
    table.offer(0.0, 0.5);
}

#[test]
fn what_a_session_keeps_is_bounded() {
    let mut desk = StillDesk::new(StillBounds { max_stills: 2, max_bytes: 1_000_000 }, []);
    (0..=6).for_each(|at| desk.offer(&participant(), look(f64::from(at), 0.5), at));
    assert_eq!(desk.take_picks().len(), 2);
    let gaps = desk.take_gaps();
    assert_eq!((gaps.len(), gaps[0].cause), (1, GapCause::Full));
    assert_eq!(desk.wish(&participant(), Urgency::default(), None), None);
    let mut desk = StillDesk::new(StillBounds { max_stills: 9, max_bytes: 1_500 }, []);
    (0..=6).for_each(|at| desk.offer(&participant(), look(f64::from(at), 0.5), at));
    assert_eq!(desk.take_picks().len(), 2, "the one that reaches the bound is the last");
}

#[test]
fn what_was_kept_before_a_crash_is_not_kept_twice() {
    let kept = |shows, at| KeptStill { participant_id: participant(), shows, at: secs(at), n_bytes: 9 };
    let enrolment = [1.0, 2.0, 3.0].map(|at| kept(StillSubject::Enrolment, at));
    let of_segment = [4.0, 5.0, 6.0].map(|at| kept(StillSubject::Segment(1), at));
    let mut table = Table(StillDesk::new(BOUNDS, enrolment.into_iter().chain(of_segment)));
    (7..=30).for_each(|at| table.offer(f64::from(at), 0.5));
    table.note(SegmentChange::Extended, &segment(1, 4.0, 30.0, Level::Alert));
    table.note(SegmentChange::Closed, &segment(1, 4.0, 31.0, Level::Alert));
    assert!(table.picked().is_empty() && table.0.take_gaps().is_empty());
}

#[test]
fn a_clock_that_goes_back_begins_anew() {
    let mut table = enrolled();
    (7..=20).for_each(|at| table.offer(f64::from(at), 0.4));
    table.offer(1.0, 0.4);
    table.note(SegmentChange::Opened, &segment(1, 0.5, 1.0, Level::Alert));
    assert_eq!(table.picked()[&StillSubject::Segment(1)], [1_000]);
}
