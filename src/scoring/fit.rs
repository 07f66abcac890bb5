//! Fitting a calibration to labelled statistics.

use super::calibration::Calibration;

/// Newton steps; the problem has two parameters and is convex.
const MAX_STEPS: usize = 60;
/// Weight of the pull of the slope to zero, in samples: keeps separable data finite.
const RIDGE: f64 = 0.05;

/// One labelled statistic with the source (person, video, capture set) that it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledStatistic {
    /// The statistic; not finite ones are left out.
    pub statistic: f64,
    /// Whether it came from a bona fide presentation.
    pub is_bona_fide: bool,
    /// What it came from: only different sources count as independent.
    pub source: String,
}

/// Fits `llr = offset + slope * statistic` by logistic regression with classes of equal weight.
///
/// Bounds are the natural logarithm of the smaller class's number of independent sources. `None` when a class is empty or
/// the statistic does not separate the classes in the right direction.
///
/// # Source
/// Platt 1999 without target smoothing; Newton's method with a ridge on the slope.
#[must_use]
pub fn fit(samples: &[LabelledStatistic], fitted_on: &str) -> Option<Calibration> {
    let samples: Vec<&LabelledStatistic> = samples.iter().filter(|sample| sample.statistic.is_finite()).collect();
    let n_of = |is_bona_fide: bool| samples.iter().filter(|sample| sample.is_bona_fide == is_bona_fide).count();
    let sources_of = |is_bona_fide: bool| {
        let sources = samples.iter().filter(|sample| sample.is_bona_fide == is_bona_fide).map(|sample| &sample.source);
        u32::try_from(sources.collect::<std::collections::BTreeSet<_>>().len()).unwrap_or(u32::MAX)
    };
    let (n_bona_fide, n_attack) = (n_of(true), n_of(false));
    if n_bona_fide == 0 || n_attack == 0 {
        return None;
    }
    // Standardising makes the ridge mean the same for every statistic.
    let n = samples.len() as f64;
    let center = samples.iter().map(|sample| sample.statistic).sum::<f64>() / n;
    let spread = (samples.iter().map(|sample| (sample.statistic - center).powi(2)).sum::<f64>() / n).sqrt().max(1e-9);
    let rows: Vec<(f64, f64, f64)> = samples
        .iter()
        .map(|sample| {
            let weight = 0.5 / if sample.is_bona_fide { n_bona_fide as f64 } else { n_attack as f64 };
            ((sample.statistic - center) / spread, f64::from(u8::from(sample.is_bona_fide)), weight)
        })
        .collect();
    let (mut offset, mut slope) = (0.0_f64, 0.0_f64);
    let ridge = RIDGE / n_bona_fide.min(n_attack) as f64;
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
    let (sources_bona_fide, sources_attack) = (sources_of(true), sources_of(false));
    let bound = f64::from(sources_bona_fide.min(sources_attack)).ln().max(0.0);
    // Variance of the offset at the middle of the data, with sources rather than frames as the sample size.
    let n_sources = f64::from(sources_bona_fide.min(sources_attack));
    let standard_error = (1.0 / (hessian[0] * 2.0 * n_sources).max(1e-9)).sqrt().min(bound.max(0.1));
    (slope > 0.0).then(|| Calibration {
        offset: offset - slope * center / spread,
        slope: slope / spread,
        llr_min: -bound,
        llr_max: bound,
        standard_error,
        n_bona_fide: sources_bona_fide,
        n_attack: sources_attack,
        fitted_on: fitted_on.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{LabelledStatistic, fit};

    fn samples(bona_fide: &[f64], attack: &[f64]) -> Vec<LabelledStatistic> {
        let label = |is_bona_fide: bool| {
            move |(n, statistic): (usize, &f64)| LabelledStatistic {
                statistic: *statistic,
                is_bona_fide,
                source: format!("source {n}"),
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
    fn class_sizes_do_not_matter() {
        let many: Vec<f64> = logistic(0.0).repeat(5);
        let even = fit(&samples(&logistic(2.0), &logistic(0.0)), "test").expect("separable");
        let skewed = fit(&samples(&logistic(2.0), &many), "test").expect("separable");
        assert!((even.offset - skewed.offset).abs() < 0.05, "{even:?} {skewed:?}");
    }

    #[test]
    fn separable_data_stay_finite_and_bounded_by_their_sources() {
        let calibration = fit(&samples(&[5.0; 12], &[-5.0; 40]), "test").expect("separable");
        assert!(calibration.slope.is_finite() && calibration.offset.is_finite());
        assert!((calibration.llr_max - 12.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn a_statistic_the_wrong_way_round_or_one_class_is_refused() {
        assert_eq!(fit(&samples(&[0.0, 0.1, 0.2], &[1.0, 1.1, 1.2]), "test"), None);
        assert_eq!(fit(&samples(&[0.0, 0.1], &[]), "test"), None);
        assert_eq!(fit(&samples(&[f64::NAN], &[1.0]), "test"), None);
    }
}
