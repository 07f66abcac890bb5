//! The one task that writes: drains a bounded queue and gives many operations one transaction, and so one flush.

use std::sync::{Arc, Mutex, PoisonError};

use sqlx::{Connection, SqliteConnection};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::service::ports::StoreError;
use crate::telemetry::metrics;

use super::failure::other;
use super::open;
use super::operation::{Applied, Job, Operation, Pending};
use super::options::StoreOptions;

/// Hands operations to the writer task. The task ends, with everything written, when this is dropped or closed.
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
    max_pending: u64,
}

impl Writer {
    /// Starts the task on an open connection.
    pub(super) fn start(connection: SqliteConnection, options: &StoreOptions) -> Self {
        let (queue, jobs) = mpsc::channel(options.max_pending_writes.max(1));
        let task = WriterTask { connection: Some(connection), options: options.clone(), must_erase: false };
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
    connection: Option<SqliteConnection>,
    options: StoreOptions,
    /// Erased content may still stand in the write-ahead log.
    must_erase: bool,
}

impl WriterTask {
    async fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Job>>) {
        let mut jobs = Vec::new();
        while queue.recv_many(&mut jobs, self.options.max_batch_writes.max(1)).await > 0 {
            let outcome = self.write_batch(&mut jobs).await;
            metrics::batch_written(jobs.len());
            if outcome.is_err() {
                metrics::write_failed();
                // Whatever state the transaction was in, closing the connection rolls it back.
                self.close().await;
            } else {
                self.must_erase |= jobs.iter().any(|job| job.erases());
                self.erase_log().await;
            }
            for job in jobs.drain(..) {
                job.settle(outcome.clone());
            }
        }
        self.close().await;
    }

    /// One transaction for all jobs, one savepoint for each.
    async fn write_batch(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Arc<sqlx::Error>> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(open::reconnect(&self.options).await?),
        };
        execute(connection, "BEGIN IMMEDIATE").await?;
        for job in jobs {
            execute(connection, "SAVEPOINT job").await?;
            match job.apply(connection).await {
                Applied::Kept => {}
                Applied::Undo => execute(connection, "ROLLBACK TO job").await?,
                // A full disk ends the whole transaction; then there is nothing to go back to, and its cause is the one to tell.
                Applied::Failed(cause) => execute(connection, "ROLLBACK TO job").await.map_err(|_gone| cause)?,
            }
            execute(connection, "RELEASE job").await?;
        }
        execute(connection, "COMMIT").await
    }

    /// Empties the write-ahead log after content was erased; tried again later while a reader holds it.
    async fn erase_log(&mut self) {
        let Some(connection) = self.connection.as_mut().filter(|_| self.must_erase) else { return };
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

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), Arc<sqlx::Error>> {
    sqlx::query(statement).execute(connection).await.map(drop).map_err(Arc::new)
}
