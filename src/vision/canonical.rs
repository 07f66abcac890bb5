//! A mean face of the mesh model's topology, for pose.

/// One mesh point and where it lies on the mean face, in centimetres: x to the viewer's right, y up, z towards the viewer.
pub(super) type CanonicalPoint = (usize, [f64; 3]);

/// Points that expression hardly moves: nose, brow bone, temples, eye corners, cheek bones.
///
/// # Source
/// `canonical_face_model.obj` and the point list of `geometry_pipeline_metadata_landmarks.pbtxt`, `MediaPipe`'s face geometry
/// module (Apache-2.0). Of its 33 points those on the jaw and the lower cheeks are left out, because speech moves them.
pub(super) const RIGID_POINTS: [CanonicalPoint; 25] = [
    (4, [0.0, -0.463_170, 7.586_580]),
    (6, [0.0, 2.473_255, 5.788_627]),
    (10, [0.0, 8.261_778, 4.481_535]),
    (33, [-4.445_859, 2.663_991, 3.173_422]),
    (54, [-6.279_331, 6.615_427, 1.425_850]),
    (67, [-3.523_964, 8.005_976, 3.729_163]),
    (117, [-5.258_659, 0.945_811, 2.974_312]),
    (119, [-3.300_681, 0.861_641, 3.872_784]),
    (121, [-1.820_731, 1.467_954, 4.224_124]),
    (127, [-7.743_095, 2.364_999, -2.005_167]),
    (129, [-1.785_794, -0.978_284, 4.850_470]),
    (133, [-1.856_432, 2.585_245, 3.757_904]),
    (143, [-6.407_571, 2.236_021, 1.560_843]),
    (198, [-1.246_815, 0.230_297, 5.681_036]),
    (263, [4.445_859, 2.663_991, 3.173_422]),
    (284, [6.279_331, 6.615_427, 1.425_850]),
    (297, [3.523_964, 8.005_976, 3.729_163]),
    (346, [5.258_659, 0.945_811, 2.974_312]),
    (348, [3.300_681, 0.861_641, 3.872_784]),
    (350, [1.820_731, 1.467_954, 4.224_124]),
    (356, [7.743_095, 2.364_999, -2.005_167]),
    (358, [1.785_794, -0.978_284, 4.850_470]),
    (362, [1.856_432, 2.585_245, 3.757_904]),
    (372, [6.407_571, 2.236_021, 1.560_843]),
    (420, [1.246_815, 0.230_297, 5.681_036]),
];

#[cfg(test)]
pub(super) use self::synthetic::synthetic_mesh;

#[cfg(test)]
mod synthetic {
    use super::{CanonicalPoint, RIGID_POINTS};
    use crate::vision::face::{FaceMesh, MESH_POINTS};

    /// Points that move with expression, from the same source, for the viewer's left half and the middle.
    const MOVING_POINTS: [CanonicalPoint; 22] = [
        (1, [0.0, -1.126_865, 7.475_604]),
        (7, [-4.253_081, 2.577_646, 3.279_702]),
        (13, [0.0, -3.994_436, 5.219_482]),
        (14, [0.0, -4.542_400, 5.404_754]),
        (50, [-4.765_501, -0.701_554, 3.534_632]),
        (61, [-2.456_206, -4.342_621, 4.283_884]),
        (105, [-3.986_562, 5.109_487, 4.466_315]),
        (144, [-3.670_075, 2.360_153, 3.635_230]),
        (145, [-3.177_186, 2.294_265, 3.775_704]),
        (151, [0.0, 6.545_390, 5.027_311]),
        (152, [0.0, -9.403_378, 4.264_492]),
        (153, [-2.724_032, 2.315_802, 3.777_151]),
        (154, [-2.288_460, 2.398_891, 3.697_603]),
        (155, [-1.998_311, 2.496_547, 3.689_148]),
        (157, [-2.288_460, 2.886_504, 3.775_031]),
        (158, [-2.724_032, 2.961_810, 3.871_767]),
        (159, [-3.177_186, 2.964_136, 3.876_973]),
        (160, [-3.670_075, 2.927_714, 3.724_325]),
        (161, [-4.018_389, 2.857_357, 3.482_983]),
        (163, [-4.018_389, 2.483_695, 3.440_898]),
        (173, [-1.998_311, 2.743_838, 3.744_030]),
        (246, [-4.530_000, 2.910_000, 3.339_685]),
    ];

    /// Points of the viewer's left half and their twins on the right.
    const TWINS: [(usize, usize); 17] = [
        (7, 249),
        (50, 280),
        (61, 291),
        (105, 334),
        (144, 373),
        (145, 374),
        (153, 380),
        (154, 381),
        (155, 382),
        (157, 384),
        (158, 385),
        (159, 386),
        (160, 387),
        (161, 388),
        (163, 390),
        (173, 398),
        (246, 466),
    ];

    /// The mean face before a camera of 640x480 with a focal length of 640 px, turned by these degrees in the convention
    /// of `HeadPose` and about `face_px` wide. Points that the tables lack lie on the nose bridge.
    #[expect(clippy::cast_possible_truncation, reason = "pixel coordinates")]
    pub(in crate::vision) fn synthetic_mesh(yaw_deg: f64, pitch_deg: f64, roll_deg: f64, face_px: f64) -> FaceMesh {
        const FOCAL_PX: f64 = 640.0;
        const FACE_CM: f64 = 15.0;
        let distance_cm = FOCAL_PX * FACE_CM / face_px;
        let (yaw, pitch, roll) = (yaw_deg.to_radians(), pitch_deg.to_radians(), roll_deg.to_radians());
        let project = |[x, y, z]: [f64; 3]| {
            // Camera axes: x right, y down, z away.
            let (x, y, z) = (x, -y, -z);
            let (x, y) = (roll.cos() * x - roll.sin() * y, roll.sin() * x + roll.cos() * y);
            // Nose (negative z) up means y of the nose falls.
            let (y, z) = (pitch.cos() * y + pitch.sin() * z, pitch.cos() * z - pitch.sin() * y);
            // Nose to the viewer's right means x of the nose grows.
            let (x, z) = (yaw.cos() * x - yaw.sin() * z, yaw.cos() * z + yaw.sin() * x);
            let scale = FOCAL_PX / (z + distance_cm);
            [(x * scale + 320.0) as f32, (y * scale + 240.0) as f32, (z * FOCAL_PX / distance_cm) as f32]
        };
        let mut points = Box::new([project([0.0, 2.473_255, 5.788_627]); MESH_POINTS]);
        for (index, point) in RIGID_POINTS.iter().chain(&MOVING_POINTS) {
            points[*index] = project(*point);
            if let Some((_, twin)) = TWINS.iter().find(|(left, _)| left == index) {
                points[*twin] = project([-point[0], point[1], point[2]]);
            }
        }
        FaceMesh { points_in_frame: points, presence: 0.99 }
    }
}
