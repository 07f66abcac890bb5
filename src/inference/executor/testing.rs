//! An executor without models, for tests of what stands on top of it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use ndarray::ArrayD;

use super::pool::DevicePool;
use super::{Executor, Provider};
use crate::inference::device::{Device, ReadOutputs};
use crate::inference::{InferenceError, Manifest, ModelEntry};

/// Devices of a silent executor.
const N_DEVICES: usize = 2;

/// Holds every run back while it is closed.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    is_closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    /// Lets runs pass, or not.
    pub(crate) fn set_closed(&self, is_closed: bool) {
        *self.is_closed.lock().unwrap_or_else(PoisonError::into_inner) = is_closed;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let is_closed = self.is_closed.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_while(is_closed, |is_closed| *is_closed).unwrap_or_else(PoisonError::into_inner));
    }
}

/// Gives zeros of the declared shapes.
struct Silent {
    /// Of each model: its input and its outputs.
    models: Vec<(ArrayD<f32>, Vec<ArrayD<f32>>)>,
    gate: Arc<Gate>,
}

impl Device for Silent {
    fn input(&mut self, model_idx: usize) -> Result<&mut [f32], InferenceError> {
        Ok(self.models[model_idx].0.as_slice_mut().unwrap_or_default())
    }

    fn run(&mut self, model_idx: usize, read: &mut ReadOutputs<'_>) -> Result<(), InferenceError> {
        self.gate.pass();
        let outputs: Vec<_> = self.models[model_idx].1.iter().map(|output| output.view()).collect();
        read(&outputs);
        Ok(())
    }
}

/// An executor whose models give zeros, once the gate lets them.
pub(crate) fn silent_executor(manifest: &Manifest, gate: &Arc<Gate>) -> Executor {
    let zeros = |shape: &Vec<usize>| ArrayD::zeros(shape.clone());
    let factory = || {
        let model = |entry: &ModelEntry| {
            (zeros(&entry.input.shape), entry.outputs.iter().map(|output| zeros(&output.shape)).collect())
        };
        let silent = Silent { models: manifest.models.iter().map(model).collect(), gate: Arc::clone(gate) };
        Ok(Box::new(silent) as Box<_>)
    };
    let pool = DevicePool::new(N_DEVICES, &factory).expect("nothing to load");
    Executor::with_runner(&manifest.models, Provider::Cpu, Box::new(pool))
}
