use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::{FAILURE_PAUSE, KEPT, KEYS_PAUSE, OidcError, Provider};
use crate::web::oidc::client::Client;
use crate::web::oidc::id_token::Expected;

const NOW: Duration = Duration::from_hours(100);

/// Something on this machine that answers as a provider does, and counts.
struct Fake {
    issuer: String,
    n_metadata: Arc<AtomicUsize>,
    n_keys: Arc<AtomicUsize>,
    _serving: AbortOnDropHandle<()>,
}

impl Fake {
    /// One whose metadata are changed by `change`, which says whether it answers at all.
    async fn start(change: impl Fn(&mut Value) -> bool + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let issuer = format!("http://{}", listener.local_addr().expect("bound"));
        let (n_metadata, n_keys) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (metadata_asked, keys_asked, address) = (Arc::clone(&n_metadata), Arc::clone(&n_keys), issuer.clone());
        let serving = async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("accepts");
                let mut request = vec![0; 4_096];
                let length = stream.read(&mut request).await.expect("reads");
                let request = String::from_utf8_lossy(&request[..length]).into_owned();
                let body = if request.starts_with("GET /keys ") {
                    keys_asked.fetch_add(1, Ordering::SeqCst);
                    Some(json!({"keys": []}).to_string())
                } else {
                    assert!(request.starts_with("GET /.well-known/openid-configuration HTTP/1.1\r\n"), "{request}");
                    metadata_asked.fetch_add(1, Ordering::SeqCst);
                    let mut metadata = json!({
                        "issuer": address,
                        "authorization_endpoint": format!("{address}/auth"),
                        "token_endpoint": format!("{address}/token"),
                        "jwks_uri": format!("{address}/keys"),
                    });
                    change(&mut metadata).then(|| metadata.to_string())
                };
                let (status, body) = body.map_or((503, String::new()), |body| (200, body));
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                // Whoever has enough of it hangs up.
                stream.write_all(format!("{head}{body}").as_bytes()).await.ok();
            }
        };
        Self { issuer, n_metadata, n_keys, _serving: AbortOnDropHandle::new(tokio::spawn(serving)) }
    }

    fn provider(&self) -> Provider {
        Provider::new(self.issuer.clone(), Client::new().expect("TLS works"))
    }

    fn n_asked(&self) -> (usize, usize) {
        (self.n_metadata.load(Ordering::SeqCst), self.n_keys.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn what_is_known_is_kept_for_an_hour_and_asked_for_once() {
    let fake = Fake::start(|_| true).await;
    let provider = Arc::new(fake.provider());
    let asking = (0..8).map(|_| {
        let provider = Arc::clone(&provider);
        tokio::spawn(async move { provider.metadata(NOW).await.map(|found| found.token.path().to_owned()) })
    });
    for asked in asking.collect::<Vec<_>>() {
        assert_eq!(asked.await.expect("no panic").expect("answers"), "/token");
    }
    assert_eq!(fake.n_asked().0, 1, "one asks, all wait");
    provider.metadata(NOW + KEPT.saturating_sub(Duration::from_secs(1))).await.expect("is kept");
    assert_eq!(fake.n_asked().0, 1);
    provider.metadata(NOW + KEPT).await.expect("answers");
    assert_eq!(fake.n_asked().0, 2);
}

#[tokio::test]
async fn unknown_keys_are_asked_for_once_a_minute() {
    let fake = Fake::start(|_| true).await;
    let provider = fake.provider();
    let metadata = provider.metadata(NOW).await.expect("answers");
    // {"alg":"ES256","kid":"x"}, with a body and a signature that nobody looks at.
    let token = "eyJhbGciOiJFUzI1NiIsImtpZCI6IngifQ.e30.AAAA";
    let time = Timestamp::UNIX_EPOCH;
    let expected = Expected { issuer: &fake.issuer, client_id: "bonafide", nonce: "nonce", now: time };
    for (secs, n_keys) in
        [(0, 1), (1, 1), (KEYS_PAUSE.as_secs() - 1, 1), (KEYS_PAUSE.as_secs(), 2), (KEYS_PAUSE.as_secs() + 1, 2)]
    {
        let error = provider.claims(&metadata, token, &expected, NOW + Duration::from_secs(secs)).await;
        let error = error.expect_err("is signed by nobody");
        assert!(matches!(error, OidcError::Token { .. }) && error.to_string().contains("does not publish"), "{error}");
        assert_eq!(fake.n_asked().1, n_keys, "after {secs} s");
    }
}

/// An error with its causes.
fn chain(error: &OidcError) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

#[tokio::test]
async fn metadata_that_are_not_the_providers_own_are_refused() {
    let changes = [
        ("web.oidc.issuer is", Some(("issuer", json!("https://id.example.org")))),
        ("is no https address", Some(("token_endpoint", json!("http://id.example.org/token")))),
        ("is no https address", Some(("jwks_uri", json!("file:///etc/passwd")))),
        ("not what it should be", Some(("issuer", json!(7)))),
        ("status 503", None),
        ("broke off, or has more than", Some(("more", json!("x".repeat(300_000))))),
    ];
    for (part, change) in changes {
        let fake = Fake::start(move |metadata| {
            if let Some((name, value)) = &change {
                metadata[*name] = value.clone();
            }
            change.is_some()
        })
        .await;
        let provider = fake.provider();
        let said = chain(&provider.metadata(NOW).await.expect_err(part));
        assert!(said.contains(part), "{said}");
        let again = provider
            .metadata(NOW + FAILURE_PAUSE.saturating_sub(Duration::from_millis(1)))
            .await
            .expect_err("is not asked again");
        assert!(chain(&again).contains("a moment ago"), "{again}");
        assert_eq!(fake.n_asked().0, 1);
        provider.metadata(NOW + FAILURE_PAUSE).await.expect_err(part);
        assert_eq!(fake.n_asked().0, 2);
    }
}

#[tokio::test]
async fn nobody_who_answers_is_unreachable() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let issuer = format!("http://{}", listener.local_addr().expect("bound"));
    drop(listener);
    let error = Provider::new(issuer, Client::new().expect("TLS works")).metadata(NOW).await.expect_err("is away");
    assert!(matches!(error, OidcError::Unreachable { .. }) && error.name() == "unreachable", "{error}");
}
