//! What can go wrong in a use case.

use std::time::Duration;

use crate::error::{ErrorKind, Kinded};
use crate::identity::IdentityError;
use crate::inference::InferenceError;
use crate::keys::SealError;
use crate::media::MediaError;
use crate::session::IdError;
use crate::vision::VisionError;

use super::caller::Permission;
use super::ports::{EvidenceError, StoreError};

/// A use case that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A field of the request is missing, malformed or contradicts another.
    #[error("{field}: {problem}")]
    InvalidField {
        /// The field, as on the wire.
        field: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// An id breaks its pattern.
    #[error(transparent)]
    Id(#[from] IdError),
    /// The named thing does not exist.
    #[error("{what} does not exist")]
    NotFound {
        /// Its resource name.
        what: String,
    },
    /// The named thing exists and differs.
    #[error("{what} exists already: {remedy}")]
    AlreadyExists {
        /// Its resource name.
        what: String,
        /// What the caller can do.
        remedy: &'static str,
    },
    /// The thing is in the wrong state for this call.
    #[error("{what}: {problem}")]
    FailedPrecondition {
        /// Its resource name.
        what: String,
        /// What is in the way and what to do.
        problem: &'static str,
    },
    /// The caller may not do this.
    #[error("not permitted: needs the permission to {}", permission.as_str())]
    PermissionDenied {
        /// What is missing.
        permission: Permission,
    },
    /// A bound was reached; trying again later may work.
    #[error("{what} reached its limit of {limit}: try again later or spread the load")]
    Overloaded {
        /// What is bounded.
        what: &'static str,
        /// The bound.
        limit: u64,
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// Draining, warming up, or a dependency is away.
    #[error("{problem}")]
    Unavailable {
        /// What is in the way.
        problem: &'static str,
    },
    /// A deadline passed.
    #[error("{what} took longer than {limit_secs} s")]
    Timeout {
        /// What was waited for.
        what: &'static str,
        /// How long.
        limit_secs: f64,
    },
    /// A sample could not be decoded.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A face could not be measured.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// A model could not be run.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// A template or a search cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Something sealed does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A sealed file cannot be kept or read.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A defect: a task panicked or an invariant broke.
    #[error("internal error: {problem}")]
    Internal {
        /// For the log.
        problem: String,
    },
}

impl Kinded for ServiceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidField { .. } => ErrorKind::InvalidInput,
            Self::Id(error) => error.kind(),
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            Self::FailedPrecondition { .. } => ErrorKind::FailedPrecondition,
            Self::PermissionDenied { .. } => ErrorKind::PermissionDenied,
            Self::Overloaded { .. } => ErrorKind::Overloaded,
            Self::Unavailable { .. } | Self::Seal(SealError::UnknownKey { .. }) => ErrorKind::Unavailable,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::Media(error) => error.kind(),
            Self::Vision(error) => error.kind(),
            Self::Inference(error) => error.kind(),
            Self::Identity(error) => error.kind(),
            Self::Seal(SealError::Broken) => ErrorKind::DataLoss,
            Self::Evidence(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Internal { .. } => ErrorKind::Internal,
        }
    }
}
