//! What can go wrong between bytes and frames.

use crate::error::{ErrorKind, Kinded};

use super::format::VideoFormat;

/// A sample or recording that could not become frames.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Pixels and size disagree, or a side is zero.
    #[error("picture of {width}x{height} px needs {expected_bytes} bytes of packed RGB, got {actual_bytes}")]
    PixelCount {
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// `width * height * 3`.
        expected_bytes: u64,
        /// Bytes given.
        actual_bytes: u64,
    },
    /// A bound of [`MediaLimits`](super::MediaLimits) was passed.
    #[error("{what} is {actual}, over the limit of {limit}: {remedy}")]
    OverLimit {
        /// The field or property, as the sender knows it.
        what: &'static str,
        /// What was given.
        actual: f64,
        /// What is allowed.
        limit: f64,
        /// What the sender can do.
        remedy: &'static str,
    },
    /// A field of the sample is missing or contradicts another.
    #[error("{field}: {problem}")]
    InvalidField {
        /// The field, as on the wire.
        field: &'static str,
        /// What is wrong with it and what is expected.
        problem: String,
    },
    /// The bytes are not what they were said to be, or nothing that is known.
    #[error("data: not a readable {expected}: {problem}")]
    Undecodable {
        /// The format or the set of formats that was tried.
        expected: &'static str,
        /// What the decoder said.
        problem: String,
    },
    /// Coded video that starts in the middle.
    #[error("data: {format:?} unit cannot be decoded before a keyframe: send one, or set keyframe on it")]
    NeedsKeyframe {
        /// The coding.
        format: VideoFormat,
    },
    /// A file could not be read.
    #[error("cannot read recording")]
    Io {
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The decoder library failed in a way that is not the sender's fault.
    #[error("decoder failed: {problem}")]
    Decoder {
        /// What it said.
        problem: String,
    },
}

impl Kinded for MediaError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::PixelCount { .. }
            | Self::OverLimit { .. }
            | Self::InvalidField { .. }
            | Self::Undecodable { .. }
            | Self::NeedsKeyframe { .. } => ErrorKind::InvalidInput,
            Self::Io { source } if source.kind() == std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            Self::Io { .. } | Self::Decoder { .. } => ErrorKind::Internal,
        }
    }
}
