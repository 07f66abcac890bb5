//! Pictures onto pictures of another size.

use crate::media::RgbImage;

/// Where a point of the output comes from: `x = a*u + b*v + c`, `y = d*u + e*v + f`, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    /// `[a, b, c]`.
    pub(super) x: [f64; 3],
    /// `[d, e, f]`.
    pub(super) y: [f64; 3],
}

/// A picture of the given size, each pixel looked up in `source` by `source_from_output` with bilinear weights; outside the
/// source, the nearest pixel, or `beyond` where that is given.
pub(super) fn warp(
    source: &RgbImage,
    (width, height): (u32, u32),
    source_from_output: Affine,
    beyond: Option<&RgbImage>,
) -> Option<RgbImage> {
    let (last_x, last_y) = (f64::from(source.width() - 1), f64::from(source.height() - 1));
    let stride = source.width() as usize * 3;
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for v in 0..height {
        for u in 0..width {
            let (column, row) = (f64::from(u), f64::from(v));
            let at = |line: [f64; 3]| line[0] * column + line[1] * row + line[2];
            let (x, y) = (at(source_from_output.x), at(source_from_output.y));
            let is_outside = x < 0.0 || y < 0.0 || x > last_x || y > last_y;
            if let (true, Some(beyond)) = (is_outside, beyond) {
                let start = (v as usize * beyond.width() as usize + u as usize) * 3;
                pixels.extend_from_slice(beyond.pixels().get(start..start + 3)?);
                continue;
            }
            let (x, y) = (x.clamp(0.0, last_x), y.clamp(0.0, last_y));
            let (weight_x, weight_y) = (x.fract(), y.fract());
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
            let (left, top) = (x as usize, y as usize);
            let (right, bottom) =
                ((left + 1).min(source.width() as usize - 1), (top + 1).min(source.height() as usize - 1));
            for channel in 0..3 {
                let level = |column: usize, row: usize| {
                    f64::from(source.pixels().get(row * stride + column * 3 + channel).copied().unwrap_or(0))
                };
                let above = level(left, top) * (1.0 - weight_x) + level(right, top) * weight_x;
                let below = level(left, bottom) * (1.0 - weight_x) + level(right, bottom) * weight_x;
                pixels.push(level_of(above * (1.0 - weight_y) + below * weight_y));
            }
        }
    }
    RgbImage::new(width, height, pixels).ok()
}

/// The picture scaled to fit into a size, with black bars where its shape differs.
pub(super) fn fitted(source: &RgbImage, (width, height): (u32, u32)) -> Option<RgbImage> {
    if (source.width(), source.height()) == (width, height) {
        return Some(source.clone());
    }
    let (from_width, from_height) = (f64::from(source.width()), f64::from(source.height()));
    let scale = (from_width / f64::from(width)).max(from_height / f64::from(height));
    let offset = |from: f64, to: u32| (from - f64::from(to) * scale) / 2.0 + (scale - 1.0) / 2.0;
    let map = Affine { x: [scale, 0.0, offset(from_width, width)], y: [0.0, scale, offset(from_height, height)] };
    let black = RgbImage::new(width, height, vec![0; width as usize * height as usize * 3]).ok()?;
    warp(source, (width, height), map, Some(&black))
}

/// The nearest 8-bit level.
pub(super) fn level_of(value: f64) -> u8 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a level")]
    let level = value.round().clamp(0.0, 255.0) as u8;
    level
}

#[cfg(test)]
mod tests {
    use super::{Affine, fitted, warp};
    use crate::media::RgbImage;

    fn ramp(width: u32, height: u32) -> RgbImage {
        let pixels = (0..height).flat_map(|_| (0..width).flat_map(|x| [(x * 10) as u8; 3])).collect();
        RgbImage::new(width, height, pixels).expect("sizes agree")
    }

    #[test]
    fn a_shift_by_half_a_pixel_is_the_mean_of_two() {
        let shift = Affine { x: [1.0, 0.0, 0.5], y: [0.0, 1.0, 0.0] };
        let warped = warp(&ramp(8, 4), (8, 4), shift, None).expect("warps");
        assert_eq!(&warped.pixels()[..6], [5, 5, 5, 15, 15, 15]);
        assert_eq!(warped.pixels()[7 * 3], 70, "the last column repeats the edge");
    }

    #[test]
    fn fitting_keeps_the_shape_and_fills_with_black() {
        let wide = RgbImage::new(4, 2, vec![200; 24]).expect("sizes agree");
        let square = fitted(&wide, (4, 4)).expect("fits");
        let row = |index: usize| &square.pixels()[index * 12..index * 12 + 12];
        assert_eq!((row(0), row(1), row(3)), (&[0; 12][..], &[200; 12][..], &[0; 12][..]));
    }
}
