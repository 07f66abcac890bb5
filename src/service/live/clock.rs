//! A track's media clock as the session sees it: it goes on when the source's clock starts anew or jumps.
//!
//! Plugins restart, devices change, streams are spliced: their media time then begins at another place. Without this, a clock
//! that went back would leave everything unscored until it caught up, and one timestamp from the far future would do so for
//! good.

use std::time::Duration;

use crate::media::MediaTime;

/// Seconds by which a time may go back and still be of the same clock: reordered pictures, a jitter buffer's correction.
const MAX_BACK_SECS: f64 = 10.0;
/// Seconds by which a time may run ahead of what passed since the sample before: sparse samples of a recording, a pause.
const MAX_AHEAD_SECS: f64 = 3_600.0;
/// Seconds from zero within which a clock may begin: 100 years, which holds every wall clock.
const MAX_ORIGIN_SECS: f64 = 100.0 * 365.25 * 86_400.0;

/// Places the samples of one track on the session's clock.
#[derive(Clone, Debug)]
pub(super) struct TrackClock {
    /// What is added to the source's time.
    offset_nanos: i128,
    last: Option<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// As the source said.
    source: MediaTime,
    /// On the session's clock; the latest so far.
    latest: MediaTime,
    /// When it came; `None` when that was before this clock was made.
    arrival: Option<MediaTime>,
}

impl TrackClock {
    /// A clock that takes the first sample's time as it is.
    pub(super) const fn new() -> Self {
        Self { offset_nanos: 0, last: None }
    }

    /// Goes on from `at`, a time that the session has seen already, unless it is there or later.
    pub(super) fn continue_from(&mut self, at: MediaTime) {
        if self.last.is_none_or(|last| last.latest < at) {
            *self = Self { offset_nanos: 0, last: Some(Place { source: at, latest: at, arrival: None }) };
        }
    }

    /// The place of a sample: its own time, moved by as much as earlier jumps were.
    pub(super) fn place(&mut self, source: MediaTime, arrival: MediaTime) -> MediaTime {
        let goes_on_at = match self.last {
            None if source.as_secs_f64().abs() > MAX_ORIGIN_SECS => Some(MediaTime::ZERO),
            None => None,
            Some(last) => {
                let waited_secs = last.arrival.map_or(0.0, |before| arrival.secs_since(before).max(0.0));
                let step_secs = source.secs_since(last.source);
                let is_jump = !(-MAX_BACK_SECS..=MAX_AHEAD_SECS + waited_secs).contains(&step_secs);
                let waited = Duration::try_from_secs_f64(waited_secs).unwrap_or_default();
                is_jump.then(|| last.latest.saturating_add(waited))
            }
        };
        if let Some(goes_on_at) = goes_on_at {
            tracing::debug!("media time jumped: the track goes on from where it was");
            self.offset_nanos = i128::from(goes_on_at.as_nanos()) - i128::from(source.as_nanos());
        }
        let placed_nanos = i128::from(source.as_nanos()) + self.offset_nanos;
        let end = if placed_nanos < 0 { i64::MIN } else { i64::MAX };
        let placed = MediaTime::from_nanos(i64::try_from(placed_nanos).unwrap_or(end));
        let latest = self.last.map_or(placed, |last| last.latest.max(placed));
        self.last = Some(Place { source, latest, arrival: Some(arrival) });
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::{MediaTime, TrackClock};

    fn secs(secs: f64) -> MediaTime {
        MediaTime::from_secs_f64(secs).expect("finite")
    }

    /// Places samples given as (source, arrival) in seconds.
    fn placed(clock: &mut TrackClock, samples: &[(f64, f64)]) -> Vec<f64> {
        samples.iter().map(|(source, arrival)| clock.place(secs(*source), secs(*arrival)).as_secs_f64()).collect()
    }

    fn check(samples: &[(f64, f64)], expected: &[f64]) {
        let found = placed(&mut TrackClock::new(), samples);
        let is_near = found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(is_near, "{found:?} is not {expected:?}");
    }

    #[test]
    fn a_steady_clock_is_left_alone() {
        check(&[(5.0, 0.0), (5.1, 0.1), (5.05, 0.2), (5.3, 0.2)], &[5.0, 5.1, 5.05, 5.3]);
        check(&[(-7.0, 0.0), (-6.9, 0.1), (0.0, 7.0)], &[-7.0, -6.9, 0.0]);
        check(&[(0.0, 0.0), (600.0, 0.1), (1_200.0, 0.2)], &[0.0, 600.0, 1_200.0]);
    }

    #[test]
    fn a_long_pause_is_no_jump() {
        check(&[(10.0, 10.0), (20_000.0, 20_000.0)], &[10.0, 20_000.0]);
    }

    #[test]
    fn one_wrong_time_moves_nothing_but_itself() {
        check(
            &[(10.0, 10.0), (1e9, 10.1), (10.2, 10.2), (10.3, 10.3), (-1e9, 10.4), (10.5, 10.5)],
            &[10.0, 10.1, 10.2, 10.3, 10.4, 10.5],
        );
    }

    #[test]
    fn a_clock_that_starts_anew_goes_on() {
        check(&[(100.0, 100.0), (0.0, 101.0), (0.5, 101.5), (60.0, 161.0)], &[100.0, 101.0, 101.5, 161.0]);
        check(&[(100.0, 5.0), (0.0, 5.0), (0.5, 5.0)], &[100.0, 100.0, 100.5]);
    }

    #[test]
    fn a_new_track_goes_on_from_what_the_session_saw() {
        let mut clock = TrackClock::new();
        clock.continue_from(secs(300.0));
        assert_eq!(placed(&mut clock, &[(0.0, 900.0), (0.25, 900.5)]), [300.0, 300.25]);
        clock.continue_from(secs(200.0));
        assert_eq!(placed(&mut clock, &[(0.5, 901.0)]), [300.5]);
        let mut sharing = TrackClock::new();
        sharing.continue_from(secs(300.0));
        assert_eq!(placed(&mut sharing, &[(299.75, 0.0), (301.0, 1.0)]), [299.75, 301.0]);
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        let mut clock = TrackClock::new();
        let (start, end) = (MediaTime::from_nanos(i64::MIN), MediaTime::from_nanos(i64::MAX));
        let mut last = clock.place(end, start);
        for (source, arrival) in [(start, end), (end, start), (start, start), (MediaTime::ZERO, end), (end, end)] {
            let at = clock.place(source, arrival);
            assert!(at >= last, "{at:?} after {last:?}");
            last = at;
        }
        assert_eq!(TrackClock::new().place(end, start), MediaTime::ZERO, "a clock cannot begin where it cannot go on");
    }
}
