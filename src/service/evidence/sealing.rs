//! What a still looks like sealed: a key of its own, its facts for the row, its pictures for the file.
//!
//! All three are bound to the session, the participant, the subject and the moment, so that none opens in another's place.
//! The still's key is wrapped by the session's: deleting the row destroys it, whatever copies of the file there are.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::keys::{DataKey, SealError};
use crate::media::MediaTime;
use crate::session::{ParticipantId, SessionName, StillSubject};
use crate::vision::{BoxPx, FaceOutline, FaceQuality, HeadPose, PointPx};

use super::capture::Shot;
use super::facts::{StillFace, StillFacts};

/// The format that is written.
const VERSION: u32 = 1;
/// Points a pixel that outlines are stored in.
const STEPS_A_PX: f32 = 10.0;

/// What a sealed still belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct StillOwner<'a> {
    pub(super) session: &'a SessionName,
    pub(super) participant_id: &'a ParticipantId,
    pub(super) shows: StillSubject,
    pub(super) media_time: MediaTime,
}

impl StillOwner<'_> {
    /// None of the names can hold the byte between them.
    fn of(&self, part: &str) -> Vec<u8> {
        let segment = match self.shows {
            StillSubject::Enrolment => 0,
            StillSubject::Segment(ordinal) => ordinal,
        };
        let Self { session, participant_id, media_time, .. } = self;
        format!(
            "bonafide still\0{}\0{}\0{participant_id}\0{segment}\0{}\0{part}",
            session.tenant,
            session.id,
            media_time.as_nanos()
        )
        .into_bytes()
    }
}

/// A sealed still.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) key: Vec<u8>,
    pub(super) facts: Vec<u8>,
    pub(super) pictures: Vec<u8>,
}

/// One picture as its facts describe it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureInfo {
    /// Pixels a row.
    pub width_px: u32,
    /// Rows.
    pub height_px: u32,
    /// Bytes of the JPEG.
    pub n_bytes: u32,
    /// SHA-256 of the JPEG.
    pub sha256: [u8; 32],
}

/// Opened facts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OpenedFacts {
    pub(super) facts: StillFacts,
    pub(super) frame: PictureInfo,
    pub(super) chip: Option<PictureInfo>,
}

/// Seals a shot under a new key, which `session_key` wraps.
///
/// # Errors
/// [`SealError`] never in practice.
pub(super) fn seal(session_key: &DataKey, owner: StillOwner<'_>, shot: &Shot) -> Result<Sealed, SealError> {
    let key = DataKey::generate();
    let facts = serde_json::to_vec(&StoredFacts::from(shot)).map_err(|_| SealError::Broken)?;
    let chip = shot.chip.as_ref().map_or(&[][..], |chip| &chip.jpeg);
    Ok(Sealed {
        key: session_key.wrap(&owner.of("key"), &key)?,
        facts: key.seal(&owner.of("facts"), &facts)?,
        pictures: key.seal(&owner.of("pictures"), &[&shot.frame.jpeg[..], chip].concat())?,
    })
}

/// Opens a row's facts.
///
/// # Errors
/// [`SealError::Broken`].
pub(super) fn open_facts(
    session_key: &DataKey,
    owner: StillOwner<'_>,
    key: &[u8],
    facts: &[u8],
) -> Result<OpenedFacts, SealError> {
    let key = session_key.unwrap(&owner.of("key"), key)?;
    let json = key.open(&owner.of("facts"), facts)?;
    let stored: StoredFacts = serde_json::from_slice(&json).map_err(|_| SealError::Broken)?;
    OpenedFacts::try_from(stored)
}

/// Opens a file: the frame and the chip, whose lengths the facts know.
///
/// # Errors
/// [`SealError::Broken`].
pub(super) fn open_pictures(
    session_key: &DataKey,
    owner: StillOwner<'_>,
    key: &[u8],
    (facts, file): (&OpenedFacts, &[u8]),
) -> Result<(Bytes, Bytes), SealError> {
    let key = session_key.unwrap(&owner.of("key"), key)?;
    let mut pictures = Bytes::from(key.open(&owner.of("pictures"), file)?);
    let frame_bytes = facts.frame.n_bytes as usize;
    let chip_bytes = facts.chip.map_or(0, |chip| chip.n_bytes as usize);
    if pictures.len() != frame_bytes + chip_bytes {
        return Err(SealError::Broken);
    }
    let chip = pictures.split_off(frame_bytes);
    Ok((pictures, chip))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFacts {
    v: u32,
    n_faces: u32,
    face: Option<StoredFace>,
    frame: StoredPicture,
    chip: Option<StoredPicture>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPicture {
    width_px: u32,
    height_px: u32,
    n_bytes: u32,
    sha256: [u8; 32],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredFace {
    r#box: [f32; 4],
    chip: Option<[f32; 4]>,
    /// Oval, left eye, right eye, mouth: x and y in turn, in tenths of a pixel.
    outline: Option<[Vec<i32>; 4]>,
    confidence: f32,
    /// Yaw, pitch, roll.
    pose: Option<[f32; 3]>,
    /// Height, sharpness, exposure, clipped, outside, occlusion.
    quality: [f32; 6],
    presentation_score: Option<f32>,
    deepfake_score: Option<f32>,
}

impl From<&Shot> for StoredFacts {
    fn from(shot: &Shot) -> Self {
        let picture = |picture: &super::capture::StillPicture| StoredPicture {
            width_px: picture.width_px,
            height_px: picture.height_px,
            n_bytes: u32::try_from(picture.jpeg.len()).unwrap_or(u32::MAX),
            sha256: picture.sha256,
        };
        Self {
            v: VERSION,
            n_faces: shot.facts.n_faces,
            face: shot.facts.face.as_ref().map(StoredFace::from),
            frame: picture(&shot.frame),
            chip: shot.chip.as_ref().map(picture),
        }
    }
}

impl From<&StillFace> for StoredFace {
    fn from(face: &StillFace) -> Self {
        let corners = |area: &BoxPx| [area.left, area.top, area.right, area.bottom];
        #[expect(clippy::cast_possible_truncation, reason = "saturates: pixels are far below 2^31 tenths")]
        let tenths = |px: f32| (px * STEPS_A_PX).round() as i32;
        let line = |line: &[PointPx]| line.iter().flat_map(|point| [tenths(point.x), tenths(point.y)]).collect();
        let quality = &face.quality;
        Self {
            r#box: corners(&face.box_in_frame),
            chip: face.chip_in_frame.as_ref().map(corners),
            outline: face.outline.as_ref().map(|outline| outline.lines().map(line)),
            confidence: face.confidence,
            pose: face.pose.map(|pose| [pose.yaw_deg, pose.pitch_deg, pose.roll_deg]),
            quality: [
                quality.face_height_px,
                quality.sharpness,
                quality.exposure,
                quality.clipped_ratio,
                quality.outside_ratio,
                quality.occlusion_ratio,
            ],
            presentation_score: face.presentation_score,
            deepfake_score: face.deepfake_score,
        }
    }
}

impl TryFrom<StoredFacts> for OpenedFacts {
    type Error = SealError;

    fn try_from(stored: StoredFacts) -> Result<Self, SealError> {
        if stored.v != VERSION {
            return Err(SealError::Broken);
        }
        let info = |picture: StoredPicture| PictureInfo {
            width_px: picture.width_px,
            height_px: picture.height_px,
            n_bytes: picture.n_bytes,
            sha256: picture.sha256,
        };
        let face = stored.face.map(StillFace::from);
        Ok(Self {
            facts: StillFacts { n_faces: stored.n_faces, face },
            frame: info(stored.frame),
            chip: stored.chip.map(info),
        })
    }
}

impl From<StoredFace> for StillFace {
    fn from(stored: StoredFace) -> Self {
        let area = |[left, top, right, bottom]: [f32; 4]| BoxPx { left, top, right, bottom };
        #[expect(clippy::cast_precision_loss, reason = "tenths of pixels are far below 2^24")]
        let point = |[x, y]: &[i32; 2]| PointPx { x: *x as f32 / STEPS_A_PX, y: *y as f32 / STEPS_A_PX };
        let line = |tenths: Vec<i32>| tenths.as_chunks::<2>().0.iter().map(point).collect();
        let [face_height_px, sharpness, exposure, clipped_ratio, outside_ratio, occlusion_ratio] = stored.quality;
        Self {
            box_in_frame: area(stored.r#box),
            chip_in_frame: stored.chip.map(area),
            outline: stored.outline.map(|lines| {
                let [oval, left_eye, right_eye, mouth] = lines.map(line);
                FaceOutline { oval, left_eye, right_eye, mouth }
            }),
            confidence: stored.confidence,
            pose: stored.pose.map(|[yaw_deg, pitch_deg, roll_deg]| HeadPose { yaw_deg, pitch_deg, roll_deg }),
            quality: FaceQuality { face_height_px, sharpness, exposure, clipped_ratio, outside_ratio, occlusion_ratio },
            presentation_score: stored.presentation_score,
            deepfake_score: stored.deepfake_score,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{StillOwner, open_facts, open_pictures, seal};
    use crate::keys::{DataKey, SealError};
    use crate::media::MediaTime;
    use crate::service::evidence::testing::shot;
    use crate::session::{ParticipantId, SessionId, SessionName, StillSubject, TenantId};

    #[test]
    fn what_was_sealed_is_read_back_by_its_owner_alone() {
        let session = SessionName { tenant: TenantId::default(), id: SessionId::new("abcd-1").expect("valid") };
        let other = SessionName { tenant: TenantId::default(), id: SessionId::new("abcd-2").expect("valid") };
        let (candidate, guest) =
            (ParticipantId::new("candidate").expect("valid"), ParticipantId::new("guest").expect("valid"));
        let owner = StillOwner {
            session: &session,
            participant_id: &candidate,
            shows: StillSubject::Segment(3),
            media_time: MediaTime::from_millis(1_500),
        };
        let (key, shot) = (DataKey::generate(), shot(7));
        let sealed = seal(&key, owner, &shot).expect("seals");
        let opened = open_facts(&key, owner, &sealed.key, &sealed.facts).expect("opens");
        assert_eq!(opened.facts, shot.facts);
        assert_eq!(opened.frame.sha256, shot.frame.sha256);
        let (frame, chip) = open_pictures(&key, owner, &sealed.key, (&opened, &sealed.pictures)).expect("opens");
        assert_eq!((Some(&frame), Some(&chip)), (Some(&shot.frame.jpeg), shot.chip.as_ref().map(|chip| &chip.jpeg)));
        for foreign in [
            StillOwner { session: &other, ..owner },
            StillOwner { participant_id: &guest, ..owner },
            StillOwner { shows: StillSubject::Enrolment, ..owner },
            StillOwner { media_time: MediaTime::ZERO, ..owner },
        ] {
            assert_eq!(open_facts(&key, foreign, &sealed.key, &sealed.facts), Err(SealError::Broken), "{foreign:?}");
            let pictures = open_pictures(&key, foreign, &sealed.key, (&opened, &sealed.pictures));
            assert_eq!(pictures, Err(SealError::Broken), "{foreign:?}");
        }
        let pixels = &shot.frame.jpeg[..];
        for part in [&sealed.key, &sealed.facts, &sealed.pictures] {
            assert!(!part.windows(pixels.len()).any(|window| window == pixels));
        }
    }

    #[test]
    fn parts_of_another_still_do_not_open() {
        let session = SessionName { tenant: TenantId::default(), id: SessionId::new("abcd-1").expect("valid") };
        let candidate = ParticipantId::new("candidate").expect("valid");
        let owner = StillOwner {
            session: &session,
            participant_id: &candidate,
            shows: StillSubject::Enrolment,
            media_time: MediaTime::ZERO,
        };
        let key = DataKey::generate();
        let (first, second) =
            (seal(&key, owner, &shot(1)).expect("seals"), seal(&key, owner, &shot(2)).expect("seals"));
        assert!(open_facts(&key, owner, &first.key, &second.facts).is_err(), "even of the same moment");
        let opened = open_facts(&key, owner, &first.key, &first.facts).expect("opens");
        assert!(open_pictures(&key, owner, &first.key, (&opened, &second.pictures)).is_err());
    }
}
