//! Devices that callers borrow: a run happens on the thread that wants it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::load::{Factory, load};
use super::runner::{ModelCall, RunTiming, Runner, Stopwatch};
use crate::inference::device::Device;
use crate::inference::error::InferenceError;

/// Devices of one kind, each lent to one caller at a time.
///
/// Nothing is handed from thread to thread, so a tensor is still in the cache of the core that wrote it; the device that came
/// back last is lent first, because its weights are.
pub(super) struct DevicePool {
    n_devices: usize,
    idle: Mutex<Vec<Box<dyn Device>>>,
    came_back: Condvar,
}

/// A device on loan; it goes back when this is dropped.
struct Loan<'a> {
    pool: &'a DevicePool,
    device: Option<Box<dyn Device>>,
}

impl DevicePool {
    /// Makes `n_devices` devices at the same time, each on a thread of its own.
    ///
    /// # Errors
    /// The first device's error, [`InferenceError::Thread`] when a thread cannot be started or panicked.
    pub(super) fn new(n_devices: usize, factory: &Factory<'_, dyn Device>) -> Result<Self, InferenceError> {
        Ok(Self { n_devices, idle: Mutex::new(load(n_devices, factory)?), came_back: Condvar::new() })
    }

    /// Waits for a device; for as long as all others are lent.
    fn borrow(&self) -> Loan<'_> {
        let mut idle =
            self.came_back.wait_while(self.lock(), |idle| idle.is_empty()).unwrap_or_else(PoisonError::into_inner);
        Loan { pool: self, device: idle.pop() }
    }

    /// Nothing that can panic runs under the lock, so a poisoned one holds a sound state.
    fn lock(&self) -> MutexGuard<'_, Vec<Box<dyn Device>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runner for DevicePool {
    fn run(&self, model_idx: usize, call: &mut dyn ModelCall) -> Result<RunTiming, InferenceError> {
        let mut clock = Stopwatch::start();
        let mut loan = self.borrow();
        let device = loan.device()?;
        let queue = clock.lap();
        if !call.prepare(device.input(model_idx)?) {
            return Ok(RunTiming { queue, preprocess: clock.lap(), ..RunTiming::default() });
        }
        let preprocess = clock.lap();
        let mut timing = RunTiming { queue, preprocess, ..RunTiming::default() };
        device.run(model_idx, &mut |outputs| {
            timing.device = clock.lap();
            call.interpret(outputs);
            timing.postprocess = clock.lap();
        })?;
        Ok(timing)
    }

    fn n_places(&self) -> usize {
        self.n_devices
    }
}

impl Loan<'_> {
    fn device(&mut self) -> Result<&mut dyn Device, InferenceError> {
        match &mut self.device {
            Some(device) => Ok(device.as_mut()),
            // `borrow` waited until there was one.
            None => Err(InferenceError::NoDevice),
        }
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some(device) = self.device.take() {
            self.pool.lock().push(device);
            self.pool.came_back.notify_one();
        }
    }
}
