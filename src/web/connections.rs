//! Accepts connections: so many at a time, and none that stands still.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;

use super::tls::Transport;

/// After a failed accept (out of file descriptors, client gone already) the next try waits this long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// A connection on which nothing could be sent for so long is closed: whoever sends a request letter by letter, takes no
/// answer, or has nothing to ask. Longer than a request may take, and than a live page is quiet.
const PATIENCE: Duration = Duration::from_mins(1);

/// A TLS handshake takes a round trip or two; who needs longer holds a connection for nothing.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// Accepts at most so many connections at a time.
pub(super) struct Connections {
    listener: TcpListener,
    permits: Arc<Semaphore>,
    tls: Option<TlsAcceptor>,
}

impl Connections {
    pub(super) fn new(listener: TcpListener, max_connections: u32, tls: Option<TlsAcceptor>) -> Self {
        let permits = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        Self { listener, permits: Arc::new(Semaphore::new(permits)), tls }
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
                Ok((stream, address)) => return (Connection::new(stream, self.tls.as_ref(), permit), address),
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

/// One accepted connection. Its handshake is its own task's: accepting goes on meanwhile.
pub(super) struct Connection {
    stream: Transport,
    deadline: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    fn new(stream: TcpStream, tls: Option<&TlsAcceptor>, permit: Option<OwnedSemaphorePermit>) -> Self {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "could not switch off write coalescing");
        }
        let patience = if tls.is_some() { HANDSHAKE_PATIENCE } else { PATIENCE };
        let deadline = Box::pin(tokio::time::sleep(patience));
        Self { stream: Transport::new(stream, tls), deadline, _permit: permit }
    }

    /// Ready once requests can be read and answers written.
    fn poll_shake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if ready!(self.stream.poll_shake(context))? {
            self.deadline.as_mut().reset(Instant::now() + PATIENCE);
        }
        Poll::Ready(Ok(()))
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
        ready!(self.poll_shake(context))?;
        self.stream.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let writing = match self.poll_shake(context) {
            Poll::Ready(Ok(())) => self.stream.poll_write(context, bytes),
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        };
        match writing {
            Poll::Ready(written) => {
                self.deadline.as_mut().reset(Instant::now() + PATIENCE);
                Poll::Ready(written)
            }
            Poll::Pending => self.patience(context).map(|over| over.map(|()| 0)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.stream.poll_flush(context) {
            Poll::Ready(flushed) => Poll::Ready(flushed),
            Poll::Pending => self.patience(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.stream.poll_shutdown(context) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => self.patience(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::serve::Listener as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::server::ResolvesServerCertUsingSni;

    use super::{Connections, HANDSHAKE_PATIENCE, PATIENCE};

    const ALMOST: Duration = PATIENCE.saturating_sub(Duration::from_secs(1));

    async fn pair(max_connections: u32) -> (Connections, std::net::SocketAddr) {
        pair_with(max_connections, None).await
    }

    async fn pair_with(max_connections: u32, tls: Option<TlsAcceptor>) -> (Connections, std::net::SocketAddr) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        (Connections::new(listener, max_connections, tls), address)
    }

    /// TLS that knows no certificate, for handshakes that never come so far.
    fn tls() -> TlsAcceptor {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().expect("speaks TLS").with_no_client_auth();
        TlsAcceptor::from(Arc::new(config.with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()))))
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
    async fn whoever_stands_still_in_a_handshake_keeps_nobody_waiting_and_is_cut_off() {
        let (mut connections, address) = pair_with(2, Some(tls())).await;
        let _silent = TcpStream::connect(address).await.expect("connects");
        let (mut server, _) = connections.accept().await;
        let mut plain = TcpStream::connect(address).await.expect("connects");
        let (mut other, _) = connections.accept().await;
        plain.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sends");
        let refused = other.read_u8().await.expect_err("is no handshake");
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidData);
        other.read_u8().await.expect_err("stays so");
        other.write_all(b"x").await.expect_err("there is nobody to answer");
        other.shutdown().await.expect("is over");
        tokio::time::pause();
        let began = tokio::time::Instant::now();
        let late = server.read_u8().await.expect_err("is over");
        assert_eq!(late.kind(), std::io::ErrorKind::TimedOut);
        assert!(began.elapsed() < HANDSHAKE_PATIENCE + Duration::from_secs(1), "{:?}", began.elapsed());
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
