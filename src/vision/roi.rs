//! Where the mesh model has to look.

use std::f32::consts::{PI, TAU};

use super::face::{Detection, FaceMesh};
use super::geometry::PointPx;
use super::landmark::{LEFT_EYE_OUTER, RIGHT_EYE_OUTER};
use super::transform::Similarity;

/// Side of the region over the longer side of the face, as in the mesh model's training.
const MARGIN: f32 = 1.5;
/// How far a face may be off the region's middle, in sides of the region, off its size, as a ratio, and off level.
const MAX_SHIFT: f32 = 0.05;
const MAX_GROWTH: f32 = 1.1;
const MAX_TURN_RAD: f32 = 0.1;
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
    #[must_use]
    pub const fn is_refined(&self) -> bool {
        self.is_refined
    }

    /// Whether a mesh that was found here, and asks for `found`, needs no second look.
    ///
    /// A mesh is exact where the model was shown the face as in its training: in the middle, level and at its size. From a
    /// detector's box, or from a face that has moved on since the last frame, it costs identity (ADR 004 has the figures): run
    /// the model again on [`FaceRoi::from_mesh`] of the first answer.
    #[must_use]
    pub fn has_shown(&self, found: &Self) -> bool {
        let shift = (found.center.x - self.center.x).hypot(found.center.y - self.center.y) / self.side_px;
        let growth = (found.side_px / self.side_px).max(self.side_px / found.side_px);
        let turn = (found.angle_rad - self.angle_rad + PI).rem_euclid(TAU) - PI;
        self.is_refined && shift <= MAX_SHIFT && growth <= MAX_GROWTH && turn.abs() <= MAX_TURN_RAD
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
    #[test]
    fn a_face_that_has_moved_on_is_looked_at_again() {
        let before = FaceRoi::from_mesh(&synthetic_mesh(0.0, 0.0, 0.0, 180.0)).expect("has extent");
        let changed = |change: fn(&mut FaceRoi)| {
            let mut found = before;
            change(&mut found);
            before.has_shown(&found)
        };
        assert!(changed(|_| ()) && changed(|found| found.center.x += 0.04 * found.side_px));
        assert!(!changed(|found| found.center.y -= 0.06 * found.side_px));
        assert!(!changed(|found| found.side_px *= 1.2) && !changed(|found| found.side_px /= 1.2));
        assert!(changed(|found| found.angle_rad += 0.05 - std::f32::consts::TAU));
        assert!(!changed(|found| found.angle_rad -= 0.2) && !changed(|found| found.center.x = f32::NAN));
        let box_in_frame = BoxPx { left: 10.0, top: 10.0, right: 100.0, bottom: 110.0 };
        let from_box = FaceRoi::from_detection(&Detection { box_in_frame, confidence: 1.0 }).expect("has extent");
        assert!(!from_box.has_shown(&from_box), "a box is never exact");
    }
}
