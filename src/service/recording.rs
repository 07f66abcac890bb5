//! Scoring a recording in process: the same pipeline and the same session as live, with nothing dropped.

mod read_ahead;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::media::{MediaTime, Recording, RecordingInfo, VideoFrame};
use crate::scoring::{Policy, Score};
use crate::session::{Interview, JournalEntry, ParticipantId, Segment, SessionEvent, SourceKind, Track, TrackId};
use crate::signals::{FaceSearch, FrameObservation};
use crate::vision::Embedding;

use super::analyst::{SampleContext, TrackAnalyst};
use super::error::ServiceError;
use super::pipeline::Pipeline;

use self::read_ahead::read_ahead;

/// The one participant of a recording: who is followed in the picture.
const PARTICIPANT: &str = "candidate";

/// What came out of one recording.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingReport {
    /// Container, size, duration.
    pub info: RecordingInfo,
    /// The score of each participant.
    pub participants: Vec<(ParticipantId, Score)>,
    /// Stretches worth a look, closed.
    pub segments: Vec<Segment>,
    /// Frames decoded.
    pub decoded_frames: u64,
    /// Frames in which faces were looked for.
    pub analysed_frames: u64,
    /// Why decoding ended early, if it did; what came before is scored.
    pub decode_problem: Option<String>,
}

/// Scores one recording from its first frame to its last. Blocks; run it on a thread of its own. Frames are decoded ahead on
/// others.
///
/// `progress` is told the media time reached, in seconds, after every frame.
///
/// # Errors
/// [`ServiceError::Media`] when it cannot be opened or has no readable frame, [`ServiceError::Inference`] or
/// [`ServiceError::Vision`] when a model fails.
pub fn score_recording(
    pipeline: &Pipeline,
    policy: &Arc<Policy>,
    path: &Path,
    reference: Option<&Embedding>,
    mut progress: impl FnMut(f64),
) -> Result<RecordingReport, ServiceError> {
    let mut recording = Recording::open(path, pipeline.limits())?;
    let info = recording.info().clone();
    let mut session = FrameSession::new(pipeline, policy, reference)?;
    let mut segments = std::collections::BTreeMap::new();
    let mut note = |events: &[SessionEvent]| {
        for event in events {
            if let SessionEvent::Segment { segment, .. } = event {
                segments.insert(segment.ordinal, segment.clone());
            }
        }
    };
    let decode_problem = read_ahead(&mut recording, |frames| {
        loop {
            match frames.next() {
                Ok(Some(frame)) => {
                    note(&session.observe(&frame)?.events);
                    progress(frame.media_time.as_secs_f64());
                }
                Ok(None) => break Ok(None),
                Err(error) => break Ok(Some(error.to_string())),
            }
        }
    })?;
    if session.decoded_frames == 0 {
        let problem = decode_problem.unwrap_or_else(|| "it has no video frame".to_owned());
        let error = crate::media::MediaError::Undecodable { expected: "recording", problem };
        return Err(error.into());
    }
    note(&session.finish());
    Ok(RecordingReport {
        info,
        participants: session.scores().map(|(id, score)| (id.clone(), score.clone())).collect(),
        segments: segments.into_values().collect(),
        decoded_frames: session.decoded_frames,
        analysed_frames: session.analysed_frames,
        decode_problem,
    })
}

/// One participant's frames fed to one session in process: what a recording, or a picture series made up for a test, is
/// scored with.
#[derive(Debug)]
pub struct FrameSession {
    analyst: TrackAnalyst,
    interview: Interview,
    track_id: TrackId,
    decoded_frames: u64,
    analysed_frames: u64,
}

/// What followed from one frame.
#[derive(Clone, Debug)]
pub struct FrameOutcome {
    /// What was measured on it.
    pub observation: FrameObservation,
    /// What the session said of it.
    pub events: Vec<SessionEvent>,
}

impl FrameSession {
    /// A session that has seen nothing; with a reference, whoever is seen is compared with it.
    ///
    /// # Errors
    /// [`ServiceError::Id`] never in practice: the ids are constants.
    pub fn new(pipeline: &Pipeline, policy: &Arc<Policy>, reference: Option<&Embedding>) -> Result<Self, ServiceError> {
        let participant_id = ParticipantId::new(PARTICIPANT)?;
        let track_id = TrackId::new("recording")?;
        let mut interview = Interview::new(Arc::clone(policy), Arc::new(pipeline.signal_models()));
        interview.apply(&JournalEntry::TrackUpserted(Track {
            track_id: track_id.clone(),
            participant_id: participant_id.clone(),
            kind: SourceKind::Camera,
            device: None,
        }));
        if let Some(embedding) = reference {
            interview.apply(&JournalEntry::ReferenceEnrolled { participant_id, embedding: embedding.clone() });
        }
        Ok(Self { analyst: pipeline.analyst(None), interview, track_id, decoded_frames: 0, analysed_frames: 0 })
    }

    /// Takes the next frame.
    ///
    /// # Errors
    /// [`ServiceError::Inference`] or [`ServiceError::Vision`] when a model fails.
    pub fn observe(&mut self, frame: &VideoFrame) -> Result<FrameOutcome, ServiceError> {
        let context = SampleContext {
            arrival: frame.media_time,
            missing_before: 0,
            shed_before: 0,
            urgency: self.interview.urgency(&self.track_id),
            waited: Duration::ZERO,
            still: None,
            scene: false,
        };
        let observation = self.analyst.observe(frame, &context)?;
        self.decoded_frames += 1;
        self.analysed_frames += u64::from(matches!(observation.faces, FaceSearch::Run(_)));
        let events = self.apply(observation.clone());
        Ok(FrameOutcome { observation, events })
    }

    /// Takes what was measured on a frame earlier.
    pub fn apply(&mut self, observation: FrameObservation) -> Vec<SessionEvent> {
        self.interview.apply(&JournalEntry::Frame { track_id: self.track_id.clone(), observation })
    }

    /// Ends the session and says what follows: last scores and closed segments.
    pub fn finish(&mut self) -> Vec<SessionEvent> {
        self.interview.apply(&JournalEntry::Finished { at: MediaTime::ZERO })
    }

    /// The latest score of each participant.
    pub fn scores(&self) -> impl Iterator<Item = (&ParticipantId, &Score)> {
        self.interview.scores()
    }
}
