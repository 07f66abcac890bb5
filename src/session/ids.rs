//! Names that callers choose. Opaque here: never a person's name.

use std::fmt;

use crate::error::{ErrorKind, Kinded};

/// Longest id in bytes.
const MAX_ID_BYTES: usize = 63;
/// Longest participant or track id in bytes; platforms' own ids are longer than ours.
const MAX_PLATFORM_ID_BYTES: usize = 128;

/// An id that breaks the pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct IdError {
    /// The field, as on the wire.
    pub field: &'static str,
    /// What is wrong and what is expected.
    pub problem: &'static str,
}

impl Kinded for IdError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidInput
    }
}

/// Names one session: 4 to 63 of `a-z`, `0-9` and `-`, first a letter or digit, last not a `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// Checks and wraps an id.
    ///
    /// # Errors
    /// [`IdError`] when the pattern does not hold.
    pub fn new(id: &str) -> Result<Self, IdError> {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let holds = (4..=MAX_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| is_word(byte) || byte == b'-')
            && id.bytes().next().is_some_and(is_word)
            && id.bytes().next_back().is_some_and(is_word);
        if !holds {
            return Err(IdError {
                field: "session_id",
                problem: "must be 4 to 63 of a-z, 0-9 and '-', starting and ending with a letter or digit",
            });
        }
        Ok(Self(id.to_owned()))
    }

    /// The id without its collection.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! platform_id {
    ($name:ident, $field:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a platform's id.
            ///
            /// # Errors
            /// [`IdError`] when it is empty, over 128 bytes or holds control characters.
            pub fn new(id: &str) -> Result<Self, IdError> {
                if id.is_empty() || id.len() > MAX_PLATFORM_ID_BYTES || id.chars().any(char::is_control) {
                    return Err(IdError {
                        field: $field,
                        problem: "must be 1 to 128 bytes without control characters",
                    });
                }
                Ok(Self(id.to_owned()))
            }

            /// The platform's id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

platform_id!(
    ParticipantId,
    "participant_id",
    "Names one participant of a session: the platform's own id, never a display name."
);
platform_id!(TrackId, "track_id", "Names one media track of a session: the platform's own id.");

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ParticipantId, SessionId};

    #[test]
    fn session_ids_follow_the_pattern() {
        for good in ["abcd", "interview-2026-11-23", "0000"] {
            assert!(SessionId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "abc", "-abc", "abcd-", "Abcd", "ab/cd", "ab cd", &"a".repeat(64)] {
            assert!(SessionId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn participant_ids_hold_no_control_characters() {
        assert!(ParticipantId::new("user@example 7").is_ok());
        for bad in ["", "a\nb", &"x".repeat(129)] {
            assert!(ParticipantId::new(bad).is_err(), "{bad:?}");
        }
    }
}
