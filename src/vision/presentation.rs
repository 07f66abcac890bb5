//! The passive presentation-attack model: a `MiniFASNet` that sees a face close and with its surroundings.
//!
//! In: a frame and a face box. Out: an attack score. Deliberately not here: whether the score may be believed; with nothing
//! around the face it may not, see [`prepare`].

use ndarray::{ArrayBase, Data, IxDyn};

use super::error::VisionError;
use super::geometry::BoxPx;
use super::resample::{ChannelOrder, Interpolation, PixelRect, resize_region, side_i32, whole, write_nchw};
use super::tensor::attack_score;
use super::tracker::TrackedFace;
use crate::media::PictureView;

const MODEL: &str = "presentation";
/// Side of the model's input.
const INPUT_SIDE: u16 = 128;
/// Side of the close view over that of the box: the texture of skin, print or screen.
const CLOSE_SCALE: f32 = 1.0;
/// Side of the wide view over that of the box: what a photograph or screen ends in.
const SURROUNDINGS_SCALE: f32 = 2.7;

/// The box of a face from which to cut: the detector's own, on which the model was trained, where it ran on this frame, else
/// the one that follows from the mesh, which gives scores of the same discrimination within .01 of AUC (ADR 004).
#[must_use]
pub fn model_box(face: &TrackedFace) -> BoxPx {
    face.detection.map_or(face.box_in_frame, |detection| detection.box_in_frame)
}

/// Cuts both views of a face out of a frame, for the model, and says what share of the wide view's area the frame holds, 0..=1.
///
/// # Shapes
/// `input`: `[2, 3, 128, 128]`, f32, **BGR**, 0..=255; the close view first.
///
/// A view that is too large for the frame is reduced until it fits, and one that reaches over an edge is shifted back
/// inside: the model never sees padding.
///
/// # Errors
/// [`VisionError::DegenerateLandmarks`] when the box is empty, not finite or outside the frame,
/// [`VisionError::Operation`] when the image library refuses the crop.
///
/// # Source
/// The crop of Silent-Face-Anti-Spoofing (minivision-ai, Apache-2.0), which the model's package repeats.
pub fn prepare(frame: PictureView<'_>, box_in_frame: &BoxPx, input: &mut [f32]) -> Result<f32, VisionError> {
    let frame_box = BoxPx { left: 0.0, top: 0.0, right: frame.width() as f32, bottom: frame.height() as f32 };
    let is_usable = box_in_frame.is_finite()
        && box_in_frame.width() >= 1.0
        && box_in_frame.height() >= 1.0
        && box_in_frame.intersection(&frame_box).area() > 0.0;
    if !is_usable {
        return Err(VisionError::DegenerateLandmarks { problem: "the face box is empty or outside the frame" });
    }
    let wanted = grown(box_in_frame, SURROUNDINGS_SCALE);
    let context_ratio = (wanted.intersection(&frame_box).area() / wanted.area()).clamp(0.0, 1.0);
    let (close, surroundings) = input.split_at_mut(input.len() / 2);
    write_view(frame, box_in_frame, CLOSE_SCALE, close)?;
    write_view(frame, box_in_frame, SURROUNDINGS_SCALE, surroundings)?;
    Ok(context_ratio)
}

/// Writes `scale` times the box, reduced and shifted until it fits.
fn write_view(frame: PictureView<'_>, box_in_frame: &BoxPx, scale: f32, input: &mut [f32]) -> Result<(), VisionError> {
    // Last column and row, as in the source.
    let (last_x, last_y) = (frame.width() as f32 - 1.0, frame.height() as f32 - 1.0);
    let fitting = scale.min(last_x / box_in_frame.width()).min(last_y / box_in_frame.height());
    let crop = grown(box_in_frame, fitting);
    let (left, width) = shifted_inside(crop.left, crop.right, last_x, side_i32(frame.width()));
    let (top, height) = shifted_inside(crop.top, crop.bottom, last_y, side_i32(frame.height()));
    let region = PixelRect { left, top, width, height };
    let chip = resize_region(frame, region, (INPUT_SIDE, INPUT_SIDE), Interpolation::Bilinear)?;
    write_nchw(chip.pixels()?, ChannelOrder::Bgr, 0.0, 1.0, input)
}

/// Reads the attack score out of the model's answer: 0..=1, higher = more likely an attack.
///
/// # Errors
/// [`VisionError::OutputShape`] and [`VisionError::NotFinite`] when the answer is not the model's.
pub fn interpret<S: Data<Elem = f32>>(outputs: &[ArrayBase<S, IxDyn>]) -> Result<f32, VisionError> {
    attack_score(MODEL, outputs)
}

fn grown(inner: &BoxPx, scale: f32) -> BoxPx {
    let center = inner.center();
    let (half_width, half_height) = (inner.width() * scale / 2.0, inner.height() * scale / 2.0);
    BoxPx {
        left: center.x - half_width,
        top: center.y - half_height,
        right: center.x + half_width,
        bottom: center.y + half_height,
    }
}

/// Moves a stretch of one axis back inside the frame: first pixel and length, both inside it.
fn shifted_inside(start: f32, end: f32, last: f32, size: i32) -> (i32, i32) {
    let (mut start, mut end) = (start, end);
    if start < 0.0 {
        (start, end) = (0.0, end - start);
    }
    if end > last {
        (start, end) = (start - (end - last), last);
    }
    let first = whole(f64::from(start.max(0.0).floor())).clamp(0, size - 1);
    let length = whole(f64::from((end - start).floor())).clamp(1, size - first);
    (first, length)
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::{interpret, model_box, prepare, shifted_inside};
    use crate::media::RgbImage;
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::error::VisionError;
    use crate::vision::face::{Detection, FaceTrackId};
    use crate::vision::geometry::BoxPx;
    use crate::vision::landmark::face_box;
    use crate::vision::tensor::testing::prepared;
    use crate::vision::tracker::TrackedFace;

    fn answer(logit: f32) -> [ArrayD<f32>; 1] {
        [ArrayD::from_elem(IxDyn(&[1, 1]), logit)]
    }

    #[test]
    fn a_high_logit_is_an_attack() {
        assert!(interpret(&answer(-9.0)).expect("fits") < 0.01);
        assert!((interpret(&answer(0.0)).expect("fits") - 0.5).abs() < 1e-6);
        assert!(interpret(&answer(9.0)).expect("fits") > 0.99);
        for extreme in [1e30, -1e30] {
            assert!((0.0..=1.0).contains(&interpret(&answer(extreme)).expect("fits")));
        }
    }

    #[test]
    fn answers_of_another_model_are_errors() {
        assert!(matches!(interpret(&[] as &[ArrayD<f32>]), Err(VisionError::OutputShape { .. })));
        assert!(matches!(interpret(&answer(f32::NAN)), Err(VisionError::NotFinite { .. })));
    }

    #[test]
    fn crops_are_shifted_back_inside() {
        assert_eq!(shifted_inside(100.0, 200.0, 639.0, 640), (100, 100));
        assert_eq!(shifted_inside(-30.0, 70.0, 639.0, 640), (0, 100));
        assert_eq!(shifted_inside(600.0, 700.0, 639.0, 640), (539, 100));
        assert_eq!(shifted_inside(0.0, 639.0, 639.0, 640), (0, 639));
    }

    #[test]
    fn the_detectors_box_comes_first() {
        let mesh = synthetic_mesh(0.0, 0.0, 0.0, 100.0);
        let from_mesh = face_box(&mesh);
        let detected = Detection { box_in_frame: BoxPx { right: from_mesh.right + 3.0, ..from_mesh }, confidence: 0.9 };
        let mut face =
            TrackedFace { face_track: FaceTrackId(0), mesh, box_in_frame: from_mesh, detection: Some(detected) };
        assert_eq!(model_box(&face), detected.box_in_frame);
        face.detection = None;
        assert_eq!(model_box(&face), from_mesh);
    }

    #[test]
    fn context_is_what_the_frame_really_holds() {
        let frame = RgbImage::new(640, 480, [1, 2, 3].repeat(640 * 480)).expect("size fits");
        let check = |left: f32, top: f32, side: f32| {
            let face = BoxPx { left, top, right: left + side, bottom: top + side };
            let (views, context_ratio) =
                prepared(&[2, 3, 128, 128], |input| prepare(frame.view().into(), &face, input)).expect("prepares");
            assert!((views[[0, 0, 64, 64]] - 3.0).abs() < 1e-6, "blue is first and not scaled");
            context_ratio
        };
        assert!((check(270.0, 190.0, 100.0) - 1.0).abs() < 1e-6, "all of it");
        assert!((check(-50.0, 190.0, 100.0) - 0.5).abs() < 1e-3, "centred on the edge");
        assert!(check(120.0, 40.0, 400.0) < 0.3, "a face that fills the frame");
    }

    #[test]
    fn the_close_view_is_the_box_and_the_other_its_surroundings() {
        // Bright inside the face's box, dark outside.
        let inside = |index: u32| (270..370).contains(&(index % 640)) && (190..290).contains(&(index / 640));
        let pixels = (0..640 * 480).flat_map(|index| [if inside(index) { 200 } else { 10 }; 3]).collect();
        let frame = RgbImage::new(640, 480, pixels).expect("size fits");
        let face = BoxPx { left: 270.0, top: 190.0, right: 370.0, bottom: 290.0 };
        let (views, _) =
            prepared(&[2, 3, 128, 128], |input| prepare(frame.view().into(), &face, input)).expect("prepares");
        assert!(views[[0, 0, 4, 4]] > 190.0, "the close view ends with the box");
        assert!(views[[1, 0, 4, 4]] < 20.0 && views[[1, 0, 64, 64]] > 190.0, "the other goes beyond");
    }

    #[test]
    fn boxes_that_hold_no_face_are_errors() {
        let frame = RgbImage::new(64, 48, vec![0; 64 * 48 * 3]).expect("size fits");
        for (left, right) in [(5.0, 5.0), (f32::NAN, 30.0), (900.0, 950.0), (30.0, 10.0), (0.0, f32::INFINITY)] {
            let face = BoxPx { left, top: 5.0, right, bottom: 40.0 };
            let outcome = prepare(frame.view().into(), &face, &mut []);
            assert!(matches!(outcome, Err(VisionError::DegenerateLandmarks { .. })), "{left} {right}");
        }
        let tiny = RgbImage::new(1, 1, vec![0; 3]).expect("size fits");
        let face = BoxPx { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };
        assert!(prepared(&[2, 3, 128, 128], |input| prepare(tiny.view().into(), &face, input)).is_ok());
    }
}
