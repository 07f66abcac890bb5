//! Cutting, resampling and laying out pixels for a model: one pass over the region that is needed, not over the frame.

use opencv::core::{BORDER_CONSTANT, Mat, MatTraitConst, MatTraitConstManual, Rect, Scalar, Size, ToInputArray, Vec3b};
use opencv::imgproc;

use super::error::VisionError;
use super::geometry::PointPx;
use super::transform::Similarity;
use crate::media::RgbView;

/// Colour channels.
const CHANNELS: usize = 3;
/// Reductions stronger than this average pixels before they interpolate, lest a large face aliases.
const MAX_BILINEAR_REDUCTION: f64 = 2.0;

/// Order of the colour channels that a model wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
}

/// A rectangle of whole pixels inside a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelRect {
    /// First column.
    pub(super) left: i32,
    /// First row.
    pub(super) top: i32,
    /// Columns.
    pub(super) width: i32,
    /// Rows.
    pub(super) height: i32,
}

/// Interpolation of [`resize_region`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interpolation {
    /// Two by two neighbours.
    Bilinear,
    /// Mean of all source pixels behind a target pixel.
    Area,
}

/// Warps a frame into a `side` by `side` chip, packed RGB; what lies outside the frame becomes black.
pub(super) fn warp_chip(frame: RgbView<'_>, chip_from_frame: &Similarity, side: u16) -> Result<Vec<u8>, VisionError> {
    let degenerate = VisionError::DegenerateLandmarks { problem: "the region has no size" };
    let Some(frame_from_chip) = chip_from_frame.inverse().filter(|_| chip_from_frame.is_finite()) else {
        return Err(degenerate);
    };
    let reduction = frame_from_chip.scale();
    if !reduction.is_finite() {
        return Err(degenerate);
    }
    let source = frame_mat(frame)?;
    if reduction <= MAX_BILINEAR_REDUCTION {
        return warp(&source, chip_from_frame.rows_for_reduced((0.0, 0.0), 1.0), side);
    }
    let factor = whole(reduction.floor());
    let Some(region) = region_behind(frame, &frame_from_chip, side, factor) else {
        return Ok(vec![0; usize::from(side) * usize::from(side) * CHANNELS]);
    };
    let reduced =
        resize(&source, region, Size::new(region.width / factor, region.height / factor), Interpolation::Area)?;
    let origin = (f64::from(region.left), f64::from(region.top));
    warp(&reduced, chip_from_frame.rows_for_reduced(origin, f64::from(factor)), side)
}

/// Resizes one rectangle of a frame to `width` by `height`, packed RGB.
pub(super) fn resize_region(
    frame: RgbView<'_>,
    region: PixelRect,
    (width, height): (u16, u16),
    interpolation: Interpolation,
) -> Result<Vec<u8>, VisionError> {
    let source = frame_mat(frame)?;
    let resized = resize(&source, region, Size::new(i32::from(width), i32::from(height)), interpolation)?;
    Ok(resized.data_bytes().map_err(failed("read pixels"))?.to_vec())
}

/// Lays packed RGB out as it is, `[height, width, 3]`, each value times `factor`.
pub(super) fn write_nhwc(pixels: &[u8], factor: f32, input: &mut [f32]) -> Result<(), VisionError> {
    check_length(input, pixels.len())?;
    for (value, level) in input.iter_mut().zip(pixels) {
        *value = f32::from(*level) * factor;
    }
    Ok(())
}

/// Lays packed RGB out as `[3, height, width]`, each value as `(value - offset) * factor`.
pub(super) fn write_nchw(
    pixels: &[u8],
    order: ChannelOrder,
    offset: f32,
    factor: f32,
    input: &mut [f32],
) -> Result<(), VisionError> {
    check_length(input, pixels.len())?;
    let pixels = pixels.as_chunks::<CHANNELS>().0;
    let (first, rest) = input.split_at_mut(pixels.len());
    let (second, third) = rest.split_at_mut(pixels.len());
    let (red, green, blue) = match order {
        ChannelOrder::Rgb => (first, second, third),
        ChannelOrder::Bgr => (third, second, first),
    };
    let value = |level: u8| (f32::from(level) - offset) * factor;
    for (((pixel, red), green), blue) in pixels.iter().zip(red).zip(green).zip(blue) {
        (*red, *green, *blue) = (value(pixel[0]), value(pixel[1]), value(pixel[2]));
    }
    Ok(())
}

/// Keeps every call of the image library on the thread that makes it: frames are what fills the cores, and handing a crop from
/// thread to thread costs more than the crop.
///
/// # Errors
/// [`VisionError::Operation`] when the library refuses.
pub fn stay_on_the_calling_thread() -> Result<(), VisionError> {
    opencv::core::set_num_threads(1).map_err(failed("set the number of threads"))
}

/// Turns an error of the image library into ours.
pub(super) fn failed(operation: &'static str) -> impl FnOnce(opencv::Error) -> VisionError {
    move |source| VisionError::Operation { operation, source }
}

/// A side in the image library's type; a side that does not fit makes the library refuse the picture.
pub(super) fn side_i32(side: u32) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}

/// The nearest whole number of pixels; saturates, and takes what is not a number for zero.
#[expect(clippy::cast_possible_truncation, reason = "float to int casts saturate, and NaN becomes zero")]
pub(super) fn whole(value: f64) -> i32 {
    value.round() as i32
}

/// Whether a model's input has room for exactly so many values.
fn check_length(input: &[f32], expected: usize) -> Result<(), VisionError> {
    if input.len() == expected {
        return Ok(());
    }
    Err(VisionError::InputLength { expected, actual: input.len() })
}

fn frame_mat(frame: RgbView<'_>) -> Result<opencv::boxed_ref::BoxedRef<'_, Mat>, VisionError> {
    Mat::new_rows_cols_with_bytes::<Vec3b>(side_i32(frame.height()), side_i32(frame.width()), frame.pixels())
        .map_err(failed("wrap frame"))
}

fn resize(
    source: &impl MatTraitConst,
    region: PixelRect,
    size: Size,
    interpolation: Interpolation,
) -> Result<Mat, VisionError> {
    let flag = match interpolation {
        Interpolation::Bilinear => imgproc::INTER_LINEAR,
        Interpolation::Area => imgproc::INTER_AREA,
    };
    let rect = Rect::new(region.left, region.top, region.width, region.height);
    let cut = Mat::roi(source, rect).map_err(failed("cut region"))?;
    let mut resized = Mat::default();
    imgproc::resize(&cut, &mut resized, size, 0.0, 0.0, flag).map_err(failed("resize"))?;
    Ok(resized)
}

fn warp(source: &impl ToInputArray, rows: [[f64; 3]; 2], side: u16) -> Result<Vec<u8>, VisionError> {
    let matrix = Mat::from_slice_2d(&rows).map_err(failed("build matrix"))?;
    let mut chip = Mat::default();
    let size = Size::new(i32::from(side), i32::from(side));
    imgproc::warp_affine(source, &mut chip, &matrix, size, imgproc::INTER_LINEAR, BORDER_CONSTANT, Scalar::all(0.0))
        .map_err(failed("warp"))?;
    Ok(chip.data_bytes().map_err(failed("read pixels"))?.to_vec())
}

/// The part of the frame that a chip sees, as a multiple of `factor` in both directions; `None` when it sees nothing.
fn region_behind(frame: RgbView<'_>, frame_from_chip: &Similarity, side: u16, factor: i32) -> Option<PixelRect> {
    let far = f32::from(side);
    let corners =
        [(0.0, 0.0), (far, 0.0), (0.0, far), (far, far)].map(|(x, y)| frame_from_chip.apply(PointPx { x, y }));
    let edge = |pick: fn(&PointPx) -> f32, choose: fn(f32, f32) -> f32, start: f32| {
        f64::from(corners.iter().map(pick).fold(start, choose))
    };
    let (frame_width, frame_height) = (side_i32(frame.width()), side_i32(frame.height()));
    let left = (whole(edge(|p| p.x, f32::min, f32::INFINITY).floor())).saturating_sub(factor).clamp(0, frame_width);
    let top = (whole(edge(|p| p.y, f32::min, f32::INFINITY).floor())).saturating_sub(factor).clamp(0, frame_height);
    let right =
        whole(edge(|p| p.x, f32::max, f32::NEG_INFINITY).ceil()).saturating_add(factor).clamp(left, frame_width);
    let bottom =
        whole(edge(|p| p.y, f32::max, f32::NEG_INFINITY).ceil()).saturating_add(factor).clamp(top, frame_height);
    let (width, height) = ((right - left) / factor * factor, (bottom - top) / factor * factor);
    (width > 0 && height > 0).then_some(PixelRect { left, top, width, height })
}

#[cfg(test)]
mod tests {
    use super::{ChannelOrder, Interpolation, PixelRect, resize_region, warp_chip, write_nchw, write_nhwc};
    use crate::media::RgbImage;
    use crate::vision::error::VisionError;
    use crate::vision::geometry::PointPx;
    use crate::vision::transform::Similarity;

    /// Red grows with x, green with y, blue is constant: every place is recognisable.
    fn ramp(width: u32, height: u32) -> RgbImage {
        let level = |position: u32, size: u32| u8::try_from(position * 255 / size.max(1)).unwrap_or(255);
        let pixels =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [level(x, width), level(y, height), 7])).collect();
        RgbImage::new(width, height, pixels).expect("size fits")
    }

    #[test]
    fn a_chip_shows_what_lies_behind_it_at_every_reduction() {
        let frame = ramp(1000, 800);
        for side_px in [60.0_f64, 200.0, 500.0, 760.0] {
            let center = PointPx { x: 520.0, y: 400.0 };
            let chip_from_frame = Similarity::about(center, PointPx { x: 32.0, y: 32.0 }, 64.0 / side_px, 0.0);
            let chip = warp_chip(frame.view(), &chip_from_frame, 64).expect("warps");
            let middle = &chip[(32 * 64 + 32) * 3..][..3];
            assert!((i16::from(middle[0]) - 132).abs() <= 2, "{side_px}: {middle:?}");
            assert!((i16::from(middle[1]) - 128).abs() <= 2, "{side_px}: {middle:?}");
            let corner = &chip[..3];
            let expected = ((520.0 - side_px / 2.0) * 0.255).max(0.0);
            assert!((f64::from(corner[0]) - expected).abs() <= 3.0, "{side_px}: {corner:?}, expected {expected}");
        }
    }

    #[test]
    fn a_chip_outside_the_frame_is_black() {
        let frame = ramp(100, 100);
        for scale in [1.0, 0.05] {
            let chip_from_frame =
                Similarity::about(PointPx { x: 9e5, y: 9e5 }, PointPx { x: 16.0, y: 16.0 }, scale, 0.3);
            let chip = warp_chip(frame.view(), &chip_from_frame, 32).expect("warps");
            assert!(chip.len() == 32 * 32 * 3 && chip.iter().all(|value| *value == 0));
        }
    }

    #[test]
    fn layouts_put_channels_where_the_model_looks_for_them() {
        let pixels = [10, 20, 30, 11, 21, 31];
        let mut planes = [0.0; 6];
        write_nchw(&pixels, ChannelOrder::Bgr, 0.0, 1.0, &mut planes).expect("fits");
        assert_eq!(planes, [30.0, 31.0, 20.0, 21.0, 10.0, 11.0]);
        write_nchw(&pixels, ChannelOrder::Rgb, 10.0, 0.5, &mut planes).expect("fits");
        assert_eq!(planes, [0.0, 0.5, 5.0, 5.5, 10.0, 10.5]);
        let mut packed = [0.0; 6];
        write_nhwc(&pixels, 0.5, &mut packed).expect("fits");
        assert_eq!(packed, [5.0, 10.0, 15.0, 5.5, 10.5, 15.5]);
        for length in [0, 5, 7] {
            let mut input = vec![0.0; length];
            let refusals =
                [write_nhwc(&pixels, 1.0, &mut input), write_nchw(&pixels, ChannelOrder::Rgb, 0.0, 1.0, &mut input)];
            assert!(
                refusals.iter().all(|refusal| matches!(refusal, Err(VisionError::InputLength { expected: 6, .. })))
            );
        }
    }

    #[test]
    fn a_region_outside_the_frame_is_an_error() {
        let frame = ramp(10, 10);
        let region = PixelRect { left: 5, top: 5, width: 10, height: 10 };
        assert!(resize_region(frame.view(), region, (4, 4), Interpolation::Bilinear).is_err());
    }
}
