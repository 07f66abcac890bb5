//! The audit log for those who only read it, beside a running server or without one.

use sqlx::AnyPool;

use crate::audit::{Broken, Checkpoint, CheckpointKind, Digest, Event, StoredRow, Summary};
use crate::keys::VerifyingKey;
use crate::service::ports::StoreError;

use super::audit_log;
use super::dialect::Dialect;
use super::failure::{Refusal, backend, other};
use super::journal::corrupt;
use super::open::read_pool;
use super::options::StoreOptions;

const DOING: &str = "checking the audit log";

/// Why the audit log is not in order.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// It was tampered with.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the audit log of a database that it does not change.
#[derive(Debug)]
pub struct AuditReader {
    readers: AnyPool,
    dialect: Dialect,
}

impl AuditReader {
    /// Opens the database to be read.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when there is none.
    pub fn open(options: &StoreOptions) -> Result<Self, StoreError> {
        let dialect = Dialect::of(options);
        if dialect == Dialect::Sqlite && !options.database.is_file() {
            let problem = format!("{} does not exist: check store.database", options.database.display());
            return Err(other(DOING, problem));
        }
        Ok(Self { readers: read_pool(options)?, dialect })
    }

    /// Walks the whole log and checks every digest and signature against `keys`.
    ///
    /// # Errors
    /// [`AuditError::Broken`] with the place, [`AuditError::Store`] when the log cannot be read.
    pub async fn verify(&self, keys: &[VerifyingKey]) -> Result<Summary, AuditError> {
        let begun = self.readers.begin_with(self.dialect.begin_read()).await;
        let mut snapshot = begun.map_err(|error| backend(DOING, error))?;
        match audit_log::verify(&mut snapshot, keys).await {
            Ok(outcome) => Ok(outcome?),
            Err(Refusal::Own(error)) => Err(error.into()),
            Err(Refusal::Database(error)) => Err(backend(DOING, error).into()),
        }
    }

    /// At most `limit` entries after row `after`, each with its row.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for one that cannot be read.
    pub async fn page(&self, after: u64, limit: u32) -> Result<Vec<(u64, Event)>, StoreError> {
        let rows = self.rows(after, limit).await?;
        rows.iter().map(|row| Event::from_json(&row.event).map_err(|error| corrupt(error.to_string()))).collect()
    }

    /// Checks that the log has row `row` with the digest `digest`, 64 hex digits.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when it has another one or none.
    pub async fn require(&self, row: u64, digest: &str) -> Result<(), StoreError> {
        let rows = self.rows(row.saturating_sub(1), 1).await?;
        let found =
            rows.first().filter(|found| found.sequence == row).and_then(|found| Digest::from_bytes(&found.hash));
        if found.is_some_and(|found| found.to_string() == digest) {
            return Ok(());
        }
        let anchor = self.anchor().await?;
        if let Some(anchor) = anchor.filter(|anchor| row <= anchor.sequence) {
            if row == anchor.sequence && anchor.hash.to_string() == digest {
                return Ok(());
            }
            let problem = format!(
                "audit row {row} was deleted at the end of its retention: the log goes on after row {}",
                anchor.sequence
            );
            return Err(StoreError::Corrupt { problem });
        }
        let problem = format!("audit row {row} is not the one with the digest {digest}: the log was replaced");
        Err(StoreError::Corrupt { problem })
    }

    /// Where the log begins, if retention took what came before.
    async fn anchor(&self) -> Result<Option<Checkpoint>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(|error| backend(DOING, error))?;
        audit_log::last_checkpoint(&mut connection, CheckpointKind::Anchor).await.map_err(|refusal| match refusal {
            Refusal::Own(error) => error,
            Refusal::Database(error) => backend(DOING, error),
        })
    }

    async fn rows(&self, after: u64, limit: u32) -> Result<Vec<StoredRow>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(|error| backend(DOING, error))?;
        audit_log::rows_after(&mut connection, after, limit).await.map_err(|refusal| match refusal {
            Refusal::Own(error) => error,
            Refusal::Database(error) => backend(DOING, error),
        })
    }
}
