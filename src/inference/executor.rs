//! Who runs which model when: named threads that own ONNX Runtime sessions, behind one bounded queue.
//!
//! On a CPU every thread has one single-threaded session a model, because a second thread inside a session gains less than a
//! second frame beside it, and batching gains nothing. There is no timer: whatever waits is taken as soon as a thread is free.

mod queue;
#[cfg(test)]
pub(crate) mod testing;
mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ndarray::ArrayD;
use tokio::sync::oneshot;
use tracing::Span;

use self::queue::{Refusal, WorkQueue};
use self::worker::{DeviceFactory, Job};
use super::device::{OrtDevice, VerifiedModel};
use super::error::InferenceError;
use super::manifest::{Manifest, ModelEntry};
use super::options::{InferenceOptions, ProviderChoice};
use super::runtime::{self, Provider};
use crate::telemetry::metrics::{self, ModelMetrics};

/// How long one run took, and waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InferenceTiming {
    /// From being handed over to being started.
    pub queue: Duration,
    /// On the device.
    pub device: Duration,
}

/// What a model gave back, in the order of its manifest entry.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// One tensor an output.
    pub tensors: Vec<ArrayD<f32>>,
    /// How long it took.
    pub timing: InferenceTiming,
}

/// Runs models by id. Cheap to clone; the threads end with the last clone.
#[derive(Clone, Debug)]
pub struct Executor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    models: HashMap<String, LoadedModel>,
    provider: Provider,
    queue: Arc<WorkQueue<Job>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct LoadedModel {
    idx: usize,
    version: String,
    input_shape: Vec<usize>,
    metrics: ModelMetrics,
}

/// What to do when the queue is full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    Refuse,
    Wait,
}

impl Executor {
    /// Loads ONNX Runtime and every model of the manifest, runs each once on every thread, and says on which device.
    ///
    /// # Errors
    /// [`InferenceError::Options`]; [`InferenceError::Missing`] or [`InferenceError::Mismatch`] for a file that is absent or not
    /// the manifest's, by digest, inputs, outputs or shapes; [`InferenceError::Runtime`] or [`InferenceError::Load`] when it
    /// cannot be loaded; [`InferenceError::NoCuda`] when CUDA was asked for and does not work.
    pub fn start(manifest: &Manifest, options: &InferenceOptions) -> Result<Self, InferenceError> {
        options.check()?;
        let models: Vec<_> =
            manifest.models.iter().map(|entry| VerifiedModel::read(entry, options)).collect::<Result<_, _>>()?;
        let environment = runtime::load(manifest, options)?;
        let provider = match options.provider {
            ProviderChoice::Cpu => Provider::Cpu,
            ProviderChoice::Cuda | ProviderChoice::Auto => {
                let obstacle = runtime::cuda_obstacle().or_else(|| {
                    let tried = models.first().map(|model| model.open(&environment, Provider::Cuda));
                    tried.and_then(Result::err).map(|error| describe(&error))
                });
                match obstacle {
                    None => Provider::Cuda,
                    Some(problem) if options.provider == ProviderChoice::Cuda => {
                        return Err(InferenceError::NoCuda { problem });
                    }
                    Some(problem) => {
                        tracing::info!(inference.provider = "cpu", cause = problem, "models run on the CPU: no CUDA");
                        Provider::Cpu
                    }
                }
            }
        };
        let n_workers = match (provider, options.threads) {
            (Provider::Cuda, 0) => 1,
            (Provider::Cpu | Provider::Cuda, _) => options.cpu_threads(),
        };
        let factory: Arc<DeviceFactory> = Arc::new(move || {
            let device = OrtDevice::open(&environment, &models, provider)?;
            Ok(Box::new(device) as Box<_>)
        });
        let executor = Self::with_devices(&manifest.models, provider, n_workers, options.max_pending, &factory)?;
        metrics::provider_in_use(match provider {
            Provider::Cpu => metrics::Provider::Cpu,
            Provider::Cuda => metrics::Provider::Cuda,
        });
        tracing::info!(
            inference.provider = provider.name(),
            inference.threads = n_workers,
            inference.models = manifest.models.len(),
            "models are ready"
        );
        Ok(executor)
    }

    fn with_devices(
        models: &[ModelEntry],
        provider: Provider,
        n_workers: usize,
        max_pending: usize,
        factory: &Arc<DeviceFactory>,
    ) -> Result<Self, InferenceError> {
        let loaded = |(idx, entry): (usize, &ModelEntry)| {
            let metrics = ModelMetrics::new(&entry.id);
            let model = LoadedModel { idx, version: entry.version(), input_shape: entry.input.shape.clone(), metrics };
            (entry.id.clone(), model)
        };
        let models = models.iter().enumerate().map(loaded).collect();
        let queue = Arc::new(WorkQueue::new(max_pending));
        let threads = Mutex::new(worker::start(n_workers, &queue, factory)?);
        Ok(Self { shared: Arc::new(Shared { models, provider, queue, threads }) })
    }

    /// Runs one model on one input; dropping the future before it starts drops the work.
    ///
    /// # Errors
    /// [`InferenceError::Overloaded`], [`InferenceError::UnknownModel`], [`InferenceError::InputShape`],
    /// [`InferenceError::Run`], [`InferenceError::Panicked`], [`InferenceError::Stopped`].
    pub async fn run(&self, model: &str, input: ArrayD<f32>) -> Result<Outputs, InferenceError> {
        let reply = self.submit(model, input, Patience::Refuse)?;
        reply.await.unwrap_or(Err(InferenceError::Stopped))
    }

    /// Runs one model on one input and waits, also for room in the queue; for recordings and evaluation.
    ///
    /// # Errors
    /// Those of [`Executor::run`] but [`InferenceError::Overloaded`].
    ///
    /// # Panics
    /// When called on a thread that drives async tasks; use a thread of its own or `spawn_blocking`.
    pub fn run_blocking(&self, model: &str, input: ArrayD<f32>) -> Result<Outputs, InferenceError> {
        let reply = self.submit(model, input, Patience::Wait)?;
        reply.blocking_recv().unwrap_or(Err(InferenceError::Stopped))
    }

    /// The device in use: `cpu` or `cuda`.
    pub fn provider(&self) -> &'static str {
        self.shared.provider.name()
    }

    /// What a result states as its model: `models/{id}@{sha256}`.
    ///
    /// # Errors
    /// [`InferenceError::UnknownModel`].
    pub fn model_version(&self, model: &str) -> Result<&str, InferenceError> {
        Ok(&self.shared.model(model)?.version)
    }

    /// How many runs wait; never more than `max_pending`.
    pub fn n_pending(&self) -> usize {
        self.shared.queue.len()
    }

    fn submit(
        &self,
        model: &str,
        input: ArrayD<f32>,
        patience: Patience,
    ) -> Result<oneshot::Receiver<Result<Outputs, InferenceError>>, InferenceError> {
        let loaded = self.shared.model(model)?;
        if input.shape() != loaded.input_shape {
            let (expected, found) = (loaded.input_shape.clone(), input.shape().to_vec());
            return Err(InferenceError::InputShape { model: model.to_owned(), expected, found });
        }
        let (reply, receiver) = oneshot::channel();
        let job = Job {
            model_idx: loaded.idx,
            model: model.to_owned(),
            metrics: loaded.metrics.clone(),
            input,
            queued_at: Instant::now(),
            span: Span::current(),
            reply,
        };
        let pushed = match patience {
            Patience::Refuse => self.shared.queue.push(job),
            Patience::Wait => self.shared.queue.push_wait(job),
        };
        match pushed {
            Ok(()) => Ok(receiver),
            Err(Refusal::Full(pending)) => Err(InferenceError::Overloaded { pending: pending as u64 }),
            Err(Refusal::Closed) => Err(InferenceError::Stopped),
        }
    }
}

impl Shared {
    fn model(&self, id: &str) -> Result<&LoadedModel, InferenceError> {
        self.models.get(id).ok_or_else(|| InferenceError::UnknownModel { model: id.to_owned() })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let threads = self.threads.get_mut().unwrap_or_else(PoisonError::into_inner);
        worker::stop(&self.queue, std::mem::take(threads));
    }
}

/// An error with its causes, in one line.
fn describe(error: &InferenceError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests;
