//! How long the record of who did what is kept.

use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;

use crate::error::InvalidOption;

use super::error::ServiceError;
use super::ports::{AuditPruner, Clock};

/// Rows that go in one transaction; other writes wait meanwhile.
const PRUNED_AT_ONCE: u32 = 2_000;
/// Rows that go in one sweep.
const MAX_PRUNED: u64 = 1_000_000;
const DAY_SECS: i64 = 86_400;

/// How long the audit log is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditOptions {
    /// Days for which a row is kept; 0 = for ever.
    pub retention_days: u32,
}

impl AuditOptions {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// [`InvalidOption`].
    pub fn validate(&self) -> Result<(), InvalidOption> {
        InvalidOption::unless_within::<u64>("retention_days", u64::from(self.retention_days), 0..=36_500)
    }
}

/// Deletes audit rows at the end of their time, oldest first. A row that concerns a session under a legal hold stays, and so
/// does what comes after it.
#[derive(Clone)]
pub struct AuditRetention {
    store: Arc<dyn AuditPruner>,
    clock: Arc<dyn Clock>,
    options: AuditOptions,
}

impl AuditRetention {
    /// Puts the use case together.
    #[must_use]
    pub fn new(store: Arc<dyn AuditPruner>, clock: Arc<dyn Clock>, options: AuditOptions) -> Self {
        Self { store, clock, options }
    }

    /// Deletes what is due; gives back how many rows.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn sweep(&self) -> Result<u64, ServiceError> {
        let now = self.clock.now();
        let days = i64::from(self.options.retention_days);
        if days == 0 {
            return Ok(0);
        }
        let Ok(before) = now.checked_sub(SignedDuration::from_secs(days * DAY_SECS)) else { return Ok(0) };
        let mut n_rows = 0;
        while n_rows < MAX_PRUNED {
            let portion = self.store.prune_audit(before, now, PRUNED_AT_ONCE).await?;
            n_rows += portion;
            if portion < u64::from(PRUNED_AT_ONCE) {
                break;
            }
        }
        Ok(n_rows)
    }
}

impl std::fmt::Debug for AuditRetention {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditRetention").field("options", &self.options).finish_non_exhaustive()
    }
}
