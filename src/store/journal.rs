//! The chunk format: what one commit adds to a session's journal, as bytes.
//!
//! A chunk is one version byte and a zlib stream (deflate with an Adler-32 sum) of postcard-encoded entries, one after the
//! other. Numbers keep every bit, since a score is a pure function of the journal. The entries' layout is frozen per
//! version in a module of its own (`journal_v1`); a change of a domain type means a new version beside the old ones, all of
//! which stay readable (`tests/data/store/journal_v1.bin`).

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::service::ports::StoreError;
use crate::session::JournalEntry;

use super::journal_v1::EntryV1;

/// The version that is written.
const CURRENT_VERSION: u8 = 1;
/// Bytes after which a chunk is closed and the next one begun, before compression.
const CHUNK_TARGET_BYTES: usize = 4 * 1024 * 1024;
/// Bytes that a chunk may have before compression; a stored chunk that claims more is refused.
const MAX_CHUNK_RAW_BYTES: usize = 16 * 1024 * 1024;

/// Part of a journal, ready to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Entries within.
    pub(super) n_entries: u64,
    /// Version byte and compressed entries.
    pub(super) bytes: Vec<u8>,
}

/// Encodes entries into as few chunks as the size bound allows; none for no entries.
///
/// # Errors
/// [`StoreError::Backend`] when one entry alone is larger than a chunk may be.
pub(super) fn encode(entries: &[JournalEntry]) -> Result<Vec<Chunk>, StoreError> {
    let mut chunks = Vec::new();
    let mut raw = Vec::new();
    let mut n_entries = 0;
    for entry in entries {
        let before = raw.len();
        raw = postcard::to_extend(&EntryV1::from(entry), raw).map_err(|error| encoding_failed(error.into()))?;
        n_entries += 1;
        if raw.len() - before > MAX_CHUNK_RAW_BYTES - CHUNK_TARGET_BYTES {
            return Err(encoding_failed("an entry is larger than a chunk may be".into()));
        }
        if raw.len() >= CHUNK_TARGET_BYTES {
            chunks.push(compress(&raw, n_entries)?);
            raw.clear();
            n_entries = 0;
        }
    }
    if n_entries > 0 {
        chunks.push(compress(&raw, n_entries)?);
    }
    Ok(chunks)
}

/// Appends the entries of one stored chunk to `entries`.
///
/// # Errors
/// [`StoreError::Corrupt`] for anything that [`encode`] did not write.
pub(super) fn decode(bytes: &[u8], n_entries: u64, entries: &mut Vec<JournalEntry>) -> Result<(), StoreError> {
    let (version, compressed) = bytes.split_first().ok_or_else(|| corrupt("journal chunk is empty"))?;
    if *version != CURRENT_VERSION {
        return Err(corrupt(format!(
            "journal chunk has version {version}, this program reads up to {CURRENT_VERSION}"
        )));
    }
    let mut raw = Vec::new();
    let limit = MAX_CHUNK_RAW_BYTES as u64 + 1;
    ZlibDecoder::new(compressed)
        .take(limit)
        .read_to_end(&mut raw)
        .map_err(|error| corrupt(format!("journal chunk does not decompress: {error}")))?;
    if raw.len() > MAX_CHUNK_RAW_BYTES {
        return Err(corrupt(format!("journal chunk has more than {MAX_CHUNK_RAW_BYTES} bytes")));
    }
    let mut rest = raw.as_slice();
    for _ in 0..n_entries {
        let (entry, after) = postcard::take_from_bytes::<EntryV1>(rest)
            .map_err(|error| corrupt(format!("journal entry does not decode: {error}")))?;
        entries.push(JournalEntry::try_from(entry)?);
        rest = after;
    }
    if rest.is_empty() { Ok(()) } else { Err(corrupt("journal chunk holds more entries than its row says")) }
}

pub(super) fn compress(raw: &[u8], n_entries: u64) -> Result<Chunk, StoreError> {
    let mut encoder = ZlibEncoder::new(vec![CURRENT_VERSION], Compression::fast());
    encoder.write_all(raw).map_err(|error| encoding_failed(error.into()))?;
    let bytes = encoder.finish().map_err(|error| encoding_failed(error.into()))?;
    Ok(Chunk { n_entries, bytes })
}

fn encoding_failed(source: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Backend { doing: "encoding journal entries", source }
}

pub(super) fn corrupt(problem: impl Into<String>) -> StoreError {
    StoreError::Corrupt { problem: problem.into() }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
