//! A track's samples on their way to analysis: bounded by bytes, oldest out first, counted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::media::{MediaTime, VideoFormat, VideoSample};
use crate::session::Track;

/// Samples that may wait whatever their size: bounds the work behind tiny ones.
const MAX_SAMPLES: usize = 512;

/// Numbers the streams of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StreamId(pub(super) u64);

/// What waits on a track, in the order in which it came.
#[derive(Debug)]
pub(super) enum QueueItem {
    /// A sample with the time of its arrival since the session was created.
    Sample { sample: VideoSample, arrival: MediaTime },
    /// The track, or who is behind it, changed from here on.
    Upsert(Track, Option<VideoFormat>),
    /// The track ends here.
    Remove,
    /// Everything that a stream sent lies before this.
    Flush(StreamId),
}

/// Bytes waiting on all tracks together.
#[derive(Debug)]
pub(super) struct ByteBudget {
    used: AtomicU64,
    limit: u64,
}

impl ByteBudget {
    pub(super) const fn new(limit: u64) -> Self {
        Self { used: AtomicU64::new(0), limit }
    }

    fn is_exceeded(&self) -> bool {
        self.used.load(Ordering::Relaxed) > self.limit
    }
}

/// The queue of one track.
#[derive(Debug)]
pub(super) struct TrackQueue {
    state: Mutex<State>,
    ready: Notify,
    max_bytes: u64,
    budget: Arc<ByteBudget>,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<QueueItem>,
    n_bytes: u64,
    n_samples: usize,
    shed_since_pop: u64,
    shed_total: u64,
    is_closed: bool,
}

impl TrackQueue {
    pub(super) fn new(max_bytes: u64, budget: Arc<ByteBudget>) -> Self {
        Self { state: Mutex::default(), ready: Notify::new(), max_bytes, budget }
    }

    /// Adds an item; a sample pushes out the oldest samples while there is too much. Gives back how many it pushed out.
    pub(super) fn push(&self, item: QueueItem) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return 0;
        }
        if let QueueItem::Sample { sample, .. } = &item {
            let n_bytes = sample.data.len() as u64;
            state.n_bytes += n_bytes;
            state.n_samples += 1;
            self.budget.used.fetch_add(n_bytes, Ordering::Relaxed);
        }
        state.items.push_back(item);
        let mut n_shed = 0;
        while state.n_samples > 1
            && (state.n_bytes > self.max_bytes || state.n_samples > MAX_SAMPLES || self.budget.is_exceeded())
        {
            let oldest = state.items.iter().position(|item| matches!(item, QueueItem::Sample { .. }));
            let Some(removed) = oldest.and_then(|at| state.items.remove(at)) else { break };
            self.forget(&mut state, &removed);
            n_shed += 1;
        }
        state.shed_since_pop += n_shed;
        state.shed_total += n_shed;
        drop(state);
        self.ready.notify_one();
        n_shed
    }

    /// The next item and the samples shed since the one before; `None` once closed and empty.
    pub(super) async fn pop(&self) -> Option<(QueueItem, u64)> {
        loop {
            let ready = self.ready.notified();
            {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(item) = state.items.pop_front() {
                    self.forget(&mut state, &item);
                    return Some((item, std::mem::take(&mut state.shed_since_pop)));
                }
                if state.is_closed {
                    return None;
                }
            }
            ready.await;
        }
    }

    /// Samples shed so far.
    pub(super) fn shed_total(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).shed_total
    }

    /// Ends the queue; what waits is dropped.
    pub(super) fn close(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_closed = true;
        while let Some(item) = state.items.pop_front() {
            self.forget(&mut state, &item);
        }
        drop(state);
        self.ready.notify_one();
    }

    fn forget(&self, state: &mut State, item: &QueueItem) {
        if let QueueItem::Sample { sample, .. } = item {
            let n_bytes = sample.data.len() as u64;
            state.n_bytes -= n_bytes;
            state.n_samples -= 1;
            self.budget.used.fetch_sub(n_bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for TrackQueue {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use bytes::Bytes;

    use crate::media::{MediaTime, Rotation, VideoSample};

    use super::{ByteBudget, QueueItem, StreamId, TrackQueue};

    fn sample(sequence: u64, n_bytes: usize) -> QueueItem {
        let sample = VideoSample {
            sequence,
            media_time: MediaTime::ZERO,
            format: None,
            layout: None,
            rotation: Rotation::None,
            keyframe: false,
            data: Bytes::from(vec![0; n_bytes]),
        };
        QueueItem::Sample { sample, arrival: MediaTime::ZERO }
    }

    async fn next_sequence(queue: &TrackQueue) -> (u64, u64) {
        match queue.pop().await {
            Some((QueueItem::Sample { sample, .. }, n_shed)) => (sample.sequence, n_shed),
            other => panic!("expected a sample, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn the_oldest_samples_go_and_are_counted() {
        let queue = TrackQueue::new(250, Arc::new(ByteBudget::new(10_000)));
        for sequence in 0..5 {
            queue.push(sample(sequence, 100));
        }
        assert_eq!(next_sequence(&queue).await, (3, 3));
        assert_eq!(next_sequence(&queue).await, (4, 0));
        assert_eq!(queue.shed_total(), 3);
    }

    #[tokio::test]
    async fn marks_are_never_shed() {
        let queue = TrackQueue::new(100, Arc::new(ByteBudget::new(10_000)));
        queue.push(sample(0, 90));
        queue.push(QueueItem::Flush(StreamId(7)));
        queue.push(sample(1, 90));
        assert!(matches!(queue.pop().await, Some((QueueItem::Flush(StreamId(7)), 1))));
        assert_eq!(next_sequence(&queue).await, (1, 0));
    }

    #[tokio::test]
    async fn the_budget_of_all_tracks_is_given_back() {
        let budget = Arc::new(ByteBudget::new(150));
        let queue = TrackQueue::new(1_000, Arc::clone(&budget));
        queue.push(sample(0, 100));
        queue.push(sample(1, 100));
        assert_eq!(queue.shed_total(), 1);
        drop(queue);
        assert_eq!(budget.used.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_closed_queue_ends() {
        let queue = TrackQueue::new(1_000, Arc::new(ByteBudget::new(1_000)));
        queue.push(sample(0, 10));
        queue.close();
        assert!(queue.pop().await.is_none());
        assert_eq!(queue.push(sample(1, 10)), 0);
    }
}
