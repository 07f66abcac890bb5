//! One video track, sample by sample: decoded, sampled, followed, measured.

use std::time::{Duration, Instant};

use super::error::ServiceError;
use super::evidence::{Camera, Shot};
use super::pipeline::{Analysis, MIN_EMBEDDED_FACE_PX, Pipeline};
use crate::inference::RunTiming;
use crate::media::{Dependence, FrameDecoder, MediaTime, Thumbnail, VideoFormat, VideoFrame, VideoSample};
use crate::session::{FaceModels, FramePlan, NextFrame, Sampler, StillWish, Urgency};
use crate::signals::{FaceObservation, FaceSearch, FrameObservation};
use crate::telemetry::metrics::{Stage, StillLoss, frame_decoded, stage_took, still_lost, timed};
use crate::vision::scene::{SceneDescriptor, SceneReading};
use crate::vision::{BoxPx, FaceTracker, TrackFrame, TrackedFace, TrackerOptions};

/// Change of the thumbnail in 8-bit levels from which the picture is another one: a cut, not a movement.
const SCENE_CHANGE_LEVELS: f32 = 24.0;
/// Least time between two looks at a background, in seconds: what the first says takes a moment to be heard.
const SCENE_APART_SECS: f64 = 5.0;
/// Faces embedded on one frame, most prominent first.
const MAX_EMBEDDED_FACES: usize = 2;

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
    /// How long it waited for its turn.
    pub waited: Duration,
    /// How often a still is wanted; `None` = not at all.
    pub still: Option<StillWish>,
    /// Whether a look at what is behind the people is wanted.
    pub scene: bool,
}

/// What came of one sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Analysed {
    /// One a frame that it gave.
    pub observations: Vec<FrameObservation>,
    /// Stills of some of them, in order.
    pub stills: Vec<Shot>,
    /// What is behind the people on some of them, in order.
    pub scenes: Vec<SceneLook>,
    /// How long it took.
    pub timing: FrameTiming,
}

/// What one frame says of its background.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneLook {
    /// Of which moment.
    pub at: MediaTime,
    /// The description, or why there is none.
    pub reading: SceneReading,
}

/// What came of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Looked {
    /// What was measured.
    pub observation: FrameObservation,
    /// A still of it.
    pub still: Option<Shot>,
    /// What is behind the people.
    pub scene: Option<SceneLook>,
    /// How long the models took.
    pub runs: RunTiming,
}

/// How long the analysis of one sample took, step by step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameTiming {
    /// Waiting for its turn and for a device.
    pub queue: Duration,
    /// Bytes to pixels.
    pub decode: Duration,
    /// Cutting, resampling and laying out what models see.
    pub preprocess: Duration,
    /// Models on their device, all of them together.
    pub device: Duration,
    /// Reading what models say.
    pub postprocess: Duration,
}

impl FrameTiming {
    fn add_runs(&mut self, runs: RunTiming) {
        self.queue += runs.queue;
        self.preprocess += runs.preprocess;
        self.device += runs.device;
        self.postprocess += runs.postprocess;
    }
}

/// Analyses one video track in order: decoder, tracker, sampler and the last thumbnail.
#[derive(Debug)]
pub struct TrackAnalyst {
    decoder: FrameDecoder,
    tracker: FaceTracker,
    sampler: Sampler,
    thumbnail: Option<Thumbnail>,
    camera: Camera,
    last_scene: Option<MediaTime>,
    pipeline: Pipeline,
}

impl TrackAnalyst {
    /// An analyst that has seen nothing.
    pub(super) fn new(pipeline: Pipeline, default_format: Option<VideoFormat>) -> Self {
        Self {
            decoder: FrameDecoder::new(*pipeline.limits(), default_format),
            tracker: FaceTracker::new(TrackerOptions::default()),
            sampler: Sampler::default(),
            thumbnail: None,
            camera: Camera::default(),
            last_scene: None,
            pipeline,
        }
    }

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
    pub fn analyse(&mut self, sample: &VideoSample, context: &SampleContext) -> Result<Analysed, ServiceError> {
        let began = Instant::now();
        let frames = timed(Stage::Decode, || self.decoder.decode(sample))?;
        let decode = began.elapsed();
        let analysed = self.observe_all(&frames, context)?;
        Ok(Analysed { timing: FrameTiming { decode, ..analysed.timing }, ..analysed })
    }

    /// Measures the frames that the decoder held back for reordering; coded video needs a keyframe afterwards.
    ///
    /// # Errors
    /// [`ServiceError::Inference`] or [`ServiceError::Vision`] when a model fails.
    pub fn finish(&mut self, context: &SampleContext) -> Result<Analysed, ServiceError> {
        let frames = self.decoder.finish();
        self.observe_all(&frames, context)
    }

    fn observe_all(&mut self, frames: &[VideoFrame], context: &SampleContext) -> Result<Analysed, ServiceError> {
        let mut context = *context;
        let mut analysed = Analysed { observations: Vec::with_capacity(frames.len()), ..Analysed::default() };
        for frame in frames {
            frame_decoded();
            let Looked { observation, still, scene, runs } = self.look(frame, &context)?;
            analysed.stills.extend(still);
            analysed.scenes.extend(scene);
            analysed.observations.push(observation);
            analysed.timing.add_runs(runs);
            (context.missing_before, context.shed_before) = (0, 0);
        }
        Ok(analysed)
    }

    /// Measures one decoded frame.
    ///
    /// # Errors
    /// [`ServiceError::Inference`] or [`ServiceError::Vision`] when a model fails.
    pub fn observe(&mut self, frame: &VideoFrame, context: &SampleContext) -> Result<FrameObservation, ServiceError> {
        Ok(self.look(frame, context)?.observation)
    }

    /// Measures one decoded frame, takes a still of it and describes its background if that is wanted.
    ///
    /// # Errors
    /// As [`TrackAnalyst::observe`].
    pub fn look(&mut self, frame: &VideoFrame, context: &SampleContext) -> Result<Looked, ServiceError> {
        let (observation, faces, runs) = self.observe_timed(frame, context)?;
        let still = self.take_still(frame, &observation, &faces, context);
        let scene = if context.scene { self.describe_scene(frame, &faces) } else { None };
        Ok(Looked { observation, still, scene, runs })
    }

    fn observe_timed(
        &mut self,
        frame: &VideoFrame,
        context: &SampleContext,
    ) -> Result<(FrameObservation, Vec<TrackedFace>, RunTiming), ServiceError> {
        let image = frame.picture.view();
        let picture = frame.thumbnail.stats(image.width(), image.height(), self.thumbnail.as_ref());
        self.thumbnail = Some(frame.thumbnail.clone());
        let scene_changed = picture.change_levels.is_none_or(|levels| levels >= SCENE_CHANGE_LEVELS);
        let next = NextFrame { at: frame.media_time, scene_changed, waited: context.waited };
        let plan = self.sampler.plan(self.pipeline.sampling(), context.urgency, next);
        let pipeline = self.pipeline.clone();
        let mut analysis = pipeline.look_at(image);
        let (tracked, faces) = if plan.find_faces {
            let (tracked, observed) = self.observe_faces(&mut analysis, frame, scene_changed, &plan)?;
            (tracked, FaceSearch::Run(observed))
        } else {
            (Vec::new(), FaceSearch::NotRun)
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
        Ok((observation, tracked, analysis.took()))
    }

    /// A still of a frame, if one is wanted; a frame whose still fails is none the worse for it.
    fn take_still(
        &mut self,
        frame: &VideoFrame,
        observation: &FrameObservation,
        faces: &[TrackedFace],
        context: &SampleContext,
    ) -> Option<Shot> {
        let wish = context.still?;
        let began = Instant::now();
        let outcome = self.camera.take(frame.picture.view(), observation, faces, (wish, context.waited));
        match outcome {
            Ok(None) => None,
            Ok(Some(shot)) => {
                stage_took(Stage::Still, began.elapsed());
                Some(shot)
            }
            Err(error) => {
                still_lost(StillLoss::NotEncoded);
                tracing::debug!(error = &error as &dyn std::error::Error, "a still could not be encoded");
                None
            }
        }
    }

    /// What is behind the people of a frame: only where people were found, so that they can be left out. Another frame follows
    /// soon enough, so a picture that cannot be described costs nothing else.
    fn describe_scene(&mut self, frame: &VideoFrame, faces: &[TrackedFace]) -> Option<SceneLook> {
        let at = frame.media_time;
        let is_recent = self.last_scene.is_some_and(|last| (0.0..SCENE_APART_SECS).contains(&at.secs_since(last)));
        if faces.is_empty() || is_recent {
            return None;
        }
        self.last_scene = Some(at);
        let people: Vec<BoxPx> = faces.iter().map(|face| face.box_in_frame).collect();
        match timed(Stage::Scene, || SceneDescriptor::of(frame.picture.view(), &people)) {
            Ok(reading) => Some(SceneLook { at, reading }),
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "a background could not be described");
                None
            }
        }
    }

    fn observe_faces(
        &mut self,
        analysis: &mut Analysis<'_>,
        frame: &VideoFrame,
        scene_changed: bool,
        plan: &FramePlan,
    ) -> Result<(Vec<TrackedFace>, Vec<FaceObservation>), ServiceError> {
        let image = frame.picture.view();
        let place =
            TrackFrame { media_time: frame.media_time, width: image.width(), height: image.height(), scene_changed };
        let mut faces = analysis.follow(&mut self.tracker, place)?;
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
            observations.push(analysis.observe_face(face, wanted)?);
        }
        Ok((faces, observations))
    }
}
