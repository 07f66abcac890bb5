//! Cutting, resampling and laying out pixels for a model: one pass over the region that is needed, not over the frame.

use opencv::core::{
    BORDER_CONSTANT, CV_8UC3, Mat, MatTraitConst, MatTraitConstManual, Rect, Scalar, Size, ToInputArray, Vec3b,
};
use opencv::imgproc;

use super::error::VisionError;
use super::geometry::PointPx;
use super::transform::Similarity;
use crate::media::{PictureView, Reduction, Region, RgbWindow};

/// Colour channels.
const CHANNELS: usize = 3;

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

/// Packed RGB as the image library left it.
pub(super) struct Chip(Mat);

impl Chip {
    /// A black square.
    fn black(side: u16) -> Result<Self, VisionError> {
        let side = i32::from(side);
        Mat::new_rows_cols_with_default(side, side, CV_8UC3, Scalar::all(0.0)).map(Self).map_err(failed("make a chip"))
    }

    /// Row by row from the top, three bytes a pixel.
    pub(super) fn pixels(&self) -> Result<&[u8], VisionError> {
        self.0.data_bytes().map_err(failed("read pixels"))
    }
}

/// Warps a frame into a `side` by `side` chip, packed RGB; what lies outside the frame becomes black.
pub(super) fn warp_chip(frame: PictureView<'_>, chip_from_frame: &Similarity, side: u16) -> Result<Chip, VisionError> {
    let degenerate = VisionError::DegenerateLandmarks { problem: "the region has no size" };
    let Some(frame_from_chip) = chip_from_frame.inverse().filter(|_| chip_from_frame.is_finite()) else {
        return Err(degenerate);
    };
    let ratio = frame_from_chip.scale();
    if !ratio.is_finite() {
        return Err(degenerate);
    }
    // At most twice as many pixels as the chip are left: linear interpolation loses none of them.
    let reduction = Reduction::at_most(ratio);
    let factor = reduction.factor();
    let region = region_behind(frame, &frame_from_chip, side, factor);
    let Some(window) = region.and_then(|region| frame.reduced_window(region, reduction)) else {
        return Chip::black(side);
    };
    let origin = (f64::from(window.region().left), f64::from(window.region().top));
    warp(&window_mat(&window)?, chip_from_frame.rows_for_reduced(origin, f64::from(factor)), side)
}

/// Resizes one rectangle of a frame to `width` by `height`, packed RGB.
///
/// Where means of whole areas are asked for and the rectangle is at least twice as large, it is first made smaller in whole
/// squares, in the planes of video before they are converted; a rest of less than a square at its right and bottom is left out.
pub(super) fn resize_region(
    frame: PictureView<'_>,
    region: PixelRect,
    (width, height): (u16, u16),
    interpolation: Interpolation,
) -> Result<Chip, VisionError> {
    let ratio = f64::min(f64::from(region.width) / f64::from(width), f64::from(region.height) / f64::from(height));
    let reduction = match interpolation {
        Interpolation::Area => Reduction::at_most(ratio),
        Interpolation::Bilinear => Reduction::One,
    };
    let window = window_behind(frame, region, reduction)
        .ok_or(VisionError::DegenerateLandmarks { problem: "the region lies outside the frame" })?;
    let source = window_mat(&window)?;
    let size = Size::new(i32::from(width), i32::from(height));
    resize(&source, in_window(region, &window), size, interpolation).map(Chip)
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

/// [`whole`], and zero for what is negative.
fn whole_u32(value: f64) -> u32 {
    u32::try_from(whole(value)).unwrap_or(0)
}

/// Whether a model's input has room for exactly so many values.
fn check_length(input: &[f32], expected: usize) -> Result<(), VisionError> {
    if input.len() == expected {
        return Ok(());
    }
    Err(VisionError::InputLength { expected, actual: input.len() })
}

/// The pixels of a region; `None` when no pixel of it lies in the frame.
fn window_behind(frame: PictureView<'_>, region: PixelRect, reduction: Reduction) -> Option<RgbWindow<'_>> {
    let PixelRect { left, top, width, height } = region;
    let [left, top, width, height] = [left, top, width, height].map(u32::try_from);
    frame.reduced_window(
        Region { left: left.ok()?, top: top.ok()?, width: width.ok()?, height: height.ok()? },
        reduction,
    )
}

/// A region of the frame in the pixels of a window, counted from its first.
fn in_window(region: PixelRect, window: &RgbWindow<'_>) -> PixelRect {
    let Region { left, top, .. } = window.region();
    let factor = side_i32(window.factor());
    let [left, top, width, height] =
        [region.left - side_i32(left), region.top - side_i32(top), region.width, region.height].map(|px| px / factor);
    PixelRect { left, top, width, height }
}

fn window_mat<'a>(window: &'a RgbWindow<'_>) -> Result<opencv::boxed_ref::BoxedRef<'a, Mat>, VisionError> {
    let (width, height) = window.size();
    Mat::new_rows_cols_with_bytes::<Vec3b>(side_i32(height), side_i32(width), window.pixels())
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

fn warp(source: &impl ToInputArray, rows: [[f64; 3]; 2], side: u16) -> Result<Chip, VisionError> {
    let matrix = Mat::from_slice_2d(&rows).map_err(failed("build matrix"))?;
    let mut chip = Mat::default();
    let size = Size::new(i32::from(side), i32::from(side));
    imgproc::warp_affine(source, &mut chip, &matrix, size, imgproc::INTER_LINEAR, BORDER_CONSTANT, Scalar::all(0.0))
        .map_err(failed("warp"))?;
    Ok(Chip(chip))
}

/// The part of the frame that a chip sees, and `margin` pixels around it; `None` when it sees nothing.
fn region_behind(frame: PictureView<'_>, frame_from_chip: &Similarity, side: u16, margin: u32) -> Option<Region> {
    let far = f32::from(side);
    let corners =
        [(0.0, 0.0), (far, 0.0), (0.0, far), (far, far)].map(|(x, y)| frame_from_chip.apply(PointPx { x, y }));
    let stretch = |pick: fn(&PointPx) -> f32, size: u32| {
        let (first, last) = corners
            .iter()
            .map(pick)
            .fold((f32::INFINITY, f32::NEG_INFINITY), |(first, last), at| (first.min(at), last.max(at)));
        let first = whole_u32(f64::from(first.floor())).saturating_sub(margin);
        let last = whole_u32(f64::from(last.ceil())).saturating_add(margin).min(size);
        (first < last).then(|| (first, last - first))
    };
    let ((left, width), (top, height)) = (stretch(|p| p.x, frame.width())?, stretch(|p| p.y, frame.height())?);
    Some(Region { left, top, width, height })
}

#[cfg(test)]
mod tests {
    use super::{ChannelOrder, Interpolation, PixelRect, resize_region, side_i32, warp_chip, write_nchw, write_nhwc};
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
            let chip = warp_chip(frame.view().into(), &chip_from_frame, 64).expect("warps");
            let chip = chip.pixels().expect("has pixels");
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
            let chip = warp_chip(frame.view().into(), &chip_from_frame, 32).expect("warps");
            let chip = chip.pixels().expect("has pixels");
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
    fn areas_are_means_of_their_pixels() {
        for (width, height) in [(128_u32, 72_u32), (129, 73), (64, 36), (512, 288)] {
            let level = |x: u32, y: u32| ((x * 37) ^ (y * 101)).to_le_bytes()[0];
            let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
            let pixels = pixels.flat_map(|(x, y)| [level(x, y), 0, 255]).collect();
            let frame = RgbImage::new(width, height, pixels).expect("sizes agree");
            let region = PixelRect { left: 0, top: 0, width: side_i32(width), height: side_i32(height) };
            let chip = resize_region(frame.view().into(), region, (32, 18), Interpolation::Area).expect("resizes");
            let (a_column, a_row) = (width / 32, height / 18);
            for (idx, pixel) in (0_u32..).zip(chip.pixels().expect("has pixels").as_chunks::<3>().0) {
                let (left, top) = (idx % 32 * a_column, idx / 32 * a_row);
                let behind =
                    (top..top + a_row).flat_map(|y| (left..left + a_column).map(move |x| f64::from(level(x, y))));
                let mean = behind.sum::<f64>() / f64::from(a_column * a_row);
                assert_eq!(pixel[1..], [0, 255]);
                assert!((f64::from(pixel[0]) - mean).abs() <= 1.0, "{width}x{height}, {idx}: {pixel:?}, {mean}");
            }
        }
    }

    #[test]
    fn a_region_outside_the_frame_is_an_error() {
        let frame = ramp(10, 10);
        let region = PixelRect { left: 5, top: 5, width: 10, height: 10 };
        assert!(resize_region(frame.view().into(), region, (4, 4), Interpolation::Bilinear).is_err());
    }
}
