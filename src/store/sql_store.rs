//! The store: one writer and a pool of readers on one database.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use sqlx::AnyPool;

use crate::audit::Event;
use crate::keys::{SigningKey, VerifyingKey};
use crate::service::ports::{
    AuditLog, Page, ScorePoint, SessionCommit, SessionPatch, SessionQuery, SessionRecord, SessionStore, StoreError,
};
use crate::session::{JournalEntry, ParticipantId, Segment, SessionName, TenantId};
use crate::telemetry::metrics;

use super::Connection;
use super::audit_log::{Append, Begin};
use super::dialect::Dialect;
use super::failure::{Refusal, backend, other};
use super::journal::{corrupt, decode};
use super::open::{open_writer, read_pool};
use super::options::StoreOptions;
use super::read::{self, StoredJournal};
use super::row::to_u64;
use super::score_json::decode_point;
use super::write::{Commit, Create, Delete, DeleteExpired, Ping, Update};
use super::writer::Writer;

/// Keeps sessions in one SQLite file or one PostgreSQL database.
pub struct SqlStore {
    pub(super) writer: Writer,
    readers: AnyPool,
    dialect: Dialect,
    /// Signs where the audit log begins.
    pub(super) signing_key: Arc<SigningKey>,
}

impl SqlStore {
    /// Opens the database, makes the file when it is missing, and brings the schema up to date. `signing_key` signs where the
    /// audit log ends from now on, `former_keys` may have done so before.
    ///
    /// # Errors
    /// [`StoreError::Backend`] when the database cannot be made, reached or written, is none, was written by a newer version
    /// of this program, or has an audit log that another key signed.
    pub async fn open(
        options: &StoreOptions,
        signing_key: Arc<SigningKey>,
        former_keys: &[VerifyingKey],
    ) -> Result<Arc<Self>, StoreError> {
        options.validate().map_err(|error| other("checking the options", error))?;
        let known_keys = former_keys.iter().chain([&signing_key.verifying_key()]).map(VerifyingKey::key_id).collect();
        let connection = open_writer(options).await?;
        let writer = Writer::start(connection, options, Arc::clone(&signing_key));
        writer.apply(Begin { known_keys }).await?;
        Ok(Arc::new(Self { writer, readers: read_pool(options)?, dialect: Dialect::of(options), signing_key }))
    }

    /// Writes what is queued and closes the database; later calls fail.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Runs `work` on one snapshot of the database.
    pub(super) async fn read<T>(
        &self,
        doing: &'static str,
        work: impl for<'c> FnOnce(&'c mut Connection) -> Reading<'c, T> + Send,
    ) -> Result<T, StoreError> {
        let explain = |error| match error {
            Refusal::Own(error) => error,
            Refusal::Database(error) => backend(doing, error),
        };
        let begun = self.readers.begin_with(self.dialect.begin_read()).await;
        let mut snapshot = begun.map_err(|error| backend(doing, error))?;
        let outcome = work(&mut snapshot).await.map_err(explain);
        // Nothing was changed; rolling back only frees the snapshot, and dropping it would do so too, a moment later.
        drop(snapshot.rollback().await);
        outcome
    }
}

/// A read in progress.
pub(super) type Reading<'c, T> = Pin<Box<dyn Future<Output = Result<T, Refusal>> + Send + 'c>>;

impl std::fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlStore").field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

#[async_trait::async_trait]
impl AuditLog for SqlStore {
    async fn append(&self, entry: Event) -> Result<(), StoreError> {
        self.writer.apply(Append { entry }).await
    }
}

#[async_trait::async_trait]
impl SessionStore for SqlStore {
    async fn create(
        &self,
        record: SessionRecord,
        request_id: Option<String>,
        audit: Event,
    ) -> Result<SessionRecord, StoreError> {
        self.writer.apply(Create { record, request_id, audit }).await
    }

    async fn get(&self, name: &SessionName) -> Result<SessionRecord, StoreError> {
        let name = name.clone();
        self.read("reading a session", |snapshot| Box::pin(async move { read::session(snapshot, &name).await })).await
    }

    async fn list(&self, tenant: &TenantId, query: &SessionQuery) -> Result<Page<SessionRecord>, StoreError> {
        let (tenant, query) = (tenant.clone(), query.clone());
        self.read("listing sessions", |snapshot| {
            Box::pin(async move { read::sessions(snapshot, &tenant, &query).await })
        })
        .await
    }

    async fn update(
        &self,
        name: &SessionName,
        patch: SessionPatch,
        expected_revision: Option<u64>,
        audit: Event,
    ) -> Result<SessionRecord, StoreError> {
        self.writer.apply(Update { name: name.clone(), patch, expected_revision, audit }).await
    }

    async fn delete(&self, name: &SessionName, expected_revision: Option<u64>, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(Delete { name: name.clone(), expected_revision, audit }).await
    }

    async fn commit(&self, commit: SessionCommit) -> Result<(), StoreError> {
        let start = Instant::now();
        let outcome = self.writer.apply(Commit::encode(commit)?).await;
        if outcome.is_ok() {
            metrics::commit_took(start.elapsed());
        }
        outcome
    }

    async fn journal(&self, name: &SessionName) -> Result<Vec<JournalEntry>, StoreError> {
        let doing = "reading a journal";
        let name = name.clone();
        let stored = self.read(doing, |snapshot| Box::pin(async move { read::journal(snapshot, &name).await })).await?;
        tokio::task::spawn_blocking(move || decode_journal(&stored)).await.map_err(|error| other(doing, error))?
    }

    async fn segments(
        &self,
        name: &SessionName,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<Page<Segment>, StoreError> {
        let name = name.clone();
        let token = page_token.map(str::to_owned);
        self.read("listing segments", move |snapshot| {
            Box::pin(async move { read::segments(snapshot, &name, page_size, token.as_deref()).await })
        })
        .await
    }

    async fn score_points(
        &self,
        name: &SessionName,
        participant: &ParticipantId,
        limit: u32,
    ) -> Result<Vec<ScorePoint>, StoreError> {
        let doing = "reading scores";
        let name = name.clone();
        let participant = participant.clone();
        let rows = self
            .read(doing, move |snapshot| {
                Box::pin(async move { read::score_windows(snapshot, &name, &participant, limit).await })
            })
            .await?;
        // Those of a long interview are megabytes of JSON: not on a thread that serves others.
        let decoded = tokio::task::spawn_blocking(move || rows.iter().map(|row| decode_point(row)).collect());
        decoded.await.map_err(|error| other(doing, error))?
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
