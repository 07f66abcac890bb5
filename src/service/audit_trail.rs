//! Reading and checking the record of who did what.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::audit::{Action, Broken, Event, Outcome, Summary};
use crate::keys::VerifyingKey;

use super::caller::{Attempt, Caller, Permission, permit};
use super::error::ServiceError;
use super::ports::{AuditLog, AuditRecords, Clock};

/// Entries of one page.
const PAGE_ENTRIES: usize = 100;
/// Entries read at one time.
const READ_AT_ONCE: u32 = 500;
/// Entries that are looked through for one page; who filters for what is rare goes on from there.
const MAX_LOOKED_AT: usize = 10_000;
/// Longest time that checking the log may take here; a longer log is for the command line.
const LONGEST_CHECK: Duration = Duration::from_secs(30);

/// Which entries are wanted; all conditions must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailFilter {
    /// About this, such as `sessions/interview-7`.
    pub object: Option<String>,
    /// By this actor, such as `user:anna`.
    pub actor: Option<String>,
    /// This was done.
    pub action: Option<Action>,
    /// It went so.
    pub outcome: Option<Outcome>,
}

impl TrailFilter {
    fn takes(&self, event: &Event) -> bool {
        self.actor.as_ref().is_none_or(|actor| event.actor.to_string() == *actor)
            && self.action.is_none_or(|action| event.action == action)
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
    }
}

/// One page of entries, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailPage {
    /// Entries with their rows.
    pub entries: Vec<(u64, Event)>,
    /// Where the next page goes on; `None` at the end.
    pub next_before: Option<u64>,
}

/// Where two programs' logs are read: everything that is stored, and what was done is written there.
trait Store: AuditLog + AuditRecords {}
impl<T: AuditLog + AuditRecords> Store for T {}

/// The use cases of the audit log. Cheap to clone.
#[derive(Clone)]
pub struct AuditTrail {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    keys: Arc<[VerifyingKey]>,
    checking: Arc<Semaphore>,
}

impl std::fmt::Debug for AuditTrail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditTrail").finish_non_exhaustive()
    }
}

impl AuditTrail {
    /// Puts the use cases together; `keys` may have signed.
    #[must_use]
    pub fn new(store: Arc<impl AuditLog + AuditRecords>, clock: Arc<dyn Clock>, keys: Vec<VerifyingKey>) -> Self {
        Self { store, clock, keys: keys.into(), checking: Arc::new(Semaphore::new(1)) }
    }

    /// One page of the tenant's entries, newest first, before row `before`.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn page(
        &self,
        caller: &Caller,
        filter: &TrailFilter,
        before: Option<u64>,
    ) -> Result<TrailPage, ServiceError> {
        self.permit(caller).await?;
        let entry = caller.did(self.clock.now(), Action::AuditRead, filter.object.clone().unwrap_or_default());
        self.store.append(entry).await?;
        let (mut entries, mut before, mut n_looked_at) = (Vec::new(), before, 0);
        loop {
            let object = filter.object.as_deref();
            let read = self.store.audit_entries(&caller.tenant, object, before, READ_AT_ONCE).await?;
            let is_end = read.len() < READ_AT_ONCE as usize;
            for (row, event) in read {
                before = Some(row);
                n_looked_at += 1;
                if filter.takes(&event) {
                    entries.push((row, event));
                }
                if entries.len() == PAGE_ENTRIES {
                    return Ok(TrailPage { entries, next_before: before });
                }
            }
            if is_end {
                return Ok(TrailPage { entries, next_before: None });
            }
            if n_looked_at >= MAX_LOOKED_AT {
                return Ok(TrailPage { entries, next_before: before });
            }
        }
    }

    /// Checks every digest and signature of the whole log.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Overloaded`] while somebody else has it checked,
    /// [`ServiceError::Timeout`] for a log that takes too long, [`ServiceError::Store`].
    pub async fn check(&self, caller: &Caller) -> Result<Result<Summary, Broken>, ServiceError> {
        self.permit(caller).await?;
        let Ok(_turn) = self.checking.try_acquire() else {
            return Err(ServiceError::Overloaded {
                what: "checks of the audit log",
                limit: 1,
                retry_after: LONGEST_CHECK,
            });
        };
        let entry = caller.did(self.clock.now(), Action::AuditRead, String::new()).with("checked", "all");
        self.store.append(entry).await?;
        match tokio::time::timeout(LONGEST_CHECK, self.store.verify_audit(&self.keys)).await {
            Ok(outcome) => Ok(outcome?),
            Err(_elapsed) => Err(ServiceError::Timeout {
                what: "checking the audit log (use `bonafide audit verify`)",
                limit_secs: LONGEST_CHECK.as_secs_f64(),
            }),
        }
    }

    async fn permit(&self, caller: &Caller) -> Result<(), ServiceError> {
        let attempt = Attempt { permission: Permission::Audit, action: Action::AuditRead, object: String::new() };
        permit(&*self.store, &*self.clock, caller, attempt).await
    }
}
