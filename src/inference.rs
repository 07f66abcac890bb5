//! Tensors to tensors: the model manifest, obtaining and converting model files, ONNX Runtime, and who runs what when.
//!
//! In: `models/manifest.toml`, model files, f32 tensors. Out: f32 tensors with their timing, or a clear refusal to start.
//! Deliberately not here: pictures, faces, what a number means.

mod bundled;
mod convert;
mod device;
mod digest;
mod error;
mod executor;
mod fetch;
mod manifest;
mod options;
mod runtime;

pub use self::convert::ConvertError;
pub use self::device::verify_model;
pub use self::digest::{Digest, DigestError};
pub use self::error::InferenceError;
#[cfg(test)]
pub(crate) use self::executor::testing;
pub use self::executor::{Executor, RunTiming};
pub use self::fetch::{
    FetchError, FetchEvent, FileState, FileStatus, PackageRequest, PackageSource, RegistryClients, fetch, status,
};
pub use self::manifest::{
    Colour, Conversion, Dtype, FileEntry, InputEntry, Layout, LibraryEntry, Manifest, ModelEntry, OutputEntry,
    PackageEntry, Registry, RuntimeEntry,
};
pub use self::options::{InferenceOptions, ProviderChoice};
