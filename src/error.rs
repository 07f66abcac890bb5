//! What an error means to whoever has to act on it.
//!
//! Each module has its own `thiserror` enum; all of them answer [`Kinded::kind`], and the wire adapters translate the
//! kind, never the message, into a status code. What is deliberately not here: any conversion to gRPC or HTTP.

use std::any::Any;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// The closed set of meanings an error can have for a caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request itself is wrong: undecodable frame, unknown enum number, name out of pattern.
    InvalidInput,
    /// The named thing does not exist.
    NotFound,
    /// The named thing exists already and differs from what was asked for.
    AlreadyExists,
    /// The thing exists but is in the wrong state, or the caller's copy of it is stale.
    FailedPrecondition,
    /// No credential, or one that is not known.
    Unauthenticated,
    /// A known credential without the right.
    PermissionDenied,
    /// A bound was reached: sessions, bytes, requests a second.
    Overloaded,
    /// A deadline passed.
    Timeout,
    /// Warming up, draining, or a dependency is away.
    Unavailable,
    /// Stored data or a model file does not match its digest or version.
    DataLoss,
    /// A defect of ours or of a dependency; never blamed on the client.
    Internal,
}

impl ErrorKind {
    /// Every kind, for exhaustive tests of the adapters' tables.
    pub const ALL: [Self; 11] = [
        Self::InvalidInput,
        Self::NotFound,
        Self::AlreadyExists,
        Self::FailedPrecondition,
        Self::Unauthenticated,
        Self::PermissionDenied,
        Self::Overloaded,
        Self::Timeout,
        Self::Unavailable,
        Self::DataLoss,
        Self::Internal,
    ];

    /// Whether the same call may succeed later without being changed.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Overloaded | Self::Timeout | Self::Unavailable)
    }

    /// Whether the message was written for the caller; the text of other kinds stays in the log.
    #[must_use]
    pub const fn is_message_public(self) -> bool {
        !matches!(self, Self::Internal | Self::DataLoss)
    }
}

/// An error that knows what it means to its caller.
pub trait Kinded: std::error::Error {
    /// The meaning of this error.
    fn kind(&self) -> ErrorKind;
}

/// An option of a module that is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} {problem}")]
pub struct InvalidOption {
    /// The key within its module's section.
    pub key: &'static str,
    /// What is wrong and what is allowed.
    pub problem: String,
}

impl InvalidOption {
    /// Refuses a value out of its range; a number that is none is out of every range.
    ///
    /// # Errors
    /// [`InvalidOption`] naming `key`, the value and the range.
    pub fn unless_within<T: PartialOrd + Display + Copy>(
        key: &'static str,
        value: T,
        range: RangeInclusive<T>,
    ) -> Result<(), Self> {
        if range.contains(&value) {
            return Ok(());
        }
        Err(Self { key, problem: format!("is {value}, must be {} to {}", range.start(), range.end()) })
    }
}

/// What a panic said, as far as it said it in words.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use super::ErrorKind;

    #[test]
    fn only_passing_conditions_are_retryable() {
        let retryable: Vec<_> = ErrorKind::ALL.into_iter().filter(|kind| kind.is_retryable()).collect();
        assert_eq!(retryable, [ErrorKind::Overloaded, ErrorKind::Timeout, ErrorKind::Unavailable]);
    }
}
