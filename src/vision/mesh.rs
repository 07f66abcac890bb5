//! The face mesh model: `MediaPipe`'s 468 points.
//!
//! In: a frame and the region of one face. Out: the mesh in frame pixels. Deliberately not here: following regions over time.

use ndarray::{ArrayBase, Data, IxDyn};

use super::error::VisionError;
use super::face::{FaceMesh, MESH_POINTS};
use super::geometry::PointPx;
use super::resample::{warp_chip, write_nhwc};
use super::roi::FaceRoi;
use super::tensor::ExpectedOutput;
use crate::media::PictureView;

const MODEL: &str = "mesh";
/// Side of the model's input.
const INPUT_SIDE: u16 = 192;
/// Level scale of the model's input.
const INPUT_FACTOR: f32 = 1.0 / 255.0;
const POINTS: ExpectedOutput =
    ExpectedOutput { model: MODEL, index: 0, shape: &[1, MESH_POINTS * 3], described: "points [1, 1404]" };
const PRESENCE: ExpectedOutput =
    ExpectedOutput { model: MODEL, index: 1, shape: &[1, 1], described: "presence [1, 1]" };

/// Prepares one face for the mesh model.
///
/// # Shapes
/// Output: `[1, 192, 192, 3]`, f32, RGB, 0..=1; black outside the frame.
///
/// # Errors
/// [`VisionError::Operation`] when the image library refuses the frame.
pub fn prepare(frame: PictureView<'_>, roi: &FaceRoi, input: &mut [f32]) -> Result<(), VisionError> {
    let chip = warp_chip(frame, &roi.chip_from_frame(INPUT_SIDE), INPUT_SIDE)?;
    write_nhwc(chip.pixels()?, INPUT_FACTOR, input)
}

/// Reads the mesh out of the model's answer for the region that it was prepared from.
///
/// # Errors
/// [`VisionError::OutputShape`] and [`VisionError::NotFinite`] when the answer is not the model's.
pub fn interpret<S: Data<Elem = f32>>(outputs: &[ArrayBase<S, IxDyn>], roi: &FaceRoi) -> Result<FaceMesh, VisionError> {
    let points = POINTS.read(outputs)?;
    let presence = PRESENCE.read(outputs)?;
    let frame_from_chip = roi
        .chip_from_frame(INPUT_SIDE)
        .inverse()
        .ok_or(VisionError::DegenerateLandmarks { problem: "the region has no size" })?;
    let depth_scale = roi.side_px() / f32::from(INPUT_SIDE);
    let mut points_in_frame = Box::new([[0.0; 3]; MESH_POINTS]);
    for (target, [x, y, z]) in points_in_frame.iter_mut().zip(points.as_chunks::<3>().0) {
        let point = frame_from_chip.apply(PointPx { x: *x, y: *y });
        *target = [point.x, point.y, z * depth_scale];
    }
    if points_in_frame.iter().flatten().any(|value| !value.is_finite()) {
        return Err(VisionError::NotFinite { model: MODEL });
    }
    Ok(FaceMesh { points_in_frame, presence: presence.first().map_or(0.0, |value| value.clamp(0.0, 1.0)) })
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::{INPUT_SIDE, interpret, prepare};
    use crate::media::RgbImage;
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::error::VisionError;
    use crate::vision::face::MESH_POINTS;
    use crate::vision::roi::FaceRoi;
    use crate::vision::tensor::testing::prepared;

    fn answer(points: Vec<f32>, presence: f32) -> Vec<ArrayD<f32>> {
        vec![
            ArrayD::from_shape_vec(IxDyn(&[1, points.len()]), points).expect("fits"),
            ArrayD::from_elem(IxDyn(&[1, 1]), presence),
        ]
    }

    #[test]
    fn points_come_back_to_where_the_chip_saw_them() {
        let truth = synthetic_mesh(10.0, -5.0, 20.0, 150.0);
        let roi = FaceRoi::from_mesh(&truth).expect("has extent");
        let chip_from_frame = roi.chip_from_frame(INPUT_SIDE);
        let scale = f32::from(INPUT_SIDE) / roi.side_px();
        let in_chip = (0..MESH_POINTS)
            .flat_map(|index| {
                let point = chip_from_frame.apply(truth.point(index));
                [point.x, point.y, truth.points_in_frame[index][2] * scale]
            })
            .collect();
        let found = interpret(&answer(in_chip, 0.995), &roi).expect("fits");
        let worst = truth
            .points_in_frame
            .iter()
            .flatten()
            .zip(found.points_in_frame.iter().flatten())
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst < 0.01, "{worst}");
        assert!(found.presence > 0.99);
    }

    #[test]
    fn answers_of_another_model_are_errors() {
        let roi = FaceRoi::from_mesh(&synthetic_mesh(0.0, 0.0, 0.0, 150.0)).expect("has extent");
        let numbers = vec![0.0; MESH_POINTS * 3];
        assert!(matches!(interpret(&[] as &[ArrayD<f32>], &roi), Err(VisionError::OutputShape { .. })));
        assert!(matches!(interpret(&answer(vec![0.0; 1434], 1.0), &roi), Err(VisionError::OutputShape { .. })));
        assert!(matches!(interpret(&answer(numbers.clone(), f32::NAN), &roi), Err(VisionError::NotFinite { .. })));
        let mut broken = numbers;
        broken[700] = f32::NEG_INFINITY;
        assert!(matches!(interpret(&answer(broken, 1.0), &roi), Err(VisionError::NotFinite { .. })));
    }

    #[test]
    fn the_tensor_is_what_the_model_expects() {
        let frame = RgbImage::new(640, 480, [255, 51, 0].repeat(640 * 480)).expect("size fits");
        let roi = FaceRoi::from_mesh(&synthetic_mesh(0.0, 0.0, 0.0, 100.0)).expect("has extent");
        let (tensor, ()) =
            prepared(&[1, 192, 192, 3], |input| prepare(frame.view().into(), &roi, input)).expect("prepares");
        assert!((tensor[[0, 96, 96, 0]] - 1.0).abs() < 1e-6 && (tensor[[0, 96, 96, 1]] - 0.2).abs() < 1e-6);
    }
}
