//! What of each score a timeline is drawn of.

use crate::scoring::{Authenticity, Score};
use crate::signals::SignalName;

/// A score without its words: those of a long interview are many, and nobody reads them all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScorePoint {
    /// The estimate; `None` where there was no verdict.
    pub authenticity: Option<Authenticity>,
    /// The log-likelihood ratio of each signal, as [`SignalName::ALL`]; `None` where it was not measured.
    pub llrs: [Option<f64>; SignalName::ALL.len()],
    /// Seconds with a face good enough to measure, up to here.
    pub usable_face_secs: f64,
    /// Where the window begins, in seconds of media time.
    pub window_start_secs: f64,
    /// Where it ends.
    pub window_end_secs: f64,
}

impl From<&Score> for ScorePoint {
    fn from(score: &Score) -> Self {
        let llr = |name| score.signals.iter().find(|signal| signal.name == name)?.llr;
        Self {
            authenticity: score.authenticity,
            llrs: SignalName::ALL.map(llr),
            usable_face_secs: score.usable_face_secs,
            window_start_secs: score.window_start_secs,
            window_end_secs: score.window_end_secs,
        }
    }
}
