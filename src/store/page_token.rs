//! Page tokens: opaque, and good only for the listing that made them.
//!
//! A token is the hexadecimal form of a checksum over listing and cursor, followed by the cursor. The checksum guards
//! against mix-ups, not against forgery: a forged token only skips rows that its maker may list anyway.

use sha2::{Digest, Sha256};

use crate::service::ports::StoreError;

/// Bytes of the checksum that are kept.
const CHECK_BYTES: usize = 8;
/// Longest token that is looked at.
const MAX_TOKEN_BYTES: usize = 1_024;

/// What a token is good for: the listing with all that decides which rows it has, and in which order.
pub(super) struct Listing(Sha256);

impl Listing {
    /// A listing of that name.
    pub(super) fn new(name: &str) -> Self {
        Self(Sha256::new()).with(name)
    }

    /// Adds one part; parts cannot run into each other.
    pub(super) fn with(mut self, part: &str) -> Self {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    /// The token that goes on after `cursor`.
    pub(super) fn token(self, cursor: &str) -> String {
        let cursor = cursor.as_bytes();
        let mut token = String::new();
        for byte in self.check(cursor).iter().chain(cursor) {
            token.extend([byte >> 4, byte & 0xf].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
        }
        token
    }

    /// The cursor of a token of this listing.
    ///
    /// # Errors
    /// [`StoreError::BadPageToken`] for any other text.
    pub(super) fn cursor(self, token: &str) -> Result<String, StoreError> {
        let bytes = from_hex(token).ok_or(StoreError::BadPageToken)?;
        let (check, cursor) = bytes.split_at_checked(CHECK_BYTES).ok_or(StoreError::BadPageToken)?;
        if check != self.check(cursor) {
            return Err(StoreError::BadPageToken);
        }
        String::from_utf8(cursor.to_vec()).map_err(|_error| StoreError::BadPageToken)
    }

    fn check(self, cursor: &[u8]) -> Vec<u8> {
        self.0.chain_update(cursor).finalize().iter().copied().take(CHECK_BYTES).collect()
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() > MAX_TOKEN_BYTES
        || !text.len().is_multiple_of(2)
        || !text.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::Listing;

    #[test]
    fn tokens_are_good_for_their_own_listing_only() {
        let token = Listing::new("sessions").with("a").with("bc").token("cursor/é");
        let cursor = |listing: Listing, token: &str| listing.cursor(token).ok();
        assert_eq!(cursor(Listing::new("sessions").with("a").with("bc"), &token).as_deref(), Some("cursor/é"));
        assert_eq!(cursor(Listing::new("sessions").with("ab").with("c"), &token), None);
        assert_eq!(cursor(Listing::new("segments").with("a").with("bc"), &token), None);
        for bad in ["", "zz", "00", "0", &token[..token.len() - 2], &format!("{token}00"), "é", &"0".repeat(4_096)] {
            assert_eq!(cursor(Listing::new("sessions").with("a").with("bc"), bad), None, "{bad}");
        }
    }
}
