//! Where a head points.

use opencv::calib3d;
use opencv::core::{Mat, MatTraitConst, MatTraitConstManual, Point2d, Point3d, Vector};

use super::canonical::RIGID_POINTS;
use super::error::VisionError;
use super::face::{FaceMesh, HeadPose};
use super::resample::failed;

/// Focal length over the longer side of the frame: a horizontal field of view of 53 degrees, the middle of web cameras.
///
/// The field of view is not known; half or twice the focal length moves yaw and pitch of a face at arm's length by a few degrees.
const FOCAL_RATIO: f64 = 1.0;
/// Smallest spread of the points that still determines a pose.
const MIN_EXTENT_PX: f32 = 4.0;

/// Finds where the head points, from the rigid part of its mesh.
///
/// # Units
/// Degrees, in the directions of [`HeadPose`], relative to the camera's axes.
///
/// # Errors
/// [`VisionError::DegenerateLandmarks`] when the mesh has no extent or no head fits it, [`VisionError::Operation`].
///
/// # Source
/// `SQPnP` (Terzakis and Lourakis, ECCV 2020) on `MediaPipe`'s canonical face; unlike `MediaPipe`, which aligns in 3-D, the
/// model's own depth is not used.
pub fn head_pose(mesh: &FaceMesh, frame_width: u32, frame_height: u32) -> Result<HeadPose, VisionError> {
    let left = mesh.point(super::landmark::LEFT_EYE_OUTER);
    let right = mesh.point(super::landmark::RIGHT_EYE_OUTER);
    let chin = mesh.point(super::landmark::CHIN);
    let extent = (right.x - left.x).hypot(right.y - left.y).max((chin.x - left.x).hypot(chin.y - left.y));
    let is_finite = RIGID_POINTS.iter().all(|(index, _)| {
        let point = mesh.point(*index);
        point.x.is_finite() && point.y.is_finite()
    });
    if !(is_finite && extent >= MIN_EXTENT_PX) {
        return Err(VisionError::DegenerateLandmarks { problem: "the mesh has no extent" });
    }
    let rotation = solve(mesh, frame_width, frame_height)?;
    angles(&rotation).ok_or(VisionError::DegenerateLandmarks { problem: "no head fits the mesh" })
}

/// The rotation from the canonical face to the camera, row by row.
fn solve(mesh: &FaceMesh, frame_width: u32, frame_height: u32) -> Result<Vec<f64>, VisionError> {
    // The library's camera looks along z with y down; the canonical face looks against z with y up.
    let in_head: Vector<Point3d> = RIGID_POINTS.iter().map(|(_, [x, y, z])| Point3d::new(*x, -*y, -*z)).collect();
    let in_frame: Vector<Point2d> = RIGID_POINTS
        .iter()
        .map(|(index, _)| {
            let point = mesh.point(*index);
            Point2d::new(f64::from(point.x), f64::from(point.y))
        })
        .collect();
    let focal_px = FOCAL_RATIO * f64::from(frame_width.max(frame_height));
    let camera = [
        [focal_px, 0.0, f64::from(frame_width) / 2.0],
        [0.0, focal_px, f64::from(frame_height) / 2.0],
        [0.0, 0.0, 1.0],
    ];
    let camera = Mat::from_slice_2d(&camera).map_err(failed("build matrix"))?;
    let (mut rotation, mut translation, mut matrix) = (Mat::default(), Mat::default(), Mat::default());
    let undistorted = Mat::default();
    let is_found = calib3d::solve_pnp(
        &in_head,
        &in_frame,
        &camera,
        &undistorted,
        &mut rotation,
        &mut translation,
        false,
        calib3d::SOLVEPNP_SQPNP,
    )
    .map_err(failed("solve pose"))?;
    if !is_found || rotation.empty() {
        return Err(VisionError::DegenerateLandmarks { problem: "no head fits the mesh" });
    }
    calib3d::rodrigues_def(&rotation, &mut matrix).map_err(failed("convert rotation"))?;
    Ok(matrix.data_typed::<f64>().map_err(failed("read rotation"))?.to_vec())
}

/// Takes a rotation apart as turn after nod after tilt; `None` when it is not a rotation.
#[expect(clippy::cast_possible_truncation, reason = "angles in degrees")]
fn angles(rotation: &[f64]) -> Option<HeadPose> {
    let [_, _, r02, _, _, r12, _, _, r22] = *<&[f64; 9]>::try_from(rotation).ok()?;
    // The nose points along -z of the head.
    let (nose_x, nose_y, nose_z) = (-r02, -r12, -r22);
    let yaw = nose_x.atan2(-nose_z);
    let pitch = (-nose_y).clamp(-1.0, 1.0).asin();
    // Tilt is what is left of the head's x axis after undoing turn and nod.
    let [r00, _, _, r10, _, _, r20, _, _] = *<&[f64; 9]>::try_from(rotation).ok()?;
    let (x, z) = (yaw.cos() * r00 + yaw.sin() * r20, yaw.cos() * r20 - yaw.sin() * r00);
    let y = pitch.cos() * r10 - pitch.sin() * z;
    let roll = y.atan2(x);
    let pose = HeadPose {
        yaw_deg: yaw.to_degrees() as f32,
        pitch_deg: pitch.to_degrees() as f32,
        roll_deg: roll.to_degrees() as f32,
    };
    [pose.yaw_deg, pose.pitch_deg, pose.roll_deg].iter().all(|angle| angle.is_finite()).then_some(pose)
}

#[cfg(test)]
mod tests {
    use super::head_pose;
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::error::VisionError;
    use crate::vision::face::{FaceMesh, MESH_POINTS};

    const TOLERANCE_DEG: f64 = 0.5;

    #[test]
    fn poses_of_a_turned_head_are_found() {
        let turns = [
            (0.0, 0.0, 0.0),
            (30.0, 0.0, 0.0),
            (-30.0, 0.0, 0.0),
            (0.0, 20.0, 0.0),
            (0.0, -20.0, 0.0),
            (0.0, 0.0, 25.0),
            (0.0, 0.0, -25.0),
            (60.0, 10.0, 5.0),
            (-45.0, -25.0, 15.0),
            (15.0, 30.0, -40.0),
        ];
        for (yaw, pitch, roll) in turns {
            let mesh = synthetic_mesh(yaw, pitch, roll, 160.0);
            let pose = head_pose(&mesh, 640, 480).expect("a head fits");
            let found = [pose.yaw_deg, pose.pitch_deg, pose.roll_deg].map(f64::from);
            let is_near = found.iter().zip([yaw, pitch, roll]).all(|(a, b)| (a - b).abs() < TOLERANCE_DEG);
            assert!(is_near, "expected {yaw} {pitch} {roll}, found {found:?}");
        }
    }

    #[test]
    fn signs_are_those_of_the_picture() {
        let nose = |mesh: &FaceMesh| {
            let bridge = mesh.points_in_frame[6];
            let tip = mesh.points_in_frame[4];
            (tip[0] - bridge[0], tip[1] - bridge[1])
        };
        let straight = nose(&synthetic_mesh(0.0, 0.0, 0.0, 160.0));
        assert!(nose(&synthetic_mesh(20.0, 0.0, 0.0, 160.0)).0 > straight.0 + 1.0, "positive yaw: nose to the right");
        assert!(nose(&synthetic_mesh(0.0, 20.0, 0.0, 160.0)).1 < straight.1 - 1.0, "positive pitch: nose up");
        let tilted = synthetic_mesh(0.0, 0.0, 20.0, 160.0);
        assert!(tilted.points_in_frame[263][1] > tilted.points_in_frame[33][1] + 1.0, "positive roll: clockwise");
    }

    #[test]
    fn meshes_without_extent_are_errors() {
        for value in [0.0, 7.0, f32::NAN, f32::INFINITY] {
            let mesh = FaceMesh { points_in_frame: Box::new([[value; 3]; MESH_POINTS]), presence: 1.0 };
            assert!(matches!(head_pose(&mesh, 640, 480), Err(VisionError::DegenerateLandmarks { .. })), "{value}");
        }
    }
}
