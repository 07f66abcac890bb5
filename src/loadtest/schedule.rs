//! Which recording is played when: decided before the load begins, by nothing that the server does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// The golden ratio's fractional part: multiples of it spread evenly over a unit, however many there are.
const GOLDEN_RATIO: f64 = 0.618_033_988_749_895;

/// One recording of the schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reel {
    /// How often it comes, compared with the others; above zero.
    pub(super) weight: f64,
    /// How long it lasts; above zero.
    pub(super) span: Duration,
}

/// How many sessions, from when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crowd {
    /// Sessions that are live at one time.
    pub(super) n_sessions: usize,
    /// Frames a second of each.
    pub(super) rate_hz: f64,
    /// Seconds over which the first ones start.
    pub(super) ramp_secs: f64,
    /// Nothing starts from here on.
    pub(super) end: Duration,
    /// Decides the order.
    pub(super) seed: u64,
}

/// A session that starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// When, from the beginning of the load.
    pub(super) at: Duration,
    /// Which of the sessions that are live at one time; the next one in its place has the same.
    pub(super) place: usize,
    /// Which recording.
    pub(super) reel: usize,
}

/// The starts in order of time: as a recording ends, the next one starts in its place.
#[derive(Debug)]
pub(super) struct Schedule {
    reels: Vec<Reel>,
    deal: Deal,
    free: BinaryHeap<Reverse<(Duration, usize)>>,
    end: Duration,
}

impl Schedule {
    /// The schedule of a crowd.
    pub(super) fn new(reels: Vec<Reel>, crowd: &Crowd) -> Self {
        let first = |place: usize| {
            let ramp_secs = crowd.ramp_secs * place as f64 / crowd.n_sessions.max(1) as f64;
            // Plugins do not tick together: frames of sessions that start at one time are spread over a frame's time.
            let phase_secs = (place as f64 * GOLDEN_RATIO).fract() / crowd.rate_hz;
            Reverse((Duration::from_secs_f64(ramp_secs + phase_secs), place))
        };
        let deal = Deal::new(reels.iter().map(|reel| reel.weight).collect(), crowd.seed);
        Self { reels, deal, free: (0..crowd.n_sessions).map(first).collect(), end: crowd.end }
    }
}

impl Iterator for Schedule {
    type Item = Start;

    fn next(&mut self) -> Option<Start> {
        let Reverse((at, place)) = self.free.pop().filter(|Reverse((at, _))| *at < self.end)?;
        let reel = self.deal.next()?;
        let span = self.reels.get(reel)?.span;
        self.free.push(Reverse((at.saturating_add(span), place)));
        Some(Start { at, place, reel })
    }
}

/// Deals indices so that each comes as often as its weight says, in every stretch of the order and not only in the long run.
#[derive(Debug)]
struct Deal {
    /// Weight and credit of each; the one with the most credit is next and pays the sum of all weights.
    hands: Vec<(f64, f64)>,
    total: f64,
}

impl Deal {
    fn new(weights: Vec<f64>, seed: u64) -> Self {
        let mut generator = StdRng::seed_from_u64(seed);
        let total = weights.iter().sum();
        // What each starts with decides the order among equals.
        let hands = weights.into_iter().map(|weight| (weight, weight * generator.random_range(0.0..1.0))).collect();
        Self { hands, total }
    }
}

impl Iterator for Deal {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        for (weight, credit) in &mut self.hands {
            *credit += *weight;
        }
        let richest = self.hands.iter_mut().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
        richest.map(|(index, (_, credit))| {
            *credit -= self.total;
            index
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Crowd, Deal, Reel, Schedule, Start};

    const SECOND: Duration = Duration::from_secs(1);

    fn starts(weights_and_secs: &[(f64, u32)], crowd: &Crowd) -> Vec<Start> {
        let reel = |(weight, secs): &(f64, u32)| Reel { weight: *weight, span: SECOND * *secs };
        Schedule::new(weights_and_secs.iter().map(reel).collect(), crowd).collect()
    }

    fn crowd(n_sessions: usize, secs: u32, seed: u64) -> Crowd {
        Crowd { n_sessions, rate_hz: 10.0, ramp_secs: 2.0, end: SECOND * secs, seed }
    }

    #[test]
    fn so_many_sessions_are_live_from_the_ramp_to_the_end() {
        let secs = [(1.0, 5), (1.0, 7), (2.0, 11)];
        let starts = starts(&secs, &crowd(6, 60, 1));
        for tenth in 25..600 {
            let now = Duration::from_millis(tenth * 100);
            let is_live = |start: &&Start| start.at <= now && now < start.at + SECOND * secs[start.reel].1;
            assert_eq!(starts.iter().filter(is_live).count(), 6, "at {now:?}");
        }
        assert!(starts.is_sorted_by_key(|start| start.at));
        assert!(starts.iter().all(|start| start.at < SECOND * 60));
    }

    #[test]
    fn starts_are_spread_over_the_ramp_and_do_not_tick_together() {
        let starts = starts(&[(1.0, 100)], &crowd(4, 60, 1));
        let at: Vec<f64> = starts.iter().map(|start| start.at.as_secs_f64()).collect();
        for (place, at) in at.iter().enumerate() {
            let ramp = 0.5 * place as f64;
            assert!((ramp..ramp + 0.1).contains(at), "{place} at {at}");
        }
        let phases: Vec<f64> = at.iter().map(|at| (at * 10.0).fract()).collect();
        let apart = |a: f64, b: f64| (a - b).abs().min(1.0 - (a - b).abs());
        for (index, phase) in phases.iter().enumerate() {
            assert!(phases.iter().skip(index + 1).all(|other| apart(*phase, *other) > 0.1), "{phases:?}");
        }
    }

    #[test]
    fn the_order_follows_weights_and_seed() {
        let dealt = |seed: u64| Deal::new(vec![6.0, 3.0, 1.0], seed).take(10).collect::<Vec<_>>();
        for seed in 0..20 {
            let order = dealt(seed);
            let n_of = |reel: usize| order.iter().filter(|dealt| **dealt == reel).count();
            let counts = [n_of(0), n_of(1), n_of(2)];
            let expected = [6_usize, 3, 1];
            assert!(counts.iter().zip(expected).all(|(n, expected)| n.abs_diff(expected) <= 1), "{counts:?} of {seed}");
            assert_eq!(order, dealt(seed));
        }
        assert!((1..20).any(|seed| dealt(seed) != dealt(0)), "the seed matters");
        let all = starts(&[(1.0, 4), (1.0, 4), (1.0, 4)], &crowd(3, 30, 7));
        assert_eq!(all, starts(&[(1.0, 4), (1.0, 4), (1.0, 4)], &crowd(3, 30, 7)));
    }

    #[test]
    fn without_recordings_or_time_nothing_starts() {
        assert!(starts(&[], &crowd(2, 10, 1)).is_empty());
        assert!(starts(&[(1.0, 4)], &crowd(2, 0, 1)).is_empty());
    }
}
