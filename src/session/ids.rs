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
        if !is_word_chain(id, 4) {
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

/// Names one tenant: whose sessions these are. 1 to 63 of `a-z`, `0-9` and `-`, first a letter or digit, last not a `-`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// The tenant of whoever names none.
    pub const DEFAULT: &str = "default";

    /// Checks and wraps an id.
    ///
    /// # Errors
    /// [`IdError`] when the pattern does not hold.
    pub fn new(id: &str) -> Result<Self, IdError> {
        let problem = "must be 1 to 63 of a-z, 0-9 and '-', starting and ending with a letter or digit";
        if is_word_chain(id, 1) { Ok(Self(id.to_owned())) } else { Err(IdError { field: "tenant", problem }) }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

/// Names one candidate: the caller's own id, 1 to 128 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`; never a person's name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CandidateId(String);

impl CandidateId {
    /// Checks and wraps an id.
    ///
    /// # Errors
    /// [`IdError`] when the pattern does not hold.
    pub fn new(id: &str) -> Result<Self, IdError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        // Dots alone would mean folders in addresses.
        let is_good = (1..=MAX_PLATFORM_ID_BYTES).contains(&id.len())
            && id.bytes().all(is_word)
            && id.bytes().any(|byte| byte.is_ascii_alphanumeric());
        let problem = "must be 1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', with a letter or digit among them";
        if is_good { Ok(Self(id.to_owned())) } else { Err(IdError { field: "candidate", problem }) }
    }

    /// The id without its collection.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CandidateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one session among those of all tenants.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionName {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id, unique within the tenant.
    pub id: SessionId,
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

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As a tenant's own callers know it: no tenant learns of another.
impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

impl fmt::Debug for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.id)
    }
}

/// Whether `id` has `min_bytes` to 63 bytes of `a-z`, `0-9` and `-`, and neither starts nor ends with a `-`.
fn is_word_chain(id: &str, min_bytes: usize) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (min_bytes..=MAX_ID_BYTES).contains(&id.len())
        && id.bytes().all(|byte| is_word(byte) || byte == b'-')
        && id.bytes().next().is_some_and(is_word)
        && id.bytes().next_back().is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::{CandidateId, ParticipantId, SessionId, SessionName, TenantId};

    #[test]
    fn tenants_keep_sessions_of_one_id_apart() {
        assert!(TenantId::new("a").is_ok() && TenantId::new("").is_err() && TenantId::new("A").is_err());
        let name = |tenant: &str| SessionName {
            tenant: TenantId::new(tenant).expect("valid"),
            id: SessionId::new("interview-7").expect("valid"),
        };
        assert_ne!(name("a"), name("b"));
        assert_eq!(name("a").to_string(), "interview-7", "what a caller sees says nothing of tenants");
    }

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
    fn candidate_ids_can_stand_in_addresses() {
        for good in ["7", "ATS-4711.b_2", &"x".repeat(128)] {
            assert!(CandidateId::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-", "a/b", "a b", "\u{e4}", &"x".repeat(129)] {
            assert!(CandidateId::new(bad).is_err(), "{bad}");
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
