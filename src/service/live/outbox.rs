//! Events on their way to one receiver: bounded, newest state wins, nobody is waited for.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::scoring::Level;
use crate::session::{ParticipantId, SessionEvent, TrackId};
use crate::telemetry::metrics::{GaugeGuard, Queue, queued};

use super::LiveEvent;

/// Events between the session and the wire.
pub(in crate::service) const CHANNEL_EVENTS: usize = 256;
/// Problems of single samples kept for a slow receiver.
const MAX_WAITING_PROBLEMS: usize = 64;

/// What an event replaces when its receiver is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Key {
    Score(ParticipantId),
    Segment(u32),
    Pacing(TrackId),
    Ack(TrackId),
    Problem,
    Ended,
}

/// An event that its receiver has not taken.
#[derive(Debug)]
struct Waiting {
    key: Key,
    event: LiveEvent,
    gauge: GaugeGuard,
}

/// The sending side of one receiver.
#[derive(Debug)]
pub(super) struct Outbox {
    channel: mpsc::Sender<LiveEvent>,
    waiting: VecDeque<Waiting>,
    score_interval: Option<Duration>,
    last_scores: HashMap<ParticipantId, (f64, Level)>,
    /// Scores that came too soon after the one before; the last ones are told at the end.
    held_scores: BTreeMap<ParticipantId, LiveEvent>,
    is_ended: bool,
}

impl Outbox {
    pub(super) fn new(score_interval: Option<Duration>) -> (Self, mpsc::Receiver<LiveEvent>) {
        let (channel, events) = mpsc::channel(CHANNEL_EVENTS);
        let outbox = Self {
            channel,
            waiting: VecDeque::new(),
            score_interval,
            last_scores: HashMap::new(),
            held_scores: BTreeMap::new(),
            is_ended: false,
        };
        (outbox, events)
    }

    /// Whether nobody reads any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.channel.is_closed()
    }

    /// Whether the last event was handed over.
    pub(super) fn is_done(&self) -> bool {
        self.is_abandoned() || (self.is_ended && self.waiting.is_empty())
    }

    /// Adds an event, or replaces the waiting one about the same thing, and hands over what fits.
    pub(super) fn push(&mut self, event: LiveEvent) {
        if self.is_ended || !self.is_wanted(&event) {
            return;
        }
        if matches!(event, LiveEvent::Ended(_)) {
            self.is_ended = true;
            for (_, score) in std::mem::take(&mut self.held_scores) {
                self.enqueue(score);
            }
        }
        self.enqueue(event);
        self.flush();
    }

    fn enqueue(&mut self, event: LiveEvent) {
        let key = key(&event);
        if key == Key::Problem {
            let n_problems = self.waiting.iter().filter(|waiting| waiting.key == Key::Problem).count();
            if n_problems >= MAX_WAITING_PROBLEMS
                && let Some(oldest) = self.waiting.iter().position(|waiting| waiting.key == Key::Problem)
            {
                self.waiting.remove(oldest);
            }
        } else if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.key == key) {
            waiting.event = event;
            return;
        }
        self.waiting.push_back(Waiting { key, event, gauge: queued(Queue::Events) });
    }

    /// Hands over what fits.
    pub(super) fn flush(&mut self) {
        while let Some(Waiting { key, event, gauge }) = self.waiting.pop_front() {
            match self.channel.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.waiting.push_front(Waiting { key, event, gauge });
                    return;
                }
                Err(TrySendError::Closed(_)) => {
                    self.waiting.clear();
                    return;
                }
            }
        }
    }

    /// Hands over everything, for as long as that takes.
    pub(super) async fn hand_over(mut self) {
        while let Some(waiting) = self.waiting.pop_front() {
            if self.channel.send(waiting.event).await.is_err() {
                return;
            }
        }
    }

    /// Thins scores to the receiver's interval; a new level is always told.
    fn is_wanted(&mut self, event: &LiveEvent) -> bool {
        let LiveEvent::Session(SessionEvent::Score { participant_id, score }) = event else { return true };
        let Some(interval) = self.score_interval else { return true };
        let last = self.last_scores.get(participant_id);
        let is_wanted = last.is_none_or(|(at_secs, level)| {
            *level != score.level || score.window_end_secs - at_secs >= interval.as_secs_f64()
        });
        if is_wanted {
            self.last_scores.insert(participant_id.clone(), (score.window_end_secs, score.level));
            self.held_scores.remove(participant_id);
        } else {
            self.held_scores.insert(participant_id.clone(), event.clone());
        }
        is_wanted
    }
}

fn key(event: &LiveEvent) -> Key {
    match event {
        LiveEvent::Session(SessionEvent::Score { participant_id, .. }) => Key::Score(participant_id.clone()),
        LiveEvent::Session(SessionEvent::Segment { segment, .. }) => Key::Segment(segment.ordinal),
        LiveEvent::Session(SessionEvent::Pacing(pacing)) => Key::Pacing(pacing.track_id.clone()),
        LiveEvent::Ack(ack) => Key::Ack(ack.track_id.clone()),
        LiveEvent::SampleProblem(_) => Key::Problem,
        LiveEvent::Ended(_) => Key::Ended,
    }
}

#[cfg(test)]
mod tests {
    use crate::scoring::{Level, Score};

    use super::super::Acknowledgement;
    use super::{CHANNEL_EVENTS, Duration, LiveEvent, Outbox, ParticipantId, SessionEvent, TrackId};

    fn ack(sequence: u64) -> LiveEvent {
        let track_id = TrackId::new("camera").expect("valid");
        LiveEvent::Ack(Acknowledgement {
            track_id,
            sequence,
            dropped_frames: 0,
            resume_token: String::new(),
            timing: None,
        })
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_newest_and_memory_stays_flat() {
        let (mut outbox, mut events) = Outbox::new(None);
        for sequence in 0..10_000 {
            outbox.push(ack(sequence));
        }
        outbox.push(LiveEvent::Ended(None));
        assert!(outbox.waiting.len() <= 2, "{}", outbox.waiting.len());
        let mut last = 0;
        for _ in 0..CHANNEL_EVENTS {
            let Some(LiveEvent::Ack(ack)) = events.recv().await else { panic!("an ack") };
            last = ack.sequence;
        }
        outbox.flush();
        let Some(LiveEvent::Ack(newest)) = events.recv().await else { panic!("an ack") };
        assert!(newest.sequence == 9_999 && last < 9_999);
        assert!(matches!(events.recv().await, Some(LiveEvent::Ended(None))));
        assert!(outbox.is_done());
    }

    fn score(at_secs: f64, level: Level) -> LiveEvent {
        let participant_id = ParticipantId::new("candidate").expect("valid");
        let score = Score {
            authenticity: None,
            level,
            signals: Vec::new(),
            reasons: Vec::new(),
            usable_face_secs: 0.0,
            window_start_secs: 0.0,
            window_end_secs: at_secs,
            policy: String::new(),
            engine: "".into(),
        };
        LiveEvent::Session(SessionEvent::Score { participant_id, score })
    }

    #[tokio::test]
    async fn scores_keep_their_interval_and_the_last_one_is_always_told() {
        let (mut outbox, mut events) = Outbox::new(Some(Duration::from_secs(10)));
        for second in 0..26 {
            outbox.push(score(f64::from(second), if second < 5 { Level::Inconclusive } else { Level::Clear }));
        }
        outbox.push(LiveEvent::Ended(None));
        let mut told = Vec::new();
        while let Some(LiveEvent::Session(SessionEvent::Score { score, .. })) = events.recv().await {
            told.push(score.window_end_secs);
        }
        assert_eq!(told, [0.0, 5.0, 15.0, 25.0], "a new level at once, else every ten seconds");
        let (mut outbox, mut events) = Outbox::new(Some(Duration::from_secs(10)));
        for second in 0..5 {
            outbox.push(score(f64::from(second), Level::Clear));
        }
        outbox.push(LiveEvent::Ended(None));
        let mut told = Vec::new();
        while let Some(LiveEvent::Session(SessionEvent::Score { score, .. })) = events.recv().await {
            told.push(score.window_end_secs);
        }
        assert_eq!(told, [0.0, 4.0]);
    }

    #[test]
    fn a_reader_that_left_is_noticed() {
        let (mut outbox, events) = Outbox::new(None);
        drop(events);
        outbox.push(ack(1));
        assert!(outbox.is_abandoned() && outbox.waiting.is_empty());
    }
}
