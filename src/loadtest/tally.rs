//! What became of the frames: counts, latencies, one line a second.
//!
//! A frame's latency begins when it is due, not when it was sent: a server that stalls shows in every frame that fell due
//! meanwhile, not only in the one that it kept waiting.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::process::Usage;

/// Longest latency that is told apart, an hour in microseconds; longer ones count as this.
const MAX_MICROS: u64 = 3_600_000_000;
/// Digits of a latency that are kept.
const DIGITS: u8 = 3;

/// Sent frames of one session that wait for their acknowledgement: sequence and when each was due.
#[derive(Debug, Default)]
pub(super) struct Pending(VecDeque<(u64, Instant)>);

impl Pending {
    /// Notes a frame; sequences go up.
    pub(super) fn push(&mut self, sequence: u64, due: Instant) {
        self.0.push_back((sequence, due));
    }

    /// The latencies of all frames up to `sequence`, which are acknowledged now.
    pub(super) fn settle(&mut self, sequence: u64, now: Instant) -> Vec<Duration> {
        let n_settled = self.0.partition_point(|(waiting, _)| *waiting <= sequence);
        self.0.drain(..n_settled).map(|(_, due)| now.saturating_duration_since(due)).collect()
    }

    /// Forgets a frame that was refused; whether it waited.
    pub(super) fn forget(&mut self, sequence: u64) -> bool {
        let found = self.0.binary_search_by_key(&sequence, |(waiting, _)| *waiting);
        found.is_ok_and(|index| self.0.remove(index).is_some())
    }

    /// How long the frames waited that will never be acknowledged.
    pub(super) fn give_up(&mut self, now: Instant) -> Vec<Duration> {
        self.settle(u64::MAX, now)
    }
}

/// Counts since the load began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Sessions that began.
    pub(super) n_started: u64,
    /// Sessions whose recording was played to its end.
    pub(super) n_finished: u64,
    /// Sessions that the end of the load cut, and that ended in order.
    pub(super) n_cut: u64,
    /// Sessions that did not end in order.
    pub(super) n_failed: u64,
    /// Connections that broke.
    pub(super) n_lost_connections: u64,
    /// Frames whose time came.
    pub(super) n_due: u64,
    /// Frames that were handed over.
    pub(super) n_sent: u64,
    /// Frames that the server accounted for: analysed or dropped.
    pub(super) n_acknowledged: u64,
    /// Frames that the server says it dropped.
    pub(super) n_dropped: u64,
    /// Frames that the server refused.
    pub(super) n_refused: u64,
    /// Frames that were sent and never acknowledged or refused.
    pub(super) n_unanswered: u64,
    /// Frames that the generator took up late.
    pub(super) n_late: u64,
    /// Frames that waited for the connection to take them.
    pub(super) n_held: u64,
}

/// Latencies of a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Median in milliseconds.
    pub p50_millis: f64,
    /// 99th percentile in milliseconds.
    pub p99_millis: f64,
    /// Longest in milliseconds.
    pub max_millis: f64,
}

/// What happened in one second of the load.
#[derive(Clone, Debug, PartialEq)]
pub struct Second {
    /// Its end, from the beginning of the load.
    pub secs: f64,
    /// Sessions that send.
    pub n_live: u64,
    /// Sessions that have sent everything and wait for the rest of their answers.
    pub n_ending: u64,
    /// Frames handed over.
    pub n_sent: u64,
    /// Frames acknowledged.
    pub n_acknowledged: u64,
    /// Frames that the server says it dropped.
    pub n_dropped: u64,
    /// Frames that the server refused.
    pub n_refused: u64,
    /// Connections lost and sessions failed.
    pub n_errors: u64,
    /// Latencies of the frames acknowledged in it; `None` without any.
    pub latency: Option<Spread>,
    /// CPU seconds that the server used in it; `None` when nobody looks.
    pub server_cpu_secs: Option<f64>,
    /// Bytes of the server in memory at its end; `None` when nobody looks.
    pub server_rss_bytes: Option<u64>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Its recording was played to its end.
    Finished,
    /// The load was over.
    Cut,
    /// It did not end in order.
    Failed,
}

/// What all sessions report to.
#[derive(Debug)]
pub(super) struct Tally(Mutex<State>);

/// What was counted by the end.
#[derive(Debug)]
pub(super) struct Total {
    pub(super) counts: Counts,
    /// Microseconds from due to acknowledged.
    pub(super) latency: Histogram<u64>,
    /// Microseconds that the server says it took.
    pub(super) server_time: Histogram<u64>,
    pub(super) seconds: Vec<Second>,
    /// Seconds of all sessions together in which they sent.
    pub(super) session_secs: f64,
}

#[derive(Debug)]
struct State {
    total: Total,
    /// As of the last second.
    before: Counts,
    cpu_before: Option<f64>,
    in_second: Histogram<u64>,
    n_live: u64,
    n_ending: u64,
}

impl Tally {
    /// Nothing counted yet; `usage` is what the server used before.
    pub(super) fn new(usage: Option<Usage>) -> Self {
        let total = Total {
            counts: Counts::default(),
            latency: histogram(),
            server_time: histogram(),
            seconds: Vec::new(),
            session_secs: 0.0,
        };
        Self(Mutex::new(State {
            total,
            before: Counts::default(),
            cpu_before: usage.map(|usage| usage.cpu_secs),
            in_second: histogram(),
            n_live: 0,
            n_ending: 0,
        }))
    }

    /// A session begins.
    pub(super) fn started(&self) {
        let mut state = self.state();
        state.total.counts.n_started += 1;
        state.n_live += 1;
    }

    /// A session has sent everything, after so long.
    pub(super) fn sent_all(&self, live_for: Duration) {
        let mut state = self.state();
        state.total.session_secs += live_for.as_secs_f64();
        state.n_live = state.n_live.saturating_sub(1);
        state.n_ending += 1;
    }

    /// A session is over; frames still without an answer waited so long in vain.
    pub(super) fn ended(&self, ending: Ending, unanswered: &[Duration]) {
        let mut state = self.state();
        state.n_ending = state.n_ending.saturating_sub(1);
        let counts = &mut state.total.counts;
        match ending {
            Ending::Finished => counts.n_finished += 1,
            Ending::Cut => counts.n_cut += 1,
            Ending::Failed => counts.n_failed += 1,
        }
        counts.n_unanswered += unanswered.len() as u64;
        for waited in unanswered {
            state.total.latency.saturating_record(micros(*waited));
        }
    }

    /// A connection broke.
    pub(super) fn lost_connection(&self) {
        self.state().total.counts.n_lost_connections += 1;
    }

    /// The time of so many frames has come.
    pub(super) fn due(&self, n_frames: u64) {
        self.state().total.counts.n_due += n_frames;
    }

    /// A frame was handed over.
    pub(super) fn sent(&self, is_late: bool, is_held: bool) {
        let counts = &mut self.state().total.counts;
        counts.n_sent += 1;
        counts.n_late += u64::from(is_late);
        counts.n_held += u64::from(is_held);
    }

    /// A frame was refused.
    pub(super) fn refused(&self) {
        self.state().total.counts.n_refused += 1;
    }

    /// Frames were acknowledged, some of them because the server dropped them.
    pub(super) fn acknowledged(&self, latencies: &[Duration], n_dropped: u64, server_time: Option<Duration>) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.total.counts.n_acknowledged += latencies.len() as u64;
        state.total.counts.n_dropped += n_dropped;
        for latency in latencies {
            state.total.latency.saturating_record(micros(*latency));
            state.in_second.saturating_record(micros(*latency));
        }
        if let Some(server_time) = server_time {
            state.total.server_time.saturating_record(micros(server_time));
        }
    }

    /// Ends a second of the load.
    pub(super) fn second(&self, secs: f64, usage: Option<Usage>) -> Second {
        let mut guard = self.state();
        let state = &mut *guard;
        let (counts, before) = (state.total.counts, state.before);
        let errors = |counts: &Counts| counts.n_lost_connections + counts.n_failed;
        let cpu_secs = usage.map(|usage| usage.cpu_secs);
        let second = Second {
            secs,
            n_live: state.n_live,
            n_ending: state.n_ending,
            n_sent: counts.n_sent - before.n_sent,
            n_acknowledged: counts.n_acknowledged - before.n_acknowledged,
            n_dropped: counts.n_dropped - before.n_dropped,
            n_refused: counts.n_refused - before.n_refused,
            n_errors: errors(&counts) - errors(&before),
            latency: spread(&state.in_second),
            server_cpu_secs: cpu_secs.zip(state.cpu_before).map(|(now, before)| rounded(now - before)),
            server_rss_bytes: usage.map(|usage| usage.rss_bytes),
        };
        state.before = counts;
        state.cpu_before = cpu_secs;
        state.in_second.reset();
        state.total.seconds.push(second.clone());
        second
    }

    /// Whether nothing happened to any frame since the last second ended.
    pub(super) fn is_told(&self) -> bool {
        let state = self.state();
        let frames = |counts: &Counts| (counts.n_sent, counts.n_acknowledged, counts.n_refused, counts.n_failed);
        frames(&state.total.counts) == frames(&state.before)
    }

    /// Everything that was counted.
    pub(super) fn into_total(self) -> Total {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).total
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds at a quantile; `None` of nothing.
pub(super) fn quantile_millis(histogram: &Histogram<u64>, quantile: f64) -> Option<f64> {
    (!histogram.is_empty()).then(|| histogram.value_at_quantile(quantile) as f64 / 1_000.0)
}

/// CPU seconds as exact as ticks are.
fn rounded(cpu_secs: f64) -> f64 {
    (cpu_secs.max(0.0) * 1_000.0).round() / 1_000.0
}

fn spread(histogram: &Histogram<u64>) -> Option<Spread> {
    Some(Spread {
        p50_millis: quantile_millis(histogram, 0.5)?,
        p99_millis: quantile_millis(histogram, 0.99)?,
        max_millis: quantile_millis(histogram, 1.0)?,
    })
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_MICROS, DIGITS).expect("the bounds are in order and the digits at most five")
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(MAX_MICROS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Ending, Pending, Tally, Usage, quantile_millis};

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn an_acknowledgement_covers_all_frames_before_it() {
        let (mut pending, start) = (Pending::default(), Instant::now());
        for sequence in 1..=5 {
            pending.push(sequence, start + millis(100 * sequence));
        }
        assert_eq!(pending.settle(3, start + millis(350)), [millis(250), millis(150), millis(50)]);
        assert!(pending.settle(3, start + millis(400)).is_empty(), "none counts twice");
        assert!(pending.forget(4) && !pending.forget(4) && !pending.forget(1));
        assert_eq!(pending.give_up(start + millis(700)), [millis(200)]);
    }

    #[test]
    fn a_clock_that_is_behind_is_no_negative_latency() {
        let (mut pending, now) = (Pending::default(), Instant::now());
        pending.push(1, now + millis(5));
        assert_eq!(pending.settle(1, now), [Duration::ZERO]);
    }

    #[test]
    fn seconds_are_differences_and_the_total_is_their_sum() {
        let tally = Tally::new(Some(Usage { cpu_secs: 10.0, rss_bytes: 1 }));
        tally.started();
        tally.due(1);
        tally.sent(false, true);
        tally.acknowledged(&[millis(10), millis(20)], 1, Some(millis(5)));
        let first = tally.second(1.0, Some(Usage { cpu_secs: 10.5, rss_bytes: 7 }));
        assert_eq!((first.n_live, first.n_sent, first.n_acknowledged, first.n_dropped), (1, 1, 2, 1));
        assert_eq!((first.server_cpu_secs, first.server_rss_bytes), (Some(0.5), Some(7)));
        let latency = first.latency.expect("two were acknowledged");
        assert!((latency.p50_millis - 10.0).abs() < 0.1 && (latency.max_millis - 20.0).abs() < 0.1, "{latency:?}");
        assert!(tally.is_told());
        tally.refused();
        assert!(!tally.is_told());
        tally.lost_connection();
        tally.sent_all(millis(1_500));
        tally.ended(Ending::Failed, &[millis(3_000)]);
        let second = tally.second(2.0, None);
        assert_eq!((second.n_live, second.n_ending, second.n_sent, second.latency), (0, 0, 0, None));
        assert_eq!((second.n_refused, second.n_errors, second.server_cpu_secs), (1, 2, None));
        let total = tally.into_total();
        assert_eq!((total.counts.n_acknowledged, total.counts.n_unanswered, total.counts.n_held), (2, 1, 1));
        assert_eq!((total.seconds.len(), total.session_secs), (2, 1.5));
        let longest = quantile_millis(&total.latency, 1.0).expect("three");
        assert!(longest >= 3_000.0, "what was never answered counts as long as it waited: {longest}");
    }

    #[test]
    fn nothing_has_no_quantiles_and_hours_are_no_overflow() {
        let tally = Tally::new(None);
        assert_eq!(tally.second(1.0, None).latency, None);
        tally.acknowledged(&[Duration::MAX], 0, None);
        let longest = tally.second(2.0, None).latency.expect("one").max_millis;
        assert!((longest / 3_600_000.0 - 1.0).abs() < 0.001, "{longest}");
    }
}
