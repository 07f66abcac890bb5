//! How open and how wide the parts of a face are.

use super::face::{FaceMesh, FaceShape};
use super::landmark::{
    CHIN, LEFT_EYE_INNER, LEFT_EYE_OUTER, MOUTH_LEFT, MOUTH_RIGHT, NOSE_TIP, RIGHT_EYE_INNER, RIGHT_EYE_OUTER,
};

/// Upper and lower lid, outer then inner pair, of the eye on the viewer's left.
const LEFT_LIDS: [(usize, usize); 2] = [(160, 144), (158, 153)];
/// Upper and lower lid, outer then inner pair, of the eye on the viewer's right.
const RIGHT_LIDS: [(usize, usize); 2] = [(387, 373), (385, 380)];
/// Middle of the inner edge of the upper and the lower lip.
const INNER_LIPS: (usize, usize) = (13, 14);
/// Top of the brow on the viewer's left and right.
const BROWS: (usize, usize) = (105, 334);
/// Smallest length that something can be divided by.
const MIN_LENGTH_PX: f32 = 1e-3;

/// Measures the moving parts of a face on its 3-D mesh; `None` when the mesh has no extent.
///
/// Depth is the model's own estimate: the ratios hold under turns as far as that estimate does.
///
/// # Source
/// Eye aspect ratio: Soukupova and Cech, CVWW 2016, here in three dimensions.
#[must_use]
pub fn face_shape(mesh: &FaceMesh) -> Option<FaceShape> {
    let length = |from: usize, to: usize| distance(&mesh.points_in_frame[from], &mesh.points_in_frame[to]);
    let eye_ratio = |lids: [(usize, usize); 2], outer: usize, inner: usize| {
        let height: f32 = lids.iter().map(|(upper, lower)| length(*upper, *lower)).sum::<f32>() / 2.0;
        ratio(height, length(outer, inner))
    };
    let brow_to_eye = |brow: usize, outer: usize, inner: usize| {
        let (outer, inner) = (mesh.points_in_frame[outer], mesh.points_in_frame[inner]);
        let middle = [0, 1, 2].map(|axis: usize| f32::midpoint(outer[axis], inner[axis]));
        distance(&mesh.points_in_frame[brow], &middle)
    };
    let unit = length(LEFT_EYE_OUTER, RIGHT_EYE_OUTER);
    let mouth_width = length(MOUTH_LEFT, MOUTH_RIGHT);
    Some(FaceShape {
        left_eye_ratio: eye_ratio(LEFT_LIDS, LEFT_EYE_OUTER, LEFT_EYE_INNER)?,
        right_eye_ratio: eye_ratio(RIGHT_LIDS, RIGHT_EYE_OUTER, RIGHT_EYE_INNER)?,
        mouth_ratio: ratio(length(INNER_LIPS.0, INNER_LIPS.1), mouth_width)?,
        mouth_width_ratio: ratio(mouth_width, unit)?,
        left_brow_ratio: ratio(brow_to_eye(BROWS.0, LEFT_EYE_OUTER, LEFT_EYE_INNER), unit)?,
        right_brow_ratio: ratio(brow_to_eye(BROWS.1, RIGHT_EYE_OUTER, RIGHT_EYE_INNER), unit)?,
        jaw_ratio: ratio(length(NOSE_TIP, CHIN), unit)?,
    })
}

fn distance(from: &[f32; 3], to: &[f32; 3]) -> f32 {
    from.iter().zip(to).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

/// `None` unless both lengths are finite and the divisor is not zero.
fn ratio(length: f32, unit: f32) -> Option<f32> {
    (length.is_finite() && unit.is_finite() && unit > MIN_LENGTH_PX).then(|| length / unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};

    use super::face_shape;
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::face::{FaceMesh, FaceShape, MESH_POINTS};

    fn values(shape: FaceShape) -> [f32; 7] {
        [
            shape.left_eye_ratio,
            shape.right_eye_ratio,
            shape.mouth_ratio,
            shape.mouth_width_ratio,
            shape.left_brow_ratio,
            shape.right_brow_ratio,
            shape.jaw_ratio,
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn size_place_and_turn_leave_the_shape_alone(
            scale in 0.2_f32..5.0, shift in -500.0_f32..500.0, angle in -3.1_f32..3.1, axis in 0_usize..3,
        ) {
            let mesh = synthetic_mesh(0.0, 0.0, 0.0, 200.0);
            let (sin, cos) = angle.sin_cos();
            let (u, v) = ((axis + 1) % 3, (axis + 2) % 3);
            let mut moved = mesh.clone();
            for point in moved.points_in_frame.iter_mut() {
                let (a, b) = (point[u], point[v]);
                point[u] = cos * a - sin * b;
                point[v] = sin * a + cos * b;
                *point = point.map(|value| value * scale + shift);
            }
            let before = values(face_shape(&mesh).expect("has extent"));
            let after = values(face_shape(&moved).expect("has extent"));
            for (a, b) in before.iter().zip(after) {
                prop_assert!((a - b).abs() < 2e-3, "{before:?} {after:?}");
            }
        }
    }

    #[test]
    fn each_movement_shows_in_its_own_ratio() {
        let rest = face_shape(&synthetic_mesh(0.0, 0.0, 0.0, 200.0)).expect("has extent");
        let moved = |index: usize, by_px: f32| {
            let mut mesh = synthetic_mesh(0.0, 0.0, 0.0, 200.0);
            mesh.points_in_frame[index][1] += by_px;
            face_shape(&mesh).expect("has extent")
        };
        assert!(moved(14, 8.0).mouth_ratio > rest.mouth_ratio + 0.05, "lower lip down");
        assert!(moved(160, 3.0).left_eye_ratio < rest.left_eye_ratio - 0.02, "upper lid down");
        assert!(moved(387, 3.0).right_eye_ratio < rest.right_eye_ratio - 0.02, "upper lid down");
        assert!(moved(105, -5.0).left_brow_ratio > rest.left_brow_ratio + 0.02, "brow up");
        assert!(moved(334, -5.0).right_brow_ratio > rest.right_brow_ratio + 0.02, "brow up");
        assert!(moved(152, 8.0).jaw_ratio > rest.jaw_ratio + 0.02, "chin down");
    }

    #[test]
    fn meshes_without_extent_have_no_shape() {
        for value in [0.0, 7.0, f32::NAN, f32::INFINITY] {
            let mesh = FaceMesh { points_in_frame: Box::new([[value; 3]; MESH_POINTS]), presence: 1.0 };
            assert_eq!(face_shape(&mesh), None, "{value}");
        }
    }
}
