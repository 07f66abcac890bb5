//! Descriptors for the tests of what keeps and compares them, made of random features instead of pictures.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::SceneDescriptor;

const HEADER_BYTES: usize = 11;
const FEATURE_BYTES: usize = 37;
const N_FEATURES: usize = 60;

/// A place like no other, made from a number.
pub(crate) fn scene(seed: u64) -> SceneDescriptor {
    described(&random_bytes(&mut StdRng::seed_from_u64(seed)))
}

/// The descriptor that bytes hold.
pub(crate) fn described(bytes: &[u8]) -> SceneDescriptor {
    SceneDescriptor::from_bytes(bytes).expect("is one")
}

/// Bytes of a descriptor of random features.
pub(crate) fn random_bytes(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = b"BFSC\x01".to_vec();
    for number in [640_u16, 480, 60] {
        bytes.extend(number.to_le_bytes());
    }
    for _ in 0..N_FEATURES {
        bytes.extend(random.random_range(0..640 * 64_u16).to_le_bytes());
        bytes.extend(random.random_range(0..480 * 64_u16).to_le_bytes());
        bytes.push(random.random_range(12..60));
        bytes.extend((0..32).map(|_| random.random::<u8>()));
    }
    bytes
}

/// The same place with some features gone and some bits of the others wrong, shifted.
pub(crate) fn seen_again(random: &mut StdRng, bytes: &[u8], n_kept: usize, n_wrong: usize) -> Vec<u8> {
    let mut again = random_bytes(random);
    let shift = random.random_range(0..640_u16);
    for feature in 0..n_kept {
        let at = HEADER_BYTES + feature * FEATURE_BYTES;
        again[at..at + FEATURE_BYTES].copy_from_slice(&bytes[at..at + FEATURE_BYTES]);
        let x = u16::from_le_bytes([again[at], again[at + 1]]).saturating_add(shift).min(640 * 64 - 1);
        again[at..at + 2].copy_from_slice(&x.to_le_bytes());
        for _ in 0..n_wrong {
            again[at + 5 + random.random_range(0..32)] ^= 1 << random.random_range(0..8);
        }
    }
    again
}
