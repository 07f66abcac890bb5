//! One track's worker: takes samples in order, has them analysed, tells the session.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::error::{ErrorKind, Kinded};
use crate::media::{Dependence, MediaError, MediaTime, VideoFormat, VideoSample};
use crate::service::analysis_pool::{AnalysisPool, Turn};
use crate::service::analyst::{Analysed, FrameTiming, SampleContext, TrackAnalyst};
use crate::service::error::ServiceError;
use crate::session::{JournalEntry, ParticipantId, SourceKind, Track, TrackId};
use crate::signals::{FaceSearch, FrameObservation};
use crate::telemetry::metrics::{DropReason, Stage, frame_analysed, frame_dropped, stage_took};

use super::SampleProblem;
use super::actor::{Command, Progress};
use super::clock::TrackClock;
use super::queue::{QueueItem, QueuedSample, TrackQueue};
use super::shared::Shared;

/// What a client reads of a failure that is not its own.
const OUR_FAILURE: &str = "the server could not analyse this sample";

/// Measures the samples of one track, in order; blocks.
pub(super) trait Analyst: Send + 'static {
    /// Sets the format of samples that do not name one.
    fn set_default_format(&mut self, format: Option<VideoFormat>);
    /// What a sample needs of those before it.
    fn dependence(&self, sample: &VideoSample) -> Dependence;
    /// Measures the frames that one sample gives.
    fn analyse(&mut self, sample: &VideoSample, context: &SampleContext) -> Result<Analysed, ServiceError>;
    /// Measures the frames that were held back.
    fn finish(&mut self, context: &SampleContext) -> Result<Analysed, ServiceError>;
}

impl Analyst for TrackAnalyst {
    fn set_default_format(&mut self, format: Option<VideoFormat>) {
        Self::set_default_format(self, format);
    }

    fn dependence(&self, sample: &VideoSample) -> Dependence {
        Self::dependence(self, sample)
    }

    fn analyse(&mut self, sample: &VideoSample, context: &SampleContext) -> Result<Analysed, ServiceError> {
        Self::analyse(self, sample, context)
    }

    fn finish(&mut self, context: &SampleContext) -> Result<Analysed, ServiceError> {
        Self::finish(self, context)
    }
}

/// A track's worker.
pub(super) struct Worker<F> {
    track_id: TrackId,
    queue: Arc<TrackQueue>,
    pool: AnalysisPool,
    shared: Arc<Shared>,
    new_analyst: F,
}

impl<F> Worker<F> {
    /// A worker that makes its analysts with `new_analyst`, given the format of samples that do not name one.
    pub(super) const fn new(
        track_id: TrackId,
        queue: Arc<TrackQueue>,
        pool: AnalysisPool,
        shared: Arc<Shared>,
        new_analyst: F,
    ) -> Self {
        Self { track_id, queue, pool, shared, new_analyst }
    }
}

/// Runs until the queue is closed or the session is gone. `known` is the track when the session knew it before.
pub(super) async fn run<A: Analyst, F: Fn(Option<VideoFormat>) -> A + Send>(
    worker: Worker<F>,
    known: Option<Track>,
    session: mpsc::Sender<Command>,
) {
    let mut following = Following::new(worker);
    if let Some(track) = known {
        following.take_track(&track, None);
    }
    while following.worker.queue.wait().await {
        // Samples wait where the oldest of them go when there are too many.
        let turn = following.worker.pool.turn().await;
        let Some((item, n_shed)) = following.worker.queue.take() else { continue };
        following.shed_before += n_shed;
        let command = match item {
            QueueItem::Sample(queued) => following.analyse(queued, turn).await,
            QueueItem::Finish => {
                if let Some(observed) = following.finish(turn).await
                    && session.send(observed).await.is_err()
                {
                    return;
                }
                Some(Command::Flushed { track_id: following.worker.track_id.clone(), stream: None })
            }
            QueueItem::Audio { .. } | QueueItem::Upsert(..) | QueueItem::Remove | QueueItem::Flush(_) => {
                drop(turn);
                following.note(item)
            }
        };
        if let Some(command) = command
            && session.send(command).await.is_err()
        {
            return;
        }
    }
}

/// A worker with what it knows of its track.
struct Following<A, F> {
    worker: Worker<F>,
    /// Absent until the first sample, and while a sample is analysed.
    analyst: Option<A>,
    format: Option<VideoFormat>,
    source: Option<(SourceKind, ParticipantId)>,
    clock: TrackClock,
    last_sequence: Option<u64>,
    awaits_keyframe: bool,
    shed_before: u64,
}

impl<A: Analyst, F: Fn(Option<VideoFormat>) -> A> Following<A, F> {
    const fn new(worker: Worker<F>) -> Self {
        Self {
            worker,
            analyst: None,
            format: None,
            source: None,
            clock: TrackClock::new(),
            last_sequence: None,
            awaits_keyframe: false,
            shed_before: 0,
        }
    }

    /// A track of that id that comes later is another one.
    fn forget(&mut self) {
        (self.analyst, self.format, self.source) = (None, None, None);
        (self.clock, self.last_sequence) = (TrackClock::new(), None);
        (self.awaits_keyframe, self.shed_before) = (false, 0);
    }

    /// Notes what needs no analysis.
    fn note(&mut self, item: QueueItem) -> Option<Command> {
        let track_id = self.worker.track_id.clone();
        match item {
            QueueItem::Audio { sequence } => Some(Command::Accounted { track_id, sequence }),
            QueueItem::Upsert(track, format) => {
                self.take_track(&track, format);
                Some(Command::Journal(JournalEntry::TrackUpserted(track)))
            }
            QueueItem::Remove => {
                self.forget();
                Some(Command::TrackEnded(track_id))
            }
            QueueItem::Flush(stream) => Some(Command::Flushed { track_id, stream: Some(stream) }),
            QueueItem::Sample(_) | QueueItem::Finish => None,
        }
    }

    /// Notes what the track carries from here on, and for whom.
    fn take_track(&mut self, track: &Track, format: Option<VideoFormat>) {
        self.format = format;
        if let Some(analyst) = &mut self.analyst {
            analyst.set_default_format(format);
        }
        let source = Some((track.kind, track.participant_id.clone()));
        if self.source != source {
            if let Some(seen) = self.worker.shared.last_media_time(track) {
                self.clock.continue_from(seen);
            }
            self.source = source;
        }
    }

    async fn analyse(&mut self, queued: QueuedSample, turn: Turn) -> Option<Command> {
        let QueuedSample { mut sample, arrival, queued_at, .. } = queued;
        let track_id = self.worker.track_id.clone();
        let sequence = sample.sequence;
        let gap = self.last_sequence.map_or(0, |last| sequence.saturating_sub(last).saturating_sub(1));
        self.last_sequence = Some(sequence);
        // A screen is nobody's face: what it shows is not looked at.
        if self.source.as_ref().is_none_or(|(kind, _)| *kind != SourceKind::Camera) {
            frame_dropped(DropReason::NotScored);
            self.shed_before = 0;
            return Some(Command::Accounted { track_id, sequence });
        }
        let mut analyst = self.analyst.take().unwrap_or_else(|| (self.worker.new_analyst)(self.format));
        // Frames between a lost one and the next keyframe decode to smear: they are skipped, and accounted for.
        let dependence = analyst.dependence(&sample);
        self.awaits_keyframe = dependence != Dependence::Free && (self.awaits_keyframe || self.shed_before > 0);
        if self.awaits_keyframe && dependence == Dependence::OnEarlier {
            self.analyst = Some(analyst);
            self.shed_before += 1;
            self.worker.queue.count_shed();
            frame_dropped(DropReason::AwaitsKeyframe);
            return Some(Command::Accounted { track_id, sequence });
        }
        let n_shed = std::mem::take(&mut self.shed_before);
        sample.media_time = self.clock.place(sample.media_time, arrival);
        let (shared, at_track) = (Arc::clone(&self.worker.shared), track_id.clone());
        let analysed = self.worker.pool.run(turn, move || {
            let waited = queued_at.elapsed();
            stage_took(Stage::Queue, waited);
            let context = SampleContext {
                arrival,
                missing_before: gap.saturating_sub(n_shed),
                shed_before: n_shed,
                urgency: shared.urgency(&at_track),
                waited,
                still: shared.still_wish(&at_track),
                scene: shared.wants_scene(&at_track),
            };
            let outcome = analyst.analyse(&sample, &context);
            (analyst, waited, outcome)
        });
        let (kind, message) = match analysed.await {
            Ok((analyst, waited, outcome)) => {
                self.analyst = Some(analyst);
                match outcome {
                    Ok(Analysed { observations, stills, scenes, timing }) => {
                        count_outcome(&observations);
                        let timing = Some(FrameTiming { queue: waited + timing.queue, ..timing });
                        return Some(Command::Observed {
                            track_id,
                            progress: Progress { sequence, timing },
                            observations,
                            stills,
                            scenes,
                        });
                    }
                    Err(error) => {
                        frame_dropped(reason_of(&error));
                        (error.kind(), public_message(&error))
                    }
                }
            }
            Err(panic) => {
                tracing::error!(error = &panic as &dyn std::error::Error, "the track starts anew");
                frame_dropped(DropReason::Inference);
                // What was decoded before is gone with the analyst, so that pictures that build upon it are worth nothing.
                self.awaits_keyframe = true;
                (ErrorKind::Internal, OUR_FAILURE.to_owned())
            }
        };
        Some(Command::Problem(SampleProblem { track_id, sequence, kind, message }))
    }

    /// What the decoder held back, once nothing more comes.
    async fn finish(&mut self, turn: Turn) -> Option<Command> {
        let mut analyst = self.analyst.take()?;
        let track_id = self.worker.track_id.clone();
        let (last, urgency) = (self.last_sequence?, self.worker.shared.urgency(&track_id));
        let waited = Duration::ZERO;
        let still = self.worker.shared.still_wish(&track_id);
        let context = SampleContext {
            arrival: MediaTime::ZERO,
            missing_before: 0,
            shed_before: 0,
            urgency,
            waited,
            still,
            scene: false,
        };
        match self.worker.pool.run(turn, move || analyst.finish(&context)).await {
            Ok(Ok(Analysed { observations, stills, scenes, .. })) => {
                let progress = Progress { sequence: last, timing: None };
                Some(Command::Observed { track_id, progress, observations, stills, scenes })
            }
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the last frames of a track were lost");
                None
            }
            Err(panic) => {
                tracing::error!(error = &panic as &dyn std::error::Error, "the last frames of a track were lost");
                None
            }
        }
    }
}

fn count_outcome(observations: &[FrameObservation]) {
    if observations.is_empty() {
        frame_dropped(DropReason::NoPicture);
    } else if observations.iter().any(|observation| matches!(observation.faces, FaceSearch::Run(_))) {
        frame_analysed();
    } else {
        frame_dropped(DropReason::NotSampled);
    }
}

const fn reason_of(error: &ServiceError) -> DropReason {
    #[expect(clippy::wildcard_enum_match_arm, reason = "all that is not the sample's fault")]
    match error {
        ServiceError::Media(MediaError::OverLimit { .. }) => DropReason::OverLimit,
        ServiceError::Media(MediaError::NeedsKeyframe { .. }) => DropReason::AwaitsKeyframe,
        ServiceError::Media(_) => DropReason::Undecodable,
        _ => DropReason::Inference,
    }
}

fn public_message(error: &ServiceError) -> String {
    if error.kind().is_message_public() {
        return error.to_string();
    }
    tracing::error!(error = error as &dyn std::error::Error, "sample could not be analysed");
    OUR_FAILURE.to_owned()
}

#[cfg(test)]
mod tests;
