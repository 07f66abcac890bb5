//! Who runs which model when: named threads that own ONNX Runtime sessions, behind one bounded queue.

use std::path::PathBuf;
use std::time::Duration;

use ndarray::ArrayD;
use serde::Deserialize;

use super::error::InferenceError;

/// Where models run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderChoice {
    /// CUDA when it works, else the CPU, and says which.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// CUDA, or no start.
    Cuda,
}

/// Where model files and the runtime library are, and how much they may use.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InferenceOptions {
    /// The ONNX Runtime library; empty = the one that `scripts/setup` put into `models_dir`.
    pub runtime_library: PathBuf,
    /// The folder of fetched and converted models.
    pub models_dir: PathBuf,
    /// Where models run.
    pub provider: ProviderChoice,
    /// Worker threads on the CPU; 0 = one a core.
    pub threads: usize,
    /// Runs that may wait before new ones are refused.
    pub max_pending: usize,
}

impl Default for InferenceOptions {
    fn default() -> Self {
        Self {
            runtime_library: PathBuf::new(),
            models_dir: PathBuf::new(),
            provider: ProviderChoice::Auto,
            threads: 0,
            max_pending: 1_024,
        }
    }
}

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
pub struct Executor {}

impl Executor {
    /// Runs one model on one input; dropping the future before it starts drops the work.
    ///
    /// # Errors
    /// [`InferenceError::Overloaded`], [`InferenceError::UnknownModel`], [`InferenceError::Run`], [`InferenceError::Stopped`].
    pub async fn run(&self, model: &str, input: ArrayD<f32>) -> Result<Outputs, InferenceError> {
        todo!()
    }
}
