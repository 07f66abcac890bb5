//! The way of answers to one client: bounded, with a patience, and owned by the client's connection.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::FutureExt as _;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;

use crate::grpc::status;
use crate::telemetry::metrics::CallWatch;

/// Answers that may wait for one client; they are small.
const QUEUED_REPLIES: usize = 64;

/// The client has gone, or takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gone;

/// Sends answers to one client.
#[derive(Debug)]
pub(super) struct Replies<T> {
    queue: mpsc::Sender<Result<T, Status>>,
    patience: Duration,
}

impl<T: Send> Replies<T> {
    /// Waits for room, up to the patience, and sends one answer.
    pub(super) async fn say(&self, answer: T) -> Result<(), Gone> {
        self.queue.send_timeout(Ok(answer), self.patience).await.map_err(|_| Gone)
    }
}

/// What a client reads. Dropping it, as the transport does when the client is gone, stops the task behind it.
pub(in crate::grpc) struct ReplyStream<T> {
    queue: mpsc::Receiver<Result<T, Status>>,
    _task: AbortOnDropHandle<()>,
}

/// Counts one streaming call.
pub(super) struct StreamWatch {
    rpc: &'static str,
    call: CallWatch,
}

impl StreamWatch {
    /// A call of the method `rpc` (`Service/Method`) that begins now.
    pub(super) fn start(rpc: &'static str) -> Self {
        Self { rpc, call: CallWatch::start(rpc) }
    }

    /// Ends it with its code; dropped without, it counts as cancelled by the client.
    pub(super) fn end(self, code: tonic::Code) {
        tracing::debug!(rpc = self.rpc, code = ?code, "ended stream");
        self.call.end(code.into());
    }
}

/// Runs `work` in a task of its own and gives back what it says; a status other than OK that it ends with comes last.
pub(super) fn spawn<T, W, F>(watch: StreamWatch, patience: Duration, work: W) -> ReplyStream<T>
where
    T: Send + 'static,
    W: FnOnce(Replies<T>) -> F,
    F: Future<Output = Result<(), Status>> + Send + 'static,
{
    let (sender, queue) = mpsc::channel(QUEUED_REPLIES);
    let work = AssertUnwindSafe(work(Replies { queue: sender.clone(), patience })).catch_unwind();
    let task = tokio::spawn(async move {
        let outcome = work.await.unwrap_or_else(|_panic| Err(status::of_panic(watch.rpc)));
        watch.end(outcome.as_ref().err().map_or(tonic::Code::Ok, Status::code));
        if let Err(status) = outcome {
            // When this does not arrive either, the client has gone and there is nobody to tell.
            sender.send_timeout(Err(status), patience).await.ok();
        }
    });
    ReplyStream { queue, _task: AbortOnDropHandle::new(task) }
}

impl<T> Stream for ReplyStream<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.queue.poll_recv(context)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use futures_util::StreamExt as _;
    use tokio::sync::{mpsc, oneshot};
    use tonic::{Code, Status};

    use super::{Gone, Replies, ReplyStream, StreamWatch, spawn};

    /// Replies with a receiver to look at.
    pub(in crate::grpc::live) fn replies<T: Send>() -> (Replies<T>, mpsc::Receiver<Result<T, Status>>) {
        let (queue, receiver) = mpsc::channel(64);
        (Replies { queue, patience: Duration::from_secs(1) }, receiver)
    }

    #[tokio::test]
    async fn answers_come_in_order_and_the_status_last() {
        let stream = spawn(StreamWatch::start("Test"), Duration::from_secs(1), |replies| async move {
            for answer in 0..3 {
                replies.say(answer).await.map_err(|Gone| Status::cancelled("gone"))?;
            }
            Err(Status::unavailable("draining"))
        });
        let read: Vec<_> = stream.map(|answer| answer.map_err(|status| status.code())).collect().await;
        assert_eq!(read, [Ok(0), Ok(1), Ok(2), Err(Code::Unavailable)]);
    }

    #[tokio::test]
    async fn a_panic_becomes_internal() {
        let stream: ReplyStream<()> =
            spawn(StreamWatch::start("Test"), Duration::from_secs(1), |_| async { panic!("as a test") });
        let read: Vec<_> = stream.collect().await;
        assert_eq!(read.first().and_then(|answer| answer.as_ref().err()).map(Status::code), Some(Code::Internal));
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_cut_after_the_patience() {
        let (told, tells) = oneshot::channel();
        let stream = spawn(StreamWatch::start("Test"), Duration::from_millis(20), |replies| async move {
            let mut sent = 0;
            while replies.say(sent).await == Ok(()) {
                sent += 1;
            }
            told.send(sent).ok();
            Ok(())
        });
        assert_eq!(tells.await, Ok(64));
        drop(stream);
    }

    #[tokio::test]
    async fn dropping_the_stream_stops_the_work() {
        struct Tell(Option<oneshot::Sender<()>>);
        impl Drop for Tell {
            fn drop(&mut self) {
                self.0.take().map(|told| told.send(()));
            }
        }
        let (told, tells) = oneshot::channel();
        let guard = Tell(Some(told));
        let stream: ReplyStream<()> = spawn(StreamWatch::start("Test"), Duration::from_secs(1), |_| async move {
            let _guard = guard;
            std::future::pending().await
        });
        drop(stream);
        assert_eq!(tells.await, Ok(()));
    }
}
