//! What a face's picture must be like before anything is concluded from it, and what to do when it is not.

use crate::vision::FaceQuality;

use super::measurement::Reason;
use super::observation::FaceObservation;

/// Face height below which no signal is trusted; also the height that the remedy names.
pub const MIN_FACE_PX: f32 = 56.0;
/// Mean luma below which a face is too dark.
const MIN_EXPOSURE: f32 = 0.10;
/// Mean luma above which a face is too bright.
const MAX_EXPOSURE: f32 = 0.93;
/// Share of the face that may lie outside the frame.
const MAX_OUTSIDE_RATIO: f32 = 0.25;
/// Yaw beyond which the face is in profile.
const MAX_YAW_DEG: f32 = 60.0;
/// Variance of the Laplacian on the fixed-size chip below which the picture is mush.
const MIN_SHARPNESS: f32 = 4.0;

/// Why a face cannot be measured; `None` when it can.
#[must_use]
pub fn quality_problem(face: &FaceObservation) -> Option<Reason> {
    let FaceQuality { face_height_px, sharpness, exposure, outside_ratio, .. } = face.quality;
    // Written so that a value that is not a number fails its test.
    let is_at_least = |value: f32, bound: f32| value >= bound;
    if !is_at_least(face_height_px, MIN_FACE_PX) {
        let reason = Reason::new("quality.face_too_small");
        return Some(reason.with("face_px", face_height_px).with("face_px_needed", MIN_FACE_PX));
    }
    if !is_at_least(exposure, MIN_EXPOSURE) {
        let reason = Reason::new("quality.too_dark");
        return Some(reason.with("exposure", exposure).with("exposure_needed", MIN_EXPOSURE));
    }
    if !is_at_least(-exposure, -MAX_EXPOSURE) {
        let reason = Reason::new("quality.too_bright");
        return Some(reason.with("exposure", exposure).with("exposure_allowed", MAX_EXPOSURE));
    }
    if !is_at_least(-outside_ratio, -MAX_OUTSIDE_RATIO) {
        return Some(Reason::new("quality.face_cut_off").with("outside_ratio", outside_ratio));
    }
    if face.pose.is_some_and(|pose| !is_at_least(-pose.yaw_deg.abs(), -MAX_YAW_DEG)) {
        return Some(Reason::new("quality.turned_away").with("yaw_deg", face.pose.map_or(0.0, |pose| pose.yaw_deg)));
    }
    if !is_at_least(sharpness, MIN_SHARPNESS) {
        let reason = Reason::new("quality.blurred");
        return Some(reason.with("sharpness", sharpness).with("sharpness_needed", MIN_SHARPNESS));
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::signals::testing::face;

    use super::quality_problem;

    #[test]
    fn a_good_face_passes_and_each_fault_is_named() {
        assert_eq!(quality_problem(&face()), None);
        let check = |change: fn(&mut super::FaceQuality), code: &str| {
            let mut face = face();
            change(&mut face.quality);
            assert_eq!(quality_problem(&face).expect("a fault").code, code);
        };
        check(|quality| quality.face_height_px = 41.0, "quality.face_too_small");
        check(|quality| quality.exposure = 0.02, "quality.too_dark");
        check(|quality| quality.exposure = 0.99, "quality.too_bright");
        check(|quality| quality.outside_ratio = 0.5, "quality.face_cut_off");
        check(|quality| quality.sharpness = 0.1, "quality.blurred");
        check(|quality| quality.sharpness = f32::NAN, "quality.blurred");
        check(|quality| quality.face_height_px = f32::NAN, "quality.face_too_small");
    }
}
