//! Which address leads to which page.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::assets;
use super::error::Failure;
use super::form::{MAX_FORM_BYTES, MAX_UPLOAD_BYTES};
use super::frame::frame;
use super::oidc::CALLBACK;
use super::pages::identity::{candidate, candidates, compare, hunt, overview, scene, search, watchlist};
use super::pages::{
    account, batches, health, inbox, live, login, oidc, people, report, review, session, settings, stills, technical,
    trail,
};
use super::state::Web;

/// Every page, each within its frame.
pub(super) fn router(web: Web) -> Router {
    Router::new()
        .route("/", get(inbox::show))
        .route("/assign", post(inbox::assign))
        .route("/batches", get(batches::show))
        .route("/login", get(login::show).post(login::login))
        .route("/login/oidc", get(oidc::begin))
        .route(CALLBACK, get(oidc::finish))
        .route("/logout", post(login::logout))
        .route("/preferences", post(account::prefer))
        .route("/account", get(account::show))
        .route("/account/password", post(account::change_password))
        .route("/sessions/{id}", get(session::show))
        .route("/sessions/{id}/timeline.json", get(session::timeline_json))
        .route("/sessions/{id}/technical", get(technical::show))
        .route("/sessions/{id}/live", get(live::show))
        .route("/sessions/{id}/events", get(live::events))
        .route("/sessions/{id}/stills/{ordinal}", get(stills::show))
        .route("/sessions/{id}/stills/{ordinal}/{file}", get(stills::picture))
        .route("/sessions/{id}/report.pdf", get(report::pdf))
        .route("/sessions/{id}/report.json", get(report::json))
        .route("/sessions/{id}/report.zip", get(report::archive))
        .route("/sessions/{id}/assign", post(review::assign))
        .route("/sessions/{id}/segments/{ordinal}", post(review::mark))
        .route("/sessions/{id}/decide", post(review::decide))
        .route("/sessions/{id}/hold", post(review::hold))
        .route("/sessions/{id}/delete", get(review::ask_to_delete).post(review::delete))
        .merge(identity())
        .route("/admin/health", get(health::show))
        .route("/admin/settings", get(settings::show))
        .route("/admin/users", get(people::show).post(people::create))
        .route("/admin/users/{name}", get(people::one).post(people::update))
        .route("/admin/users/{name}/password", post(people::set_password))
        .route("/admin/audit", get(trail::show))
        .route("/admin/audit/check", post(trail::check))
        .route(&format!("{}{{name}}", assets::PREFIX), get(assets::show))
        .fallback(|| async { Failure::not_found() })
        .method_not_allowed_fallback(|| async { Failure::of_status(StatusCode::METHOD_NOT_ALLOWED) })
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(from_fn_with_state(web.clone(), frame))
        .with_state(web)
}

/// Faces across sessions. Those that take a picture take more bytes than others.
fn identity() -> Router<Web> {
    let upload = || DefaultBodyLimit::max(MAX_UPLOAD_BYTES);
    Router::new()
        .route("/identity", get(overview::show))
        .route("/identity/compare", get(compare::show).post(compare::say))
        .route("/identity/search", get(search::show).post(search::by_picture).layer(upload()))
        .route("/identity/hunt", get(hunt::show))
        .route("/identity/scene", get(scene::show))
        .route("/identity/candidates", get(candidates::show).post(candidates::enrol).layer(upload()))
        .route("/identity/candidates/{id}", get(candidate::show))
        .route("/identity/candidates/{id}/delete-reference", post(candidate::delete_reference))
        .route("/identity/watchlist", get(watchlist::show).post(watchlist::change))
}
