use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use ndarray::{ArrayD, ArrayViewD, IxDyn};

use super::Batcher;
use crate::inference::device::{BatchDevice, ReadRow};
use crate::inference::executor::Executor;
use crate::inference::executor::load::Factory;
use crate::inference::runtime::Provider;
use crate::inference::{InferenceError, Manifest};

/// An input that makes a run fail.
const FAILS: f32 = 7.0;

/// An input that makes a run panic.
const PANICS: f32 = 13.0;

/// Most inputs of a run here.
const MAX_BATCH: usize = 4;

/// More runs than a test makes.
const MAX_RUNS: usize = 64;

/// Gives back the first value of each input, once the test lets it.
struct Fake {
    log: Arc<Log>,
}

struct Log {
    /// Model and inputs of each run.
    runs: Mutex<Vec<(usize, Vec<f32>)>>,
    n_dropped: AtomicUsize,
    started: mpsc::SyncSender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl BatchDevice for Fake {
    fn run(&mut self, model_idx: usize, inputs: &[&[f32]], read: &mut ReadRow<'_>) -> Result<(), InferenceError> {
        let values: Vec<f32> = inputs.iter().map(|input| input[0]).collect();
        // A test that has nothing to say lets all runs pass.
        let _ = self.log.started.send(());
        let _ = self.log.go_on.lock().expect("no panic under the lock").recv();
        self.log.runs.lock().expect("no panic under the lock").push((model_idx, values.clone()));
        assert!(!values.contains(&PANICS), "asked to panic");
        if values.contains(&FAILS) {
            return Err(InferenceError::NoDevice);
        }
        for value in values {
            read(&[ArrayD::from_elem(IxDyn(&[1]), value).view()]);
        }
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
        let (started_sender, started) = mpsc::sync_channel(MAX_RUNS);
        let (go_on, go_on_receiver) = mpsc::sync_channel(MAX_RUNS);
        let log = Arc::new(Log {
            runs: Mutex::default(),
            n_dropped: AtomicUsize::new(0),
            started: started_sender,
            go_on: Mutex::new(go_on_receiver),
        });
        let factory = || Ok(Box::new(Fake { log: Arc::clone(&log) }) as Box<dyn BatchDevice>);
        let executor = start(n_devices, &factory).expect("start");
        Self { executor, log, started, go_on }
    }

    /// Lets every run pass from now on.
    fn open(self) -> (Executor, Arc<Log>) {
        drop(self.go_on);
        (self.executor, self.log)
    }
}

fn start(n_devices: usize, factory: &Factory<'_, dyn BatchDevice>) -> Result<Executor, InferenceError> {
    let models = Manifest::bundled().expect("manifest").models;
    let batcher = Batcher::new(&models, n_devices, MAX_BATCH, factory)?;
    Ok(Executor::with_runner(&models, Provider::Cpu, Box::new(batcher)))
}

fn run(executor: &Executor, model: &str, value: f32) -> Result<f32, InferenceError> {
    let prepare = |input: &mut [f32]| {
        input.fill(value);
        Ok::<_, InferenceError>(())
    };
    let interpret = |(), outputs: &[ArrayViewD<'_, f32>]| Ok(outputs[0][[0]]);
    Ok(executor.run(model, prepare, interpret)?.0)
}

#[test]
fn what_comes_while_the_device_is_busy_runs_together() {
    let Harness { executor, log, started, go_on } = Harness::new(1);
    let n_prepared = AtomicUsize::new(0);
    thread::scope(|scope| {
        let (executor, n_prepared) = (&executor, &n_prepared);
        let call = move |model: &'static str, value: f32| {
            let prepare = move |input: &mut [f32]| {
                input.fill(value);
                n_prepared.fetch_add(1, Ordering::SeqCst);
                Ok::<_, InferenceError>(())
            };
            let interpret = |(), outputs: &[ArrayViewD<'_, f32>]| Ok(outputs[0][[0]]);
            executor.run(model, prepare, interpret).expect("runs").0
        };
        let mut callers = vec![(1.0, scope.spawn(move || call("embedding", 1.0)))];
        started.recv().expect("it runs alone");
        for idx in 0_u8..6 {
            let (model, value) = (if idx == 0 { "deepfake" } else { "embedding" }, f32::from(idx) + 20.0);
            callers.push((value, scope.spawn(move || call(model, value))));
            while n_prepared.load(Ordering::SeqCst) < usize::from(idx) + 2 {
                thread::yield_now();
            }
            // The input is pushed right after it is prepared.
            thread::sleep(std::time::Duration::from_millis(20));
        }
        drop(go_on);
        for (value, caller) in callers {
            assert_eq!(caller.join().expect("thread").to_bits(), value.to_bits(), "everyone gets an own answer");
        }
    });
    let runs = log.runs.lock().expect("no panic under the lock").clone();
    let inputs: Vec<Vec<f32>> = runs.into_iter().map(|(_, values)| values).collect();
    // The oldest input chooses the model; a run takes four inputs at most.
    assert_eq!(inputs, [vec![1.0], vec![20.0], vec![21.0, 22.0, 23.0, 24.0], vec![25.0]]);
}

#[test]
fn one_input_that_fails_spoils_no_other() {
    for (bad, expected) in [(FAILS, "no device"), (PANICS, "asked to panic")] {
        let Harness { executor, log, started, go_on } = Harness::new(1);
        thread::scope(|scope| {
            let executor = &executor;
            let first = scope.spawn(move || run(executor, "mesh_of_nobody", 1.0).expect_err("unknown model"));
            assert!(matches!(first.join().expect("thread"), InferenceError::UnknownModel { .. }));
            let busy = scope.spawn(move || run(executor, "embedding", 1.0));
            started.recv().expect("it runs");
            let together = [2.0, bad, 3.0].map(|value| (value, scope.spawn(move || run(executor, "embedding", value))));
            thread::sleep(std::time::Duration::from_millis(50));
            drop(go_on);
            assert!(busy.join().expect("thread").is_ok());
            for (value, caller) in together {
                match caller.join().expect("thread") {
                    Ok(answer) => assert_eq!(answer.to_bits(), value.to_bits()),
                    Err(error) => {
                        assert_eq!(value.to_bits(), bad.to_bits());
                        assert!(error.to_string().contains(expected), "{error}");
                    }
                }
            }
        });
        assert!(log.runs.lock().expect("no panic under the lock").len() >= 4);
        assert_eq!(run(&executor, "embedding", 5.0).expect("the device lives on").to_bits(), 5.0_f32.to_bits());
    }
}

#[test]
fn an_input_that_could_not_be_prepared_costs_no_run() {
    let (executor, log) = Harness::new(1).open();
    let interpret = |(), _: &[ArrayViewD<'_, f32>]| Ok(());
    let refused = executor.run("embedding", |_| Err::<(), _>(InferenceError::NoDevice), interpret);
    assert!(matches!(refused, Err(InferenceError::NoDevice)));
    assert!(log.runs.lock().expect("no panic under the lock").is_empty());
}

#[test]
fn devices_and_their_threads_go_with_the_last_clone() {
    let (executor, log) = Harness::new(3).open();
    assert_eq!(executor.n_places(), 3 * MAX_BATCH);
    assert_eq!(run(&executor, "embedding", 2.0).expect("runs").to_bits(), 2.0_f32.to_bits());
    drop(executor.clone());
    assert_eq!(log.n_dropped.load(Ordering::SeqCst), 0);
    drop(executor);
    assert_eq!(log.n_dropped.load(Ordering::SeqCst), 3);
}

#[test]
fn one_device_missing_is_no_start() {
    let factory = || Err(InferenceError::NoDevice);
    assert!(matches!(start(2, &factory), Err(InferenceError::NoDevice)));
}
