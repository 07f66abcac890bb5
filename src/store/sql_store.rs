//! The store itself: the port on top of one writer and a pool of readers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqlitePool;

use crate::scoring::Score;
use crate::service::ports::{Page, SessionCommit, SessionPatch, SessionQuery, SessionRecord, SessionStore, StoreError};
use crate::session::{JournalEntry, ParticipantId, Segment, SessionId};
use crate::telemetry::metrics;

use super::failure::{Refusal, backend, other};
use super::journal::{corrupt, decode};
use super::open::{open_writer, read_pool};
use super::options::StoreOptions;
use super::read::{self, StoredJournal};
use super::row::to_u64;
use super::write::{Commit, Create, Delete, DeleteExpired, Ping, Update};
use super::writer::Writer;

/// Keeps sessions in one SQLite file.
pub struct SqliteStore {
    writer: Writer,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database, makes it when it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the file cannot be made, opened or written, is no database, or was written by a newer
    /// version of this program.
    pub async fn open(options: &StoreOptions) -> Result<Arc<Self>, StoreError> {
        options.validate().map_err(|error| other("checking the options", error))?;
        let connection = open_writer(options).await?;
        Ok(Arc::new(Self { writer: Writer::start(connection, options), readers: read_pool(options) }))
    }

    /// Writes what is queued and closes the file; later calls fail.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Runs `work` on one snapshot of the database.
    async fn read<T>(
        &self,
        doing: &'static str,
        work: impl for<'c> FnOnce(&'c mut SqliteConnection) -> Reading<'c, T> + Send,
    ) -> Result<T, StoreError> {
        let explain = |error| match error {
            Refusal::Own(error) => error,
            Refusal::Database(error) => backend(doing, error),
        };
        let mut snapshot = self.readers.begin().await.map_err(|error| backend(doing, error))?;
        let outcome = work(&mut snapshot).await.map_err(explain);
        // Nothing was changed; rolling back only frees the snapshot, and dropping it would do so too, a moment later.
        drop(snapshot.rollback().await);
        outcome
    }
}

/// A read in progress.
type Reading<'c, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send + 'c>>;

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl SessionStore for SqliteStore {
    async fn create(&self, record: SessionRecord, request_id: Option<String>) -> Result<SessionRecord, StoreError> {
        self.writer.apply(Create { record, request_id }).await
    }

    async fn get(&self, id: &SessionId) -> Result<SessionRecord, StoreError> {
        let id = id.clone();
        self.read("reading a session", |snapshot| Box::pin(async move { read::session(snapshot, &id).await })).await
    }

    async fn list(&self, query: &SessionQuery) -> Result<Page<SessionRecord>, StoreError> {
        let query = query.clone();
        self.read("listing sessions", |snapshot| Box::pin(async move { read::sessions(snapshot, &query).await })).await
    }

    async fn update(
        &self,
        id: &SessionId,
        patch: SessionPatch,
        expected_revision: Option<u64>,
    ) -> Result<SessionRecord, StoreError> {
        self.writer.apply(Update { id: id.clone(), patch, expected_revision }).await
    }

    async fn delete(&self, id: &SessionId, expected_revision: Option<u64>) -> Result<(), StoreError> {
        self.writer.apply(Delete { id: id.clone(), expected_revision }).await
    }

    async fn commit(&self, commit: SessionCommit) -> Result<(), StoreError> {
        let start = Instant::now();
        let outcome = self.writer.apply(Commit::encode(commit)?).await;
        if outcome.is_ok() {
            metrics::commit_took(start.elapsed());
        }
        outcome
    }

    async fn journal(&self, id: &SessionId) -> Result<Vec<JournalEntry>, StoreError> {
        let doing = "reading a journal";
        let id = id.clone();
        let stored = self.read(doing, |snapshot| Box::pin(async move { read::journal(snapshot, &id).await })).await?;
        tokio::task::spawn_blocking(move || decode_journal(&stored)).await.map_err(|error| other(doing, error))?
    }

    async fn segments(
        &self,
        id: &SessionId,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<Page<Segment>, StoreError> {
        let id = id.clone();
        let token = page_token.map(str::to_owned);
        self.read("listing segments", move |snapshot| {
            Box::pin(async move { read::segments(snapshot, &id, page_size, token.as_deref()).await })
        })
        .await
    }

    async fn scores(&self, id: &SessionId, participant: &ParticipantId, limit: u32) -> Result<Vec<Score>, StoreError> {
        let id = id.clone();
        let participant = participant.clone();
        self.read("reading scores", move |snapshot| {
            Box::pin(async move { read::score_windows(snapshot, &id, &participant, limit).await })
        })
        .await
    }

    async fn delete_expired(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.writer.apply(DeleteExpired { now, limit }).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer.apply(Ping).await
    }
}

/// Decodes the chunks and checks that they follow each other without gap up to the session's count.
fn decode_journal(stored: &StoredJournal) -> Result<Vec<JournalEntry>, StoreError> {
    let mut entries = Vec::new();
    for (first_entry, n_entries, bytes) in &stored.chunks {
        if to_u64(*first_entry, "first_entry")? != entries.len() as u64 {
            return Err(corrupt(format!("journal has a gap before entry {first_entry}")));
        }
        decode(bytes, to_u64(*n_entries, "n_entries")?, &mut entries)?;
    }
    if entries.len() as u64 != stored.n_entries {
        return Err(corrupt(format!("journal has {} entries, its session says {}", entries.len(), stored.n_entries)));
    }
    Ok(entries)
}
