//! Measurements to verdicts: calibration to log-likelihood ratios, fusion, thresholds, abstention.
//!
//! In: [`Measurement`](crate::signals::Measurement)s and a [`Policy`]. Out: a [`Score`]. Pure functions of both.
//! Nothing that is unset, failed or not finite ever reads as authentic.
//! Deliberately not here: frames, pixels, time other than what the measurements carry.

mod attack;
mod budget;
mod calibration;
mod fit;
mod fusion;
mod policy;
mod score;

pub use self::attack::{AttackKind, Family};
pub use self::budget::{BudgetThreshold, ErrorBudget, ErrorBudgetError, alarm_threshold, clear_threshold};
pub use self::calibration::{AlarmRatio, Calibration, LikelihoodRatio};
pub use self::fit::{LabelledStatistic, fit, fit_alarm};
pub use self::fusion::{Evidence, score_session, score_window};
pub use self::policy::{
    AttackShares, EvidenceNeeds, LevelThresholds, Policy, PolicyError, Rates, Sampling, ScoringOptions, SignalPolicy,
};
pub use self::score::{Authenticity, ENGINE, Level, Score, SignalEvidence};
