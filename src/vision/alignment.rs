//! Upright face chips for identity.

use super::error::VisionError;
use super::face::FivePoints;
use super::geometry::PointPx;
use super::resample::warp_chip;
use super::transform::Similarity;
use crate::media::{PictureView, RgbImage};

/// Side of an aligned chip.
pub const CHIP_SIDE_PX: u16 = 112;
/// Eyes that are closer than this carry no identity.
const MIN_EYE_DISTANCE_PX: f32 = 2.0;
/// Where `ArcFace`'s training put the five points.
///
/// Whether the published figures count from a pixel's centre or from its edge is not said; read from the edge, as here,
/// identities separate slightly better (ADR 004).
const TEMPLATE: [(f32, f32); 5] =
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)];

/// Warps one face upright into a square chip.
///
/// # Shapes
/// `frame`: `[height, width, 3]`, u8, RGB, 0..=255. Output: `[112, 112, 3]`, same layout; black outside the frame.
///
/// # Units
/// `points_in_frame` are frame pixels, in the order of [`FivePoints`].
///
/// # Errors
/// [`VisionError::DegenerateLandmarks`] when the points lie on top of each other or are not finite,
/// [`VisionError::Operation`] when the image library refuses the frame.
///
/// # Source
/// Least-squares similarity, Umeyama, IEEE TPAMI 13(4), 1991, to the five-point template of `ArcFace` (Deng et al., CVPR
/// 2019). Unlike the paper, a reflection is never returned, and a near-singular point set is an error.
pub fn align_face(frame: PictureView<'_>, points_in_frame: &FivePoints) -> Result<RgbImage, VisionError> {
    let [left_eye, right_eye, ..] = points_in_frame;
    let eye_distance_px = (left_eye.x - right_eye.x).hypot(left_eye.y - right_eye.y);
    if eye_distance_px.is_nan() || eye_distance_px < MIN_EYE_DISTANCE_PX {
        return Err(VisionError::DegenerateLandmarks { problem: "the eyes lie on top of each other" });
    }
    let template = TEMPLATE.map(|(x, y)| PointPx { x, y });
    let chip_from_frame = Similarity::least_squares(points_in_frame, &template)
        .ok_or(VisionError::DegenerateLandmarks { problem: "no similarity maps them to a face" })?;
    let pixels = warp_chip(frame, &chip_from_frame, CHIP_SIDE_PX)?.pixels()?.to_vec();
    RgbImage::new(u32::from(CHIP_SIDE_PX), u32::from(CHIP_SIDE_PX), pixels)
        .map_err(|_| VisionError::DegenerateLandmarks { problem: "the chip has no pixels" })
}

#[cfg(test)]
mod tests {
    use super::{TEMPLATE, align_face};
    use crate::media::RgbImage;
    use crate::vision::error::VisionError;
    use crate::vision::geometry::PointPx;
    use crate::vision::transform::Similarity;

    /// A black frame with a white 5x5 mark at each point.
    fn marked(points: &[PointPx]) -> RgbImage {
        const SIDE: u32 = 400;
        let pixels = (0..SIDE * SIDE)
            .flat_map(|i| {
                let (x, y) = ((i % SIDE) as f32 + 0.5, (i / SIDE) as f32 + 0.5);
                let hit = points.iter().any(|p| (p.x - x).abs() <= 2.5 && (p.y - y).abs() <= 2.5);
                [if hit { 255 } else { 0 }; 3]
            })
            .collect();
        RgbImage::new(SIDE, SIDE, pixels).expect("size fits")
    }

    #[test]
    fn tilted_faces_come_out_upright() {
        let template = TEMPLATE.map(|(x, y)| PointPx { x, y });
        for (scale, angle) in [(1.0, 0.0), (1.5, 0.6), (2.2, -0.9), (0.7, 2.0)] {
            let pose = Similarity::about(PointPx { x: 56.0, y: 56.0 }, PointPx { x: 200.0, y: 200.0 }, scale, angle);
            let points = template.map(|point| pose.apply(point));
            let chip = align_face(marked(&points).view().into(), &points).expect("aligns");
            // The pixels that hold the template's points.
            for (column, row) in [(38, 51), (73, 51), (56, 71), (41, 92), (70, 92)] {
                let level = chip.pixels()[(row * 112 + column) * 3];
                assert!(level > 128, "scale {scale}, angle {angle}, point {column},{row}: {level}");
            }
        }
    }

    #[test]
    fn points_that_are_no_face_are_errors() {
        let frame = marked(&[]);
        let same = [PointPx { x: 10.0, y: 10.0 }; 5];
        let mut nan = TEMPLATE.map(|(x, y)| PointPx { x, y });
        nan[3].x = f32::NAN;
        let mut infinite = TEMPLATE.map(|(x, y)| PointPx { x, y });
        infinite[0].x = f32::INFINITY;
        for points in [same, nan, infinite] {
            let outcome = align_face(frame.view().into(), &points);
            assert!(matches!(outcome, Err(VisionError::DegenerateLandmarks { .. })), "{outcome:?}");
        }
    }
}
