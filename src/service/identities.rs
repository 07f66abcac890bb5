//! The identity ledger: who was seen before, under which name, and what people say of it.
//!
//! Off until the operator enables it, behind a permission of its own, and every query stands in the audit log before it is
//! answered. The machine proposes; a person confirms or rejects; nothing here changes a score.

mod galleries;
mod gather;
mod ledger;
mod likeness;
mod matches;
mod options;
mod pictures;
mod propose;
mod references;
mod scenes;
mod sealed;
mod search;
mod standing;
mod subject;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::audit::{Action, Event, Outcome};
use crate::error::Kinded as _;
use crate::identity::{SceneCalibration, ScenePolicy, SearchCalibration, SearchPolicy};
use crate::keys::SealingKeys;
use crate::scoring::Policy;
use crate::signals::SignalName;

use super::caller::{Attempt, Caller, Permission, permit};
use super::error::ServiceError;
use super::ports::{Clock, DataKeyStore, IdentityStore, SessionStore, TemplateKind};
use super::session_keys::SessionKeys;
use super::sessions::Interviews;

use self::galleries::{Bounds, Galleries};
pub use self::ledger::{Ledger, LedgerEntry, LedgerPair, PairKind, TemplateCondition};
pub use self::likeness::{Comparison, Likeness, Opinion, TemplateQuality};
pub use self::options::IdentityOptions;
use self::pictures::Pictures;
pub use self::references::{Enrolment, NewReference, ReferenceSource};
pub use self::scenes::{SceneAgreement, SceneAnswer, SceneComparison, SceneFigures, SceneMatch, SceneSearch};
pub(super) use self::sealed::candidate_owner;
pub use self::search::{Hunt, HuntedFace, Relation, SearchAnswer, SearchFigures, SearchHit, SearchRequest};
use self::standing::LookUps;
pub use self::standing::Standing;
pub use self::subject::{SessionFace, Subject};

/// What a caller is told while the ledger is off.
const DISABLED: &str = "is false: faces are compared across sessions only after the operator enables it";

/// What the ledger is put together from.
pub struct IdentityParts {
    /// Faces, templates, candidates, matches.
    pub store: Arc<dyn IdentityStore>,
    /// Sessions and their journals.
    pub sessions: Arc<dyn SessionStore>,
    /// Keys of sessions.
    pub data_keys: Arc<dyn DataKeyStore>,
    /// What wraps them.
    pub sealing: Arc<SealingKeys>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What replays journals, and whose identity line says what a similarity is worth.
    pub policy: Arc<Policy>,
    /// How similar two people are.
    pub search: SearchPolicy,
    /// How well backgrounds agree.
    pub scenes: ScenePolicy,
}

/// The use cases of the identity ledger. Cheap to clone.
#[derive(Clone)]
pub struct Identities {
    shared: Arc<Shared>,
}

struct Shared {
    store: Arc<dyn IdentityStore>,
    sessions: Arc<dyn SessionStore>,
    keys: SessionKeys,
    sealing: Arc<SealingKeys>,
    clock: Arc<dyn Clock>,
    policy: Arc<Policy>,
    calibration: SearchCalibration,
    scenes: SceneCalibration,
    options: IdentityOptions,
    galleries: Galleries,
    look_ups: LookUps,
    /// `None` where no models are loaded.
    pictures: Option<Pictures>,
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities").field("options", &self.shared.options).finish_non_exhaustive()
    }
}

impl Identities {
    /// Puts the use cases together. With `interviews`, whose models they use, pictures can be asked about as well.
    ///
    /// # Errors
    /// [`ServiceError::FailedPrecondition`] when the ledger is enabled and the search calibration speaks of another model than
    /// the one in use, [`ServiceError::Identity`] when it cannot be used, [`ServiceError::Internal`] when the policy has no
    /// identity line.
    pub fn new(
        parts: IdentityParts,
        options: IdentityOptions,
        interviews: Option<&Interviews>,
    ) -> Result<Self, ServiceError> {
        let IdentityParts { store, sessions, data_keys, sealing, clock, policy, search, scenes } = parts;
        let line = policy.signal(SignalName::Identity).map(|signal| &signal.calibration);
        let line =
            line.ok_or_else(|| ServiceError::Internal { problem: "the policy has no line for identity".to_owned() })?;
        let calibration = SearchCalibration::new(search, line)?;
        let pictures = interviews.map(Pictures::new).transpose()?;
        let in_use = pictures.as_ref().map_or_else(|| calibration.model(), Pictures::model);
        if options.enabled && in_use != calibration.model() {
            return Err(ServiceError::FailedPrecondition {
                what: format!("identity.enabled: {}", calibration.name()),
                problem: "is a search calibration for another identity model than the one in use: fit one with \
                          `bonafide calibrate search`",
            });
        }
        let keys = SessionKeys::new(data_keys, Arc::clone(&sealing));
        let kinds = if options.scenes { TemplateKind::ALL } else { &[TemplateKind::Face] };
        let bounds = Bounds { max_templates: options.max_templates, max_scenes: options.max_scenes, kinds };
        let galleries = Galleries::new(bounds, calibration.model());
        Ok(Self {
            shared: Arc::new(Shared {
                store,
                sessions,
                keys,
                sealing,
                clock,
                policy,
                calibration,
                scenes: SceneCalibration::new(scenes),
                options,
                galleries,
                look_ups: LookUps::default(),
                pictures,
            }),
        })
    }

    /// Whether faces are compared across sessions at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.shared.options.enabled
    }

    /// The settings.
    #[must_use]
    pub fn options(&self) -> &IdentityOptions {
        &self.shared.options
    }

    /// Whether what is behind people is described and compared as well.
    #[must_use]
    pub fn compares_scenes(&self) -> bool {
        self.shared.options.enabled && self.shared.options.scenes
    }

    /// The search calibration in use, as `searches/{id}@{version}`.
    #[must_use]
    pub fn calibration_name(&self) -> &str {
        self.shared.calibration.name()
    }

    /// Refuses whoever may not compare faces, or while the ledger is off, before what they ask for is looked at; a refusal is
    /// written down as that action. Each use case asks again.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::FailedPrecondition`] when the ledger is off, [`ServiceError::Store`].
    pub async fn require(&self, caller: &Caller, action: Action, object: String) -> Result<(), ServiceError> {
        self.begin(caller, action, object).await.map(drop)
    }

    /// Lets a caller go on who may, while the ledger is on; gives back what the audit log is to say of it.
    async fn begin(&self, caller: &Caller, action: Action, object: String) -> Result<Event, ServiceError> {
        let attempt = Attempt { permission: Permission::Identity, action, object: object.clone() };
        permit(&*self.shared.store, &*self.shared.clock, caller, attempt).await?;
        self.require_enabled()?;
        Ok(caller.did(self.shared.clock.now(), action, object))
    }

    fn require_enabled(&self) -> Result<(), ServiceError> {
        if self.is_enabled() {
            return Ok(());
        }
        Err(ServiceError::FailedPrecondition { what: "identity.enabled".to_owned(), problem: DISABLED })
    }

    /// Writes down what was asked for and how much was found, and only then gives the answer back. What failed is written
    /// down as well, with what kind of problem it was.
    async fn answer<T>(
        &self,
        event: Event,
        outcome: Result<T, ServiceError>,
        n_results: impl FnOnce(&T) -> usize,
    ) -> Result<T, ServiceError> {
        match outcome {
            Ok(answer) => {
                let event = event.with("results", n_results(&answer).to_string());
                self.shared.store.append(event).await?;
                Ok(answer)
            }
            Err(error) => Err(self.failed(event, error).await),
        }
    }

    /// Writes down what was tried in vain; gives the error back.
    async fn failed(&self, event: Event, error: ServiceError) -> ServiceError {
        let event = Event { outcome: Outcome::Failed, ..event }.with("problem", format!("{:?}", error.kind()));
        if let Err(not_written) = self.shared.store.append(event).await {
            // The caller learns nothing but the first problem either way.
            tracing::warn!(
                error = &not_written as &dyn std::error::Error,
                "a failed identity query could not be written down"
            );
        }
        error
    }
}
