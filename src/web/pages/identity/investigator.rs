//! Who may see pages about faces: asked before anything else of a request is looked at.

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};

use crate::audit::Action;
use crate::web::error::Failure;
use crate::web::state::Web;
use crate::web::visit::Member;

/// Most of an address that the audit log keeps of a refusal.
const MAX_OBJECT_BYTES: usize = 256;

/// A visit of somebody who may compare faces across sessions, here. Whoever may not is refused, which is written down, before
/// names are read, forms are checked or pictures are taken.
#[derive(Clone, Debug)]
pub(in crate::web) struct Investigator(pub(super) Member);

impl FromRequestParts<Web> for Investigator {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Response> {
        let member = Member::from_request_parts(parts, web).await?;
        let address = parts.uri.path_and_query().map_or("/", |address| address.as_str()).trim_start_matches('/');
        let object: String = address.chars().filter(char::is_ascii).take(MAX_OBJECT_BYTES).collect();
        let action = attempted(&parts.method, parts.uri.path());
        let outcome = web.services.identities.require(member.caller(), action, object).await;
        outcome.map_err(|error| Failure::from(error).into_response())?;
        Ok(Self(member))
    }
}

/// What is asked for at an address.
fn attempted(method: &Method, path: &str) -> Action {
    let is_form = method == Method::POST;
    match path.trim_start_matches("/identity") {
        "/compare" if is_form => Action::IdentityConfirm,
        "/compare" => Action::IdentityCompare,
        "/search" | "/hunt" => Action::IdentitySearch,
        "/watchlist" if is_form => Action::IdentityWatch,
        "/candidates" if is_form => Action::IdentityEnroll,
        _ if is_form => Action::IdentityDelete,
        _ => Action::IdentityList,
    }
}
