//! What runs here: versions, models, policy, keys and settings, for those who run it.

use std::sync::Arc;

use crate::audit::Action;
use crate::scoring::Policy;
use crate::session::TenantId;

use super::caller::{Attempt, Caller, Permission, permit};
use super::error::ServiceError;
use super::options::ServiceOptions;
use super::ports::{AuditLog, Clock};
use super::sessions::Interviews;

/// An API key as it is configured, without what is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyView {
    /// Its name.
    pub name: String,
    /// Whose sessions it opens.
    pub tenant: TenantId,
    /// What it opens.
    pub scopes: Vec<String>,
}

/// What does not change while the program runs.
#[derive(Clone, Debug)]
pub struct InstallationFacts {
    /// Program and version.
    pub version: String,
    /// `models/{id}@{sha256}` of each model in use.
    pub models: Vec<String>,
    /// Where the models run, such as `cpu`.
    pub provider: String,
    /// What scores new sessions.
    pub policy: Arc<Policy>,
    /// Bounds and retention.
    pub options: ServiceOptions,
    /// Which database it is, without its address.
    pub database: &'static str,
    /// Every API key; empty when everyone who reaches the port may call.
    pub api_keys: Vec<ApiKeyView>,
    /// Ids of the keys that sign the audit log, the current one last.
    pub signing_keys: Vec<String>,
}

/// How it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthView {
    /// Whether the store answers and can write, and new streams are accepted.
    pub is_ready: bool,
    /// Sessions in memory.
    pub n_live_sessions: usize,
    /// Watchers of live sessions.
    pub n_watchers: usize,
    /// Bytes of samples that wait to be analysed.
    pub queued_bytes: u64,
}

/// What the caller may see of the installation.
#[derive(Clone, Debug)]
pub struct InstallationView {
    /// What does not change.
    pub facts: Arc<InstallationFacts>,
    /// The API keys of the caller's tenant.
    pub api_keys: Vec<ApiKeyView>,
    /// How it goes now.
    pub health: HealthView,
}

/// The use case of looking at the installation. Cheap to clone.
#[derive(Clone)]
pub struct Installation {
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    interviews: Interviews,
    facts: Arc<InstallationFacts>,
}

impl std::fmt::Debug for Installation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installation").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl Installation {
    /// Puts the use case together.
    #[must_use]
    pub fn new(
        log: Arc<dyn AuditLog>,
        clock: Arc<dyn Clock>,
        interviews: Interviews,
        facts: InstallationFacts,
    ) -> Self {
        Self { log, clock, interviews, facts: Arc::new(facts) }
    }

    /// The thresholds and weights that score new sessions, which explain every score.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.facts.policy
    }

    /// What runs here, and how it goes.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn view(&self, caller: &Caller) -> Result<InstallationView, ServiceError> {
        let attempt =
            Attempt { permission: Permission::System, action: Action::SystemView, object: "installation".to_owned() };
        permit(&*self.log, &*self.clock, caller, attempt).await?;
        let own = |key: &&ApiKeyView| key.tenant == caller.tenant;
        Ok(InstallationView {
            facts: Arc::clone(&self.facts),
            api_keys: self.facts.api_keys.iter().filter(own).cloned().collect(),
            health: self.interviews.health().await,
        })
    }
}
