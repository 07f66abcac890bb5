//! The lines of a face that a person recognises, for drawing over its picture.

use super::face::FaceMesh;
use super::geometry::PointPx;
use super::landmark::{LEFT_EYE, RIGHT_EYE};

/// Contour of the face.
///
/// # Source
/// `FACEMESH_FACE_OVAL` of `MediaPipe`, in the order in which its edges join.
const OVAL: [usize; 36] = [
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150,
    136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
];
/// Outer contour of the lips.
///
/// # Source
/// `FACEMESH_LIPS` of `MediaPipe`.
const MOUTH: [usize; 20] = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185];

/// Four closed lines, in the plane of whatever picture their points were scaled to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaceOutline {
    /// Around the face; 36 points.
    pub oval: Vec<PointPx>,
    /// Around the eye on the viewer's left; 16 points.
    pub left_eye: Vec<PointPx>,
    /// Around the eye on the viewer's right; 16 points.
    pub right_eye: Vec<PointPx>,
    /// Around the lips; 20 points.
    pub mouth: Vec<PointPx>,
}

impl FaceOutline {
    /// The lines of a mesh, times `factor`; `None` when a point of them is no number.
    #[must_use]
    pub fn of_mesh(mesh: &FaceMesh, factor: f32) -> Option<Self> {
        let line = |indices: &[usize]| {
            let points = indices.iter().map(|index| {
                let PointPx { x, y } = mesh.point(*index);
                let point = PointPx { x: x * factor, y: y * factor };
                (point.x.is_finite() && point.y.is_finite()).then_some(point)
            });
            points.collect::<Option<Vec<_>>>()
        };
        Some(Self {
            oval: line(&OVAL)?,
            left_eye: line(&LEFT_EYE)?,
            right_eye: line(&RIGHT_EYE)?,
            mouth: line(&MOUTH)?,
        })
    }

    /// The lines, the face's first.
    #[must_use]
    pub fn lines(&self) -> [&[PointPx]; 4] {
        [&self.oval, &self.left_eye, &self.right_eye, &self.mouth]
    }
}

#[cfg(test)]
mod tests {
    use super::{FaceOutline, MOUTH, OVAL};
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::{MESH_POINTS, face_box};

    #[test]
    fn the_oval_holds_eyes_and_mouth_and_lies_in_the_box() {
        let mesh = synthetic_mesh(0.0, 0.0, 0.0, 200.0);
        let outline = FaceOutline::of_mesh(&mesh, 1.0).expect("finite");
        let edge = face_box(&mesh);
        let x = |line: &[crate::vision::PointPx]| line.iter().map(|point| point.x).sum::<f32>() / line.len() as f32;
        assert!(x(&outline.left_eye) < x(&outline.mouth) && x(&outline.mouth) < x(&outline.right_eye));
        assert!(outline.oval.iter().all(|point| point.y > edge.top && point.y < edge.bottom + 10.0));
        let (low, high) =
            outline.oval.iter().fold((f32::MAX, f32::MIN), |(low, high), point| (low.min(point.x), high.max(point.x)));
        for line in outline.lines().into_iter().skip(1) {
            assert!(line.iter().all(|point| point.x > low && point.x < high));
        }
    }

    #[test]
    fn every_index_is_one_of_the_mesh_and_stands_once() {
        for line in [&OVAL[..], &MOUTH[..]] {
            let distinct: std::collections::BTreeSet<_> = line.iter().collect();
            assert!(distinct.len() == line.len() && line.iter().all(|index| *index < MESH_POINTS));
        }
    }

    #[test]
    fn a_point_that_is_no_number_is_no_outline() {
        let mut mesh = synthetic_mesh(0.0, 0.0, 0.0, 200.0);
        mesh.points_in_frame[10][0] = f32::NAN;
        assert_eq!(FaceOutline::of_mesh(&mesh, 1.0), None);
    }
}
