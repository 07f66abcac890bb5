//! Error rates, calibration measures and intervals: pure functions of scores.
//!
//! Everywhere a score is an **attack score**: higher = more likely the attack (or, for verification, the other person).

mod interval;
mod likelihood;
mod ranking;
mod selective;

pub(super) use self::interval::{Resampler, clopper_pearson};
pub(super) use self::likelihood::{ReliabilityBin, cllr, expected_calibration_error, min_cllr, reliability};
pub(super) use self::ranking::Ranking;
pub(super) use self::selective::{Coverage, risk_at, risk_coverage};
