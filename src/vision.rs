//! Frames to faces: detection, tracking, mesh, pose, alignment, quality, and the pre- and post-processing of each model.
//!
//! In: pictures and the tensors that models gave back. Out: tensors to run, boxes, meshes, poses, chips, embeddings.
//! Every model step is a pair of pure functions, `prepare` (picture to tensor) and `interpret` (tensors to faces), so that
//! all numbers can be tested without a model. Deliberately not here: running models, async, decisions.
//!
//! Frame coordinates have their origin at the outer corner of the top-left pixel, whose centre is therefore at (.5, .5).

pub mod deepfake;
pub mod detection;
pub mod embedding;
pub mod mesh;
pub mod presentation;
pub mod scene;

mod alignment;
mod canonical;
mod error;
mod face;
mod geometry;
mod landmark;
mod outline;
mod pose;
mod quality;
mod resample;
mod roi;
mod shape;
mod skin_tone;
mod still;
mod tensor;
mod tracker;
mod transform;

pub use self::alignment::{CHIP_SIDE_PX, align_face};
pub use self::embedding::{Embedding, EmbeddingSum};
pub use self::error::VisionError;
pub use self::face::{
    DeepfakeOutput, Detection, FaceMesh, FaceQuality, FaceShape, FaceTrackId, FivePoints, HeadPose, MESH_POINTS,
    PresentationOutput,
};
pub use self::geometry::{BoxPx, PointPx};
pub use self::landmark::{face_box, five_points};
pub use self::outline::FaceOutline;
pub use self::pose::head_pose;
pub use self::quality::face_quality;
pub use self::resample::stay_on_the_calling_thread;
pub use self::roi::FaceRoi;
pub use self::shape::face_shape;
pub use self::skin_tone::skin_tone_ita_deg;
pub use self::still::{FaceCut, cut_face, small_frame};
pub use self::tracker::{FaceTracker, TrackFrame, TrackPlan, TrackedFace, TrackerOptions};
