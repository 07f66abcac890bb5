//! Pictures for people to look at: a frame made small, and a face cut out with what is around it.
//!
//! Unlike a model's input, nothing is turned or padded: what is shown is what was there.

use super::error::VisionError;
use super::geometry::BoxPx;
use super::resample::{Interpolation, PixelRect, resize_region, side_i32, whole};
use crate::media::{PictureView, RgbImage};

/// Side of the square around a face over the longer side of its box.
const MARGIN: f32 = 1.6;
/// Smallest square that shows anything.
const MIN_SIDE_PX: i32 = 16;

/// A square cut out of a frame around a face.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceCut {
    /// Its pixels, never enlarged.
    pub image: RgbImage,
    /// Where it was, in frame pixels.
    pub region: BoxPx,
}

/// A frame whose longer side is at most `max_side_px`, in its own shape; never enlarged.
///
/// # Errors
/// [`VisionError::Operation`] when the image library refuses the frame, [`VisionError::DegenerateLandmarks`] when it has no pixel.
pub fn small_frame(frame: PictureView<'_>, max_side_px: u16) -> Result<RgbImage, VisionError> {
    let (width, height) = (frame.width(), frame.height());
    let scale = (f64::from(max_side_px) / f64::from(width.max(height))).min(1.0);
    let side = |from: u32| whole(f64::from(from) * scale).clamp(1, i32::from(max_side_px.max(1)));
    let whole_frame = PixelRect { left: 0, top: 0, width: side_i32(width), height: side_i32(height) };
    shrunk(frame, whole_frame, (side(width), side(height)))
}

/// The square around a face, shifted and reduced until it lies in the frame; its side is at most `max_side_px`. `None` when the
/// box is not finite or too little of it lies in the frame.
///
/// # Errors
/// [`VisionError::Operation`] when the image library refuses the frame.
pub fn cut_face(frame: PictureView<'_>, face: &BoxPx, max_side_px: u16) -> Result<Option<FaceCut>, VisionError> {
    if !face.is_finite() {
        return Ok(None);
    }
    let (width, height) = (side_i32(frame.width()), side_i32(frame.height()));
    let side = whole(f64::from(face.width().max(face.height()) * MARGIN)).min(width).min(height);
    let center = face.center();
    let is_inside =
        (0.0..=frame.width() as f32).contains(&center.x) && (0.0..=frame.height() as f32).contains(&center.y);
    if side < MIN_SIDE_PX || !is_inside {
        return Ok(None);
    }
    let first = |center: f32, size: i32| whole(f64::from(center) - f64::from(side) / 2.0).clamp(0, size - side);
    let square = PixelRect { left: first(center.x, width), top: first(center.y, height), width: side, height: side };
    let target = side.min(i32::from(max_side_px));
    let image = shrunk(frame, square, (target, target))?;
    let [left, top, side] = [square.left, square.top, side].map(|px| px as f32);
    Ok(Some(FaceCut { image, region: BoxPx { left, top, right: left + side, bottom: top + side } }))
}

fn shrunk(frame: PictureView<'_>, region: PixelRect, (width, height): (i32, i32)) -> Result<RgbImage, VisionError> {
    let none = |_| VisionError::DegenerateLandmarks { problem: "the picture has no pixels" };
    let size = (u16::try_from(width).map_err(none)?, u16::try_from(height).map_err(none)?);
    let chip = resize_region(frame, region, size, Interpolation::Area)?;
    let pixels = chip.pixels()?.to_vec();
    RgbImage::new(u32::from(size.0), u32::from(size.1), pixels)
        .map_err(|_| VisionError::DegenerateLandmarks { problem: "the picture has no pixels" })
}

#[cfg(test)]
mod tests {
    use super::{cut_face, small_frame};
    use crate::media::RgbImage;
    use crate::vision::geometry::BoxPx;

    /// Red grows with x, green with y.
    fn ramp(width: u32, height: u32) -> RgbImage {
        let level = |position: u32, size: u32| u8::try_from(position * 255 / size).expect("a level");
        let pixels =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [level(x, width), level(y, height), 7])).collect();
        RgbImage::new(width, height, pixels).expect("size fits")
    }

    fn level(image: &RgbImage, x: u32, y: u32) -> [u8; 3] {
        let at = ((y * image.width() + x) * 3) as usize;
        [0, 1, 2].map(|channel| image.pixels()[at + channel])
    }

    #[test]
    fn frames_keep_their_shape_and_are_never_enlarged() {
        for (from, expected) in [
            ((1_920, 1_080), (640, 360)),
            ((720, 1_280), (360, 640)),
            ((640, 480), (640, 480)),
            ((641, 3), (640, 3)),
            ((32, 24), (32, 24)),
        ] {
            let image = ramp(from.0, from.1);
            let small = small_frame((&image).into(), 640).expect("shrinks");
            assert_eq!((small.width(), small.height()), expected, "{from:?}");
            let middle = level(&small, small.width() / 2, small.height() / 2);
            assert!(
                middle[0].abs_diff(127) < 4 && (from.1 < 24 || middle[1].abs_diff(127) < 8),
                "{from:?}: {middle:?}"
            );
        }
    }

    #[test]
    fn a_face_is_cut_out_where_it_is() {
        let image = ramp(1_000, 1_000);
        let face = BoxPx { left: 450.0, top: 430.0, right: 550.0, bottom: 570.0 };
        let cut = cut_face((&image).into(), &face, 256).expect("cuts").expect("is there");
        assert_eq!((cut.image.width(), cut.image.height()), (224, 224), "not enlarged");
        assert_eq!(cut.region, BoxPx { left: 388.0, top: 388.0, right: 612.0, bottom: 612.0 });
        assert!(level(&cut.image, 112, 112)[0].abs_diff(127) < 3);
        let large = BoxPx { left: 100.0, top: 100.0, right: 900.0, bottom: 900.0 };
        let cut = cut_face((&image).into(), &large, 256).expect("cuts").expect("is there");
        assert_eq!((cut.image.width(), cut.region.width()), (256, 1_000.0));
    }

    #[test]
    fn a_face_at_the_edge_is_shifted_inside_and_what_is_none_is_not_cut() {
        let image = ramp(400, 300);
        let at_edge = BoxPx { left: -50.0, top: 200.0, right: 70.0, bottom: 320.0 };
        let cut = cut_face((&image).into(), &at_edge, 256).expect("cuts").expect("is there");
        assert!(cut.region.left == 0.0 && cut.region.bottom == 300.0, "{:?}", cut.region);
        for bad in [
            BoxPx { left: f32::NAN, ..at_edge },
            BoxPx { right: f32::INFINITY, ..at_edge },
            BoxPx::default(),
            BoxPx { left: 900.0, right: 990.0, ..at_edge },
            BoxPx { left: 10.0, top: 10.0, right: 12.0, bottom: 12.0 },
        ] {
            assert_eq!(cut_face((&image).into(), &bad, 256).expect("no failure"), None, "{bad:?}");
        }
    }
}
