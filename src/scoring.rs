//! Measurements to verdicts: calibration to log-likelihood ratios, fusion, thresholds, abstention.
//!
//! In: [`Measurement`](crate::signals::Measurement)s and a [`Policy`]. Out: a [`Score`]. Pure functions of both.
//! Nothing that is unset, failed or not finite ever reads as authentic.
//! Deliberately not here: frames, pixels, time other than what the measurements carry.

mod calibration;
mod fit;
mod fusion;
mod policy;
mod score;

pub use self::calibration::{Calibration, LikelihoodRatio};
pub use self::fit::{LabelledStatistic, fit};
pub use self::fusion::{Evidence, Family, score_session, score_window};
pub use self::policy::{
    AttackShares, EvidenceNeeds, LevelThresholds, Policy, PolicyError, Sampling, ScoringOptions, SignalPolicy,
};
pub use self::score::{Authenticity, ENGINE, Level, Score, SignalEvidence};
