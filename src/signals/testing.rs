//! Observations for the tests of signals, scoring and session.

use crate::media::{MediaTime, PictureStats};
use crate::vision::{BoxPx, FaceQuality, FaceShape, FaceTrackId, HeadPose};

use super::observation::{FaceObservation, FaceSearch, FrameObservation};

/// A frontal, sharp, well-lit face of 160 px with nothing computed on it.
pub(crate) fn face() -> FaceObservation {
    FaceObservation {
        face_track: FaceTrackId(1),
        box_in_frame: BoxPx { left: 240.0, top: 120.0, right: 400.0, bottom: 280.0 },
        confidence: 0.99,
        pose: Some(HeadPose::default()),
        shape: Some(FaceShape::default()),
        quality: FaceQuality {
            face_height_px: 160.0,
            sharpness: 200.0,
            exposure: 0.5,
            clipped_ratio: 0.0,
            outside_ratio: 0.0,
            occlusion_ratio: 0.0,
        },
        embedding: None,
        presentation: None,
        deepfake: None,
    }
}

/// A frame of a moving 640x480 picture in which nobody looked for faces.
pub(crate) fn frame_at(secs: f64) -> FrameObservation {
    let media_time = MediaTime::from_secs_f64(secs).expect("finite");
    let wobble = ((secs * 7.3).sin() * 0.01) as f32;
    FrameObservation {
        sequence: (secs * 1_000.0) as u64,
        media_time,
        arrival: media_time,
        missing_before: 0,
        shed_before: 0,
        picture: PictureStats {
            width_px: 640,
            height_px: 480,
            mean_luma: 0.45 + wobble,
            luma_deviation: 0.2 + wobble / 2.0,
            change_levels: Some(2.0 + wobble),
            average_hash: 0x00ff_00ff_3c3c_7e7e,
        },
        faces: FaceSearch::NotRun,
    }
}
