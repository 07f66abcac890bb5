//! What can go wrong with models.

use crate::error::{ErrorKind, Kinded};

/// A model that could not be obtained, loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// The work queue of the device is full.
    #[error("{pending} model runs wait already")]
    Overloaded {
        /// How many wait.
        pending: u64,
    },
    /// The executor was shut down.
    #[error("models are shut down")]
    Stopped,
    /// No model of that id in the manifest, or not loaded.
    #[error("model {model:?} is not loaded")]
    UnknownModel {
        /// Its id.
        model: String,
    },
    /// A run failed.
    #[error("model {model:?} failed")]
    Run {
        /// Its id.
        model: String,
        /// The cause.
        #[source]
        source: ort::Error,
    },
}

impl Kinded for InferenceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Overloaded { .. } => ErrorKind::Overloaded,
            Self::Stopped => ErrorKind::Unavailable,
            Self::UnknownModel { .. } | Self::Run { .. } => ErrorKind::Internal,
        }
    }
}
