//! Asks a provider: one request a connection, bounded in time, size and number, no redirects.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_util::task::AbortOnDropHandle;

use super::address::Address;

/// Longest time from a request to the end of its answer; four of them fit into the time of a page.
const DEADLINE: Duration = Duration::from_secs(9);
/// Largest answer in bytes; documents of providers have some 10 KiB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// Requests at one time.
const MAX_REQUESTS: usize = 16;
/// Who asks.
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("bonafide/", env!("CARGO_PKG_VERSION")));

/// A provider that did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub(in crate::web) enum ClientError {
    /// Too many requests at this moment.
    #[error("{MAX_REQUESTS} requests are under way already")]
    Busy,
    /// It took too long.
    #[error("no answer within {} s", DEADLINE.as_secs())]
    Timeout,
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] tokio_rustls::rustls::Error),
    /// No connection, or no TLS that can be trusted.
    #[error("cannot connect")]
    Connect(#[source] std::io::Error),
    /// The connection broke, or what came is no HTTP.
    #[error("the connection broke")]
    Transport(#[source] hyper::Error),
    /// The answer is longer than any should be, or broke off.
    #[error("the answer broke off, or has more than {MAX_ANSWER_BYTES} bytes")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The request cannot be written.
    #[error("the request cannot be written")]
    Request(#[source] http::Error),
}

/// What a provider answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

/// How a request says who asks.
pub(super) enum Credentials<'a> {
    /// It does not.
    None,
    /// The client's id and secret.
    Basic(&'a str, &'a str),
    /// An access token.
    Bearer(&'a str),
}

/// Asks providers.
pub(super) struct Client {
    tls: TlsConnector,
    turns: Semaphore,
}

impl Client {
    /// A client that trusts the certificates that this machine trusts. Reads files.
    ///
    /// # Errors
    /// [`ClientError::Tls`].
    pub(super) fn new() -> Result<Self, ClientError> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        let (n_good, n_bad) = roots.add_parsable_certificates(found.certs);
        if n_bad > 0 || !found.errors.is_empty() {
            let n_errors = found.errors.len();
            tracing::warn!(n_good, n_bad, n_errors, "not every certificate that this machine trusts could be read");
        }
        Self::with_roots(roots)
    }

    fn with_roots(roots: RootCertStore) -> Result<Self, ClientError> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(ClientError::Tls)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), turns: Semaphore::new(MAX_REQUESTS) })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// Any [`ClientError`].
    pub(super) async fn get(&self, address: &Address, credentials: Credentials<'_>) -> Result<Answer, ClientError> {
        let request = request(Method::GET, address, &credentials).body(Full::default());
        self.send(address, request.map_err(ClientError::Request)?).await
    }

    /// Sends a form.
    ///
    /// # Errors
    /// Any [`ClientError`].
    pub(super) async fn post(
        &self,
        address: &Address,
        form: String,
        credentials: Credentials<'_>,
    ) -> Result<Answer, ClientError> {
        let request = request(Method::POST, address, &credentials)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::from(form));
        self.send(address, request.map_err(ClientError::Request)?).await
    }

    async fn send(&self, address: &Address, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        let _turn = self.turns.try_acquire().map_err(|_full| ClientError::Busy)?;
        let exchange = async {
            let stream =
                TcpStream::connect((address.host.as_str(), address.port)).await.map_err(ClientError::Connect)?;
            if !address.is_tls {
                return exchange(stream, request).await;
            }
            let name = ServerName::try_from(address.host.clone())
                .map_err(|error| ClientError::Connect(std::io::Error::other(error)))?;
            exchange(self.tls.connect(name, stream).await.map_err(ClientError::Connect)?, request).await
        };
        tokio::time::timeout(DEADLINE, exchange).await.unwrap_or(Err(ClientError::Timeout))
    }
}

fn request(method: Method, address: &Address, credentials: &Credentials<'_>) -> http::request::Builder {
    let request = Request::builder()
        .method(method)
        .uri(address.path())
        .header(header::HOST, address.authority())
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::CONNECTION, "close");
    match credentials {
        Credentials::None => request,
        Credentials::Basic(id, secret) => {
            let both = STANDARD.encode(format!("{id}:{secret}"));
            request.header(header::AUTHORIZATION, format!("Basic {both}"))
        }
        Credentials::Bearer(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, ClientError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(ClientError::Transport)?;
    // What goes wrong in it comes out of the request too.
    let _driven = AbortOnDropHandle::new(tokio::spawn(connection));
    let response = sender.send_request(request).await.map_err(ClientError::Transport)?;
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await.map_err(ClientError::Body)?;
    Ok(Answer { status, body: body.to_bytes() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use axum::http::StatusCode;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_rustls::rustls::RootCertStore;
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject as _;
    use tokio_util::task::AbortOnDropHandle;

    use super::{Address, Client, ClientError, Credentials};
    use crate::web::tls::{TlsOptions, acceptor};

    /// A certificate for `localhost`, made for this test alone; `None`, said aloud, without openssl.
    fn certificate(folder: &Path) -> Option<TlsOptions> {
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", "2", "-keyout"])
            .arg(&key)
            .arg("-out")
            .arg(&cert)
            .output();
        if made.is_ok_and(|output| output.status.success()) {
            return Some(TlsOptions { cert, key });
        }
        eprintln!("SKIPPED: openssl cannot make a certificate");
        None
    }

    #[tokio::test]
    async fn only_a_certificate_that_is_trusted_is_spoken_to_and_only_by_its_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let Some(tls) = certificate(folder.path()) else { return };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let accepting = acceptor(&tls).await.expect("is usable");
        let _serving = AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                // Whoever does not trust it hangs up.
                let Ok(mut stream) = accepting.accept(stream).await else { continue };
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.expect("reads");
                let request = String::from_utf8_lossy(&request[..length]).to_lowercase();
                assert!(
                    request.starts_with("get /x?a=b http/1.1\r\n") && request.contains("bearer the token"),
                    "{request}"
                );
                stream
                    .write_all(b"HTTP/1.1 302 X\r\nlocation: /y\r\ncontent-length: 2\r\n\r\nok")
                    .await
                    .expect("answers");
            }
        }));
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&tls.cert).expect("a certificate")).expect("is taken");
        let (trusting, wary) = (
            Client::with_roots(roots).expect("TLS works"),
            Client::with_roots(RootCertStore::empty()).expect("TLS works"),
        );
        let address = |host: &str| Address::parse(&format!("https://{host}:{port}/x?a=b")).expect("an address");
        let answer = trusting.get(&address("localhost"), Credentials::Bearer("the token")).await.expect("is trusted");
        assert_eq!((answer.status, &*answer.body), (StatusCode::FOUND, &b"ok"[..]), "and nobody is led elsewhere");
        for refused in [
            wary.get(&address("localhost"), Credentials::None).await,
            trusting.get(&address("127.0.0.1"), Credentials::None).await,
        ] {
            let error = refused.err().expect("is not trusted");
            assert!(matches!(error, ClientError::Connect(_)), "{error}");
        }
    }
}
