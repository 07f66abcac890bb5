//! Labelled stills to faces, through the shipped pipeline.

use std::path::Path;

use crate::media::{RgbImage, still_from_file};
use crate::service::{Pipeline, ServiceError};
use crate::vision::{BoxPx, TrackedFace};

use super::error::EvalError;

/// Border around a tight crop, as a share of its sides, within which the detector finds a face that fills the picture.
const CROP_BORDER_RATIO: f64 = 0.5;
/// Level of that border.
const BORDER_LEVEL: u8 = 127;

/// How much of a scene a picture shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// A whole picture.
    #[default]
    Scene,
    /// A tight crop around one face: found within an added border, judged without it.
    FaceCrop,
}

impl Framing {
    /// The framing of images that are, or are not, tight face crops.
    #[must_use]
    pub const fn of_crops(are_crops: bool) -> Self {
        if are_crops { Self::FaceCrop } else { Self::Scene }
    }
}

/// Which face of a picture its label speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// The one nearest to the middle: data sets that were cut around a person.
    Central,
    /// The largest.
    Largest,
}

/// The picture and the face that its label speaks of, or why there is none.
pub(super) type StillFace = Result<(RgbImage, TrackedFace), &'static str>;

/// Reads a still and finds its face. An unreadable file or a picture without a face is an answer; a failing model is not.
pub(super) fn find(pipeline: &Pipeline, path: &Path, framing: Framing, choice: Choice) -> Result<StillFace, EvalError> {
    let Ok(image) = still_from_file(path, pipeline.limits()) else { return Ok(Err("media.unreadable")) };
    let faces = match framing {
        Framing::Scene => pipeline.faces(image.view().into())?,
        Framing::FaceCrop => faces_of_crop(pipeline, &image)?,
    };
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let chosen =
        faces.into_iter().min_by(|a, b| cost(a, choice, width, height).total_cmp(&cost(b, choice, width, height)));
    Ok(chosen.map(|face| (image, face)).ok_or("face.none"))
}

fn cost(face: &TrackedFace, choice: Choice, width: f64, height: f64) -> f64 {
    match choice {
        Choice::Central => {
            let center = face.box_in_frame.center();
            (f64::from(center.x) - width / 2.0).hypot(f64::from(center.y) - height / 2.0)
        }
        Choice::Largest => -f64::from(face.box_in_frame.area()),
    }
}

/// Finds faces in a crop with a border around it; their places are those of the crop itself.
fn faces_of_crop(pipeline: &Pipeline, crop: &RgbImage) -> Result<Vec<TrackedFace>, ServiceError> {
    let (width, height) = (crop.width(), crop.height());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "half of a picture's side")]
    let border = |side: u32| (f64::from(side) * CROP_BORDER_RATIO) as u32;
    let (beside, above) = (border(width), border(height));
    let (full_width, full_height) = (width + 2 * beside, height + 2 * above);
    let mut pixels = vec![BORDER_LEVEL; full_width as usize * full_height as usize * 3];
    let row_bytes = width as usize * 3;
    let rows = pixels.chunks_exact_mut(full_width as usize * 3).skip(above as usize);
    for (row, inner) in rows.zip(crop.pixels().chunks_exact(row_bytes.max(1))) {
        if let Some(place) = row.get_mut(beside as usize * 3..beside as usize * 3 + row_bytes) {
            place.copy_from_slice(inner);
        }
    }
    let bordered = RgbImage::new(full_width, full_height, pixels)?;
    let mut faces = pipeline.faces(bordered.view().into())?;
    #[expect(clippy::cast_precision_loss, reason = "sides of pictures are far below 2^24")]
    let (dx, dy) = (beside as f32, above as f32);
    for face in &mut faces {
        shift(face, -dx, -dy);
    }
    Ok(faces)
}

fn shift(face: &mut TrackedFace, dx: f32, dy: f32) {
    for [x, y, _] in face.mesh.points_in_frame.iter_mut() {
        *x += dx;
        *y += dy;
    }
    let moved = |place: BoxPx| BoxPx {
        left: place.left + dx,
        top: place.top + dy,
        right: place.right + dx,
        bottom: place.bottom + dy,
    };
    face.box_in_frame = moved(face.box_in_frame);
    if let Some(detection) = &mut face.detection {
        detection.box_in_frame = moved(detection.box_in_frame);
    }
}
