//! What can go wrong in an evaluation.

use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Kinded};
use crate::identity::IdentityError;
use crate::service::ServiceError;

/// An evaluation that could not be carried out. A file that cannot be read or judged is no error but a counted
/// non-response.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// The manifest cannot be used.
    #[error("manifest {path}, line {line}: {problem}")]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// There is nothing, or not enough of it, to evaluate.
    #[error("{problem}")]
    TooFew {
        /// What is missing and what to add.
        problem: String,
    },
    /// A file or folder of the evaluation itself cannot be read or written.
    #[error("cannot {verb} {path}")]
    Io {
        /// `read` or `write`.
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A model failed, which says nothing about the data.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// Templates, searches or their calibration refused what they were given.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl EvalError {
    pub(super) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { verb: "read", path: path.to_owned(), source }
    }

    pub(super) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io { verb: "write", path: path.to_owned(), source }
    }
}

impl Kinded for EvalError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Manifest { .. } | Self::TooFew { .. } | Self::Io { .. } => ErrorKind::InvalidInput,
            Self::Service(error) => error.kind(),
            Self::Identity(error) => error.kind(),
        }
    }
}
