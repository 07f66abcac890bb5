//! Where models and the runtime library are, and how much of the machine they may use.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Deserialize;

use super::error::InferenceError;
use super::manifest::{Manifest, ModelEntry};
use super::runtime::Provider;

/// Most worker threads that may be asked for.
const MAX_THREADS: usize = 1_024;

/// Most inputs of one run that may be asked for.
const MAX_BATCH: usize = 64;

/// Runs at one time on a GPU: one computes while another's inputs and outputs are copied.
const GPU_STREAMS: usize = 2;

/// Inputs that one run on a GPU takes at most.
const GPU_BATCH: usize = 16;

/// Where models run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderChoice {
    /// CUDA when it works, else the CPU, and says which.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// CUDA, or no start.
    Cuda,
}

/// Where model files and the runtime library are, and how much they may use.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InferenceOptions {
    /// The ONNX Runtime library; empty = the one that `scripts/setup` put into `models_dir`.
    ///
    /// A library of one's own (built with CUDA, say) is not compared with the manifest.
    pub runtime_library: PathBuf,
    /// The folder of fetched and converted models.
    pub models_dir: PathBuf,
    /// Where models run.
    pub provider: ProviderChoice,
    /// Model runs at one time, each with sessions of its own; 0 = one a core on the CPU, two on a GPU, so that one computes
    /// while the other copies.
    pub threads: usize,
    /// Inputs that one run takes at most; 0 = 16 on a GPU and 1 on the CPU, where batches gain nothing.
    pub max_batch: usize,
}

impl Default for InferenceOptions {
    fn default() -> Self {
        Self {
            runtime_library: PathBuf::new(),
            models_dir: PathBuf::new(),
            provider: ProviderChoice::Auto,
            threads: 0,
            max_batch: 0,
        }
    }
}

impl InferenceOptions {
    /// Whether the runtime library is the manifest's, not one of the operator's own.
    pub fn is_bundled_library(&self) -> bool {
        self.runtime_library.as_os_str().is_empty()
    }

    /// The ONNX Runtime library to load.
    ///
    /// # Errors
    /// [`InferenceError::UnsupportedPlatform`] when neither the options nor the manifest name one.
    pub fn runtime_library_path(&self, manifest: &Manifest) -> Result<PathBuf, InferenceError> {
        if self.is_bundled_library() {
            return Ok(self.models_dir.join(manifest.library()?.file_name()));
        }
        Ok(self.runtime_library.clone())
    }

    /// The ONNX file of a model.
    pub fn model_path(&self, model: &ModelEntry) -> PathBuf {
        self.models_dir.join(model.file_name())
    }

    /// Checks what does not depend on files.
    ///
    /// # Errors
    /// [`InferenceError::Options`] names the key and what would be right.
    pub fn check(&self) -> Result<(), InferenceError> {
        let refuse = |field, problem: &str| Err(InferenceError::Options { field, problem: problem.to_owned() });
        if self.models_dir.as_os_str().is_empty() {
            return refuse("models_dir", "is empty; set it to the folder that `bonafide models fetch` fills");
        }
        if self.threads > MAX_THREADS {
            return refuse("threads", "is more than 1024; 0 takes one a core");
        }
        if self.max_batch > MAX_BATCH {
            return refuse("max_batch", "is more than 64; 0 takes 16 on a GPU and 1 on the CPU");
        }
        Ok(())
    }

    /// Runs at one time.
    pub(super) fn n_devices(&self, provider: Provider) -> usize {
        match (self.threads, provider) {
            (0, Provider::Cpu) => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            (0, Provider::Cuda) => GPU_STREAMS,
            (threads, _) => threads,
        }
    }

    /// Inputs that one run takes at most.
    pub(super) fn max_batch(&self, provider: Provider) -> usize {
        match (self.max_batch, provider) {
            (0, Provider::Cpu) => 1,
            (0, Provider::Cuda) => GPU_BATCH,
            (max_batch, _) => max_batch,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InferenceOptions;
    use crate::inference::{InferenceError, Manifest};

    fn options() -> InferenceOptions {
        InferenceOptions { models_dir: "models".into(), ..InferenceOptions::default() }
    }

    #[test]
    fn own_library_wins() {
        let manifest = Manifest::bundled().expect("manifest");
        let own = InferenceOptions { runtime_library: "/opt/libonnxruntime.so".into(), ..options() };
        assert_eq!(own.runtime_library_path(&manifest).expect("path"), own.runtime_library);
        if let Ok(library) = manifest.library() {
            let expected = options().models_dir.join(library.file_name());
            assert_eq!(options().runtime_library_path(&manifest).expect("path"), expected);
        }
    }

    #[test]
    fn impossible_values_are_refused_by_name() {
        for (options, expected) in [
            (InferenceOptions { models_dir: "".into(), ..options() }, "models_dir"),
            (InferenceOptions { threads: 1_025, ..options() }, "threads"),
            (InferenceOptions { max_batch: 65, ..options() }, "max_batch"),
        ] {
            assert!(matches!(options.check(), Err(InferenceError::Options { field, .. }) if field == expected));
        }
        assert!(options().check().is_ok());
    }
}
