//! What models say of one picture, and how long they took.

use ndarray::ArrayViewD;

use super::Models;
use crate::inference::{Executor, RunTiming};
use crate::media::PictureView;
use crate::service::error::ServiceError;
use crate::session::FaceModels;
use crate::signals::{Deepfake, FaceObservation, Presentation};
use crate::telemetry::metrics::{Stage, timed};
use crate::vision::{
    BoxPx, DeepfakeOutput, Detection, Embedding, FaceMesh, FaceRoi, FaceTrackId, FaceTracker, PresentationOutput,
    TrackFrame, TrackPlan, TrackedFace, VisionError, align_face, deepfake, detection, embedding, face_quality,
    face_shape, five_points, head_pose, mesh, presentation,
};

/// One picture under the models.
#[derive(Debug)]
pub(in crate::service) struct Analysis<'a> {
    executor: &'a Executor,
    models: &'a Models,
    image: PictureView<'a>,
    took: RunTiming,
}

impl<'a> Analysis<'a> {
    pub(super) fn new(executor: &'a Executor, models: &'a Models, image: PictureView<'a>) -> Self {
        Self { executor, models, image, took: RunTiming::default() }
    }

    /// How long all model runs so far took together.
    pub(in crate::service) const fn took(&self) -> RunTiming {
        self.took
    }

    /// Finds and follows the faces.
    pub(in crate::service) fn follow(
        &mut self,
        tracker: &mut FaceTracker,
        frame: TrackFrame,
    ) -> Result<Vec<TrackedFace>, ServiceError> {
        let plan = tracker.plan(frame);
        let detections =
            if plan.detect { Some(timed(Stage::Detect, || self.detect(tracker, frame, plan))?) } else { None };
        let places = tracker.begin(frame, detections.as_deref());
        let mut meshes = Vec::with_capacity(places.len());
        timed(Stage::Mesh, || {
            for (track, roi) in places {
                let (mesh, has_moved) = self.mesh_at(&roi)?;
                if has_moved {
                    tracker.doubt();
                }
                meshes.push((track, Some(mesh)));
            }
            Ok::<_, ServiceError>(())
        })?;
        Ok(tracker.finish(meshes))
    }

    /// Everything about one face that is asked for.
    pub(in crate::service) fn observe_face(
        &mut self,
        face: &TrackedFace,
        wanted: FaceModels,
    ) -> Result<FaceObservation, ServiceError> {
        let image = self.image;
        let quality = timed(Stage::Quality, || face_quality(image, &face.box_in_frame, Some(&face.mesh)))?;
        let mut observed = FaceObservation {
            face_track: face.face_track,
            box_in_frame: face.box_in_frame,
            confidence: face.mesh.presence,
            pose: head_pose(&face.mesh, image.width(), image.height()).ok(),
            shape: face_shape(&face.mesh),
            quality,
            embedding: None,
            presentation: None,
            deepfake: None,
        };
        // A face whose landmarks cannot be aligned is a face without identity, not a failed frame; a model whose answer no signal
        // would believe is not asked.
        if wanted.embedding {
            observed.embedding = optional(timed(Stage::Embed, || self.embed(face)))?;
        }
        if wanted.presentation && Presentation::gate(&observed).is_ok() {
            observed.presentation = optional(timed(Stage::Presentation, || self.check_presentation(face)))?;
        }
        if wanted.deepfake && Deepfake::gate(&observed).is_ok() {
            observed.deepfake = optional(timed(Stage::Deepfake, || self.check_deepfake(&face.mesh)))?;
        }
        Ok(observed)
    }

    /// What a picture says that is a tight face crop: quality and deepfake score.
    pub(super) fn observe_crop(&mut self) -> Result<FaceObservation, ServiceError> {
        let crop = self.image;
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
            deepfake: Some(self.run(
                &self.models.deepfake,
                |input| deepfake::prepare_crop(crop, input),
                |(), outputs| deepfake::interpret(outputs),
            )?),
        })
    }

    /// The identity vector of one face.
    pub(super) fn embed(&mut self, face: &TrackedFace) -> Result<Embedding, ServiceError> {
        let image = self.image;
        self.run(
            &self.models.embedding,
            |input| embedding::prepare(&align_face(image, &five_points(&face.mesh))?, input),
            |(), outputs| embedding::interpret(outputs),
        )
    }

    /// The presentation-attack scores of one face.
    pub(super) fn check_presentation(&mut self, face: &TrackedFace) -> Result<PresentationOutput, ServiceError> {
        let image = self.image;
        self.run(
            &self.models.presentation,
            |input| presentation::prepare(image, &presentation::model_box(face), input),
            |context_ratio, outputs| {
                Ok(PresentationOutput { attack_score: presentation::interpret(outputs)?, context_ratio })
            },
        )
    }

    fn check_deepfake(&mut self, mesh: &FaceMesh) -> Result<DeepfakeOutput, ServiceError> {
        let image = self.image;
        self.run(
            &self.models.deepfake,
            |input| deepfake::prepare(image, mesh, input),
            |(), outputs| deepfake::interpret(outputs),
        )
    }

    /// All faces; a large picture that seems to hold none is searched again in parts, for small faces, now and then.
    fn detect(
        &mut self,
        tracker: &mut FaceTracker,
        frame: TrackFrame,
        plan: TrackPlan,
    ) -> Result<Vec<Detection>, ServiceError> {
        let image = self.image;
        let (width, height) = (image.width(), image.height());
        let found = self.run(
            &self.models.detection,
            |input| detection::prepare(image, input),
            |(), outputs| detection::interpret(outputs, width, height),
        )?;
        if !(found.is_empty() && plan.search_parts) {
            return Ok(found);
        }
        tracker.parts_searched(frame);
        let mut in_tiles = Vec::new();
        for tile in detection::tiles(width, height) {
            in_tiles.extend(self.run(
                &self.models.detection,
                |input| detection::prepare_tile(image, &tile, input),
                |(), outputs| detection::interpret_tile(outputs, &tile),
            )?);
        }
        Ok(detection::merge(in_tiles))
    }

    /// The mesh of one face, looked at twice unless it was where it was looked for; and whether a followed one was not.
    fn mesh_at(&mut self, roi: &FaceRoi) -> Result<(FaceMesh, bool), ServiceError> {
        let mesh = self.mesh(roi)?;
        match FaceRoi::from_mesh(&mesh).filter(|found| !roi.has_shown(found)) {
            Some(found) => Ok((self.mesh(&found)?, roi.is_refined())),
            None => Ok((mesh, false)),
        }
    }

    fn mesh(&mut self, roi: &FaceRoi) -> Result<FaceMesh, ServiceError> {
        let image = self.image;
        self.run(
            &self.models.mesh,
            |input| mesh::prepare(image, roi, input),
            |(), outputs| mesh::interpret(outputs, roi),
        )
    }

    fn run<P, T>(
        &mut self,
        model: &str,
        prepare: impl FnOnce(&mut [f32]) -> Result<P, VisionError>,
        interpret: impl FnOnce(P, &[ArrayViewD<'_, f32>]) -> Result<T, VisionError>,
    ) -> Result<T, ServiceError> {
        let (answer, timing) = self.executor.run(
            model,
            |input| prepare(input).map_err(ServiceError::from),
            |prepared, outputs| interpret(prepared, outputs).map_err(ServiceError::from),
        )?;
        self.took += timing;
        Ok(answer)
    }
}

/// A face that a step could not be done on is `None`; a failing model stays an error.
fn optional<T>(result: Result<T, ServiceError>) -> Result<Option<T>, ServiceError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(ServiceError::Vision(VisionError::DegenerateLandmarks { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}
