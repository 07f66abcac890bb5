//! What of the manifest is in the models folder.

use std::io;
use std::path::Path;

use super::error::FetchError;
use crate::inference::digest::Digest;
use crate::inference::manifest::{Manifest, ModelEntry};
use crate::inference::options::InferenceOptions;

/// Whether a file is the one that the manifest names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is.
    Present,
    /// There is none.
    Missing,
    /// There is another one.
    Different,
}

/// One file of the models folder.
#[derive(Clone, Debug, PartialEq)]
pub struct FileStatus<'a> {
    /// Its name there.
    pub file: String,
    /// The model; `None` for the runtime library.
    pub model: Option<&'a ModelEntry>,
    /// Whether it is the right one.
    pub state: FileState,
}

/// Compares every file with the manifest, the runtime library first unless it is the operator's own.
///
/// # Errors
/// [`FetchError::Options`] for a platform without a library, [`FetchError::Store`] for a file that cannot be read.
pub fn status<'a>(manifest: &'a Manifest, options: &InferenceOptions) -> Result<Vec<FileStatus<'a>>, FetchError> {
    let mut files = Vec::new();
    if options.is_bundled_library() {
        let library = manifest.library().map_err(|error| FetchError::Options { problem: error.to_string() })?;
        let file = library.file_name().to_owned();
        let state = state(&options.models_dir.join(&file), library.sha256, library.bytes)?;
        files.push(FileStatus { file, model: None, state });
    }
    for model in &manifest.models {
        let state = state(&options.model_path(model), model.sha256, model.bytes)?;
        files.push(FileStatus { file: model.file_name(), model: Some(model), state });
    }
    Ok(files)
}

fn state(path: &Path, sha256: Digest, bytes: u64) -> Result<FileState, FetchError> {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileState::Missing),
        Err(error) => return Err(FetchError::store(path, error)),
    };
    if !metadata.is_file() || metadata.len() != bytes {
        return Ok(FileState::Different);
    }
    let (found, _) = Digest::of_file(path).map_err(|error| FetchError::store(path, error))?;
    Ok(if found == sha256 { FileState::Present } else { FileState::Different })
}
