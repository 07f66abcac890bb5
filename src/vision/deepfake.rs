//! The deepfake model: signs that a face was swapped, reenacted or blended, in the face and where it meets its surroundings.
//!
//! In: a frame and a face mesh, or a picture that is a face crop already. Out: an attack score. Deliberately not here: whether
//! the face is good enough to judge, see `signals::Deepfake`.

use ndarray::{ArrayBase, Data, IxDyn};

use super::error::VisionError;
use super::face::{DeepfakeOutput, FaceMesh};
use super::geometry::{BoxPx, PointPx};
use super::landmark::extent;
use super::resample::{ChannelOrder, Interpolation, PixelRect, resize_region, side_i32, warp_chip, write_nchw};
use super::tensor::attack_score;
use super::transform::Similarity;
use crate::media::PictureView;

const MODEL: &str = "deepfake";
/// Side of the model's input.
const INPUT_SIDE: u16 = 224;
/// Side of the crop over the geometric mean of the mesh's width and height, as the crops of DFDC are cut.
const CROP_SCALE: f32 = 1.03;
/// What the model takes for 0, and by how much it divides.
const INPUT_OFFSET: f32 = 127.0;
const INPUT_SCALE: f32 = 128.0;
/// Reduction of a ready crop beyond which pixels are averaged before they are interpolated, as in training.
const MAX_BILINEAR_REDUCTION: f32 = 1.6;

/// Cuts the face out of a frame: a square without turning, centred on the mesh.
///
/// `[1, 3, 224, 224]`, f32, RGB, (x - 127) / 128; what lies outside the frame is black.
///
/// # Errors
/// [`VisionError::DegenerateLandmarks`] when the mesh has no extent or is not finite, [`VisionError::Operation`].
pub fn prepare(frame: PictureView<'_>, mesh: &FaceMesh, input: &mut [f32]) -> Result<(), VisionError> {
    let extent = finite_extent(mesh).ok_or(VisionError::DegenerateLandmarks { problem: "the mesh has no extent" })?;
    let side = CROP_SCALE * extent.area().sqrt();
    let middle = f32::from(INPUT_SIDE) / 2.0;
    let chip_from_frame = Similarity::about(
        extent.center(),
        PointPx { x: middle, y: middle },
        f64::from(f32::from(INPUT_SIDE) / side),
        0.0,
    );
    write(warp_chip(frame, &chip_from_frame, INPUT_SIDE)?.pixels()?, input)
}

/// Takes a picture that is a tight face crop already, whole and whatever its aspect; the input is that of [`prepare`].
///
/// # Errors
/// [`VisionError::Operation`].
pub fn prepare_crop(crop: PictureView<'_>, input: &mut [f32]) -> Result<(), VisionError> {
    let reduction = crop.width().max(crop.height()) as f32 / f32::from(INPUT_SIDE);
    let interpolation = if reduction > MAX_BILINEAR_REDUCTION { Interpolation::Area } else { Interpolation::Bilinear };
    let whole = PixelRect { left: 0, top: 0, width: side_i32(crop.width()), height: side_i32(crop.height()) };
    write(resize_region(crop, whole, (INPUT_SIDE, INPUT_SIDE), interpolation)?.pixels()?, input)
}

/// Reads the attack score out of the model's answer: 0..=1, higher = more likely a deepfake.
///
/// # Errors
/// [`VisionError::OutputShape`] and [`VisionError::NotFinite`] when the answer is not the model's.
pub fn interpret<S: Data<Elem = f32>>(outputs: &[ArrayBase<S, IxDyn>]) -> Result<DeepfakeOutput, VisionError> {
    Ok(DeepfakeOutput { attack_score: attack_score(MODEL, outputs)? })
}

fn write(pixels: &[u8], input: &mut [f32]) -> Result<(), VisionError> {
    write_nchw(pixels, ChannelOrder::Rgb, INPUT_OFFSET, 1.0 / INPUT_SCALE, input)
}

/// The box around a mesh, if all of it is finite and it has an extent.
fn finite_extent(mesh: &FaceMesh) -> Option<BoxPx> {
    let extent = extent(mesh);
    let all_finite = mesh.points_in_frame.iter().all(|[x, y, _]| x.is_finite() && y.is_finite());
    (all_finite && extent.width() >= 1.0 && extent.height() >= 1.0).then_some(extent)
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::{finite_extent, interpret, prepare, prepare_crop};
    use crate::media::RgbImage;
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::error::VisionError;
    use crate::vision::tensor::testing::prepared;

    const TOLERANCE: f32 = 1e-3;

    fn answer(logit: f32) -> [ArrayD<f32>; 1] {
        [ArrayD::from_elem(IxDyn(&[1, 1]), logit)]
    }

    /// Red grows to the right and green downwards, one level in so many pixels.
    fn slopes(width: u32, height: u32, pixels_a_level: u32) -> RgbImage {
        let pixel = |index: u32| [(index % width / pixels_a_level) as u8, (index / width / pixels_a_level) as u8, 7];
        RgbImage::new(width, height, (0..width * height).flat_map(pixel).collect()).expect("size fits")
    }

    #[test]
    fn higher_logits_are_more_likely_fakes() {
        let score = |logit: f32| interpret(&answer(logit)).expect("fits").attack_score;
        assert!(score(-9.0) < 0.01 && score(9.0) > 0.99);
        assert!((score(0.0) - 0.5).abs() < 1e-6);
        assert!([-1e30, 1e30].map(score).iter().all(|score| (0.0..=1.0).contains(score)));
    }

    #[test]
    fn answers_of_another_model_are_errors() {
        assert!(matches!(interpret(&[] as &[ArrayD<f32>]), Err(VisionError::OutputShape { .. })));
        assert!(matches!(interpret(&answer(f32::NAN)), Err(VisionError::NotFinite { .. })));
    }

    #[test]
    fn the_crop_is_a_square_around_the_mesh() {
        let frame = slopes(640, 480, 3);
        let mesh = synthetic_mesh(0.0, 0.0, 0.0, 100.0);
        let extent = finite_extent(&mesh).expect("has extent");
        let (tensor, ()) =
            prepared(&[1, 3, 224, 224], |input| prepare(frame.view().into(), &mesh, input)).expect("prepares");
        let side = 1.03 * extent.area().sqrt();
        // The level at the centre of the crop's first pixel: a pixel's level is rounded down, by a third on average.
        let first = |middle: f32| (middle - side / 2.0 + side / 448.0 - 0.5) / 3.0 - 0.33;
        let level = |channel: usize, row: usize, column: usize| tensor[[0, channel, row, column]] * 128.0 + 127.0;
        let center = extent.center();
        assert!((level(0, 112, 0) - first(center.x)).abs() < 1.0, "{} {}", level(0, 112, 0), first(center.x));
        assert!((level(1, 0, 112) - first(center.y)).abs() < 1.0, "{} {}", level(1, 0, 112), first(center.y));
        assert!((level(2, 3, 5) - 7.0).abs() < TOLERANCE, "blue is last");
    }

    #[test]
    fn a_ready_crop_is_taken_whole() {
        for side in [40, 160, 224] {
            let crop = slopes(side, side, 1);
            let (tensor, ()) =
                prepared(&[1, 3, 224, 224], |input| prepare_crop(crop.view().into(), input)).expect("prepares");
            let last = tensor[[0, 0, 112, 223]] * 128.0 + 127.0;
            assert!((last - (side - 1) as f32).abs() <= 1.0, "{side}: {last}");
        }
    }

    #[test]
    fn meshes_without_extent_are_errors() {
        let frame = slopes(64, 64, 1);
        for bad in [f32::NAN, f32::INFINITY, 5.0] {
            let mut mesh = synthetic_mesh(0.0, 0.0, 0.0, 100.0);
            for [x, y, _] in mesh.points_in_frame.iter_mut() {
                (*x, *y) = (bad, bad);
            }
            assert!(
                matches!(prepare(frame.view().into(), &mesh, &mut []), Err(VisionError::DegenerateLandmarks { .. })),
                "{bad}"
            );
        }
    }
}
