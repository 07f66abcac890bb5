//! How the ledger stands: what is held, and when it was last looked at.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::audit::Action;
use crate::service::caller::Caller;
use crate::service::error::ServiceError;
use crate::service::ports::TemplateKind;
use crate::session::TenantId;

use super::Identities;

/// How the ledger of a tenant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Templates of faces that are stored.
    pub n_templates: u64,
    /// When this server last looked a session up at its end; `None` = not since it was started.
    pub last_look_up: Option<Timestamp>,
}

/// When sessions of each tenant were last looked up.
#[derive(Default)]
pub(super) struct LookUps(Mutex<HashMap<TenantId, Timestamp>>);

impl LookUps {
    /// Notes that a session was looked up.
    pub(super) fn note(&self, tenant: &TenantId, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant.clone(), now);
    }

    fn last(&self, tenant: &TenantId) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).copied()
    }
}

impl Identities {
    /// How the ledger stands.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::FailedPrecondition`] when the ledger is off, [`ServiceError::Store`].
    pub async fn standing(&self, caller: &Caller) -> Result<Standing, ServiceError> {
        self.require(caller, Action::IdentityList, "matches".to_owned()).await?;
        let n_templates = self.shared.store.n_templates(&caller.tenant, TemplateKind::Face).await?;
        Ok(Standing { n_templates, last_look_up: self.shared.look_ups.last(&caller.tenant) })
    }

    /// Whether the data behind the calibration allow no stronger statement than this ratio, a natural logarithm: the true one
    /// may be larger.
    #[must_use]
    pub fn is_at_bound(&self, kind: TemplateKind, llr: f64) -> bool {
        let (least, most) = match kind {
            TemplateKind::Face => self.shared.calibration.ratio_bounds(),
            TemplateKind::Scene => self.shared.scenes.ratio_bounds(),
        };
        llr <= least || llr >= most
    }
}
