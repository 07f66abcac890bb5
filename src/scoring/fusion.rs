//! All signals to one score.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::signals::Measurement;
use crate::signals::Reason;
use crate::signals::SignalName;

use super::calibration::LikelihoodRatio;
use super::policy::{EvidenceNeeds, Policy};
use super::score::{Authenticity, Level, Score, SignalEvidence};

/// Half width of the interval in standard errors: 95 %.
const INTERVAL_STANDARD_ERRORS: f64 = 1.96;
/// Least standard error of a session's log-odds: what no calibration knows of its own domain shift.
const MIN_STANDARD_ERROR: f64 = 0.5;

/// Which signals share their causes, and so count once where independence is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Identity,
    Liveness,
    Stream,
}

const fn family(signal: SignalName) -> Family {
    match signal {
        SignalName::Identity => Family::Identity,
        SignalName::Presentation | SignalName::Motion => Family::Liveness,
        SignalName::Presence | SignalName::Stream => Family::Stream,
    }
}

/// What a score is made of.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// One measurement a signal.
    pub measurements: &'a [Measurement],
    /// Seconds with a face good enough to measure.
    pub usable_face_secs: f64,
    /// What kept the face from being measured lately.
    pub quality_problem: Option<&'a Reason>,
    /// First and last media time behind it, in seconds.
    pub window_secs: (f64, f64),
    /// Which model stands behind a signal, as `models/{id}@{sha256}`.
    pub models: &'a BTreeMap<SignalName, String>,
}

/// Scores a whole session. See [`score_window`] for a part of one.
#[must_use]
pub fn score_session(policy: &Policy, evidence: &Evidence<'_>) -> Score {
    score(policy, evidence, policy.evidence.min_usable_face_secs)
}

/// Scores one window of a session, which needs less face time.
#[must_use]
pub fn score_window(policy: &Policy, evidence: &Evidence<'_>) -> Score {
    score(policy, evidence, policy.evidence.min_window_face_secs)
}

/// Sums log-likelihood ratios on the prior's log-odds, or abstains.
///
/// The interval is that of the sum: standard errors of statistic and calibration, and a floor for what neither knows.
fn score(policy: &Policy, evidence: &Evidence<'_>, needed_face_secs: f64) -> Score {
    let mut log_odds = policy.prior_log_odds();
    let mut variance = MIN_STANDARD_ERROR.powi(2);
    let mut families = Vec::new();
    let mut signals = Vec::with_capacity(evidence.measurements.len());
    for measurement in evidence.measurements {
        let ratio = calibrate(policy, measurement);
        if let Some(ratio) = ratio {
            log_odds += ratio.llr;
            variance += ratio.standard_error.powi(2);
            families.push(family(measurement.signal));
        }
        signals.push(SignalEvidence {
            name: measurement.signal,
            llr: ratio.map(|ratio| ratio.llr),
            usable_ratio: finite_ratio(measurement.usable_ratio),
            model: evidence.models.get(&measurement.signal).map(|model| Cow::Owned(model.clone())),
            reasons: measurement.reasons.clone(),
        });
    }
    signals.sort_by_key(|signal| signal.name);
    families.sort_unstable();
    families.dedup();
    let mut reasons = missing_evidence(&policy.evidence, evidence, needed_face_secs, &families);
    let authenticity = authenticity(log_odds, variance.sqrt()).filter(|_| reasons.is_empty());
    let level = authenticity.map_or(Level::Inconclusive, |authenticity| level(policy, authenticity));
    if let (Level::Inconclusive, Some(authenticity)) = (level, authenticity) {
        let reason = Reason::new("score.undecided").with("authenticity", authenticity.value);
        reasons.push(reason.with("authenticity_low", authenticity.low).with("authenticity_high", authenticity.high));
    }
    Score {
        authenticity: authenticity.filter(|_| level != Level::Inconclusive),
        level,
        signals,
        reasons,
        usable_face_secs: finite_ratio_or_more(evidence.usable_face_secs),
        window_start_secs: evidence.window_secs.0,
        window_end_secs: evidence.window_secs.1,
        policy: policy.name(),
    }
}

/// The level of an estimate; an interval that reaches below `suspicious_below` is not CLEAR.
fn level(policy: &Policy, authenticity: Authenticity) -> Level {
    let levels = &policy.levels;
    if authenticity.value < levels.alert_below {
        Level::Alert
    } else if authenticity.value < levels.suspicious_below {
        Level::Suspicious
    } else if authenticity.value >= levels.clear_from && authenticity.low >= levels.suspicious_below {
        Level::Clear
    } else {
        Level::Inconclusive
    }
}

fn calibrate(policy: &Policy, measurement: &Measurement) -> Option<LikelihoodRatio> {
    let signal = policy.signal(measurement.signal)?;
    let ratio = signal.calibration.apply(measurement.statistic?, measurement.standard_error)?;
    (signal.weight > 0.0).then(|| LikelihoodRatio {
        llr: signal.weight * ratio.llr,
        standard_error: signal.weight * ratio.standard_error,
    })
}

fn authenticity(log_odds: f64, standard_error: f64) -> Option<Authenticity> {
    let probability = |log_odds: f64| 1.0 / (1.0 + (-log_odds).exp());
    let half_width = INTERVAL_STANDARD_ERRORS * standard_error;
    (log_odds.is_finite() && half_width.is_finite()).then(|| Authenticity {
        value: probability(log_odds),
        low: probability(log_odds - half_width),
        high: probability(log_odds + half_width),
    })
}

/// Why no verdict is possible, worst cause first; empty when one is.
fn missing_evidence(
    needs: &EvidenceNeeds,
    evidence: &Evidence<'_>,
    needed_face_secs: f64,
    families: &[Family],
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    // Written so that a number that is none counts as too little.
    let has_face_time = evidence.usable_face_secs >= needed_face_secs;
    if !has_face_time {
        let reason = Reason::new("evidence.too_little_face_time");
        reasons.push(reason.with("usable_face_secs", evidence.usable_face_secs).with("secs_needed", needed_face_secs));
        reasons.extend(evidence.quality_problem.cloned());
    }
    if families.len() < usize::try_from(needs.min_families).unwrap_or(usize::MAX) {
        let reason = Reason::new("evidence.too_few_signals");
        let n_families = u32::try_from(families.len()).unwrap_or(u32::MAX);
        reasons.push(reason.with("families", n_families).with("families_needed", needs.min_families));
    }
    for (wanted, code) in [(Family::Identity, "evidence.no_identity"), (Family::Liveness, "evidence.no_liveness")] {
        if !families.contains(&wanted) {
            reasons.push(Reason::new(code));
        }
    }
    reasons
}

fn finite_ratio(ratio: f64) -> f64 {
    if ratio.is_finite() { ratio.clamp(0.0, 1.0) } else { 0.0 }
}

fn finite_ratio_or_more(secs: f64) -> f64 {
    if secs.is_finite() { secs.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Evidence, Level, Measurement, Policy, Score, SignalName, score_session};

    fn measurement(signal: SignalName, statistic: Option<f64>) -> Measurement {
        Measurement {
            signal,
            statistic,
            blocks: 30,
            standard_error: Some(0.01),
            usable_ratio: 1.0,
            reasons: Vec::new(),
        }
    }

    fn score(usable_face_secs: f64, measurements: &[Measurement]) -> Score {
        let evidence = Evidence {
            measurements,
            usable_face_secs,
            quality_problem: None,
            window_secs: (0.0, 30.0),
            models: &BTreeMap::new(),
        };
        score_session(&Policy::shipped(), &evidence)
    }

    fn all(statistic: f64) -> Vec<Measurement> {
        SignalName::ALL.into_iter().map(|signal| measurement(signal, Some(statistic))).collect()
    }

    #[test]
    fn all_good_is_clear_and_all_bad_is_alert() {
        assert_eq!(score(30.0, &all(9.0)).level, Level::Clear);
        assert_eq!(score(30.0, &all(-9.0)).level, Level::Alert);
    }

    #[test]
    fn nothing_unset_or_not_finite_reads_as_authentic() {
        for bad in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
            let measurements: Vec<_> = SignalName::ALL.into_iter().map(|signal| measurement(signal, bad)).collect();
            let score = score(30.0, &measurements);
            assert_eq!(score.level, Level::Inconclusive, "{bad:?}");
            assert_eq!(score.authenticity, None);
            assert!(!score.reasons.is_empty());
        }
        for secs in [0.0, f64::NAN, -1.0] {
            assert_eq!(score(secs, &all(9.0)).level, Level::Inconclusive, "{secs}");
        }
        assert_eq!(score(30.0, &[]).level, Level::Inconclusive);
    }

    #[test]
    fn one_family_is_not_enough() {
        let measurements = [measurement(SignalName::Presence, Some(9.0)), measurement(SignalName::Stream, Some(9.0))];
        let score = score(30.0, &measurements);
        assert_eq!(score.level, Level::Inconclusive);
        assert_eq!(score.reasons[0].code, "evidence.too_few_signals");
    }

    #[test]
    fn more_evidence_for_bona_fide_never_lowers_the_score() {
        let at = |statistic: f64| {
            let mut measurements = all(0.6);
            measurements[1].statistic = Some(statistic);
            score(30.0, &measurements).authenticity.map_or(0.5, |authenticity| authenticity.value)
        };
        let values: Vec<f64> = (-60..60).map(|step| at(f64::from(step) / 10.0)).collect();
        let decided: Vec<f64> = values.into_iter().filter(|value| (value - 0.5).abs() > 1e-12).collect();
        assert!(decided.is_sorted(), "{decided:?}");
    }

    #[test]
    fn the_interval_holds_the_estimate() {
        let authenticity = score(30.0, &all(9.0)).authenticity.expect("decided");
        assert!(authenticity.low < authenticity.value && authenticity.value < authenticity.high);
    }
}
