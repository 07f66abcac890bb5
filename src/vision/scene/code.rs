//! What surrounds a feature, in 256 bits: which of the 128 entries of a gradient histogram are large.

use super::keypoint::{Keypoint, Plane, Pyramid};

/// Cells a side of the histogram, and directions of each.
const CELLS: usize = 4;
const DIRECTIONS: usize = 8;
const ENTRIES: usize = CELLS * CELLS * DIRECTIONS;
/// Side of a cell in standard deviations of the feature's Gaussian.
const CELL_SIGMAS: f32 = 3.0;
/// Places a side at which the gradient is taken: four a cell, and half a cell around.
const SAMPLES: usize = 20;
const SAMPLES_A_CELL: f32 = 4.0;
/// Entries that are not above the first, and the second, of the two levels that an entry is compared with.
const BELOW_LOW: usize = 64;
const BELOW_HIGH: usize = 84;
/// Bits from which the words of an index are made: rarely wrong, hardly dependent on each other, half of them set.
///
/// Of 128 bits on 11,650 features seen twice, the least often wrong that correlate by less than .25.
const WORD_ENTRIES: [u8; 14] = [82, 54, 44, 48, 70, 41, 118, 10, 104, 116, 51, 93, 6, 21];
/// Bits of a word.
#[expect(clippy::cast_possible_truncation, reason = "14")]
pub const WORD_BITS: u32 = WORD_ENTRIES.len() as u32;
/// Bits in which the words of two features that match may differ.
const MAX_WORD_DISTANCE: u32 = 2;
/// Bits in which two features that match may differ.
///
/// Of features seen twice 93 in 100 differ by no more, of two different ones fewer than 1 in 1,000.
pub const MAX_CODE_DISTANCE: u32 = 52;

/// Which entries of a histogram are above its median, then which are above two thirds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct FeatureCode(pub(super) [u64; 4]);

impl FeatureCode {
    fn of(histogram: &[f32; ENTRIES]) -> Self {
        let mut sorted = *histogram;
        sorted.sort_by(f32::total_cmp);
        let mut words = [0; 4];
        let levels = [sorted[BELOW_LOW - 1], sorted[BELOW_HIGH - 1]];
        for (half, level) in words.chunks_exact_mut(2).zip(levels) {
            for (word, entries) in half.iter_mut().zip(histogram.chunks_exact(64)) {
                *word = entries.iter().rev().fold(0, |bits, entry| bits << 1 | u64::from(*entry > level));
            }
        }
        Self(words)
    }

    /// Bits in which two codes differ, 0..=256.
    #[must_use]
    pub fn distance(&self, other: &Self) -> u32 {
        self.0.iter().zip(other.0).map(|(a, b)| (a ^ b).count_ones()).sum()
    }

    /// The distance of codes whose words are near, if it is small enough for a match.
    pub(crate) fn match_distance(&self, other: &Self) -> Option<u32> {
        let part = |at: std::ops::Range<usize>| -> u32 {
            let pairs = self.0.get(at.clone()).into_iter().flatten().zip(other.0.get(at).into_iter().flatten());
            pairs.map(|(a, b)| (a ^ b).count_ones()).sum()
        };
        // Half of the bits rule most pairs out.
        let first = part(0..2);
        if first > MAX_CODE_DISTANCE {
            return None;
        }
        Some(first + part(2..4)).filter(|distance| *distance <= MAX_CODE_DISTANCE)
    }

    /// The code in so few bits that an index can be made of them.
    #[must_use]
    pub fn word(&self) -> u16 {
        WORD_ENTRIES.iter().fold(0, |word, entry| word << 1 | u16::from(self.bit(usize::from(*entry))))
    }

    /// The code of the same surroundings in a mirror.
    pub(super) fn mirrored(&self) -> Self {
        let mut words = [0_u64; 4];
        for bit in 0..2 * ENTRIES {
            let (entry, half) = (bit % ENTRIES, bit / ENTRIES);
            let (direction, cell) = (entry % DIRECTIONS, entry / DIRECTIONS);
            let (column, row) = (cell % CELLS, cell / CELLS);
            // Half a turn less the angle: what rises to the right rises to the left.
            let from = (3 * DIRECTIONS / 2 - direction) % DIRECTIONS;
            let from = half * ENTRIES + (row * CELLS + (CELLS - 1 - column)) * DIRECTIONS + from;
            if let (true, Some(word)) = (self.bit(from), words.get_mut(bit / 64)) {
                *word |= 1 << (bit % 64);
            }
        }
        Self(words)
    }

    fn bit(&self, at: usize) -> bool {
        self.0.get(at / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }
}

/// Whether features of two words may match.
pub(super) const fn are_near(word: u16, other: u16) -> bool {
    (word ^ other).count_ones() <= MAX_WORD_DISTANCE
}

/// Every word whose features may match those of a word, itself first.
pub fn words_near(word: u16) -> impl Iterator<Item = u16> {
    let bits = || (0..WORD_BITS).map(|bit| 1_u16 << bit);
    let two =
        move || bits().enumerate().flat_map(move |(n, first)| bits().skip(n + 1).map(move |second| first | second));
    std::iter::once(0).chain(bits()).chain(two()).map(move |change| word ^ change)
}

/// The code of what surrounds a keypoint.
pub(super) fn encode(pyramid: &Pyramid, keypoint: &Keypoint) -> FeatureCode {
    let mut histogram = [0.0; ENTRIES];
    if let Some(plane) = pyramid.plane(keypoint) {
        fill(&mut histogram, plane, keypoint);
    }
    FeatureCode::of(&histogram)
}

/// What a row, or a column, of samples has in common.
struct Line {
    /// Cells from the middle of the histogram.
    from_middle: f32,
    /// The two cells that its samples count for, each with its share, and the weight of being so far from the middle.
    cells: [(usize, f32); 2],
}

impl Line {
    fn new(sample: usize) -> Self {
        let from_middle = from_middle(sample);
        // Twice the standard deviation of half the histogram's side, in cells.
        let weight = (-from_middle * from_middle / 8.0).exp();
        let cells = parts(from_middle + CELLS as f32 / 2.0 - 0.5).map(|(cell, share)| (cell, share * weight));
        Self { from_middle, cells }
    }
}

fn fill(histogram: &mut [f32; ENTRIES], plane: &Plane, keypoint: &Keypoint) {
    let cell_px = CELL_SIGMAS * keypoint.sigma_in_octave;
    let lines: [Line; SAMPLES] = std::array::from_fn(Line::new);
    for row in &lines {
        for column in &lines {
            let (x, y) = (keypoint.x_in_octave, keypoint.y_in_octave);
            let place = (x + column.from_middle * cell_px, y + row.from_middle * cell_px);
            let Some((right, up)) = gradient(plane, place) else { continue };
            let length = (right * right + up * up).sqrt();
            let turn = (up.atan2(right) / std::f32::consts::TAU).rem_euclid(1.0) * DIRECTIONS as f32;
            let directions = parts(turn).map(|(direction, share)| (direction % DIRECTIONS, share * length));
            for (in_column, of_row) in row.cells {
                for (in_row, of_column) in column.cells {
                    if !(in_column < CELLS && in_row < CELLS) {
                        continue;
                    }
                    let cell = (in_column * CELLS + in_row) * DIRECTIONS;
                    for (direction, of_direction) in directions {
                        if let Some(entry) = histogram.get_mut(cell + direction) {
                            *entry += of_row * of_column * of_direction;
                        }
                    }
                }
            }
        }
    }
}

/// Cells from the middle of the histogram to a sample.
fn from_middle(sample: usize) -> f32 {
    (sample as f32 - (SAMPLES - 1) as f32 / 2.0) / SAMPLES_A_CELL
}

/// The two whole numbers around a number, each with its share; what lies before the first is far away.
fn parts(at: f32) -> [(usize, f32); 2] {
    let below = at.floor();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: not negative, and small")]
    let whole = |value: f32| if value >= 0.0 { value as usize } else { usize::MAX };
    [(whole(below), 1.0 - (at - below)), (whole(below + 1.0), at - below)]
}

/// How grey rises to the right and upwards at the pixel nearest to a place; `None` outside.
fn gradient(plane: &Plane, (x, y): (f32, f32)) -> Option<(f32, f32)> {
    let (x, y) = (x.round(), y.round());
    if !(x >= 1.0 && y >= 1.0 && x < plane.width as f32 - 1.0 && y < plane.height as f32 - 1.0) {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked: inside the plane")]
    let at = y as usize * plane.width + x as usize;
    let value = |at: usize| plane.values.get(at).copied();
    Some((value(at + 1)? - value(at - 1)?, value(at - plane.width)? - value(at + plane.width)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::{ENTRIES, FeatureCode, MAX_CODE_DISTANCE, are_near, words_near};

    fn random(random: &mut StdRng) -> FeatureCode {
        FeatureCode(std::array::from_fn(|_| random.random()))
    }

    #[test]
    fn codes_say_which_entries_are_large_and_not_how_large() {
        let mut histogram = [0.0; ENTRIES];
        for (at, entry) in (0_u8..).zip(histogram.iter_mut()) {
            *entry = f32::from(at.wrapping_mul(37) % 128);
        }
        let code = FeatureCode::of(&histogram);
        assert_eq!(code.0.map(u64::count_ones).iter().sum::<u32>(), 64 + 44);
        assert_eq!(code, FeatureCode::of(&histogram.map(|entry| entry * 3.5 + 2.0)), "light and contrast do not count");
        assert_eq!(FeatureCode::of(&[0.0; ENTRIES]), FeatureCode::default());
        assert_eq!(FeatureCode::of(&[f32::NAN; ENTRIES]), FeatureCode::default());
    }

    #[test]
    fn a_mirror_of_a_mirror_is_the_thing_itself() {
        let mut source = StdRng::seed_from_u64(3);
        for _ in 0..100 {
            let (a, b) = (random(&mut source), random(&mut source));
            assert_eq!(a.mirrored().mirrored(), a);
            assert_ne!(a.mirrored(), a);
            assert_eq!(a.distance(&b), a.mirrored().distance(&b.mirrored()));
        }
    }

    #[test]
    fn the_words_of_features_that_match_are_near() {
        let mut source = StdRng::seed_from_u64(4);
        let near: BTreeSet<u16> = words_near(0b10_1101).collect();
        assert_eq!(near.len(), 1 + 14 + 91);
        let mut n_alike = 0;
        for _ in 0..5_000 {
            let a = random(&mut source);
            let mut b = a;
            for _ in 0..source.random_range(0..60) {
                let bit = source.random_range(0..256_usize);
                b.0[bit / 64] ^= 1 << (bit % 64);
            }
            let is_near = are_near(a.word(), b.word());
            assert_eq!(is_near, words_near(a.word()).any(|word| word == b.word()));
            if let (true, Some(distance)) = (is_near, a.match_distance(&b)) {
                assert!(distance <= MAX_CODE_DISTANCE);
                n_alike += 1;
            }
        }
        assert!(n_alike > 1_000, "{n_alike}");
    }
}
