//! What goes around every page: who asks, where the request comes from, how long it may take, what an error looks like.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;

use crate::telemetry::metrics;

use super::assets;
use super::connections::Peer;
use super::csrf;
use super::error::Failure;
use super::headers;
use super::login_cookie::Cookie;
use super::state::Web;
use super::visit::{Visit, address, language, theme};

/// Longest time from a request to its answer; less than a connection's patience.
const DEADLINE: Duration = Duration::from_secs(45);
/// Longest token of a login that is looked up.
const MAX_TOKEN_BYTES: usize = 128;

/// Serves one request.
pub(super) async fn frame(
    State(web): State<Web>,
    ConnectInfo(Peer(peer)): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let is_secure = web.options.is_secure();
    let method = request.method().clone();
    let is_asset = request.uri().path().starts_with(assets::PREFIX);
    let mut visit = Visit {
        request_id: request_id(),
        now: web.services.clock.now(),
        language: language(request.headers(), is_secure),
        theme: theme(request.headers(), is_secure),
        login: None,
        has_ledger: web.services.identities.is_enabled(),
        csrf_token: String::new(),
        path: request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        address: address(request.headers(), peer, web.options.trust_forwarded_for),
    };
    let mut new_form_token = None;
    let known =
        if is_asset { Ok(()) } else { recognise(&web, request.headers(), &mut visit, &mut new_form_token).await };
    let visit = Arc::new(visit);
    request.extensions_mut().insert(Arc::clone(&visit));
    let is_foreign = method != Method::GET
        && method != Method::HEAD
        && !csrf::is_from_own_page(request.headers(), web.options.origin());
    let answer = match known {
        Err(failure) => failure.into_response(),
        Ok(()) if is_foreign => Failure::foreign_form().into_response(),
        Ok(()) => answer(request, next).await,
    };
    let mut response = dress(answer, &visit, is_asset);
    if let Some(cookie) = new_form_token.and_then(|token: String| Cookie::Form.set(&token, None, is_secure)) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    headers::add(response.headers_mut(), is_secure);
    let (status, took) = (response.status(), began.elapsed());
    if visit.login.is_some() {
        headers::add_timing(response.headers_mut(), took);
    }
    metrics::page_served(status.as_u16(), took);
    tracing::debug!(request = visit.request_id, %method, status = status.as_u16(), millis = took.as_secs_f64() * 1e3, "page");
    response
}

/// Finds out who asks, and what their forms must carry.
async fn recognise(
    web: &Web,
    headers: &HeaderMap,
    visit: &mut Visit,
    new_form_token: &mut Option<String>,
) -> Result<(), Failure> {
    let is_secure = web.options.is_secure();
    let token = Cookie::Login.read(headers, is_secure).filter(|token| token.len() <= MAX_TOKEN_BYTES);
    let login = match token {
        Some(token) => web.services.accounts.authenticate(token).await,
        None => Ok(None),
    };
    // Whoever is not known has a token for the form that makes them known.
    let form_token = Cookie::Form.read(headers, is_secure).filter(|token| csrf::is_token(token)).map(str::to_owned);
    match login {
        Ok(Some(login)) => {
            visit.csrf_token.clone_from(&login.csrf_token);
            visit.login = Some(login);
            Ok(())
        }
        outcome => {
            visit.csrf_token = form_token.unwrap_or_else(|| new_form_token.insert(csrf::new_token()).clone());
            outcome.map(|_nobody| ()).map_err(Failure::from)
        }
    }
}

/// The answer of the page, within its time, whatever happens in it.
async fn answer(request: Request, next: Next) -> Response {
    let running = AssertUnwindSafe(next.run(request)).catch_unwind();
    match tokio::time::timeout(DEADLINE, running).await {
        Ok(Ok(response)) => response,
        // The panic hook has logged it.
        Ok(Err(_panic)) => Failure::internal("the page panicked").into_response(),
        Err(_elapsed) => Failure::timeout().into_response(),
    }
}

/// Turns what went wrong into a page.
fn dress(answer: Response, visit: &Visit, is_asset: bool) -> Response {
    let status = answer.status();
    if is_asset || !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let failure = answer.extensions().get::<Arc<Failure>>().cloned();
    let is_made =
        |kind: &HeaderValue| [&b"text/html"[..], b"image/"].iter().any(|made| kind.as_bytes().starts_with(made));
    if failure.is_none() && answer.headers().get(header::CONTENT_TYPE).is_some_and(is_made) {
        return answer;
    }
    let failure = failure.unwrap_or_else(|| Arc::new(Failure::of_status(status)));
    if status.is_server_error() {
        tracing::warn!(request = visit.request_id, status = status.as_u16(), "answered with an error page");
    }
    let mut response = (status, failure.page(visit)).into_response();
    for name in [header::RETRY_AFTER, header::ALLOW] {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Form"));
    }
    response
}

/// 16 hex digits.
fn request_id() -> String {
    format!("{:016x}", rand::random::<u64>())
}
