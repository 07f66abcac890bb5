//! An executor without models, for tests of what stands on top of it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use ndarray::ArrayD;

use super::worker::DeviceFactory;
use super::{Executor, Provider};
use crate::inference::device::Device;
use crate::inference::{InferenceError, Manifest};

/// Threads of a silent executor.
const N_WORKERS: usize = 2;

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
    outputs: Arc<Vec<Vec<Vec<usize>>>>,
    gate: Arc<Gate>,
}

impl Device for Silent {
    fn run(&mut self, model_idx: usize, _input: ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        self.gate.pass();
        Ok(self.outputs[model_idx].iter().map(|shape| ArrayD::zeros(shape.clone())).collect())
    }
}

/// An executor whose models give zeros, once the gate lets them.
pub(crate) fn silent_executor(manifest: &Manifest, gate: &Arc<Gate>) -> Executor {
    let shapes =
        |entry: &crate::inference::ModelEntry| entry.outputs.iter().map(|output| output.shape.clone()).collect();
    let outputs: Arc<Vec<Vec<Vec<usize>>>> = Arc::new(manifest.models.iter().map(shapes).collect());
    let gate = Arc::clone(gate);
    let factory: Arc<DeviceFactory> =
        Arc::new(move || Ok(Box::new(Silent { outputs: Arc::clone(&outputs), gate: Arc::clone(&gate) }) as Box<_>));
    Executor::with_devices(&manifest.models, Provider::Cpu, N_WORKERS, 1_024, &factory).expect("nothing to load")
}
