//! One live session: applies what workers measured, makes it durable, then tells streams and watchers.

mod durable;
mod ending;
mod stills;
mod streams;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::audit::Event;
use crate::scoring::Score;
use crate::service::analyst::{FrameTiming, SceneLook};
use crate::service::error::ServiceError;
use crate::service::evidence::Shot;
use crate::service::ports::SessionRecord;
use crate::service::views::SessionView;
use crate::session::{Interview, JournalEntry, ParticipantId, Segment, SessionEvent, SessionName, TrackId};
use crate::signals::FrameObservation;
use crate::telemetry::metrics::{GaugeGuard, Stage, live_session, stage_took};

use super::outbox::Outbox;
use super::queue::StreamId;
use super::registry::{JUST_LEFT, Services};
use super::shared::Shared;
use super::{EndCause, SampleProblem};

use self::stills::StillsToKeep;

/// Commands that wait for the session; workers are held back past it.
pub(super) const MAILBOX_COMMANDS: usize = 128;
/// Commands applied before the store is written again.
const MAX_COMMANDS_A_ROUND: usize = 64;
/// Problems of single samples that wait to be told; older ones are dropped, their samples stay accounted for.
const MAX_UNTOLD_PROBLEMS: usize = 256;
/// How often a session looks at what no command tells it.
const LONGEST_TICK: Duration = Duration::from_millis(250);

/// How far a track is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Highest sequence that is done with.
    pub(super) sequence: u64,
    /// How long that one took, if it was analysed.
    pub(super) timing: Option<FrameTiming>,
}

/// What a session is told.
#[derive(Debug)]
pub(super) enum Command {
    /// A stream begins. The reply carries where to go on.
    Attach { stream: StreamId, outbox: Outbox, resume_token: Option<String>, reply: Reply<Attached> },
    /// A stream's client sends no more.
    InputEnded(StreamId),
    /// An entry for the journal.
    Journal(JournalEntry),
    /// A sample was analysed.
    Observed {
        track_id: TrackId,
        progress: Progress,
        observations: Vec<FrameObservation>,
        stills: Vec<Shot>,
        scenes: Vec<SceneLook>,
    },
    /// A sample was skipped, rightly.
    Accounted { track_id: TrackId, sequence: u64 },
    /// A sample could not be used.
    Problem(SampleProblem),
    /// A track ended.
    TrackEnded(TrackId),
    /// All that a stream, or anybody, sent on a track was analysed.
    Flushed { track_id: TrackId, stream: Option<StreamId> },
    /// The session ends; with who asked.
    Finish(Reply<SessionView>, Event),
    /// The session is deleted: nothing more is stored.
    Delete(Reply<()>),
    /// The server goes away, at the latest then.
    Drain(Instant),
    /// Others need the place of a session that nobody feeds.
    MakeRoom,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, ServiceError>>;

/// What an accepted stream is told first.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) resume_token: String,
    pub(super) resume_from: Vec<(TrackId, u64)>,
    pub(super) record: SessionRecord,
    /// Raised when the stream may not send any more.
    pub(super) is_over: Arc<AtomicBool>,
}

#[derive(Debug)]
struct StreamState {
    outbox: Outbox,
    is_over: Arc<AtomicBool>,
    /// Tracks whose queues must still be emptied; `None` while the client may send.
    unflushed: Option<HashSet<TrackId>>,
}

#[derive(Debug)]
struct Closing {
    cause: EndCause,
    deadline: Instant,
    waiting: HashSet<TrackId>,
    replies: Vec<Reply<SessionView>>,
    /// Who asked, for the audit log.
    audit: Option<Event>,
}

/// A running session.
struct Session {
    registration: Registration,
    record: SessionRecord,
    mailbox: mpsc::Receiver<Command>,
    streams: BTreeMap<StreamId, StreamState>,
    /// Not stored yet.
    journal: Vec<JournalEntry>,
    scores: Vec<(ParticipantId, Score)>,
    segments: BTreeMap<u32, Segment>,
    events: Vec<SessionEvent>,
    problems: Vec<SampleProblem>,
    stills: StillsToKeep,
    /// Highest sequence that is done with, of tracks where that changed since it was told.
    accounted: HashMap<TrackId, Progress>,
    /// Tracks that ended since it was told, with their last sequence.
    ended_tracks: Vec<(TrackId, Option<Progress>)>,
    /// Highest stored sequence of each track.
    stored: HashMap<TrackId, u64>,
    last_commit: Instant,
    failing_since: Option<Instant>,
    /// When the session ended, from the moment at which its last entry is in the journal.
    end_time: Option<jiff::Timestamp>,
    closing: Option<Closing>,
    must_make_room: bool,
}

/// A session's place among the live ones. It is given up however the session's task ends, so that a defect in it costs its
/// streams and no more: they resume, and the session is loaded again.
struct Registration {
    name: SessionName,
    services: Arc<Services>,
    shared: Arc<Shared>,
    _gauge: GaugeGuard,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.services.sessions.remove(&self.name, &self.shared);
        self.shared.close_queues(EndCause::Failed);
    }
}

/// Loads a session and runs it until it ends, is idle or fails.
pub(super) async fn run(
    name: SessionName,
    services: Arc<Services>,
    shared: Arc<Shared>,
    mut mailbox: mpsc::Receiver<Command>,
) {
    let registration = Registration { name, services, shared, _gauge: live_session() };
    let (record, interview) = match load(&registration.name, &registration.services).await {
        Ok(loaded) => loaded,
        Err(error) => {
            drop(registration);
            refuse_all(&mut mailbox, error);
            return;
        }
    };
    let stored = interview.last_sequences().map(|(track_id, sequence)| (track_id.clone(), sequence)).collect();
    registration.shared.set_interview(interview);
    registration.shared.prepare_stills(&registration.services, &record).await;
    if registration.services.keeps_scenes.get().is_some() && !record.consent_reference.trim().is_empty() {
        registration.shared.keep_scenes();
    }
    let session = Session {
        registration,
        record,
        mailbox,
        streams: BTreeMap::new(),
        journal: Vec::new(),
        scores: Vec::new(),
        segments: BTreeMap::new(),
        events: Vec::new(),
        problems: Vec::new(),
        stills: StillsToKeep::default(),
        accounted: HashMap::new(),
        ended_tracks: Vec::new(),
        stored,
        last_commit: Instant::now(),
        failing_since: None,
        end_time: None,
        closing: None,
        must_make_room: false,
    };
    session.run().await;
}

async fn load(name: &SessionName, services: &Services) -> Result<(SessionRecord, Interview), ServiceError> {
    let record = services.store.get(name).await?;
    let mut interview = services.new_interview();
    if record.journal_len == 0 {
        return Ok((record, interview));
    }
    let journal = services.store.journal(name).await?;
    // Hours of interview take seconds to replay.
    let replayed = tokio::task::spawn_blocking(move || {
        for entry in &journal {
            interview.apply(entry);
        }
        interview
    });
    let interview = replayed.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() })?;
    Ok((record, interview))
}

/// Answers what waits for a session that could not be loaded: the first with the cause, the others may try for themselves.
fn refuse_all(mailbox: &mut mpsc::Receiver<Command>, error: ServiceError) {
    mailbox.close();
    let mut error = Some(error);
    while let Ok(command) = mailbox.try_recv() {
        refuse(command, || error.take().unwrap_or(ServiceError::Unavailable { problem: JUST_LEFT }));
    }
}

/// Answers a command that came too late.
fn refuse(command: Command, error: impl FnOnce() -> ServiceError) {
    match command {
        Command::Attach { reply, .. } => drop(reply.send(Err(error()))),
        Command::Finish(reply, _) => drop(reply.send(Err(error()))),
        Command::Delete(reply) => drop(reply.send(Ok(()))),
        Command::InputEnded(_)
        | Command::Journal(_)
        | Command::Observed { .. }
        | Command::Accounted { .. }
        | Command::Problem(_)
        | Command::TrackEnded(_)
        | Command::Flushed { .. }
        | Command::Drain(_)
        | Command::MakeRoom => {}
    }
}

impl Session {
    fn services(&self) -> &Services {
        &self.registration.services
    }

    fn shared(&self) -> &Shared {
        &self.registration.shared
    }

    async fn run(mut self) {
        let mut tick = tokio::time::interval(self.services().options.commit_interval().min(LONGEST_TICK));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = self.mailbox.recv() => {
                    let Some(command) = command else { break };
                    self.take(command);
                    for _ in 1..MAX_COMMANDS_A_ROUND {
                        let Ok(command) = self.mailbox.try_recv() else { break };
                        self.take(command);
                    }
                }
                _ = tick.tick() => self.check_workers(),
                kept = self.stills.next_kept() => self.note_kept(kept),
            }
            self.keep_stills();
            if self.is_commit_due() {
                self.commit().await;
            }
            self.tend_streams();
            if self.is_over().await {
                break;
            }
        }
        self.farewell().await;
    }

    fn take(&mut self, command: Command) {
        if self.closing.as_ref().is_some_and(|closing| closing.cause.is_final()) {
            refuse(command, || ServiceError::Unavailable { problem: JUST_LEFT });
            return;
        }
        match command {
            Command::Attach { stream, outbox, resume_token, reply } => {
                self.attach(stream, outbox, resume_token.as_deref(), reply);
            }
            Command::InputEnded(stream) => self.end_input(stream),
            Command::Journal(_) | Command::Observed { .. } | Command::Accounted { .. } | Command::Problem(_)
                if self.is_ended() => {}
            Command::Journal(entry) => self.take_entry(entry),
            Command::Observed { track_id, progress, observations, stills, scenes } => {
                let mut stills = stills.into_iter().peekable();
                for observation in observations {
                    if let Some(shot) = stills.next_if(|shot| shot.look.at == observation.media_time) {
                        self.offer_still(&track_id, shot);
                    }
                    let began = Instant::now();
                    self.apply(JournalEntry::Frame { track_id: track_id.clone(), observation });
                    stage_took(Stage::Score, began.elapsed());
                }
                for SceneLook { at, reading } in scenes {
                    self.apply(JournalEntry::Scene { track_id: track_id.clone(), at, reading });
                }
                self.accounted.insert(track_id, progress);
            }
            Command::Accounted { track_id, sequence } => {
                self.accounted.insert(track_id, Progress { sequence, timing: None });
            }
            Command::Problem(problem) => {
                let progress = Progress { sequence: problem.sequence, timing: None };
                self.accounted.insert(problem.track_id.clone(), progress);
                if self.problems.len() >= MAX_UNTOLD_PROBLEMS {
                    self.problems.remove(0);
                }
                self.problems.push(problem);
            }
            Command::TrackEnded(track_id) => {
                let last = self.accounted.remove(&track_id);
                self.apply(JournalEntry::TrackRemoved(track_id.clone()));
                self.ended_tracks.push((track_id, last));
            }
            Command::Flushed { track_id, stream: Some(stream) } => self.note_flushed(&track_id, Some(stream)),
            Command::Flushed { track_id, stream: None } => {
                if let Some(closing) = &mut self.closing {
                    closing.waiting.remove(&track_id);
                }
            }
            Command::Finish(reply, audit) => self.begin_closing(EndCause::Finished, None, Some(reply), Some(audit)),
            Command::Drain(deadline) => self.begin_closing(EndCause::Draining, Some(deadline), None, None),
            Command::Delete(reply) => {
                self.end_now(EndCause::Deleted);
                let _ = reply.send(Ok(()));
            }
            Command::MakeRoom => self.must_make_room = true,
        }
    }

    /// Takes an entry of a client's; one that says nothing new leaves no trace but the cadence that its sender is told.
    fn take_entry(&mut self, entry: JournalEntry) {
        if let JournalEntry::TrackUpserted(track) = &entry {
            let known = |interview: &mut Interview| {
                (interview.track(&track.track_id) == Some(track)).then(|| interview.wanted_pacing(&track.track_id))
            };
            if let Some(pacing) = self.shared().with_interview(known).flatten() {
                self.events.extend(pacing.map(SessionEvent::Pacing));
                return;
            }
        }
        self.apply(entry);
    }

    /// Whether the last entry of the session is in its journal.
    const fn is_ended(&self) -> bool {
        self.end_time.is_some() || self.record.end_time.is_some()
    }

    fn apply(&mut self, entry: JournalEntry) {
        if self.is_ended() {
            return;
        }
        let events = self.shared().with_interview(|interview| interview.apply(&entry)).unwrap_or_default();
        self.journal.push(entry);
        for event in events {
            match &event {
                SessionEvent::Score { participant_id, score } => {
                    self.scores.push((participant_id.clone(), score.clone()));
                }
                SessionEvent::Segment { segment, change } => {
                    self.registration.shared.with_stills(|stills| stills.desk.note(*change, segment));
                    self.segments.insert(segment.ordinal, segment.clone());
                }
                SessionEvent::Pacing(_) => {}
            }
            self.events.push(event);
        }
    }

    /// A worker that ended by a panic leaves its track without anybody: the session ends, and its streams resume it.
    fn check_workers(&mut self) {
        let mut has_panicked = false;
        let mut workers = self.registration.shared.workers();
        while let Some(ended) = workers.try_join_next() {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(
                    session.id = %self.record.name,
                    error = &error as &dyn std::error::Error,
                    "a track's worker failed; the session is loaded again when its streams resume"
                );
                has_panicked = true;
            }
        }
        drop(workers);
        if has_panicked {
            self.end_now(EndCause::Failed);
        }
    }
}
