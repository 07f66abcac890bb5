//! Pages over TLS, with a certificate made for the test.

use std::path::Path;
use std::time::Duration;

use bonafide::web::{TlsOptions, WebOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{PATIENCE, certificate};

use super::bench::{PASSWORD, Pages};
use super::browser::Browser;

fn options(cert: &Path, key: &Path) -> WebOptions {
    let tls = TlsOptions { cert: cert.to_owned(), key: key.to_owned() };
    WebOptions { tls: Some(tls), max_connections: 8, ..WebOptions::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_served_over_tls_and_plaintext_is_not_understood_then() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some((cert, key)) = certificate(folder.path()) else { return };
    let Some(pages) = Pages::start_with(options(&cert, &key)).await else { return };
    // Whoever says nothing keeps nobody waiting.
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(TcpStream::connect(pages.address).await.expect("it listens"));
    }
    let mut browser = Browser::secure(pages.address, &cert);
    let form = tokio::time::timeout(Duration::from_secs(5), browser.get("/login")).await.expect("at once");
    assert_eq!((form.status, form.header("strict-transport-security")), (200, "max-age=31536000"));
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-bonafide-form"]);
    browser.headers = vec![("origin", format!("https://{}", pages.address))];
    assert_eq!(browser.log_in("rita", PASSWORD).await.status, 303);
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-bonafide-login"]);
    assert_eq!(browser.get("/").await.status, 200);

    let mut plain = TcpStream::connect(pages.address).await.expect("it listens");
    plain.write_all(b"GET /login HTTP/1.1\r\nhost: localhost\r\n\r\n").await.expect("asks");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer)).await.expect("is hung up on");
    assert!(read.is_err() || !answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    drop(silent);
    pages.stop().await;
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let Some((cert, key)) = certificate(folder.path()) else { return };
    let other = folder.path().join("other");
    std::fs::create_dir(&other).expect("makes");
    let Some((_, other_key)) = certificate(&other) else { return };
    let missing = folder.path().join("missing.pem");
    for (cert, key, part) in [
        (&missing, &key, "web.tls.cert: cannot read"),
        (&cert, &missing, "web.tls.key: cannot read"),
        (&key, &key, "web.tls.cert: cannot read"),
        (&cert, &cert, "web.tls.key: cannot read"),
        (&cert, &other_key, "web.tls: certificate and key cannot be used"),
    ] {
        let Some(error) = Pages::refused(options(cert, key)).await else { return };
        assert!(error.to_string().starts_with(part), "{error}");
    }
}
