//! One frame to one observation: the only place where pictures meet models.
//!
//! Every model step is `vision::x::prepare` → executor → `vision::x::interpret`. Runs on a thread that may block; many tracks
//! at once share the executor's queue, so that frames of all interviews keep all cores busy.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use ndarray::ArrayD;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::inference::{Executor, Manifest};
use crate::media::{
    Dependence, FrameDecoder, MediaLimits, MediaTime, RgbView, Thumbnail, VideoFormat, VideoFrame, VideoSample,
};
use crate::scoring::Sampling;
use crate::session::{FaceModels, FramePlan, Sampler, Urgency};
use crate::signals::{FaceObservation, FaceSearch, FrameObservation, SignalName};
use crate::telemetry::metrics::{Stage, frame_decoded, stage_took};
use crate::vision::{
    BoxPx, DeepfakeOutput, Detection, Embedding, FaceMesh, FaceRoi, FaceTrackId, FaceTracker, PresentationOutput,
    TrackFrame, TrackedFace, TrackerOptions, align_face, deepfake, detection, embedding, face_quality, face_shape,
    five_points, head_pose, mesh, presentation,
};

use super::error::ServiceError;

/// Tasks of the manifest that the pipeline needs.
const DETECTION: &str = "face-detection";
const MESH: &str = "face-mesh";
const EMBEDDING: &str = "face-embedding";
const PRESENTATION: &str = "presentation-attack";
const DEEPFAKE: &str = "deepfake";
/// Change of the thumbnail in 8-bit levels from which the picture is another one: a cut, not a movement.
const SCENE_CHANGE_LEVELS: f32 = 24.0;
/// Faces embedded on one frame, most prominent first.
const MAX_EMBEDDED_FACES: usize = 2;
/// Smallest face that is embedded, in pixels of face height.
const MIN_EMBEDDED_FACE_PX: f32 = 32.0;
/// Analyses at one time for each core when the operator does not say: one computes while one waits for a model.
const ANALYSES_A_CORE: usize = 2;

/// Bounds how many frames are analysed at one time.
#[derive(Clone, Debug)]
pub struct AnalysisPool {
    permits: Arc<Semaphore>,
}

impl AnalysisPool {
    /// A pool of that many places; 0 = two a core.
    #[must_use]
    pub fn new(n_places: usize) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let n_places = if n_places == 0 { cores * ANALYSES_A_CORE } else { n_places };
        Self { permits: Arc::new(Semaphore::new(n_places)) }
    }

    /// Waits for a place; `None` when the pool was closed.
    pub(super) async fn acquire(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).acquire_owned().await.ok()
    }
}

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

/// What is known of a sample besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct SampleContext {
    /// When it was received, since the session was created.
    pub arrival: MediaTime,
    /// Frames that the plugin dropped just before it.
    pub missing_before: u64,
    /// Frames that the server shed just before it.
    pub shed_before: u64,
    /// How much the session wants to know.
    pub urgency: Urgency,
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

    /// A new track's analyst.
    #[must_use]
    pub fn analyst(&self, default_format: Option<VideoFormat>) -> TrackAnalyst {
        TrackAnalyst {
            decoder: FrameDecoder::new(self.shared.limits, default_format),
            tracker: FaceTracker::new(TrackerOptions::default()),
            sampler: Sampler::default(),
            thumbnail: None,
            pipeline: self.clone(),
        }
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
        let mut faces = self.faces(image.view())?;
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
        self.embed(image.view(), &face)
    }

    /// All faces of one picture, without any history.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn faces(&self, image: RgbView<'_>) -> Result<Vec<TrackedFace>, ServiceError> {
        let frame = TrackFrame {
            media_time: MediaTime::ZERO,
            width: image.width(),
            height: image.height(),
            scene_changed: true,
        };
        self.follow(&mut FaceTracker::new(TrackerOptions::default()), frame, image)
    }

    /// The identity vector of one face.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn embed(&self, image: RgbView<'_>, face: &TrackedFace) -> Result<Embedding, ServiceError> {
        let chip = align_face(image, &five_points(&face.mesh))?;
        let outputs = self.run(&self.shared.models.embedding, embedding::prepare(&chip)?)?;
        Ok(embedding::interpret(&outputs)?)
    }

    /// Everything about one face of one picture, as a session measures it.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn measure_face(&self, image: RgbView<'_>, face: &TrackedFace) -> Result<FaceObservation, ServiceError> {
        self.observe_face(image, face, FaceModels::ALL)
    }

    /// What can be measured of a picture that is a tight face crop: its quality and its deepfake score.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn measure_crop(&self, crop: RgbView<'_>) -> Result<FaceObservation, ServiceError> {
        let whole = BoxPx { left: 0.0, top: 0.0, right: crop.width() as f32, bottom: crop.height() as f32 };
        Ok(FaceObservation {
            face_track: FaceTrackId(0),
            box_in_frame: whole,
            confidence: 1.0,
            pose: None,
            shape: None,
            quality: face_quality(crop, &whole, None)?,
            embedding: None,
            presentation: None,
            deepfake: Some(self.deepfake_score(deepfake::prepare_crop(crop)?)?),
        })
    }

    /// The presentation-attack scores of one face.
    ///
    /// # Errors
    /// [`ServiceError::Inference`], [`ServiceError::Vision`].
    pub fn check_presentation(
        &self,
        image: RgbView<'_>,
        face: &TrackedFace,
    ) -> Result<PresentationOutput, ServiceError> {
        let views = presentation::prepare(image, &presentation::model_box(face))?;
        let attack_score = presentation::interpret(&self.run(&self.shared.models.presentation, views.tensor)?)?;
        Ok(PresentationOutput { attack_score, context_ratio: views.context_ratio })
    }

    /// The deepfake score of one face.
    fn check_deepfake(&self, image: RgbView<'_>, face: &TrackedFace) -> Result<DeepfakeOutput, ServiceError> {
        self.deepfake_score(deepfake::prepare(image, &face.mesh)?)
    }

    fn deepfake_score(&self, input: ArrayD<f32>) -> Result<DeepfakeOutput, ServiceError> {
        Ok(deepfake::interpret(&self.run(&self.shared.models.deepfake, input)?)?)
    }

    /// Finds and follows the faces of one frame.
    fn follow(
        &self,
        tracker: &mut FaceTracker,
        frame: TrackFrame,
        image: RgbView<'_>,
    ) -> Result<Vec<TrackedFace>, ServiceError> {
        let detections =
            if tracker.plan(frame).detect { Some(timed(Stage::Detect, || self.detect(image))?) } else { None };
        let places = tracker.begin(frame, detections.as_deref());
        let mut meshes = Vec::with_capacity(places.len());
        timed(Stage::Mesh, || {
            for (track, roi) in places {
                let (mesh, has_moved) = self.mesh_at(image, &roi)?;
                if has_moved {
                    tracker.doubt();
                }
                meshes.push((track, Some(mesh)));
            }
            Ok::<_, ServiceError>(())
        })?;
        Ok(tracker.finish(meshes))
    }

    /// The mesh of one face, looked at twice unless it was where it was looked for; and whether a followed one was not.
    fn mesh_at(&self, image: RgbView<'_>, roi: &FaceRoi) -> Result<(FaceMesh, bool), ServiceError> {
        let mesh = self.mesh(image, roi)?;
        match FaceRoi::from_mesh(&mesh).filter(|found| !roi.has_shown(found)) {
            Some(found) => Ok((self.mesh(image, &found)?, roi.is_refined())),
            None => Ok((mesh, false)),
        }
    }

    /// All faces of one picture; a large one that seems to hold none is searched again in parts, for small faces.
    fn detect(&self, image: RgbView<'_>) -> Result<Vec<Detection>, ServiceError> {
        let model = &self.shared.models.detection;
        let outputs = self.run(model, detection::prepare(image)?)?;
        let found = detection::interpret(&outputs, image.width(), image.height())?;
        if !found.is_empty() {
            return Ok(found);
        }
        let mut in_tiles = Vec::new();
        for tile in detection::tiles(image.width(), image.height()) {
            let outputs = self.run(model, detection::prepare_tile(image, &tile)?)?;
            in_tiles.extend(detection::interpret_tile(&outputs, &tile)?);
        }
        Ok(detection::merge(in_tiles))
    }

    fn mesh(&self, image: RgbView<'_>, roi: &FaceRoi) -> Result<FaceMesh, ServiceError> {
        let outputs = self.run(&self.shared.models.mesh, mesh::prepare(image, roi)?)?;
        Ok(mesh::interpret(&outputs, roi)?)
    }

    fn run(&self, model: &str, input: ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, ServiceError> {
        Ok(self.shared.executor.run_blocking(model, input)?.tensors)
    }

    /// Everything about one face that the plan asks for.
    fn observe_face(
        &self,
        image: RgbView<'_>,
        face: &TrackedFace,
        wanted: FaceModels,
    ) -> Result<FaceObservation, ServiceError> {
        let quality = timed(Stage::Quality, || face_quality(image, &face.box_in_frame, Some(&face.mesh)))?;
        Ok(FaceObservation {
            face_track: face.face_track,
            box_in_frame: face.box_in_frame,
            confidence: face.mesh.presence,
            pose: head_pose(&face.mesh, image.width(), image.height()).ok(),
            shape: face_shape(&face.mesh),
            quality,
            // A face whose landmarks cannot be aligned is a face without identity, not a failed frame.
            embedding: if wanted.embedding { optional(timed(Stage::Embed, || self.embed(image, face)))? } else { None },
            presentation: if wanted.presentation {
                optional(timed(Stage::Presentation, || self.check_presentation(image, face)))?
            } else {
                None
            },
            deepfake: if wanted.deepfake {
                optional(timed(Stage::Deepfake, || self.check_deepfake(image, face)))?
            } else {
                None
            },
        })
    }
}

/// Analyses one video track in order: decoder, tracker, sampler and the last thumbnail.
#[derive(Debug)]
pub struct TrackAnalyst {
    decoder: FrameDecoder,
    tracker: FaceTracker,
    sampler: Sampler,
    thumbnail: Option<Thumbnail>,
    pipeline: Pipeline,
}

impl TrackAnalyst {
    /// Sets the format of samples that do not name one.
    pub fn set_default_format(&mut self, format: Option<VideoFormat>) {
        self.decoder.set_default_format(format);
    }

    /// What a sample needs of those before it.
    #[must_use]
    pub fn dependence(&self, sample: &VideoSample) -> Dependence {
        self.decoder.dependence(sample)
    }

    /// Decodes one sample and measures the frames that it gives (coded video may give none, or several).
    ///
    /// # Errors
    /// [`ServiceError::Media`] when it cannot be decoded, [`ServiceError::Inference`] or [`ServiceError::Vision`] when a model
    /// fails; the track goes on with the next sample.
    pub fn analyse(
        &mut self,
        sample: &VideoSample,
        context: &SampleContext,
    ) -> Result<Vec<FrameObservation>, ServiceError> {
        let frames = timed(Stage::Decode, || self.decoder.decode(sample))?;
        self.observe_all(&frames, context)
    }

    /// Measures the frames that the decoder held back for reordering; coded video needs a keyframe afterwards.
    ///
    /// # Errors
    /// [`ServiceError::Inference`] or [`ServiceError::Vision`] when a model fails.
    pub fn finish(&mut self, context: &SampleContext) -> Result<Vec<FrameObservation>, ServiceError> {
        let frames = self.decoder.finish();
        self.observe_all(&frames, context)
    }

    fn observe_all(
        &mut self,
        frames: &[VideoFrame],
        context: &SampleContext,
    ) -> Result<Vec<FrameObservation>, ServiceError> {
        let mut context = *context;
        let mut observations = Vec::with_capacity(frames.len());
        for frame in frames {
            frame_decoded();
            observations.push(self.observe(frame, &context)?);
            (context.missing_before, context.shed_before) = (0, 0);
        }
        Ok(observations)
    }

    /// Measures one decoded frame.
    ///
    /// # Errors
    /// [`ServiceError::Inference`] or [`ServiceError::Vision`] when a model fails.
    pub fn observe(&mut self, frame: &VideoFrame, context: &SampleContext) -> Result<FrameObservation, ServiceError> {
        let image = frame.image.view();
        let thumbnail = Thumbnail::of(image);
        let picture = thumbnail.stats(image.width(), image.height(), self.thumbnail.as_ref());
        self.thumbnail = Some(thumbnail);
        let scene_changed = picture.change_levels.is_none_or(|levels| levels >= SCENE_CHANGE_LEVELS);
        let plan = self.sampler.plan(&self.pipeline.shared.sampling, context.urgency, frame.media_time, scene_changed);
        let faces = if plan.find_faces {
            FaceSearch::Run(self.observe_faces(frame, scene_changed, &plan)?)
        } else {
            FaceSearch::NotRun
        };
        let observation = FrameObservation {
            sequence: frame.sequence,
            media_time: frame.media_time,
            arrival: context.arrival,
            missing_before: context.missing_before,
            shed_before: context.shed_before,
            picture,
            faces,
        };
        self.sampler.note(&observation);
        Ok(observation)
    }

    fn observe_faces(
        &mut self,
        frame: &VideoFrame,
        scene_changed: bool,
        plan: &FramePlan,
    ) -> Result<Vec<FaceObservation>, ServiceError> {
        let image = frame.image.view();
        let place =
            TrackFrame { media_time: frame.media_time, width: image.width(), height: image.height(), scene_changed };
        let mut faces = self.pipeline.follow(&mut self.tracker, place, image)?;
        faces.sort_by(|a, b| b.box_in_frame.area().total_cmp(&a.box_in_frame.area()));
        let mut observations = Vec::with_capacity(faces.len());
        for (rank, face) in faces.iter().enumerate() {
            let is_known = plan.known_faces.contains(&face.face_track);
            let wanted = FaceModels {
                embedding: rank < MAX_EMBEDDED_FACES
                    && (plan.models.embedding || !is_known)
                    && face.box_in_frame.height() >= MIN_EMBEDDED_FACE_PX,
                presentation: rank == 0 && plan.models.presentation,
                deepfake: rank == 0 && plan.models.deepfake,
            };
            observations.push(self.pipeline.observe_face(image, face, wanted)?);
        }
        Ok(observations)
    }
}

/// Does a step and records how long it took, whatever came of it.
fn timed<T>(stage: Stage, step: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let outcome = step();
    stage_took(stage, began.elapsed());
    outcome
}

/// A face that a step could not be done on is `None`; a failing model stays an error.
fn optional<T>(result: Result<T, ServiceError>) -> Result<Option<T>, ServiceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ServiceError::Vision(crate::vision::VisionError::DegenerateLandmarks { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}
