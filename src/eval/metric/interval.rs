//! Intervals: exact ones of a share, and bootstrap ones over independent groups.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::signals::quantile;

/// Share of the outcomes that an interval leaves out on either side: 95 % intervals.
const TAIL: f64 = 0.025;
/// Halvings of an interval of length 1: past the precision of an f64.
const BISECTIONS: u32 = 60;
/// Share of the resamples that must give a figure for there to be an interval.
const MIN_USABLE_RATIO: f64 = 0.5;

/// The exact 95 % interval of a share of which `n_hits` of `n_trials` were seen; `None` without trials.
///
/// # Source
/// Clopper and Pearson, Biometrika 26, 1934, by bisection on the binomial tails.
pub(in crate::eval) fn clopper_pearson(n_hits: u64, n_trials: u64) -> Option<(f64, f64)> {
    if n_trials == 0 || n_hits > n_trials {
        return None;
    }
    let low = if n_hits == 0 { 0.0 } else { bisect(|share| 1.0 - at_most(n_hits - 1, n_trials, share) < TAIL) };
    let high = if n_hits == n_trials { 1.0 } else { bisect(|share| at_most(n_hits, n_trials, share) >= TAIL) };
    Some((low, high))
}

/// The share up to which `holds`, which is true at 0 and false at 1.
fn bisect(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(low, high);
        *(if holds(middle) { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}

/// Probability of at most `n_hits` in `n_trials` of probability `share` each, which is neither 0 nor 1.
fn at_most(n_hits: u64, n_trials: u64, share: f64) -> f64 {
    let (log_hit, log_miss) = (share.ln(), (-share).ln_1p());
    let n = n_trials as f64;
    let mut log_term = n * log_miss;
    let mut sum = log_term.exp();
    for k in 0..n_hits {
        let k = k as f64;
        log_term += ((n - k) / (k + 1.0)).ln() + log_hit - log_miss;
        sum += log_term.exp();
    }
    sum.min(1.0)
}

/// Draws whole groups (people, videos, capture sets) with replacement: trials of one group are not independent.
#[derive(Clone, Debug)]
pub(in crate::eval) struct Resampler {
    /// Group of each trial.
    group_of: Vec<usize>,
    n_groups: usize,
    n_resamples: usize,
    seed: u64,
}

impl Resampler {
    /// For trials of the named groups, in order. The same seed always gives the same intervals.
    pub(in crate::eval) fn new<'a>(groups: impl IntoIterator<Item = &'a str>, n_resamples: usize, seed: u64) -> Self {
        let mut known = BTreeMap::new();
        let mut group_of = Vec::new();
        for group in groups {
            let next = known.len();
            group_of.push(*known.entry(group).or_insert(next));
        }
        Self { group_of, n_groups: known.len(), n_resamples, seed }
    }

    /// Groups that are drawn from.
    pub(in crate::eval) const fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// The 95 % percentile interval of a figure; `figure` gets how often each trial was drawn and may have no answer.
    /// `None` with fewer than two groups or when too many resamples have no answer.
    pub(in crate::eval) fn interval(&self, figure: impl Fn(&[f64]) -> Option<f64>) -> Option<(f64, f64)> {
        if self.n_groups < 2 {
            return None;
        }
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut figures = Vec::with_capacity(self.n_resamples);
        for _ in 0..self.n_resamples {
            let mut drawn = vec![0.0; self.n_groups];
            for _ in 0..self.n_groups {
                if let Some(times) = drawn.get_mut(random.random_range(0..self.n_groups)) {
                    *times += 1.0;
                }
            }
            let weights: Vec<f64> = self.group_of.iter().filter_map(|group| drawn.get(*group).copied()).collect();
            figures.extend(figure(&weights).filter(|value| value.is_finite()));
        }
        if (figures.len() as f64) < self.n_resamples as f64 * MIN_USABLE_RATIO || figures.is_empty() {
            return None;
        }
        figures.sort_by(f64::total_cmp);
        Some((quantile(&figures, TAIL), quantile(&figures, 1.0 - TAIL)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Resampler, clopper_pearson};

    #[test]
    fn exact_intervals_are_those_of_the_tables() {
        let check = |n_hits, n_trials, low: f64, high: f64| {
            let (actual_low, actual_high) = clopper_pearson(n_hits, n_trials).expect("there are trials");
            assert!((actual_low - low).abs() < 1e-4 && (actual_high - high).abs() < 1e-4, "{actual_low} {actual_high}");
        };
        // Beta quantiles: 1 - .025^(1/10); 1 - .025^(1/300), the "three over n" of zero errors.
        check(0, 10, 0.0, 0.308_497);
        check(0, 300, 0.0, 0.012_221);
        check(10, 10, 0.691_503, 1.0);
        check(5, 10, 0.187_086, 0.812_914);
        check(1, 20, 0.001_265, 0.248_733);
        assert_eq!(clopper_pearson(0, 0), None);
        assert_eq!(clopper_pearson(3, 2), None);
    }

    #[test]
    fn large_counts_do_not_underflow() {
        let (low, high) = clopper_pearson(1_000, 1_000_000).expect("there are trials");
        assert!((0.000_93..0.001).contains(&low) && (0.001..0.001_07).contains(&high), "{low} {high}");
    }

    fn mean(values: &[f64]) -> impl Fn(&[f64]) -> Option<f64> {
        move |weights| {
            let total: f64 = weights.iter().sum();
            Some(values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / total)
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_does_not() {
        let groups: Vec<String> = (0..40).map(|group| group.to_string()).collect();
        let values: Vec<f64> = (0..40).map(|value| f64::from(value % 7)).collect();
        let interval = |seed| {
            let resampler = Resampler::new(groups.iter().map(String::as_str), 200, seed);
            resampler.interval(mean(&values)).expect("enough groups")
        };
        assert_eq!(interval(1), interval(1));
        assert_ne!(interval(1), interval(2));
        let (low, high) = interval(1);
        let center = values.iter().sum::<f64>() / 40.0;
        assert!(low < center && center < high && high - low < 2.0, "{low} {high}");
    }

    #[test]
    fn trials_of_one_group_are_one_draw() {
        let values: Vec<f64> = (0..60).map(|trial| f64::from(trial / 20)).collect();
        let names: Vec<String> = (0..60).map(|trial| (trial / 20).to_string()).collect();
        let few = Resampler::new(names.iter().map(String::as_str), 300, 7);
        assert_eq!(few.n_groups(), 3);
        let (low, high) = few.interval(mean(&values)).expect("three groups");
        assert!(high - low > 1.2, "three groups say little: {low} {high}");
        assert_eq!(Resampler::new(["one", "one"], 300, 7).interval(mean(&values)), None);
    }
}
