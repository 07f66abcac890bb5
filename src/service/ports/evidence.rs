//! Stills, sealed: their files, and the rows that name them.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::error::{ErrorKind, Kinded};
use crate::media::MediaTime;
use crate::session::{ParticipantId, SessionName, StillGap, StillSubject};

use super::{SessionStore, StoreError};

/// SHA-256 of a sealed file, which is its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileDigest(pub [u8; 32]);

impl FileDigest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest that 64 lower-case hex digits write.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Some(digit - b'0'),
            b'a'..=b'f' => Some(digit - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A still as a row names it; what it shows of a person is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct StillRow {
    /// Whose.
    pub participant_id: ParticipantId,
    /// What it shows.
    pub shows: StillSubject,
    /// Of which moment.
    pub media_time: MediaTime,
    /// When it was kept.
    pub keep_time: Timestamp,
    /// The still's own key, wrapped by the session's.
    pub key: Vec<u8>,
    /// What was measured on it, sealed under its own key.
    pub facts: Vec<u8>,
    /// The file with its pictures, sealed under its own key.
    pub file: FileDigest,
    /// Bytes of the file.
    pub n_bytes: u64,
}

/// A row with its place in the session.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredStill {
    /// Counts up from 1 within the session, in the order in which stills were kept.
    pub ordinal: u32,
    /// The row.
    pub row: StillRow,
}

/// Keeps sealed files by their digest. Several servers may share one.
#[async_trait::async_trait]
pub trait EvidenceStore: Send + Sync + 'static {
    /// Takes the place for the database of that id, so that no other one removes what it does not know.
    ///
    /// # Errors
    /// [`EvidenceError::Foreign`] when it belongs to another, [`EvidenceError::Failed`].
    async fn claim(&self, database_id: &str) -> Result<(), EvidenceError>;
    /// Keeps a file; durable when it returns. # Errors [`EvidenceError::Failed`].
    async fn keep(&self, sealed: Vec<u8>) -> Result<FileDigest, EvidenceError>;
    /// Reads a file, the bytes of its digest.
    ///
    /// # Errors
    /// [`EvidenceError::Missing`], [`EvidenceError::Changed`], [`EvidenceError::Failed`].
    async fn read(&self, file: FileDigest) -> Result<Vec<u8>, EvidenceError>;
    /// Removes files, durably; those that are not there are removed already. # Errors [`EvidenceError::Failed`].
    async fn remove(&self, files: Vec<FileDigest>) -> Result<(), EvidenceError>;
    /// The files of one shelf, of 256, that were kept at least so long ago. # Errors [`EvidenceError::Failed`].
    async fn older_than(&self, age: Duration, shelf: u8) -> Result<Vec<FileDigest>, EvidenceError>;
}

/// Keeps the rows of stills. They are written with the steps of their sessions ([`SessionCommit`](super::SessionCommit)), and
/// deleted with them; files whose rows are gone are remembered until they are removed.
#[async_trait::async_trait]
pub trait StillStore: SessionStore {
    /// An id of the database, made when it was first asked for. # Errors [`StoreError::Backend`].
    async fn database_id(&self) -> Result<String, StoreError>;
    /// A session's stills by ordinal. # Errors [`StoreError::NotFound`], [`StoreError::Corrupt`].
    async fn stills(&self, name: &SessionName) -> Result<Vec<StoredStill>, StoreError>;
    /// What is known of subjects without still. # Errors [`StoreError::NotFound`], [`StoreError::Corrupt`].
    async fn still_gaps(&self, name: &SessionName) -> Result<Vec<StillGap>, StoreError>;
    /// Those of `files` that a row names. # Errors [`StoreError::Backend`].
    async fn named(&self, files: &[FileDigest]) -> Result<HashSet<FileDigest>, StoreError>;
    /// Files whose rows were deleted and that were not reported as removed yet, at most `limit`. # Errors [`StoreError::Backend`].
    async fn erased(&self, limit: u32) -> Result<Vec<FileDigest>, StoreError>;
    /// Forgets files that are removed. # Errors [`StoreError::Backend`].
    async fn forget_erased(&self, files: Vec<FileDigest>) -> Result<(), StoreError>;
    /// Deletes the stills that were kept before `kept_before`, of at most `limit` sessions that are not held, each with an audit
    /// entry; gives back of how many sessions.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn expire_stills(&self, kept_before: Timestamp, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// What can go wrong with sealed files.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file is not there.
    #[error("evidence file {file} is missing")]
    Missing {
        /// Its name.
        file: FileDigest,
    },
    /// The file has other content than its name says.
    #[error("evidence file {file} was changed or cut short")]
    Changed {
        /// Its name.
        file: FileDigest,
    },
    /// The place belongs to another database.
    #[error(
        "evidence.folder: {place} belongs to another database: name a folder of its own, or remove {marker} from it if that database is gone"
    )]
    Foreign {
        /// The place.
        place: String,
        /// The file that says so.
        marker: &'static str,
    },
    /// It cannot be read or written.
    #[error("evidence.folder: cannot {doing}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

impl Kinded for EvidenceError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Missing { .. } | Self::Changed { .. } => ErrorKind::DataLoss,
            Self::Foreign { .. } => ErrorKind::FailedPrecondition,
            Self::Failed { .. } => ErrorKind::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FileDigest;

    #[test]
    fn digests_are_written_and_read_as_hex() {
        let digest = FileDigest::of(b"abc");
        let text = digest.to_string();
        assert!(text.starts_with("ba7816bf") && text.len() == 64);
        assert_eq!(FileDigest::from_hex(&text), Some(digest));
        for bad in ["", &text[1..], &text.to_uppercase(), &format!("{text}00"), &text.replace('a', "g"), "é"] {
            assert_eq!(FileDigest::from_hex(bad), None, "{bad}");
        }
    }
}
