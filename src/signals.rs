//! Faces over time to measurements: one file a signal, one trait, each with its own quality gate.
//!
//! In: [`FrameObservation`]s in the order of media time. Out: [`Measurement`]s with their usable share and reasons.
//! Deliberately not here: pixels, models, likelihoods (see `scoring`), any clock.

mod measurement;
mod observation;

pub use self::measurement::{Measurement, Reason, SignalName};
pub use self::observation::{FaceObservation, FaceSearch, FrameObservation};
