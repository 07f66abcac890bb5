//! What can be wrong with a configuration.

use std::path::PathBuf;

use crate::error::{ErrorKind, Kinded};

/// A configuration that the program does not start with.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The named file cannot be read.
    #[error("cannot read configuration file {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is no TOML.
    #[error("{origin} is not valid TOML: {problem}")]
    Malformed {
        /// Which file.
        origin: String,
        /// Where and what.
        problem: String,
    },
    /// No setting has that name.
    #[error("unknown key {key} in {origin}: {allowed}")]
    UnknownKey {
        /// The key with its section.
        key: String,
        /// Where it stands.
        origin: String,
        /// What would be known there.
        allowed: String,
    },
    /// The value has the wrong type or is out of range.
    #[error("{key} (from {origin}): {problem}")]
    InvalidValue {
        /// The key with its section.
        key: String,
        /// Where it stands.
        origin: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// A path has no default on this machine.
    #[error("{key} is not set and there is no home folder to put it in: set it, or HOME")]
    NoHome {
        /// The key with its section.
        key: &'static str,
    },
}

impl Kinded for ConfigError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreadable { .. }
            | Self::Malformed { .. }
            | Self::UnknownKey { .. }
            | Self::InvalidValue { .. }
            | Self::NoHome { .. } => ErrorKind::InvalidInput,
        }
    }
}
