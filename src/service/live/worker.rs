//! One track's worker: takes samples in order, has them analysed, tells the session.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::error::{ErrorKind, Kinded};
use crate::media::{MediaTime, VideoSample};
use crate::service::pipeline::{AnalysisPool, Pipeline, SampleContext, TrackAnalyst};
use crate::session::{JournalEntry, TrackId};

use super::SampleProblem;
use super::actor::{Command, Shared};
use super::queue::{QueueItem, TrackQueue};

/// What a worker needs from the service.
#[derive(Clone, Debug)]
pub(super) struct Analysis {
    pub(super) pipeline: Pipeline,
    pub(super) pool: AnalysisPool,
}

/// Runs until the queue is closed or the session is gone.
pub(super) async fn run(
    track_id: TrackId,
    queue: Arc<TrackQueue>,
    analysis: Analysis,
    shared: Arc<Shared>,
    session: mpsc::Sender<Command>,
) {
    let mut worker = Worker {
        analyst: analysis.pipeline.analyst(None),
        analysis,
        track_id,
        shared,
        last_sequence: None,
        awaits_keyframe: false,
        shed_before: 0,
    };
    while let Some((item, n_shed)) = queue.pop().await {
        worker.shed_before += n_shed;
        let command = match item {
            QueueItem::Sample { sample, arrival } => worker.analyse(sample, arrival).await,
            QueueItem::Upsert(track, format) => {
                worker.analyst.set_default_format(format);
                Some(Command::Journal(JournalEntry::TrackUpserted(track)))
            }
            QueueItem::Remove => Some(Command::TrackEnded(worker.track_id.clone())),
            QueueItem::Flush(stream) => Some(Command::Flushed { track_id: worker.track_id.clone(), stream }),
        };
        if let Some(command) = command
            && session.send(command).await.is_err()
        {
            return;
        }
    }
}

struct Worker {
    analysis: Analysis,
    analyst: TrackAnalyst,
    track_id: TrackId,
    shared: Arc<Shared>,
    last_sequence: Option<u64>,
    awaits_keyframe: bool,
    shed_before: u64,
}

impl Worker {
    async fn analyse(&mut self, sample: VideoSample, arrival: MediaTime) -> Option<Command> {
        let sequence = sample.sequence;
        let gap = self.last_sequence.map_or(0, |last| sequence.saturating_sub(last).saturating_sub(1));
        self.last_sequence = Some(sequence);
        let n_shed = std::mem::take(&mut self.shed_before);
        let context = SampleContext {
            arrival,
            missing_before: gap.saturating_sub(n_shed),
            shed_before: n_shed,
            urgency: self.shared.urgency(&self.track_id),
        };
        // Frames between a lost one and the next keyframe decode to smear: they are skipped, and accounted for.
        if n_shed > 0 && self.analyst.is_coded(&sample) {
            self.awaits_keyframe = true;
        }
        if self.awaits_keyframe && !sample.keyframe {
            self.shed_before = n_shed + 1;
            return Some(Command::Accounted { track_id: self.track_id.clone(), sequence });
        }
        self.awaits_keyframe = false;
        let permit = self.analysis.pool.acquire().await?;
        let replacement = self.analysis.pipeline.analyst(None);
        let mut analyst = std::mem::replace(&mut self.analyst, replacement);
        let outcome = tokio::task::spawn_blocking(move || {
            let outcome = analyst.analyse(&sample, &context);
            drop(permit);
            (analyst, outcome)
        })
        .await;
        let problem = match outcome {
            Ok((analyst, outcome)) => {
                self.analyst = analyst;
                match outcome {
                    Ok(observations) => {
                        let track_id = self.track_id.clone();
                        return Some(Command::Observed { track_id, sequence, observations });
                    }
                    Err(error) => {
                        let message = if error.kind().is_message_public() {
                            error.to_string()
                        } else {
                            tracing::error!(error = &error as &dyn std::error::Error, "sample could not be analysed");
                            "the server could not analyse this sample".to_owned()
                        };
                        SampleProblem { track_id: self.track_id.clone(), sequence, kind: error.kind(), message }
                    }
                }
            }
            Err(panic) => {
                tracing::error!(error = &panic as &dyn std::error::Error, "analysis panicked; the track starts anew");
                SampleProblem {
                    track_id: self.track_id.clone(),
                    sequence,
                    kind: ErrorKind::Internal,
                    message: "the server could not analyse this sample".to_owned(),
                }
            }
        };
        Some(Command::Problem(problem))
    }
}
