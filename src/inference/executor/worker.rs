//! Worker threads: each owns its device, takes jobs off the queue and answers them.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use ndarray::ArrayD;
use tokio::sync::oneshot;
use tracing::Span;

use super::queue::WorkQueue;
use super::{InferenceTiming, Outputs};
use crate::inference::device::Device;
use crate::inference::error::InferenceError;
use crate::telemetry::metrics::ModelMetrics;

/// One run that somebody waits for.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) model_idx: usize,
    pub(super) model: String,
    pub(super) metrics: ModelMetrics,
    pub(super) input: ArrayD<f32>,
    pub(super) queued_at: Instant,
    pub(super) span: Span,
    pub(super) reply: oneshot::Sender<Result<Outputs, InferenceError>>,
}

/// Makes the device of one worker, on that worker's thread.
pub(super) type DeviceFactory = dyn Fn() -> Result<Box<dyn Device>, InferenceError> + Send + Sync;

/// Starts the workers and waits until every one of them has its device.
///
/// # Errors
/// The first worker's error; the others are stopped and joined then.
pub(super) fn start(
    n_workers: usize,
    queue: &Arc<WorkQueue<Job>>,
    factory: &Arc<DeviceFactory>,
) -> Result<Vec<JoinHandle<()>>, InferenceError> {
    let mut threads = Vec::with_capacity(n_workers);
    let (report, reports) = mpsc::sync_channel(n_workers);
    let mut result = Ok(());
    for idx in 0..n_workers {
        let name = format!("inference-{idx}");
        let (queue, factory, report) = (Arc::clone(queue), Arc::clone(factory), report.clone());
        let work = move || {
            let made = factory();
            drop(factory);
            match made {
                Ok(mut device) => {
                    // The receiver is gone when another worker failed; the closed queue then ends this one too.
                    let _ = report.send(Ok(()));
                    drop(report);
                    serve(&queue, device.as_mut());
                }
                Err(error) => drop(report.send(Err(error))),
            }
        };
        match thread::Builder::new().name(name.clone()).spawn(work) {
            Ok(thread) => threads.push(thread),
            Err(error) => result = Err(InferenceError::Thread { name, problem: error.to_string() }),
        }
    }
    drop(report);
    for _ in 0..threads.len() {
        let reported = reports.recv().unwrap_or_else(|_| {
            let problem = "it panicked while it loaded its models".to_owned();
            Err(InferenceError::Thread { name: "inference".to_owned(), problem })
        });
        result = result.and(reported);
    }
    if let Err(error) = result {
        stop(queue, threads);
        return Err(error);
    }
    Ok(threads)
}

/// Ends the workers after the run that each is in.
pub(super) fn stop(queue: &WorkQueue<Job>, threads: Vec<JoinHandle<()>>) {
    queue.close();
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("an inference thread ended by a panic");
        }
    }
}

fn serve(queue: &WorkQueue<Job>, device: &mut dyn Device) {
    while let Some(job) = queue.pop() {
        if job.reply.is_closed() {
            tracing::trace!(model.id = job.model, "skipped a model run: its caller has gone");
            continue;
        }
        let _entered = job.span.enter();
        let queue_time = job.queued_at.elapsed();
        let started = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(|| device.run(job.model_idx, job.input)));
        let timing = InferenceTiming { queue: queue_time, device: started.elapsed() };
        let result = match ran {
            Ok(Ok(tensors)) => {
                job.metrics.ran(timing.queue, timing.device);
                Ok(Outputs { tensors, timing })
            }
            Ok(Err(error)) => Err(error),
            Err(panic) => Err(InferenceError::Panicked { model: job.model, message: message_of(panic.as_ref()) }),
        };
        if result.is_err() {
            job.metrics.failed();
        }
        // A caller that left during the run does not need the result.
        let _ = job.reply.send(result);
    }
}

fn message_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}
