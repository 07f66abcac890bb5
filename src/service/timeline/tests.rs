use crate::scoring::Authenticity;
use crate::service::ports::ScorePoint;

use super::{Timeline, TimelineRange};

/// A score at `at` with `value` as estimate and as log-likelihood ratio of identity.
fn score(at: f64, value: Option<f64>, usable_face_secs: f64) -> ScorePoint {
    ScorePoint {
        authenticity: value.map(|value| Authenticity { value, low: value - 0.1, high: value + 0.1 }),
        llrs: [value, None, None, None, None, None],
        usable_face_secs,
        window_start_secs: 0.0,
        window_end_secs: at,
    }
}

/// One score a second for `secs` seconds, all with a face.
fn steady(secs: u32, value: impl Fn(u32) -> Option<f64>) -> Vec<ScorePoint> {
    (1..=secs).map(|at| score(f64::from(at), value(at), f64::from(at))).collect()
}

#[test]
fn one_bad_second_of_ninety_minutes_is_still_seen() {
    let scores = steady(5_400, |at| Some(if at == 3_333 { 0.02 } else { 0.97 }));
    let timeline = Timeline::of(&scores, None, 360);
    assert_eq!(timeline.buckets.len(), 360);
    assert_eq!((timeline.all.from_secs, timeline.all.to_secs), (0.0, 5_400.0));
    let low: Vec<_> = timeline
        .buckets
        .iter()
        .enumerate()
        .filter(|(_, bucket)| bucket.authenticity.is_some_and(|spread| spread.min < 0.5))
        .collect();
    let [(number, bucket)] = low.as_slice() else { panic!("{low:?}") };
    assert_eq!(*number, 3_333 / 15);
    let spread = bucket.authenticity.expect("is there");
    assert!(spread.max > 0.9 && spread.mean > 0.8 && bucket.llrs[0].is_some_and(|spread| spread.min == 0.02));
    assert!((bucket.interval.expect("is there").0 + 0.08).abs() < 1e-9);
}

#[test]
fn a_short_range_is_drawn_second_by_second() {
    let scores = steady(600, |at| Some(f64::from(at) / 1_000.0));
    let timeline = Timeline::of(&scores, Some(TimelineRange { from_secs: 100.0, to_secs: 120.0 }), 360);
    assert_eq!(timeline.buckets.len(), 20);
    for bucket in &timeline.buckets {
        assert!(bucket.authenticity.is_some() && bucket.usable_ratio.is_some_and(|ratio| ratio > 0.99), "{bucket:?}");
    }
    assert_eq!(timeline.bucket_secs(0), 100.5);
}

#[test]
fn what_was_not_seen_is_a_gap_and_never_good() {
    // Video stops from 20 s to 60 s; from 60 s on it comes without a face; from 80 s on no verdict.
    let scores: Vec<_> = (1..=20)
        .chain(60..=100)
        .map(|at| score(f64::from(at), (at < 80).then_some(0.9), f64::from(at.min(20))))
        .collect();
    let timeline = Timeline::of(&scores, None, 100);
    let at = |secs: usize| &timeline.buckets[secs];
    assert!(at(10).authenticity.is_some() && at(10).usable_ratio.is_some_and(|ratio| ratio > 0.9));
    assert!(at(40).authenticity.is_none() && at(40).usable_ratio.is_none(), "{:?}", at(40));
    assert!(at(70).authenticity.is_some() && at(70).usable_ratio.is_some_and(|ratio| ratio < 0.01));
    assert!(at(90).authenticity.is_none() && at(90).llrs.iter().all(Option::is_none));
}

#[test]
fn numbers_that_are_none_are_left_out() {
    let mut scores = steady(10, |_| Some(0.5));
    scores[3].authenticity = Some(Authenticity { value: f64::NAN, low: f64::NAN, high: f64::INFINITY });
    scores[8].window_end_secs = f64::NAN;
    scores[5].usable_face_secs = f64::NAN;
    let timeline = Timeline::of(&scores, None, 5);
    for bucket in &timeline.buckets {
        let spread = bucket.authenticity.expect("the other second of the two");
        assert!(spread.min.is_finite() && spread.mean.is_finite() && spread.max.is_finite());
        assert!(bucket.usable_ratio.is_none_or(f64::is_finite));
    }
}

#[test]
fn ranges_stay_within_the_interview() {
    let all = TimelineRange { from_secs: 0.0, to_secs: 100.0 };
    let within = |from_secs, to_secs| {
        let range = TimelineRange { from_secs, to_secs }.within(all);
        (range.from_secs, range.to_secs)
    };
    assert_eq!(within(10.0, 20.0), (10.0, 20.0));
    assert_eq!(within(-5.0, 500.0), (0.0, 100.0));
    assert_eq!(within(50.0, 50.1), (49.1, 50.1));
    assert_eq!(within(0.0, 0.2), (0.0, 1.0));
    for (from, to) in [(20.0, 10.0), (200.0, 300.0), (f64::NAN, 3.0), (0.0, f64::INFINITY)] {
        assert_eq!(within(from, to), (0.0, 100.0), "{from} {to}");
    }
}

#[test]
fn nothing_gives_nothing() {
    assert!(Timeline::of(&[], None, 360).buckets.is_empty());
    assert_eq!(Timeline::of(&steady(1, |_| None), None, 360).buckets.len(), 1);
}
