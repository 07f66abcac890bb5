//! One participant: the signals that watch, and the score that follows.

use std::collections::BTreeMap;

use crate::media::MediaTime;
use crate::scoring::{Evidence, Level, Policy, Score, SignalEvidence, score_session, score_window};
use crate::signals::{
    Deepfake, FaceObservation, FaceSearch, FrameObservation, Identity, Measurement, Motion, Presence, Presentation,
    Reason, Signal, SignalName, Stream, Window,
};
use crate::vision::scene::SceneReading;
use crate::vision::{Embedding, FaceTrackId};

use super::candidate::CandidateFollower;
use super::event::SessionEvent;
use super::ids::ParticipantId;
use super::sampler::{FaceModels, Standing, Urgency};
use super::segments::{ScoredWindow, SegmentTracker};
use super::sighting::Sighting;
use super::surroundings::Surroundings;

/// Smallest picture height that is asked for.
const MIN_PICTURE_HEIGHT_PX: u32 = 360;
/// Largest picture height that is asked for.
const MAX_PICTURE_HEIGHT_PX: u32 = 1_080;

/// Everything that is known of one participant.
#[derive(Debug)]
pub(super) struct Participant {
    id: ParticipantId,
    identity: Identity,
    presentation: Presentation,
    deepfake: Deepfake,
    motion: Motion,
    presence: Presence,
    stream: Stream,
    candidate: CandidateFollower,
    surroundings: Surroundings,
    segments: SegmentTracker,
    first_at: Option<MediaTime>,
    last_at: Option<MediaTime>,
    last_score_at: Option<MediaTime>,
    n_changes_scored: usize,
    score: Option<Score>,
    picture_height_px: u32,
    usable_history: std::collections::VecDeque<(MediaTime, f64)>,
}

impl Participant {
    pub(super) fn new(id: ParticipantId) -> Self {
        Self {
            id,
            identity: Identity::default(),
            presentation: Presentation::default(),
            deepfake: Deepfake::default(),
            motion: Motion::default(),
            presence: Presence::default(),
            stream: Stream::default(),
            candidate: CandidateFollower::default(),
            surroundings: Surroundings::default(),
            segments: SegmentTracker::default(),
            first_at: None,
            last_at: None,
            last_score_at: None,
            n_changes_scored: 0,
            score: None,
            picture_height_px: 0,
            usable_history: std::collections::VecDeque::new(),
        }
    }

    /// The latest score.
    pub(super) const fn score(&self) -> Option<&Score> {
        self.score.as_ref()
    }

    /// The media time of the latest frame.
    pub(super) const fn last_media_time(&self) -> Option<MediaTime> {
        self.last_at
    }

    /// What was seen of them, besides the scores.
    pub(super) fn sighting(&self) -> Sighting {
        let persons = self.identity.persons().cloned().collect();
        Sighting { participant_id: self.id.clone(), persons, scene: self.surroundings.scene().cloned() }
    }

    /// Whether the next frame with a face is worth a look at what is behind it.
    pub(super) fn wants_scene(&self) -> bool {
        self.first_at.zip(self.last_at).is_some_and(|(first, last)| self.surroundings.is_wanted(first, last))
    }

    /// Takes what one frame says of what is behind them.
    pub(super) fn observe_scene(&mut self, at: MediaTime, reading: &SceneReading) {
        self.surroundings.observe(at, reading);
    }

    pub(super) fn enroll_reference(&mut self, reference: Embedding) {
        self.identity.enroll_reference(reference);
    }

    pub(super) fn claim_device(&mut self, label: &str) {
        self.stream.claim_device(label);
    }

    /// How much is wanted of the frames to come.
    pub(super) fn urgency(&self) -> Urgency {
        let standing = match self.score.as_ref().map(|score| score.level) {
            _ if self.segments.is_open() => Standing::Alert,
            None | Some(Level::Inconclusive) => Standing::Open,
            Some(Level::Clear) => Standing::Clear,
            Some(Level::Suspicious | Level::Alert) => Standing::Alert,
        };
        let doubts = FaceModels {
            embedding: self.identity.wants_confirmation(),
            presentation: self.presentation.wants_confirmation(),
            deepfake: self.deepfake.wants_confirmation(),
        };
        let settled = FaceModels {
            embedding: self.identity.is_settled(),
            presentation: self.presentation.is_settled(),
            deepfake: self.deepfake.is_settled(),
        };
        Urgency { standing, doubts, settled }
    }

    /// The face in the picture that is followed as theirs.
    pub(super) fn face(&self) -> Option<FaceTrackId> {
        self.candidate.face()
    }

    /// Picture height worth sending: more when the face is too small in what comes.
    pub(super) fn wanted_height_px(&self) -> u32 {
        let too_small = self.presence.last_problem().filter(|problem| problem.code == "quality.face_too_small");
        let ratio = too_small
            .and_then(|problem| Some(problem.values.get("face_px_needed")? / problem.values.get("face_px")?.max(1.0)));
        match ratio {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped to small positive heights"
            )]
            Some(ratio) => (f64::from(self.picture_height_px) * ratio)
                .clamp(f64::from(MIN_PICTURE_HEIGHT_PX), f64::from(MAX_PICTURE_HEIGHT_PX))
                .round() as u32,
            None => MIN_PICTURE_HEIGHT_PX,
        }
    }

    /// Takes one frame whose media time does not go back.
    pub(super) fn observe(&mut self, observation: &FrameObservation) {
        let at = observation.media_time;
        self.first_at.get_or_insert(at);
        self.last_at = Some(at);
        self.picture_height_px = observation.picture.height_px;
        let candidate: Option<&FaceObservation> = match &observation.faces {
            FaceSearch::Run(faces) => self.candidate.choose(at, observation.picture.width_px, faces),
            FaceSearch::NotRun => None,
        };
        for signal in self.signals_mut() {
            signal.observe(observation, candidate);
        }
    }

    /// Takes a frame whose media time went back: only the stream's clock learns of it.
    pub(super) fn observe_reversed(&mut self, observation: &FrameObservation) {
        self.stream.observe(observation, None);
    }

    /// Scores when a score is due, when the person changed, or in any case with `is_last`.
    pub(super) fn rescore(
        &mut self,
        policy: &Policy,
        models: &BTreeMap<SignalName, String>,
        next_ordinal: &mut u32,
        is_last: bool,
    ) -> Vec<SessionEvent> {
        let (Some(first_at), Some(at)) = (self.first_at, self.last_at) else { return Vec::new() };
        let n_changes = self.identity.changes().len();
        let is_due = n_changes > self.n_changes_scored
            || self.last_score_at.is_none_or(|last| at.secs_since(last) >= policy.sampling.score_interval_secs);
        if !is_due && !is_last {
            return Vec::new();
        }
        self.last_score_at = Some(at);
        self.n_changes_scored = n_changes;
        let mut events = Vec::new();
        let window = Window::before(at, std::time::Duration::from_secs_f64(policy.sampling.window_secs));
        let recent = self.measure(window);
        let is_alarmed = recent.iter().any(|measurement| measurement.alarm);
        let recent_usable_secs = self.usable_secs_since(window.start);
        let window_score = score_window(
            policy,
            &Evidence {
                measurements: &recent,
                usable_face_secs: recent_usable_secs,
                quality_problem: self.presence.last_problem(),
                window_secs: (window.start.max(first_at).as_secs_f64(), at.as_secs_f64()),
                models,
            },
        );
        let window = Window { start: self.onset(window, &window_score).max(first_at), end: at };
        let scored = ScoredWindow { window, score: &window_score, is_alarmed };
        events.extend(self.segments.observe(&policy.sampling, &self.id, next_ordinal, scored));
        if is_last {
            events.extend(self.segments.close());
        }
        let session = self.measure(Window { start: first_at, end: at });
        let mut score = score_session(
            policy,
            &Evidence {
                measurements: &session,
                usable_face_secs: self.presence.ledger().usable_face_secs,
                quality_problem: self.presence.last_problem(),
                window_secs: (first_at.as_secs_f64(), at.as_secs_f64()),
                models,
            },
        );
        self.apply_worst_stretch(&mut score);
        self.score = Some(score.clone());
        events.push(SessionEvent::Score { participant_id: self.id.clone(), score });
        events
    }

    /// When what speaks against a window began: at the change of person when that is it, else with the window.
    fn onset(&self, window: Window, score: &Score) -> MediaTime {
        let llr = |signal: &SignalEvidence| signal.llr.unwrap_or(0.0);
        let worst = score.signals.iter().min_by(|a, b| llr(a).total_cmp(&llr(b)));
        let change = self.identity.changes().iter().map(|change| change.at).find(|at| window.contains(*at));
        match (worst.map(|signal| signal.name), change) {
            (Some(SignalName::Identity), Some(at)) => at,
            _ => window.start,
        }
    }

    /// A session is as authentic as its worst stretch: a minute of somebody else is not averaged away.
    fn apply_worst_stretch(&self, score: &mut Score) {
        let Some(worst) = self.segments.worst() else { return };
        if score.authenticity.is_none_or(|all| worst.authenticity.value < all.value) {
            score.authenticity = Some(worst.authenticity);
            score.level = score.level.max(worst.level);
            score.reasons = vec![
                Reason::new("segment.worst")
                    .with("start_secs", worst.window.start.as_secs_f64())
                    .with("end_secs", worst.window.end.as_secs_f64()),
            ];
        }
    }

    fn measure(&self, window: Window) -> Vec<Measurement> {
        let signals: [&dyn Signal; 6] =
            [&self.identity, &self.presentation, &self.deepfake, &self.motion, &self.presence, &self.stream];
        signals.into_iter().map(|signal| signal.measure(window)).collect()
    }

    fn signals_mut(&mut self) -> [&mut dyn Signal; 6] {
        [
            &mut self.identity,
            &mut self.presentation,
            &mut self.deepfake,
            &mut self.motion,
            &mut self.presence,
            &mut self.stream,
        ]
    }

    /// Usable face seconds since `start`, from the ledger's totals at each score.
    fn usable_secs_since(&mut self, start: MediaTime) -> f64 {
        let total = self.presence.ledger().usable_face_secs;
        if let Some(at) = self.last_at {
            self.usable_history.push_back((at, total));
        }
        while self.usable_history.get(1).is_some_and(|(at, _)| *at <= start) {
            self.usable_history.pop_front();
        }
        let before = self.usable_history.front().filter(|(at, _)| *at <= start).map_or(0.0, |(_, total)| *total);
        total - before
    }
}
