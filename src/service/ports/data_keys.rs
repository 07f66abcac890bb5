//! Keys of sessions, wrapped, as stored.

use crate::keys::WrappedKey;
use crate::session::{CandidateId, SessionName, TenantId};

use super::{AuditLog, StoreError};

/// Of what there are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKeyTable {
    /// Sessions.
    Sessions,
    /// Candidates with references.
    Candidates,
}

impl DataKeyTable {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Sessions, Self::Candidates];
}

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataKeyOwner {
    /// A session's.
    Session(SessionName),
    /// A candidate's.
    Candidate(TenantId, CandidateId),
}

/// A wrapped key with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDataKey {
    /// Where to go on after it; the store's own.
    pub row: i64,
    /// Whose.
    pub owner: DataKeyOwner,
    /// The key.
    pub key: WrappedKey,
}

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
    /// Keys of all tenants that another master key than `key_id` wrapped, after row `after`, at most `limit`, in order.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn data_keys_not_of(
        &self,
        table: DataKeyTable,
        key_id: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredDataKey>, StoreError>;
    /// Replaces keys, each given with its row and what stands there, unless something else does meanwhile; gives back how many.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn renew_data_keys(
        &self,
        table: DataKeyTable,
        renewed: Vec<(i64, WrappedKey, WrappedKey)>,
    ) -> Result<u64, StoreError>;
    /// How many keys each master key wrapped. # Errors [`StoreError::Backend`].
    async fn count_data_keys(&self) -> Result<Vec<(String, u64)>, StoreError>;
}
