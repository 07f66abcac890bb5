//! What can go wrong on the client's side.

use std::error::Error as _;

use crate::error::{ErrorKind, Kinded};
use crate::grpc::field::FieldError;
use crate::grpc::status::kind_of;

/// A stream or call that failed for good.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A setting cannot be used.
    #[error("{key}: {problem}")]
    BadOption {
        /// Which.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody answers at the endpoint, or TLS failed.
    #[error("cannot connect to the server")]
    Connect {
        /// The cause.
        #[source]
        source: tonic::transport::Error,
    },
    /// The server refused or failed.
    #[error("server answered {code}: {message}")]
    Rpc {
        /// What it means.
        kind: ErrorKind,
        /// The gRPC code's name.
        code: String,
        /// The server's words.
        message: String,
    },
    /// The connection broke and could not be resumed.
    #[error("connection lost, gave up after {attempts} attempts to resume: {problem}")]
    Lost {
        /// How many were made.
        attempts: u32,
        /// The last problem.
        problem: String,
    },
    /// The server does not speak this contract.
    #[error("unexpected answer: {problem}")]
    Protocol {
        /// What was unexpected.
        problem: String,
    },
}

impl Kinded for ClientError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::BadOption { .. } => ErrorKind::InvalidInput,
            Self::Connect { .. } | Self::Lost { .. } => ErrorKind::Unavailable,
            Self::Rpc { kind, .. } => *kind,
            Self::Protocol { .. } => ErrorKind::Internal,
        }
    }
}

impl From<tonic::Status> for ClientError {
    fn from(status: tonic::Status) -> Self {
        // A status with a cause was not sent by the server: the transport broke.
        let kind = if status.source().is_some() { ErrorKind::Unavailable } else { kind_of(status.code()) };
        Self::Rpc { kind, code: format!("{:?}", status.code()), message: status.message().to_owned() }
    }
}

impl From<FieldError> for ClientError {
    fn from(error: FieldError) -> Self {
        Self::Protocol { problem: error.to_string() }
    }
}
