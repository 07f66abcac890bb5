//! Accepts connections: so many at a time, and closable all at once at the end of a shutdown.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// After a failed accept (out of file descriptors, client gone already) the next try waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections of `listener`, at most `max_connections` at a time; all of them read as ended once `closing` is cancelled.
pub(super) fn connections(
    listener: TcpListener,
    max_connections: u32,
    closing: CancellationToken,
) -> impl Stream<Item = io::Result<Connection>> {
    let permits = Arc::new(Semaphore::new(usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS)));
    stream::unfold((listener, permits, closing), |(listener, permits, closing)| async move {
        // The semaphore is never closed, so an error here would only mean that there is nothing more to accept.
        let permit = Arc::clone(&permits).acquire_owned().await.ok()?;
        let stream = loop {
            match listener.accept().await {
                Ok((stream, _)) => break stream,
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not switch off write coalescing");
        }
        let closed = Box::pin(closing.clone().cancelled_owned());
        Some((Ok(Connection { stream, closed, _permit: permit }), (listener, permits, closing)))
    })
}

/// One accepted connection.
pub(super) struct Connection {
    stream: TcpStream,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    _permit: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use tokio::io::AsyncReadExt as _;
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::sync::CancellationToken;

    use super::connections;

    #[tokio::test]
    async fn a_connection_past_the_limit_waits_for_one_to_close() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let mut incoming = Box::pin(connections(listener, 1, CancellationToken::new()));
        let _clients =
            [TcpStream::connect(address).await.expect("open"), TcpStream::connect(address).await.expect("open")];
        let first = incoming.next().await.expect("endless").expect("accepted");
        assert!(futures_util::poll!(incoming.next()).is_pending());
        drop(first);
        assert!(incoming.next().await.expect("endless").is_ok());
    }

    #[tokio::test]
    async fn closing_reads_as_the_end() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let closing = CancellationToken::new();
        let mut incoming = Box::pin(connections(listener, 8, closing.clone()));
        let _client = TcpStream::connect(address).await.expect("open");
        let mut connection = incoming.next().await.expect("endless").expect("accepted");
        let read = tokio::spawn(async move { connection.read(&mut [0; 8]).await });
        closing.cancel();
        assert_eq!(read.await.expect("no panic").expect("no error"), 0);
    }
}
