//! The versioned policy: prior, thresholds, weights, calibrations and sampling rates.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{ErrorKind, Kinded};
use crate::signals::SignalName;

use super::attack::AttackKind;
use super::calibration::{AlarmRatio, Calibration};

/// The policy that ships with this version.
const DEFAULT_POLICY: &str = include_str!("../../config/policy.toml");

/// Which policy is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScoringOptions {
    /// The policy file; empty = the policy that ships with this version.
    pub policy_file: std::path::PathBuf,
}

/// Everything that turns measurements into verdicts. Two servers with the same policy give the same verdicts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub id: String,
    /// Counts up with every change of any number in it.
    pub version: u32,
    /// Probability that a participant is genuine before anything is seen.
    pub prior_authenticity: f64,
    /// Where one level ends and the next begins.
    pub levels: LevelThresholds,
    /// What there must be before a verdict is given.
    pub evidence: EvidenceNeeds,
    /// How attacks divide into kinds.
    pub attack_shares: AttackShares,
    /// How often what is computed.
    pub sampling: Sampling,
    /// Weight and calibration of each signal, by its name.
    pub signals: BTreeMap<String, SignalPolicy>,
}

/// Thresholds on `authenticity`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelThresholds {
    /// CLEAR from here, if the interval's lower end is not below `suspicious_below`.
    pub clear_from: f64,
    /// SUSPICIOUS below here.
    pub suspicious_below: f64,
    /// ALERT below here.
    pub alert_below: f64,
}

/// Shares of the kinds of attack among all attacks; they sum to 1.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttackShares {
    /// Another person than before, or than the reference.
    pub substitution: f64,
    /// A video shown to the camera.
    pub replay: f64,
    /// A picture shown to the camera.
    pub photograph: f64,
    /// Another face laid over the participant's own.
    pub face_swap: f64,
    /// A picture in place of the camera's stream.
    pub injected_still: f64,
    /// A recording in place of the camera's stream.
    pub injected_video: f64,
    /// What no signal of this version sees: bounds how authentic anybody can look.
    pub unseen: f64,
}

impl AttackShares {
    /// The share of one kind.
    #[must_use]
    pub const fn of(&self, kind: AttackKind) -> f64 {
        match kind {
            AttackKind::Substitution => self.substitution,
            AttackKind::Replay => self.replay,
            AttackKind::Photograph => self.photograph,
            AttackKind::FaceSwap => self.face_swap,
            AttackKind::InjectedStill => self.injected_still,
            AttackKind::InjectedVideo => self.injected_video,
        }
    }
}

/// What a verdict needs.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceNeeds {
    /// Seconds with a usable face for a verdict on the session.
    pub min_usable_face_secs: f64,
    /// Seconds with a usable face for a verdict on one window.
    pub min_window_face_secs: f64,
    /// Independent families of signals (identity, presentation, manipulation, still, stream) that must have spoken.
    pub min_families: u32,
}

/// How often what is computed, and over what windows.
///
/// # Units
/// `_hz` is times a second of media time.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// Least time between two scores of one participant.
    pub score_interval_secs: f64,
    /// Length of the sliding window that opens and closes segments.
    pub window_secs: f64,
    /// A window must stay suspicious this long before a segment opens.
    pub open_after_secs: f64,
    /// A window must stay clear this long before a segment closes.
    pub close_after_secs: f64,
    /// Faces followed and measured.
    pub track_hz: Rates,
    /// Identity vectors.
    pub embedding_hz: Rates,
    /// Presentation-attack scores.
    pub presentation_hz: Rates,
    /// Deepfake scores.
    pub deepfake_hz: Rates,
}

/// How often, by how a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// While the verdict is CLEAR.
    pub clear: f64,
    /// While there is no verdict yet.
    pub open: f64,
    /// While something speaks against the participant.
    pub alert: f64,
}

impl Rates {
    /// The same at any time.
    #[must_use]
    pub const fn always(rate: f64) -> Self {
        Self { clear: rate, open: rate, alert: rate }
    }
}

/// How one signal counts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalPolicy {
    /// Factor on its log-likelihood ratio; 0 = measured and shown, not counted.
    pub weight: f64,
    /// From its statistic to a log-likelihood ratio.
    pub calibration: Calibration,
    /// What an alarm of its own says, for a signal that raises any.
    #[serde(default)]
    pub alarm: Option<AlarmRatio>,
}

/// A policy that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML, or not of this shape.
    #[error("policy cannot be read: {source}")]
    Parse {
        /// What the parser said, with line and key.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A number out of its range.
    #[error("policy key {key}: {problem}")]
    Invalid {
        /// The key.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Kinded for PolicyError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }
}

impl Policy {
    /// The policy that ships with this version.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn shipped() -> Self {
        Self::from_toml(DEFAULT_POLICY).expect("the shipped policy is read by a test")
    }

    /// The text of the policy that ships with this version.
    #[must_use]
    pub const fn shipped_text() -> &'static str {
        DEFAULT_POLICY
    }

    /// `text`, which is this policy's own, with other thresholds of alarms and the next version; its comments stay.
    ///
    /// # Errors
    /// [`PolicyError`] when the text is not this policy's, or writes its keys in a way that is not found.
    pub fn with_levels(&self, text: &str, levels: LevelThresholds) -> Result<String, PolicyError> {
        let changed = Self { version: self.version.saturating_add(1), levels, ..self.clone() };
        let values = [
            ("version", changed.version.to_string()),
            ("clear_from", levels.clear_from.to_string()),
            ("suspicious_below", levels.suspicious_below.to_string()),
            ("alert_below", levels.alert_below.to_string()),
        ];
        let new_line = |line: &str| {
            let key = line.split_once('=').map(|(key, _)| key.trim());
            let value = values.iter().find(|(name, _)| key == Some(*name));
            value.map_or_else(|| format!("{line}\n"), |(name, value)| format!("{name} = {value}\n"))
        };
        let new_text: String = text.lines().map(new_line).collect();
        if Self::from_toml(&new_text)? == changed {
            return Ok(new_text);
        }
        let problem = "must each stand once, on a line of their own".to_owned();
        Err(PolicyError::Invalid { key: "version, clear_from, suspicious_below, alert_below".to_owned(), problem })
    }

    /// Reads and checks a policy file.
    ///
    /// # Errors
    /// [`PolicyError`] with the key.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|source| PolicyError::Parse { source: Box::new(source) })?;
        policy.check()?;
        Ok(policy)
    }

    /// `policies/{id}@{version}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("policies/{}@{}", self.id, self.version)
    }

    /// How a signal counts; `None` for one that the policy does not know.
    #[must_use]
    pub fn signal(&self, name: SignalName) -> Option<&SignalPolicy> {
        self.signals.get(name.as_str())
    }

    /// Log-odds of a genuine participant before anything is seen.
    #[must_use]
    pub fn prior_log_odds(&self) -> f64 {
        (self.prior_authenticity / (1.0 - self.prior_authenticity)).ln()
    }

    fn check(&self) -> Result<(), PolicyError> {
        let invalid =
            |key: &str, problem: &str| Err(PolicyError::Invalid { key: key.to_owned(), problem: problem.to_owned() });
        if self.id.is_empty()
            || !self.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            return invalid("id", "must be one or more of a-z, 0-9 and '-'");
        }
        if !(self.prior_authenticity > 0.0 && self.prior_authenticity < 1.0) {
            return invalid("prior_authenticity", "must lie between 0 and 1");
        }
        let levels = &self.levels;
        let is_ordered = 0.0 <= levels.alert_below
            && levels.alert_below <= levels.suspicious_below
            && levels.suspicious_below <= levels.clear_from
            && levels.clear_from <= 1.0;
        if !is_ordered {
            return invalid("levels", "0 <= alert_below <= suspicious_below <= clear_from <= 1 must hold");
        }
        let needs = &self.evidence;
        if !(needs.min_usable_face_secs > 0.0 && needs.min_window_face_secs > 0.0) || needs.min_families < 2 {
            return invalid("evidence", "seconds must be above 0 and min_families at least 2");
        }
        let mut shares = AttackKind::ALL.map(|kind| self.attack_shares.of(kind)).to_vec();
        shares.push(self.attack_shares.unseen);
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) || (shares.iter().sum::<f64>() - 1.0).abs() > 1e-6 {
            return invalid("attack_shares", "each must lie between 0 and 1 and together they must be 1");
        }
        let sampling = &self.sampling;
        let positive = [
            ("score_interval_secs", sampling.score_interval_secs),
            ("window_secs", sampling.window_secs),
            ("open_after_secs", sampling.open_after_secs),
            ("close_after_secs", sampling.close_after_secs),
        ];
        let rates = [
            ("track_hz", sampling.track_hz),
            ("embedding_hz", sampling.embedding_hz),
            ("presentation_hz", sampling.presentation_hz),
            ("deepfake_hz", sampling.deepfake_hz),
        ];
        let rates = rates.into_iter().flat_map(|(key, Rates { clear, open, alert })| {
            [("clear", clear), ("open", open), ("alert", alert)].map(|(part, rate)| (format!("{key}.{part}"), rate))
        });
        for (key, value) in positive.map(|(key, value)| (key.to_owned(), value)).into_iter().chain(rates) {
            if !(value.is_finite() && value > 0.0) {
                return invalid(&format!("sampling.{key}"), "must be above 0");
            }
        }
        for (name, signal) in &self.signals {
            if SignalName::from_name(name).is_none() {
                return invalid(&format!("signals.{name}"), "no signal has this name");
            }
            if !(signal.weight.is_finite() && signal.weight >= 0.0) {
                return invalid(&format!("signals.{name}.weight"), "must not be negative");
            }
            if let Some(problem) = signal.calibration.problem() {
                return invalid(&format!("signals.{name}.calibration"), problem);
            }
            if signal.alarm.as_ref().is_some_and(|alarm| !alarm.is_valid()) {
                return invalid(
                    &format!("signals.{name}.alarm"),
                    "llr must not be above 0, standard_error not below it",
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_POLICY, LevelThresholds, Policy, SignalName};

    #[test]
    fn the_shipped_policy_is_valid_and_knows_every_signal() {
        let policy = Policy::from_toml(DEFAULT_POLICY).expect("valid");
        for signal in SignalName::ALL {
            assert!(policy.signal(signal).is_some(), "{signal}");
        }
    }

    #[test]
    fn thresholds_change_and_comments_stay() {
        let policy = Policy::shipped();
        let levels = LevelThresholds { suspicious_below: 0.3, alert_below: 0.04, ..policy.levels };
        let text = policy.with_levels(DEFAULT_POLICY, levels).expect("is its own text");
        let changed = Policy::from_toml(&text).expect("valid");
        assert_eq!((changed.levels, changed.version), (levels, policy.version + 1));
        let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!(comments(&text), comments(DEFAULT_POLICY));
        assert!(policy.with_levels(&DEFAULT_POLICY.replace("alert_below = ", "\"alert_below\" = "), levels).is_err());
        let above = LevelThresholds { suspicious_below: 0.95, ..policy.levels };
        assert!(policy.with_levels(DEFAULT_POLICY, above).is_err(), "above CLEAR");
    }

    #[test]
    fn a_wrong_number_is_refused_by_its_key() {
        let check = |from: &str, to: &str, key: &str| {
            let text = DEFAULT_POLICY.replacen(from, to, 1);
            assert_ne!(text, DEFAULT_POLICY, "{from} is in the file");
            let error = Policy::from_toml(&text).expect_err(to).to_string();
            assert!(error.contains(key), "{error}");
        };
        check("prior_authenticity = ", "prior_authenticity = 7", "prior_authenticity");
        check("clear_from = ", "clear_from = 9", "levels");
        check("track_hz = { clear = ", "track_hz = { clear = -", "sampling.track_hz.clear");
        check("alert = 2.0 }", "alert = nan }", ".alert");
        check("[signals.motion]", "[signals.emotion]", "signals.emotion");
        check("min_families = 2", "min_families = 1", "evidence");
        check("\nunseen = 0.", "\nunseen = 0.9", "attack_shares");
        check("version = ", "wersion = ", "wersion");
    }
}
