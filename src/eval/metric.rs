//! Error rates, calibration measures and intervals: pure functions of scores.
//!
//! Everywhere a score is an **attack score**: higher = more likely the attack (or, for verification, the other person).

mod interval;
mod likelihood;
mod ranking;

pub(super) use self::interval::{Resampler, clopper_pearson};
pub(super) use self::likelihood::{cllr, expected_calibration_error, min_cllr};
pub(super) use self::ranking::Ranking;
