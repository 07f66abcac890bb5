use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;

use ndarray::{ArrayD, IxDyn};

use super::worker::DeviceFactory;
use super::{Executor, Outputs, Provider};
use crate::error::{ErrorKind, Kinded};
use crate::inference::device::Device;
use crate::inference::{InferenceError, Manifest};

/// An input on which [`Fake`] panics.
const PANICS: f32 = 13.0;

/// An input on which [`Fake`] tells that it started, then waits.
const WAITS: f32 = 99.0;

/// Gives its input back.
struct Fake {
    log: Arc<Log>,
}

/// What the test and its devices know of each other.
struct Log {
    n_runs: AtomicUsize,
    n_dropped: AtomicUsize,
    started: mpsc::SyncSender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl Device for Fake {
    fn run(&mut self, _model_idx: usize, input: ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        self.log.n_runs.fetch_add(1, Ordering::SeqCst);
        let value = input.first().copied().unwrap_or_default();
        assert!(value.to_bits() != PANICS.to_bits(), "asked to panic");
        if value.to_bits() == WAITS.to_bits() {
            self.log.started.send(()).expect("test listens");
            self.log.go_on.lock().expect("no panic under the lock").recv().expect("test answers");
        }
        Ok(vec![input])
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.log.n_dropped.fetch_add(1, Ordering::SeqCst);
    }
}

struct Harness {
    executor: Executor,
    log: Arc<Log>,
    started: mpsc::Receiver<()>,
    go_on: mpsc::SyncSender<()>,
}

impl Harness {
    fn new(n_workers: usize, max_pending: usize) -> Self {
        let (started_sender, started) = mpsc::sync_channel(1);
        let (go_on, go_on_receiver) = mpsc::sync_channel(1);
        let log = Arc::new(Log {
            n_runs: AtomicUsize::new(0),
            n_dropped: AtomicUsize::new(0),
            started: started_sender,
            go_on: Mutex::new(go_on_receiver),
        });
        let shared = Arc::clone(&log);
        let factory = move || Ok(Box::new(Fake { log: Arc::clone(&shared) }) as Box<dyn Device>);
        let factory: Arc<DeviceFactory> = Arc::new(factory);
        let executor = start(n_workers, max_pending, &factory).expect("start");
        Self { executor, log, started, go_on }
    }

    async fn run(&self, value: f32) -> Result<Outputs, InferenceError> {
        self.executor.run("presentation", input(value)).await
    }

    /// Keeps the one worker busy until the returned task is let go.
    fn occupy(&self) -> tokio::task::JoinHandle<Result<Outputs, InferenceError>> {
        let executor = self.executor.clone();
        let task = tokio::task::spawn_blocking(move || executor.run_blocking("presentation", input(WAITS)));
        self.started.recv().expect("worker starts");
        task
    }
}

fn start(n_workers: usize, max_pending: usize, factory: &Arc<DeviceFactory>) -> Result<Executor, InferenceError> {
    let manifest = Manifest::bundled().expect("manifest");
    Executor::with_devices(&manifest.models, Provider::Cpu, n_workers, max_pending, factory)
}

/// Of the shape that the manifest declares for `presentation`.
fn input(value: f32) -> ArrayD<f32> {
    ArrayD::from_elem(IxDyn(&[2, 3, 128, 128]), value)
}

/// Polls a future once.
async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[tokio::test]
async fn outputs_come_back_with_their_model_version() {
    let harness = Harness::new(2, 4);
    let outputs = harness.run(2.0).await.expect("run");
    assert_eq!(outputs.tensors, [input(2.0)]);
    assert_eq!(harness.executor.provider(), "cpu");
    let manifest = Manifest::bundled().expect("valid");
    let digest = manifest.model("presentation").expect("is there").sha256;
    let version = harness.executor.model_version("presentation").expect("version");
    assert_eq!(version, format!("models/presentation@{digest}"));
}

#[tokio::test]
async fn unknown_models_and_wrong_shapes_never_reach_a_device() {
    let harness = Harness::new(1, 4);
    let unknown = harness.executor.run("nothing", input(1.0)).await.expect_err("unknown");
    assert!(matches!(unknown, InferenceError::UnknownModel { .. }));
    let wrong = harness.executor.run("embedding", input(1.0)).await.expect_err("shape");
    assert!(wrong.to_string().contains("[1, 3, 112, 112]"), "{wrong}");
    assert_eq!(harness.log.n_runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn full_queue_refuses_at_once() {
    let harness = Harness::new(1, 1);
    let busy = harness.occupy();
    let mut waiting = Box::pin(harness.run(1.0));
    assert!(is_pending(waiting.as_mut()).await);
    assert_eq!(harness.executor.n_pending(), 1);
    let refused = harness.run(2.0).await.expect_err("full");
    assert!(matches!(refused, InferenceError::Overloaded { pending: 1 }));
    assert_eq!(refused.kind(), ErrorKind::Overloaded);
    harness.go_on.send(()).expect("worker waits");
    waiting.await.expect("the waiting run");
    busy.await.expect("task").expect("the long run");
}

#[tokio::test]
async fn work_whose_caller_has_gone_is_skipped() {
    let harness = Harness::new(1, 4);
    let busy = harness.occupy();
    let mut abandoned = Box::pin(harness.run(1.0));
    assert!(is_pending(abandoned.as_mut()).await);
    drop(abandoned);
    harness.go_on.send(()).expect("worker waits");
    busy.await.expect("task").expect("the long run");
    harness.run(2.0).await.expect("a later run");
    assert_eq!(harness.log.n_runs.load(Ordering::SeqCst), 2, "the abandoned run is not among them");
}

#[tokio::test]
async fn panic_is_an_error_for_its_caller_only() {
    let harness = Harness::new(1, 4);
    let error = harness.run(PANICS).await.expect_err("panic");
    assert!(error.to_string().contains("asked to panic"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Internal);
    harness.run(1.0).await.expect("the worker lives on");
}

#[test]
fn blocking_runs_wait_for_room() {
    let harness = Harness::new(2, 1);
    std::thread::scope(|scope| {
        let run = |value: f32| harness.executor.run_blocking("presentation", input(value));
        let runs: Vec<_> = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|value| scope.spawn(move || run(value))).into();
        for run in runs {
            run.join().expect("thread").expect("run");
        }
    });
    assert_eq!(harness.log.n_runs.load(Ordering::SeqCst), 6);
}

#[test]
fn threads_end_with_the_last_clone() {
    let Harness { executor, log, .. } = Harness::new(3, 4);
    drop(executor.clone());
    assert_eq!(log.n_dropped.load(Ordering::SeqCst), 0);
    drop(executor);
    assert_eq!(log.n_dropped.load(Ordering::SeqCst), 3);
}

#[test]
fn one_worker_without_device_is_no_start() {
    let n_made = AtomicUsize::new(0);
    let log = Arc::clone(&Harness::new(1, 1).log);
    let shared = Arc::clone(&log);
    let factory = move || {
        if n_made.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(InferenceError::Stopped);
        }
        Ok(Box::new(Fake { log: Arc::clone(&shared) }) as Box<dyn Device>)
    };
    let n_before = log.n_dropped.load(Ordering::SeqCst);
    let factory: Arc<DeviceFactory> = Arc::new(factory);
    let error = start(3, 1, &factory).expect_err("no start");
    assert!(matches!(error, InferenceError::Stopped));
    assert_eq!(log.n_dropped.load(Ordering::SeqCst) - n_before, 2, "the other workers are joined");
}

#[test]
fn panicking_start_is_an_error() {
    let factory = || -> Result<Box<dyn Device>, InferenceError> { panic!("asked to panic") };
    let factory: Arc<DeviceFactory> = Arc::new(factory);
    let error = start(2, 1, &factory).expect_err("no start");
    assert!(matches!(error, InferenceError::Thread { .. }), "{error}");
}
