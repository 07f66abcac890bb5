//! Named points of the face mesh, and what follows from their position alone.

use super::face::{FaceMesh, FivePoints};
use super::geometry::{BoxPx, PointPx};

/// Outer eye corner on the viewer's left, which is the person's right eye.
pub(super) const LEFT_EYE_OUTER: usize = 33;
/// Inner eye corner on the viewer's left.
pub(super) const LEFT_EYE_INNER: usize = 133;
/// Inner eye corner on the viewer's right.
pub(super) const RIGHT_EYE_INNER: usize = 362;
/// Outer eye corner on the viewer's right.
pub(super) const RIGHT_EYE_OUTER: usize = 263;
/// Tip of the nose.
pub(super) const NOSE_TIP: usize = 1;
/// Mouth corner on the viewer's left.
pub(super) const MOUTH_LEFT: usize = 61;
/// Mouth corner on the viewer's right.
pub(super) const MOUTH_RIGHT: usize = 291;
/// Lowest point of the chin.
pub(super) const CHIN: usize = 152;

/// Contour of the eye on the viewer's left; its mean stands for the pupil.
pub(super) const LEFT_EYE: [usize; 16] = [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7];
/// Contour of the eye on the viewer's right.
pub(super) const RIGHT_EYE: [usize; 16] =
    [263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249];

/// The mesh ends below the hair line and reaches a little below the detector's lower edge: medians over 1,400 faces
/// (ADR 004), as shares of the mesh's height and width.
const ABOVE_RATIO: f32 = 0.114;
const BELOW_RATIO: f32 = -0.025;
const BESIDE_RATIO: f32 = 0.007;

/// The five points of identity alignment: means of the eye contours, nose tip, mouth corners.
///
/// Measured in ADR 004: other choices of eye and nose points are not better.
#[must_use]
pub fn five_points(mesh: &FaceMesh) -> FivePoints {
    [
        mean_of(mesh, &LEFT_EYE),
        mean_of(mesh, &RIGHT_EYE),
        mesh.point(NOSE_TIP),
        mesh.point(MOUTH_LEFT),
        mesh.point(MOUTH_RIGHT),
    ]
}

/// The face's box as the detector would draw it, forehead to chin: so that sizes, overlaps and crops mean the same
/// whether a face was detected or followed.
#[must_use]
pub fn face_box(mesh: &FaceMesh) -> BoxPx {
    let extent = extent(mesh);
    let (width, height) = (extent.width(), extent.height());
    BoxPx {
        left: extent.left - BESIDE_RATIO * width,
        top: extent.top - ABOVE_RATIO * height,
        right: extent.right + BESIDE_RATIO * width,
        bottom: extent.bottom + BELOW_RATIO * height,
    }
}

/// The box around all points of a mesh; points that are no numbers are passed over.
pub(super) fn extent(mesh: &FaceMesh) -> BoxPx {
    let start = BoxPx { left: f32::INFINITY, top: f32::INFINITY, right: f32::NEG_INFINITY, bottom: f32::NEG_INFINITY };
    mesh.points_in_frame.iter().fold(start, |extent, [x, y, _]| BoxPx {
        left: extent.left.min(*x),
        top: extent.top.min(*y),
        right: extent.right.max(*x),
        bottom: extent.bottom.max(*y),
    })
}

fn mean_of(mesh: &FaceMesh, indices: &[usize; 16]) -> PointPx {
    let count = indices.len() as f32;
    let sum = indices.iter().map(|index| mesh.point(*index)).fold((0.0, 0.0), |(x, y), p| (x + p.x, y + p.y));
    PointPx { x: sum.0 / count, y: sum.1 / count }
}

#[cfg(test)]
mod tests {
    use super::{face_box, five_points};
    use crate::vision::canonical::synthetic_mesh;

    #[test]
    fn five_points_go_from_the_viewers_left_to_right() {
        let [left_eye, right_eye, nose, mouth_left, mouth_right] = five_points(&synthetic_mesh(0.0, 0.0, 0.0, 200.0));
        assert!(left_eye.x < nose.x && nose.x < right_eye.x);
        assert!(mouth_left.x < nose.x && nose.x < mouth_right.x);
        assert!(left_eye.y < nose.y && nose.y < mouth_left.y);
        assert!((left_eye.y - right_eye.y).abs() < 0.1);
    }

    #[test]
    fn the_box_holds_forehead_and_chin() {
        let mesh = synthetic_mesh(0.0, 0.0, 0.0, 200.0);
        let found = face_box(&mesh);
        assert!(found.top < mesh.points_in_frame[10][1]);
        assert!((found.bottom - mesh.points_in_frame[super::CHIN][1]).abs() < 0.05 * found.height());
        assert!(found.contains(&five_points(&mesh)[2]));
    }
}
