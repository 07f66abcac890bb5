//! A descriptor as bytes that are kept.
//!
//! `b"BFSC"`, version (u8), width and height (u16), number of features (u16), then a feature: x and y in 64ths of a pixel (u16),
//! the logarithm to base 2 of its size in 16ths (u8), and its code (four u64). Little-endian.

use super::code::FeatureCode;
use super::keypoint::Keypoint;
use super::{MAX_FEATURES, MIN_FEATURES, MIN_SIDE_PX, SceneDescriptor, SceneFeature, ScenePlace, WORK_SIDE_PX};
use crate::error::{ErrorKind, Kinded};

const MAGIC: [u8; 4] = *b"BFSC";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 11;
const FEATURE_BYTES: usize = 37;
/// Steps a pixel.
const PLACE_STEPS: f32 = 64.0;
/// Steps a doubling of the size.
const SIZE_STEPS: f32 = 16.0;

// A place in steps fits into 16 bits.
const _: () = assert!((WORK_SIDE_PX as u32) * 64 <= u16::MAX as u32);

/// Bytes that are no descriptor of this version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SceneBytesError {
    /// Written by another version, whose codes mean something else.
    #[error("scene descriptor: has version {found}, {VERSION} is compared here: make it again from the picture")]
    Version {
        /// What it says.
        found: u8,
    },
    /// Cut off, changed, or something else.
    #[error("scene descriptor: {problem}")]
    Damaged {
        /// What is wrong.
        problem: &'static str,
    },
}

impl Kinded for SceneBytesError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Version { .. } => ErrorKind::FailedPrecondition,
            Self::Damaged { .. } => ErrorKind::DataLoss,
        }
    }
}

impl SceneDescriptor {
    /// The descriptor in at most 6 KiB.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.features.len() * FEATURE_BYTES);
        bytes.extend(MAGIC);
        bytes.push(VERSION);
        let n_features = u16::try_from(self.features.len()).unwrap_or(u16::MAX);
        for number in [self.width, self.height, n_features] {
            bytes.extend(number.to_le_bytes());
        }
        for feature in &self.features {
            bytes.extend(place_steps(feature.place.x).to_le_bytes());
            bytes.extend(place_steps(feature.place.y).to_le_bytes());
            bytes.push(size_steps(feature.place.sigma));
            feature.code.0.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        }
        bytes
    }

    /// A descriptor that was kept, bit for bit.
    ///
    /// # Errors
    /// [`SceneBytesError`] for what [`Self::to_bytes`] of this version has not made.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SceneBytesError> {
        let damaged = |problem| Err(SceneBytesError::Damaged { problem });
        let Some((magic, rest)) = bytes.split_first_chunk::<4>() else { return damaged("is cut off") };
        if *magic != MAGIC {
            return damaged("does not begin as one");
        }
        match rest.first() {
            Some(&VERSION) => {}
            Some(found) => return Err(SceneBytesError::Version { found: *found }),
            None => return damaged("is cut off"),
        }
        let Some((header, body)) = bytes.split_at_checked(HEADER_BYTES) else { return damaged("is cut off") };
        let number = |at: usize| match header.get(at..at + 2) {
            Some([low, high]) => u16::from_le_bytes([*low, *high]),
            _ => 0,
        };
        let (width, height, n_features) = (number(5), number(7), usize::from(number(9)));
        let sides = MIN_SIDE_PX..=WORK_SIDE_PX;
        if !(sides.contains(&width) && sides.contains(&height)) {
            return damaged("has a size that no picture is worked on in");
        }
        if !(MIN_FEATURES..=MAX_FEATURES).contains(&n_features) || body.len() != n_features * FEATURE_BYTES {
            return damaged("has more or fewer features than it says or may have");
        }
        let features = body.as_chunks::<FEATURE_BYTES>().0.iter().map(feature).collect::<Vec<_>>();
        if features.iter().any(|feature| feature.place.x >= f32::from(width) || feature.place.y >= f32::from(height)) {
            return damaged("has a feature outside its picture");
        }
        Ok(Self { width, height, features })
    }
}

/// A feature with its numbers as they are kept, so that what was kept compares as what was not.
pub(super) fn rounded(keypoint: &Keypoint, code: FeatureCode) -> SceneFeature {
    let (x, y, sigma) = keypoint.in_picture();
    let place = ScenePlace { x: place(place_steps(x)), y: place(place_steps(y)), sigma: size(size_steps(sigma)) };
    SceneFeature { place, code }
}

fn feature(bytes: &[u8; FEATURE_BYTES]) -> SceneFeature {
    let [x0, x1, y0, y1, sigma, code @ ..] = bytes;
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(code.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*bytes);
    }
    let place = ScenePlace {
        x: place(u16::from_le_bytes([*x0, *x1])),
        y: place(u16::from_le_bytes([*y0, *y1])),
        sigma: size(*sigma),
    };
    SceneFeature { place, code: FeatureCode(words) }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float to int casts saturate")]
fn place_steps(at: f32) -> u16 {
    (at * PLACE_STEPS).round() as u16
}

fn place(steps: u16) -> f32 {
    f32::from(steps) / PLACE_STEPS
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "float to int casts saturate")]
fn size_steps(sigma: f32) -> u8 {
    (sigma.log2() * SIZE_STEPS).round() as u8
}

fn size(steps: u8) -> f32 {
    (f32::from(steps) / SIZE_STEPS).exp2()
}
