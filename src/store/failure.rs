//! What the database says when it fails, turned into what an operator can do.

use std::sync::Arc;

use crate::service::ports::StoreError;

/// SQLite's primary result codes that have a remedy of their own (<https://sqlite.org/rescode.html>).
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO_ERROR: i32 = 10;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const CANNOT_OPEN: i32 = 14;
const NOT_A_DATABASE: i32 = 26;

/// A failed statement with what can be done about it.
#[derive(Debug, thiserror::Error)]
#[error("{advice}")]
pub(super) struct DatabaseFailure {
    advice: &'static str,
    #[source]
    source: Arc<sqlx::Error>,
}

/// Why one operation of a batch did not happen.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The operation itself is refused; the rest of the batch is not concerned.
    Own(StoreError),
    /// The database failed; the transaction may be gone.
    Database(Arc<sqlx::Error>),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Own(error)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

/// A [`StoreError::Backend`] with its remedy.
pub(super) fn backend(doing: &'static str, source: impl Into<Arc<sqlx::Error>>) -> StoreError {
    let source = source.into();
    StoreError::Backend { doing, source: Box::new(DatabaseFailure { advice: advice(&source), source }) }
}

/// A [`StoreError::Backend`] for something that is no database error.
pub(super) fn other(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Backend { doing, source: source.into() }
}

fn advice(error: &sqlx::Error) -> &'static str {
    match primary_code(error) {
        Some(FULL) => "the disk is full: free some space, writing goes on by itself",
        Some(BUSY | LOCKED) => "the database is locked by another process: stop it, or raise store.busy_timeout_millis",
        Some(READ_ONLY) => "the database cannot be written: check the permissions of the file and its folder",
        Some(IO_ERROR) => "the disk failed to read or write: check its space, quota and health",
        Some(CORRUPT) => "the database file is damaged: restore it from a backup",
        Some(NOT_A_DATABASE) => "the file is not a SQLite database: check store.database",
        Some(CANNOT_OPEN) => "the database cannot be opened: check that its folder exists and can be written",
        Some(_) | None if matches!(error, sqlx::Error::PoolTimedOut) => {
            "every connection is busy: raise store.read_connections"
        }
        Some(_) | None => "the database refused a statement",
    }
}

/// Whether another process was in the way and the same may go well in a moment (PostgreSQL, SQLSTATE class 40).
pub(super) fn is_conflict(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code.len() == 5 && code.starts_with("40"))
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
