//! The chain: each row's digest covers the row before.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A SHA-256 digest; shown as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

/// What stands before the first row.
pub const GENESIS: Digest = Digest([0; 32]);

/// The digest of a row with the canonical JSON `event` that follows a row with the digest `previous`.
#[must_use]
pub fn link(previous: &Digest, event: &str) -> Digest {
    Digest(Sha256::new().chain_update(previous.0).chain_update(event).finalize().into())
}

impl Digest {
    /// The digest that `bytes` are, if they are 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{GENESIS, link};

    #[test]
    fn a_link_covers_the_row_and_all_before_it() {
        let (first, other) = (link(&GENESIS, "a"), link(&GENESIS, "b"));
        assert_ne!(first, other);
        assert_ne!(link(&first, "c"), link(&other, "c"));
        // printf '%064d' 0 | xxd -r -p | { cat; printf a; } | sha256sum
        assert_eq!(first.to_string(), "41a0370c3d9f42773a59e8e01651911cf43b1e3f66944cbb690029debc4eb647");
    }
}
