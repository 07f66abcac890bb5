//! Scoring a recording in process: the same pipeline and the same session as live, with nothing dropped.

use std::path::Path;
use std::sync::Arc;

use crate::media::{MediaTime, Recording, RecordingInfo, VideoFrame};
use crate::scoring::{Policy, Score};
use crate::session::{
    Interview, JournalEntry, ParticipantId, Segment, SessionEvent, SourceKind, Track, TrackId, Urgency,
};
use crate::signals::{FaceSearch, FrameObservation};
use crate::vision::Embedding;

use super::error::ServiceError;
use super::pipeline::{Pipeline, SampleContext, TrackAnalyst};

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

/// Scores one recording from its first frame to its last. Blocks; run it on a thread of its own.
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
    progress: impl FnMut(f64),
) -> Result<RecordingReport, ServiceError> {
    let mut recording = Recording::open(path, pipeline.limits())?;
    let info = recording.info().clone();
    let mut scoring = RecordingSession::new(pipeline, policy, reference)?;
    let decode_problem = scoring.run(|| recording.next_frame(), progress)?;
    if scoring.decoded_frames == 0 {
        let problem = decode_problem.unwrap_or_else(|| "it has no video frame".to_owned());
        let error = crate::media::MediaError::Undecodable { expected: "recording", problem };
        return Err(error.into());
    }
    Ok(scoring.finish(info, decode_problem))
}

/// The observations of one recording, for evaluation and calibration: what the session would have been fed.
///
/// # Errors
/// As [`score_recording`].
pub fn observe_recording(
    pipeline: &Pipeline,
    policy: &Arc<Policy>,
    path: &Path,
) -> Result<Vec<FrameObservation>, ServiceError> {
    let mut recording = Recording::open(path, pipeline.limits())?;
    let mut scoring = RecordingSession::new(pipeline, policy, None)?;
    let mut observations = Vec::new();
    while let Ok(Some(frame)) = recording.next_frame() {
        observations.push(scoring.observe(&frame)?);
    }
    Ok(observations)
}

struct RecordingSession {
    analyst: TrackAnalyst,
    interview: Interview,
    track_id: TrackId,
    segments: std::collections::BTreeMap<u32, Segment>,
    decoded_frames: u64,
    analysed_frames: u64,
}

impl RecordingSession {
    fn new(pipeline: &Pipeline, policy: &Arc<Policy>, reference: Option<&Embedding>) -> Result<Self, ServiceError> {
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
        Ok(Self {
            analyst: pipeline.analyst(None),
            interview,
            track_id,
            segments: std::collections::BTreeMap::new(),
            decoded_frames: 0,
            analysed_frames: 0,
        })
    }

    /// Takes frames until there are no more; gives back why they ended early, if they did.
    fn run(
        &mut self,
        mut next_frame: impl FnMut() -> Result<Option<VideoFrame>, crate::media::MediaError>,
        mut progress: impl FnMut(f64),
    ) -> Result<Option<String>, ServiceError> {
        loop {
            match next_frame() {
                Ok(Some(frame)) => {
                    self.observe(&frame)?;
                    progress(frame.media_time.as_secs_f64());
                }
                Ok(None) => return Ok(None),
                Err(error) => return Ok(Some(error.to_string())),
            }
        }
    }

    fn observe(&mut self, frame: &VideoFrame) -> Result<FrameObservation, ServiceError> {
        let context =
            SampleContext { arrival: frame.media_time, missing_before: 0, shed_before: 0, urgency: self.urgency() };
        let observation = self.analyst.observe(frame, &context)?;
        self.decoded_frames += 1;
        self.analysed_frames += u64::from(matches!(observation.faces, FaceSearch::Run(_)));
        self.apply(&JournalEntry::Frame { track_id: self.track_id.clone(), observation: observation.clone() });
        Ok(observation)
    }

    fn urgency(&self) -> Urgency {
        self.interview.urgency(&self.track_id)
    }

    fn apply(&mut self, entry: &JournalEntry) {
        for event in self.interview.apply(entry) {
            if let SessionEvent::Segment { segment, .. } = event {
                self.segments.insert(segment.ordinal, segment);
            }
        }
    }

    fn finish(mut self, info: RecordingInfo, decode_problem: Option<String>) -> RecordingReport {
        self.apply(&JournalEntry::Finished { at: MediaTime::ZERO });
        RecordingReport {
            info,
            participants: self.interview.scores().map(|(id, score)| (id.clone(), score.clone())).collect(),
            segments: self.segments.into_values().collect(),
            decoded_frames: self.decoded_frames,
            analysed_frames: self.analysed_frames,
            decode_problem,
        }
    }
}
