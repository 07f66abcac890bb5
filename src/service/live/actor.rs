//! One live session: applies what workers measured, makes it durable, then tells streams and watchers.

mod durable;
mod ending;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::scoring::Score;
use crate::service::error::ServiceError;
use crate::service::ports::SessionRecord;
use crate::service::views::SessionView;
use crate::session::{Interview, JournalEntry, ParticipantId, Segment, SessionEvent, SessionId, TrackId, Urgency};
use crate::signals::FrameObservation;

use super::outbox::Outbox;
use super::queue::{QueueItem, StreamId, TrackQueue};
use super::registry::Services;
use super::worker::{self, Analysis};
use super::{EndCause, LiveEvent, SampleProblem, token};

/// Commands that wait for the session; workers are held back past it.
pub(super) const MAILBOX_COMMANDS: usize = 128;
/// Commands applied before the store is written again.
const MAX_COMMANDS_A_ROUND: usize = 64;

/// What a session is told.
#[derive(Debug)]
pub(super) enum Command {
    /// A stream begins. The reply carries where to go on.
    Attach { stream: StreamId, outbox: Outbox, resume_token: Option<String>, reply: Reply<Attached> },
    /// A stream's client sends no more.
    InputEnded(StreamId),
    /// A new track's queue needs a worker.
    Work { track_id: TrackId, queue: Arc<TrackQueue> },
    /// An entry for the journal.
    Journal(JournalEntry),
    /// A sample was analysed.
    Observed { track_id: TrackId, sequence: u64, observations: Vec<FrameObservation> },
    /// A sample was skipped, rightly.
    Accounted { track_id: TrackId, sequence: u64 },
    /// A sample could not be used.
    Problem(SampleProblem),
    /// A track ended.
    TrackEnded(TrackId),
    /// All that a stream sent on a track was analysed.
    Flushed { track_id: TrackId, stream: StreamId },
    /// The session ends.
    Finish(Reply<SessionView>),
    /// The session is deleted: nothing more is stored.
    Delete(Reply<()>),
    /// The server goes away.
    Drain,
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, ServiceError>>;

/// What an accepted stream is told first.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) resume_token: String,
    pub(super) resume_from: Vec<(TrackId, u64)>,
    pub(super) record: SessionRecord,
}

/// What inputs, workers and the session share. Locked for moments only.
#[derive(Debug)]
pub(super) struct Shared {
    interview: Mutex<Option<Interview>>,
    pub(super) tracks: Mutex<HashMap<TrackId, TrackEntry>>,
    pub(super) closed: Mutex<Option<EndCause>>,
}

/// A track's queue and who may feed it.
#[derive(Debug)]
pub(super) struct TrackEntry {
    pub(super) queue: Arc<TrackQueue>,
    pub(super) owner: StreamId,
    pub(super) last_sequence: Option<u64>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self { interview: Mutex::new(None), tracks: Mutex::default(), closed: Mutex::new(None) }
    }

    pub(super) fn urgency(&self, track_id: &TrackId) -> Urgency {
        self.with_interview(|interview| interview.urgency(track_id)).unwrap_or_default()
    }

    /// Runs something on the interview; `None` before it was loaded.
    pub(super) fn with_interview<T>(&self, run: impl FnOnce(&mut Interview) -> T) -> Option<T> {
        self.interview.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(run)
    }

    pub(super) fn tracks(&self) -> std::sync::MutexGuard<'_, HashMap<TrackId, TrackEntry>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn closed(&self) -> Option<EndCause> {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, cause: EndCause) {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(cause);
    }
}

#[derive(Debug)]
struct StreamState {
    outbox: Outbox,
    /// Tracks whose queues must still be emptied; `None` while the client may send.
    unflushed: Option<HashSet<TrackId>>,
}

#[derive(Debug)]
struct Closing {
    cause: EndCause,
    deadline: Instant,
    waiting: HashSet<TrackId>,
    replies: Vec<Reply<SessionView>>,
}

/// A running session.
pub(super) struct Session {
    record: SessionRecord,
    services: Arc<Services>,
    shared: Arc<Shared>,
    mailbox: mpsc::Receiver<Command>,
    sender: mpsc::WeakSender<Command>,
    workers: JoinSet<()>,
    streams: BTreeMap<StreamId, StreamState>,
    journal: Vec<JournalEntry>,
    scores: Vec<(ParticipantId, Score)>,
    segments: BTreeMap<u32, Segment>,
    events: Vec<SessionEvent>,
    problems: Vec<SampleProblem>,
    progress: HashMap<TrackId, u64>,
    told_progress: HashMap<TrackId, u64>,
    last_commit: Instant,
    failing_since: Option<Instant>,
    idle_since: Option<Instant>,
    closing: Option<Closing>,
}

/// Loads a session and runs it until it ends, is idle or fails.
pub(super) async fn run(
    id: SessionId,
    services: Arc<Services>,
    shared: Arc<Shared>,
    mut mailbox: mpsc::Receiver<Command>,
    sender: mpsc::WeakSender<Command>,
) {
    let loaded = load(&id, &services).await;
    let (record, interview) = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            services.sessions.remove(&id, &shared);
            refuse_all(&mut mailbox, &id, error);
            return;
        }
    };
    *shared.interview.lock().unwrap_or_else(PoisonError::into_inner) = Some(interview);
    let session = Session {
        record,
        services,
        shared,
        mailbox,
        sender,
        workers: JoinSet::new(),
        streams: BTreeMap::new(),
        journal: Vec::new(),
        scores: Vec::new(),
        segments: BTreeMap::new(),
        events: Vec::new(),
        problems: Vec::new(),
        progress: HashMap::new(),
        told_progress: HashMap::new(),
        last_commit: Instant::now(),
        failing_since: None,
        idle_since: Some(Instant::now()),
        closing: None,
    };
    session.run().await;
}

async fn load(id: &SessionId, services: &Services) -> Result<(SessionRecord, Interview), ServiceError> {
    let record = services.store.get(id).await?;
    let mut interview = services.new_interview();
    if record.journal_len > 0 {
        for entry in services.store.journal(id).await? {
            interview.apply(&entry);
        }
    }
    Ok((record, interview))
}

fn refuse_all(mailbox: &mut mpsc::Receiver<Command>, id: &SessionId, error: ServiceError) {
    mailbox.close();
    let mut error = Some(error);
    let mut next_error = || error.take().unwrap_or_else(|| ServiceError::NotFound { what: format!("sessions/{id}") });
    while let Ok(command) = mailbox.try_recv() {
        match command {
            Command::Attach { reply, .. } => drop(reply.send(Err(next_error()))),
            Command::Finish(reply) => drop(reply.send(Err(next_error()))),
            Command::Delete(reply) => drop(reply.send(Ok(()))),
            _ => {}
        }
    }
}

impl Session {
    async fn run(mut self) {
        let mut tick = tokio::time::interval(self.services.options.commit_interval());
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
                _ = tick.tick() => {}
                Some(_) = self.workers.join_next() => {}
            }
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
        match command {
            Command::Attach { stream, outbox, resume_token, reply } => {
                self.attach(stream, outbox, resume_token.as_deref(), reply);
            }
            Command::InputEnded(stream) => self.end_input(stream),
            Command::Work { track_id, queue } => self.start_worker(track_id, queue),
            Command::Journal(entry) => self.apply(entry),
            Command::Observed { track_id, sequence, observations } => {
                for observation in observations {
                    self.apply(JournalEntry::Frame { track_id: track_id.clone(), observation });
                }
                self.progress.insert(track_id, sequence);
            }
            Command::Accounted { track_id, sequence } => {
                self.progress.insert(track_id, sequence);
            }
            Command::Problem(problem) => {
                self.progress.insert(problem.track_id.clone(), problem.sequence);
                self.problems.push(problem);
            }
            Command::TrackEnded(track_id) => {
                if let Some(entry) = self.shared.tracks().remove(&track_id) {
                    entry.queue.close();
                }
                self.note_flushed(&track_id, None);
                self.apply(JournalEntry::TrackRemoved(track_id));
            }
            Command::Flushed { track_id, stream } => self.note_flushed(&track_id, Some(stream)),
            Command::Finish(reply) => self.begin_closing(EndCause::Finished, Some(reply)),
            Command::Drain => self.begin_closing(EndCause::Draining, None),
            Command::Delete(reply) => {
                self.shared.close(EndCause::Deleted);
                let closing = Closing {
                    cause: EndCause::Deleted,
                    deadline: Instant::now(),
                    waiting: HashSet::new(),
                    replies: Vec::new(),
                };
                self.closing = Some(closing);
                self.journal.clear();
                let _ = reply.send(Ok(()));
            }
        }
    }

    fn apply(&mut self, entry: JournalEntry) {
        let events = self.shared.with_interview(|interview| interview.apply(&entry)).unwrap_or_default();
        self.journal.push(entry);
        for event in events {
            match &event {
                SessionEvent::Score { participant_id, score } => {
                    self.scores.push((participant_id.clone(), score.clone()));
                }
                SessionEvent::Segment { segment, .. } => {
                    self.segments.insert(segment.ordinal, segment.clone());
                }
                SessionEvent::Pacing(_) => {}
            }
            self.events.push(event);
        }
    }

    fn attach(&mut self, stream: StreamId, outbox: Outbox, resume_token: Option<&str>, reply: Reply<Attached>) {
        let answer = self.admit(resume_token);
        if answer.is_ok() {
            if resume_token.is_some() {
                self.take_over();
            }
            self.streams.insert(stream, StreamState { outbox, unflushed: None });
            self.idle_since = None;
        }
        if reply.send(answer).is_err() {
            self.streams.remove(&stream);
        }
    }

    fn admit(&self, resume_token: Option<&str>) -> Result<Attached, ServiceError> {
        if self.record.end_time.is_some() || self.closing.is_some() {
            return Err(ServiceError::FailedPrecondition {
                what: format!("sessions/{}", self.record.id),
                problem: "it is finished: create another session",
            });
        }
        if let Some(token) = resume_token {
            token::check(token, &self.record)?;
        }
        let limit = self.services.options.max_streams_per_session;
        if resume_token.is_none() && self.streams.len() >= limit {
            return Err(ServiceError::Overloaded {
                what: "streams of one session",
                limit: limit as u64,
                retry_after: Duration::from_secs(5),
            });
        }
        let resume_from = self.shared.with_interview(|interview| {
            interview.last_sequences().map(|(track_id, sequence)| (track_id.clone(), sequence)).collect()
        });
        Ok(Attached {
            resume_token: self.resume_token(),
            resume_from: resume_from.unwrap_or_default(),
            record: self.record.clone(),
        })
    }

    /// A resuming client replaces all streams before it: their connections are broken or about to be.
    fn take_over(&mut self) {
        for state in self.streams.values_mut() {
            state.outbox.push(LiveEvent::Ended(Some(EndCause::TakenOver)));
        }
        self.shared.tracks().values_mut().for_each(|entry| entry.owner = StreamId(0));
    }

    fn end_input(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else { return };
        let tracks = self.shared.tracks();
        let owned = tracks.iter().filter(|(_, entry)| entry.owner == stream);
        let unflushed: HashSet<TrackId> = owned
            .map(|(track_id, entry)| {
                entry.queue.push(QueueItem::Flush(stream));
                track_id.clone()
            })
            .collect();
        state.unflushed = Some(unflushed);
    }

    fn start_worker(&mut self, track_id: TrackId, queue: Arc<TrackQueue>) {
        let Some(sender) = self.sender.upgrade() else { return };
        let analysis = Analysis { pipeline: self.services.pipeline.clone(), pool: self.services.pool.clone() };
        self.workers.spawn(worker::run(track_id, queue, analysis, Arc::clone(&self.shared), sender));
    }

    fn note_flushed(&mut self, track_id: &TrackId, stream: Option<StreamId>) {
        for (id, state) in &mut self.streams {
            if stream.is_none_or(|stream| stream == *id)
                && let Some(unflushed) = &mut state.unflushed
            {
                unflushed.remove(track_id);
            }
        }
        if stream.is_none_or(|stream| stream == StreamId(0))
            && let Some(closing) = &mut self.closing
        {
            closing.waiting.remove(track_id);
        }
    }

    /// Ends streams whose input is flushed and stored; forgets those that nobody reads.
    fn tend_streams(&mut self) {
        let is_stored = self.journal.is_empty() && !self.has_untold_progress();
        for state in self.streams.values_mut() {
            if is_stored && state.unflushed.as_ref().is_some_and(HashSet::is_empty) {
                state.outbox.push(LiveEvent::Ended(None));
            }
            state.outbox.flush();
        }
        let mut tracks = self.shared.tracks();
        self.streams.retain(|id, state| {
            let is_done = state.outbox.is_done();
            if is_done {
                tracks.values_mut().filter(|entry| entry.owner == *id).for_each(|entry| entry.owner = StreamId(0));
            }
            !is_done
        });
        drop(tracks);
        if self.streams.is_empty() {
            self.idle_since.get_or_insert_with(Instant::now);
        } else {
            self.idle_since = None;
        }
    }

    fn resume_token(&self) -> String {
        token::issue(&self.record.id, self.record.journal_len, &self.record.resume_secret)
    }
}
