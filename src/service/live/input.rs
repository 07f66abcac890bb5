//! What a stream's client sends: checked, put in order, handed to the tracks' workers. Nothing here waits for analysis.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::media::{VideoFormat, VideoSample};
use crate::service::error::ServiceError;
use crate::session::{JournalEntry, ParticipantId, Track, TrackId};
use crate::telemetry::metrics::{DropReason, frame_dropped, frame_received};
use crate::vision::Embedding;

use super::actor::{Attached, Command};
use super::queue::{MAX_CHANGES, QueueBounds, QueueItem, StreamId, TrackQueue};
use super::registry::Services;
use super::shared::{Owner, Shared, TrackEntry, Tracks};
use super::worker::{self, Worker};
use super::{EndCause, StreamCommand};

/// When it is worth announcing a track again that was refused.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Takes the client's messages. Dropping it ends the stream's input; what was accepted is still analysed.
#[derive(Debug)]
pub struct StreamInput {
    owner: Owner,
    is_resumed: bool,
    /// What the client was told to go on after.
    resume_from: HashMap<TrackId, u64>,
    shared: Arc<Shared>,
    session: mpsc::Sender<Command>,
    services: Arc<Services>,
    create_time: jiff::Timestamp,
    runtime: Handle,
    /// Dropped with this input, which tells the session.
    _open: oneshot::Sender<()>,
}

/// Why a sample was not taken: for the metrics, for the client.
type Refusal = (DropReason, ServiceError);

impl StreamInput {
    /// The input of an attached stream; must be made within a runtime.
    #[expect(clippy::too_many_arguments, reason = "each is a part of the one thing that is made here, once")]
    pub(super) fn new(
        stream: StreamId,
        attached: &Attached,
        shared: Arc<Shared>,
        session: mpsc::Sender<Command>,
        services: Arc<Services>,
        is_resumed: bool,
    ) -> Self {
        let (open, closed) = oneshot::channel::<()>();
        let commands = session.clone();
        tokio::spawn(async move {
            let _ = closed.await;
            let _ = commands.send(Command::InputEnded(stream)).await;
        });
        Self {
            owner: Owner { stream, is_over: Arc::clone(&attached.is_over) },
            is_resumed,
            resume_from: attached.resume_from.iter().cloned().collect(),
            shared,
            session,
            services,
            create_time: attached.record.create_time,
            runtime: Handle::current(),
            _open: open,
        }
    }

    /// Hands over one message. Never waits for analysis: video past the byte bound pushes the oldest frame out.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`] and [`ServiceError::Overloaded`] for one message (the stream goes on),
    /// [`ServiceError::Unavailable`], [`ServiceError::NotFound`] or [`ServiceError::FailedPrecondition`] once the session or
    /// this stream ended.
    pub fn send(&self, command: StreamCommand) -> Result<(), ServiceError> {
        match command {
            StreamCommand::Video { track_id, sample } => {
                frame_received();
                self.send_video(&track_id, sample).map_err(|(reason, error)| {
                    frame_dropped(reason);
                    error
                })
            }
            StreamCommand::Audio { track_id, sequence, .. } => self.send_audio(&track_id, sequence),
            StreamCommand::UpsertTrack(track, format) => self.upsert_track(track, format),
            StreamCommand::RemoveTrack(track_id) => self.remove_track(&track_id),
        }
    }

    /// Compares a participant with a reference image from here on.
    pub(in crate::service) async fn enroll(
        &self,
        participant_id: ParticipantId,
        embedding: Embedding,
    ) -> Result<(), ServiceError> {
        let fits = {
            let mut tracks = self.shared.tracks();
            self.shared.with_interview(|interview| tracks.admit_participant(&participant_id, interview))
        };
        if fits != Some(true) {
            return Err(full("config.reference_images"));
        }
        let entry = JournalEntry::ReferenceEnrolled { participant_id, embedding };
        // A session that just ended tells its cause to the stream.
        let _ = self.session.send(Command::Journal(entry)).await;
        Ok(())
    }

    fn send_video(&self, track_id: &TrackId, sample: VideoSample) -> Result<(), Refusal> {
        let mut tracks = self.shared.tracks();
        self.check_open().map_err(|error| (DropReason::SessionEnded, error))?;
        let limit = self.services.pipeline.limits().max_sample_bytes;
        if sample.data.len() as u64 > limit {
            let problem = format!("has {} bytes, over the limit of {limit}: send smaller pictures", sample.data.len());
            return Err((DropReason::OverLimit, ServiceError::InvalidField { field: "sample.video.data", problem }));
        }
        let arrival = self.services.arrival(self.create_time);
        let entry = self.entry(&mut tracks, track_id).map_err(|error| (DropReason::Refused, error))?;
        let field = "sample.video.sequence";
        if self.is_repeated(track_id, entry, field, sample.sequence).map_err(|error| (DropReason::Repeated, error))? {
            frame_dropped(DropReason::Repeated);
            return Ok(());
        }
        entry.last_sequence = Some(sample.sequence);
        entry.queue.push_sample(sample, arrival);
        Ok(())
    }

    /// Sound is accounted for in its turn and not scored.
    fn send_audio(&self, track_id: &TrackId, sequence: u64) -> Result<(), ServiceError> {
        let mut tracks = self.shared.tracks();
        self.check_open()?;
        let entry = self.entry(&mut tracks, track_id)?;
        if !self.is_repeated(track_id, entry, "sample.audio.sequence", sequence)? {
            entry.last_sequence = Some(sequence);
            entry.queue.push_audio(sequence);
        }
        Ok(())
    }

    /// Whether a sample was accepted already from the stream that this one goes on from.
    fn is_repeated(
        &self,
        track_id: &TrackId,
        entry: &mut TrackEntry,
        field: &'static str,
        sequence: u64,
    ) -> Result<bool, ServiceError> {
        let Some(last) = entry.last_sequence.filter(|last| sequence <= *last) else { return Ok(false) };
        // What the client was told to leave out is its mistake; what was accepted since is not.
        let was_told = self.resume_from.get(track_id).is_some_and(|stored| sequence <= *stored);
        if !was_told && entry.accepted_before.is_some_and(|before| sequence <= before) {
            entry.wants_ack = true;
            return Ok(true);
        }
        let problem = format!(
            "{sequence} is not above {last}: count up on each track, and after a reconnect go on after resume_from"
        );
        Err(ServiceError::InvalidField { field, problem })
    }

    fn upsert_track(&self, track: Track, format: Option<VideoFormat>) -> Result<(), ServiceError> {
        let mut tracks = self.shared.tracks();
        self.check_open()?;
        let is_known = tracks.entries.get(&track.track_id).is_some_and(|entry| !entry.is_removed);
        if is_known {
            self.entry(&mut tracks, &track.track_id)?;
        }
        let fits = self.shared.with_interview(|interview| tracks.admit(&track, interview));
        if fits != Some(true) {
            return Err(full("track"));
        }
        if !tracks.entries.contains_key(&track.track_id) {
            self.start_track(&mut tracks, &track.track_id, None);
        }
        let Some(entry) = tracks.entries.get_mut(&track.track_id) else { return Ok(()) };
        if !entry.queue.push_change(QueueItem::Upsert(track, format)) {
            return Err(too_many_changes());
        }
        if entry.is_removed {
            entry.begin_anew(self.owner.clone());
        }
        Ok(())
    }

    fn remove_track(&self, track_id: &TrackId) -> Result<(), ServiceError> {
        let mut tracks = self.shared.tracks();
        self.check_open()?;
        let entry = self.entry(&mut tracks, track_id)?;
        if !entry.queue.push_change(QueueItem::Remove) {
            return Err(too_many_changes());
        }
        entry.is_removed = true;
        entry.n_removals += 1;
        Ok(())
    }

    /// The entry of a track that this stream feeds, or takes on: one that nobody feeds, that an earlier stream feeds which this
    /// one resumed, or that the session knows from before this server.
    fn entry<'a>(&self, tracks: &'a mut Tracks, track_id: &TrackId) -> Result<&'a mut TrackEntry, ServiceError> {
        let refused = |problem: &str| ServiceError::InvalidField { field: "track_id", problem: problem.to_owned() };
        let not_announced = || refused("not announced: name it in config.tracks or send a track_update first");
        if !tracks.entries.contains_key(track_id) {
            let known = self.shared.with_interview(|interview| interview.track(track_id).cloned()).flatten();
            self.start_track(tracks, track_id, Some(known.ok_or_else(not_announced)?));
        }
        let entry = tracks.entries.get_mut(track_id).filter(|entry| !entry.is_removed).ok_or_else(not_announced)?;
        match &entry.owner {
            Some(owner) if owner.stream == self.owner.stream => {}
            Some(owner) if !self.is_resumed || owner.stream > self.owner.stream => {
                return Err(refused(
                    "another stream feeds this track: resume with its token, or use a track_id of your own",
                ));
            }
            Some(_) | None => entry.hand_over(self.owner.clone()),
        }
        Ok(entry)
    }

    /// Makes a track's queue and worker; `known` is the track as the session knows it already.
    fn start_track(&self, tracks: &mut Tracks, track_id: &TrackId, known: Option<Track>) {
        let services = &self.services;
        let bounds = QueueBounds {
            max_bytes: services.options.max_track_queue_bytes,
            max_span: services.options.max_track_queue_span(),
        };
        let queue = Arc::new(TrackQueue::new(bounds, Arc::clone(&services.budget)));
        let last_sequence = self
            .shared
            .with_interview(|interview| {
                interview.last_sequences().find(|(known, _)| *known == track_id).map(|(_, sequence)| sequence)
            })
            .flatten();
        let pipeline = services.pipeline.clone();
        let worker = Worker::new(
            track_id.clone(),
            Arc::clone(&queue),
            services.pool.clone(),
            Arc::clone(&self.shared),
            move |format| pipeline.analyst(format),
        );
        self.shared.workers().spawn_on(worker::run(worker, known, self.session.clone()), &self.runtime);
        tracks.entries.insert(track_id.clone(), TrackEntry::new(queue, self.owner.clone(), last_sequence));
    }

    fn check_open(&self) -> Result<(), ServiceError> {
        if let Some(cause) = self.shared.closed() {
            return Err(closed_error(cause));
        }
        if self.owner.is_over.load(Ordering::Acquire) {
            return Err(closed_error(EndCause::TakenOver));
        }
        Ok(())
    }
}

fn full(field: &'static str) -> ServiceError {
    let problem = "the session has its most tracks or participants, or changed its tracks too often: remove some first";
    ServiceError::InvalidField { field, problem: problem.to_owned() }
}

const fn too_many_changes() -> ServiceError {
    let limit = MAX_CHANGES as u64;
    ServiceError::Overloaded { what: "changes of one track that wait", limit, retry_after: RETRY_AFTER }
}

/// What a client is told that sends into a session that ended.
pub(super) fn closed_error(cause: EndCause) -> ServiceError {
    match cause {
        EndCause::Finished => ServiceError::FailedPrecondition {
            what: "session".to_owned(),
            problem: "it was finished: create another session",
        },
        EndCause::Deleted => ServiceError::NotFound { what: "session".to_owned() },
        EndCause::Draining => {
            ServiceError::Unavailable { problem: "the server shuts down: reconnect with the last resume token" }
        }
        EndCause::TakenOver => ServiceError::FailedPrecondition {
            what: "session".to_owned(),
            problem: "another stream or server took it over",
        },
        EndCause::Failed => {
            ServiceError::Unavailable { problem: "the server failed on it: reconnect with the last resume token" }
        }
    }
}
