//! Made-up stills for tests; no picture of any person.

use sha2::{Digest as _, Sha256};

use crate::media::{MediaTime, RgbImage, encode_jpeg};
use crate::session::Look;
use crate::signals::testing::face;
use crate::vision::{BoxPx, FaceOutline, PointPx};

use super::capture::{Shot, StillPicture};
use super::facts::{StillFace, StillFacts};

/// A picture of noise, which is found again wherever it is.
pub(crate) fn picture(seed: u32, side: u32) -> StillPicture {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let pixels = (0..side * side * 3).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let image = RgbImage::new(side, side, pixels.collect()).expect("size fits");
    let jpeg = encode_jpeg(image.view(), 50).expect("encodes");
    StillPicture { sha256: Sha256::digest(&jpeg).into(), jpeg: jpeg.into(), width_px: side, height_px: side }
}

/// A shot with everything on it, `seed` seconds into the interview.
pub(crate) fn shot(seed: u32) -> Shot {
    let at = MediaTime::from_millis(i64::from(seed) * 1_000);
    let line = |n_points: u8| (0..n_points).map(|at| PointPx { x: f32::from(at) + 0.5, y: 12.0 }).collect::<Vec<_>>();
    let outline = FaceOutline { oval: line(36), left_eye: line(16), right_eye: line(16), mouth: line(20) };
    let chip = BoxPx { left: 8.0, top: 8.0, right: 40.0, bottom: 40.0 };
    let (frame, cut) = (picture(seed, 48), picture(seed + 1_000, 32));
    let n_bytes = (frame.jpeg.len() + cut.jpeg.len()) as u64;
    Shot {
        look: Look::new(at, Some(&face()), n_bytes),
        frame,
        chip: Some(cut),
        facts: StillFacts { n_faces: 2, face: Some(StillFace::new(&face(), Some(outline), Some(chip), 1.0)) },
    }
}
