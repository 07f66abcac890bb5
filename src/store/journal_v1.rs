//! Version 1 of the journal entries: frozen twins of the domain types. Order of fields and variants is the format; a variant may
//! be added at the end, because chunks that were written without it read the same.

use serde::{Deserialize, Serialize};

use crate::media::{MediaTime, PictureStats};
use crate::service::ports::StoreError;
use crate::session::{CaptureDevice, JournalEntry, ParticipantId, SettingProbe, SourceKind, Track, TrackId};
use crate::signals::{FaceObservation, FaceSearch, FrameObservation};
use crate::vision::scene::{SceneDescriptor, SceneGap, SceneReading};
use crate::vision::{
    BoxPx, DeepfakeOutput, Embedding, FaceQuality, FaceShape, FaceTrackId, HeadPose, PresentationOutput,
};

use super::journal::corrupt;

/// Twin of [`JournalEntry`].
#[derive(Serialize, Deserialize)]
pub(super) enum EntryV1 {
    TrackUpserted(TrackV1),
    TrackRemoved(String),
    ReferenceEnrolled {
        participant_id: String,
        embedding: Vec<f32>,
    },
    Frame {
        track_id: String,
        observation: FrameV1,
    },
    Finished {
        at_nanos: i64,
    },
    Accounted {
        track_id: String,
        sequence: u64,
    },
    /// A frame with the deepfake score of each of its faces, in their order; [`Self::Frame`] is from before there were any.
    ScoredFrame {
        track_id: String,
        observation: FrameV1,
        deepfake_scores: Vec<Option<f32>>,
    },
    /// What is behind a participant: a descriptor as `SceneDescriptor::to_bytes` writes it, or the name of a gap.
    Scene {
        track_id: String,
        at_nanos: i64,
        descriptor: Option<Vec<u8>>,
        gap: String,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) struct TrackV1 {
    track_id: String,
    participant_id: String,
    kind: SourceKindV1,
    device: Option<DeviceV1>,
}

#[derive(Serialize, Deserialize)]
enum SourceKindV1 {
    Camera,
    Screen,
    Microphone,
}

#[derive(Serialize, Deserialize)]
struct DeviceV1 {
    label: String,
    platform: String,
    probes: Vec<ProbeV1>,
}

#[derive(Serialize, Deserialize)]
struct ProbeV1 {
    name: String,
    requested: f64,
    reported: f64,
    actual: f64,
    response_secs: f64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct FrameV1 {
    sequence: u64,
    media_nanos: i64,
    arrival_nanos: i64,
    missing_before: u64,
    shed_before: u64,
    picture: PictureV1,
    /// `None` = not looked for.
    faces: Option<Vec<FaceV1>>,
}

#[derive(Serialize, Deserialize)]
struct PictureV1 {
    width_px: u32,
    height_px: u32,
    mean_luma: f32,
    luma_deviation: f32,
    change_levels: Option<f32>,
    average_hash: [u8; 8],
}

#[derive(Serialize, Deserialize)]
struct FaceV1 {
    face_track: u32,
    /// Left, top, right, bottom.
    box_in_frame: [f32; 4],
    confidence: f32,
    /// Yaw, pitch, roll.
    pose_deg: Option<[f32; 3]>,
    /// In the order of [`FaceShape`]'s fields.
    shape: Option<[f32; 7]>,
    /// In the order of [`FaceQuality`]'s fields.
    quality: [f32; 6],
    embedding: Option<Vec<f32>>,
    presentation: Option<PresentationV1>,
}

#[derive(Serialize, Deserialize)]
struct PresentationV1 {
    attack_score: f32,
    /// A second score that versions before 0.1.0 could have; written as absent, read and left out.
    attack_score_wide: Option<f32>,
    context_ratio: f32,
}

impl From<&JournalEntry> for EntryV1 {
    fn from(entry: &JournalEntry) -> Self {
        match entry {
            JournalEntry::TrackUpserted(track) => Self::TrackUpserted(track.into()),
            JournalEntry::TrackRemoved(track_id) => Self::TrackRemoved(track_id.as_str().to_owned()),
            JournalEntry::ReferenceEnrolled { participant_id, embedding } => Self::ReferenceEnrolled {
                participant_id: participant_id.as_str().to_owned(),
                embedding: embedding.values().to_vec(),
            },
            JournalEntry::Frame { track_id, observation } => Self::ScoredFrame {
                track_id: track_id.as_str().to_owned(),
                observation: observation.into(),
                deepfake_scores: deepfake_scores(observation),
            },
            JournalEntry::Scene { track_id, at, reading } => Self::Scene {
                track_id: track_id.as_str().to_owned(),
                at_nanos: at.as_nanos(),
                descriptor: reading.as_ref().ok().map(SceneDescriptor::to_bytes),
                gap: reading.as_ref().err().map_or(String::new(), |gap| gap.name().to_owned()),
            },
            JournalEntry::Finished { at } => Self::Finished { at_nanos: at.as_nanos() },
            JournalEntry::Accounted { track_id, sequence } => {
                Self::Accounted { track_id: track_id.as_str().to_owned(), sequence: *sequence }
            }
        }
    }
}

impl TryFrom<EntryV1> for JournalEntry {
    type Error = StoreError;

    fn try_from(entry: EntryV1) -> Result<Self, StoreError> {
        Ok(match entry {
            EntryV1::TrackUpserted(track) => Self::TrackUpserted(track.try_into()?),
            EntryV1::TrackRemoved(id) => Self::TrackRemoved(track_id(&id)?),
            EntryV1::ReferenceEnrolled { participant_id: id, embedding: values } => {
                Self::ReferenceEnrolled { participant_id: participant_id(&id)?, embedding: embedding(values)? }
            }
            EntryV1::Frame { track_id: id, observation } => {
                Self::Frame { track_id: track_id(&id)?, observation: observation.try_into()? }
            }
            EntryV1::ScoredFrame { track_id: id, observation, deepfake_scores } => {
                let mut observation = FrameObservation::try_from(observation)?;
                if let FaceSearch::Run(faces) = &mut observation.faces {
                    for (face, score) in faces.iter_mut().zip(deepfake_scores) {
                        face.deepfake = score.map(|attack_score| DeepfakeOutput { attack_score });
                    }
                }
                Self::Frame { track_id: track_id(&id)?, observation }
            }
            EntryV1::Scene { track_id: id, at_nanos, descriptor, gap } => Self::Scene {
                track_id: track_id(&id)?,
                at: MediaTime::from_nanos(at_nanos),
                reading: scene_reading(descriptor, &gap)?,
            },
            EntryV1::Finished { at_nanos } => Self::Finished { at: MediaTime::from_nanos(at_nanos) },
            EntryV1::Accounted { track_id: id, sequence } => Self::Accounted { track_id: track_id(&id)?, sequence },
        })
    }
}

fn scene_reading(descriptor: Option<Vec<u8>>, gap: &str) -> Result<SceneReading, StoreError> {
    let Some(bytes) = descriptor else {
        let gap = SceneGap::from_name(gap).ok_or_else(|| corrupt("stored gap of a background is not known"))?;
        return Ok(Err(gap));
    };
    SceneDescriptor::from_bytes(&bytes).map(Ok).map_err(|error| corrupt(format!("stored {error}")))
}

impl From<&Track> for TrackV1 {
    fn from(track: &Track) -> Self {
        Self {
            track_id: track.track_id.as_str().to_owned(),
            participant_id: track.participant_id.as_str().to_owned(),
            kind: match track.kind {
                SourceKind::Camera => SourceKindV1::Camera,
                SourceKind::Screen => SourceKindV1::Screen,
                SourceKind::Microphone => SourceKindV1::Microphone,
            },
            device: track.device.as_ref().map(|device| DeviceV1 {
                label: device.label.clone(),
                platform: device.platform.clone(),
                probes: device.probes.iter().map(ProbeV1::from).collect(),
            }),
        }
    }
}

impl TryFrom<TrackV1> for Track {
    type Error = StoreError;

    fn try_from(track: TrackV1) -> Result<Self, StoreError> {
        Ok(Self {
            track_id: track_id(&track.track_id)?,
            participant_id: participant_id(&track.participant_id)?,
            kind: match track.kind {
                SourceKindV1::Camera => SourceKind::Camera,
                SourceKindV1::Screen => SourceKind::Screen,
                SourceKindV1::Microphone => SourceKind::Microphone,
            },
            device: track.device.map(|device| CaptureDevice {
                label: device.label,
                platform: device.platform,
                probes: device.probes.into_iter().map(SettingProbe::from).collect(),
            }),
        })
    }
}

impl From<&SettingProbe> for ProbeV1 {
    fn from(probe: &SettingProbe) -> Self {
        let SettingProbe { name, requested, reported, actual, response_secs } = probe.clone();
        Self { name, requested, reported, actual, response_secs }
    }
}

impl From<ProbeV1> for SettingProbe {
    fn from(probe: ProbeV1) -> Self {
        let ProbeV1 { name, requested, reported, actual, response_secs } = probe;
        Self { name, requested, reported, actual, response_secs }
    }
}

impl From<&FrameObservation> for FrameV1 {
    fn from(frame: &FrameObservation) -> Self {
        Self {
            sequence: frame.sequence,
            media_nanos: frame.media_time.as_nanos(),
            arrival_nanos: frame.arrival.as_nanos(),
            missing_before: frame.missing_before,
            shed_before: frame.shed_before,
            picture: PictureV1 {
                width_px: frame.picture.width_px,
                height_px: frame.picture.height_px,
                mean_luma: frame.picture.mean_luma,
                luma_deviation: frame.picture.luma_deviation,
                change_levels: frame.picture.change_levels,
                average_hash: frame.picture.average_hash.to_le_bytes(),
            },
            faces: match &frame.faces {
                FaceSearch::NotRun => None,
                FaceSearch::Run(faces) => Some(faces.iter().map(FaceV1::from).collect()),
            },
        }
    }
}

impl TryFrom<FrameV1> for FrameObservation {
    type Error = StoreError;

    fn try_from(frame: FrameV1) -> Result<Self, StoreError> {
        Ok(Self {
            sequence: frame.sequence,
            media_time: MediaTime::from_nanos(frame.media_nanos),
            arrival: MediaTime::from_nanos(frame.arrival_nanos),
            missing_before: frame.missing_before,
            shed_before: frame.shed_before,
            picture: PictureStats {
                width_px: frame.picture.width_px,
                height_px: frame.picture.height_px,
                mean_luma: frame.picture.mean_luma,
                luma_deviation: frame.picture.luma_deviation,
                change_levels: frame.picture.change_levels,
                average_hash: u64::from_le_bytes(frame.picture.average_hash),
            },
            faces: match frame.faces {
                None => FaceSearch::NotRun,
                Some(faces) => {
                    FaceSearch::Run(faces.into_iter().map(FaceObservation::try_from).collect::<Result<_, _>>()?)
                }
            },
        })
    }
}

impl From<&FaceObservation> for FaceV1 {
    fn from(face: &FaceObservation) -> Self {
        let BoxPx { left, top, right, bottom } = face.box_in_frame;
        let quality = &face.quality;
        Self {
            face_track: face.face_track.0,
            box_in_frame: [left, top, right, bottom],
            confidence: face.confidence,
            pose_deg: face.pose.map(|pose| [pose.yaw_deg, pose.pitch_deg, pose.roll_deg]),
            shape: face.shape.map(|shape| {
                [
                    shape.left_eye_ratio,
                    shape.right_eye_ratio,
                    shape.mouth_ratio,
                    shape.mouth_width_ratio,
                    shape.left_brow_ratio,
                    shape.right_brow_ratio,
                    shape.jaw_ratio,
                ]
            }),
            quality: [
                quality.face_height_px,
                quality.sharpness,
                quality.exposure,
                quality.clipped_ratio,
                quality.outside_ratio,
                quality.occlusion_ratio,
            ],
            embedding: face.embedding.as_ref().map(|embedding| embedding.values().to_vec()),
            presentation: face.presentation.map(|output| PresentationV1 {
                attack_score: output.attack_score,
                attack_score_wide: None,
                context_ratio: output.context_ratio,
            }),
        }
    }
}

impl TryFrom<FaceV1> for FaceObservation {
    type Error = StoreError;

    fn try_from(face: FaceV1) -> Result<Self, StoreError> {
        let [left, top, right, bottom] = face.box_in_frame;
        let [face_height_px, sharpness, exposure, clipped_ratio, outside_ratio, occlusion_ratio] = face.quality;
        Ok(Self {
            face_track: FaceTrackId(face.face_track),
            box_in_frame: BoxPx { left, top, right, bottom },
            confidence: face.confidence,
            pose: face.pose_deg.map(|[yaw_deg, pitch_deg, roll_deg]| HeadPose { yaw_deg, pitch_deg, roll_deg }),
            shape: face.shape.map(shape),
            quality: FaceQuality { face_height_px, sharpness, exposure, clipped_ratio, outside_ratio, occlusion_ratio },
            embedding: face.embedding.map(embedding).transpose()?,
            presentation: face.presentation.map(|output| PresentationOutput {
                attack_score: output.attack_score,
                context_ratio: output.context_ratio,
            }),
            deepfake: None,
        })
    }
}

fn deepfake_scores(observation: &FrameObservation) -> Vec<Option<f32>> {
    match &observation.faces {
        FaceSearch::Run(faces) => faces.iter().map(|face| face.deepfake.map(|output| output.attack_score)).collect(),
        FaceSearch::NotRun => Vec::new(),
    }
}

fn shape(values: [f32; 7]) -> FaceShape {
    let [left_eye_ratio, right_eye_ratio, mouth_ratio, mouth_width_ratio, left_brow_ratio, right_brow_ratio, jaw_ratio] =
        values;
    FaceShape {
        left_eye_ratio,
        right_eye_ratio,
        mouth_ratio,
        mouth_width_ratio,
        left_brow_ratio,
        right_brow_ratio,
        jaw_ratio,
    }
}

fn embedding(values: Vec<f32>) -> Result<Embedding, StoreError> {
    Embedding::from_unit(values).ok_or_else(|| corrupt("stored embedding is not of unit length"))
}

fn track_id(id: &str) -> Result<TrackId, StoreError> {
    TrackId::new(id).map_err(|error| corrupt(error.to_string()))
}

fn participant_id(id: &str) -> Result<ParticipantId, StoreError> {
    ParticipantId::new(id).map_err(|error| corrupt(error.to_string()))
}
