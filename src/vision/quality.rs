//! How much a face's picture can carry.

use std::ops::Range;

use super::error::VisionError;
use super::face::{FaceMesh, FaceQuality};
use super::geometry::{BoxPx, PointPx};
use super::resample::warp_chip;
use super::transform::Similarity;
use crate::media::PictureView;

/// Side of the chip on which a face is judged; a face that is smaller is enlarged, and its sharpness is low for it.
const CHIP_SIDE: u16 = 96;
/// Sums that are kept side by side.
const LANES: usize = 8;
/// Half axes of the ellipse that holds the face, as shares of half the box.
const ELLIPSE_RATIO: f32 = 0.85;
/// Luma at and below which a pixel is nearly black, and at and above which it is nearly white.
const BLACK_LUMA: f32 = 8.0;
const WHITE_LUMA: f32 = 247.0;
/// Luma weights of ITU-R BT.601.
const LUMA_WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];

/// Mesh points around which skin is expected: forehead, cheeks, nose, below the nose, chin.
const SKIN_POINTS: [usize; 6] = [151, 50, 280, 5, 164, 199];
/// Half side of the patch around each, in chip pixels.
const PATCH_RADIUS: i32 = 2;
/// Distance of two patches in the plane of red and blue colour difference (levels) from which they are not the same skin.
///
/// Of 454 faces in colour, hardly any covered, 1.3 in 100 have such a patch; of the same faces with everything below the
/// eyes painted black or white 6 in 10, painted blue all (ADR 004).
const MAX_SKIN_DISTANCE: f32 = 20.0;
/// Patches without which nothing is said.
const MIN_PATCHES: usize = 3;

/// Judges the picture of one face.
///
/// `occlusion_ratio` is the share of skin patches whose colour does not belong with the majority's: it sees masks, scarves
/// and microphones of another colour, not hands, and nothing in a picture without colour. It is 0 without a mesh.
///
/// # Errors
/// [`VisionError::DegenerateLandmarks`] when the box is empty or not finite, [`VisionError::Operation`].
///
/// # Source
/// Variance of the Laplacian: Pech-Pacheco et al., ICPR 2000; here on a chip of fixed size, within an ellipse.
pub fn face_quality(
    frame: PictureView<'_>,
    box_in_frame: &BoxPx,
    mesh: Option<&FaceMesh>,
) -> Result<FaceQuality, VisionError> {
    if !(box_in_frame.is_finite() && box_in_frame.area() > 0.0) {
        return Err(VisionError::DegenerateLandmarks { problem: "the face box is empty" });
    }
    let frame_box = BoxPx { left: 0.0, top: 0.0, right: frame.width() as f32, bottom: frame.height() as f32 };
    let outside_ratio = 1.0 - box_in_frame.intersection(&frame_box).area() / box_in_frame.area();
    let chip = FaceChip::cut(frame, box_in_frame, frame_box)?;
    let figures = chip.figures();
    Ok(FaceQuality {
        face_height_px: box_in_frame.height(),
        sharpness: figures.sharpness,
        exposure: figures.mean_luma / 255.0,
        clipped_ratio: figures.clipped_ratio,
        outside_ratio: outside_ratio.clamp(0.0, 1.0),
        occlusion_ratio: mesh.map_or(0.0, |mesh| chip.odd_patch_ratio(mesh)),
    })
}

/// A face in a square of fixed size, upright as in the frame.
struct FaceChip {
    pixels: Vec<u8>,
    chip_from_frame: Similarity,
    frame_in_chip: BoxPx,
    half_width: f32,
    half_height: f32,
}

/// What the pixels of a face say together; zero when none of them lies in the frame.
#[derive(Default)]
struct Figures {
    mean_luma: f32,
    clipped_ratio: f32,
    sharpness: f32,
}

/// Sums over the pixels of a face, in lanes that the compiler keeps in one vector register each.
#[derive(Default)]
struct Sums {
    n_pixels: usize,
    luma: [f32; LANES],
    clipped: [f32; LANES],
    edge: [f32; LANES],
    edge_squares: [f32; LANES],
}

impl Sums {
    /// Adds a stretch of pixels, given with the pixels to their left and right, above and below.
    fn add_row(&mut self, [pixels, left, right, above, below]: [&[f32]; 5]) {
        self.n_pixels += pixels.len();
        let (whole, rest) = pixels.as_chunks::<LANES>();
        let neighbours = [left, right, above, below].map(|line| line.as_chunks::<LANES>());
        let [left, right, above, below] = neighbours.map(|(whole, _)| whole);
        for ((((pixels, left), right), above), below) in whole.iter().zip(left).zip(right).zip(above).zip(below) {
            for lane in 0..LANES {
                self.add(lane, pixels[lane], left[lane] + right[lane] + above[lane] + below[lane]);
            }
        }
        let [left, right, above, below] = neighbours.map(|(_, rest)| rest);
        for (lane, pixel) in rest.iter().enumerate() {
            self.add(lane, *pixel, left[lane] + right[lane] + above[lane] + below[lane]);
        }
    }

    /// Adds a pixel, given with the sum of its four neighbours.
    fn add(&mut self, lane: usize, luma: f32, neighbours: f32) {
        let edge = neighbours - 4.0 * luma;
        self.luma[lane] += luma;
        self.clipped[lane] += f32::from(u8::from(luma <= BLACK_LUMA) | u8::from(luma >= WHITE_LUMA));
        self.edge[lane] += edge;
        self.edge_squares[lane] += edge * edge;
    }

    fn figures(&self) -> Figures {
        if self.n_pixels == 0 {
            return Figures::default();
        }
        let mean = |lanes: &[f32; LANES]| lanes.iter().sum::<f32>() / self.n_pixels as f32;
        let edge = mean(&self.edge);
        Figures {
            mean_luma: mean(&self.luma),
            clipped_ratio: mean(&self.clipped),
            sharpness: (mean(&self.edge_squares) - edge * edge).max(0.0),
        }
    }
}

impl FaceChip {
    fn cut(frame: PictureView<'_>, face: &BoxPx, frame_box: BoxPx) -> Result<Self, VisionError> {
        let half = f32::from(CHIP_SIDE) / 2.0;
        let longer = face.width().max(face.height());
        let scale = f32::from(CHIP_SIDE) / longer;
        let chip_from_frame = Similarity::about(face.center(), PointPx { x: half, y: half }, f64::from(scale), 0.0);
        let pixels = warp_chip(frame, &chip_from_frame, CHIP_SIDE)?.pixels()?.to_vec();
        let low = chip_from_frame.apply(PointPx { x: frame_box.left, y: frame_box.top });
        let high = chip_from_frame.apply(PointPx { x: frame_box.right, y: frame_box.bottom });
        Ok(Self {
            pixels,
            chip_from_frame,
            frame_in_chip: BoxPx { left: low.x, top: low.y, right: high.x, bottom: high.y },
            half_width: ELLIPSE_RATIO * scale * face.width() / 2.0,
            half_height: ELLIPSE_RATIO * scale * face.height() / 2.0,
        })
    }

    /// Luma of every pixel, row by row.
    fn luma(&self) -> Vec<f32> {
        let weigh =
            |rgb: &[u8; 3]| rgb.iter().zip(LUMA_WEIGHTS).map(|(level, weight)| f32::from(*level) * weight).sum();
        self.pixels.as_chunks::<3>().0.iter().map(weigh).collect()
    }

    /// Whether a pixel and its neighbours belong to the face and to the frame.
    fn is_face(&self, column: u16, row: u16) -> bool {
        let half = f32::from(CHIP_SIDE) / 2.0;
        let (x, y) = (f32::from(column) + 0.5, f32::from(row) + 0.5);
        let (across, down) = ((x - half) / self.half_width, (y - half) / self.half_height);
        // One more pixel on every side for the neighbours, and half a pixel that interpolation mixes with the outside.
        let inner = &self.frame_in_chip;
        across * across + down * down <= 1.0
            && x - 2.0 >= inner.left
            && x + 2.0 <= inner.right
            && y - 2.0 >= inner.top
            && y + 2.0 <= inner.bottom
    }

    /// The columns of a row for which [`FaceChip::is_face`]: a stretch, as an ellipse and a frame have no holes.
    fn face_columns(&self, row: u16) -> Range<usize> {
        let mut columns = 1..CHIP_SIDE - 1;
        let Some(first) = columns.find(|column| self.is_face(*column, row)) else { return 0..0 };
        let last = columns.rfind(|column| self.is_face(*column, row)).unwrap_or(first);
        usize::from(first)..usize::from(last) + 1
    }

    fn figures(&self) -> Figures {
        let luma = self.luma();
        let side = usize::from(CHIP_SIDE);
        let mut sums = Sums::default();
        for row in 1..CHIP_SIDE - 1 {
            let columns = self.face_columns(row);
            let first = usize::from(row) * side + columns.start;
            let line = |start: usize| luma.get(start..start + columns.len()).unwrap_or_default();
            sums.add_row([line(first), line(first - 1), line(first + 1), line(first - side), line(first + side)]);
        }
        sums.figures()
    }

    /// Share of skin patches that do not look like the largest group of them.
    fn odd_patch_ratio(&self, mesh: &FaceMesh) -> f32 {
        let patches: Vec<[f32; 2]> = SKIN_POINTS.iter().filter_map(|index| self.patch(mesh.point(*index))).collect();
        if patches.len() < MIN_PATCHES {
            return 0.0;
        }
        let alike = |center: &[f32; 2]| {
            let near = |other: &&[f32; 2]| (center[0] - other[0]).hypot(center[1] - other[1]) <= MAX_SKIN_DISTANCE;
            patches.iter().filter(near).count()
        };
        let largest = patches.iter().map(alike).max().unwrap_or(0);
        1.0 - largest as f32 / patches.len() as f32
    }

    /// Mean red and blue colour difference around a point of the frame; `None` outside of chip or frame.
    fn patch(&self, point_in_frame: PointPx) -> Option<[f32; 2]> {
        let center = self.chip_from_frame.apply(point_in_frame);
        if !self.frame_in_chip.contains(&center) {
            return None;
        }
        let (column, row) =
            (super::resample::whole(f64::from(center.x.floor())), super::resample::whole(f64::from(center.y.floor())));
        let side = i32::from(CHIP_SIDE);
        let is_inside = |position: i32| (PATCH_RADIUS..side - PATCH_RADIUS).contains(&position);
        if !(is_inside(column) && is_inside(row)) {
            return None;
        }
        let mut sums = [0.0_f32; 3];
        for y in row - PATCH_RADIUS..=row + PATCH_RADIUS {
            for x in column - PATCH_RADIUS..=column + PATCH_RADIUS {
                let at = usize::try_from((y * side + x) * 3).ok()?;
                for (sum, level) in sums.iter_mut().zip(self.pixels.get(at..at + 3)?) {
                    *sum += f32::from(*level);
                }
            }
        }
        let count = (2 * PATCH_RADIUS + 1).pow(2) as f32;
        let [red, green, blue] = sums.map(|sum| sum / count);
        let luma = LUMA_WEIGHTS[0] * red + LUMA_WEIGHTS[1] * green + LUMA_WEIGHTS[2] * blue;
        // Colour differences as in ITU-R BT.601.
        Some([0.713 * (red - luma), 0.564 * (blue - luma)])
    }
}

#[cfg(test)]
mod tests {
    use super::face_quality;
    use crate::media::RgbImage;
    use crate::vision::canonical::synthetic_mesh;
    use crate::vision::error::VisionError;
    use crate::vision::geometry::BoxPx;
    use crate::vision::landmark::face_box;

    const FACE: BoxPx = BoxPx { left: 220.0, top: 140.0, right: 420.0, bottom: 380.0 };

    fn picture(paint: impl Fn(u32, u32) -> [u8; 3]) -> RgbImage {
        let pixels =
            (0..480_u32).flat_map(|y| (0..640_u32).map(move |x| (x, y))).flat_map(|(x, y)| paint(x, y)).collect();
        RgbImage::new(640, 480, pixels).expect("size fits")
    }

    /// Squares of `size` pixels in two greys.
    fn checkers(size: u32, dark: u8, light: u8) -> RgbImage {
        picture(|x, y| [if (x / size + y / size).is_multiple_of(2) { dark } else { light }; 3])
    }

    #[test]
    fn detail_and_contrast_make_a_picture_sharp() {
        let sharpness = |frame: &RgbImage| face_quality(frame.view().into(), &FACE, None).expect("judges").sharpness;
        let flat = sharpness(&picture(|_, _| [120; 3]));
        let coarse = sharpness(&checkers(40, 80, 160));
        let fine = sharpness(&checkers(8, 80, 160));
        let faint = sharpness(&checkers(8, 110, 130));
        assert!(flat < 0.01 && flat < faint && faint < fine && coarse < fine, "{flat} {faint} {coarse} {fine}");
    }

    #[test]
    fn exposure_and_clipping_are_those_of_the_face() {
        let judge = |level: u8| face_quality(picture(|_, _| [level; 3]).view().into(), &FACE, None).expect("judges");
        assert!((judge(128).exposure - 0.502).abs() < 0.01 && judge(128).clipped_ratio < 1e-6);
        assert!(judge(2).exposure < 0.01 && judge(2).clipped_ratio > 0.99);
        assert!(judge(254).exposure > 0.99 && judge(254).clipped_ratio > 0.99);
        // A white wall around a well-lit face does not count.
        let inside = |x: u32, y: u32| (220..420).contains(&x) && (140..380).contains(&y);
        let walled = picture(|x, y| if inside(x, y) { [128; 3] } else { [255; 3] });
        assert!(face_quality(walled.view().into(), &FACE, None).expect("judges").clipped_ratio < 0.01);
    }

    #[test]
    fn what_lies_outside_the_frame_is_told_and_not_judged() {
        let frame = picture(|_, _| [128; 3]);
        let half_out = BoxPx { left: -100.0, top: 100.0, right: 100.0, bottom: 300.0 };
        let quality = face_quality(frame.view().into(), &half_out, None).expect("judges");
        assert!((quality.outside_ratio - 0.5).abs() < 1e-3);
        assert!(quality.clipped_ratio < 0.01 && quality.sharpness < 0.01, "the black outside is no face: {quality:?}");
        let all_out = BoxPx { left: -300.0, top: 100.0, right: -100.0, bottom: 300.0 };
        let quality = face_quality(frame.view().into(), &all_out, None).expect("judges");
        assert!((quality.outside_ratio - 1.0).abs() < 1e-6 && quality.sharpness.abs() < 1e-6);
    }

    #[test]
    fn a_cover_of_another_colour_is_seen() {
        let mesh = synthetic_mesh(0.0, 0.0, 0.0, 200.0);
        let face = face_box(&mesh);
        let nose_row = mesh.points_in_frame[4][1];
        let skin = picture(|_, _| [200, 150, 130]);
        let bare = face_quality(skin.view().into(), &face, Some(&mesh)).expect("judges");
        assert!(bare.occlusion_ratio < 1e-6, "{bare:?}");
        let mask = picture(|_, y| if (y as f32) < nose_row { [200, 150, 130] } else { [90, 130, 190] });
        let covered = face_quality(mask.view().into(), &face, Some(&mesh)).expect("judges");
        assert!(covered.occlusion_ratio > 0.15, "{covered:?}");
        let unknown = face_quality(mask.view().into(), &face, None).expect("judges");
        assert!(unknown.occlusion_ratio.abs() < 1e-6, "nothing is said without a mesh");
    }

    #[test]
    fn boxes_that_hold_no_face_are_errors() {
        let frame = picture(|_, _| [128; 3]);
        for right in [10.0, 5.0, f32::NAN, f32::INFINITY] {
            let face = BoxPx { left: 10.0, top: 10.0, right, bottom: 60.0 };
            let outcome = face_quality(frame.view().into(), &face, None);
            assert!(matches!(outcome, Err(VisionError::DegenerateLandmarks { .. })), "{right}");
        }
    }
}
