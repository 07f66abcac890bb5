//! The way from stored bytes to domain values, open to `fuzz/`; not in any other build.

use super::journal;
use super::score_json::{decode_point, decode_score, decode_signals};

/// Reads any bytes as a stored chunk, as what is compressed within one, and as a stored score; every outcome but a panic is
/// right.
pub fn read(data: &[u8]) {
    let Some((n_entries, bytes)) = data.split_first() else { return };
    let mut entries = Vec::new();
    let _ = journal::decode(bytes, u64::from(*n_entries), &mut entries);
    if let Ok(chunk) = journal::compress(bytes, u64::from(*n_entries)) {
        entries.clear();
        if journal::decode(&chunk.bytes, chunk.n_entries, &mut entries).is_ok() {
            let again = journal::encode(&entries).map(|chunks| chunks.iter().map(|chunk| chunk.n_entries).sum::<u64>());
            assert_eq!(again.ok(), Some(chunk.n_entries), "what was read can be written");
        }
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = (decode_score(text).is_ok(), decode_point(text).is_ok(), decode_signals(text).is_ok());
    }
}
