//! Stretches of media time.

use std::time::Duration;

use crate::media::MediaTime;

/// A stretch of media time, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First moment.
    pub start: MediaTime,
    /// Last moment.
    pub end: MediaTime,
}

impl Window {
    /// All of time.
    pub const ALL: Self = Self { start: MediaTime::from_nanos(i64::MIN), end: MediaTime::from_nanos(i64::MAX) };

    /// The last `length` before `end`.
    #[must_use]
    pub fn before(end: MediaTime, length: Duration) -> Self {
        Self { start: end.saturating_sub(length), end }
    }

    /// Seconds from start to end; never negative.
    #[must_use]
    pub fn secs(self) -> f64 {
        self.end.secs_since(self.start).max(0.0)
    }

    /// Whether a moment lies within.
    #[must_use]
    pub fn contains(self, at: MediaTime) -> bool {
        (self.start..=self.end).contains(&at)
    }
}
