//! Keys of sessions, wrapped, as stored.

use crate::keys::WrappedKey;
use crate::session::SessionName;

use super::{AuditLog, StoreError};

/// Keeps the wrapped key of each session's stills and templates; a session's deletion deletes it in the same transaction.
#[async_trait::async_trait]
pub trait DataKeyStore: AuditLog {
    /// The key of a session, if there is one. # Errors [`StoreError::NotFound`].
    async fn data_key(&self, name: &SessionName) -> Result<Option<WrappedKey>, StoreError>;
    /// Keeps a key unless there is one already; gives back the one that is kept, durably.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    async fn keep_data_key(&self, name: &SessionName, key: WrappedKey) -> Result<WrappedKey, StoreError>;
}
