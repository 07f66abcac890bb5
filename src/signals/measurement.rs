//! What a signal says of a stretch of time, before any calibration.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// The signals that exist; the closed set of metric labels and policy keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignalName {
    /// The same person through the session, and the person of the reference image.
    Identity,
    /// Passive presentation-attack detection (photo, screen).
    Presentation,
    /// Signs that the face was swapped, reenacted or blended.
    Deepfake,
    /// Natural movement within the face, which a moved photograph lacks.
    Motion,
    /// Seconds with and without a face, black, frozen, missing.
    Presence,
    /// Stream forensics: duplicates, loops, clock, gaps, device label.
    Stream,
}

impl SignalName {
    /// Every signal, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::Identity, Self::Presentation, Self::Deepfake, Self::Motion, Self::Presence, Self::Stream];

    /// The name on the wire, in the policy file and in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Presentation => "presentation",
            Self::Deepfake => "deepfake",
            Self::Motion => "motion",
            Self::Presence => "presence",
            Self::Stream => "stream",
        }
    }

    /// The signal of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == name)
    }
}

impl fmt::Display for SignalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A stable code with its numbers, such as `identity.changed {similarity: 0.12, at_secs: 31.4}`.
///
/// Clients turn it into a sentence; units stand in the keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// `signal.what`, lower case, stable.
    pub code: Cow<'static, str>,
    /// Numbers behind it, all finite.
    pub values: BTreeMap<Cow<'static, str>, f64>,
}

impl Reason {
    /// A reason without numbers.
    #[must_use]
    pub fn new(code: &'static str) -> Self {
        Self { code: Cow::Borrowed(code), values: BTreeMap::new() }
    }

    /// Adds one number; a number that is not finite is left out.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl Into<f64>) -> Self {
        let value = value.into();
        if value.is_finite() {
            self.values.insert(Cow::Borrowed(key), value);
        }
        self
    }
}

/// What one signal measured over one stretch of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Which signal.
    pub signal: SignalName,
    /// The statistic that calibration knows, higher = more like bona fide; `None` when the quality gate let nothing through.
    pub statistic: Option<f64>,
    /// Independent blocks behind the statistic (1 to 2 s each, so that correlated frames do not count twice).
    pub blocks: u32,
    /// Standard error of the statistic over those blocks; `None` with fewer than two.
    pub standard_error: Option<f64>,
    /// Whether the signal itself confirmed and dated something that no average may hide, such as another person.
    pub alarm: bool,
    /// Share of the stretch that was usable, 0..=1.
    pub usable_ratio: f64,
    /// Why it is as it is, or why there is nothing.
    pub reasons: Vec<Reason>,
}
