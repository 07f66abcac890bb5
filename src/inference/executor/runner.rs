//! What gets runs done: the one place where processor and graphics card differ.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use ndarray::ArrayViewD;

use crate::inference::error::InferenceError;

/// How long one run took, step by step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTiming {
    /// Waiting for a device.
    pub queue: Duration,
    /// Writing the model's input.
    pub preprocess: Duration,
    /// On the device.
    pub device: Duration,
    /// Reading the model's outputs.
    pub postprocess: Duration,
}

impl AddAssign for RunTiming {
    fn add_assign(&mut self, other: Self) {
        self.queue += other.queue;
        self.preprocess += other.preprocess;
        self.device += other.device;
        self.postprocess += other.postprocess;
    }
}

/// What a caller does before and after its model runs.
pub(super) trait ModelCall {
    /// Writes the model's input; `false` when there is nothing to run on.
    fn prepare(&mut self, input: &mut [f32]) -> bool;
    /// Reads the outputs, in the order of the manifest.
    fn interpret(&mut self, outputs: &[ArrayViewD<'_, f32>]);
}

/// Runs models for callers that wait.
pub(super) trait Runner: Send + Sync {
    /// Prepares, runs and interprets, once each unless an error or [`ModelCall::prepare`] ends it earlier; waits for its turn.
    fn run(&self, model_idx: usize, call: &mut dyn ModelCall) -> Result<RunTiming, InferenceError>;

    /// How many callers at one time keep it busy.
    fn n_places(&self) -> usize;
}

/// Time in laps.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start or the last lap.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}
