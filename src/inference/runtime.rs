//! The ONNX Runtime library: loaded once a process, with the environment that every session needs.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{CUDA, ExecutionProvider as _};
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::digest::Digest;
use super::error::InferenceError;
use super::manifest::Manifest;
use super::options::InferenceOptions;

/// How messages name the runtime, which is no model.
const RUNTIME: &str = "onnxruntime";

/// The library and its environment; a process can have one of each.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// A device that sessions run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    /// The processor, one thread a session.
    Cpu,
    /// The first NVIDIA GPU.
    Cuda,
}

impl Provider {
    /// How results and metrics name it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

/// Loads the library of the options, after comparing it with the manifest when it is the manifest's.
///
/// # Errors
/// [`InferenceError::Missing`], [`InferenceError::Mismatch`], or [`InferenceError::Runtime`] when it cannot be loaded or another
/// one is loaded already.
pub(super) fn load(manifest: &Manifest, options: &InferenceOptions) -> Result<Environment, InferenceError> {
    let path = options.runtime_library_path(manifest)?;
    // The loader would look for a relative path beside the program, not in the working folder.
    let path = fs::canonicalize(&path).map_err(|source| missing(&path, source))?;
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let fail = |problem: String| InferenceError::Runtime { path: path.clone(), problem };
    if let Some((loaded, environment)) = loaded.as_ref()
        && *loaded == path
    {
        return Ok(environment.clone());
    }
    if options.is_bundled_library() {
        let (found, _) = Digest::of_file(&path).map_err(|source| missing(&path, source))?;
        let expected = manifest.library()?.sha256;
        if found != expected {
            let problem = format!("SHA-256 {found}, expected {expected}");
            return Err(InferenceError::Mismatch { model: RUNTIME.to_owned(), path, problem });
        }
    }
    if let Some((loaded, _)) = loaded.as_ref() {
        return Err(fail(format!("{} is loaded already, and a process can have one", loaded.display())));
    }
    let builder = ort::init_from(&path).map_err(|error| fail(error.to_string()))?;
    let built = builder.with_name("bonafide").with_telemetry(false).build();
    let environment = built.map_err(|error| fail(error.to_string()))?;
    environment.set_log_level(LogLevel::Warning);
    *loaded = Some((path, environment.clone()));
    Ok(environment)
}

/// Makes a session that runs on one thread.
pub(super) fn open(environment: &Environment, bytes: &[u8], provider: Provider) -> ort::Result<Session> {
    let builder = Session::builder(environment)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_log_level(LogLevel::Warning)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?;
    let mut builder = match provider {
        Provider::Cpu => builder,
        // Without `error_on_failure` a session lands on the CPU in silence. With TF32 (19 bits) scores would not be those of a
        // processor. Trying every algorithm for every convolution and size of batch would take minutes at each start.
        Provider::Cuda => {
            let cuda = CUDA::default().with_tf32(false).with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic);
            builder.with_execution_providers([cuda.build().error_on_failure()])?
        }
    };
    builder.commit_from_memory(bytes)
}

/// Why CUDA cannot work with this library, as far as the library knows without trying.
pub(super) fn cuda_obstacle() -> Option<String> {
    match CUDA::is_available() {
        Ok(true) => None,
        Ok(false) => Some("the ONNX Runtime library is built without CUDA".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}

fn missing(path: &Path, source: std::io::Error) -> InferenceError {
    InferenceError::Missing { model: RUNTIME.to_owned(), path: path.to_owned(), source }
}
