use crate::service::{Spread, TimelineBucket};

use super::{in_units, line, runs, steps, tick_secs};

fn bucket(value: Option<f64>) -> TimelineBucket {
    TimelineBucket {
        authenticity: value.map(|value| Spread { min: value, mean: value, max: value }),
        interval: None,
        usable_ratio: None,
        llrs: [None; 6],
    }
}

fn buckets(values: &[Option<f64>]) -> Vec<TimelineBucket> {
    values.iter().copied().map(bucket).collect()
}

#[test]
fn equal_neighbours_are_one_step_and_gaps_lift_the_pen() {
    let buckets = buckets(&[Some(1.0), Some(1.0), Some(2.5), None, Some(3.0)]);
    let mean = |bucket: &TimelineBucket| bucket.authenticity.map(|spread| spread.mean);
    assert_eq!(line(&buckets, mean), "M0 1h2v1.5h1M4 3h1");
    let area = steps(&buckets, |bucket| mean(bucket).map(|value| (value, value + 1.0)));
    assert_eq!(area, "M0 1h2v1.5h1V3.5h-1v-1.5h-2zM4 3h1V4h-1z");
    assert_eq!(line(&[], mean), "");
}

#[test]
fn coordinates_are_short() {
    assert_eq!([5, 0, -5, 123, -120].map(in_units), [".5", "0", "-.5", "12.3", "-12"]);
}

#[test]
fn runs_are_the_longest_there_are() {
    assert_eq!(runs(&[1, 1, 0, 1], |item| *item == 1), [(0, 2), (3, 4)]);
}

#[test]
fn there_are_few_times_at_the_bottom() {
    for secs in [1.0, 7.0, 59.0, 600.0, 5_400.0, 21_600.0, 90_000.0] {
        let n_ticks = secs / tick_secs(secs);
        assert!((0.5..=8.0).contains(&n_ticks), "{secs} s: {n_ticks}");
    }
}
