//! What a session keeps besides measurements.

use serde::Deserialize;

/// Whether stills of a session are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceMode {
    /// The few stills that show a segment, and the candidate at the beginning; sealed.
    #[default]
    Stills,
    /// No picture at all, where consent or contract forbids it.
    NoImages,
}

impl EvidenceMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::Stills, Self::NoImages];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stills => "stills",
            Self::NoImages => "no_images",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}
