//! The media clock.

use std::fmt;
use std::time::Duration;

const NANOS_PER_SEC: f64 = 1e9;

/// A position on one stream's media clock, in nanoseconds from its origin.
///
/// Not a wall-clock time: positions of two streams compare only when their sender says that they share a clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MediaTime(i64);

impl MediaTime {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// A position given in nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A position given in milliseconds; saturates at the ends of the range.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// A position given in seconds; `None` when it is not finite or out of range (about 292 years).
    #[must_use]
    pub fn from_secs_f64(secs: f64) -> Option<Self> {
        let nanos = (secs * NANOS_PER_SEC).round();
        #[expect(clippy::cast_possible_truncation, reason = "the range was checked on the line itself")]
        (nanos.is_finite() && nanos.abs() < 9.2e18).then_some(Self(nanos as i64))
    }

    /// Nanoseconds from the origin.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Seconds from the origin.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanosecond precision is kept for 104 days, enough for any interview"
    )]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC
    }

    /// Seconds from `earlier` to `self`; negative when `earlier` is in fact later.
    #[must_use]
    pub fn secs_since(self, earlier: Self) -> f64 {
        Self(self.0.saturating_sub(earlier.0)).as_secs_f64()
    }

    /// The position `duration` later, saturating.
    #[must_use]
    pub fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// The position `duration` earlier, saturating.
    #[must_use]
    pub fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Debug for MediaTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}s", self.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::MediaTime;

    #[test]
    fn seconds_survive_the_round_trip() {
        for secs in [0.0, -1.5, 0.033_366_667, 3_600.0, 86_400.25] {
            let time = MediaTime::from_secs_f64(secs).expect("in range");
            assert!((time.as_secs_f64() - secs).abs() < 1e-9, "{secs}");
        }
    }

    #[test]
    fn positions_that_are_no_number_are_refused() {
        for secs in [f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300] {
            assert_eq!(MediaTime::from_secs_f64(secs), None, "{secs}");
        }
    }
}
