//! What can go wrong while telemetry starts or serves.

use std::net::SocketAddr;

use crate::error::{ErrorKind, InvalidOption, Kinded};

/// Telemetry that could not be started or served.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// An option is out of range.
    #[error("telemetry.{0}")]
    Option(#[from] InvalidOption),
    /// Logs or metrics of this process were started before.
    #[error("{what} were started before in this process")]
    AlreadyStarted {
        /// Logs or metrics.
        what: &'static str,
    },
    /// The port of the operators' endpoint cannot be used.
    #[error("cannot listen on {address} for /metrics and /readyz: choose another telemetry.ops_listen")]
    Listen {
        /// The wanted address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The operators' endpoint ended by itself.
    #[error("the operators' endpoint failed")]
    Serve {
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl Kinded for TelemetryError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Option(_) => ErrorKind::InvalidInput,
            Self::AlreadyStarted { .. } | Self::Serve { .. } => ErrorKind::Internal,
            Self::Listen { .. } => ErrorKind::Unavailable,
        }
    }
}
