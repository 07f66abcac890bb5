//! The audit log, as it is read.

use crate::audit::{Broken, Event, Summary};
use crate::keys::VerifyingKey;
use crate::session::TenantId;

use super::StoreError;

/// Reads the audit log. What is told of it is what is stored when the call begins.
#[async_trait::async_trait]
pub trait AuditRecords: Send + Sync + 'static {
    /// At most `limit` entries of a tenant before row `before` (`None` = from the end), newest first, each with its row; with
    /// `object`, those about it alone.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for one that cannot be read.
    async fn audit_entries(
        &self,
        tenant: &TenantId,
        object: Option<&str>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, Event)>, StoreError>;
    /// Walks the whole log, of all tenants, and checks every digest and signature against `keys`.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read; what is wrong with it is the answer.
    async fn verify_audit(&self, keys: &[VerifyingKey]) -> Result<Result<Summary, Broken>, StoreError>;
}
