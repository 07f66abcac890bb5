//! From a signal's statistic to a log-likelihood ratio.

use serde::Deserialize;

/// A fitted straight line from statistic to log-likelihood ratio, held within what its data support.
///
/// # Units
/// `llr = offset + slope * statistic`, natural logarithm, positive supports bona fide.
///
/// # Source
/// Logistic ("Platt") calibration with classes of equal weight; bounds after Vergeer et al.'s empirical bounds in their
/// simplest form: no ratio beyond the number of independent sources behind it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Log-likelihood ratio at statistic 0.
    pub offset: f64,
    /// Log-likelihood ratio a unit of the statistic; never negative, so that more evidence never counts for less.
    pub slope: f64,
    /// Least that the signal may say (strongest evidence of an attack).
    pub llr_min: f64,
    /// Most that the signal may say (strongest evidence for bona fide).
    pub llr_max: f64,
    /// Standard error of the line itself, at its middle.
    pub standard_error: f64,
    /// Independent bona fide sources behind the fit.
    pub n_bona_fide: u32,
    /// Independent attack sources behind the fit.
    pub n_attack: u32,
    /// Data and command of the fit.
    pub fitted_on: String,
}

/// What a signal's alarm says: it has no degrees, so that a ratio is all there is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmRatio {
    /// Log-likelihood ratio; at most 0.
    pub llr: f64,
    /// Standard error of `llr`.
    pub standard_error: f64,
    /// Independent bona fide sources behind it.
    pub n_bona_fide: u32,
    /// Independent attack sources behind it.
    pub n_attack: u32,
    /// Data and command of the fit.
    pub fitted_on: String,
}

impl AlarmRatio {
    /// What an alarm says beside the statistic of the same signal: the stronger of the two, never the sum.
    #[must_use]
    pub fn with(&self, ratio: LikelihoodRatio) -> LikelihoodRatio {
        if self.llr < ratio.llr {
            return LikelihoodRatio { llr: self.llr, standard_error: self.standard_error };
        }
        ratio
    }

    /// Whether the numbers can be used.
    pub(super) const fn is_valid(&self) -> bool {
        self.llr <= 0.0 && self.llr.is_finite() && self.standard_error >= 0.0 && self.standard_error.is_finite()
    }
}

/// A calibrated log-likelihood ratio with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LikelihoodRatio {
    /// Natural logarithm, positive supports bona fide.
    pub llr: f64,
    /// Standard error of `llr`.
    pub standard_error: f64,
}

impl Calibration {
    /// Applies the line; `None` when the statistic is not a finite number.
    #[must_use]
    pub fn apply(&self, statistic: f64, standard_error: Option<f64>) -> Option<LikelihoodRatio> {
        if !statistic.is_finite() {
            return None;
        }
        let line = |statistic: f64| (self.offset + self.slope * statistic).clamp(self.llr_min, self.llr_max);
        let llr = line(statistic);
        // Half the span of one standard error either way: beyond the bounds the statistic's own error no longer matters.
        let error = standard_error.filter(|error| error.is_finite()).unwrap_or(0.0);
        let of_statistic = (line(statistic + error) - line(statistic - error)) / 2.0;
        Some(LikelihoodRatio { llr, standard_error: of_statistic.hypot(self.standard_error) })
    }

    /// What is wrong with the numbers, if anything.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let numbers = [self.offset, self.slope, self.llr_min, self.llr_max, self.standard_error];
        if numbers.iter().any(|number| !number.is_finite()) {
            return Some("every number must be finite");
        }
        if self.slope < 0.0 || self.standard_error < 0.0 {
            return Some("slope and standard_error must not be negative");
        }
        if self.llr_min > 0.0 || self.llr_max < 0.0 {
            return Some("llr_min must not be above 0 and llr_max not below it");
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Calibration;

    fn line() -> Calibration {
        Calibration {
            offset: -1.0,
            slope: 2.0,
            llr_min: -3.0,
            llr_max: 1.5,
            standard_error: 0.3,
            n_bona_fide: 20,
            n_attack: 20,
            fitted_on: "numbers made up for this test".to_owned(),
        }
    }

    #[test]
    fn more_evidence_never_counts_for_less_and_stays_within_bounds() {
        let llrs: Vec<f64> =
            (-40..40).map(|step| line().apply(f64::from(step) / 4.0, None).expect("finite").llr).collect();
        assert!(llrs.is_sorted());
        assert!(llrs.iter().all(|llr| (-3.0..=1.5).contains(llr)));
    }

    #[test]
    fn numbers_that_are_none_give_no_ratio() {
        for statistic in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(line().apply(statistic, None), None);
        }
    }

    #[test]
    fn errors_add_in_squares() {
        let ratio = line().apply(0.0, Some(0.2)).expect("finite");
        assert!((ratio.standard_error - 0.5).abs() < 1e-12);
        let beyond = line().apply(50.0, Some(0.2)).expect("finite");
        assert!((beyond.standard_error - 0.3).abs() < 1e-12, "only the line's own error is left");
    }
}
