//! Measurements to verdicts: calibration to log-likelihood ratios, fusion, thresholds, abstention.
//!
//! In: [`Measurement`](crate::signals::Measurement)s and a [`Policy`]. Out: a [`Score`]. Pure functions of both.
//! Nothing that is unset, failed or not finite ever reads as authentic.
//! Deliberately not here: frames, pixels, time other than what the measurements carry.

mod score;

pub use self::score::{Authenticity, Level, Score, SignalEvidence};
