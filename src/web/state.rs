//! What every page can reach.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::report::Signer;
use crate::service::ports::Clock;
use crate::service::{Accounts, AuditTrail, Evidence, Identities, Installation, Interviews, Reports, Reviews};

use super::oidc::Oidc;
use super::options::WebOptions;

/// The use cases behind the pages.
#[derive(Clone)]
pub struct WebServices {
    /// Interviews, live and stored.
    pub interviews: Interviews,
    /// What people do with them.
    pub reviews: Reviews,
    /// Who may log in.
    pub accounts: Accounts,
    /// What shows why.
    pub evidence: Evidence,
    /// Who was seen before.
    pub identities: Identities,
    /// What is told of sessions.
    pub reports: Reports,
    /// What signs that.
    pub signer: Signer,
    /// Who did what.
    pub trail: AuditTrail,
    /// What runs here.
    pub installation: Installation,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for WebServices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebServices").finish_non_exhaustive()
    }
}

/// Timelines that are made at one time: each reads a whole interview's scores.
const TIMELINES_AT_ONCE: usize = 4;
/// Reports that are written at one time: each keeps a core busy, which live sessions want too.
const REPORTS_AT_ONCE: usize = 1;

/// What every request shares. Cheap to clone.
#[derive(Clone)]
pub(super) struct Web {
    pub(super) options: Arc<WebOptions>,
    pub(super) services: Arc<WebServices>,
    /// Logging in with an identity provider, where there is one.
    pub(super) oidc: Option<Arc<Oidc>>,
    /// Turns true when the server ends.
    pub(super) ending: watch::Receiver<bool>,
    /// Bounds pages that are followed live.
    pub(super) live_pages: Arc<Semaphore>,
    /// Bounds timelines in the making.
    pub(super) timelines: Arc<Semaphore>,
    /// Bounds reports in the making.
    pub(super) reports: Arc<Semaphore>,
}

impl Web {
    pub(super) fn new(
        options: WebOptions,
        services: WebServices,
        oidc: Option<Oidc>,
        ending: watch::Receiver<bool>,
    ) -> Self {
        let max_live_pages = usize::try_from(options.max_live_pages).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            options: Arc::new(options),
            services: Arc::new(services),
            oidc: oidc.map(Arc::new),
            ending,
            live_pages: Arc::new(Semaphore::new(max_live_pages)),
            timelines: Arc::new(Semaphore::new(TIMELINES_AT_ONCE)),
            reports: Arc::new(Semaphore::new(REPORTS_AT_ONCE)),
        }
    }
}
