//! What can go wrong.

use crate::error::{ErrorKind, Kinded};

/// A report that could not be made: a defect.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The PDF would not be one that conforms.
    #[error("report cannot be written as PDF: {problem}")]
    Pdf {
        /// What is wrong; no word of the content.
        problem: String,
    },
    /// The content cannot be written as JSON.
    #[error("report cannot be written as JSON")]
    Json {
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
}

impl Kinded for ReportError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Pdf { .. } | Self::Json { .. } => ErrorKind::Internal,
        }
    }
}

/// Why a report is not the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The signature's file is none.
    #[error("{file}: {problem}")]
    Malformed {
        /// Which file.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The signature was made by another key than those that were named.
    #[error("report.sig: was signed by key {key_id}, which is none of those that were named: was it replaced?")]
    OtherKey {
        /// Which key it says.
        key_id: String,
    },
    /// The signature is not of what the file says.
    #[error("report.sig: the signature does not hold: its text was changed, or another key signed it")]
    BadSignature,
    /// A file is not the one that was signed.
    #[error(
        "{file}: differs from what was signed: it has {found_bytes} bytes with SHA-256 {found}, signed were {signed_bytes} with {signed}"
    )]
    Differs {
        /// Which file.
        file: &'static str,
        /// Its digest.
        found: String,
        /// Its length.
        found_bytes: u64,
        /// The digest that was signed.
        signed: String,
        /// The length that was signed.
        signed_bytes: u64,
    },
}
