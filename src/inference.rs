//! Tensors to tensors: the model manifest, obtaining and converting model files, ONNX Runtime, and who runs what when.
//!
//! In: `models/manifest.toml`, model files, f32 tensors. Out: f32 tensors with their timing, or a clear refusal to start.
//! Deliberately not here: pictures, faces, what a number means.

mod error;
mod executor;

pub use self::error::InferenceError;
pub use self::executor::{Executor, InferenceOptions, InferenceTiming, Outputs, ProviderChoice};
