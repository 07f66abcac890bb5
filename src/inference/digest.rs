//! SHA-256 digests of files: read, computed and compared.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Read buffer while hashing a file.
const BUFFER_BYTES: usize = 64 * 1024;

/// A SHA-256 digest.
///
/// # Examples
/// ```
/// use bonafide::inference::Digest;
/// let empty: Digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().unwrap();
/// assert_eq!(Digest::of(b""), empty);
/// assert!("e3b0".parse::<Digest>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest([u8; 32]);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a SHA-256 digest: 64 lower-case hexadecimal digits are expected")]
pub struct DigestError {
    text: String,
}

impl Digest {
    /// The digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of a file, and its size in bytes.
    ///
    /// # Errors
    /// Any error of opening or reading it.
    pub fn of_file(path: &Path) -> io::Result<(Self, u64)> {
        let mut file = File::open(path)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut n_bytes = 0;
        loop {
            let n_read = file.read(&mut buffer)?;
            let Some(chunk) = buffer.get(..n_read).filter(|chunk| !chunk.is_empty()) else {
                return Ok((Self(hasher.finalize().into()), n_bytes));
            };
            hasher.update(chunk);
            n_bytes += chunk.len() as u64;
        }
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let bad = || DigestError { text: text.chars().take(80).collect() };
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)) {
            return Err(bad());
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| bad())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;

    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::Digest;

    #[test]
    fn text_form_round_trips() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in ["", "ba78", &"G".repeat(64), &"A".repeat(64), &"ä".repeat(32)] {
            assert!(text.parse::<Digest>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn file_and_memory_agree() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("file");
        let bytes = vec![7; super::BUFFER_BYTES + 1];
        std::fs::write(&path, &bytes).expect("write");
        assert_eq!(Digest::of_file(&path).expect("hash"), (Digest::of(&bytes), bytes.len() as u64));
    }
}
