//! What can go wrong between frames and faces.

use crate::error::{ErrorKind, Kinded};

/// A picture or model output that could not be turned into faces.
#[derive(Debug, thiserror::Error)]
pub enum VisionError {
    /// A model gave back a tensor of another shape than its manifest entry says.
    #[error("{model} returned shape {actual:?}, expected {expected}")]
    OutputShape {
        /// The model's task.
        model: &'static str,
        /// What was expected.
        expected: &'static str,
        /// What came.
        actual: Vec<usize>,
    },
    /// A model gave back values that are not finite numbers.
    #[error("{model} returned values that are not finite")]
    NotFinite {
        /// The model's task.
        model: &'static str,
    },
    /// Landmarks lie on top of each other, so that no transform exists.
    #[error("landmarks are degenerate: {problem}")]
    DegenerateLandmarks {
        /// What is wrong with them.
        problem: &'static str,
    },
    /// The image library failed.
    #[error("image operation {operation} failed")]
    Operation {
        /// Which one.
        operation: &'static str,
        /// The cause.
        #[source]
        source: opencv::Error,
    },
}

impl Kinded for VisionError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::DegenerateLandmarks { .. } => ErrorKind::InvalidInput,
            Self::OutputShape { .. } | Self::NotFinite { .. } | Self::Operation { .. } => ErrorKind::Internal,
        }
    }
}
