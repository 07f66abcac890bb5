//! Batches for devices that are faster with many inputs than with one: graphics cards.
//!
//! Callers prepare their inputs at the same time, each on its own thread and in memory of its own, and wait. Every device has a
//! thread that takes what waits for one model, the model whose oldest input has waited longest, and runs it at once. There is no
//! timer: a batch is what came while the device was busy, and a lone input on an idle device is a batch of one.
//!
//! What waits is bounded by the callers, who wait for their answer: [`Runner::n_places`] of them keep the devices busy.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ndarray::{ArrayD, ArrayViewD};

use super::load::{Factory, load};
use super::runner::{ModelCall, RunTiming, Runner, Stopwatch};
use crate::error::panic_message;
use crate::inference::device::BatchDevice;
use crate::inference::error::InferenceError;
use crate::inference::manifest::ModelEntry;

/// Gathers inputs for devices that run on threads of their own, which end with this.
pub(super) struct Batcher {
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    max_batch: usize,
}

/// What waits for a device.
struct Queue {
    models: Vec<QueuedModel>,
    max_batch: usize,
    waiting: Mutex<Waiting>,
    came: Condvar,
}

struct QueuedModel {
    id: String,
    n_values: usize,
    /// Memory for inputs that nobody uses; as much as there were callers at one time.
    spare: Mutex<Vec<Vec<f32>>>,
}

struct Waiting {
    /// Of each model, the oldest first.
    calls: Vec<VecDeque<Waiter>>,
    is_closed: bool,
}

/// A caller that has prepared its input.
struct Waiter {
    input: Vec<f32>,
    since: Instant,
    answer: SyncSender<Answer>,
}

/// What a caller gets, and its memory back.
struct Answer {
    input: Vec<f32>,
    outputs: Result<Vec<ArrayD<f32>>, InferenceError>,
    queue: Duration,
    device: Duration,
}

impl Batcher {
    /// Makes `n_devices` devices at the same time and starts a thread for each; a run takes up to `max_batch` inputs.
    ///
    /// # Errors
    /// The first device's error, [`InferenceError::Thread`] when a thread cannot be started.
    pub(super) fn new(
        models: &[ModelEntry],
        n_devices: usize,
        max_batch: usize,
        factory: &Factory<'_, dyn BatchDevice>,
    ) -> Result<Self, InferenceError> {
        let devices = load(n_devices, factory)?;
        let queued = |entry: &ModelEntry| QueuedModel {
            id: entry.id.clone(),
            n_values: entry.input.shape.iter().product(),
            spare: Mutex::default(),
        };
        let calls = models.iter().map(|_| VecDeque::new()).collect();
        let queue = Arc::new(Queue {
            models: models.iter().map(queued).collect(),
            max_batch,
            waiting: Mutex::new(Waiting { calls, is_closed: false }),
            came: Condvar::new(),
        });
        let mut batcher = Self { queue, threads: Vec::with_capacity(n_devices), max_batch };
        for (idx, mut device) in devices.into_iter().enumerate() {
            let name = format!("batches-{idx}");
            let queue = Arc::clone(&batcher.queue);
            let serve = move || {
                while let Some((model_idx, batch)) = queue.next_batch() {
                    queue.run(device.as_mut(), model_idx, batch);
                }
            };
            let failed =
                |error: std::io::Error| InferenceError::Thread { name: name.clone(), problem: error.to_string() };
            batcher.threads.push(thread::Builder::new().name(name.clone()).spawn(serve).map_err(failed)?);
        }
        Ok(batcher)
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        lock(&self.queue.waiting).is_closed = true;
        self.queue.came.notify_all();
        for thread in self.threads.drain(..) {
            // A device's panic is told to its callers; there is nobody else to tell.
            let _ = thread.join();
        }
    }
}

impl Runner for Batcher {
    fn run(&self, model_idx: usize, call: &mut dyn ModelCall) -> Result<RunTiming, InferenceError> {
        let mut clock = Stopwatch::start();
        let model = self.queue.model(model_idx)?;
        let mut input = model.memory();
        let is_prepared = call.prepare(&mut input);
        let mut timing = RunTiming { preprocess: clock.lap(), ..RunTiming::default() };
        if !is_prepared {
            model.give_back(input);
            return Ok(timing);
        }
        // A device that is gone drops what waits for it.
        let answer = self.queue.push(model_idx, input).recv().map_err(|_| InferenceError::NoDevice)?;
        model.give_back(answer.input);
        (timing.queue, timing.device) = (answer.queue, answer.device);
        let outputs = answer.outputs?;
        clock.lap();
        call.interpret(&outputs.iter().map(|output| output.view()).collect::<Vec<_>>());
        timing.postprocess = clock.lap();
        Ok(timing)
    }

    /// A full batch on every device.
    fn n_places(&self) -> usize {
        self.threads.len() * self.max_batch
    }
}

impl Queue {
    fn model(&self, idx: usize) -> Result<&QueuedModel, InferenceError> {
        self.models.get(idx).ok_or_else(|| InferenceError::UnknownModel { model: format!("#{idx}") })
    }

    fn push(&self, model_idx: usize, input: Vec<f32>) -> Receiver<Answer> {
        let (answer, answered) = sync_channel(1);
        let mut waiting = lock(&self.waiting);
        if let (false, Some(calls)) = (waiting.is_closed, waiting.calls.get_mut(model_idx)) {
            calls.push_back(Waiter { input, since: Instant::now(), answer });
        }
        drop(waiting);
        self.came.notify_one();
        answered
    }

    /// Waits for inputs; `None` when no more will come.
    fn next_batch(&self) -> Option<(usize, Vec<Waiter>)> {
        let is_idle = |waiting: &mut Waiting| !waiting.is_closed && waiting.calls.iter().all(VecDeque::is_empty);
        let mut waiting = self.came.wait_while(lock(&self.waiting), is_idle).unwrap_or_else(PoisonError::into_inner);
        if waiting.is_closed {
            waiting.calls.iter_mut().for_each(VecDeque::clear);
            return None;
        }
        let oldest = |(idx, calls): (usize, &VecDeque<Waiter>)| calls.front().map(|waiter| (waiter.since, idx));
        let (_, model_idx) = waiting.calls.iter().enumerate().filter_map(oldest).min()?;
        let calls = waiting.calls.get_mut(model_idx)?;
        let n_calls = calls.len().min(self.max_batch);
        Some((model_idx, calls.drain(..n_calls).collect()))
    }

    /// Runs a batch and answers all of its callers. When it fails, each input runs alone, so that one that makes the device fail
    /// spoils no other.
    fn run(&self, device: &mut dyn BatchDevice, model_idx: usize, batch: Vec<Waiter>) {
        let began = Instant::now();
        let outputs = self.try_run(device, model_idx, &batch);
        if outputs.is_err() && batch.len() > 1 {
            for waiter in batch {
                self.run(device, model_idx, vec![waiter]);
            }
            return;
        }
        let took = began.elapsed();
        let answers: Vec<_> = match outputs {
            Ok(outputs) => outputs.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        for (Waiter { input, since, answer }, outputs) in batch.into_iter().zip(answers) {
            let queue = began.duration_since(since);
            // A caller that is gone needs no answer.
            let _ = answer.send(Answer { input, outputs, queue, device: took });
        }
    }

    fn try_run(
        &self,
        device: &mut dyn BatchDevice,
        model_idx: usize,
        batch: &[Waiter],
    ) -> Result<Vec<Vec<ArrayD<f32>>>, InferenceError> {
        let model = &self.model(model_idx)?.id;
        let inputs: Vec<&[f32]> = batch.iter().map(|waiter| waiter.input.as_slice()).collect();
        let mut outputs = Vec::with_capacity(batch.len());
        let mut keep = |row: &[ArrayViewD<'_, f32>]| outputs.push(row.iter().map(ArrayViewD::to_owned).collect());
        // A panic leaves the device's memory half written at worst, and the next run writes what it reads.
        let ran = catch_unwind(AssertUnwindSafe(|| device.run(model_idx, &inputs, &mut keep)));
        ran.unwrap_or_else(|panic| {
            let message = panic_message(panic.as_ref());
            Err(InferenceError::Panicked { model: model.clone(), message })
        })?;
        if outputs.len() == batch.len() { Ok(outputs) } else { Err(InferenceError::NoOutputs { model: model.clone() }) }
    }
}

impl QueuedModel {
    /// Memory for one input, of arbitrary content.
    fn memory(&self) -> Vec<f32> {
        lock(&self.spare).pop().unwrap_or_else(|| vec![0.0; self.n_values])
    }

    fn give_back(&self, memory: Vec<f32>) {
        lock(&self.spare).push(memory);
    }
}

/// Nothing that can panic runs under these locks, so a poisoned one holds a sound state.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
