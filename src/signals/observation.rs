//! What one analysed frame contributes: small, without pixels, and enough to score a session again.

use crate::media::MediaTime;
use crate::media::PictureStats;
use crate::vision::BoxPx;
use crate::vision::DeepfakeOutput;
use crate::vision::Embedding;
use crate::vision::FaceQuality;
use crate::vision::FaceShape;
use crate::vision::FaceTrackId;
use crate::vision::HeadPose;
use crate::vision::PresentationOutput;

/// Everything that was measured on one frame of one video track.
///
/// A session's score is a pure function of these, in order: storing them is storing the session.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameObservation {
    /// Sequence of the sample on its track.
    pub sequence: u64,
    /// Position on the media clock.
    pub media_time: MediaTime,
    /// When the server received it, since the session was opened.
    pub arrival: MediaTime,
    /// Frames that the plugin dropped since the previous one (gap in `sequence`).
    pub missing_before: u64,
    /// Frames that the server shed since the previous one.
    pub shed_before: u64,
    /// Whole-picture figures.
    pub picture: PictureStats,
    /// The faces, if anyone looked.
    pub faces: FaceSearch,
}

/// Whether faces were looked for, and which were found.
#[derive(Clone, Debug, PartialEq)]
pub enum FaceSearch {
    /// The sampler skipped this frame; says nothing about presence.
    NotRun,
    /// All faces of the frame, in no particular order; empty means that there was none.
    Run(Vec<FaceObservation>),
}

/// What was measured on one face of one frame; parts that were not computed are `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceObservation {
    /// The face's track in the picture.
    pub face_track: FaceTrackId,
    /// Where, in frame pixels.
    pub box_in_frame: BoxPx,
    /// Detector or mesh confidence, 0..=1.
    pub confidence: f32,
    /// Head pose.
    pub pose: Option<HeadPose>,
    /// Moving parts of the face.
    pub shape: Option<FaceShape>,
    /// What the picture of the face can carry.
    pub quality: FaceQuality,
    /// Identity vector.
    pub embedding: Option<Embedding>,
    /// Passive presentation-attack scores.
    pub presentation: Option<PresentationOutput>,
    /// Deepfake score.
    pub deepfake: Option<DeepfakeOutput>,
}
