//! The signature over a report's files: made with the server's key, checked with the public half alone.
//!
//! `report.sig` is JSON that names the session, the time, and length and SHA-256 of each file. What is signed is a text of
//! those values, one a line, so that no freedom of JSON is left to whoever would change it.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::audit::Digest;
use crate::keys::{SigningKey, VerifyingKey};

use super::error::{ReportError, VerifyError};
use super::export::{JSON_FILE, PDF_FILE, SIGNATURE_FILE};

/// The format that is written.
const VERSION: u32 = 1;
/// A signature's file is a few hundred bytes.
const MAX_SIGNATURE_BYTES: usize = 16 * 1024;

/// What is said of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileClaim {
    /// Its length.
    pub n_bytes: u64,
    /// SHA-256 of it.
    pub sha256: Digest,
}

impl FileClaim {
    /// What there is to say of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { n_bytes: bytes.len() as u64, sha256: Digest(Sha256::digest(bytes).into()) }
    }
}

/// What is signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportSignature {
    /// Which session.
    pub session: String,
    /// When the report was made.
    pub made: Timestamp,
    /// SHA-256 of the content, as the PDF prints it.
    pub content_sha256: Digest,
    /// The JSON file.
    pub json: FileClaim,
    /// The PDF file.
    pub pdf: FileClaim,
    /// The public key, 64 hex digits.
    pub public_key: String,
    /// Ed25519 over the above but the key.
    pub signature: [u8; 64],
}

/// A report that is the one that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Which session.
    pub session: String,
    /// When it was made.
    pub made: Timestamp,
    /// Which key signed.
    pub key_id: String,
    /// Its public half, 64 hex digits.
    pub public_key: String,
    /// Whether that key was among those that were named; without, only that the files belong together is known.
    pub is_key_known: bool,
    /// The files that were checked.
    pub files: Vec<&'static str>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    version: u32,
    session: String,
    made: String,
    content_sha256: String,
    files: StoredFiles,
    key_id: String,
    public_key: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFiles {
    #[serde(rename = "report.json")]
    json: StoredFile,
    #[serde(rename = "report.pdf")]
    pdf: StoredFile,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFile {
    bytes: u64,
    sha256: String,
}

impl ReportSignature {
    /// Signs `claims`, whose own key and signature are replaced.
    #[must_use]
    pub fn sign(key: &SigningKey, claims: Self) -> Self {
        let signature = key.sign(&claims.message()).bytes;
        Self { public_key: key.verifying_key().to_hex(), signature, ..claims }
    }

    /// What is signed.
    fn message(&self) -> Vec<u8> {
        let mut text = format!(
            "bonafide-report/{VERSION}\nsession {}\nmade {:.9}\ncontent {}\n",
            self.session, self.made, self.content_sha256
        );
        for (name, claim) in [(JSON_FILE, &self.json), (PDF_FILE, &self.pdf)] {
            let _written = writeln!(text, "{name} {} {}", claim.n_bytes, claim.sha256);
        }
        text.into_bytes()
    }

    /// The file `report.sig`.
    ///
    /// # Errors
    /// [`ReportError::Json`] should serialisation fail.
    pub fn to_file(&self) -> Result<Vec<u8>, ReportError> {
        let key_id = VerifyingKey::from_hex(&self.public_key).map(|key| key.key_id()).unwrap_or_default();
        let file = |claim: &FileClaim| StoredFile { bytes: claim.n_bytes, sha256: claim.sha256.to_string() };
        let stored = Stored {
            version: VERSION,
            session: self.session.clone(),
            made: format!("{:.9}", self.made),
            content_sha256: self.content_sha256.to_string(),
            files: StoredFiles { json: file(&self.json), pdf: file(&self.pdf) },
            key_id,
            public_key: self.public_key.clone(),
            signature: to_hex(&self.signature),
        };
        let mut bytes = serde_json::to_vec_pretty(&stored).map_err(|source| ReportError::Json { source })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the file `report.sig`, without checking the signature.
    ///
    /// # Errors
    /// [`VerifyError::Malformed`].
    pub fn from_file(bytes: &[u8]) -> Result<Self, VerifyError> {
        let malformed = |problem: &str| VerifyError::Malformed { file: SIGNATURE_FILE, problem: problem.to_owned() };
        if bytes.len() > MAX_SIGNATURE_BYTES {
            return Err(malformed("is larger than a signature's file can be"));
        }
        let stored: Stored = serde_json::from_slice(bytes)
            .map_err(|error| malformed(&format!("is no signature of a report: {error}")))?;
        if stored.version != VERSION {
            return Err(malformed("was written by a later version of this program: check it with that one"));
        }
        let digest = |text: &str, field: &str| {
            from_hex(text).map(Digest).ok_or_else(|| malformed(&format!("{field} is no SHA-256 of 64 hex digits")))
        };
        let key = VerifyingKey::from_hex(&stored.public_key).map_err(|_| malformed("public_key is no public key"))?;
        if key.key_id() != stored.key_id {
            return Err(malformed("key_id is not that of its public_key"));
        }
        Ok(Self {
            made: stored.made.parse().map_err(|_| malformed("made is no time"))?,
            content_sha256: digest(&stored.content_sha256, "content_sha256")?,
            json: FileClaim {
                n_bytes: stored.files.json.bytes,
                sha256: digest(&stored.files.json.sha256, "files.report.json.sha256")?,
            },
            pdf: FileClaim {
                n_bytes: stored.files.pdf.bytes,
                sha256: digest(&stored.files.pdf.sha256, "files.report.pdf.sha256")?,
            },
            signature: from_hex(&stored.signature).ok_or_else(|| malformed("signature is not 128 hex digits"))?,
            session: stored.session,
            public_key: stored.public_key,
        })
    }

    /// Checks the signature, then the files that are given. `known_keys` are those that the reader trusts; with none, only that
    /// the files belong together can be said.
    ///
    /// # Errors
    /// [`VerifyError`] with what differs.
    pub fn verify(
        &self,
        pdf: Option<&[u8]>,
        json: Option<&[u8]>,
        known_keys: &[VerifyingKey],
    ) -> Result<Verified, VerifyError> {
        let key = VerifyingKey::from_hex(&self.public_key)
            .map_err(|_| VerifyError::Malformed { file: SIGNATURE_FILE, problem: "public_key is none".to_owned() })?;
        let is_key_known = known_keys.contains(&key);
        if !is_key_known && !known_keys.is_empty() {
            return Err(VerifyError::OtherKey { key_id: key.key_id() });
        }
        key.verify(&self.message(), &self.signature).map_err(|_| VerifyError::BadSignature)?;
        let mut files = Vec::new();
        for (file, bytes, signed) in [(PDF_FILE, pdf, &self.pdf), (JSON_FILE, json, &self.json)] {
            let Some(bytes) = bytes else { continue };
            let found = FileClaim::of(bytes);
            if found != *signed {
                return Err(VerifyError::Differs {
                    file,
                    found: found.sha256.to_string(),
                    found_bytes: found.n_bytes,
                    signed: signed.sha256.to_string(),
                    signed_bytes: signed.n_bytes,
                });
            }
            files.push(file);
        }
        let (session, made) = (self.session.clone(), self.made);
        Ok(Verified { session, made, key_id: key.key_id(), public_key: self.public_key.clone(), is_key_known, files })
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of lower-case hex digits, exactly `N` of them.
fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_digit = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if text.len() != N * 2 || !text.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
