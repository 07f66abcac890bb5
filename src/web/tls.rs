//! TLS of the pages: certificate and key from files, handshakes with the connection that they belong to.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor};

use super::options::WebError;

/// Files of the pages' identity, PEM. They are read at start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsOptions {
    /// Certificate chain, the server's own first.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// Reads both files.
///
/// # Errors
/// [`WebError::TlsFile`] for a file that cannot be read or used, [`WebError::Tls`] when they do not belong together.
pub(super) async fn acceptor(options: &TlsOptions) -> Result<TlsAcceptor, WebError> {
    let (cert, key) = (read("cert", &options.cert).await?, read("key", &options.key).await?);
    let unusable = |key, path: &Path, problem: &str| {
        let source = io::Error::new(io::ErrorKind::InvalidData, problem.to_owned());
        WebError::TlsFile { key, path: path.to_owned(), source }
    };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&cert)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable("cert", &options.cert, &error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable("cert", &options.cert, "there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_slice(&key)
        // Its text could quote the key.
        .map_err(|_error| unusable("key", &options.key, "there is no private key in it"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| WebError::Tls { problem: source.to_string() })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, WebError> {
    tokio::fs::read(path).await.map_err(|source| WebError::TlsFile { key, path: path.to_owned(), source })
}

/// What a connection's bytes go through.
pub(super) enum Transport {
    /// Nothing.
    Plain(TcpStream),
    /// A handshake, which whoever first reads or writes drives on.
    Shaking(Box<Accept<TcpStream>>),
    /// TLS.
    Secure(Box<TlsStream<TcpStream>>),
    /// A handshake that failed; there is nothing to say any more.
    Failed,
}

impl Transport {
    pub(super) fn new(stream: TcpStream, acceptor: Option<&TlsAcceptor>) -> Self {
        match acceptor {
            Some(acceptor) => Self::Shaking(Box::new(acceptor.accept(stream))),
            None => Self::Plain(stream),
        }
    }

    /// Drives a handshake on, if there is one; whether there was.
    pub(super) fn poll_shake(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Self::Shaking(accept) = self else { return Poll::Ready(Ok(false)) };
        match ready!(Pin::new(accept.as_mut()).poll(context)) {
            Ok(stream) => {
                *self = Self::Secure(Box::new(stream));
                Poll::Ready(Ok(true))
            }
            Err(error) => {
                *self = Self::Failed;
                tracing::debug!(%error, "a TLS handshake failed");
                Poll::Ready(Err(error))
            }
        }
    }

    pub(super) fn poll_read(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_read(context, buffer),
            Self::Shaking(_) | Self::Failed => closed(),
        }
    }

    pub(super) fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_write(context, bytes),
            Self::Shaking(_) | Self::Failed => closed(),
        }
    }

    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_flush(context),
            Self::Shaking(_) | Self::Failed => Poll::Ready(Ok(())),
        }
    }

    pub(super) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Secure(stream) => Pin::new(stream.as_mut()).poll_shutdown(context),
            Self::Shaking(_) | Self::Failed => Poll::Ready(Ok(())),
        }
    }
}

fn closed<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}
