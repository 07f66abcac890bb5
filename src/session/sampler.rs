//! What to analyse next: compute is spent where it changes the answer.

use std::time::Duration;

use crate::media::MediaTime;
use crate::scoring::{Rates, Sampling};
use crate::signals::{FaceSearch, FrameObservation};
use crate::vision::FaceTrackId;

/// Least time between two embeddings when a second opinion is wanted at once.
const CONFIRM_SECS: f64 = 0.2;
/// Part of a period by which a frame may be early and still be taken, so that a steady 10 Hz source is not thinned to 5.
const SLACK_RATIO: f64 = 0.25;
/// Wait from which the server is behind.
const LATE: Duration = Duration::from_millis(60);
/// Wait from which it is far behind: frames will be shed soon.
const VERY_LATE: Duration = Duration::from_millis(150);
/// Seconds between two looks at a face that is known well, while the server is far behind.
const VERY_LATE_FACE_SECS: f64 = 1.0;
/// Periods of a clear session at which a settled model is asked while it is.
const LATE_PERIODS: f64 = 2.0;
/// Periods of an alarmed session at which a settled model is asked: an answer a second is what counts.
const SETTLED_PERIODS: f64 = 2.0;
/// Face tracks remembered as embedded already.
const MAX_KNOWN_FACES: usize = 16;

/// How a participant stands, as far as it decides what is worth looking at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// CLEAR, and no segment is open.
    Clear,
    /// Without a verdict.
    Open,
    /// Something speaks against the participant: the verdict, or a segment.
    Alert,
}

impl Standing {
    /// The rate that goes with it.
    const fn rate_of(self, rates: Rates) -> f64 {
        match self {
            Self::Clear => rates.clear,
            Self::Open => rates.open,
            Self::Alert => rates.alert,
        }
    }
}

/// How much a session wants to know at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Urgency {
    /// How it stands.
    pub standing: Standing,
    /// The models whose last answer was odd and waits for a second opinion.
    pub doubts: FaceModels,
    /// The models that have answered often enough that one more answer alike changes nothing.
    pub settled: FaceModels,
}

impl Urgency {
    /// How often faces are looked for, in Hz: as in a clear session once every model has answered often enough; then it is not
    /// for lack of frames that there is no verdict.
    #[must_use]
    pub fn track_hz(self, rates: Rates) -> f64 {
        let is_known = self.standing == Standing::Open && self.settled == FaceModels::ALL;
        if is_known { rates.clear } else { self.standing.rate_of(rates) }
    }

    /// Whether every model has answered often enough, and nothing speaks against the participant or is in doubt.
    fn is_calm(self) -> bool {
        self.standing != Standing::Alert && self.settled == FaceModels::ALL && self.doubts == FaceModels::NONE
    }
}

impl Default for Urgency {
    /// Nothing is known yet.
    fn default() -> Self {
        Self { standing: Standing::Open, doubts: FaceModels::NONE, settled: FaceModels::NONE }
    }
}

/// What is known of a frame before it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextFrame {
    /// Position on the stream's media clock.
    pub at: MediaTime,
    /// Whether the picture is another one than just before.
    pub scene_changed: bool,
    /// How long it waited for its turn.
    pub waited: Duration,
}

/// What to compute on one frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FramePlan {
    /// Look for faces and follow them (mesh, pose, quality).
    pub find_faces: bool,
    /// Which models to run on the most prominent faces.
    pub models: FaceModels,
    /// Faces that have been embedded before: others are embedded in any case.
    pub known_faces: Vec<FaceTrackId>,
}

/// The models that can run on a face that was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaceModels {
    /// Identity vector.
    pub embedding: bool,
    /// Presentation-attack score.
    pub presentation: bool,
    /// Deepfake score.
    pub deepfake: bool,
}

impl FaceModels {
    /// No model.
    pub const NONE: Self = Self { embedding: false, presentation: false, deepfake: false };
    /// Every model.
    pub const ALL: Self = Self { embedding: true, presentation: true, deepfake: true };
}

/// Decides per frame of one video track. Deterministic; its state is when what was computed last.
#[derive(Clone, Debug, Default)]
pub struct Sampler {
    last_faces: Option<MediaTime>,
    last_embedding: Option<MediaTime>,
    last_presentation: Option<MediaTime>,
    last_deepfake: Option<MediaTime>,
    known_faces: Vec<FaceTrackId>,
}

impl Sampler {
    /// What to compute on a frame.
    ///
    /// While frames wait, models whose answers are known well enough are put off, and when they wait for long, faces of which
    /// everything is known are looked at once a second: no verdict comes later, a change of the picture is seen at once, and
    /// every frame gets its answer in time.
    #[must_use]
    pub fn plan(&self, sampling: &Sampling, urgency: Urgency, frame: NextFrame) -> FramePlan {
        let NextFrame { at, scene_changed, waited } = frame;
        let Urgency { standing, doubts, settled } = urgency;
        let is_late = waited > LATE;
        let period_secs = |rates: Rates, is_doubted: bool, is_settled: bool| match (is_doubted, standing, is_settled) {
            (true, _, false) | (false, Standing::Alert, false) => 1.0 / rates.alert,
            (true, _, true) | (false, Standing::Alert, true) => SETTLED_PERIODS / rates.alert,
            (false, Standing::Clear | Standing::Open, true) if is_late => LATE_PERIODS / rates.clear,
            (false, Standing::Clear, _) | (false, Standing::Open, true) => 1.0 / rates.clear,
            (false, Standing::Open, false) => 1.0 / rates.open,
        };
        let faces_secs = match 1.0 / urgency.track_hz(sampling.track_hz) {
            secs if waited > VERY_LATE && urgency.is_calm() => secs.max(VERY_LATE_FACE_SECS),
            secs => secs,
        };
        let find_faces = scene_changed || is_due(self.last_faces, at, faces_secs);
        let embedding_secs =
            if doubts.embedding { CONFIRM_SECS } else { period_secs(sampling.embedding_hz, false, settled.embedding) };
        let presentation_secs = period_secs(sampling.presentation_hz, doubts.presentation, settled.presentation);
        let deepfake_secs = period_secs(sampling.deepfake_hz, doubts.deepfake, settled.deepfake);
        FramePlan {
            find_faces,
            models: FaceModels {
                embedding: find_faces && (scene_changed || is_due(self.last_embedding, at, embedding_secs)),
                presentation: find_faces && is_due(self.last_presentation, at, presentation_secs),
                deepfake: find_faces && is_due(self.last_deepfake, at, deepfake_secs),
            },
            known_faces: self.known_faces.clone(),
        }
    }

    /// Takes what was really computed.
    pub fn note(&mut self, observation: &FrameObservation) {
        let at = observation.media_time;
        let FaceSearch::Run(faces) = &observation.faces else { return };
        self.last_faces = Some(at);
        for face in faces {
            if face.embedding.is_some() {
                self.last_embedding = Some(at);
                if !self.known_faces.contains(&face.face_track) {
                    if self.known_faces.len() == MAX_KNOWN_FACES {
                        self.known_faces.remove(0);
                    }
                    self.known_faces.push(face.face_track);
                }
            }
            if face.presentation.is_some() {
                self.last_presentation = Some(at);
            }
            if face.deepfake.is_some() {
                self.last_deepfake = Some(at);
            }
        }
    }
}

fn is_due(last: Option<MediaTime>, at: MediaTime, period_secs: f64) -> bool {
    // A clock that went back makes everything due: the stream begins anew.
    last.is_none_or(|last| {
        let elapsed_secs = at.secs_since(last);
        elapsed_secs < 0.0 || elapsed_secs >= period_secs * (1.0 - SLACK_RATIO)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::scoring::Policy;
    use crate::signals::FaceObservation;
    use crate::signals::testing::{face, frame_at};
    use crate::vision::{DeepfakeOutput, Embedding, FaceTrackId, PresentationOutput};

    use super::{FaceModels, FaceSearch, MediaTime, NextFrame, Sampler, Standing, Urgency};

    const CLEAR: Urgency = Urgency { standing: Standing::Clear, doubts: FaceModels::NONE, settled: FaceModels::NONE };

    /// A frame like the one before, whose turn came at once.
    fn at(at: MediaTime) -> NextFrame {
        NextFrame { at, scene_changed: false, waited: Duration::ZERO }
    }

    /// Counts what is planned on `secs` seconds of 30 Hz video.
    fn planned(urgency: Urgency, secs: u32) -> (u32, u32) {
        let sampling = Policy::shipped().sampling;
        let mut sampler = Sampler::default();
        let (mut n_faces, mut n_embeddings) = (0, 0);
        for frame in 0..secs * 30 {
            let mut observation = frame_at(f64::from(frame) / 30.0);
            let plan = sampler.plan(&sampling, urgency, at(observation.media_time));
            if plan.find_faces {
                n_faces += 1;
                let mut face = face();
                if plan.models.embedding {
                    n_embeddings += 1;
                    face.embedding = Embedding::from_raw(&[1.0, 0.0]);
                }
                observation.faces = FaceSearch::Run(vec![face]);
            }
            sampler.note(&observation);
        }
        (n_faces, n_embeddings)
    }

    #[test]
    fn clear_sessions_cost_less() {
        let (clear_faces, clear_embeddings) = planned(CLEAR, 20);
        let (open_faces, open_embeddings) = planned(Urgency::default(), 20);
        assert!((190..=210).contains(&clear_faces), "{clear_faces}");
        assert!(open_faces >= 290, "{open_faces}");
        assert!((9..=14).contains(&clear_embeddings), "{clear_embeddings}");
        assert!(open_embeddings > clear_embeddings);
    }

    #[test]
    fn a_session_that_stays_open_though_every_model_has_answered_is_followed_as_a_clear_one() {
        let settled = Urgency { settled: FaceModels::ALL, ..Urgency::default() };
        assert_eq!(planned(settled, 20).0, planned(CLEAR, 20).0);
        let alert = Urgency { standing: Standing::Alert, ..settled };
        assert!(planned(alert, 20).0 >= planned(Urgency::default(), 20).0, "what is suspicious gets everything");
    }

    #[test]
    fn a_doubt_about_identity_is_settled_within_half_a_second() {
        let mut sampler = Sampler::default();
        let mut observation = frame_at(5.0);
        let mut face = face();
        face.embedding = Embedding::from_raw(&[1.0, 0.0]);
        observation.faces = FaceSearch::Run(vec![face]);
        sampler.note(&observation);
        let doubts = FaceModels { embedding: true, ..FaceModels::NONE };
        let doubt = Urgency { doubts, ..CLEAR };
        let sampling = Policy::shipped().sampling;
        let plan = sampler.plan(&sampling, doubt, at(MediaTime::from_millis(5_300)));
        assert!(plan.models.embedding && plan.known_faces == [FaceTrackId(1)]);
        assert!(!sampler.plan(&sampling, CLEAR, at(MediaTime::from_millis(5_300))).models.embedding);
    }

    #[test]
    fn an_odd_answer_is_asked_for_again_at_once() {
        let mut sampler = Sampler::default();
        let mut observation = frame_at(5.0);
        observation.faces = FaceSearch::Run(vec![FaceObservation {
            embedding: Embedding::from_raw(&[1.0, 0.0]),
            presentation: Some(PresentationOutput { attack_score: 0.6, context_ratio: 1.0 }),
            deepfake: Some(DeepfakeOutput { attack_score: 0.6 }),
            ..face()
        }]);
        sampler.note(&observation);
        let sampling = Policy::shipped().sampling;
        let models = |doubts: FaceModels| {
            sampler.plan(&sampling, Urgency { doubts, ..CLEAR }, at(MediaTime::from_millis(5_500))).models
        };
        assert_eq!(models(FaceModels::NONE), FaceModels::NONE);
        let (presentation, deepfake) =
            (FaceModels { presentation: true, ..FaceModels::NONE }, FaceModels { deepfake: true, ..FaceModels::NONE });
        assert_eq!((models(presentation), models(deepfake)), (presentation, deepfake));
    }

    #[test]
    fn a_cut_is_looked_at_at_once() {
        let mut sampler = Sampler::default();
        let mut observation = frame_at(5.0);
        observation.faces = FaceSearch::Run(Vec::new());
        sampler.note(&observation);
        let plan = sampler.plan(
            &Policy::shipped().sampling,
            CLEAR,
            NextFrame { scene_changed: true, ..at(MediaTime::from_millis(5_010)) },
        );
        assert!(plan.find_faces && plan.models.embedding);
    }

    #[test]
    fn a_model_that_has_answered_often_is_asked_less_while_the_verdict_is_open() {
        let sampler = looked_at_five_seconds();
        let sampling = Policy::shipped().sampling;
        let open = |settled: FaceModels| Urgency { settled, ..Urgency::default() };
        let plan =
            |urgency: Urgency, millis: i64| sampler.plan(&sampling, urgency, at(MediaTime::from_millis(millis))).models;
        let deepfake = FaceModels { deepfake: true, ..FaceModels::NONE };
        assert_eq!(plan(open(FaceModels::NONE), 7_000), FaceModels::ALL);
        assert_eq!(plan(open(deepfake), 7_000), FaceModels { deepfake: false, ..FaceModels::ALL });
        assert!(plan(open(deepfake), 9_000).deepfake, "less often is not never");
        let alert = |settled: FaceModels| Urgency { standing: Standing::Alert, ..open(settled) };
        assert_eq!(plan(alert(FaceModels::NONE), 5_500), FaceModels::ALL, "what is suspicious gets everything");
        assert_eq!(plan(alert(FaceModels::ALL), 6_000), FaceModels::ALL, "every second, when it is known well");
    }

    #[test]
    fn settled_models_are_put_off_while_frames_wait_and_others_are_not() {
        let sampler = looked_at_five_seconds();
        let sampling = Policy::shipped().sampling;
        let late = |settled: FaceModels, doubts: FaceModels, millis: i64| {
            let urgency = Urgency { standing: Standing::Clear, doubts, settled };
            let frame = NextFrame { waited: Duration::from_millis(200), ..at(MediaTime::from_millis(millis)) };
            sampler.plan(&sampling, urgency, frame)
        };
        assert!(late(FaceModels::ALL, FaceModels::NONE, 9_000).find_faces, "a face is followed in any case");
        assert!(!late(FaceModels::ALL, FaceModels::NONE, 9_000).models.presentation);
        assert_eq!(late(FaceModels::ALL, FaceModels::NONE, 12_000).models, FaceModels::ALL, "not for ever");
        assert_eq!(late(FaceModels::NONE, FaceModels::NONE, 9_000).models, FaceModels::ALL);
        let doubt = FaceModels { presentation: true, ..FaceModels::NONE };
        assert!(late(FaceModels::ALL, doubt, 6_000).models.presentation);
    }

    #[test]
    fn a_face_known_well_is_looked_at_once_a_second_while_frames_wait_for_long() {
        let sampler = looked_at_five_seconds();
        let sampling = Policy::shipped().sampling;
        let looks = |urgency: Urgency, waited_millis: u64, millis: i64, scene_changed: bool| {
            let waited = Duration::from_millis(waited_millis);
            sampler
                .plan(&sampling, urgency, NextFrame { scene_changed, waited, at: MediaTime::from_millis(millis) })
                .find_faces
        };
        let calm = Urgency { settled: FaceModels::ALL, ..CLEAR };
        assert!(!looks(calm, 300, 5_500, false));
        assert!(looks(calm, 300, 6_000, false));
        assert!(looks(calm, 300, 5_100, true), "another picture");
        assert!(looks(calm, 100, 5_500, false), "not that late");
        assert!(looks(CLEAR, 300, 5_500, false), "not known well");
        assert!(looks(Urgency { standing: Standing::Alert, ..calm }, 300, 5_500, false));
        let doubts = FaceModels { deepfake: true, ..FaceModels::NONE };
        assert!(looks(Urgency { doubts, ..calm }, 300, 5_500, false));
    }

    /// Had every model's answer at five seconds.
    fn looked_at_five_seconds() -> Sampler {
        let mut sampler = Sampler::default();
        let mut observation = frame_at(5.0);
        observation.faces = FaceSearch::Run(vec![FaceObservation {
            embedding: Embedding::from_raw(&[1.0, 0.0]),
            presentation: Some(PresentationOutput { attack_score: 0.1, context_ratio: 1.0 }),
            deepfake: Some(DeepfakeOutput { attack_score: 0.1 }),
            ..face()
        }]);
        sampler.note(&observation);
        sampler
    }
}
