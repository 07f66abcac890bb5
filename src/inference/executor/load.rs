//! Devices are made at the same time: loading and warming up takes longer than all else of a start.

use std::io;
use std::thread::{self, ScopedJoinHandle};

use crate::inference::error::InferenceError;

/// Makes one device.
pub(super) type Factory<'a, D> = dyn Fn() -> Result<Box<D>, InferenceError> + Sync + 'a;

/// Makes `n_devices` devices, each on a thread of its own.
///
/// # Errors
/// The first device's error, [`InferenceError::Thread`] when a thread cannot be started or panicked.
pub(super) fn load<D: Send + ?Sized>(
    n_devices: usize,
    factory: &Factory<'_, D>,
) -> Result<Vec<Box<D>>, InferenceError> {
    let failed = |idx: usize, problem: String| InferenceError::Thread { name: format!("load-{idx}"), problem };
    let problem = || "it panicked while it loaded its models".to_owned();
    thread::scope(|scope| {
        let start = |idx| thread::Builder::new().name(format!("load-{idx}")).spawn_scoped(scope, factory);
        let started: Vec<_> = (0..n_devices).map(start).collect();
        let join = |(idx, started): (usize, io::Result<ScopedJoinHandle<'_, _>>)| match started {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(failed(idx, problem()))),
            Err(error) => Err(failed(idx, error.to_string())),
        };
        let made: Vec<_> = started.into_iter().enumerate().map(join).collect();
        made.into_iter().collect()
    })
}
