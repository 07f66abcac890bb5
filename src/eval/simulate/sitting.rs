//! Another sitting in the same place: somebody else before the background, the camera moved, other light.

use std::f64::consts::TAU;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::media::{MediaLimits, RgbImage, decode_still, encode_jpeg};
use crate::vision::BoxPx;

use super::canvas::{Affine, level_of, warp};

/// Height of the new person's face, as a share of the picture's; where its top and its middle are.
const FACE_RATIO: std::ops::Range<f64> = 0.2..0.42;
const FACE_TOP: std::ops::Range<f64> = 0.15..0.35;
const FACE_MIDDLE: std::ops::Range<f64> = 0.3..0.7;
/// Most of either side that is cut off, and most that the picture is turned, sheared and stretched.
const MAX_CUT: f64 = 0.3;
const MAX_TURN_RADIANS: f64 = 0.05;
const MAX_SHEAR: f64 = 0.04;
/// Exposure and white balance in stops, and gamma.
const EXPOSURE_STOPS: std::ops::Range<f64> = -0.7..0.4;
const BALANCE_STOPS: f64 = 0.25;
const MAX_GAMMA: f64 = 1.6;
/// Amplitude of uniform sensor noise in levels, at most, and quality of the picture's compression.
const MAX_NOISE_LEVELS: f64 = 9.0;
const JPEG_QUALITY: std::ops::Range<u8> = 35..90;
/// Longer side above which a picture is made smaller first, as platforms do.
const MAX_SIDE: u32 = 1280;

/// Somebody who is put before a background: the picture they are cut out of, and where their face is.
#[derive(Clone, Debug)]
pub(in crate::eval) struct Sitter {
    pub(in crate::eval) picture: RgbImage,
    pub(in crate::eval) face: BoxPx,
}

/// Whether the new picture is the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::eval) enum Handedness {
    /// As it was.
    Same,
    /// In a mirror, as some programs send it.
    Mirrored,
}

/// A picture of the same place at another time; the same seed gives the same one. `None` when sizes do not fit.
///
/// Whoever is in the picture stays in it, behind the sitter.
pub(in crate::eval) fn another_sitting(
    picture: &RgbImage,
    sitter: Option<&Sitter>,
    handedness: Handedness,
    seed: u64,
) -> Option<RgbImage> {
    let mut random = StdRng::seed_from_u64(seed);
    let picture = smaller(picture)?;
    let seated = match sitter {
        Some(sitter) => seat(&picture, sitter, &mut random)?,
        None => picture,
    };
    let moved = move_camera(&seated, handedness, &mut random)?;
    let lit = relight(&moved, &mut random)?;
    let quality = random.random_range(JPEG_QUALITY);
    decode_still(&encode_jpeg(lit.view(), quality).ok()?, &MediaLimits::default()).ok()
}

fn smaller(picture: &RgbImage) -> Option<RgbImage> {
    let longer = picture.width().max(picture.height());
    if longer <= MAX_SIDE {
        return Some(picture.clone());
    }
    // Whole steps: bilinear weights of larger ones would leave out pixels.
    let step = longer.div_ceil(MAX_SIDE);
    let (width, height) = (picture.width() / step, picture.height() / step);
    let (scale, offset) = (f64::from(step), (f64::from(step) - 1.0) / 2.0);
    warp(picture, (width, height), Affine { x: [scale, 0.0, offset], y: [0.0, scale, offset] }, None)
}

/// Puts somebody's head and shoulders before a picture.
fn seat(picture: &RgbImage, sitter: &Sitter, random: &mut StdRng) -> Option<RgbImage> {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let [left, top, right, bottom] =
        [sitter.face.left, sitter.face.top, sitter.face.right, sitter.face.bottom].map(f64::from);
    let scale = (bottom - top) / (random.random_range(FACE_RATIO) * height);
    if !(scale.is_finite() && scale > 0.0) {
        return None;
    }
    let face_top = random.random_range(FACE_TOP) * height;
    let middle = random.random_range(FACE_MIDDLE) * width;
    // The sitter's own picture ends somewhere below; its last row goes on as their clothes.
    let map = Affine {
        x: [scale, 0.0, f64::midpoint(left, right) - scale * middle],
        y: [0.0, scale, top - scale * face_top],
    };
    let person = warp(&sitter.picture, (picture.width(), picture.height()), map, None)?;
    let (face_width, face_height) = ((right - left) / scale, (bottom - top) / scale);
    let outline = Outline { middle, top: face_top, width: face_width, height: face_height };
    let mut pixels = Vec::with_capacity(picture.pixels().len());
    let rows = picture.pixels().chunks_exact(picture.width() as usize * 3);
    for (y, (row, of_person)) in rows.zip(person.pixels().chunks_exact(picture.width() as usize * 3)).enumerate() {
        let pairs = row.as_chunks::<3>().0.iter().zip(of_person.as_chunks::<3>().0);
        for (x, (behind, before)) in pairs.enumerate() {
            let share = outline.share(x as f64, y as f64);
            let blend = |(behind, before): (&u8, &u8)| {
                level_of(f64::from(*behind) * (1.0 - share) + f64::from(*before) * share)
            };
            pixels.extend(behind.iter().zip(before).map(blend));
        }
    }
    RgbImage::new(picture.width(), picture.height(), pixels).ok()
}

/// Head and shoulders around a face, drawn tighter than what is left out as a person.
struct Outline {
    middle: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Outline {
    /// 1 inside, 0 outside, between them at the edge.
    fn share(&self, x: f64, y: f64) -> f64 {
        let across = (x - self.middle).abs() / self.width.max(1.0);
        let down = (y - self.top) / self.height.max(1.0);
        // An ellipse around the face, and a neck that becomes shoulders: at heights below the forehead, widths beside the middle.
        let head = 1.0 - (across / 0.66).hypot((down - 0.42) / 0.72);
        let reach = match down {
            ..0.9 => -1.0,
            0.9..1.45 => 0.4 + (down - 0.9) / 0.55 * 0.7,
            1.45..2.2 => 1.1 + (down - 1.45) / 0.75 * 0.4,
            _ => 1.5,
        };
        let inside = head.max(reach - across);
        (inside / 0.05).clamp(0.0, 1.0)
    }
}

/// Cuts, turns, shears and stretches, as another place and angle of the camera does.
fn move_camera(picture: &RgbImage, handedness: Handedness, random: &mut StdRng) -> Option<RgbImage> {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let zoom = 1.0 - random.random_range(0.0..MAX_CUT);
    let stretch = 1.0 + random.random_range(-MAX_SHEAR..MAX_SHEAR);
    let (shear_x, shear_y) = (random.random_range(-MAX_SHEAR..MAX_SHEAR), random.random_range(-MAX_SHEAR..MAX_SHEAR));
    let turn = random.random_range(-MAX_TURN_RADIANS..MAX_TURN_RADIANS);
    let (sine, cosine) = turn.sin_cos();
    let across = match handedness {
        Handedness::Same => 1.0,
        Handedness::Mirrored => -1.0,
    };
    let x = [across * zoom * stretch * cosine, zoom * (shear_x - sine)];
    let y = [across * zoom * (shear_y + sine), zoom / stretch * cosine];
    // The middle of the new picture comes from a place that keeps most of it inside.
    let room = (1.0 - zoom) / 2.0;
    let mut place = |side: f64| side / 2.0 + random.random_range(-1.0..1.0) * room * side;
    let (from_x, from_y) = (place(width), place(height));
    let offset = |[a, b]: [f64; 2], from: f64| from - a * width / 2.0 - b * height / 2.0;
    let map = Affine { x: [x[0], x[1], offset(x, from_x)], y: [y[0], y[1], offset(y, from_y)] };
    warp(picture, (picture.width(), picture.height()), map, None)
}

/// Exposure, white balance, gamma and noise.
fn relight(picture: &RgbImage, random: &mut StdRng) -> Option<RgbImage> {
    let gamma = (random.random_range(-1.0..1.0) * MAX_GAMMA.ln()).exp();
    let exposure = random.random_range(EXPOSURE_STOPS);
    let gains: [f64; 3] =
        std::array::from_fn(|_| (exposure + random.random_range(-BALANCE_STOPS..BALANCE_STOPS)).exp2());
    let noise = random.random_range(0.0..MAX_NOISE_LEVELS);
    let curves = gains.map(|gain| -> Vec<f64> {
        (0_u16..256).map(|level| (f64::from(level) / 255.0).powf(gamma) * gain * 255.0).collect()
    });
    let channels = (0..3).cycle();
    let pixels = picture.pixels().iter().zip(channels).map(|(level, channel)| {
        let lit =
            curves.get(channel).and_then(|curve: &Vec<f64>| curve.get(usize::from(*level))).copied().unwrap_or(0.0);
        level_of(lit + noise * (random.random_range(0.0..TAU)).sin())
    });
    let pixels = pixels.collect();
    RgbImage::new(picture.width(), picture.height(), pixels).ok()
}

#[cfg(test)]
mod tests {
    use super::{Handedness, Outline, Sitter, another_sitting};
    use crate::media::RgbImage;
    use crate::vision::BoxPx;

    fn picture(level: impl Fn(u32, u32) -> u8) -> RgbImage {
        let pixels = (0..240).flat_map(|y| (0..320).flat_map(|x| [level(x, y); 3]).collect::<Vec<_>>()).collect();
        RgbImage::new(320, 240, pixels).expect("size fits")
    }

    #[test]
    fn a_seed_gives_one_sitting_and_another_seed_another() {
        let room = picture(|x, y| ((x / 20 + y / 20) % 2 * 150 + 40) as u8);
        let sitter = Sitter {
            picture: picture(|_, _| 200),
            face: BoxPx { left: 120.0, top: 60.0, right: 200.0, bottom: 160.0 },
        };
        let sitting = |seed| another_sitting(&room, Some(&sitter), Handedness::Same, seed).expect("fits");
        assert_eq!(sitting(1).pixels(), sitting(1).pixels());
        assert_ne!(sitting(1).pixels(), sitting(2).pixels());
        assert_eq!((sitting(1).width(), sitting(1).height()), (320, 240));
        let broken = Sitter { face: BoxPx { top: 60.0, bottom: 60.0, ..sitter.face }, ..sitter };
        assert!(another_sitting(&room, Some(&broken), Handedness::Same, 1).is_none());
    }

    #[test]
    fn a_mirror_turns_left_into_right() {
        let room = picture(|x, _| if x < 160 { 30 } else { 220 });
        let halves = |handedness| {
            let picture = another_sitting(&room, None, handedness, 5).expect("fits");
            let mean = |from: usize| {
                let columns = picture.pixels().chunks_exact(960).map(|row| f64::from(row[(from + 20) * 3]));
                columns.sum::<f64>() / 240.0
            };
            (mean(0), mean(260))
        };
        let ((left, right), (mirrored_left, mirrored_right)) = (halves(Handedness::Same), halves(Handedness::Mirrored));
        assert!(left < right && mirrored_left > mirrored_right);
    }

    #[test]
    fn a_person_is_a_head_on_shoulders() {
        let outline = Outline { middle: 100.0, top: 50.0, width: 40.0, height: 50.0 };
        for (x, y) in [(100.0, 75.0), (100.0, 40.0), (80.0, 75.0), (100.0, 110.0), (150.0, 190.0)] {
            assert!(outline.share(x, y) > 0.99, "{x} {y}");
        }
        for (x, y) in [(100.0, 20.0), (140.0, 75.0), (150.0, 105.0), (180.0, 190.0)] {
            assert!(outline.share(x, y) < 0.01, "{x} {y}");
        }
    }
}
