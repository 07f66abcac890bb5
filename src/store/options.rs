//! What an operator can set about the store.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::error::InvalidOption;

/// Address of a PostgreSQL database, with a password in it as a rule: never shown.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct PostgresUrl(SecretString);

impl PostgresUrl {
    /// Wraps an address.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self(SecretString::from(url))
    }

    /// Whether there is none, and SQLite is used.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.expose_secret().is_empty()
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for PostgresUrl {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for PostgresUrl {}

impl std::fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_empty() { "none" } else { "<redacted>" })
    }
}

/// Where sessions are kept and how much may wait to be written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreOptions {
    /// The SQLite file; made with mode 0600 when missing. Its `-wal` and `-shm` neighbours belong to it.
    pub database: PathBuf,
    /// A PostgreSQL database that is used instead, for several servers on one set of sessions; empty = the SQLite file.
    pub postgres_url: PostgresUrl,
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
            postgres_url: PostgresUrl::default(),
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
    /// [`InvalidOption`] for the first key that is out of range.
    pub fn validate(&self) -> Result<(), InvalidOption> {
        let in_range = |key, value: u64, range: RangeInclusive<u64>| {
            let problem = || format!("is {value}, must be {} to {}", range.start(), range.end());
            if range.contains(&value) { Ok(()) } else { Err(InvalidOption { key, problem: problem() }) }
        };
        in_range("busy_timeout_millis", self.busy_timeout_millis, 0..=600_000)?;
        in_range("max_pending_writes", self.max_pending_writes as u64, 1..=1_000_000)?;
        in_range("max_batch_writes", self.max_batch_writes as u64, 1..=100_000)?;
        in_range("read_connections", u64::from(self.read_connections), 1..=256)
    }
}
