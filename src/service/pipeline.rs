//! Pictures to measurements: the only place where pictures meet models.
//!
//! Every model step is `vision::x::prepare` into the model's input, the run, `vision::x::interpret` of its outputs, on the
//! thread that calls; the frames of all interviews share the executor's devices.

mod analysis;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inference::{Executor, Manifest};
use crate::media::{MediaLimits, MediaTime, PictureView, VideoFormat};
use crate::scoring::Sampling;
use crate::session::FaceModels;
use crate::signals::{FaceObservation, SignalName};
use crate::vision::{
    Embedding, FaceTracker, PresentationOutput, TrackFrame, TrackedFace, TrackerOptions, stay_on_the_calling_thread,
};

pub(super) use self::analysis::Analysis;
use super::analyst::TrackAnalyst;
use super::error::ServiceError;

/// Tasks of the manifest that the pipeline needs.
const DETECTION: &str = "face-detection";
const MESH: &str = "face-mesh";
const EMBEDDING: &str = "face-embedding";
const PRESENTATION: &str = "presentation-attack";
const DEEPFAKE: &str = "deepfake";
/// Smallest face that is embedded, in pixels of face height.
pub(super) const MIN_EMBEDDED_FACE_PX: f32 = 32.0;

/// Measures frames. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pipeline {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    executor: Executor,
    models: Models,
    limits: MediaLimits,
    sampling: Sampling,
}

/// Ids of the models by what they do.
#[derive(Clone, Debug)]
struct Models {
    detection: String,
    mesh: String,
    embedding: String,
    presentation: String,
    deepfake: String,
}

impl Pipeline {
    /// Puts the pipeline together; every task must have a model.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] naming the task that the manifest has no model for.
    pub fn new(
        executor: Executor,
        manifest: &Manifest,
        limits: MediaLimits,
        sampling: Sampling,
    ) -> Result<Self, ServiceError> {
        stay_on_the_calling_thread()?;
        let model = |task: &'static str| {
            let entry = manifest.models.iter().find(|entry| entry.task == task);
            entry
                .map(|entry| entry.id.clone())
                .ok_or_else(|| ServiceError::Internal { problem: format!("no model for {task} in the manifest") })
        };
        let models = Models {
            detection: model(DETECTION)?,
            mesh: model(MESH)?,
            embedding: model(EMBEDDING)?,
            presentation: model(PRESENTATION)?,
            deepfake: model(DEEPFAKE)?,
        };
        Ok(Self { shared: Arc::new(Shared { executor, models, limits, sampling }) })
    }

    /// Bounds of what is decoded.
    #[must_use]
    pub fn limits(&self) -> &MediaLimits {
        &self.shared.limits
    }

    /// How often what is computed.
    pub(super) fn sampling(&self) -> &Sampling {
        &self.shared.sampling
    }

    /// How many frames analysed at one time keep the devices busy.
    #[must_use]
    pub fn n_places(&self) -> usize {
        self.shared.executor.n_places()
    }

    /// A new track's analyst.
    #[must_use]
    pub fn analyst(&self, default_format: Option<VideoFormat>) -> TrackAnalyst {
        TrackAnalyst::new(self.clone(), default_format)
    }

    /// Begins to look at one picture.
    pub(super) fn look_at<'a>(&'a self, image: PictureView<'a>) -> Analysis<'a> {
        Analysis::new(&self.shared.executor, &self.shared.models, image)
    }

    /// Which weights stand behind which signal.
    #[must_use]
    pub fn signal_models(&self) -> BTreeMap<SignalName, String> {
        let models = &self.shared.models;
        let behind = [
            (SignalName::Identity, &models.embedding),
            (SignalName::Presentation, &models.presentation),
            (SignalName::Deepfake, &models.deepfake),
            (SignalName::Motion, &models.mesh),
            (SignalName::Presence, &models.detection),
        ];
        behind
            .into_iter()
            .filter_map(|(signal, id)| Some((signal, self.shared.executor.model_version(id).ok()?.to_owned())))
            .collect()
    }

    /// The models in use, as `models/{id}@{sha256}`.
    #[must_use]
    pub fn model_versions(&self) -> Vec<String> {
        let models = &self.shared.models;
        [&models.detection, &models.mesh, &models.embedding, &models.presentation, &models.deepfake]
            .into_iter()
            .filter_map(|id| self.shared.executor.model_version(id).ok().map(str::to_owned))
            .collect()
    }

    /// The identity vector of the one face of a reference image.
    ///
    /// # Errors
    /// [`ServiceError::Media`] when it is no readable still, [`ServiceError::InvalidField`] when it shows no face, several, or
    /// one too small.
    pub fn measure_reference(&self, image: &[u8]) -> Result<Embedding, ServiceError> {
        let image = crate::media::decode_still(image, &self.shared.limits)?;
        let mut faces = self.faces(image.view().into())?;
        let refusal = |problem: &str| ServiceError::InvalidField { field: "reference", problem: problem.to_owned() };
        faces.sort_by(|a, b| b.box_in_frame.area().total_cmp(&a.box_in_frame.area()));
        let mut faces = faces.into_iter();
        let face = faces.next().ok_or_else(|| refusal("shows no face: send a picture with one face to the camera"))?;
        if faces.next().is_some_and(|second| second.box_in_frame.area() * 2.0 > face.box_in_frame.area()) {
            return Err(refusal("shows several faces: send a picture of one person"));
        }
        if face.box_in_frame.height() < MIN_EMBEDDED_FACE_PX {
            return Err(refusal("shows a face that is too small: send a larger picture"));
        }
        self.embed(image.view().into(), &face)
    }

    /// All faces of one picture, without any history.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn faces(&self, image: PictureView<'_>) -> Result<Vec<TrackedFace>, ServiceError> {
        let frame = TrackFrame {
            media_time: MediaTime::ZERO,
            width: image.width(),
            height: image.height(),
            scene_changed: true,
        };
        self.look_at(image).follow(&mut FaceTracker::new(TrackerOptions::default()), frame)
    }

    /// The identity vector of one face.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn embed(&self, image: PictureView<'_>, face: &TrackedFace) -> Result<Embedding, ServiceError> {
        self.look_at(image).embed(face)
    }

    /// Everything about one face of one picture, as a session measures it.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn measure_face(&self, image: PictureView<'_>, face: &TrackedFace) -> Result<FaceObservation, ServiceError> {
        self.look_at(image).observe_face(face, FaceModels::ALL)
    }

    /// What can be measured of a picture that is a tight face crop: its quality and its deepfake score.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn measure_crop(&self, crop: PictureView<'_>) -> Result<FaceObservation, ServiceError> {
        self.look_at(crop).observe_crop()
    }

    /// The presentation-attack scores of one face.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn check_presentation(
        &self,
        image: PictureView<'_>,
        face: &TrackedFace,
    ) -> Result<PresentationOutput, ServiceError> {
        self.look_at(image).check_presentation(face)
    }
}
