//! A new sealing key is taken into use: the key of every session and candidate is wrapped with it.
//!
//! What was sealed under them stays as it is, so that this takes no time to speak of and nothing is read but keys.

use std::sync::Arc;

use crate::audit::Action;
use crate::keys::SealingKeys;

use super::caller::Caller;
use super::error::ServiceError;
use super::identities::candidate_owner;
use super::ports::{Clock, DataKeyOwner, DataKeyStore, DataKeyTable};
use super::session_keys::owner_of;

/// Keys that are wrapped in one transaction.
const WRAPPED_AT_ONCE: u32 = 500;

/// What a rotation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrapped {
    /// Keys that are wrapped with the newest sealing key now and were not before.
    pub wrapped: u64,
    /// Keys that were wrapped with one that the key file does not have, or were changed: they stay as they are.
    pub lost: u64,
}

/// Wraps keys anew.
pub struct KeyRotation {
    store: Arc<dyn DataKeyStore>,
    sealing: Arc<SealingKeys>,
    clock: Arc<dyn Clock>,
}

impl KeyRotation {
    /// Puts the use case together.
    #[must_use]
    pub fn new(store: Arc<dyn DataKeyStore>, sealing: Arc<SealingKeys>, clock: Arc<dyn Clock>) -> Self {
        Self { store, sealing, clock }
    }

    /// Wraps with the newest sealing key whatever another one wrapped, and writes that down.
    ///
    /// # Errors
    /// [`ServiceError::Store`]; what was done until then is done.
    pub async fn run(&self, caller: &Caller) -> Result<Rewrapped, ServiceError> {
        let newest = self.sealing.key_id();
        let mut outcome = Rewrapped::default();
        for table in DataKeyTable::ALL {
            self.renew(table, &newest, &mut outcome).await?;
        }
        let entry = caller.did(self.clock.now(), Action::KeysRotate, String::new());
        let entry = entry
            .with("sealing_key", newest)
            .with("keys", outcome.wrapped.to_string())
            .with("lost", outcome.lost.to_string());
        self.store.append(entry).await?;
        Ok(outcome)
    }

    async fn renew(&self, table: DataKeyTable, newest: &str, outcome: &mut Rewrapped) -> Result<(), ServiceError> {
        let mut after = 0;
        loop {
            let page = self.store.data_keys_not_of(table, newest, after, WRAPPED_AT_ONCE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.row;
            let mut renewed = Vec::with_capacity(page.len());
            for stored in page {
                let owner = match &stored.owner {
                    DataKeyOwner::Session(name) => owner_of(name),
                    DataKeyOwner::Candidate(tenant, id) => candidate_owner(tenant, id),
                };
                match self.sealing.unwrap(&owner, &stored.key) {
                    Ok(key) => renewed.push((stored.row, stored.key, self.sealing.wrap(&owner, &key)?)),
                    Err(error) => {
                        outcome.lost += 1;
                        tracing::error!(
                            key.row = stored.row,
                            error = &error as &dyn std::error::Error,
                            "the key of a session or candidate cannot be opened"
                        );
                    }
                }
            }
            outcome.wrapped += self.store.renew_data_keys(table, renewed).await?;
        }
    }
}

impl std::fmt::Debug for KeyRotation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRotation").field("sealing", &self.sealing).finish_non_exhaustive()
    }
}
