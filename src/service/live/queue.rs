//! A track's samples on their way to analysis: bounded by bytes and by age, oldest out first, counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::media::{MediaTime, VideoFormat, VideoSample};
use crate::session::Track;
use crate::telemetry::metrics::{DropReason, GaugeGuard, Queue, frame_dropped, queued, queued_bytes};

/// Samples that may wait whatever their size: bounds the work behind tiny ones.
const MAX_SAMPLES: usize = 512;
/// Seconds of media that come in a second of a live track at most; a steady source does not come steadily.
const MAX_LIVE_SPEED: f64 = 2.0;
/// Changes of the track that may wait.
pub(super) const MAX_CHANGES: usize = 64;

/// Numbers the streams of one process; a later stream has the higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StreamId(pub(super) u64);

/// What waits on a track, in the order in which it came.
#[derive(Debug)]
pub(super) enum QueueItem {
    /// A video sample.
    Sample(QueuedSample),
    /// Sound up to this sequence: accounted for in its turn.
    Audio {
        /// Highest sequence.
        sequence: u64,
    },
    /// The track, or who is behind it, changed from here on.
    Upsert(Track, Option<VideoFormat>),
    /// The track ends here.
    Remove,
    /// Everything that a stream sent lies before this.
    Flush(StreamId),
    /// Everything that anybody sent lies before this: the session ends.
    Finish,
}

impl QueueItem {
    fn sample(&self) -> Option<&QueuedSample> {
        if let Self::Sample(queued) = self { Some(queued) } else { None }
    }
}

/// A video sample that waits for its turn.
#[derive(Debug)]
pub(super) struct QueuedSample {
    /// The sample.
    pub(super) sample: VideoSample,
    /// When it came, since the session was created.
    pub(super) arrival: MediaTime,
    /// When it came, for measuring how long it waited.
    pub(super) queued_at: Instant,
    _gauges: [GaugeGuard; 2],
}

impl QueuedSample {
    fn n_bytes(&self) -> u64 {
        self.sample.data.len() as u64
    }
}

/// Bytes waiting on all tracks together.
///
/// Past the limit, tracks that hold more than an equal share of it shed until they do not. So at most twice the limit waits,
/// and who sends little is not pushed out by who sends much.
#[derive(Debug)]
pub(super) struct ByteBudget {
    used: AtomicU64,
    n_queues: AtomicU64,
    limit: u64,
}

impl ByteBudget {
    pub(super) const fn new(limit: u64) -> Self {
        Self { used: AtomicU64::new(0), n_queues: AtomicU64::new(0), limit }
    }

    /// Bytes that wait now.
    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether too much waits, and this much is more than one track's share of what may.
    fn is_exceeded_by(&self, n_bytes: u64) -> bool {
        self.used.load(Ordering::Relaxed) > self.limit
            && n_bytes > self.limit / self.n_queues.load(Ordering::Relaxed).max(1)
    }
}

/// How much may wait on one track.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueBounds {
    /// Bytes of samples.
    pub(super) max_bytes: u64,
    /// Time between the arrivals of the oldest and the newest sample.
    ///
    /// While samples come faster than they are analysed, none waits longer for those before it; samples that came at one time
    /// may take as long as they need.
    pub(super) max_span: Duration,
}

/// The queue of one track.
#[derive(Debug)]
pub(super) struct TrackQueue {
    state: Mutex<State>,
    ready: Notify,
    bounds: QueueBounds,
    budget: Arc<ByteBudget>,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<QueueItem>,
    n_bytes: u64,
    n_samples: usize,
    n_changes: usize,
    shed_since_take: u64,
    shed_total: u64,
    is_closed: bool,
}

impl State {
    /// The oldest and the newest sample, if there are two.
    fn ends(&self) -> Option<(&QueuedSample, &QueuedSample)> {
        let mut samples = self.items.iter().filter_map(QueueItem::sample);
        Some((samples.next()?, samples.next_back()?))
    }

    /// Time between the arrivals of the oldest and the newest sample.
    fn span(&self) -> Duration {
        self.ends()
            .map_or(Duration::ZERO, |(oldest, newest)| newest.queued_at.saturating_duration_since(oldest.queued_at))
    }

    /// Whether the oldest sample has waited longer than it may, of samples that came about as fast as they were taken.
    /// What comes faster is a recording, or what a broken connection held up: it may take its time.
    fn is_stale(&self, max_wait: Duration) -> bool {
        self.ends().is_some_and(|(oldest, newest)| {
            let media_secs = newest.sample.media_time.secs_since(oldest.sample.media_time);
            let is_live = media_secs > 0.0 && media_secs <= self.span().as_secs_f64() * MAX_LIVE_SPEED;
            is_live && oldest.queued_at.elapsed() > max_wait
        })
    }
}

impl TrackQueue {
    pub(super) fn new(bounds: QueueBounds, budget: Arc<ByteBudget>) -> Self {
        budget.n_queues.fetch_add(1, Ordering::Relaxed);
        Self { state: Mutex::default(), ready: Notify::new(), bounds, budget }
    }

    /// Adds a sample, which pushes out the oldest samples (itself at last) while there is too much.
    pub(super) fn push_sample(&self, sample: VideoSample, arrival: MediaTime) {
        let n_bytes = sample.data.len() as u64;
        let mut state = self.lock();
        if state.is_closed {
            frame_dropped(DropReason::SessionEnded);
            return;
        }
        let gauges = [queued(Queue::Frames), queued_bytes(Queue::Frames, n_bytes)];
        let queued = QueuedSample { sample, arrival, queued_at: Instant::now(), _gauges: gauges };
        state.n_bytes += n_bytes;
        state.n_samples += 1;
        self.budget.used.fetch_add(n_bytes, Ordering::Relaxed);
        state.items.push_back(QueueItem::Sample(queued));
        while state.n_samples > 0 && self.is_too_full(&state) {
            self.shed_oldest(&mut state);
        }
        drop(state);
        self.ready.notify_one();
    }

    fn shed_oldest(&self, state: &mut State) {
        let oldest = state.items.iter().position(|item| matches!(item, QueueItem::Sample(_)));
        let Some((at, removed)) = oldest.and_then(|at| Some((at, state.items.remove(at)?))) else { return };
        self.forget(state, &removed);
        join_audio(&mut state.items, at);
        state.shed_since_take += 1;
        state.shed_total += 1;
        frame_dropped(DropReason::QueueFull);
    }

    fn is_too_full(&self, state: &State) -> bool {
        let is_over_own = state.n_bytes > self.bounds.max_bytes
            || state.n_samples > MAX_SAMPLES
            || state.span() > self.bounds.max_span;
        (is_over_own && state.n_samples > 1) || self.budget.is_exceeded_by(state.n_bytes)
    }

    /// Adds sound, which is only counted.
    pub(super) fn push_audio(&self, sequence: u64) {
        self.push(QueueItem::Audio { sequence });
    }

    /// Adds a change of the track; `false` when too many wait already.
    #[must_use]
    pub(super) fn push_change(&self, change: QueueItem) -> bool {
        if self.lock().n_changes >= MAX_CHANGES {
            return false;
        }
        self.push(change);
        true
    }

    /// Adds a mark of the session's own.
    pub(super) fn push_mark(&self, mark: QueueItem) {
        self.push(mark);
    }

    fn push(&self, item: QueueItem) {
        let mut state = self.lock();
        if state.is_closed {
            return;
        }
        state.n_changes += usize::from(is_change(&item));
        state.items.push_back(item);
        let last = state.items.len();
        join_audio(&mut state.items, last.saturating_sub(1));
        drop(state);
        self.ready.notify_one();
    }

    /// Waits until something can be taken; `false` once closed and empty.
    pub(super) async fn wait(&self) -> bool {
        loop {
            let ready = self.ready.notified();
            {
                let state = self.lock();
                if !state.items.is_empty() {
                    return true;
                }
                if state.is_closed {
                    return false;
                }
            }
            ready.await;
        }
    }

    /// The next item, if there is one, and the samples shed since the one before.
    ///
    /// Live samples that have waited longer than the bound go first, but for the last: when a session ends under overload
    /// nothing comes any more that would push them out, and each would wait for a turn of its own.
    pub(super) fn take(&self) -> Option<(QueueItem, u64)> {
        let mut state = self.lock();
        while state.n_samples > 1 && state.is_stale(self.bounds.max_span) {
            self.shed_oldest(&mut state);
        }
        let item = state.items.pop_front()?;
        self.forget(&mut state, &item);
        Some((item, std::mem::take(&mut state.shed_since_take)))
    }

    /// Counts a sample that was shed after it had its turn.
    pub(super) fn count_shed(&self) {
        self.lock().shed_total += 1;
    }

    /// Samples shed so far.
    pub(super) fn shed_total(&self) -> u64 {
        self.lock().shed_total
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// Ends the queue; what waits is dropped.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        while let Some(item) = state.items.pop_front() {
            self.forget(&mut state, &item);
            if matches!(item, QueueItem::Sample(_)) {
                frame_dropped(DropReason::SessionEnded);
            }
        }
        drop(state);
        self.ready.notify_one();
    }

    fn forget(&self, state: &mut State, item: &QueueItem) {
        if let QueueItem::Sample(queued) = item {
            state.n_bytes -= queued.n_bytes();
            state.n_samples -= 1;
            self.budget.used.fetch_sub(queued.n_bytes(), Ordering::Relaxed);
        }
        state.n_changes -= usize::from(is_change(item));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TrackQueue {
    fn drop(&mut self) {
        self.close();
        self.budget.n_queues.fetch_sub(1, Ordering::Relaxed);
    }
}

const fn is_change(item: &QueueItem) -> bool {
    matches!(item, QueueItem::Upsert(..) | QueueItem::Remove)
}

/// Joins sound at `at` with sound just before it, so that sound alone never fills a queue.
fn join_audio(items: &mut VecDeque<QueueItem>, at: usize) {
    let Some(before) = at.checked_sub(1) else { return };
    if let (Some(QueueItem::Audio { .. }), Some(QueueItem::Audio { .. })) = (items.get(before), items.get(at)) {
        items.remove(before);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::Duration;

    use bytes::Bytes;

    use crate::media::{MediaTime, Rotation, VideoSample};

    use super::{ByteBudget, MAX_CHANGES, MAX_SAMPLES, QueueBounds, QueueItem, StreamId, TrackQueue};

    fn push(queue: &TrackQueue, sequence: u64, n_bytes: usize) {
        push_at(queue, sequence, n_bytes, MediaTime::ZERO);
    }

    fn push_at(queue: &TrackQueue, sequence: u64, n_bytes: usize, media_time: MediaTime) {
        let sample = VideoSample {
            sequence,
            media_time,
            format: None,
            layout: None,
            rotation: Rotation::None,
            keyframe: false,
            data: Bytes::from(vec![0; n_bytes]),
        };
        queue.push_sample(sample, MediaTime::ZERO);
    }

    fn bounds(max_bytes: u64) -> QueueBounds {
        QueueBounds { max_bytes, max_span: Duration::from_mins(1) }
    }

    fn queue(max_bytes: u64) -> TrackQueue {
        TrackQueue::new(bounds(max_bytes), Arc::new(ByteBudget::new(1_000_000)))
    }

    async fn next_sequence(queue: &TrackQueue) -> (u64, u64) {
        match pop(queue).await {
            Some((QueueItem::Sample(queued), n_shed)) => (queued.sample.sequence, n_shed),
            other => panic!("expected a sample, got {other:?}"),
        }
    }

    async fn pop(queue: &TrackQueue) -> Option<(QueueItem, u64)> {
        if queue.wait().await { queue.take() } else { None }
    }

    #[tokio::test]
    async fn the_oldest_samples_go_and_are_counted() {
        let queue = queue(250);
        for sequence in 0..5 {
            push(&queue, sequence, 100);
        }
        assert_eq!(next_sequence(&queue).await, (3, 3));
        assert_eq!(next_sequence(&queue).await, (4, 0));
        assert_eq!(queue.shed_total(), 3);
    }

    #[tokio::test]
    async fn what_came_long_before_the_newest_goes() {
        let bounds = QueueBounds { max_span: Duration::from_millis(50), ..bounds(1_000) };
        let queue = TrackQueue::new(bounds, Arc::new(ByteBudget::new(1_000_000)));
        (0..3).for_each(|sequence| push(&queue, sequence, 1));
        assert_eq!(queue.shed_total(), 0, "they came at one time");
        std::thread::sleep(Duration::from_millis(60));
        push(&queue, 3, 1);
        assert_eq!(next_sequence(&queue).await, (3, 3), "the newest stays, however late");
    }

    #[tokio::test]
    async fn live_samples_that_nothing_pushes_out_go_when_their_turn_comes_too_late() {
        let bounds = QueueBounds { max_span: Duration::from_millis(50), ..bounds(1_000) };
        let [live, faster] = [(); 2].map(|()| TrackQueue::new(bounds, Arc::new(ByteBudget::new(1_000_000))));
        for sequence in 0..3 {
            let media_millis = i64::try_from(sequence).expect("small") * 10;
            push_at(&live, sequence, 1, MediaTime::from_millis(media_millis));
            push_at(&faster, sequence, 1, MediaTime::from_millis(media_millis * 100));
            std::thread::sleep(Duration::from_millis(10));
        }
        live.push_mark(QueueItem::Finish);
        assert_eq!((live.shed_total(), faster.shed_total()), (0, 0), "they came soon after each other");
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(next_sequence(&live).await, (2, 2), "the last is looked at in any case");
        assert!(matches!(pop(&live).await, Some((QueueItem::Finish, 0))));
        for sequence in 0..3 {
            assert_eq!(next_sequence(&faster).await, (sequence, 0), "a recording takes its time");
        }
    }

    #[tokio::test]
    async fn marks_are_never_shed() {
        let queue = queue(100);
        push(&queue, 0, 90);
        queue.push_mark(QueueItem::Flush(StreamId(7)));
        push(&queue, 1, 90);
        assert!(matches!(pop(&queue).await, Some((QueueItem::Flush(StreamId(7)), 1))));
        assert_eq!(next_sequence(&queue).await, (1, 0));
    }

    #[tokio::test]
    async fn a_flood_of_anything_is_bounded() {
        let queue = queue(100_000);
        for sequence in 0..10_000 {
            push(&queue, 2 * sequence, 1);
            queue.push_audio(2 * sequence + 1);
        }
        let n_changes = (0..10_000).filter(|_| queue.push_change(QueueItem::Remove)).count();
        assert_eq!(n_changes, MAX_CHANGES);
        let n_items = queue.lock().items.len();
        assert!(n_items <= 2 * MAX_SAMPLES + 1 + MAX_CHANGES, "{n_items}");
        let mut last_heard = 0;
        while !queue.is_empty() {
            if let Some((QueueItem::Audio { sequence }, _)) = pop(&queue).await {
                assert!(sequence > last_heard, "sound in order");
                last_heard = sequence;
            }
        }
        assert_eq!(last_heard, 19_999, "no sound is forgotten");
        assert!(queue.push_change(QueueItem::Remove), "there is room again");
    }

    #[tokio::test]
    async fn the_budget_of_all_tracks_is_kept_without_starving_who_sends_little() {
        let budget = Arc::new(ByteBudget::new(1_000));
        let (greedy, modest) = (
            TrackQueue::new(bounds(10_000), Arc::clone(&budget)),
            TrackQueue::new(bounds(10_000), Arc::clone(&budget)),
        );
        for sequence in 0..20 {
            push(&greedy, sequence, 100);
        }
        push(&modest, 0, 300);
        assert_eq!((greedy.shed_total(), modest.shed_total()), (10, 0));
        push(&greedy, 20, 5_000);
        assert_eq!(greedy.shed_total(), 21, "a sample over all that may wait is shed itself");
        assert_eq!(budget.used.load(Ordering::Relaxed), 300);
        assert_eq!(next_sequence(&modest).await, (0, 0));
        push(&greedy, 21, 100);
        drop(greedy);
        assert_eq!((budget.used.load(Ordering::Relaxed), budget.n_queues.load(Ordering::Relaxed)), (0, 1));
    }

    #[tokio::test]
    async fn a_closed_queue_ends() {
        let queue = queue(1_000);
        push(&queue, 0, 10);
        queue.close();
        assert!(pop(&queue).await.is_none());
        push(&queue, 1, 10);
        assert!(queue.is_empty());
    }
}
