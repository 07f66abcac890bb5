//! What an operator can set about the store.

use std::path::PathBuf;

use serde::Deserialize;

/// Where sessions are kept and how much may wait to be written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreOptions {
    /// The SQLite file; made with mode 0600 when missing. Its `-wal` and `-shm` neighbours belong to it.
    pub database: PathBuf,
    /// Milliseconds to wait for a lock that another process holds before the call fails.
    pub busy_timeout_millis: u64,
    /// Writes that may wait before new ones are refused.
    pub max_pending_writes: usize,
    /// Writes that share one transaction, and so one flush of the disk.
    pub max_batch_writes: usize,
    /// Connections that read beside the one that writes.
    pub read_connections: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            database: PathBuf::new(),
            busy_timeout_millis: 5_000,
            max_pending_writes: 1_024,
            max_batch_writes: 256,
            read_connections: 4,
        }
    }
}

impl StoreOptions {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// The name of the first key that is out of range, and what is allowed.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        if self.max_pending_writes == 0 || self.max_pending_writes > 1_000_000 {
            return Err(("max_pending_writes", "must be 1 to 1000000"));
        }
        if self.max_batch_writes == 0 || self.max_batch_writes > 100_000 {
            return Err(("max_batch_writes", "must be 1 to 100000"));
        }
        if self.read_connections == 0 || self.read_connections > 256 {
            return Err(("read_connections", "must be 1 to 256"));
        }
        if self.busy_timeout_millis > 600_000 {
            return Err(("busy_timeout_millis", "must be at most 600000 (ten minutes)"));
        }
        Ok(())
    }
}
