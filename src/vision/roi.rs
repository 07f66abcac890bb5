//! Where the mesh model has to look.

use super::face::{Detection, FaceMesh};
use super::geometry::PointPx;
use super::landmark::{LEFT_EYE_OUTER, RIGHT_EYE_OUTER};
use super::transform::Similarity;

/// Side of the region over the longer side of the face, as in the mesh model's training.
const MARGIN: f32 = 1.5;
/// Smallest region that is worth looking at.
const MIN_SIDE_PX: f32 = 4.0;

/// A square region of a frame around one face, turned so that the eyes are level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceRoi {
    center: PointPx,
    side_px: f32,
    angle_rad: f32,
    is_refined: bool,
}

impl FaceRoi {
    /// The upright region around a detection; `None` when the box is empty or not finite.
    #[must_use]
    pub fn from_detection(detection: &Detection) -> Option<Self> {
        let found = detection.box_in_frame;
        let roi = Self {
            center: found.center(),
            side_px: MARGIN * found.width().max(found.height()),
            angle_rad: 0.0,
            is_refined: false,
        };
        roi.is_usable().then_some(roi)
    }

    /// The region around a mesh, turned with its eye line; `None` when the mesh has no extent.
    #[must_use]
    pub fn from_mesh(mesh: &FaceMesh) -> Option<Self> {
        let left = mesh.point(LEFT_EYE_OUTER);
        let right = mesh.point(RIGHT_EYE_OUTER);
        let angle_rad = (right.y - left.y).atan2(right.x - left.x);
        let (sin, cos) = angle_rad.sin_cos();
        // Extent along and across the eye line.
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for [x, y, _] in mesh.points_in_frame.iter() {
            for (axis, value) in [cos * x + sin * y, cos * y - sin * x].into_iter().enumerate() {
                low[axis] = low[axis].min(value);
                high[axis] = high[axis].max(value);
            }
        }
        let (along, across) = (f32::midpoint(low[0], high[0]), f32::midpoint(low[1], high[1]));
        let roi = Self {
            center: PointPx { x: cos * along - sin * across, y: sin * along + cos * across },
            side_px: MARGIN * (high[0] - low[0]).max(high[1] - low[1]),
            angle_rad,
            is_refined: true,
        };
        roi.is_usable().then_some(roi)
    }

    /// The middle of the region, in frame pixels.
    #[must_use]
    pub const fn center(&self) -> PointPx {
        self.center
    }

    /// Length of a side in frame pixels.
    #[must_use]
    pub const fn side_px(&self) -> f32 {
        self.side_px
    }

    /// Whether it comes from a mesh and not from a detector's box.
    ///
    /// A mesh found from a box is less exact than one found from a mesh: where a single picture has to carry an identity,
    /// run the mesh model a second time on [`FaceRoi::from_mesh`] of the first answer (ADR 004 has the figures).
    #[must_use]
    pub const fn is_refined(&self) -> bool {
        self.is_refined
    }

    /// Frame to a chip of `chip_side` pixels.
    pub(super) fn chip_from_frame(&self, chip_side: u16) -> Similarity {
        let half = f32::from(chip_side) / 2.0;
        let scale = f64::from(chip_side) / f64::from(self.side_px);
        Similarity::about(self.center, PointPx { x: half, y: half }, scale, -f64::from(self.angle_rad))
    }

    fn is_usable(&self) -> bool {
        [self.center.x, self.center.y, self.side_px, self.angle_rad].iter().all(|value| value.is_finite())
            && self.side_px >= MIN_SIDE_PX
    }
}

#[cfg(test)]
mod tests {
    use super::FaceRoi;
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::face::{Detection, FaceMesh, MESH_POINTS};
    use crate::vision::geometry::BoxPx;

    #[test]
    fn regions_without_size_are_none() {
        for (left, right) in [(10.0, 10.0), (10.0, 5.0), (f32::NAN, 5.0), (0.0, f32::INFINITY)] {
            let box_in_frame = BoxPx { left, top: left, right, bottom: right };
            assert_eq!(FaceRoi::from_detection(&Detection { box_in_frame, confidence: 1.0 }), None);
        }
        let flat = FaceMesh { points_in_frame: Box::new([[5.0; 3]; MESH_POINTS]), presence: 1.0 };
        assert_eq!(FaceRoi::from_mesh(&flat), None);
    }

    #[test]
    fn a_tilted_face_gets_a_tilted_region_of_the_same_size() {
        let upright = FaceRoi::from_mesh(&synthetic_mesh(0.0, 0.0, 0.0, 200.0)).expect("has extent");
        let tilted = FaceRoi::from_mesh(&synthetic_mesh(0.0, 0.0, 30.0, 200.0)).expect("has extent");
        assert!((upright.side_px - tilted.side_px).abs() < 1.0, "{upright:?} {tilted:?}");
        assert!((tilted.angle_rad.to_degrees() - 30.0).abs() < 1.0, "{tilted:?}");
        assert!(upright.angle_rad.abs() < 0.01);
    }

    #[test]
    fn eyes_are_level_in_the_chip() {
        let mesh = synthetic_mesh(0.0, 0.0, 25.0, 180.0);
        let chip_from_frame = FaceRoi::from_mesh(&mesh).expect("has extent").chip_from_frame(192);
        let left = chip_from_frame.apply(mesh.point(super::LEFT_EYE_OUTER));
        let right = chip_from_frame.apply(mesh.point(super::RIGHT_EYE_OUTER));
        assert!((left.y - right.y).abs() < 0.01 && left.x < right.x, "{left:?} {right:?}");
    }
}
