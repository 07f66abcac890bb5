//! A photograph that is moved about by hand before a camera.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::media::{MediaLimits, MediaTime, RgbImage, VideoFrame, decode_still, encode_jpeg};

use super::canvas::{Affine, level_of, warp};

/// The camera's picture.
const CANVAS: (u32, u32) = (640, 480);
/// Frames a second; more than sessions look at would only cost time.
const FRAMES_PER_SEC: u32 = 15;
/// Height of the photograph, as a share of the canvas.
const HEIGHT_RATIO: f64 = 0.8;
/// Amplitudes of slow movement: share of the canvas, radians, share of the size, and foreshortening by tilting the print.
const SHIFT_RATIO: f64 = 0.04;
const TURN_RADIANS: f64 = 0.08;
const SCALE_RATIO: f64 = 0.06;
const TILT_RATIO: f64 = 0.08;
/// Frequencies of the slow movements in Hz: what a hand does on purpose.
const SLOW_HZ: std::ops::Range<f64> = 0.1..0.7;
/// Tremor of a hand in Hz, and its amplitude in pixels.
const TREMOR_HZ: std::ops::Range<f64> = 7.0..11.0;
const TREMOR_PX: f64 = 0.4;
/// Amplitude of uniform sensor noise in levels: deviation about 2.
const NOISE_LEVELS: f64 = 3.5;
/// Quality of the picture's compression.
const JPEG_QUALITY: u8 = 75;

/// Moves a photograph before a plain background for so many seconds; the same seed gives the same pictures.
///
/// Each of shift, turn, scale and tilt follows two sine waves of random phase and frequency; tremor and sensor noise are
/// added, and every frame is compressed on its own.
pub(in crate::eval) fn moved_still(photograph: RgbImage, secs: u32, seed: u64) -> impl Iterator<Item = VideoFrame> {
    let mut random = StdRng::seed_from_u64(seed);
    let motions: [Motion; 6] = std::array::from_fn(|_| Motion::new(&mut random));
    let level: u8 = random.random_range(60..190);
    (0..secs * FRAMES_PER_SEC).filter_map(move |index| {
        let at_secs = f64::from(index) / f64::from(FRAMES_PER_SEC);
        let background =
            RgbImage::new(CANVAS.0, CANVAS.1, vec![level; CANVAS.0 as usize * CANVAS.1 as usize * 3]).ok()?;
        let map = placed(&photograph, motions.each_ref().map(|motion| motion.at(at_secs)), at_secs);
        let shown = warp(&photograph, CANVAS, map, Some(&background))?;
        let pixels = shown
            .pixels()
            .iter()
            .map(|level| level_of(f64::from(*level) + random.random_range(-NOISE_LEVELS..NOISE_LEVELS)));
        let noisy = RgbImage::new(CANVAS.0, CANVAS.1, pixels.collect()).ok()?;
        let image = decode_still(&encode_jpeg(noisy.view(), JPEG_QUALITY).ok()?, &MediaLimits::default()).ok()?;
        Some(VideoFrame::new(u64::from(index), MediaTime::from_secs_f64(at_secs)?, image.into()))
    })
}

/// Where the canvas' pixels lie on the photograph; `motions` are -1..=1.
fn placed(photograph: &RgbImage, motions: [f64; 6], at_secs: f64) -> Affine {
    let [shift_x, shift_y, turn, scale, tilt_x, tilt_y] = motions;
    let (width, height) = (f64::from(CANVAS.0), f64::from(CANVAS.1));
    let size = HEIGHT_RATIO * height / f64::from(photograph.height()) * (1.0 + SCALE_RATIO * scale);
    let tremor = TREMOR_PX * (at_secs * std::f64::consts::TAU * f64::midpoint(TREMOR_HZ.start, TREMOR_HZ.end)).sin();
    let center_x = width / 2.0 + SHIFT_RATIO * width * shift_x + tremor;
    let center_y = height / 2.0 + SHIFT_RATIO * height * shift_y + tremor;
    let (sin, cos) = (TURN_RADIANS * turn).sin_cos();
    let shrink = |tilt: f64| 1.0 / (size * (1.0 - TILT_RATIO * tilt.abs()));
    let (by_x, by_y) = (shrink(tilt_x), shrink(tilt_y));
    let x = [cos * by_x, sin * by_x];
    let y = [-sin * by_y, cos * by_y];
    let origin = |line: [f64; 2], middle: u32| f64::from(middle) / 2.0 - line[0] * center_x - line[1] * center_y;
    Affine { x: [x[0], x[1], origin(x, photograph.width())], y: [y[0], y[1], origin(y, photograph.height())] }
}

/// Two sine waves.
#[derive(Clone, Copy, Debug)]
struct Motion {
    waves: [(f64, f64); 2],
}

impl Motion {
    fn new(random: &mut StdRng) -> Self {
        let mut wave = || (random.random_range(SLOW_HZ), random.random_range(0.0..std::f64::consts::TAU));
        Self { waves: [wave(), wave()] }
    }

    /// -1..=1.
    fn at(&self, at_secs: f64) -> f64 {
        let sum: f64 = self.waves.iter().map(|(hz, phase)| (std::f64::consts::TAU * hz * at_secs + phase).sin()).sum();
        sum / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::{CANVAS, FRAMES_PER_SEC, moved_still};
    use crate::media::RgbImage;

    fn frames(seed: u64) -> Vec<crate::media::VideoFrame> {
        let photograph = RgbImage::new(60, 80, [20, 120, 220].repeat(60 * 80)).expect("sizes agree");
        moved_still(photograph, 1, seed).collect()
    }

    #[test]
    fn the_photograph_moves_and_the_seed_decides_how() {
        let first = frames(1);
        assert_eq!(first.len(), FRAMES_PER_SEC as usize);
        assert!(first.iter().all(|frame| (frame.picture.width(), frame.picture.height()) == CANVAS));
        assert!(first.windows(2).all(|pair| pair[0].picture.to_rgb() != pair[1].picture.to_rgb()));
        assert!(first.windows(2).all(|pair| pair[0].media_time < pair[1].media_time));
        assert_eq!(first[3].picture.to_rgb(), frames(1)[3].picture.to_rgb());
        assert_ne!(first[3].picture.to_rgb(), frames(2)[3].picture.to_rgb());
        let middle = (CANVAS.1 / 2 * CANVAS.0 + CANVAS.0 / 2) as usize * 3;
        assert!(
            first[0].picture.to_rgb().pixels()[middle] < 60 && first[0].picture.to_rgb().pixels()[middle + 2] > 180,
            "it is in the middle"
        );
    }
}
