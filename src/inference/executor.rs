//! Who runs which model when: named threads that own ONNX Runtime sessions, behind one bounded queue.

use std::time::Duration;

use ndarray::ArrayD;

use super::error::InferenceError;

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
