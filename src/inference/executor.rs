//! Who runs which model when.
//!
//! On a processor every core has one single-threaded ONNX Runtime session a model, because a second thread inside a session
//! gains less than a second frame beside it, and batching gains nothing; the thread that wants a run borrows one. There is no
//! timer and no other thread in between. On a graphics card inputs are gathered while it is busy, and run together.

mod batcher;
mod load;
mod pool;
mod runner;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD};

use self::batcher::Batcher;
use self::pool::DevicePool;
pub use self::runner::RunTiming;
use self::runner::{ModelCall, Runner};
use super::device::{BatchDevice, Device, OrtBatchDevice, OrtDevice, VerifiedModel};
use super::error::InferenceError;
use super::manifest::{Manifest, ModelEntry};
use super::options::{InferenceOptions, ProviderChoice};
use super::runtime::{self, Provider};
use crate::error::panic_message;
use crate::telemetry::metrics::{self, ModelMetrics};

/// Runs models by id. Cheap to clone; the devices go with the last clone.
#[derive(Clone, Debug)]
pub struct Executor {
    shared: Arc<Shared>,
}

struct Shared {
    models: HashMap<String, LoadedModel>,
    provider: Provider,
    runner: Box<dyn Runner>,
}

#[derive(Debug)]
struct LoadedModel {
    idx: usize,
    version: String,
    input_shape: Vec<usize>,
    metrics: ModelMetrics,
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
        let (n_devices, max_batch) = (options.n_devices(provider), options.max_batch(provider));
        let runner: Box<dyn Runner> = if max_batch > 1 {
            let factory = || {
                let device = OrtBatchDevice::open(&environment, &models, provider, max_batch)?;
                Ok(Box::new(device) as Box<dyn BatchDevice>)
            };
            Box::new(Batcher::new(&manifest.models, n_devices, max_batch, &factory)?)
        } else {
            let factory = || Ok(Box::new(OrtDevice::open(&environment, &models, provider)?) as Box<dyn Device>);
            Box::new(DevicePool::new(n_devices, &factory)?)
        };
        let executor = Self::with_runner(&manifest.models, provider, runner);
        metrics::provider_in_use(match provider {
            Provider::Cpu => metrics::Provider::Cpu,
            Provider::Cuda => metrics::Provider::Cuda,
        });
        tracing::info!(
            inference.provider = provider.name(),
            inference.threads = n_devices,
            inference.max_batch = max_batch,
            inference.models = manifest.models.len(),
            "models are ready"
        );
        Ok(executor)
    }

    fn with_runner(models: &[ModelEntry], provider: Provider, runner: Box<dyn Runner>) -> Self {
        let loaded = |(idx, entry): (usize, &ModelEntry)| {
            let metrics = ModelMetrics::new(&entry.id);
            let model = LoadedModel { idx, version: entry.version(), input_shape: entry.input.shape.clone(), metrics };
            (entry.id.clone(), model)
        };
        let models = models.iter().enumerate().map(loaded).collect();
        Self { shared: Arc::new(Shared { models, provider, runner }) }
    }

    /// Runs one model, on this thread or waiting for another: `prepare` writes its input into the memory from which the model
    /// reads it (row-major, of the manifest's shape, with arbitrary content before), `interpret` sees the outputs in the
    /// manifest's order, where the model left them. Blocks while it waits and while the model runs: not for threads that drive
    /// async tasks.
    ///
    /// # Errors
    /// Those of `prepare`, which keep the model from running, and of `interpret`; [`InferenceError::UnknownModel`],
    /// [`InferenceError::Run`], [`InferenceError::Panicked`].
    pub fn run<P, T, E: From<InferenceError>>(
        &self,
        model: &str,
        prepare: impl FnOnce(&mut [f32]) -> Result<P, E>,
        interpret: impl FnOnce(P, &[ArrayViewD<'_, f32>]) -> Result<T, E>,
    ) -> Result<(T, RunTiming), E> {
        let loaded = self.shared.model(model)?;
        let mut call = Call::Waiting { prepare, interpret };
        // A panic leaves a tensor half written at worst, and the next run writes all of it.
        let ran = catch_unwind(AssertUnwindSafe(|| self.shared.runner.run(loaded.idx, &mut call)));
        let failed = |error: InferenceError| {
            loaded.metrics.failed();
            E::from(error)
        };
        let timing = match ran {
            Ok(timing) => timing.map_err(failed)?,
            Err(panic) => {
                let message = panic_message(panic.as_ref());
                return Err(failed(InferenceError::Panicked { model: model.to_owned(), message }));
            }
        };
        match call {
            Call::Done(outcome) => {
                loaded.metrics.ran([timing.queue, timing.preprocess, timing.device, timing.postprocess]);
                Ok((outcome?, timing))
            }
            Call::Refused(error) => Err(error),
            Call::Waiting { .. } | Call::Prepared { .. } | Call::Taken => {
                Err(failed(InferenceError::NoOutputs { model: model.to_owned() }))
            }
        }
    }

    /// Runs one model on a ready tensor and copies what it gives, in the manifest's order.
    ///
    /// # Errors
    /// [`InferenceError::InputShape`], and those of [`Executor::run`].
    pub fn run_tensor(&self, model: &str, input: &ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        let expected = &self.shared.model(model)?.input_shape;
        if input.shape() != expected {
            let (expected, found) = (expected.clone(), input.shape().to_vec());
            return Err(InferenceError::InputShape { model: model.to_owned(), expected, found });
        }
        let write = |target: &mut [f32]| {
            target.iter_mut().zip(input).for_each(|(target, value)| *target = *value);
            Ok::<_, InferenceError>(())
        };
        let read = |(), outputs: &[ArrayViewD<'_, f32>]| Ok(outputs.iter().map(ArrayViewD::to_owned).collect());
        Ok(self.run(model, write, read)?.0)
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

    /// How many callers at one time keep the devices busy; more of them wait.
    pub fn n_places(&self) -> usize {
        self.shared.runner.n_places()
    }
}

impl Shared {
    fn model(&self, id: &str) -> Result<&LoadedModel, InferenceError> {
        self.models.get(id).ok_or_else(|| InferenceError::UnknownModel { model: id.to_owned() })
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("models", &self.models).field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// A run on its way: what is left to do, then what came of it.
enum Call<P, I, O, T, E> {
    Waiting { prepare: P, interpret: I },
    Prepared { prepared: O, interpret: I },
    Refused(E),
    Done(Result<T, E>),
    Taken,
}

impl<P, I, O, T, E> ModelCall for Call<P, I, O, T, E>
where
    P: FnOnce(&mut [f32]) -> Result<O, E>,
    I: FnOnce(O, &[ArrayViewD<'_, f32>]) -> Result<T, E>,
{
    fn prepare(&mut self, input: &mut [f32]) -> bool {
        let Self::Waiting { prepare, interpret } = std::mem::replace(self, Self::Taken) else { return false };
        match prepare(input) {
            Ok(prepared) => *self = Self::Prepared { prepared, interpret },
            Err(error) => *self = Self::Refused(error),
        }
        matches!(self, Self::Prepared { .. })
    }

    fn interpret(&mut self, outputs: &[ArrayViewD<'_, f32>]) {
        if let Self::Prepared { prepared, interpret } = std::mem::replace(self, Self::Taken) {
            *self = Self::Done(interpret(prepared, outputs));
        }
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
