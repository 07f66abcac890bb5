//! Operations and the jobs that carry them to the writer and their outcome back.

use std::sync::Arc;

use tokio::sync::oneshot;

use crate::audit::Event;
use crate::service::ports::StoreError;

use super::Connection;
use super::dialect::Dialect;
use super::failure::{Refusal, backend};

/// Something that changes the database, inside a transaction that it shares with others.
#[async_trait::async_trait]
pub(super) trait Operation: Send + 'static {
    /// What the caller gets.
    type Output: Send + 'static;
    /// For error messages.
    const DOING: &'static str;
    /// Whether content goes away, so that the write-ahead log has to forget it too.
    const ERASES: bool = false;

    /// Applies it. What it did is undone when it gives back an error; it may then be applied once more.
    async fn apply(&mut self, step: &mut Step<'_>) -> Result<Self::Output, Refusal>;
}

/// What an operation works with.
pub(super) struct Step<'c> {
    /// Inside the transaction.
    pub(super) connection: &'c mut Connection,
    /// Which database it is.
    pub(super) dialect: Dialect,
    /// What the audit log is to say, if the operation is kept; appended at the end of the transaction.
    pub(super) audit: Vec<Event>,
}

/// An operation of any kind on its way through the writer.
#[async_trait::async_trait]
pub(super) trait Job: Send {
    /// Applies the operation and keeps its outcome; gives back whether what it did has to be undone.
    async fn apply(&mut self, step: &mut Step<'_>) -> Applied;
    /// Whether the operation erases content.
    fn erases(&self) -> bool;
    /// Tells the caller, now that the transaction is committed or gone.
    fn settle(self: Box<Self>, batch: Result<(), Arc<sqlx::Error>>);
}

/// How applying an operation went.
pub(super) enum Applied {
    /// Done.
    Kept,
    /// Refused: undo it, go on with the next one.
    Undo,
    /// The database failed: undo it if there still is a transaction.
    Failed(Arc<sqlx::Error>),
}

/// Where an operation's outcome arrives.
pub(super) type Reply<O> = oneshot::Receiver<Result<<O as Operation>::Output, StoreError>>;

/// An operation and who waits for it.
pub(super) struct Pending<O: Operation> {
    operation: O,
    outcome: Option<Result<O::Output, Refusal>>,
    reply: oneshot::Sender<Result<O::Output, StoreError>>,
}

impl<O: Operation> Pending<O> {
    /// The job and where its outcome arrives.
    pub(super) fn boxed(operation: O) -> (Box<dyn Job>, Reply<O>) {
        let (reply, outcome) = oneshot::channel();
        (Box::new(Self { operation, outcome: None, reply }), outcome)
    }
}

#[async_trait::async_trait]
impl<O: Operation> Job for Pending<O> {
    async fn apply(&mut self, step: &mut Step<'_>) -> Applied {
        let outcome = self.operation.apply(step).await;
        let applied = match &outcome {
            Ok(_) => Applied::Kept,
            Err(Refusal::Own(_)) => Applied::Undo,
            Err(Refusal::Database(error)) => Applied::Failed(Arc::clone(error)),
        };
        self.outcome = Some(outcome);
        applied
    }

    fn erases(&self) -> bool {
        O::ERASES
    }

    fn settle(self: Box<Self>, batch: Result<(), Arc<sqlx::Error>>) {
        let result = match (self.outcome, batch) {
            (Some(Ok(output)), Ok(())) => Ok(output),
            (Some(Err(Refusal::Own(error))), Ok(())) => Err(error),
            (Some(Err(Refusal::Database(error))), _) | (_, Err(error)) => Err(backend(O::DOING, error)),
            (None, Ok(())) => Err(backend(O::DOING, sqlx::Error::WorkerCrashed)),
        };
        // A caller that is gone does not change what was written.
        drop(self.reply.send(result));
    }
}
