//! Frames to faces: detection, tracking, mesh, pose, alignment, quality, and the pre- and post-processing of each model.
//!
//! In: pictures and the tensors that models gave back. Out: tensors to run, boxes, meshes, poses, chips, embeddings.
//! Every model step is a pair of pure functions, `prepare` (picture to tensor) and `interpret` (tensors to faces), so that
//! all numbers can be tested without a model. Deliberately not here: running models, async, decisions.

mod embedding;
mod error;
mod face;
mod geometry;

pub use self::embedding::Embedding;
pub use self::error::VisionError;
pub use self::face::{
    Detection, FaceMesh, FaceQuality, FaceShape, FaceTrackId, FivePoints, HeadPose, MESH_POINTS, PresentationOutput,
};
pub use self::geometry::{BoxPx, PointPx};
