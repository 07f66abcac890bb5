//! What a frame is worth as a still.

use crate::media::MediaTime;
use crate::signals::{FaceObservation, quality_problem};

/// Face height from which more pixels show no more.
const TALL_PX: f32 = 200.0;
/// Sharpness at which a picture is half as good as it can be, in the units of `FaceQuality::sharpness`.
const HALF_SHARPNESS: f32 = 60.0;
/// What a face is worth whose pose is not known, between profile (0) and front (1).
const UNKNOWN_FACING: f32 = 0.5;

/// One encoded frame, without its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Position on the media clock.
    pub at: MediaTime,
    /// How well it shows the face, 0..=1; 0 without a face.
    pub quality: f32,
    /// Whether signals can measure the face.
    pub is_good: bool,
    /// Bytes of its pictures together.
    pub n_bytes: u64,
}

impl Look {
    /// What a frame is worth by the face that it shows.
    #[must_use]
    pub fn new(at: MediaTime, face: Option<&FaceObservation>, n_bytes: u64) -> Self {
        let is_good = face.is_some_and(is_good);
        Self { at, quality: face.map_or(0.0, quality), is_good, n_bytes }
    }
}

/// Whether a face can be measured.
pub(super) fn is_good(face: &FaceObservation) -> bool {
    quality_problem(face).is_none()
}

/// How well a face is shown: a product of shares, each 0..=1, so that one fault is not outweighed; 0 for what is no number.
fn quality(face: &FaceObservation) -> f32 {
    let quality = &face.quality;
    let facing =
        face.pose.map_or(UNKNOWN_FACING, |pose| pose.yaw_deg.to_radians().cos() * pose.pitch_deg.to_radians().cos());
    let shares = [
        quality.face_height_px / TALL_PX,
        quality.sharpness / (quality.sharpness + HALF_SHARPNESS),
        1.0 - (2.0 * quality.exposure - 1.0).abs(),
        1.0 - quality.clipped_ratio,
        1.0 - quality.outside_ratio,
        1.0 - quality.occlusion_ratio,
        facing,
        face.confidence,
    ];
    // `clamp` keeps NaN, and a product with it is NaN.
    let product: f32 = shares.iter().map(|share| share.clamp(0.0, 1.0)).product();
    if product.is_finite() { product } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use crate::media::MediaTime;
    use crate::signals::FaceObservation;
    use crate::signals::testing::face;
    use crate::vision::HeadPose;

    use super::Look;

    fn quality(change: impl FnOnce(&mut FaceObservation)) -> f32 {
        let mut face = face();
        change(&mut face);
        let look = Look::new(MediaTime::ZERO, Some(&face), 1);
        assert!((0.0..=1.0).contains(&look.quality), "{look:?}");
        look.quality
    }

    #[test]
    fn every_fault_makes_a_look_worse() {
        let good = quality(|_| {});
        assert!(good > 0.4, "{good}");
        let turned = HeadPose { yaw_deg: 50.0, ..HeadPose::default() };
        let faults: [fn(&mut FaceObservation); 7] = [
            |face| face.quality.face_height_px = 70.0,
            |face| face.quality.sharpness = 20.0,
            |face| face.quality.exposure = 0.9,
            |face| face.quality.clipped_ratio = 0.3,
            |face| face.quality.outside_ratio = 0.2,
            |face| face.quality.occlusion_ratio = 0.5,
            |face| face.confidence = 0.5,
        ];
        for fault in faults {
            assert!(quality(fault) < good);
        }
        assert!(quality(|face| face.pose = Some(turned)) < good && quality(|face| face.pose = None) < good);
    }

    #[test]
    fn what_is_no_number_is_worth_nothing() {
        let broken: [fn(&mut FaceObservation); 4] = [
            |face| face.quality.sharpness = f32::NAN,
            |face| face.quality.exposure = f32::INFINITY,
            |face| face.confidence = f32::NAN,
            |face| face.quality.face_height_px = f32::NAN,
        ];
        for fault in broken {
            assert!(quality(fault) <= 0.0);
        }
        let none = Look::new(MediaTime::ZERO, None, 1);
        assert!(none.quality <= 0.0 && !none.is_good);
    }
}
