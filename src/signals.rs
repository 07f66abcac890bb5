//! Faces over time to measurements: one file a signal, one trait, each with its own quality gate.
//!
//! In: [`FrameObservation`]s in the order of media time. Out: [`Measurement`]s with their usable share and reasons.
//! Deliberately not here: pixels, models, likelihoods (see `scoring`), any clock.

mod blocks;
mod copy;
mod deepfake;
mod gate;
mod identity;
mod logit;
mod measurement;
mod motion;
mod observation;
mod presence;
mod presentation;
mod quantile;
mod signal;
mod stream;
#[cfg(test)]
pub(crate) mod testing;
mod window;

pub use self::blocks::BLOCK_SECS;
pub use self::deepfake::Deepfake;
pub use self::gate::{MIN_FACE_PX, quality_problem};
pub use self::identity::{Change, Identity};
pub use self::measurement::{Measurement, Reason, SignalName};
pub use self::motion::Motion;
pub use self::observation::{FaceObservation, FaceSearch, FrameObservation};
pub use self::presence::{Ledger, Presence};
pub use self::presentation::Presentation;
pub use self::quantile::quantile;
pub use self::signal::Signal;
pub use self::stream::Stream;
pub use self::window::Window;
