//! The face detector: `UltraFace` RFB-320.
//!
//! In: a frame, or one tile of it. Out: boxes in frame pixels. Deliberately not here: which face matters, and following it.

use ndarray::{ArrayBase, Data, IxDyn};

use super::error::VisionError;
use super::face::Detection;
use super::geometry::BoxPx;
use super::resample::{ChannelOrder, Interpolation, PixelRect, resize_region, side_i32, whole, write_nchw};
use super::tensor::ExpectedOutput;
use crate::media::PictureView;

const MODEL: &str = "detection";
/// Input size of the model.
const INPUT_SIZE: (u16, u16) = (320, 240);
/// Middle grey and level scale of the model's input, from its origin.
const INPUT_OFFSET: f32 = 127.0;
const INPUT_FACTOR: f32 = 1.0 / 128.0;
/// Boxes that the model always proposes.
const ANCHORS: usize = 4420;
const SCORES: ExpectedOutput =
    ExpectedOutput { model: MODEL, index: 0, shape: &[1, ANCHORS, 2], described: "scores [1, 4420, 2]" };
const BOXES: ExpectedOutput =
    ExpectedOutput { model: MODEL, index: 1, shape: &[1, ANCHORS, 4], described: "boxes [1, 4420, 4]" };

/// Confidence that makes a proposal a face; the model's published operating point.
const MIN_CONFIDENCE: f32 = 0.65;
/// Overlap above which two proposals are one face; the model's published value.
const MAX_OVERLAP: f32 = 0.4;
/// Proposals that are compared with each other at most; a hostile picture may light up all of them.
const MAX_CANDIDATES: usize = 512;
/// Faces reported from one frame, largest first.
const MAX_FACES: usize = 16;
/// Frames up to this width are searched in one piece: a face of 41 px is found in 98 of 100 of them (ADR 004).
const MAX_WHOLE_WIDTH: u32 = 640;
/// Most tiles a side of a wider frame.
const MAX_TILES_A_SIDE: u32 = 3;
/// Size of a tile over its share of the frame: neighbours overlap, so that no face lies across a border.
const TILE_MARGIN: f32 = 1.125;

/// Prepares a whole frame for the detector.
///
/// # Shapes
/// Output: `[1, 3, 240, 320]`, f32, RGB, about -1..=1; the frame is squeezed to 4:3, as in the model's training.
///
/// # Errors
/// [`VisionError::Operation`] when the image library refuses the frame.
pub fn prepare(frame: PictureView<'_>, input: &mut [f32]) -> Result<(), VisionError> {
    prepare_tile(frame, &whole_frame(frame.width(), frame.height()), input)
}

/// Reads faces out of the detector's answer on a whole frame, largest first, at most 16.
///
/// Boxes may reach outside the frame where a face does.
///
/// # Errors
/// [`VisionError::OutputShape`] and [`VisionError::NotFinite`] when the answer is not the model's.
pub fn interpret<S: Data<Elem = f32>>(
    outputs: &[ArrayBase<S, IxDyn>],
    frame_width: u32,
    frame_height: u32,
) -> Result<Vec<Detection>, VisionError> {
    interpret_tile(outputs, &whole_frame(frame_width, frame_height))
}

/// Overlapping parts of a frame in which to look again when the whole frame showed no face.
///
/// The detector sees 320 pixels a row: in a frame of 1280 a face of 41 px shrinks to 10, which is its limit. Empty for
/// frames of up to 640 pixels a row, where a second look adds nothing.
#[must_use]
pub fn tiles(frame_width: u32, frame_height: u32) -> Vec<BoxPx> {
    if frame_width.max(frame_height) <= MAX_WHOLE_WIDTH {
        return Vec::new();
    }
    let frame = whole_frame(frame_width, frame_height);
    let a_side = frame_width.max(frame_height).div_ceil(MAX_WHOLE_WIDTH).min(MAX_TILES_A_SIDE);
    let share = TILE_MARGIN / a_side as f32;
    let (width, height) = (frame.right * share, frame.bottom * share);
    let last = (a_side - 1) as f32;
    let starts = |size: f32, tile: f32| (0..a_side).map(move |i| ((size - tile) * i as f32 / last).floor());
    starts(frame.bottom, height)
        .flat_map(|top| {
            starts(frame.right, width).map(move |left| BoxPx { left, top, right: left + width, bottom: top + height })
        })
        .collect()
}

/// Prepares one part of a frame for the detector; as [`prepare`].
///
/// # Errors
/// [`VisionError::Operation`] when the part is empty or outside the frame.
pub fn prepare_tile(frame: PictureView<'_>, tile: &BoxPx, input: &mut [f32]) -> Result<(), VisionError> {
    let (frame_width, frame_height) = (side_i32(frame.width()), side_i32(frame.height()));
    let left = whole(f64::from(tile.left)).clamp(0, frame_width);
    let top = whole(f64::from(tile.top)).clamp(0, frame_height);
    let right = whole(f64::from(tile.right)).clamp(left, frame_width);
    let bottom = whole(f64::from(tile.bottom)).clamp(top, frame_height);
    let region = PixelRect { left, top, width: right - left, height: bottom - top };
    let chip = resize_region(frame, region, INPUT_SIZE, Interpolation::Area)?;
    write_nchw(chip.pixels()?, ChannelOrder::Rgb, INPUT_OFFSET, INPUT_FACTOR, input)
}

/// Reads faces out of the detector's answer on one part of a frame; boxes are in frame pixels.
///
/// # Errors
/// As [`interpret`].
pub fn interpret_tile<S: Data<Elem = f32>>(
    outputs: &[ArrayBase<S, IxDyn>],
    tile: &BoxPx,
) -> Result<Vec<Detection>, VisionError> {
    let scores = SCORES.read(outputs)?;
    let boxes = BOXES.read(outputs)?;
    let (scores, _) = scores.as_chunks::<2>();
    let (boxes, _) = boxes.as_chunks::<4>();
    let mut candidates: Vec<Detection> = scores
        .iter()
        .zip(boxes)
        .filter(|([_, face], _)| *face > MIN_CONFIDENCE)
        .map(|([_, face], [left, top, right, bottom])| Detection {
            box_in_frame: BoxPx {
                left: tile.left + left * tile.width(),
                top: tile.top + top * tile.height(),
                right: tile.left + right * tile.width(),
                bottom: tile.top + bottom * tile.height(),
            },
            confidence: face.min(1.0),
        })
        .filter(|found| found.box_in_frame.is_finite() && found.box_in_frame.area() > 0.0)
        .collect();
    candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    candidates.truncate(MAX_CANDIDATES);
    Ok(merge(candidates))
}

/// Joins the faces of several tiles: of proposals that overlap, the most confident stays; largest first, at most 16.
#[must_use]
pub fn merge(mut candidates: Vec<Detection>) -> Vec<Detection> {
    candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in candidates {
        if kept.iter().all(|other| other.box_in_frame.iou(&candidate.box_in_frame) <= MAX_OVERLAP) {
            kept.push(candidate);
        }
    }
    kept.sort_by(|a, b| b.box_in_frame.area().total_cmp(&a.box_in_frame.area()));
    kept.truncate(MAX_FACES);
    kept
}

fn whole_frame(width: u32, height: u32) -> BoxPx {
    BoxPx { left: 0.0, top: 0.0, right: width as f32, bottom: height as f32 }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::{ANCHORS, MAX_FACES, interpret, interpret_tile, prepare, tiles};
    use crate::media::RgbImage;
    use crate::vision::error::VisionError;
    use crate::vision::geometry::BoxPx;
    use crate::vision::tensor::testing::prepared;

    /// Answers as the model would if these anchors fired.
    fn answer(faces: &[(usize, f32, [f32; 4])]) -> Vec<ArrayD<f32>> {
        let mut scores = ArrayD::zeros(IxDyn(&[1, ANCHORS, 2]));
        let mut boxes = ArrayD::zeros(IxDyn(&[1, ANCHORS, 4]));
        for (anchor, confidence, edges) in faces {
            scores[[0, *anchor, 1]] = *confidence;
            for (axis, edge) in edges.iter().enumerate() {
                boxes[[0, *anchor, axis]] = *edge;
            }
        }
        vec![scores, boxes]
    }

    #[test]
    fn boxes_come_back_in_frame_pixels_largest_first() {
        let outputs =
            answer(&[(3, 0.9, [0.1, 0.1, 0.2, 0.2]), (70, 0.7, [0.5, 0.5, 0.9, 0.9]), (71, 0.6, [0.0, 0.0, 1.0, 1.0])]);
        let found = interpret(&outputs, 1000, 500).expect("fits");
        assert_eq!(found.len(), 2, "the third is not confident enough");
        assert_eq!(found[0].box_in_frame, BoxPx { left: 500.0, top: 250.0, right: 900.0, bottom: 450.0 });
        assert_eq!(found[1].box_in_frame, BoxPx { left: 100.0, top: 50.0, right: 200.0, bottom: 100.0 });
    }

    #[test]
    fn proposals_that_overlap_are_one_face() {
        let outputs = answer(&[(1, 0.8, [0.1, 0.1, 0.5, 0.5]), (2, 0.95, [0.12, 0.1, 0.52, 0.5])]);
        let found = interpret(&outputs, 100, 100).expect("fits");
        assert_eq!(found.len(), 1);
        assert!((found[0].confidence - 0.95).abs() < 1e-6);
    }

    #[test]
    fn faces_are_bounded_and_empty_boxes_are_none() {
        let many: Vec<_> = (0..60_u8)
            .map(|i| {
                let (x, y) = (f32::from(i % 10) / 10.0, f32::from(i / 10) / 10.0);
                (usize::from(i), 0.9, [x, y, x + 0.09, y + 0.09])
            })
            .collect();
        assert_eq!(interpret(&answer(&many), 640, 480).expect("fits").len(), MAX_FACES);
        let inverted = answer(&[(0, 0.9, [0.5, 0.5, 0.4, 0.9])]);
        assert!(interpret(&inverted, 640, 480).expect("fits").is_empty());
    }

    #[test]
    fn answers_of_another_model_are_errors() {
        let mut outputs = answer(&[]);
        outputs[1][[0, 0, 0]] = f32::NAN;
        assert!(matches!(interpret(&outputs, 640, 480), Err(VisionError::NotFinite { .. })));
        outputs.pop();
        assert!(matches!(interpret(&outputs, 640, 480), Err(VisionError::OutputShape { .. })));
        let swapped: Vec<_> = answer(&[]).into_iter().rev().collect();
        assert!(matches!(interpret(&swapped, 640, 480), Err(VisionError::OutputShape { .. })));
    }

    #[test]
    fn tiles_cover_large_frames_and_spare_small_ones() {
        assert!(tiles(640, 480).is_empty());
        assert_eq!(tiles(1920, 1080).len(), 9);
        assert_eq!(tiles(100_000, 100_000).len(), 9);
        let tiles = tiles(1280, 720);
        assert_eq!(tiles.len(), 4);
        assert!(tiles.contains(&BoxPx { left: 0.0, top: 0.0, right: 720.0, bottom: 405.0 }), "{tiles:?}");
        assert!(tiles.contains(&BoxPx { left: 560.0, top: 315.0, right: 1280.0, bottom: 720.0 }), "{tiles:?}");
        let outputs = answer(&[(0, 0.9, [0.0, 0.0, 0.1, 0.1])]);
        let found = interpret_tile(&outputs, &tiles[3]).expect("fits");
        assert_eq!((found[0].box_in_frame.left, found[0].box_in_frame.top), (tiles[3].left, tiles[3].top));
    }

    #[test]
    fn the_tensor_is_what_the_model_expects() {
        let frame = RgbImage::new(64, 48, [255, 127, 0].repeat(64 * 48)).expect("size fits");
        let (tensor, ()) = prepared(&[1, 3, 240, 320], |input| prepare(frame.view().into(), input)).expect("prepares");
        assert!((tensor[[0, 0, 7, 9]] - 1.0).abs() < 1e-6);
        assert!(tensor[[0, 1, 7, 9]].abs() < 1e-6);
        assert!((tensor[[0, 2, 7, 9]] + 127.0 / 128.0).abs() < 1e-6);
    }
}
