//! What the two clocks, media time and arrival, say of the source.
//!
//! Told, not scored: every recording and every jitter buffer has a perfect clock, so that on the data at hand regularity
//! does not separate cameras from files.

use crate::media::MediaTime;

use crate::signals::measurement::Reason;

/// Intervals needed before anything is said.
const MIN_INTERVALS: u64 = 60;
/// Longest interval that still counts as one.
const MAX_INTERVAL_SECS: f64 = 1.0;
/// Share of intervals equal to the median to the microsecond from which the clock is told to be quantised.
const QUANTISED_RATIO: f64 = 0.98;
/// Tolerance of "equal": containers round to microseconds or milliseconds.
const SAME_INTERVAL_SECS: f64 = 0.000_6;
/// Media seconds a second of arrival, beyond which media is not live.
const MAX_CLOCK_RATE: f64 = 1.5;

/// Running figures of both clocks.
#[derive(Clone, Debug, Default)]
pub(super) struct ClockWatch {
    first: Option<(MediaTime, MediaTime)>,
    last: Option<(MediaTime, MediaTime)>,
    typical_secs: f64,
    n_intervals: u64,
    n_typical: u64,
    n_reversed: u64,
    sum_secs: f64,
    sum_squares: f64,
}

impl ClockWatch {
    /// Takes one frame's media time and arrival.
    pub(super) fn observe(&mut self, at: MediaTime, arrival: MediaTime) {
        self.first.get_or_insert((at, arrival));
        let Some((last_at, _)) = self.last.replace((at, arrival)) else { return };
        let interval_secs = at.secs_since(last_at);
        if interval_secs <= 0.0 {
            self.n_reversed += 1;
            return;
        }
        if interval_secs > MAX_INTERVAL_SECS {
            return;
        }
        self.n_intervals += 1;
        self.sum_secs += interval_secs;
        self.sum_squares += interval_secs * interval_secs;
        // The first interval stands for all; a source that changes its rate starts the count again at the new one.
        if (interval_secs - self.typical_secs).abs() <= SAME_INTERVAL_SECS {
            self.n_typical += 1;
        } else if self.n_typical * 2 < self.n_intervals {
            self.typical_secs = interval_secs;
        }
    }

    /// What is worth telling.
    pub(super) fn reasons(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if self.n_reversed > 0 {
            reasons.push(Reason::new("stream.clock_reversed").with("times", self.n_reversed as f64));
        }
        if self.n_intervals < MIN_INTERVALS {
            return reasons;
        }
        let n = self.n_intervals as f64;
        let mean_secs = self.sum_secs / n;
        let deviation_secs = (self.sum_squares / n - mean_secs * mean_secs).max(0.0).sqrt();
        let typical_ratio = self.n_typical as f64 / n;
        if typical_ratio >= QUANTISED_RATIO {
            let reason = Reason::new("stream.clock_quantised").with("interval_millis", self.typical_secs * 1_000.0);
            reasons.push(reason.with("typical_ratio", typical_ratio));
        } else {
            let reason = Reason::new("stream.clock").with("interval_millis", mean_secs * 1_000.0);
            reasons.push(reason.with("variation_ratio", deviation_secs / mean_secs.max(f64::EPSILON)));
        }
        if let (Some((first_at, first_arrival)), Some((last_at, last_arrival))) = (self.first, self.last) {
            let arrival_secs = last_arrival.secs_since(first_arrival);
            let rate = last_at.secs_since(first_at) / arrival_secs.max(f64::EPSILON);
            if arrival_secs > 0.0 && rate > MAX_CLOCK_RATE {
                reasons.push(Reason::new("stream.faster_than_live").with("media_secs_a_second", rate));
            }
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use crate::media::MediaTime;

    use super::ClockWatch;

    fn watch(times: impl Iterator<Item = f64>) -> Vec<String> {
        let mut clock = ClockWatch::default();
        for at in times {
            let at = MediaTime::from_secs_f64(at).expect("finite");
            clock.observe(at, at);
        }
        clock.reasons().into_iter().map(|reason| reason.code.into_owned()).collect()
    }

    #[test]
    fn a_perfect_clock_is_told() {
        assert_eq!(watch((0..200).map(|frame| f64::from(frame) / 30.0)), ["stream.clock_quantised"]);
    }

    #[test]
    fn a_jittering_clock_is_only_described() {
        assert_eq!(
            watch((0..200).map(|frame| f64::from(frame) / 30.0 + 0.004 * f64::from(frame * 7 % 5))),
            ["stream.clock"]
        );
    }

    #[test]
    fn a_clock_that_goes_back_is_told() {
        assert_eq!(watch([0.0, 0.1, 0.05, 0.2].into_iter()), ["stream.clock_reversed"]);
    }
}
