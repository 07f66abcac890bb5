//! As much of a browser as the tests need: requests, cookies, forms with their token.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::harness::PATIENCE;

use super::bench::PASSWORD;

/// A browser with its cookies.
pub(super) struct Browser {
    address: SocketAddr,
    pub(super) cookies: BTreeMap<String, String>,
    is_ours: bool,
    /// Speaks TLS, with this trust; `None` = plain HTTP.
    tls: Option<TlsConnector>,
    /// Headers that go along with every request.
    pub(super) headers: Vec<(&'static str, String)>,
}

/// What the server answered.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    /// A header's value; empty when it is not there.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
    }

    /// The token that the page's forms carry.
    pub(super) fn token(&self) -> &str {
        let after = self.body.split_once("name=\"csrf\" value=\"").expect("the page has a form").1;
        after.split_once('"').expect("it ends").0
    }
}

impl Browser {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new(), is_ours: true, tls: None, headers: Vec::new() }
    }

    /// A browser that comes over TLS and trusts one certificate, for `localhost`.
    pub(super) fn secure(address: SocketAddr, trusted: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(trusted).expect("a certificate")).expect("is taken");
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Self { tls: Some(TlsConnector::from(Arc::new(config))), ..Self::new(address) }
    }

    /// A browser at another server than ours, whose cookies are as they are.
    pub(super) fn elsewhere(address: SocketAddr) -> Self {
        Self { is_ours: false, ..Self::new(address) }
    }

    /// A browser in which somebody is logged in.
    pub(super) async fn of(address: SocketAddr, name: &str) -> Self {
        let mut browser = Self::new(address);
        let answer = browser.log_in(name, PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    pub(super) async fn log_in(&mut self, name: &str, password: &str) -> Answer {
        let token = self.get("/login").await.token().to_owned();
        self.send("POST", "/login", &[("csrf", &token), ("name", name), ("password", password)]).await
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[]).await
    }

    /// Sends a form of the page at `from` with its token.
    pub(super) async fn submit(&mut self, from: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.get(from).await.token().to_owned();
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.send("POST", path, &all).await
    }

    pub(super) async fn send(&mut self, method: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = encode(fields);
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        if !self.cookies.is_empty() {
            let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _written = write!(request, "cookie: {}\r\n", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            let _written = write!(request, "{name}: {value}\r\n");
        }
        if method == "POST" {
            let length = body.len();
            let _written =
                write!(request, "content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n");
        }
        let request = format!("{request}\r\n{}", if method == "POST" { body } else { String::new() });
        self.exchange(request.as_bytes()).await
    }

    /// Sends a form with a picture of the page at `from`.
    pub(super) async fn upload(&mut self, from: &str, path: &str, fields: &[(&str, &str)], picture: &[u8]) -> Answer {
        let token = self.get(from).await.token().to_owned();
        let mut body = Vec::new();
        for (name, value) in [("csrf", token.as_str())].iter().chain(fields) {
            let part = format!("--part\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        body.extend_from_slice(
            b"--part\r\ncontent-disposition: form-data; name=\"picture\"; filename=\"face.jpg\"\r\ncontent-type: image/jpeg\r\n\r\n",
        );
        body.extend_from_slice(picture);
        body.extend_from_slice(b"\r\n--part--\r\n");
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncookie: {}\r\ncontent-type: multipart/form-data; \
             boundary=part\r\ncontent-length: {}\r\n\r\n",
            self.address,
            cookies.join("; "),
            body.len()
        );
        self.exchange(&[head.as_bytes(), &body].concat()).await
    }

    async fn exchange(&mut self, request: &[u8]) -> Answer {
        let stream = TcpStream::connect(self.address).await.expect("it listens");
        let bytes = match &self.tls {
            Some(tls) => {
                let name = ServerName::try_from("localhost").expect("a name");
                ask(tls.connect(name, stream).await.expect("is trusted"), request).await
            }
            None => ask(stream, request).await,
        };
        let answer = parse(&String::from_utf8_lossy(&bytes));
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        for (_, cookie) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let is_kept_close = cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax");
            assert!(is_kept_close || !self.is_ours, "{cookie}");
            let is_secure = cookie.starts_with("__Host-") && cookie.contains("; Secure");
            assert!(is_secure || self.tls.is_none(), "{cookie}");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8]) -> Vec<u8> {
    stream.write_all(request).await.expect("asks");
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    tokio::time::timeout(PATIENCE, read).await.expect("in time").expect("answers");
    bytes
}

fn encode(fields: &[(&str, &str)]) -> String {
    let part = |text: &str| {
        text.bytes().fold(String::new(), |mut part, byte| {
            let _written = write!(part, "%{byte:02X}");
            part
        })
    };
    fields.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect::<Vec<_>>().join("&")
}

fn parse(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let is_chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if is_chunked { unchunk(body) } else { body.to_owned() };
    Answer { status, headers, body }
}

fn unchunk(mut rest: &str) -> String {
    let mut body = String::new();
    while let Some((length, after)) = rest.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("a chunk's length");
        if length == 0 {
            break;
        }
        body.push_str(&after[..length]);
        rest = after[length..].trim_start_matches("\r\n");
    }
    body
}
