//! A still picture of one person as a template, or why it cannot be one.

use std::sync::Arc;

use bytes::Bytes;

use crate::identity::{ModelDigest, Template};
use crate::media::decode_still;
use crate::service::analysis_pool::AnalysisPool;
use crate::service::error::ServiceError;
use crate::service::pipeline::Pipeline;
use crate::service::sessions::Interviews;
use crate::session::FaceModels;
use crate::signals::{FaceObservation, Identity, Reason, SignalName, quality_problem};

/// Largest picture in bytes.
const MAX_PICTURE_BYTES: usize = 16 * 1024 * 1024;
/// A second face makes a picture one of several people when its area is at least this share of the first one's.
const SECOND_FACE_AREA_RATIO: f32 = 0.5;
/// Yaw past which a face is too far from the camera's axis for its vector to count, in degrees.
const MAX_YAW_DEG: f32 = 35.0;

/// What a picture shows: one face that can be compared, or why not.
pub(super) type Portrait = Result<Template, Vec<Reason>>;

/// The models that look at pictures.
pub(super) struct Pictures {
    pipeline: Pipeline,
    pool: AnalysisPool,
    model: ModelDigest,
}

impl Pictures {
    /// Those that interviews use.
    pub(super) fn new(interviews: &Interviews) -> Result<Self, ServiceError> {
        let services = Arc::clone(&interviews.services);
        let models = services.pipeline.signal_models();
        let version = models.get(&SignalName::Identity);
        let version =
            version.ok_or_else(|| ServiceError::Internal { problem: "no model measures identity".to_owned() })?;
        let model = ModelDigest::from_version(version)?;
        Ok(Self { pipeline: services.pipeline.clone(), pool: services.pool.clone(), model })
    }

    /// Whose vectors it makes.
    pub(super) const fn model(&self) -> ModelDigest {
        self.model
    }

    /// The face of a picture: a JPEG, PNG or WebP file.
    ///
    /// # Errors
    /// [`ServiceError::Media`] when it is no readable still, [`ServiceError::InvalidField`] when it is too large.
    pub(super) async fn portrait(&self, picture: Bytes) -> Result<Portrait, ServiceError> {
        if picture.len() > MAX_PICTURE_BYTES {
            let problem = format!("has {} bytes: send at most {MAX_PICTURE_BYTES}", picture.len());
            return Err(ServiceError::InvalidField { field: "image", problem });
        }
        let (pipeline, model) = (self.pipeline.clone(), self.model);
        let looked = self.pool.run(self.pool.turn().await, move || look(&pipeline, model, &picture));
        looked.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() })?
    }
}

fn look(pipeline: &Pipeline, model: ModelDigest, picture: &[u8]) -> Result<Portrait, ServiceError> {
    let image = decode_still(picture, pipeline.limits())?;
    let mut faces = pipeline.faces(image.view().into())?;
    faces.sort_by(|a, b| b.box_in_frame.area().total_cmp(&a.box_in_frame.area()));
    let Some(face) = faces.first() else { return Ok(Err(vec![Reason::new("reference.no_face")])) };
    let is_second = |second: f32| second > face.box_in_frame.area() * SECOND_FACE_AREA_RATIO;
    let n_faces = 1 + faces.iter().skip(1).filter(|second| is_second(second.box_in_frame.area())).count();
    if n_faces > 1 {
        let n_faces = u32::try_from(n_faces).unwrap_or(u32::MAX);
        return Ok(Err(vec![Reason::new("reference.several_faces").with("faces", n_faces)]));
    }
    let wanted = FaceModels { embedding: true, ..FaceModels::NONE };
    let observed = pipeline.look_at(image.view().into()).observe_face(face, wanted)?;
    if let Some(reason) = problem(&observed) {
        return Ok(Err(vec![reason]));
    }
    match &observed.embedding {
        Some(embedding) => Ok(Ok(Template::mean(model, [embedding])?)),
        None => Ok(Err(vec![turned_away(&observed)])),
    }
}

/// Why a face would not count in a session either; `None` when it would.
fn problem(face: &FaceObservation) -> Option<Reason> {
    if let Some(reason) = quality_problem(face) {
        return Some(reason);
    }
    if Identity::accepts(face) {
        return None;
    }
    // The identity signal asks for more than others do.
    if face.pose.is_some_and(|pose| pose.yaw_deg.abs() > MAX_YAW_DEG) {
        return Some(turned_away(face));
    }
    if face.quality.outside_ratio > 0.1 {
        return Some(Reason::new("quality.face_cut_off").with("outside_ratio", face.quality.outside_ratio));
    }
    Some(Reason::new("quality.blurred").with("sharpness", face.quality.sharpness))
}

fn turned_away(face: &FaceObservation) -> Reason {
    Reason::new("quality.turned_away").with("yaw_deg", face.pose.map_or(0.0, |pose| pose.yaw_deg))
}

/// A refused picture as an error of the request.
pub(super) fn refusal(reasons: &[Reason]) -> ServiceError {
    let words = |reason: &Reason| match reason.code.as_ref() {
        "reference.no_face" => "shows no face: send a picture with one face to the camera",
        "reference.several_faces" => "shows several faces: send a picture of one person",
        "quality.face_too_small" => "shows a face that is too small: send a larger picture",
        "quality.too_dark" => "shows a face that is too dark: send a brighter picture",
        "quality.too_bright" => "shows a face that is too bright: send a darker picture",
        "quality.face_cut_off" => "shows a face that is cut off: send a picture with the whole face",
        "quality.turned_away" => "shows a face that is turned away: send one that looks at the camera",
        "quality.blurred" => "shows a face that is blurred: send a sharper picture",
        _ => "shows a face that cannot be compared: send another picture",
    };
    let problem = reasons.first().map_or("shows no face: send a picture with one face to the camera", words);
    ServiceError::InvalidField { field: "image", problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{problem, refusal};
    use crate::signals::testing::face;
    use crate::vision::HeadPose;

    #[test]
    fn what_would_not_count_in_a_session_is_refused_with_its_reason() {
        assert_eq!(problem(&face()), None);
        let check = |change: fn(&mut crate::signals::FaceObservation), code: &str, word: &str| {
            let mut face = face();
            change(&mut face);
            let reason = problem(&face).expect("a fault");
            assert_eq!(reason.code, code);
            assert!(refusal(&[reason]).to_string().contains(word));
        };
        check(|face| face.quality.face_height_px = 41.0, "quality.face_too_small", "small");
        check(|face| face.quality.exposure = 0.02, "quality.too_dark", "dark");
        check(|face| face.quality.sharpness = 5.0, "quality.blurred", "blurred");
        check(|face| face.quality.sharpness = f32::NAN, "quality.blurred", "blurred");
        check(|face| face.quality.outside_ratio = 0.2, "quality.face_cut_off", "cut off");
        check(
            |face| face.pose = Some(HeadPose { yaw_deg: 50.0, ..HeadPose::default() }),
            "quality.turned_away",
            "turned",
        );
    }
}
