//! Frames to stills, on the thread that analyses them: the only place where a picture that is kept is encoded.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::media::{FittedJpeg, MediaTime, PictureView, RgbImage, encode_jpeg_within};
use crate::service::error::ServiceError;
use crate::session::{Look, StillWish};
use crate::signals::{FaceObservation, FaceSearch, FrameObservation};
use crate::vision::{FaceOutline, TrackedFace, cut_face, small_frame};

use super::facts::{StillFace, StillFacts};
use super::held::HeldBytes;

/// Longer side of a still's frame.
const FRAME_SIDE_PX: u16 = 640;
/// Side of a face's chip.
const CHIP_SIDE_PX: u16 = 256;
/// Bytes of each picture.
const MAX_PICTURE_BYTES: usize = 64 * 1024;
/// JPEG quality that pictures have if they fit.
const QUALITY: u8 = 85;
/// Wait for its turn from which a frame is kept half as often: the server is behind.
const LATE: Duration = Duration::from_millis(60);

/// An encoded picture.
#[derive(Clone, PartialEq)]
pub struct StillPicture {
    /// JPEG.
    pub jpeg: Bytes,
    /// Pixels a row.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// SHA-256 of the JPEG.
    pub sha256: [u8; 32],
}

impl std::fmt::Debug for StillPicture {
    /// Size only: pixels never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StillPicture({}x{}, {} bytes)", self.width_px, self.height_px, self.jpeg.len())
    }
}

/// A frame that may be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Shot {
    /// What it is worth.
    pub look: Look,
    /// The frame, made small.
    pub frame: StillPicture,
    /// The face, cut out.
    pub chip: Option<StillPicture>,
    /// What was measured on it.
    pub facts: StillFacts,
}

/// A shot whose bytes are counted while it is held; cheap to clone.
#[derive(Clone, Debug)]
pub(in crate::service) struct HeldShot {
    pub(in crate::service) shot: Arc<Shot>,
    _bytes: Arc<HeldBytes>,
}

impl HeldShot {
    pub(super) fn new(shot: Shot, bytes: HeldBytes) -> Self {
        Self { shot: Arc::new(shot), _bytes: Arc::new(bytes) }
    }
}

/// Takes stills of one track; remembers when, and how hard its pictures are to encode.
#[derive(Clone, Debug)]
pub(in crate::service) struct Camera {
    last: Option<MediaTime>,
    frame_quality: u8,
    chip_quality: u8,
}

impl Default for Camera {
    fn default() -> Self {
        Self { last: None, frame_quality: QUALITY, chip_quality: QUALITY }
    }
}

impl Camera {
    /// Takes a still of a frame, if one is wanted. `faces` are those of the observation, in the same order.
    ///
    /// # Errors
    /// [`ServiceError::Vision`], [`ServiceError::Media`] when the picture cannot be encoded; the next one may.
    pub(in crate::service) fn take(
        &mut self,
        picture: PictureView<'_>,
        observation: &FrameObservation,
        faces: &[TrackedFace],
        (wish, waited): (StillWish, Duration),
    ) -> Result<Option<Shot>, ServiceError> {
        let FaceSearch::Run(observed) = &observation.faces else { return Ok(None) };
        let of_wish = |face: &FaceObservation| wish.face == Some(face.face_track);
        // The largest is the first.
        let at = observed.iter().position(of_wish).or((!observed.is_empty()).then_some(0));
        let face = at.and_then(|at| Some((observed.get(at)?, faces.get(at)?)));
        let look = Look::new(observation.media_time, face.map(|(observed, _)| observed), 0);
        let period_secs = if look.is_good { wish.good_every_secs.min(wish.every_secs) } else { wish.every_secs };
        let period_secs = if waited > LATE { 2.0 * period_secs } else { period_secs };
        if self.last.is_some_and(|last| (0.0..period_secs).contains(&look.at.secs_since(last))) {
            return Ok(None);
        }
        self.last = Some(look.at);
        let n_faces = u32::try_from(observed.len()).unwrap_or(u32::MAX);
        Ok(Some(self.encode(picture, look, face, n_faces)?))
    }

    fn encode(
        &mut self,
        picture: PictureView<'_>,
        look: Look,
        face: Option<(&FaceObservation, &TrackedFace)>,
        n_faces: u32,
    ) -> Result<Shot, ServiceError> {
        let small = small_frame(picture, FRAME_SIDE_PX)?;
        let cut = match face {
            Some((observed, _)) => cut_face(picture, &observed.box_in_frame, CHIP_SIDE_PX)?,
            None => None,
        };
        let frame = encode(&small, &mut self.frame_quality)?;
        let chip = cut.as_ref().map(|cut| encode(&cut.image, &mut self.chip_quality)).transpose()?;
        // A picture that was made smaller still to fit counts, not the one that was meant to be.
        let factor = frame.width_px as f32 / picture.width() as f32;
        let face = face.map(|(observed, tracked)| {
            let outline = FaceOutline::of_mesh(&tracked.mesh, factor);
            StillFace::new(observed, outline, cut.as_ref().map(|cut| cut.region), factor)
        });
        let n_bytes = frame.jpeg.len() + chip.as_ref().map_or(0, |chip| chip.jpeg.len());
        let look = Look { n_bytes: n_bytes as u64, ..look };
        Ok(Shot { look, frame, chip, facts: StillFacts { n_faces, face } })
    }
}

/// Encodes a picture at the quality that fitted last, or a little better, lest one hard picture spoils all that follow.
fn encode(image: &RgbImage, quality: &mut u8) -> Result<StillPicture, ServiceError> {
    const RECOVERY: u8 = 3;
    let wanted = quality.saturating_add(RECOVERY).min(QUALITY);
    let FittedJpeg { jpeg, width, height, quality: fitted } =
        encode_jpeg_within(image.view(), MAX_PICTURE_BYTES, wanted)?;
    *quality = fitted;
    Ok(StillPicture { sha256: Sha256::digest(&jpeg).into(), jpeg: jpeg.into(), width_px: width, height_px: height })
}

#[cfg(test)]
mod tests;
