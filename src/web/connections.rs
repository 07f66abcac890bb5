//! Accepts connections: so many at a time, and none that stands still.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// After a failed accept (out of file descriptors, client gone already) the next try waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A connection on which nothing could be sent for so long is closed: whoever sends a request letter by letter, takes no
/// answer, or has nothing to ask. Longer than a request may take, and than a live page is quiet.
const PATIENCE: Duration = Duration::from_mins(1);

/// Accepts at most so many connections at a time.
#[derive(Debug)]
pub(super) struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
}

impl Connections {
    pub(super) fn new(listener: TcpListener, max_connections: u32) -> Self {
        let permits = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        Self { listener, permits: Arc::new(Semaphore::new(permits)) }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // The semaphore is never closed; should it be, connections are not counted.
            let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok((stream, address)) => return (Connection::new(stream, permit), address),
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Connections>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// One accepted connection.
pub(super) struct Connection {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(stream: TcpStream, permit: Option<OwnedSemaphorePermit>) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not switch off write coalescing");
        }
        Self { stream, deadline: Box::pin(tokio::time::sleep(PATIENCE)), _permit: permit }
    }

    /// An error once nothing was sent for too long.
    fn patience(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(over) = self.patience(context) {
            return Poll::Ready(over);
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(written) => {
                self.deadline.as_mut().reset(Instant::now() + PATIENCE);
                Poll::Ready(written)
            }
            Poll::Pending => self.patience(context).map(|over| over.map(|()| 0)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::serve::Listener as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::{Connections, PATIENCE};

    const ALMOST: Duration = PATIENCE.saturating_sub(Duration::from_secs(1));

    async fn pair(max_connections: u32) -> (Connections, std::net::SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        (Connections::new(listener, max_connections), address)
    }

    #[tokio::test]
    async fn a_client_that_sends_byte_by_byte_is_cut_off_and_an_answer_gives_it_more_time() {
        let (mut connections, address) = pair(1).await;
        let mut client = TcpStream::connect(address).await.expect("connects");
        let (mut server, _) = connections.accept().await;
        tokio::time::pause();
        client.write_all(b"G").await.expect("sends");
        assert_eq!(server.read_u8().await.expect("is there"), b'G');
        tokio::time::advance(ALMOST).await;
        server.write_all(b"x").await.expect("answers");
        tokio::time::advance(ALMOST).await;
        client.write_all(b"E").await.expect("sends");
        assert_eq!(server.read_u8().await.expect("is there"), b'E');
        tokio::time::advance(Duration::from_secs(2)).await;
        let late = server.read_u8().await.expect_err("is over");
        assert_eq!(late.kind(), std::io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn no_more_connections_than_allowed_are_taken() {
        let (mut connections, address) = pair(1).await;
        let _first = TcpStream::connect(address).await.expect("connects");
        let _second = TcpStream::connect(address).await.expect("the system takes it");
        let (taken, _) = connections.accept().await;
        let is_full = tokio::time::timeout(Duration::from_millis(100), connections.accept()).await.is_err();
        assert!(is_full);
        drop(taken);
        tokio::time::timeout(Duration::from_secs(5), connections.accept()).await.expect("there is room again");
    }
}
