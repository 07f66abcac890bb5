//! Session use cases: create, get, list, update, finish, delete, segments, and the doors to live streams.

mod feeding;
pub(super) mod fields;
mod looking;
mod watching;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::audit::{Action, Event};
use crate::scoring::Policy;
use crate::session::{CandidateId, EvidenceMode, SessionId};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use self::fields::{check_labels, check_text, parse_etag};
use super::caller::{Attempt, Caller, Permission, permit};
use super::error::ServiceError;
use super::evidence::Evidence;
use super::live::{self, EndCause, LiveEvent, Purpose, Services, SessionNews};
use super::options::ServiceOptions;
use super::pipeline::Pipeline;
use super::ports::{Clock, Page, ReviewSummary, SessionPatch, SessionQuery, SessionRecord, SessionStore};
use super::views::{SegmentView, SessionView};

/// Largest page.
const MAX_PAGE_SIZE: u32 = 1_000;
/// Times that a call is repeated that met a session leaving memory.
const MAX_REPEATS: usize = 5;
/// Sessions deleted in one sweep.
const MAX_SWEPT: u64 = 500;
/// Sessions deleted in one transaction: each is read once more for its tombstone, and other writes wait meanwhile.
const SWEPT_AT_ONCE: u32 = 20;
/// Share of a shutdown's time in which samples that were accepted are still analysed.
const DRAIN_ANALYSIS_RATIO: f64 = 0.6;
/// Seconds in a day.
const DAY_SECS: i64 = 86_400;

/// What a caller gives to create a session.
#[derive(Clone, Debug, Default)]
pub struct NewSession {
    /// Chosen by the caller; `None` = made by the service.
    pub id: Option<SessionId>,
    /// For people.
    pub display_name: String,
    /// The caller's own reference.
    pub external_ref: String,
    /// Who is interviewed, by the caller's own id.
    pub candidate: Option<CandidateId>,
    /// Whether stills are kept; `None` = as the operator wants it.
    pub evidence: Option<EvidenceMode>,
    /// Where consent is filed; required unless the operator switched the check off.
    pub consent_reference: String,
    /// The caller's own labels.
    pub labels: BTreeMap<String, String>,
    /// When it shall be deleted; `None` = the operator's retention.
    pub expire_time: Option<Timestamp>,
    /// Makes repeated calls give back the first call's session.
    pub request_id: Option<String>,
}

/// The use cases of interviews, live and stored. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Interviews {
    pub(super) services: Arc<Services>,
}

impl Interviews {
    /// Puts the use cases together and starts the threads that analyse frames.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when the operating system starts no thread.
    pub fn start(
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
        pipeline: Pipeline,
        policy: Arc<Policy>,
        options: ServiceOptions,
    ) -> Result<Self, ServiceError> {
        Ok(Self { services: Arc::new(Services::new(store, clock, options, policy, pipeline)?) })
    }

    /// The same, keeping stills of the sessions that may have them. To be said once, before the first session.
    #[must_use]
    pub fn keeping(self, evidence: Evidence) -> Self {
        // A second word changes nothing: one folder for all sessions of a server.
        let _first = self.services.evidence.set(evidence);
        self
    }

    /// The same, with descriptions of what is behind the participants, of sessions that name a consent. As [`Interviews::keeping`].
    #[must_use]
    pub fn keeping_scenes(self) -> Self {
        let _first = self.services.keeps_scenes.set(());
        self
    }

    /// Creates a session.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`], [`ServiceError::AlreadyExists`], [`ServiceError::Store`].
    pub async fn create(&self, caller: &Caller, new: NewSession) -> Result<SessionView, ServiceError> {
        self.permit(caller, Permission::WriteSessions, Action::SessionCreate, None).await?;
        Ok(self.create_record(caller, new).await?.into())
    }

    /// Gets one session with its latest stored scores, which lag a live one by the commit interval at most.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`].
    pub async fn get(&self, caller: &Caller, id: &SessionId) -> Result<SessionView, ServiceError> {
        self.permit(caller, Permission::ReadSessions, Action::SessionView, Some(id)).await?;
        Ok(self.services.store.get(&caller.session(id)).await?.into())
    }

    /// Lists sessions.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn list(&self, caller: &Caller, query: &SessionQuery) -> Result<Page<SessionView>, ServiceError> {
        self.permit(caller, Permission::ReadSessions, Action::SessionView, None).await?;
        let query = SessionQuery { page_size: query.page_size.clamp(1, MAX_PAGE_SIZE), ..query.clone() };
        let page = self.services.store.list(&caller.tenant, &query).await?;
        Ok(Page {
            items: page.items.into_iter().map(SessionView::from).collect(),
            next_page_token: page.next_page_token,
        })
    }

    /// Changes fields of a session.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`] with a stale etag, [`ServiceError::InvalidField`].
    pub async fn update(
        &self,
        caller: &Caller,
        id: &SessionId,
        patch: SessionPatch,
        etag: Option<&str>,
    ) -> Result<SessionView, ServiceError> {
        self.permit(caller, Permission::WriteSessions, Action::SessionUpdate, Some(id)).await?;
        check_text("display_name", patch.display_name.as_deref().unwrap_or_default())?;
        check_text("external_ref", patch.external_ref.as_deref().unwrap_or_default())?;
        check_labels(patch.labels.as_ref().unwrap_or(&BTreeMap::new()))?;
        let revision = parse_etag(etag)?;
        let fields = changed_fields(&patch);
        let audit = self.entry(caller, Action::SessionUpdate, id).with("fields", fields);
        Ok(self.services.store.update(&caller.session(id), patch, revision, audit).await?.into())
    }

    /// Ends a session: streams that feed it are told, what they sent is still analysed, open segments close, the last
    /// scores are stored. Idempotent.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`].
    pub async fn finish(&self, caller: &Caller, id: &SessionId) -> Result<SessionView, ServiceError> {
        self.permit(caller, Permission::WriteSessions, Action::SessionFinish, Some(id)).await?;
        let name = caller.session(id);
        for _ in 0..MAX_REPEATS {
            let record = self.services.store.get(&name).await?;
            if record.end_time.is_some() {
                return Ok(record.into());
            }
            let session = self.services.sessions.open(&name, Purpose::Finish, &self.services)?;
            match live::finish(&session, self.entry(caller, Action::SessionFinish, id)).await {
                Err(error) if live::is_just_left(&error) => tokio::task::yield_now().await,
                answer => return answer,
            }
        }
        Err(ServiceError::Unavailable { problem: "the session could not be finished: try again" })
    }

    /// Deletes a session and all that was measured and kept of it; its streams end.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`] with a stale etag.
    pub async fn delete(&self, caller: &Caller, id: &SessionId, etag: Option<&str>) -> Result<(), ServiceError> {
        self.permit(caller, Permission::DeleteSessions, Action::SessionDelete, Some(id)).await?;
        let (name, revision) = (caller.session(id), parse_etag(etag)?);
        self.services.store.delete(&name, revision, self.entry(caller, Action::SessionDelete, id)).await?;
        if let Some(session) = self.services.sessions.get(&name) {
            live::forget(&session).await;
        }
        self.services.watchers.publish(&name, &LiveEvent::Ended(Some(EndCause::Deleted)));
        self.purge_stills().await;
        self.services.tell(SessionNews::Deleted(name));
        Ok(())
    }

    /// Removes the files of deleted stills, whose keys are gone already. What fails is done by the next sweep.
    async fn purge_stills(&self) {
        if let Some(evidence) = self.services.evidence.get()
            && let Err(error) = evidence.purge().await
        {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "files of deleted stills are left to the next sweep"
            );
        }
    }

    /// Lists a session's segments by time of opening.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`].
    pub async fn segments(
        &self,
        caller: &Caller,
        id: &SessionId,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<Page<SegmentView>, ServiceError> {
        self.permit(caller, Permission::ReadSessions, Action::SessionView, Some(id)).await?;
        let name = caller.session(id);
        let page = self.services.store.segments(&name, page_size.clamp(1, MAX_PAGE_SIZE), page_token).await?;
        let items = page.items.into_iter().map(|segment| SegmentView { session_id: id.clone(), segment }).collect();
        Ok(Page { items, next_page_token: page.next_page_token })
    }

    /// Whether new streams are accepted: the store answers and the server does not drain.
    pub async fn is_ready(&self) -> bool {
        !self.services.sessions.is_closed() && self.services.store.ping().await.is_ok()
    }

    /// What becomes of sessions from here on, for whoever works on what is finished; one listener only.
    #[must_use]
    pub fn news(&self) -> Option<mpsc::Receiver<SessionNews>> {
        self.services.listen()
    }

    /// Sessions in memory now.
    #[must_use]
    pub fn n_live_sessions(&self) -> usize {
        self.services.sessions.len()
    }

    /// The policy that scores new sessions, by its versioned name.
    #[must_use]
    pub fn policy_name(&self) -> String {
        self.services.policy.name()
    }

    /// The models in use, as `models/{id}@{sha256}`.
    #[must_use]
    pub fn model_versions(&self) -> Vec<String> {
        self.services.pipeline.model_versions()
    }

    /// Refuses new streams, ends the open ones with a resume token and stores all that is known, within `grace`.
    pub async fn drain(&self, grace: Duration) {
        let sessions = self.services.sessions.close();
        // The rest is for storing and for the last words to the clients.
        let deadline = Instant::now() + grace.mul_f64(DRAIN_ANALYSIS_RATIO);
        let handed_back = async {
            let mut handing_back: tokio::task::JoinSet<()> = tokio::task::JoinSet::new();
            for session in sessions {
                handing_back.spawn(async move { live::hand_back(&session, deadline).await });
            }
            while handing_back.join_next().await.is_some() {}
        };
        if tokio::time::timeout(grace, handed_back).await.is_err() {
            tracing::warn!(sessions = self.services.sessions.len(), "sessions were left behind by the shutdown");
        }
        self.services.watchers.publish_to_all(&LiveEvent::Ended(Some(EndCause::Draining)));
    }

    /// Deletes sessions whose time has come; gives back how many.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn sweep(&self) -> Result<u64, ServiceError> {
        let mut n_deleted = 0;
        while n_deleted < MAX_SWEPT {
            let portion = self.services.store.delete_expired(self.services.clock.now(), SWEPT_AT_ONCE).await?;
            n_deleted += portion;
            if portion < u64::from(SWEPT_AT_ONCE) {
                break;
            }
        }
        if n_deleted > 0 {
            self.tell_of_deletions().await;
            self.purge_stills().await;
        }
        Ok(n_deleted)
    }

    /// Lets a caller go on who may, and writes down who may not.
    async fn permit(
        &self,
        caller: &Caller,
        permission: Permission,
        action: Action,
        id: Option<&SessionId>,
    ) -> Result<(), ServiceError> {
        let object = id.map_or_else(String::new, |id| format!("sessions/{id}"));
        let attempt = Attempt { permission, action, object };
        permit(&*self.services.store, &*self.services.clock, caller, attempt).await
    }

    /// An audit entry about something that a caller does to a session now.
    fn entry(&self, caller: &Caller, action: Action, id: &SessionId) -> Event {
        caller.did(self.services.clock.now(), action, format!("sessions/{id}"))
    }

    async fn create_record(&self, caller: &Caller, new: NewSession) -> Result<SessionRecord, ServiceError> {
        check_text("display_name", &new.display_name)?;
        check_text("external_ref", &new.external_ref)?;
        check_text("consent_reference", &new.consent_reference)?;
        check_labels(&new.labels)?;
        let options = &self.services.options;
        if options.require_consent_reference && new.consent_reference.trim().is_empty() {
            return Err(ServiceError::InvalidField {
                field: "session.consent_reference",
                problem: "is missing: name where the candidate's consent is filed".to_owned(),
            });
        }
        let create_time = self.services.clock.now();
        let retention = (options.retention_days > 0)
            .then(|| SignedDuration::from_secs(i64::from(options.retention_days) * DAY_SECS));
        let expire_time = new.expire_time.or_else(|| create_time.checked_add(retention?).ok());
        let id = match new.id {
            Some(id) => id,
            None => SessionId::new(&format!("s-{}", &random_hex()[..24]))?,
        };
        let record = SessionRecord {
            name: caller.session(&id),
            display_name: new.display_name,
            external_ref: new.external_ref,
            candidate: new.candidate,
            consent_reference: new.consent_reference,
            evidence: options.evidence_mode(new.evidence),
            labels: new.labels,
            policy: self.services.policy.name(),
            create_time,
            end_time: None,
            expire_time,
            revision: 1,
            resume_secret: random_hex(),
            journal_len: 0,
            review: ReviewSummary::default(),
            participants: Vec::new(),
        };
        let audit = self.entry(caller, Action::SessionCreate, &id).with("consent_reference", &record.consent_reference);
        Ok(self.services.store.create(record, new.request_id, audit).await?)
    }
}

/// The names of the fields that a patch changes.
fn changed_fields(patch: &SessionPatch) -> String {
    let SessionPatch { display_name, external_ref, candidate, labels, expire_time } = patch;
    let fields = [
        ("display_name", display_name.is_some()),
        ("external_ref", external_ref.is_some()),
        ("candidate", candidate.is_some()),
        ("labels", labels.is_some()),
        ("expire_time", expire_time.is_some()),
    ];
    fields.iter().filter(|(_, is_changed)| *is_changed).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
}

/// 32 hex digits of randomness from the operating system.
pub(super) fn random_hex() -> String {
    use std::fmt::Write;
    let bytes: [u8; 16] = rand::random();
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
