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
    /// The identity model gave back a vector without a direction.
    #[error("embedding returned a vector without a direction")]
    NoDirection,
    /// A model's input has room for more or fewer values than its picture has.
    #[error("model input holds {actual} values, its picture has {expected}")]
    InputLength {
        /// Values of the picture.
        expected: usize,
        /// Values of the input.
        actual: usize,
    },
    /// A picture that should be an aligned chip has another size.
    #[error("aligned chip is {width}x{height}, expected {expected_px}x{expected_px}")]
    ChipSize {
        /// Side of a chip.
        expected_px: u32,
        /// Pixels a row of what came.
        width: u32,
        /// Rows of what came.
        height: u32,
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
            Self::OutputShape { .. }
            | Self::InputLength { .. }
            | Self::NotFinite { .. }
            | Self::NoDirection
            | Self::ChipSize { .. }
            | Self::Operation { .. } => ErrorKind::Internal,
        }
    }
}
