//! What can go wrong with loading and running models.

use std::path::PathBuf;

use crate::error::{ErrorKind, Kinded};

/// A model that could not be loaded or run.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// The manifest is not one that this build can use.
    #[error("model manifest: {problem}")]
    Manifest {
        /// What is wrong, and where.
        problem: String,
    },
    /// The manifest has no runtime library for this platform.
    #[error("no ONNX Runtime library is listed for {platform}; set inference.runtime_library to one of your own")]
    UnsupportedPlatform {
        /// Operating system and processor.
        platform: String,
    },
    /// The options contradict each other or the machine.
    #[error("inference.{field}: {problem}")]
    Options {
        /// The key.
        field: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// A file that the manifest names is not there or cannot be read.
    #[error("model {model:?}: cannot read {}; run `bonafide models fetch`", path.display())]
    Missing {
        /// Id of the model, or `onnxruntime`.
        model: String,
        /// Where it should be.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file is not the one that the manifest names.
    #[error("model {model:?}: {} is not the file of the manifest ({problem}); run `bonafide models fetch`", path.display())]
    Mismatch {
        /// Id of the model, or `onnxruntime`.
        model: String,
        /// The file.
        path: PathBuf,
        /// Digest, size, or the tensor that differs.
        problem: String,
    },
    /// The ONNX Runtime library could not be loaded.
    #[error("cannot load ONNX Runtime from {}: {problem}; run `bonafide models fetch` or set inference.runtime_library", path.display())]
    Runtime {
        /// The library.
        path: PathBuf,
        /// The cause.
        problem: String,
    },
    /// CUDA was asked for and does not work here.
    #[error(
        "CUDA does not work here ({problem}); set inference.provider to auto or cpu, \
         or inference.runtime_library to a library built with CUDA"
    )]
    NoCuda {
        /// What ONNX Runtime said.
        problem: String,
    },
    /// A model file could not be made into a session.
    #[error("model {model:?} cannot be loaded; run `bonafide models verify`")]
    Load {
        /// Its id.
        model: String,
        /// The cause.
        #[source]
        source: ort::Error,
    },
    /// A thread that loads models could not be started or panicked.
    #[error("thread {name:?} loaded no models: {problem}")]
    Thread {
        /// Its name.
        name: String,
        /// The cause.
        problem: String,
    },
    /// There is no device to run on.
    #[error("no device runs models")]
    NoDevice,
    /// A run ended without outputs.
    #[error("model {model:?} gave no outputs")]
    NoOutputs {
        /// Its id.
        model: String,
    },
    /// No model of that id in the manifest, or not loaded.
    #[error("model {model:?} is not loaded")]
    UnknownModel {
        /// Its id.
        model: String,
    },
    /// The input does not have the shape that the manifest declares.
    #[error("model {model:?} takes shape {expected:?}, not {found:?}")]
    InputShape {
        /// Its id.
        model: String,
        /// The shape of the manifest.
        expected: Vec<usize>,
        /// The shape that was handed over.
        found: Vec<usize>,
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
    /// A run panicked; the device lives on.
    #[error("model {model:?} panicked: {message}")]
    Panicked {
        /// Its id.
        model: String,
        /// What the panic said.
        message: String,
    },
}

impl Kinded for InferenceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Options { .. } => ErrorKind::InvalidInput,
            Self::UnsupportedPlatform { .. } | Self::Missing { .. } | Self::Runtime { .. } | Self::NoCuda { .. } => {
                ErrorKind::FailedPrecondition
            }
            Self::Manifest { .. } | Self::Mismatch { .. } => ErrorKind::DataLoss,
            Self::UnknownModel { .. }
            | Self::Load { .. }
            | Self::Thread { .. }
            | Self::InputShape { .. }
            | Self::Run { .. }
            | Self::NoDevice
            | Self::NoOutputs { .. }
            | Self::Panicked { .. } => ErrorKind::Internal,
        }
    }
}
