//! Sessions, verdicts and the program itself.

use ::metrics::{counter, describe_counter, describe_gauge, gauge};

use super::guard::GaugeGuard;

const LIVE: &str = "bonafide_session_live_sessions";
const VERDICTS: &str = "bonafide_scoring_verdicts_total";
const BUILD: &str = "bonafide_telemetry_build_info";

/// The level of a verdict, as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerdictLevel {
    /// The evidence does not carry a verdict.
    Inconclusive,
    /// The evidence agrees with a genuine person.
    Clear,
    /// Worth a second look.
    Suspicious,
    /// Strong evidence of an attack.
    Alert,
}

impl VerdictLevel {
    /// Every level, mildest first.
    pub const ALL: [Self; 4] = [Self::Inconclusive, Self::Clear, Self::Suspicious, Self::Alert];

    const fn label(self) -> &'static str {
        match self {
            Self::Inconclusive => "inconclusive",
            Self::Clear => "clear",
            Self::Suspicious => "suspicious",
            Self::Alert => "alert",
        }
    }
}

/// A session is live on this node while the guard lives.
pub fn live_session() -> GaugeGuard {
    GaugeGuard::new(gauge!(LIVE), 1.0)
}

/// Counts a participant's verdict when its session ends.
pub fn verdict(level: VerdictLevel) {
    counter!(VERDICTS, "level" => level.label()).increment(1);
}

/// States which version runs.
pub(super) fn show_version() {
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

pub(super) fn describe() {
    describe_gauge!(LIVE, "Sessions that are live on this node now.");
    describe_counter!(VERDICTS, "Verdicts of participants at the end of their sessions, by level.");
    describe_gauge!(BUILD, "1 for the version that runs.");
}
