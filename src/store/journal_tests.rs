use proptest::prelude::{ProptestConfig, any, proptest};

use super::{CHUNK_TARGET_BYTES, Chunk, MAX_CHUNK_RAW_BYTES, compress, decode, encode};
use crate::media::MediaTime;
use crate::service::ports::StoreError;
use crate::session::JournalEntry;
use crate::signals::FaceSearch;
use crate::store::samples;
use crate::vision::scene::SceneGap;
use crate::vision::scene::testing::scene;

const GOLDEN_V1: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/journal_v1.bin"));
const GOLDEN_V1_SCORED: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/store/journal_v1_scored.bin"));

fn decode_all(chunks: &[Chunk]) -> Vec<JournalEntry> {
    let mut entries = Vec::new();
    for chunk in chunks {
        decode(&chunk.bytes, chunk.n_entries, &mut entries).expect("decodes");
    }
    entries
}

/// `Debug` of floats is exact but hides NaN's sign; what matters here is that encoding again gives the same bytes.
fn assert_same(actual: &[JournalEntry], expected: &[JournalEntry]) {
    assert_eq!(format!("{actual:?}"), format!("{expected:?}"));
    assert_eq!(encode(actual).expect("encodes"), encode(expected).expect("encodes"));
}

#[test]
fn entries_survive_the_round_trip_bit_for_bit() {
    let entries = samples::entries();
    assert_same(&decode_all(&encode(&entries).expect("encodes")), &entries);
    assert!(encode(&[]).expect("encodes").is_empty());
}

#[test]
fn entries_that_were_added_later_survive_too() {
    let mut entries = samples::entries();
    entries.push(JournalEntry::Accounted { track_id: samples::track("camera"), sequence: u64::MAX });
    for reading in [Ok(scene(1)), Err(SceneGap::Plain), Err(SceneGap::PersonUnknown)] {
        let at = MediaTime::from_nanos(-5);
        entries.push(JournalEntry::Scene { track_id: samples::track("camera"), at, reading });
    }
    assert_same(&decode_all(&encode(&entries).expect("encodes")), &entries);
}

/// Rebuild (only for a new version or variant, under a new name) by writing `encode(&samples::entries())[0].bytes`.
#[test]
fn chunks_of_version_1_stay_readable() {
    let mut entries = Vec::new();
    decode(GOLDEN_V1, samples::entries().len() as u64, &mut entries).expect("decodes");
    assert_same(&entries, &without_deepfake(samples::entries()));
}

#[test]
fn chunks_of_version_1_with_deepfake_scores_stay_readable() {
    let mut entries = Vec::new();
    decode(GOLDEN_V1_SCORED, samples::entries().len() as u64, &mut entries).expect("decodes");
    assert_same(&entries, &samples::entries());
}

/// As they were when there was no deepfake score yet.
fn without_deepfake(mut entries: Vec<JournalEntry>) -> Vec<JournalEntry> {
    for entry in &mut entries {
        if let JournalEntry::Frame { observation, .. } = entry
            && let FaceSearch::Run(faces) = &mut observation.faces
        {
            for face in faces {
                face.deepfake = None;
            }
        }
    }
    entries
}

#[test]
fn long_journals_are_cut_into_bounded_chunks() {
    let entries: Vec<_> = (0..4_000).map(samples::frame).collect();
    let chunks = encode(&entries).expect("encodes");
    assert!(chunks.len() > 1 && chunks.len() <= 4_000 * 2_500 / CHUNK_TARGET_BYTES + 1, "{}", chunks.len());
    assert_same(&decode_all(&chunks), &entries);
}

#[test]
fn chunks_that_decompress_without_end_are_refused() {
    let bomb = compress(&vec![0; MAX_CHUNK_RAW_BYTES + 1], 1).expect("compresses");
    assert!(bomb.bytes.len() < MAX_CHUNK_RAW_BYTES / 50, "a bomb is small");
    let outcome = decode(&bomb.bytes, 1, &mut Vec::new());
    assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{outcome:?}");
}

#[test]
fn counts_and_versions_that_do_not_fit_are_corrupt() {
    let [chunk] = encode(&samples::entries()).expect("encodes").try_into().expect("one chunk");
    let mut other_version = chunk.bytes.clone();
    other_version[0] = 2;
    for (bytes, n_entries) in [
        (&chunk.bytes[..], chunk.n_entries - 1),
        (&chunk.bytes[..], chunk.n_entries + 1),
        (&chunk.bytes[..], u64::MAX),
        (&chunk.bytes[..chunk.bytes.len() - 5], chunk.n_entries),
        (&other_version[..], chunk.n_entries),
        (&chunk.bytes[..1], chunk.n_entries),
        (&[][..], 0),
    ] {
        let outcome = decode(bytes, n_entries, &mut Vec::new());
        assert!(matches!(outcome, Err(StoreError::Corrupt { .. })), "{outcome:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// A flipped byte anywhere is noticed: by the version, by zlib's own structure or by its checksum.
    #[test]
    fn damaged_chunks_are_corrupt(at in any::<proptest::sample::Index>(), flip in 1_u8..) {
        let mut bytes = GOLDEN_V1.to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let mut entries = Vec::new();
        if decode(&bytes, samples::entries().len() as u64, &mut entries).is_ok() {
            // A few bits of the zlib header do not change what comes out.
            assert_same(&entries, &samples::entries());
        }
    }

    /// Valid compression around arbitrary bytes: never a panic, never more memory than the bound.
    #[test]
    fn hostile_entries_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..2_000), n_entries in 0_u64..50) {
        let chunk = compress(&raw, n_entries).expect("compresses");
        let _outcome = decode(&chunk.bytes, n_entries, &mut Vec::new());
    }
}
