//! Threads that analyse frames: as many as keep the devices busy, one queue for the frames of all interviews.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::panic_message;

/// Runs what is handed to it, first come, first served. Cheap to clone; the threads end with the last clone.
///
/// A thread that is done takes the next piece of work itself, so that no core waits for another thread to hand it over. As much
/// lies ready as is under way; everybody else waits for a [`Turn`], first come, first served, and decides only then what is
/// worth doing.
#[derive(Clone, Debug)]
pub(super) struct AnalysisPool {
    shared: Arc<Threads>,
    turns: Arc<Semaphore>,
}

/// The right to hand over one piece of work.
#[derive(Debug)]
pub(super) struct Turn {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Work that ended by a panic.
#[derive(Debug, thiserror::Error)]
#[error("analysis panicked: {message}")]
pub(super) struct AnalysisPanic {
    message: String,
}

#[derive(Debug)]
struct Threads {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    has_work: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    is_closed: bool,
}

type Job = Box<dyn FnOnce() + Send>;

impl AnalysisPool {
    /// Starts that many threads, at least one.
    ///
    /// # Errors
    /// Those of the operating system when it starts no thread.
    pub(super) fn start(n_threads: usize) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let mut threads = Vec::with_capacity(n_threads);
        for idx in 0..n_threads.max(1) {
            let queue = Arc::clone(&queue);
            threads.push(thread::Builder::new().name(format!("analysis-{idx}")).spawn(move || queue.work())?);
        }
        let turns = Arc::new(Semaphore::new(threads.len() * 2));
        Ok(Self { shared: Arc::new(Threads { queue, threads }), turns })
    }

    /// Waits for the right to hand over work.
    pub(super) async fn turn(&self) -> Turn {
        // Nobody closes the semaphore; without a permit work would only lie ready a little longer.
        Turn { _permit: Arc::clone(&self.turns).acquire_owned().await.ok() }
    }

    /// Runs `work`. Work whose future was dropped before it began is never begun.
    ///
    /// # Errors
    /// [`AnalysisPanic`].
    pub(super) async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AnalysisPanic> {
        let (reply, answer) = oneshot::channel();
        self.shared.queue.push(Box::new(move || {
            if !reply.is_closed() {
                let outcome = catch_unwind(AssertUnwindSafe(work));
                drop(turn);
                // Whoever left meanwhile does not need the answer.
                let _ = reply.send(outcome);
            }
        }));
        let panicked = |message: String| AnalysisPanic { message };
        match answer.await {
            Ok(outcome) => outcome.map_err(|panic| panicked(panic_message(panic.as_ref()))),
            // The pool outlives its callers, so that this is not reached.
            Err(_) => Err(panicked("the analysis threads have ended".to_owned())),
        }
    }
}

impl Queue {
    fn push(&self, job: Job) {
        self.lock().jobs.push_back(job);
        self.has_work.notify_one();
    }

    /// Does one job after another until the queue is closed.
    fn work(&self) {
        loop {
            let is_idle = |state: &mut State| state.jobs.is_empty() && !state.is_closed;
            let mut state = self.has_work.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
            let Some(job) = state.jobs.pop_front() else { return };
            drop(state);
            job();
        }
    }

    /// Nothing that can panic runs under the lock, so a poisoned one holds a sound state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("n_waiting", &self.lock().jobs.len()).finish()
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.is_closed = true;
        let abandoned = std::mem::take(&mut state.jobs);
        drop(state);
        drop(abandoned);
        self.queue.has_work.notify_all();
        for thread in self.threads.drain(..) {
            // Jobs catch their panics, and this thread is none of them unless the last clone went inside a job.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!("an analysis thread ended by a panic");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};
    use std::task::Poll;

    use super::AnalysisPool;

    #[tokio::test]
    async fn answers_come_back_and_a_panic_is_its_callers_only() {
        let pool = AnalysisPool::start(1).expect("starts");
        assert_eq!(pool.run(pool.turn().await, || 7).await.expect("runs"), 7);
        let panic = pool.run(pool.turn().await, || panic!("as the test wants")).await.expect_err("panics");
        assert!(panic.to_string().contains("as the test wants"), "{panic}");
        assert_eq!(pool.run(pool.turn().await, || 8).await.expect("the thread lives on"), 8);
    }

    #[tokio::test]
    async fn work_whose_caller_has_gone_is_never_begun() {
        let pool = AnalysisPool::start(1).expect("starts");
        let (go_on, waits) = mpsc::sync_channel::<()>(1);
        let busy = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(pool.turn().await, move || waits.recv()).await }
        });
        let n_runs = Arc::new(AtomicUsize::new(0));
        let count = |n_runs: &Arc<AtomicUsize>| {
            let n_runs = Arc::clone(n_runs);
            move || n_runs.fetch_add(1, Ordering::SeqCst)
        };
        tokio::task::yield_now().await;
        let mut abandoned = Box::pin(pool.run(pool.turn().await, count(&n_runs)));
        let is_pending = std::future::poll_fn(|context| Poll::Ready(abandoned.as_mut().poll(context).is_pending()));
        assert!(is_pending.await);
        drop(abandoned);
        go_on.send(()).expect("somebody waits");
        busy.await.expect("task").expect("runs").expect("was let go");
        pool.run(pool.turn().await, count(&n_runs)).await.expect("runs");
        assert_eq!(n_runs.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn threads_end_with_the_last_clone() {
        let pool = AnalysisPool::start(3).expect("starts");
        let held = Arc::new(());
        let kept = Arc::clone(&held);
        pool.run(pool.turn().await, move || drop(kept)).await.expect("runs");
        drop(pool.clone());
        assert_eq!(pool.run(pool.turn().await, || 1).await.expect("still runs"), 1);
        drop(pool);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
