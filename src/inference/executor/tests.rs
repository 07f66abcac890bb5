use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use ndarray::{ArrayD, ArrayViewD, IxDyn};

use super::load::Factory;
use super::pool::DevicePool;
use super::{Executor, Provider};
use crate::error::{ErrorKind, Kinded};
use crate::inference::device::{Device, ReadOutputs};
use crate::inference::{InferenceError, Manifest};

/// An input on which [`Fake`] panics.
const PANICS: f32 = 13.0;

/// An input on which [`Fake`] tells that it started, then waits.
const WAITS: f32 = 99.0;

/// Of the manifest's `presentation`.
const SHAPE: [usize; 4] = [2, 3, 128, 128];

/// Gives its input back.
struct Fake {
    input: ArrayD<f32>,
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
    fn input(&mut self, _model_idx: usize) -> Result<&mut [f32], InferenceError> {
        Ok(self.input.as_slice_mut().unwrap_or_default())
    }

    fn run(&mut self, _model_idx: usize, read: &mut ReadOutputs<'_>) -> Result<(), InferenceError> {
        self.log.n_runs.fetch_add(1, Ordering::SeqCst);
        let value = self.input.first().copied().unwrap_or_default();
        assert!(value.to_bits() != PANICS.to_bits(), "asked to panic");
        if value.to_bits() == WAITS.to_bits() {
            self.log.started.send(()).expect("test listens");
            self.log.go_on.lock().expect("no panic under the lock").recv().expect("test answers");
        }
        read(&[self.input.view()]);
        Ok(())
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
    fn new(n_devices: usize) -> Self {
        let (started_sender, started) = mpsc::sync_channel(1);
        let (go_on, go_on_receiver) = mpsc::sync_channel(1);
        let log = Arc::new(Log {
            n_runs: AtomicUsize::new(0),
            n_dropped: AtomicUsize::new(0),
            started: started_sender,
            go_on: Mutex::new(go_on_receiver),
        });
        let factory = || Ok(Box::new(Fake { input: input(0.0), log: Arc::clone(&log) }) as Box<dyn Device>);
        let executor = start(n_devices, &factory).expect("start");
        Self { executor, log, started, go_on }
    }

    fn run(&self, value: f32) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        run(&self.executor, value)
    }
}

fn run(executor: &Executor, value: f32) -> Result<Vec<ArrayD<f32>>, InferenceError> {
    executor.run_tensor("presentation", &input(value))
}

fn start(n_devices: usize, factory: &Factory<'_, dyn Device>) -> Result<Executor, InferenceError> {
    let manifest = Manifest::bundled().expect("manifest");
    let pool = DevicePool::new(n_devices, factory)?;
    Ok(Executor::with_runner(&manifest.models, Provider::Cpu, Box::new(pool)))
}

fn input(value: f32) -> ArrayD<f32> {
    ArrayD::from_elem(IxDyn(&SHAPE), value)
}

#[test]
fn outputs_come_back_with_their_model_version() {
    let harness = Harness::new(2);
    assert_eq!(harness.run(2.0).expect("run"), [input(2.0)]);
    assert_eq!((harness.executor.provider(), harness.executor.n_places()), ("cpu", 2));
    let manifest = Manifest::bundled().expect("valid");
    let digest = manifest.model("presentation").expect("is there").sha256;
    let version = harness.executor.model_version("presentation").expect("version");
    assert_eq!(version, format!("models/presentation@{digest}"));
}

#[test]
fn unknown_models_and_wrong_shapes_never_reach_a_device() {
    let harness = Harness::new(1);
    let unknown = harness.executor.run_tensor("nothing", &input(1.0)).expect_err("unknown");
    assert!(matches!(unknown, InferenceError::UnknownModel { .. }));
    let wrong = harness.executor.run_tensor("embedding", &input(1.0)).expect_err("shape");
    assert!(wrong.to_string().contains("[1, 3, 112, 112]"), "{wrong}");
    assert_eq!(harness.log.n_runs.load(Ordering::SeqCst), 0);
}

#[test]
fn an_input_that_could_not_be_prepared_costs_no_run() {
    let harness = Harness::new(1);
    let interpret = |(), _: &[ArrayViewD<'_, f32>]| Ok(());
    let refused = harness.executor.run("presentation", |_| Err::<(), _>(InferenceError::NoDevice), interpret);
    assert!(matches!(refused, Err(InferenceError::NoDevice)));
    assert_eq!(harness.log.n_runs.load(Ordering::SeqCst), 0);
    harness.run(1.0).expect("the device is free again");
}

#[test]
fn every_step_is_timed() {
    let harness = Harness::new(1);
    let nap = std::time::Duration::from_millis(3);
    let prepare = |input: &mut [f32]| {
        thread::sleep(nap);
        input.fill(1.0);
        Ok::<_, InferenceError>(7)
    };
    let interpret = |prepared: i32, outputs: &[ArrayViewD<'_, f32>]| {
        thread::sleep(nap);
        Ok((prepared, outputs.len()))
    };
    let (answer, timing) = harness.executor.run("presentation", prepare, interpret).expect("runs");
    assert_eq!(answer, (7, 1));
    assert!(timing.preprocess >= nap && timing.postprocess >= nap, "{timing:?}");
}

#[test]
fn callers_wait_while_all_devices_are_lent() {
    let harness = Harness::new(1);
    thread::scope(|scope| {
        let executor = &harness.executor;
        let long = scope.spawn(|| run(executor, WAITS));
        harness.started.recv().expect("it runs");
        let waiting = [1.0, 2.0, 3.0].map(|value| scope.spawn(move || run(executor, value)));
        assert_eq!(harness.log.n_runs.load(Ordering::SeqCst), 1);
        harness.go_on.send(()).expect("the long run waits");
        long.join().expect("thread").expect("the long run");
        for run in waiting {
            run.join().expect("thread").expect("a waiting run");
        }
    });
    assert_eq!(harness.log.n_runs.load(Ordering::SeqCst), 4);
}

#[test]
fn panic_is_an_error_for_its_caller_only() {
    let harness = Harness::new(1);
    let error = harness.run(PANICS).expect_err("panic");
    assert!(error.to_string().contains("asked to panic"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Internal);
    harness.run(1.0).expect("the device lives on");
}

#[test]
fn devices_go_with_the_last_clone() {
    let Harness { executor, log, .. } = Harness::new(3);
    drop(executor.clone());
    assert_eq!(log.n_dropped.load(Ordering::SeqCst), 0);
    drop(executor);
    assert_eq!(log.n_dropped.load(Ordering::SeqCst), 3);
}

#[test]
fn one_device_missing_is_no_start() {
    let n_made = AtomicUsize::new(0);
    let log = Arc::clone(&Harness::new(1).log);
    let factory = || {
        if n_made.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(InferenceError::NoDevice);
        }
        Ok(Box::new(Fake { input: input(0.0), log: Arc::clone(&log) }) as Box<dyn Device>)
    };
    let n_before = log.n_dropped.load(Ordering::SeqCst);
    let error = start(3, &factory).expect_err("no start");
    assert!(matches!(error, InferenceError::NoDevice));
    assert_eq!(log.n_dropped.load(Ordering::SeqCst) - n_before, 2, "the others are let go");
}

#[test]
fn panicking_start_is_an_error() {
    let factory = || -> Result<Box<dyn Device>, InferenceError> { panic!("asked to panic") };
    let error = start(2, &factory).expect_err("no start");
    assert!(matches!(error, InferenceError::Thread { .. }), "{error}");
}
