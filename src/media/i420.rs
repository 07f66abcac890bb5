//! Packed RGB to planar YUV 4:2:0, as a plugin that holds raw pictures sends them.

use super::image::RgbView;
use super::yuv::YuvMatrix;

/// Luma of black and its span in limited range.
const LUMA: (f64, f64) = (16.0, 219.0);
/// Middle of chroma and its span in limited range.
const CHROMA: (f64, f64) = (128.0, 224.0);

/// Converts a picture to I420, limited range, with the matrix that an untagged picture of its size is read with.
///
/// # Shapes
/// Output: `height * width` bytes of Y, then U, then V, each `ceil(height / 2) * ceil(width / 2)`; chroma is the mean of the
/// up to four pixels that share it.
///
/// # Source
/// ITU-R BT.601-7 and BT.709-6, section 3.
#[must_use]
pub fn encode_i420(image: RgbView<'_>) -> Vec<u8> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (red_weight, blue_weight) = YuvMatrix::guess(image.width(), image.height()).luma_weights();
    let green_weight = 1.0 - red_weight - blue_weight;
    let luma_of = |rgb: [f64; 3]| red_weight * rgb[0] + green_weight * rgb[1] + blue_weight * rgb[2];
    let rows: Vec<&[u8]> = image.pixels().chunks_exact(width * 3).collect();
    let mut bytes = Vec::with_capacity(width * height * 3 / 2 + width + height);
    for row in &rows {
        bytes.extend(row.chunks_exact(3).map(|rgb| quantise(luma_of(unit(rgb)), LUMA)));
    }
    let (mut blue_plane, mut red_plane) = (Vec::new(), Vec::new());
    for pair in rows.chunks(2) {
        for column in (0..width).step_by(2) {
            let block = pair.iter().flat_map(|row| row.chunks_exact(3).skip(column).take(2).map(unit));
            let (mut sum, mut n_pixels) = ([0.0; 3], 0.0);
            for rgb in block {
                sum = [sum[0] + rgb[0], sum[1] + rgb[1], sum[2] + rgb[2]];
                n_pixels += 1.0;
            }
            let mean = sum.map(|channel| channel / n_pixels);
            let luma = luma_of(mean);
            blue_plane.push(quantise((mean[2] - luma) / (2.0 * (1.0 - blue_weight)), CHROMA));
            red_plane.push(quantise((mean[0] - luma) / (2.0 * (1.0 - red_weight)), CHROMA));
        }
    }
    bytes.extend(blue_plane);
    bytes.extend(red_plane);
    bytes
}

fn unit(rgb: &[u8]) -> [f64; 3] {
    match rgb {
        [red, green, blue] => [red, green, blue].map(|channel| f64::from(*channel) / 255.0),
        _ => [0.0; 3],
    }
}

/// `zero + span * value`, rounded to a byte.
fn quantise(value: f64, (zero, span): (f64, f64)) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of a byte")]
    let byte = (zero + span * value).round().clamp(0.0, 255.0) as u8;
    byte
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::media::{
        FrameDecoder, MediaLimits, MediaTime, PixelLayout, RgbImage, Rotation, VideoFormat, VideoSample,
    };

    use super::encode_i420;

    #[test]
    fn a_picture_survives_there_and_back() {
        for (width, height) in [(64, 48), (1_280, 720), (33, 17)] {
            let color = [200_u8, 90, 40];
            let image = RgbImage::new(width, height, color.repeat((width * height) as usize)).expect("size fits");
            let sample = VideoSample {
                sequence: 0,
                media_time: MediaTime::ZERO,
                format: Some(VideoFormat::I420),
                layout: Some(PixelLayout { width, height, ..PixelLayout::default() }),
                rotation: Rotation::None,
                keyframe: true,
                data: Bytes::from(encode_i420(image.view())),
            };
            let frames = FrameDecoder::new(MediaLimits::default(), None).decode(&sample).expect("decodes");
            let decoded = frames[0].picture.to_rgb();
            let pixels = decoded.pixels();
            assert!(pixels.chunks_exact(3).all(|rgb| rgb.iter().zip(color).all(|(got, sent)| got.abs_diff(sent) <= 3)));
        }
    }
}
