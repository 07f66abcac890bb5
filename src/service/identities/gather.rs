//! Templates of sessions: made when one is finished, and for those that were missed; deleted when their time is past.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::audit::{Action, Actor, Event};
use crate::error::ErrorKind;
use crate::error::Kinded as _;
use crate::identity::{IdentityError, ModelDigest, SCENE_MODEL, Template};
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::live::SessionNews;
use crate::service::ports::{FaceName, NewTemplate, SessionRecord, TemplateKind, TemplateState};
use crate::session::{Interview, ParticipantId, SessionName, Sighting};
use crate::signals::SignalName;
use crate::vision::scene::SceneDescriptor;

use super::{Identities, sealed};

/// Looks at a person below which no template is made of whom a participant began with.
const MIN_EMBEDDINGS: u32 = 3;
/// Looks at somebody who appeared later, below which no template is made.
const MIN_EMBEDDINGS_OF_OTHERS: u32 = 5;
/// Sessions whose templates are made in one sweep: each is replayed.
const MAX_GATHERED: u32 = 20;
/// How long ago a session may have ended whose templates are made by a sweep. Those that ended before the ledger was enabled
/// are left alone until somebody asks about them.
const MISSED_WITHIN: SignedDuration = SignedDuration::from_hours(24);
/// Templates and references deleted in one transaction.
const DELETED_AT_ONCE: u32 = 500;
/// Deletions in one sweep.
const MAX_DELETED: u64 = 20_000;
/// Longest time back, in days.
const MAX_DAYS: u32 = 36_500;
/// Seconds in a day.
const DAY_SECS: i64 = 86_400;

impl Identities {
    /// Works on what becomes of sessions until nobody tells any more: makes templates of those that are finished and looks
    /// their faces up, and lets go of what is deleted.
    pub async fn run(&self, mut news: mpsc::Receiver<SessionNews>) {
        while let Some(news) = news.recv().await {
            if !self.is_enabled() {
                continue;
            }
            let outcome = match &news {
                SessionNews::Finished { name, sightings } => self.finish(name, sightings).await,
                SessionNews::Deleted(name) => self.shared.galleries.refresh(&name.tenant, &self.source()).await,
            };
            match outcome {
                Ok(()) => {}
                // It was deleted while this went on.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "what a session says of identity was not kept; it is tried again"
                ),
            }
        }
    }

    /// Deletes templates and references whose time is past, held sessions excepted; makes the templates of sessions that were
    /// missed; keeps memory in step with the store. Gives back how many were deleted.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn sweep(&self) -> Result<u64, ServiceError> {
        let shared = &self.shared;
        let now = shared.clock.now();
        let mut n_deleted = 0;
        while n_deleted < MAX_DELETED {
            let portion = shared.store.delete_expired_templates(now, DELETED_AT_ONCE).await?;
            n_deleted += portion;
            if portion < u64::from(DELETED_AT_ONCE) {
                break;
            }
        }
        if !self.is_enabled() {
            return Ok(n_deleted);
        }
        shared.galleries.drop_idle(shared.clock.monotonic());
        for tenant in shared.galleries.tenants() {
            shared.galleries.refresh(&tenant, &self.source()).await?;
        }
        let since = now.checked_sub(MISSED_WITHIN).unwrap_or(now);
        for name in shared.store.sessions_without_templates(None, since, MAX_GATHERED).await? {
            let outcome = match self.replay(&name).await {
                Ok(sightings) => self.finish(&name, &sightings).await,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                tracing::warn!(
                    session.id = %name,
                    error = &error as &dyn std::error::Error,
                    "templates of a finished session could not be made"
                );
            }
        }
        Ok(n_deleted)
    }

    /// Makes the templates of sessions that ended within so many days and before the ledger was enabled; gives back how many were
    /// looked into. Their faces are not looked up.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::FailedPrecondition`] when the ledger is off, [`ServiceError::Store`].
    pub async fn gather(&self, caller: &Caller, days: u32) -> Result<usize, ServiceError> {
        let event = self.begin(caller, Action::IdentityEnroll, "sessions".to_owned()).await?;
        let age = SignedDuration::from_secs(i64::from(days.min(MAX_DAYS)) * DAY_SECS);
        let gathered = async {
            let mut n_sessions = 0;
            loop {
                let since = self.shared.clock.now().checked_sub(age).unwrap_or(Timestamp::UNIX_EPOCH);
                let tenant = Some(&caller.tenant);
                let names = self.shared.store.sessions_without_templates(tenant, since, MAX_GATHERED).await?;
                if names.is_empty() {
                    return Ok(n_sessions);
                }
                for name in names {
                    self.gather_again(&name).await?;
                    n_sessions += 1;
                }
            }
        };
        let outcome = gathered.await;
        self.answer(event, outcome, |n_sessions| *n_sessions).await
    }

    /// Makes the templates of a session that is over, from its journal; nothing for one that is open.
    ///
    /// # Errors
    /// [`ServiceError::FailedPrecondition`] while it is open, [`ServiceError::Store`].
    pub(super) async fn gather_again(&self, name: &SessionName) -> Result<TemplateState, ServiceError> {
        let sightings = self.replay(name).await?;
        self.keep(name, &sightings).await
    }

    /// Keeps the templates of a session that is over, and looks up its faces and what is behind them.
    async fn finish(&self, name: &SessionName, sightings: &[Sighting]) -> Result<(), ServiceError> {
        let state = self.keep(name, sightings).await?;
        if state == TemplateState::Kept && self.shared.options.propose {
            self.propose(name).await?;
        }
        Ok(())
    }

    /// Who was seen in a stored session.
    async fn replay(&self, name: &SessionName) -> Result<Vec<Sighting>, ServiceError> {
        let journal = self.shared.sessions.journal(name).await?;
        let policy = Arc::clone(&self.shared.policy);
        let replayed = tokio::task::spawn_blocking(move || {
            let mut interview = Interview::new(policy, Arc::new(BTreeMap::new()));
            for entry in &journal {
                interview.apply(entry);
            }
            interview.sightings()
        });
        replayed.await.map_err(|panic| ServiceError::Internal { problem: panic.to_string() })
    }

    async fn keep(&self, name: &SessionName, sightings: &[Sighting]) -> Result<TemplateState, ServiceError> {
        let shared = &self.shared;
        let record = shared.sessions.get(name).await?;
        let Some(end_time) = record.end_time else {
            return Err(ServiceError::FailedPrecondition {
                what: format!("sessions/{name}"),
                problem: "is not finished: its faces can be compared when it is",
            });
        };
        let days = shared.options.template_retention_days;
        let retention = (days > 0).then(|| SignedDuration::from_secs(i64::from(days) * DAY_SECS));
        let expire_time = retention.and_then(|retention| end_time.checked_add(retention).ok());
        let faces = self.faces_of(&record, sightings)?;
        let now = shared.clock.now();
        let state = state_of(&record, expire_time.is_some_and(|time| time <= now), !faces.is_empty());
        let mut templates = Vec::new();
        if state == TemplateState::Kept {
            let key = shared.keys.open_or_make(name).await?;
            for (face, template) in faces {
                let FaceName::Session { participant, person, .. } = &face else { continue };
                let (participant, person) = (participant.clone(), *person);
                // A background goes with the face that it was first seen behind.
                if let Some(scene) = scene_of(sightings, &participant).filter(|_| person == 0 && shared.options.scenes)
                {
                    let sealed = sealed::seal_scene(&key, &name.tenant, &face, scene)?;
                    let (kind, model, participant) = (TemplateKind::Scene, SCENE_MODEL, participant.clone());
                    templates.push(NewTemplate { participant, person, kind, model, expire_time, sealed });
                }
                let sealed = sealed::seal(&key, &name.tenant, &face, &template)?;
                let (kind, model) = (TemplateKind::Face, template.model());
                templates.push(NewTemplate { participant, person, kind, model, expire_time, sealed });
            }
        }
        let audit = self.by_itself(name, Action::IdentityEnroll);
        let n_of = |kind| templates.iter().filter(|template| template.kind == kind).count().to_string();
        let audit = audit.with("templates", n_of(TemplateKind::Face)).with("scenes", n_of(TemplateKind::Scene));
        let audit = audit.with("state", state.as_str());
        shared.store.keep_session_templates(name, state, templates, audit).await?;
        Ok(state)
    }

    /// The faces that were seen well enough, for long enough.
    fn faces_of(
        &self,
        record: &SessionRecord,
        sightings: &[Sighting],
    ) -> Result<Vec<(FaceName, Template)>, ServiceError> {
        let mut faces = Vec::new();
        for Sighting { participant_id: participant, persons, .. } in sightings {
            let model = model_of(record, participant).unwrap_or_else(|| self.shared.calibration.model());
            for (person, sum) in (0_u32..).zip(persons) {
                let least = if person == 0 { MIN_EMBEDDINGS } else { MIN_EMBEDDINGS_OF_OTHERS };
                if sum.n_embeddings() < least {
                    continue;
                }
                let (session, participant) = (record.name.id.clone(), participant.clone());
                match Template::of_sum(model, sum) {
                    Ok(template) => faces.push((FaceName::Session { session, participant, person }, template)),
                    // Looks that cancel out are of nobody.
                    Err(IdentityError::NoDirection { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(faces)
    }

    /// An audit entry about something that the ledger does by itself.
    pub(super) fn by_itself(&self, name: &SessionName, action: Action) -> Event {
        let object = format!("sessions/{}", name.id);
        Event::done(self.shared.clock.now(), name.tenant.as_str(), Actor::system("identity"), action, object)
    }
}

/// What is behind a participant.
fn scene_of<'a>(sightings: &'a [Sighting], participant: &ParticipantId) -> Option<&'a SceneDescriptor> {
    sightings.iter().find(|sighting| sighting.participant_id == *participant)?.scene.as_ref()
}

/// The weights that made a participant's vectors, as the session's last score says: a journal may be older than the model in use.
fn model_of(record: &SessionRecord, participant: &ParticipantId) -> Option<ModelDigest> {
    let scored = record.participants.iter().find(|scored| scored.participant_id == *participant)?;
    let identity = scored.score.signals.iter().find(|signal| signal.name == SignalName::Identity)?;
    ModelDigest::from_version(identity.model.as_ref()?).ok()
}

fn state_of(record: &SessionRecord, is_late: bool, has_faces: bool) -> TemplateState {
    match () {
        () if record.consent_reference.trim().is_empty() => TemplateState::NoConsent,
        () if is_late => TemplateState::Expired,
        () if has_faces => TemplateState::Kept,
        () => TemplateState::NoFace,
    }
}
