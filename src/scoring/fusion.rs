//! All signals to one score.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::signals::Measurement;
use crate::signals::Reason;
use crate::signals::SignalName;

use super::attack::{AttackKind, Family};
use super::calibration::LikelihoodRatio;
use super::policy::{EvidenceNeeds, Policy};
use super::score::{Authenticity, ENGINE, Level, Score, SignalEvidence};

/// Half width of the interval in standard errors: 95 %.
const INTERVAL_STANDARD_ERRORS: f64 = 1.96;
/// Least standard error of a session's log-odds: what no calibration knows of its own domain shift.
const MIN_STANDARD_ERROR: f64 = 0.5;

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

/// Weighs all signals on the prior's log-odds, or abstains.
///
/// An attack is one of several kinds, and most signals see only some: a substituted person moves as naturally as the
/// first. So the likelihood of the evidence under "attack" is a mixture over [`AttackKind`] with the policy's shares, and
/// `llr = -ln(sum of share * exp(-sum of the llr of the families that see the kind))`, a family's ratio being the sum over
/// its signals. Good evidence against one kind cannot outvote bad evidence of another, and a family that was not measured
/// (ratio 0) bounds how authentic anybody can look, as does the share of attacks that no signal sees. More evidence for
/// bona fide never lowers the score.
///
/// Abstention is not symmetric: without identity, or without any sign of a living person, nobody is CLEAR, but what speaks
/// against a session is said in any case, given face time and two families.
///
/// The interval is that of the log-odds to first order: errors of statistics and calibrations, and a floor for what
/// neither knows.
fn score(policy: &Policy, evidence: &Evidence<'_>, needed_face_secs: f64) -> Score {
    let mut by_family = Family::ALL.map(|family| (family, None::<LikelihoodRatio>));
    let mut signals = Vec::with_capacity(evidence.measurements.len());
    for measurement in evidence.measurements {
        let ratio = calibrate(policy, measurement);
        if let Some(ratio) = ratio {
            for (family, sum) in &mut by_family {
                if *family == Family::of(measurement.signal) {
                    *sum = Some(sum.map_or(ratio, |sum| LikelihoodRatio {
                        llr: sum.llr + ratio.llr,
                        standard_error: sum.standard_error.hypot(ratio.standard_error),
                    }));
                }
            }
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
    let families: Vec<Family> =
        by_family.iter().filter(|(_, ratio)| ratio.is_some()).map(|(family, _)| *family).collect();
    let fused = fuse(policy, &by_family);
    let mut reasons = too_little_evidence(&policy.evidence, evidence, needed_face_secs, families.len());
    let not_seen = kinds_not_seen(&families);
    let log_odds = policy.prior_log_odds() + fused.llr;
    let authenticity =
        authenticity(log_odds, fused.standard_error.hypot(MIN_STANDARD_ERROR)).filter(|_| reasons.is_empty());
    let level = match authenticity.map_or(Level::Inconclusive, |authenticity| level(policy, authenticity)) {
        Level::Clear if !not_seen.is_empty() => Level::Inconclusive,
        level @ (Level::Inconclusive | Level::Clear | Level::Suspicious | Level::Alert) => level,
    };
    if level == Level::Inconclusive {
        reasons.extend(not_seen);
        if let (true, Some(authenticity)) = (reasons.is_empty(), authenticity) {
            let reason = Reason::new("score.undecided").with("authenticity", authenticity.value);
            reasons
                .push(reason.with("authenticity_low", authenticity.low).with("authenticity_high", authenticity.high));
        }
    }
    Score {
        authenticity: authenticity.filter(|_| level != Level::Inconclusive),
        level,
        signals,
        reasons,
        usable_face_secs: finite_secs(evidence.usable_face_secs),
        window_start_secs: evidence.window_secs.0,
        window_end_secs: evidence.window_secs.1,
        policy: policy.name(),
        engine: Cow::Borrowed(ENGINE),
    }
}

/// The mixture over kinds of attack; a family without a ratio counts as one that says nothing.
fn fuse(policy: &Policy, by_family: &[(Family, Option<LikelihoodRatio>)]) -> LikelihoodRatio {
    let llr_of = |family: Family| {
        let ratio = by_family.iter().find(|(of, _)| *of == family).and_then(|(_, ratio)| *ratio);
        ratio.map_or(0.0, |ratio| ratio.llr)
    };
    let likelihoods = AttackKind::ALL.map(|kind| {
        let llr: f64 = kind.seen_by().iter().copied().map(llr_of).sum();
        (kind, policy.attack_shares.of(kind) * (-llr).exp())
    });
    let total = policy.attack_shares.unseen + likelihoods.iter().map(|(_, likelihood)| likelihood).sum::<f64>();
    // To first order, a family's error counts as far as the kinds that it sees make up the sum.
    let variance: f64 = by_family
        .iter()
        .filter_map(|(family, ratio)| {
            let seen = likelihoods.iter().filter(|(kind, _)| kind.seen_by().contains(family));
            let share = seen.map(|(_, likelihood)| likelihood).sum::<f64>() / total;
            ratio.map(|ratio| (share * ratio.standard_error).powi(2))
        })
        .sum();
    LikelihoodRatio { llr: -total.ln(), standard_error: variance.sqrt() }
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
    let of_statistic = signal.calibration.apply(measurement.statistic?, measurement.standard_error)?;
    let alarm = signal.alarm.as_ref().filter(|_| measurement.alarm);
    let ratio = alarm.map_or(of_statistic, |alarm| alarm.with(of_statistic));
    (signal.weight > 0.0).then_some(LikelihoodRatio {
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
fn too_little_evidence(
    needs: &EvidenceNeeds,
    evidence: &Evidence<'_>,
    needed_face_secs: f64,
    n_families: usize,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    // Written so that a number that is none counts as too little.
    let has_face_time = evidence.usable_face_secs >= needed_face_secs;
    if !has_face_time {
        let reason = Reason::new("evidence.too_little_face_time");
        reasons.push(reason.with("usable_face_secs", evidence.usable_face_secs).with("secs_needed", needed_face_secs));
        reasons.extend(evidence.quality_problem.cloned());
    }
    if n_families < usize::try_from(needs.min_families).unwrap_or(usize::MAX) {
        let reason = Reason::new("evidence.too_few_signals");
        let n_families = u32::try_from(n_families).unwrap_or(u32::MAX);
        reasons.push(reason.with("families", n_families).with("families_needed", needs.min_families));
    }
    reasons
}

/// What must have been looked at before anybody is CLEAR, and was not.
fn kinds_not_seen(families: &[Family]) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if !families.contains(&Family::Identity) {
        reasons.push(Reason::new("evidence.no_identity"));
    }
    if !families.contains(&Family::Presentation) && !families.contains(&Family::Still) {
        reasons.push(Reason::new("evidence.no_liveness"));
    }
    reasons
}

fn finite_ratio(ratio: f64) -> f64 {
    if ratio.is_finite() { ratio.clamp(0.0, 1.0) } else { 0.0 }
}

fn finite_secs(secs: f64) -> f64 {
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
            alarm: false,
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

    /// All good but some.
    fn all_but(others: &[SignalName], statistic: Option<f64>) -> Vec<Measurement> {
        let mut measurements = all(9.0);
        for measurement in measurements.iter_mut().filter(|measurement| others.contains(&measurement.signal)) {
            measurement.statistic = statistic;
        }
        measurements
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
            let measurements = all_but(&[SignalName::Presentation], Some(statistic));
            score(30.0, &measurements).authenticity.map(|authenticity| authenticity.value)
        };
        let decided: Vec<f64> = (-150..60).filter_map(|step| at(f64::from(step) / 10.0)).collect();
        assert!(decided.len() > 100 && decided.is_sorted() && decided.first() < decided.last(), "{decided:?}");
    }

    #[test]
    fn evidence_of_one_kind_of_attack_is_not_outvoted() {
        let other_person = all_but(&[SignalName::Identity], Some(0.0));
        assert!(score(30.0, &other_person).level >= Level::Suspicious, "another person, else perfect");
        let other_face = all_but(&[SignalName::Deepfake], Some(-9.0));
        assert!(score(30.0, &other_face).level >= Level::Suspicious, "a swapped face, else perfect");
    }

    #[test]
    fn movement_does_not_speak_for_a_replay() {
        let mut measurements = all_but(&[SignalName::Presentation], Some(-10.0));
        let moving = score(30.0, &measurements);
        measurements.retain(|measurement| measurement.signal != SignalName::Motion);
        let unmeasured = score(30.0, &measurements);
        for score in [moving, unmeasured] {
            assert_ne!(score.level, Level::Clear, "a screen, else perfect: {score:?}");
        }
    }

    #[test]
    fn what_tells_a_photograph_by_both_its_texture_and_its_stillness_counts_twice() {
        let value = |bad: &[SignalName]| {
            let score = score(30.0, &all_but(bad, Some(-10.0)));
            score.authenticity.map_or(1.0, |authenticity| authenticity.value)
        };
        let (texture, stillness) = (SignalName::Presentation, SignalName::Motion);
        assert!(value(&[texture, stillness]) < value(&[texture]).min(value(&[stillness])) / 2.0);
        let photograph = all_but(&[texture, stillness], Some(-10.0));
        assert!(score(30.0, &photograph).level >= Level::Suspicious);
    }

    #[test]
    fn what_was_not_looked_at_clears_nobody_and_hides_nothing() {
        let check = |unmeasured: &[SignalName], code: &str| {
            let mut measurements = all_but(unmeasured, None);
            let good = score(30.0, &measurements);
            assert_eq!((good.level, good.reasons[0].code.as_ref()), (Level::Inconclusive, code), "{unmeasured:?}");
            for measurement in measurements.iter_mut().filter(|measurement| measurement.statistic.is_some()) {
                measurement.statistic = Some(-20.0);
            }
            assert!(score(30.0, &measurements).level >= Level::Suspicious, "{unmeasured:?}");
        };
        check(&[SignalName::Identity], "evidence.no_identity");
        check(&[SignalName::Presentation, SignalName::Motion], "evidence.no_liveness");
    }

    #[test]
    fn a_family_that_was_not_measured_bounds_the_score() {
        let with_all = score(30.0, &all(9.0)).authenticity.expect("decided").value;
        let mut measurements = all(9.0);
        measurements.retain(|measurement| super::Family::of(measurement.signal) != super::Family::Stream);
        let without_stream = score(30.0, &measurements).authenticity.expect("decided").value;
        assert!(without_stream < with_all);
    }

    #[test]
    fn the_interval_holds_the_estimate() {
        let authenticity = score(30.0, &all(9.0)).authenticity.expect("decided");
        assert!(authenticity.low < authenticity.value && authenticity.value < authenticity.high);
    }
}
