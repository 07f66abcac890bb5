//! What Bonafide says of one participant.

use std::borrow::Cow;

use crate::signals::Reason;
use crate::signals::SignalName;

/// The program and version that scores: with policy and models, what it takes to repeat a score.
pub const ENGINE: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// The verdict in four steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The evidence does not carry a verdict; never shown as authentic.
    Inconclusive,
    /// The evidence agrees with a genuine person.
    Clear,
    /// Worth a second look.
    Suspicious,
    /// Strong evidence of an attack.
    Alert,
}

impl Level {
    /// Every level, mildest first.
    pub const ALL: [Self; 4] = [Self::Inconclusive, Self::Clear, Self::Suspicious, Self::Alert];

    /// The short name used in JSON, metrics and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Clear => "CLEAR",
            Self::Suspicious => "SUSPICIOUS",
            Self::Alert => "ALERT",
        }
    }

    /// The level of that short name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == name)
    }
}

/// A probability that the participant is genuine, with the interval that goes with it; all 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Authenticity {
    /// The estimate.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// One signal's calibrated evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalEvidence {
    /// Which signal.
    pub name: SignalName,
    /// Natural-log likelihood ratio, positive supports bona fide; `None` = not measured.
    pub llr: Option<f64>,
    /// Share of the window with usable evidence, 0..=1.
    pub usable_ratio: f64,
    /// `models/{id}@{sha256}`; `None` for a signal without weights.
    pub model: Option<Cow<'static, str>>,
    /// Why.
    pub reasons: Vec<Reason>,
}

/// The score of one participant.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Estimate and interval; `None` when the level is [`Level::Inconclusive`].
    pub authenticity: Option<Authenticity>,
    /// The verdict.
    pub level: Level,
    /// Evidence, in the order of [`SignalName::ALL`].
    pub signals: Vec<SignalEvidence>,
    /// Why the level is what it is; for INCONCLUSIVE the causes, which name the remedy.
    pub reasons: Vec<Reason>,
    /// Seconds with a face good enough to measure.
    pub usable_face_secs: f64,
    /// Media time of the first frame behind the score, in seconds.
    pub window_start_secs: f64,
    /// Media time of the last frame behind the score, in seconds.
    pub window_end_secs: f64,
    /// The policy's id and version.
    pub policy: String,
    /// The program and version that scored, [`ENGINE`] when it was this one.
    pub engine: Cow<'static, str>,
}
