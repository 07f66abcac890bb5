//! What was measured on a still, for drawing over it; in the still's own pixels.

use crate::signals::FaceObservation;
use crate::vision::{BoxPx, FaceOutline, FaceQuality, HeadPose};

/// What is known of a frame that was kept. Every number is finite.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StillFacts {
    /// Faces in the frame.
    pub n_faces: u32,
    /// The face that the chip shows; `None` when there was none.
    pub face: Option<StillFace>,
}

/// What was measured on the face of a still.
#[derive(Clone, Debug, PartialEq)]
pub struct StillFace {
    /// The face, forehead to chin, in pixels of the still's frame.
    pub box_in_frame: BoxPx,
    /// The square that the chip shows, in pixels of the still's frame; `None` without chip.
    pub chip_in_frame: Option<BoxPx>,
    /// The mesh's outline, in pixels of the still's frame.
    pub outline: Option<FaceOutline>,
    /// Confidence that it is a face, 0..=1.
    pub confidence: f32,
    /// Where the head points.
    pub pose: Option<HeadPose>,
    /// How much the picture carries. Its height is in pixels of the frame as it came.
    pub quality: FaceQuality,
    /// Attack score of the presentation model, 0..=1, if it ran on this frame.
    pub presentation_score: Option<f32>,
    /// Attack score of the deepfake model, 0..=1, if it ran on this frame.
    pub deepfake_score: Option<f32>,
}

impl StillFace {
    /// What was measured on a face, in a picture `factor` times as large as the frame. What is no number is read as bad.
    pub(super) fn new(
        face: &FaceObservation,
        outline: Option<FaceOutline>,
        chip_in_frame: Option<BoxPx>,
        factor: f32,
    ) -> Self {
        let quality = &face.quality;
        let or = |value: f32, bad: f32| if value.is_finite() { value } else { bad };
        let score = |score: f32| score.is_finite().then_some(score.clamp(0.0, 1.0));
        Self {
            box_in_frame: scaled(&face.box_in_frame, factor).unwrap_or_default(),
            chip_in_frame: chip_in_frame.and_then(|square| scaled(&square, factor)),
            outline,
            confidence: or(face.confidence, 0.0),
            pose: face
                .pose
                .filter(|pose| [pose.yaw_deg, pose.pitch_deg, pose.roll_deg].iter().all(|angle| angle.is_finite())),
            quality: FaceQuality {
                face_height_px: or(quality.face_height_px, 0.0),
                sharpness: or(quality.sharpness, 0.0),
                exposure: or(quality.exposure, 0.0),
                clipped_ratio: or(quality.clipped_ratio, 1.0),
                outside_ratio: or(quality.outside_ratio, 1.0),
                occlusion_ratio: or(quality.occlusion_ratio, 1.0),
            },
            presentation_score: face.presentation.and_then(|output| score(output.attack_score)),
            deepfake_score: face.deepfake.and_then(|output| score(output.attack_score)),
        }
    }
}

fn scaled(area: &BoxPx, factor: f32) -> Option<BoxPx> {
    let scaled = BoxPx {
        left: area.left * factor,
        top: area.top * factor,
        right: area.right * factor,
        bottom: area.bottom * factor,
    };
    scaled.is_finite().then_some(scaled)
}

#[cfg(test)]
mod tests {
    use super::StillFace;
    use crate::signals::testing::face;
    use crate::vision::{BoxPx, DeepfakeOutput, HeadPose};

    #[test]
    fn places_are_those_of_the_still() {
        let chip = BoxPx { left: 200.0, top: 80.0, right: 440.0, bottom: 320.0 };
        let found = StillFace::new(&face(), None, Some(chip), 0.5);
        assert_eq!(found.box_in_frame, BoxPx { left: 120.0, top: 60.0, right: 200.0, bottom: 140.0 });
        assert_eq!(found.chip_in_frame, Some(BoxPx { left: 100.0, top: 40.0, right: 220.0, bottom: 160.0 }));
        assert!((found.quality.face_height_px - 160.0).abs() < 1e-6, "as it was measured");
    }

    #[test]
    fn what_is_no_number_reads_as_bad() {
        let mut broken = face();
        broken.confidence = f32::NAN;
        broken.quality.sharpness = f32::INFINITY;
        broken.quality.outside_ratio = f32::NAN;
        broken.pose = Some(HeadPose { yaw_deg: f32::NAN, ..HeadPose::default() });
        broken.deepfake = Some(DeepfakeOutput { attack_score: f32::NAN });
        broken.box_in_frame.left = f32::NAN;
        let found = StillFace::new(&broken, None, None, 0.5);
        assert_eq!((found.confidence, found.quality.sharpness, found.quality.outside_ratio), (0.0, 0.0, 1.0));
        assert_eq!((found.pose, found.deepfake_score, found.box_in_frame), (None, None, BoxPx::default()));
    }
}
