//! Which sessions are live, who watches, and what all of them share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::media::MediaTime;
use crate::scoring::Policy;
use crate::service::analysis_pool::AnalysisPool;
use crate::service::error::ServiceError;
use crate::service::evidence::Evidence;
use crate::service::options::ServiceOptions;
use crate::service::pipeline::Pipeline;
use crate::service::ports::{Clock, SessionStore};
use crate::session::{Interview, SessionName};
use crate::signals::SignalName;

use super::actor::{self, Command, MAILBOX_COMMANDS};
use super::outbox::Outbox;
use super::queue::{ByteBudget, StreamId};
use super::shared::Shared;
use super::{LiveEvent, SessionNews};

/// What a caller is told that met a session just as it left memory; the call is repeated inside.
pub(super) const JUST_LEFT: &str = "the session is changing hands: try again";
/// What a caller is told that comes while the server goes away.
pub(in crate::service) const DRAINING: &str = "the server shuts down: connect to another or later";
/// What became of sessions and was not heard yet; each may hold some vectors.
const MAX_UNHEARD_NEWS: usize = 256;
/// When to try again after a refusal.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// What all sessions share.
pub(in crate::service) struct Services {
    pub(in crate::service) store: Arc<dyn SessionStore>,
    pub(in crate::service) clock: Arc<dyn Clock>,
    pub(in crate::service) options: ServiceOptions,
    pub(in crate::service) policy: Arc<Policy>,
    pub(in crate::service) models: Arc<BTreeMap<SignalName, String>>,
    pub(in crate::service) pipeline: Pipeline,
    pub(in crate::service) pool: AnalysisPool,
    pub(in crate::service) sessions: Sessions,
    pub(in crate::service) watchers: Watchers,
    /// Where stills go; unset where none are kept.
    pub(in crate::service) evidence: OnceLock<Evidence>,
    /// Set where sessions keep what their backgrounds look like.
    pub(in crate::service) keeps_scenes: OnceLock<()>,
    news: OnceLock<mpsc::Sender<SessionNews>>,
    pub(super) budget: Arc<ByteBudget>,
    next_stream: AtomicU64,
}

impl std::fmt::Debug for Services {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Services").field("policy", &self.policy.name()).finish_non_exhaustive()
    }
}

impl Services {
    pub(in crate::service) fn new(
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
        options: ServiceOptions,
        policy: Arc<Policy>,
        pipeline: Pipeline,
    ) -> Result<Self, ServiceError> {
        let n_threads = match options.max_concurrent_analyses {
            0 => pipeline.n_places(),
            n_threads => n_threads,
        };
        let pool = AnalysisPool::start(n_threads).map_err(|error| ServiceError::Internal {
            problem: format!("cannot start {n_threads} threads that analyse frames: {error}"),
        })?;
        Ok(Self {
            store,
            clock,
            policy,
            models: Arc::new(pipeline.signal_models()),
            pool,
            pipeline,
            sessions: Sessions { live: Mutex::default(), limit: options.max_live_sessions.max(1) },
            watchers: Watchers { by_session: Mutex::default(), limit: options.max_watchers },
            evidence: OnceLock::new(),
            keeps_scenes: OnceLock::new(),
            news: OnceLock::new(),
            budget: Arc::new(ByteBudget::new(options.max_total_queue_bytes)),
            next_stream: AtomicU64::new(1),
            options,
        })
    }

    /// What becomes of sessions from here on; `None` when somebody listens already.
    pub(in crate::service) fn listen(&self) -> Option<mpsc::Receiver<SessionNews>> {
        let (news, listener) = mpsc::channel(MAX_UNHEARD_NEWS);
        self.news.set(news).is_ok().then_some(listener)
    }

    /// Tells whoever listens; what does not fit is lost, and found again by whoever looks into the store.
    pub(in crate::service) fn tell(&self, news: SessionNews) {
        if let Some(listener) = self.news.get()
            && listener.try_send(news).is_err()
        {
            tracing::debug!("what became of a session was not heard");
        }
    }

    pub(super) fn new_interview(&self) -> Interview {
        Interview::new(Arc::clone(&self.policy), Arc::clone(&self.models))
    }

    pub(super) fn next_stream(&self) -> StreamId {
        StreamId(self.next_stream.fetch_add(1, Ordering::Relaxed))
    }

    /// Bytes of samples that wait on all tracks.
    pub(in crate::service) fn queued_bytes(&self) -> u64 {
        self.budget.used()
    }

    /// Time since a session was created, for arrivals.
    pub(super) fn arrival(&self, create_time: Timestamp) -> MediaTime {
        let elapsed = self.clock.now().duration_since(create_time);
        MediaTime::from_nanos(i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// A live session's mailbox and what it shares with its inputs.
#[derive(Clone, Debug)]
pub(in crate::service) struct LiveSession {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) shared: Arc<Shared>,
}

/// What a session is brought to life for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::service) enum Purpose {
    /// To be fed: counts against the limit.
    Feed,
    /// To be ended, which must be possible on a full server.
    Finish,
}

/// The live sessions of this process.
///
/// At most `limit` are fed at one time. Those that nobody feeds stay for a while, in case their streams come back; they make
/// room when others need it. So there are never more than twice as many.
#[derive(Debug)]
pub(in crate::service) struct Sessions {
    live: Mutex<Live>,
    limit: usize,
}

#[derive(Debug, Default)]
struct Live {
    by_name: HashMap<SessionName, LiveSession>,
    is_closed: bool,
}

impl Sessions {
    /// The live session of that name, brought to life when it is not.
    pub(in crate::service) fn open(
        &self,
        name: &SessionName,
        purpose: Purpose,
        services: &Arc<Services>,
    ) -> Result<LiveSession, ServiceError> {
        let mut live = self.lock();
        if let Some(session) = live.by_name.get(name) {
            return Ok(session.clone());
        }
        if live.is_closed {
            return Err(ServiceError::Unavailable { problem: DRAINING });
        }
        live.make_room(self.limit, purpose)?;
        let (commands, mailbox) = mpsc::channel(MAILBOX_COMMANDS);
        let shared = Arc::new(Shared::default());
        let session = LiveSession { commands, shared: Arc::clone(&shared) };
        tokio::spawn(actor::run(name.clone(), Arc::clone(services), shared, mailbox));
        live.by_name.insert(name.clone(), session.clone());
        Ok(session)
    }

    /// The live session of that name, if it is.
    pub(in crate::service) fn get(&self, name: &SessionName) -> Option<LiveSession> {
        self.lock().by_name.get(name).cloned()
    }

    /// Brings no further session to life; gives back those that are.
    pub(in crate::service) fn close(&self) -> Vec<LiveSession> {
        let mut live = self.lock();
        live.is_closed = true;
        live.by_name.values().cloned().collect()
    }

    /// Whether no further session is brought to life.
    pub(in crate::service) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// How many are live.
    pub(in crate::service) fn len(&self) -> usize {
        self.lock().by_name.len()
    }

    /// Forgets a session that ends; not a successor of the same name.
    pub(super) fn remove(&self, name: &SessionName, shared: &Arc<Shared>) {
        let mut live = self.lock();
        if live.by_name.get(name).is_some_and(|session| Arc::ptr_eq(&session.shared, shared)) {
            live.by_name.remove(name);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Asks the sessions that were left alone longest to leave, as many as there are too many; refuses when too many are fed.
    fn make_room(&self, limit: usize, purpose: Purpose) -> Result<(), ServiceError> {
        if self.by_name.len() < limit {
            return Ok(());
        }
        let mut idle: Vec<_> =
            self.by_name.values().filter_map(|session| Some((session.shared.idle_since()?, session))).collect();
        let n_fed = self.by_name.len() - idle.len();
        // Those that were asked before may still be on their way out, and are the ones asked again.
        let n_too_many = self.by_name.len() + 1 - limit;
        idle.sort_by_key(|(since, _)| *since);
        for (_, session) in idle.into_iter().take(n_too_many) {
            // A full mailbox is one of a session that has work and stays.
            let _ = session.commands.try_send(Command::MakeRoom);
        }
        let is_full = (purpose == Purpose::Feed && n_fed >= limit) || self.by_name.len() >= limit * 2;
        if is_full {
            let limit = limit as u64;
            return Err(ServiceError::Overloaded { what: "live sessions", limit, retry_after: RETRY_AFTER });
        }
        Ok(())
    }
}

/// Who follows which session, whether it is live or not.
#[derive(Debug)]
pub(in crate::service) struct Watchers {
    by_session: Mutex<HashMap<SessionName, Vec<Outbox>>>,
    limit: usize,
}

impl Watchers {
    /// Adds a watcher; gives back its events.
    pub(in crate::service) fn add(&self, name: &SessionName) -> Result<mpsc::Receiver<LiveEvent>, ServiceError> {
        let mut by_session = self.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        by_session.values_mut().for_each(|watchers| watchers.retain(|watcher| !watcher.is_done()));
        by_session.retain(|_, watchers| !watchers.is_empty());
        if by_session.values().map(Vec::len).sum::<usize>() >= self.limit {
            let limit = self.limit as u64;
            return Err(ServiceError::Overloaded { what: "watchers", limit, retry_after: RETRY_AFTER });
        }
        let (outbox, events) = Outbox::new(None);
        by_session.entry(name.clone()).or_default().push(outbox);
        Ok(events)
    }

    /// Tells an event to a session's watchers.
    pub(in crate::service) fn publish(&self, name: &SessionName, event: &LiveEvent) {
        let mut by_session = self.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watchers) = by_session.get_mut(name) else { return };
        for watcher in watchers.iter_mut() {
            watcher.push(event.clone());
        }
        watchers.retain(|watcher| !watcher.is_done());
        if watchers.is_empty() {
            by_session.remove(name);
        }
    }

    /// Hands over what waits for a session's watchers, after one of them took something.
    pub(in crate::service) fn flush(&self, name: &SessionName) {
        let mut by_session = self.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watchers) = by_session.get_mut(name) else { return };
        watchers.iter_mut().for_each(Outbox::flush);
        watchers.retain(|watcher| !watcher.is_done());
        if watchers.is_empty() {
            by_session.remove(name);
        }
    }

    /// How many there are.
    pub(in crate::service) fn len(&self) -> usize {
        self.by_session.lock().unwrap_or_else(PoisonError::into_inner).values().map(Vec::len).sum()
    }

    /// The sessions that somebody follows.
    pub(in crate::service) fn followed(&self) -> Vec<SessionName> {
        self.by_session.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Tells an event to everybody.
    pub(in crate::service) fn publish_to_all(&self, event: &LiveEvent) {
        for name in self.followed() {
            self.publish(&name, event);
        }
    }
}
