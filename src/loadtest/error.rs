//! What keeps a load from being put on a server.

use std::path::PathBuf;

use crate::error::{ErrorKind, InvalidOption, Kinded};
use crate::grpc::ClientError;
use crate::media::MediaError;

/// A load test that could not be carried out. A session that fails is no error but a result.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The profile is no JSON, or has a key that is not known or of the wrong type.
    #[error("profile {path}: {problem}")]
    Profile {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the key.
        problem: String,
    },
    /// The profile cannot be read.
    #[error("cannot read profile {path}")]
    UnreadableProfile {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A key of the profile, or a flag, is out of range.
    #[error(transparent)]
    Option(#[from] InvalidOption),
    /// The server's process cannot be looked at.
    #[error("--server-pid {pid}: {problem}")]
    Process {
        /// Its id.
        pid: u32,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A recording cannot be decoded.
    #[error("cannot use {file}")]
    Recording {
        /// The file.
        file: PathBuf,
        /// The cause.
        #[source]
        source: MediaError,
    },
    /// A recording is too short to be an interview.
    #[error("{file} has {secs:.2} s of pictures, {least} s needed: use a longer recording")]
    TooShort {
        /// The file.
        file: PathBuf,
        /// Seconds that it has.
        secs: f64,
        /// Seconds that are needed.
        least: f64,
    },
    /// The encoded pictures do not fit into the memory that they may take.
    #[error(
        "the encoded pictures need more than {limit_mib} MiB: lower quality, width and height, the number of interviews, \
         --fps or --secs, or raise max_media_mib in the profile"
    )]
    TooLarge {
        /// What they may take.
        limit_mib: u32,
    },
    /// The server cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A recording could not be streamed by itself, so that there is nothing to compare with.
    #[error("{recording} could not be streamed alone: {problem}")]
    Alone {
        /// Its short name.
        recording: String,
        /// What happened.
        problem: String,
    },
    /// Somebody stopped it before there was anything to report.
    #[error("interrupted before there was anything to report")]
    Interrupted,
    /// A result cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl Kinded for LoadError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Profile { .. } | Self::UnreadableProfile { .. } | Self::Option(_) | Self::Process { .. } => {
                ErrorKind::InvalidInput
            }
            Self::Client(error) => error.kind(),
            Self::Recording { .. } | Self::TooShort { .. } | Self::TooLarge { .. } | Self::Write { .. } => {
                ErrorKind::FailedPrecondition
            }
            Self::Alone { .. } | Self::Interrupted => ErrorKind::Unavailable,
        }
    }
}
