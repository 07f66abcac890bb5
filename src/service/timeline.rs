//! How a participant's scores went over time, small enough to be drawn.

use crate::service::ports::ScorePoint;
use crate::session::ParticipantId;
use crate::signals::SignalName;

/// Without a score for so many of the usual intervals, nothing is known of a moment.
const GAP_INTERVALS: f64 = 3.0;
/// The least such time, in seconds.
const MIN_GAP_SECS: f64 = 3.0;
/// The shortest range that is drawn, in seconds.
const MIN_RANGE_SECS: f64 = 1.0;

/// A stretch of media time, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelineRange {
    /// From here.
    pub from_secs: f64,
    /// To here.
    pub to_secs: f64,
}

impl TimelineRange {
    /// How long it is.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.to_secs - self.from_secs
    }

    /// The part of it that lies within `all`, at least a second long; `all` when there is none or an end is not finite.
    #[must_use]
    pub fn within(self, all: Self) -> Self {
        let (from_secs, to_secs) = (self.from_secs.max(all.from_secs), self.to_secs.min(all.to_secs));
        if !(self.from_secs.is_finite() && self.to_secs.is_finite()) || from_secs >= to_secs {
            return all;
        }
        let from_secs = from_secs.min(to_secs - MIN_RANGE_SECS).max(all.from_secs);
        Self { from_secs, to_secs: to_secs.max(from_secs + MIN_RANGE_SECS) }
    }
}

/// Which timeline is wanted.
#[derive(Clone, Copy, Debug)]
pub struct TimelineWish<'a> {
    /// Whose.
    pub participant: &'a ParticipantId,
    /// Of which stretch; `None` = of the whole interview.
    pub range: Option<TimelineRange>,
    /// In how many parts at most.
    pub max_buckets: usize,
}

/// What there was of a value in one part of the range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The mean.
    pub mean: f64,
    /// The greatest.
    pub max: f64,
}

/// One part of the range.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineBucket {
    /// The estimate; `None` where there was no verdict.
    pub authenticity: Option<Spread>,
    /// The lowest lower and the highest upper end of the interval.
    pub interval: Option<(f64, f64)>,
    /// Share of the time with a face good enough to measure; `None` where nothing came.
    pub usable_ratio: Option<f64>,
    /// The log-likelihood ratio of each signal, as [`SignalName::ALL`]; `None` where it was not measured.
    pub llrs: [Option<Spread>; SignalName::ALL.len()],
}

/// A participant's scores over a range. Each tells how the evidence stood at that moment, with all that came before.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// From the first to the last score.
    pub all: TimelineRange,
    /// What the buckets cover.
    pub range: TimelineRange,
    /// Parts of equal length, in order of time.
    pub buckets: Vec<TimelineBucket>,
}

impl Timeline {
    /// The timeline of `scores`, which are in order of time, in at most `max_buckets` parts of `range`. Extremes stay: a bucket
    /// keeps least and greatest value. Values that are not finite are left out.
    #[must_use]
    pub fn of(scores: &[ScorePoint], range: Option<TimelineRange>, max_buckets: usize) -> Self {
        let times: Vec<f64> = scores.iter().map(|score| score.window_end_secs).filter(|at| at.is_finite()).collect();
        let (Some(last), Some(begin)) = (times.last(), scores.first().map(|score| score.window_start_secs)) else {
            let nothing = TimelineRange { from_secs: 0.0, to_secs: 0.0 };
            return Self { all: nothing, range: nothing, buckets: Vec::new() };
        };
        let begin = if begin.is_finite() { begin.min(*last) } else { *last };
        let all = TimelineRange { from_secs: begin, to_secs: last.max(begin + MIN_RANGE_SECS) };
        let range = range.map_or(all, |range| range.within(all));
        let interval_secs = usual_interval(&times);
        let n_buckets = n_buckets(range.secs() / interval_secs, max_buckets);
        let bucket_secs = range.secs() / n_buckets as f64;
        let gap_secs = (interval_secs * GAP_INTERVALS).max(MIN_GAP_SECS);
        let mut cursor = 0;
        let mut before = None;
        let buckets = (0..n_buckets)
            .map(|number| {
                let from = range.from_secs + number as f64 * bucket_secs;
                let is_last = number + 1 == n_buckets;
                let to = if is_last { range.to_secs } else { from + bucket_secs };
                let mut inside = Vec::new();
                while let Some(score) = scores.get(cursor)
                    && (!score.window_end_secs.is_finite() || score.window_end_secs < to || is_last)
                {
                    if score.window_end_secs >= from && score.window_end_secs <= to {
                        inside.push(score);
                    } else if score.window_end_secs < from {
                        before = Some(score);
                    }
                    cursor += 1;
                }
                // How it stood holds until the next score, unless that does not come.
                if inside.is_empty() {
                    inside.extend(before.filter(|score| from - score.window_end_secs <= gap_secs));
                } else {
                    before = inside.last().copied();
                }
                TimelineBucket { usable_ratio: usable_ratio(scores, (from, to), gap_secs), ..bucket(&inside) }
            })
            .collect();
        Self { all, range, buckets }
    }

    /// The middle of a bucket, in seconds.
    #[must_use]
    pub fn bucket_secs(&self, number: usize) -> f64 {
        self.range.from_secs + (number as f64 + 0.5) * self.range.secs() / self.buckets.len().max(1) as f64
    }
}

/// As many buckets as there may be and are filled.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn n_buckets(n_scores: f64, max_buckets: usize) -> usize {
    (n_scores.ceil().clamp(1.0, 1e6) as usize).min(max_buckets.max(1))
}

/// The median time between scores.
fn usual_interval(times: &[f64]) -> f64 {
    let mut steps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|step| *step > 0.0).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(1.0).max(0.1)
}

/// What stood in the scores of one bucket.
fn bucket(inside: &[&ScorePoint]) -> TimelineBucket {
    let estimates = || inside.iter().filter_map(|score| score.authenticity);
    let lowest = estimates().map(|estimate| estimate.low).filter(|low| low.is_finite()).reduce(f64::min);
    let highest = estimates().map(|estimate| estimate.high).filter(|high| high.is_finite()).reduce(f64::max);
    TimelineBucket {
        authenticity: spread(estimates().map(|estimate| estimate.value)),
        interval: lowest.zip(highest),
        usable_ratio: None,
        llrs: std::array::from_fn(|index| {
            let of_signal = |score: &&ScorePoint| score.llrs.get(index).copied().flatten();
            spread(inside.iter().filter_map(of_signal))
        }),
    }
}

fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let mut n_values = 0_u32;
    let mut sum = Spread { min: f64::INFINITY, mean: 0.0, max: f64::NEG_INFINITY };
    for value in values.filter(|value| value.is_finite()) {
        n_values += 1;
        sum = Spread { min: sum.min.min(value), mean: sum.mean + value, max: sum.max.max(value) };
    }
    (n_values > 0).then(|| Spread { mean: sum.mean / f64::from(n_values), ..sum })
}

/// How much of a stretch had a usable face, from the seconds counted up to its ends; `None` where no score is near.
fn usable_ratio(scores: &[ScorePoint], (from, to): (f64, f64), gap_secs: f64) -> Option<f64> {
    let counted = |at: f64| {
        let next = scores.partition_point(|score| score.window_end_secs < at);
        let after = scores.get(next);
        let before = next.checked_sub(1).and_then(|index| scores.get(index));
        match (before, after) {
            (Some(before), Some(after)) => {
                let (start, end) = (before.window_end_secs, after.window_end_secs);
                if end - start > gap_secs {
                    return None;
                }
                let share = if end > start { (at - start) / (end - start) } else { 0.0 };
                Some(before.usable_face_secs + share * (after.usable_face_secs - before.usable_face_secs))
            }
            // Before the first score: from nothing at the beginning of its window.
            (None, Some(first)) => {
                let span = first.window_end_secs - first.window_start_secs;
                if span > gap_secs {
                    return None;
                }
                let share = if span > 0.0 { ((at - first.window_start_secs) / span).clamp(0.0, 1.0) } else { 1.0 };
                Some(first.usable_face_secs * share)
            }
            (Some(last), None) => (at - last.window_end_secs <= gap_secs).then_some(last.usable_face_secs),
            (None, None) => None,
        }
    };
    let ratio = (counted(to)? - counted(from)?) / (to - from);
    ratio.is_finite().then(|| ratio.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
