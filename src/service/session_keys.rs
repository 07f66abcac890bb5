//! The key of each session, under which all that shows or describes a face is sealed.

use std::sync::Arc;

use crate::keys::{DataKey, SealingKeys};
use crate::session::SessionName;

use super::error::ServiceError;
use super::ports::DataKeyStore;

/// Opens and makes keys of sessions. Cheap to clone.
#[derive(Clone)]
pub struct SessionKeys {
    store: Arc<dyn DataKeyStore>,
    sealing: Arc<SealingKeys>,
}

impl SessionKeys {
    /// Keys that `store` keeps and `sealing` wraps.
    #[must_use]
    pub fn new(store: Arc<dyn DataKeyStore>, sealing: Arc<SealingKeys>) -> Self {
        Self { store, sealing }
    }

    /// A session's key; `None` when nothing was ever sealed for it.
    ///
    /// # Errors
    /// [`ServiceError::Store`], [`ServiceError::Seal`] when the master key is lost.
    pub async fn open(&self, name: &SessionName) -> Result<Option<DataKey>, ServiceError> {
        let wrapped = self.store.data_key(name).await?;
        Ok(wrapped.map(|wrapped| self.sealing.unwrap(&owner_of(name), &wrapped)).transpose()?)
    }

    /// A session's key, made when there is none.
    ///
    /// # Errors
    /// As [`SessionKeys::open`].
    pub async fn open_or_make(&self, name: &SessionName) -> Result<DataKey, ServiceError> {
        if let Some(key) = self.open(name).await? {
            return Ok(key);
        }
        let wrapped = self.sealing.wrap(&owner_of(name), &DataKey::generate())?;
        // Another server may have been faster; the key that is kept is the one.
        let kept = self.store.keep_data_key(name, wrapped).await?;
        Ok(self.sealing.unwrap(&owner_of(name), &kept)?)
    }
}

impl std::fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionKeys").field("sealing", &self.sealing).finish_non_exhaustive()
    }
}

/// What a session's wrapped key is bound to. Neither part can hold the byte between them.
pub(super) fn owner_of(name: &SessionName) -> Vec<u8> {
    [name.tenant.as_str().as_bytes(), b"\0", name.id.as_str().as_bytes()].concat()
}
