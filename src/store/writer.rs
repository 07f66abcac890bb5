//! The one task that writes: drains a bounded queue and gives many operations one transaction, and so one flush.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::Connection as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::audit::Event;
use crate::keys::SigningKey;
use crate::service::ports::StoreError;
use crate::telemetry::metrics;

use super::Connection;
use super::audit_log;
use super::dialect::Dialect;
use super::failure::{is_conflict, other};
use super::open;
use super::operation::{Applied, Job, Operation, Pending, Step};
use super::options::StoreOptions;

/// Hands operations to the writer task. The task ends, with everything written, when this is dropped or closed.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    max_pending: u64,
}

impl Writer {
    /// Starts the task on an open connection.
    pub(super) fn start(connection: Connection, options: &StoreOptions, signing_key: Arc<SigningKey>) -> Self {
        let (queue, jobs) = mpsc::channel(options.max_pending_writes.max(1));
        let task = WriterTask {
            connection: Some(connection),
            dialect: Dialect::of(options),
            options: options.clone(),
            signing_key,
            must_erase: false,
        };
        Self {
            queue: Mutex::new(Some(queue)),
            task: Mutex::new(Some(tokio::spawn(task.run(jobs)))),
            max_pending: options.max_pending_writes as u64,
        }
    }

    /// Applies an operation; durable when this returns.
    ///
    /// # Errors
    /// [`StoreError::Behind`] when the queue is full, else what the operation says.
    pub(super) async fn apply<O: Operation>(&self, operation: O) -> Result<O::Output, StoreError> {
        let closed = || other(O::DOING, "the store is closed");
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (job, outcome) = Pending::boxed(operation);
        let _pending = metrics::pending_write();
        match queue.ok_or_else(closed)?.try_send(job) {
            Ok(()) => outcome.await.map_err(|_gone| closed())?,
            Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::Behind { pending: self.max_pending }),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(closed()),
        }
    }

    /// Refuses new operations and waits until the queued ones are written.
    pub(super) async fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(error = %error, "store's writer task ended badly");
        }
    }
}

struct WriterTask {
    /// `None` after a failure, until the next batch opens it again.
    connection: Option<Connection>,
    dialect: Dialect,
    options: StoreOptions,
    /// Signs where the audit log ends.
    signing_key: Arc<SigningKey>,
    /// Erased content may still stand in the write-ahead log.
    must_erase: bool,
}

impl WriterTask {
    async fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut jobs = Vec::new();
        while queue.recv_many(&mut jobs, self.options.max_batch_writes.max(1)).await > 0 {
            let outcome = self.write_batch(&mut jobs).await;
            metrics::batch_written(jobs.len());
            match outcome {
                // Another server was in the way of one of them: each gets a transaction of its own.
                Err(error) if jobs.len() > 1 && is_conflict(&error) => {
                    for mut job in jobs.drain(..) {
                        let outcome = self.write_batch(std::slice::from_mut(&mut job)).await;
                        self.after_batch(job.erases(), outcome.is_ok()).await;
                        job.settle(outcome);
                    }
                }
                outcome => {
                    let erases = jobs.iter().any(|job| job.erases());
                    self.after_batch(erases, outcome.is_ok()).await;
                    for job in jobs.drain(..) {
                        job.settle(outcome.clone());
                    }
                }
            }
        }
        self.close().await;
    }

    async fn after_batch(&mut self, erases: bool, is_written: bool) {
        if is_written {
            self.must_erase |= erases;
            self.erase_log().await;
        } else {
            metrics::write_failed();
            // Whatever state the transaction was in, closing the connection rolls it back.
            self.close().await;
        }
    }

    /// One transaction for all jobs, one savepoint for each, and at its end what they say to the audit log. Left open after an
    /// error: whoever goes on has to close the connection.
    async fn write_batch(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Arc<sqlx::Error>> {
        if self.connection.is_none() {
            self.connection = Some(open::reconnect(&self.options).await?);
        }
        let outcome = self.write_open_batch(jobs).await;
        if outcome.as_ref().is_err_and(|error| is_conflict(error))
            && let Some(connection) = &mut self.connection
        {
            execute(connection, "ROLLBACK").await?;
        }
        outcome
    }

    async fn write_open_batch(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Arc<sqlx::Error>> {
        let Some(connection) = &mut self.connection else { return Err(Arc::new(sqlx::Error::WorkerCrashed)) };
        execute(connection, self.dialect.begin()).await?;
        let mut audit: Vec<Event> = Vec::new();
        for job in jobs {
            execute(connection, "SAVEPOINT job").await?;
            let mut step = Step { connection: &mut *connection, dialect: self.dialect, audit: Vec::new() };
            let applied = job.apply(&mut step).await;
            let said = step.audit;
            match applied {
                Applied::Kept => audit.extend(said),
                Applied::Undo => execute(connection, "ROLLBACK TO SAVEPOINT job").await?,
                Applied::Failed(cause) if is_conflict(&cause) => return Err(cause),
                // A full disk ends the whole transaction; then there is nothing to go back to, and its cause is the one to tell.
                Applied::Failed(cause) => {
                    execute(connection, "ROLLBACK TO SAVEPOINT job").await.map_err(|_gone| cause)?;
                }
            }
            execute(connection, "RELEASE SAVEPOINT job").await?;
        }
        if !audit.is_empty() {
            audit_log::append(connection, self.dialect, &self.signing_key, audit).await?;
        }
        execute(connection, "COMMIT").await
    }

    /// Empties the write-ahead log after content was erased; tried again later while a reader holds it.
    async fn erase_log(&mut self) {
        let is_needed = self.must_erase && self.dialect == Dialect::Sqlite;
        let Some(connection) = self.connection.as_mut().filter(|_| is_needed) else { return };
        let outcome: Result<(i64, i64, i64), _> =
            sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await;
        match outcome {
            Ok((is_busy, _, _)) => self.must_erase = is_busy != 0,
            Err(error) => {
                tracing::warn!(error = %error, "cannot empty the write-ahead log after a deletion, will try again");
            }
        }
    }

    async fn close(&mut self) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(error = %error, "closing the database failed");
        }
    }
}

async fn execute(connection: &mut Connection, statement: &'static str) -> Result<(), Arc<sqlx::Error>> {
    sqlx::query(statement).execute(connection).await.map(drop).map_err(Arc::new)
}
