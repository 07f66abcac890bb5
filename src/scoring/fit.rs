//! Fitting a calibration to labelled statistics.

use std::collections::{BTreeMap, BTreeSet};

use super::calibration::{AlarmRatio, Calibration};

/// Newton steps; the problem has two parameters and is convex.
const MAX_STEPS: usize = 60;
/// Weight of the pull of the slope to zero, in samples: keeps separable data finite.
const RIDGE: f64 = 0.05;

/// One labelled statistic with where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledStatistic {
    /// The statistic; not finite ones are left out.
    pub statistic: f64,
    /// Whether it came from a bona fide presentation.
    pub is_bona_fide: bool,
    /// Person or video that it came from: only different sources count as independent.
    pub source: String,
    /// Capture set that it came from (camera, room, light in common), where there are several.
    pub set: Option<String>,
}

/// Fits `llr = offset + slope * statistic` by logistic regression in which both classes weigh the same, within a class every
/// capture set, and within a set every source: what cameras and rooms differ in is not averaged away by the largest set.
///
/// A ratio says how much more rarely one class gives such a statistic than the other, and that is known no better than from
/// one of its sources: evidence of an attack is bounded by the logarithm of the number of bona fide sources, evidence for
/// bona fide by that of attack sources. `None` when a class is empty or the statistic does not separate the classes in the
/// right direction.
///
/// # Source
/// Platt 1999 without target smoothing; Newton's method with a ridge on the slope. The bounds are the simplest form of
/// Vergeer et al.'s empirical ones (Science and Justice 56, 2016).
#[must_use]
pub fn fit(samples: &[LabelledStatistic], fitted_on: &str) -> Option<Calibration> {
    let samples: Vec<&LabelledStatistic> = samples.iter().filter(|sample| sample.statistic.is_finite()).collect();
    let (n_bona_fide, n_attack) = (sizes(&samples, true), sizes(&samples, false));
    if n_bona_fide.is_empty() || n_attack.is_empty() {
        return None;
    }
    let (of_bona_fide, of_attack) = (sources_of_sets(&samples, true), sources_of_sets(&samples, false));
    let weight = |sample: &LabelledStatistic| {
        let (sizes, sets) = if sample.is_bona_fide { (&n_bona_fide, &of_bona_fide) } else { (&n_attack, &of_attack) };
        let n_sources = sets.get(&sample.set.as_deref()).map_or(1, BTreeSet::len) as f64;
        let n_samples = sizes.get(sample.source.as_str()).copied().unwrap_or(1.0);
        0.5 / sets.len() as f64 / n_sources / n_samples
    };
    // Standardising makes the ridge mean the same for every statistic.
    let mean = |value: &dyn Fn(f64) -> f64| -> f64 {
        samples.iter().map(|sample| weight(sample) * value(sample.statistic)).sum()
    };
    let center = mean(&|statistic| statistic);
    let spread = mean(&|statistic| (statistic - center).powi(2)).sqrt().max(1e-9);
    let rows: Vec<(f64, f64, f64)> = samples
        .iter()
        .map(|sample| ((sample.statistic - center) / spread, f64::from(u8::from(sample.is_bona_fide)), weight(sample)))
        .collect();
    let (mut offset, mut slope) = (0.0_f64, 0.0_f64);
    let n_sources = n_bona_fide.len().min(n_attack.len()) as f64;
    let ridge = RIDGE / n_sources;
    let mut hessian = [0.0; 3];
    for _ in 0..MAX_STEPS {
        let mut gradient = [0.0, ridge * slope];
        hessian = [1e-12, 0.0, ridge];
        for (x, label, weight) in &rows {
            let probability = 1.0 / (1.0 + (-(offset + slope * x)).exp());
            let (error, curvature) = (weight * (probability - label), weight * probability * (1.0 - probability));
            gradient[0] += error;
            gradient[1] += error * x;
            hessian[0] += curvature;
            hessian[1] += curvature * x;
            hessian[2] += curvature * x * x;
        }
        let determinant = (hessian[0] * hessian[2] - hessian[1] * hessian[1]).max(1e-12);
        let step_offset = (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant;
        let step_slope = (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant;
        // A long step on nearly separable data overshoots; a bounded one always comes back.
        offset -= step_offset.clamp(-2.0, 2.0);
        slope -= step_slope.clamp(-2.0, 2.0);
        if step_offset.abs() + step_slope.abs() < 1e-9 {
            break;
        }
    }
    let bound = |sizes: &BTreeMap<&str, f64>| (sizes.len() as f64).ln();
    let (llr_min, llr_max) = (-bound(&n_bona_fide), bound(&n_attack));
    // Variance of the offset at the middle of the data, with sources rather than frames as the sample size.
    let standard_error = (1.0 / (hessian[0] * 2.0 * n_sources).max(1e-9)).sqrt();
    (slope > 0.0).then(|| Calibration {
        offset: offset - slope * center / spread,
        slope: slope / spread,
        llr_min,
        llr_max,
        standard_error: standard_error.min(llr_max.min(-llr_min).max(0.1)),
        n_bona_fide: count(n_bona_fide.len()),
        n_attack: count(n_attack.len()),
        fitted_on: fitted_on.to_owned(),
    })
}

/// Fits what an alarm says that rings for the statistics that `rings` names, from how often it rings in either class, every
/// source weighing the same.
///
/// That nobody's alarm rang is known no better than of one source: the false alarm rate counts as at least one in so many
/// bona fide sources. `None` when a class is empty or the alarm rings for bona fide more often.
#[must_use]
pub fn fit_alarm(samples: &[LabelledStatistic], rings: impl Fn(f64) -> bool, fitted_on: &str) -> Option<AlarmRatio> {
    let samples: Vec<&LabelledStatistic> = samples.iter().filter(|sample| sample.statistic.is_finite()).collect();
    let rate = |is_bona_fide: bool| {
        let sizes = sizes(&samples, is_bona_fide);
        let of_class = samples.iter().filter(|sample| sample.is_bona_fide == is_bona_fide && rings(sample.statistic));
        let rung: f64 = of_class.map(|sample| 1.0 / sizes.get(sample.source.as_str()).copied().unwrap_or(1.0)).sum();
        (!sizes.is_empty()).then(|| (rung / sizes.len() as f64, sizes.len()))
    };
    let ((false_alarms, n_bona_fide), (alarms, n_attack)) = (rate(true)?, rate(false)?);
    let false_alarms = false_alarms.max(1.0 / n_bona_fide as f64);
    // Of the ratio's logarithm to first order; that of the common event is small beside it.
    let standard_error = ((1.0 - false_alarms) / (false_alarms * n_bona_fide as f64)).sqrt();
    (alarms > false_alarms).then(|| AlarmRatio {
        llr: (false_alarms / alarms).ln(),
        standard_error,
        n_bona_fide: count(n_bona_fide),
        n_attack: count(n_attack),
        fitted_on: fitted_on.to_owned(),
    })
}

/// Sources, for the policy file.
fn count(n_sources: usize) -> u32 {
    u32::try_from(n_sources).unwrap_or(u32::MAX)
}

/// Sources of each capture set of one class.
fn sources_of_sets<'a>(
    samples: &[&'a LabelledStatistic],
    is_bona_fide: bool,
) -> BTreeMap<Option<&'a str>, BTreeSet<&'a str>> {
    let mut sets = BTreeMap::<_, BTreeSet<&str>>::new();
    for sample in samples.iter().filter(|sample| sample.is_bona_fide == is_bona_fide) {
        sets.entry(sample.set.as_deref()).or_default().insert(sample.source.as_str());
    }
    sets
}

/// Samples of each source of one class.
fn sizes<'a>(samples: &[&'a LabelledStatistic], is_bona_fide: bool) -> BTreeMap<&'a str, f64> {
    let mut sizes = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.is_bona_fide == is_bona_fide) {
        *sizes.entry(sample.source.as_str()).or_insert(0.0) += 1.0;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::{LabelledStatistic, fit, fit_alarm};

    fn samples(bona_fide: &[f64], attack: &[f64]) -> Vec<LabelledStatistic> {
        let label = |is_bona_fide: bool| {
            move |(n, statistic): (usize, &f64)| LabelledStatistic {
                statistic: *statistic,
                is_bona_fide,
                source: format!("source {n}"),
                set: None,
            }
        };
        let bona_fide = bona_fide.iter().enumerate().map(label(true));
        bona_fide.chain(attack.iter().enumerate().map(label(false))).collect()
    }

    /// Evenly spaced quantiles of a logistic distribution around `center`, whose ratio of densities is known.
    fn logistic(center: f64) -> Vec<f64> {
        (1..400).map(|n| f64::from(n) / 400.0).map(|p| center + (p / (1.0 - p)).ln()).collect()
    }

    #[test]
    fn classes_of_equal_spread_meet_in_the_middle() {
        let calibration = fit(&samples(&logistic(2.0), &logistic(0.0)), "test").expect("separable");
        assert!((calibration.offset + calibration.slope).abs() < 0.02, "zero at statistic 1: {calibration:?}");
        assert!((0.4..1.2).contains(&calibration.slope), "{calibration:?}");
    }

    #[test]
    fn an_alarm_says_as_much_as_its_rates() {
        let below = |statistic: f64| statistic < 0.0;
        let mut bona_fide = [1.0; 200];
        bona_fide[..10].fill(-1.0);
        let attack = [[-1.0; 9].as_slice(), &[1.0]].concat();
        let alarm = fit_alarm(&samples(&bona_fide, &attack), below, "test").expect("rings more often for attacks");
        assert!((alarm.llr - (0.05_f64 / 0.9).ln()).abs() < 1e-9, "{alarm:?}");
        let silent = fit_alarm(&samples(&[1.0; 200], &attack), below, "test").expect("rings for attacks only");
        assert!((silent.llr - (1.0_f64 / 200.0 / 0.9).ln()).abs() < 1e-9, "no better than one in 200: {silent:?}");
        assert_eq!(fit_alarm(&samples(&attack, &bona_fide), below, "test"), None);
        assert_eq!(fit_alarm(&samples(&[], &attack), below, "test"), None);
    }

    #[test]
    fn class_sizes_do_not_matter() {
        let many: Vec<f64> = logistic(0.0).repeat(5);
        let even = fit(&samples(&logistic(2.0), &logistic(0.0)), "test").expect("separable");
        let skewed = fit(&samples(&logistic(2.0), &many), "test").expect("separable");
        assert!((even.offset - skewed.offset).abs() < 0.05, "{even:?} {skewed:?}");
    }

    #[test]
    fn many_frames_of_one_source_count_once() {
        let mut few = samples(&[2.0, 1.0, 3.0, 0.2], &[-2.0, -1.0, 0.5, 0.0]);
        let once = fit(&few, "test").expect("separable");
        let repeated: Vec<LabelledStatistic> = std::iter::repeat_n(few[0].clone(), 99).collect();
        few.extend(repeated);
        let often = fit(&few, "test").expect("separable");
        assert!((once.offset - often.offset).abs() < 1e-3 && (once.slope - often.slope).abs() < 1e-3);
        assert_eq!((often.n_bona_fide, often.n_attack), (4, 4));
    }

    #[test]
    fn a_large_set_counts_no_more_than_a_small_one() {
        let zero = |large: usize| {
            let mut all = samples(&logistic(1.0), &logistic(-1.0));
            let elsewhere = samples(&logistic(4.0).repeat(large), &logistic(2.0));
            all.extend(elsewhere.into_iter().map(|sample| LabelledStatistic {
                source: format!("elsewhere {}", sample.source),
                set: Some("elsewhere".to_owned()),
                ..sample
            }));
            let line = fit(&all, "test").expect("separable");
            -line.offset / line.slope
        };
        assert!((zero(1) - zero(9)).abs() < 0.05, "{} {}", zero(1), zero(9));
    }

    #[test]
    fn separable_data_stay_finite_and_bounded_by_their_sources() {
        let calibration = fit(&samples(&[5.0; 12], &[-5.0; 40]), "test").expect("separable");
        assert!(calibration.slope.is_finite() && calibration.offset.is_finite());
        assert!((calibration.llr_min + 12.0_f64.ln()).abs() < 1e-12, "as often as bona fide was seen");
        assert!((calibration.llr_max - 40.0_f64.ln()).abs() < 1e-12, "as often as attacks were seen");
    }

    #[test]
    fn a_statistic_the_wrong_way_round_or_one_class_is_refused() {
        assert_eq!(fit(&samples(&[0.0, 0.1, 0.2], &[1.0, 1.1, 1.2]), "test"), None);
        assert_eq!(fit(&samples(&[0.0, 0.1], &[]), "test"), None);
        assert_eq!(fit(&samples(&[f64::NAN], &[1.0]), "test"), None);
    }
}
