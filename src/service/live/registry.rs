//! Which sessions are live, who watches, and what all of them share.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::media::MediaTime;
use crate::scoring::Policy;
use crate::service::error::ServiceError;
use crate::service::options::ServiceOptions;
use crate::service::pipeline::{AnalysisPool, Pipeline};
use crate::service::ports::{Clock, SessionStore};
use crate::session::{Interview, SessionId};
use crate::signals::SignalName;

use super::LiveEvent;
use super::actor::{self, Command, MAILBOX_COMMANDS, Shared};
use super::outbox::Outbox;
use super::queue::{ByteBudget, StreamId};

/// What a caller is told that met a session just as it left memory; the call is repeated inside.
pub(super) const JUST_LEFT: &str = "the session is changing hands: try again";
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
    pub(in crate::service) is_draining: AtomicBool,
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
    ) -> Self {
        Self {
            store,
            clock,
            policy,
            models: Arc::new(pipeline.signal_models()),
            pool: AnalysisPool::new(options.max_concurrent_analyses),
            pipeline,
            sessions: Sessions { live: Mutex::default(), limit: options.max_live_sessions },
            watchers: Watchers { by_session: Mutex::default(), limit: options.max_watchers },
            is_draining: AtomicBool::new(false),
            budget: Arc::new(ByteBudget::new(options.max_total_queue_bytes)),
            next_stream: AtomicU64::new(1),
            options,
        }
    }

    pub(super) fn new_interview(&self) -> Interview {
        Interview::new(Arc::clone(&self.policy), Arc::clone(&self.models))
    }

    pub(super) fn next_stream(&self) -> StreamId {
        StreamId(self.next_stream.fetch_add(1, Ordering::Relaxed))
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

/// The live sessions of this process.
#[derive(Debug)]
pub(in crate::service) struct Sessions {
    live: Mutex<HashMap<SessionId, LiveSession>>,
    limit: usize,
}

impl Sessions {
    /// The live session of that id, brought to life when it is not.
    pub(in crate::service) fn open(
        &self,
        id: &SessionId,
        services: &Arc<Services>,
    ) -> Result<LiveSession, ServiceError> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = live.get(id) {
            return Ok(session.clone());
        }
        if live.len() >= self.limit {
            let limit = self.limit as u64;
            return Err(ServiceError::Overloaded { what: "live sessions", limit, retry_after: RETRY_AFTER });
        }
        let (commands, mailbox) = mpsc::channel(MAILBOX_COMMANDS);
        let shared = Arc::new(Shared::new());
        let session = LiveSession { commands, shared: Arc::clone(&shared) };
        let sender = session.commands.downgrade();
        tokio::spawn(actor::run(id.clone(), Arc::clone(services), shared, mailbox, sender));
        live.insert(id.clone(), session.clone());
        Ok(session)
    }

    /// The live session of that id, if it is.
    pub(in crate::service) fn get(&self, id: &SessionId) -> Option<LiveSession> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All live sessions.
    pub(in crate::service) fn all(&self) -> Vec<LiveSession> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many are live.
    pub(in crate::service) fn len(&self) -> usize {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Forgets a session that ends; not a successor of the same id.
    pub(super) fn remove(&self, id: &SessionId, shared: &Arc<Shared>) {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if live.get(id).is_some_and(|session| Arc::ptr_eq(&session.shared, shared)) {
            live.remove(id);
        }
    }
}

/// Who follows which session, whether it is live or not.
#[derive(Debug)]
pub(in crate::service) struct Watchers {
    by_session: Mutex<HashMap<SessionId, Vec<Outbox>>>,
    limit: usize,
}

impl Watchers {
    /// Adds a watcher; gives back its events.
    pub(in crate::service) fn add(&self, id: &SessionId) -> Result<mpsc::Receiver<LiveEvent>, ServiceError> {
        let mut by_session = self.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        by_session.values_mut().for_each(|watchers| watchers.retain(|watcher| !watcher.is_done()));
        by_session.retain(|_, watchers| !watchers.is_empty());
        if by_session.values().map(Vec::len).sum::<usize>() >= self.limit {
            let limit = self.limit as u64;
            return Err(ServiceError::Overloaded { what: "watchers", limit, retry_after: RETRY_AFTER });
        }
        let (outbox, events) = Outbox::new(None);
        by_session.entry(id.clone()).or_default().push(outbox);
        Ok(events)
    }

    /// Tells an event to a session's watchers.
    pub(in crate::service) fn publish(&self, id: &SessionId, event: &LiveEvent) {
        let mut by_session = self.by_session.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(watchers) = by_session.get_mut(id) else { return };
        for watcher in watchers.iter_mut() {
            watcher.push(event.clone());
        }
        watchers.retain(|watcher| !watcher.is_done());
        if watchers.is_empty() {
            by_session.remove(id);
        }
    }

    /// Tells an event to everybody.
    pub(in crate::service) fn publish_to_all(&self, event: &LiveEvent) {
        let ids: Vec<SessionId> =
            self.by_session.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        for id in ids {
            self.publish(&id, event);
        }
    }
}
