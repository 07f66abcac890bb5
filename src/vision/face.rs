//! What is known of one face in one frame.

use super::geometry::{BoxPx, PointPx};

/// Points of the face mesh (`MediaPipe`'s topology, without irises).
pub const MESH_POINTS: usize = 468;

/// A face found by the detector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Where, in frame pixels.
    pub box_in_frame: BoxPx,
    /// The detector's own confidence, 0..=1.
    pub confidence: f32,
}

/// A face followed through consecutive frames of one video track. Not an identity: the person may change behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaceTrackId(pub u32);

/// The five points that alignment needs, in frame pixels, from the viewer's left to right: left eye, right eye, nose tip,
/// left and right mouth corner.
pub type FivePoints = [PointPx; 5];

/// The 3-D mesh of one face.
///
/// # Units
/// x and y are frame pixels, z is in the same scale with its origin near the middle of the head, smaller = nearer.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceMesh {
    /// Every point as `[x, y, z]`.
    pub points_in_frame: Box<[[f32; 3]; MESH_POINTS]>,
    /// The model's confidence that there is a face at all, 0..=1.
    pub presence: f32,
}

impl FaceMesh {
    /// One point in the picture plane; `index` is one of this crate's own constants, below [`MESH_POINTS`].
    pub(super) fn point(&self, index: usize) -> PointPx {
        let [x, y, _] = self.points_in_frame[index];
        PointPx { x, y }
    }
}

/// Where the head points.
///
/// # Units
/// Degrees. Yaw is positive when the nose points to the viewer's right, pitch when it points up, roll when the head is
/// tilted clockwise as seen by the viewer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct HeadPose {
    /// Turn to the side.
    pub yaw_deg: f32,
    /// Nod.
    pub pitch_deg: f32,
    /// Tilt.
    pub roll_deg: f32,
}

/// The parts of a face that move, as ratios that head movement and distance leave alone.
///
/// Lengths are taken on the 3-D mesh and divided by the distance between the outer eye corners, but for the three
/// aspect ratios, which are height over width of the part itself. Says how the face moves, never what it expresses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaceShape {
    /// Eye aspect ratio of the eye on the viewer's left.
    pub left_eye_ratio: f32,
    /// Eye aspect ratio of the eye on the viewer's right.
    pub right_eye_ratio: f32,
    /// Inner-lip distance over mouth width.
    pub mouth_ratio: f32,
    /// Distance of the mouth corners.
    pub mouth_width_ratio: f32,
    /// Brow to eye, on the viewer's left.
    pub left_brow_ratio: f32,
    /// Brow to eye, on the viewer's right.
    pub right_brow_ratio: f32,
    /// Nose tip to chin.
    pub jaw_ratio: f32,
}

/// How much a face's picture can carry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaceQuality {
    /// Height of the face box in frame pixels, forehead to chin.
    pub face_height_px: f32,
    /// Variance of the Laplacian of the luma on a chip of fixed size, in squared levels; higher is sharper.
    pub sharpness: f32,
    /// Mean luma of the face, 0..=1.
    pub exposure: f32,
    /// Share of face pixels that are nearly black or nearly white.
    pub clipped_ratio: f32,
    /// Share of the face box that lies outside the frame.
    pub outside_ratio: f32,
    /// Hint that something covers the face, 0..=1; 0 when nothing speaks for it.
    pub occlusion_ratio: f32,
}

/// What the deepfake model said of one face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeepfakeOutput {
    /// Attack score, 0..=1, higher = more likely swapped, reenacted or blended.
    pub attack_score: f32,
}

/// What the passive presentation-attack model said of one face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PresentationOutput {
    /// Attack score, 0..=1, higher = more likely an attack.
    pub attack_score: f32,
    /// Share of the wanted surroundings that the frame really holds, 0..=1; low means too tight to judge.
    pub context_ratio: f32,
}
