//! Logging in with an identity provider: to it, and back.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::service::{ExternalLogin, ExternalRefusal};
use crate::web::error::Failure;
use crate::web::form::encode;
use crate::web::login_cookie::Cookie;
use crate::web::oidc::{Attempt, MAX_AGE, OidcError, Returned};
use crate::web::state::Web;
use crate::web::visit::{Visitor, own_path};

use super::login::logged_in;

/// Why nobody came from there, as the address of the form says it.
pub(super) const PROBLEMS: [&str; 12] = [
    "unreachable",
    "unusable",
    "denied",
    "stale",
    "tenants",
    "token",
    "too-many",
    "no-role",
    "bad-name",
    "name-taken",
    "inactive",
    "other-tenant",
];

/// Where to go on to.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct BeginQuery {
    #[serde(default)]
    next: String,
}

/// Sends the browser to the provider.
pub(in crate::web) async fn begin(
    State(web): State<Web>,
    Visitor(visit): Visitor,
    Query(query): Query<BeginQuery>,
) -> Result<Response, Failure> {
    let oidc = web.oidc.as_ref().ok_or_else(Failure::not_found)?;
    let next = own_path(&query.next);
    if visit.login.is_some() {
        return Ok(Redirect::to(next).into_response());
    }
    let attempt = Attempt::new(next, visit.now);
    match oidc.begin(&attempt, web.services.clock.monotonic()).await {
        Ok(address) => {
            let cookie = Cookie::Attempt.set(&attempt.cookie(), Some(MAX_AGE), web.options.is_secure());
            let headers: HeaderMap = cookie.map(|cookie| (header::SET_COOKIE, cookie)).into_iter().collect();
            Ok((headers, Redirect::to(&address)).into_response())
        }
        Err(error) => {
            warn(&visit.request_id, &error);
            Ok(back(error.name(), next))
        }
    }
}

/// Takes the browser back from there. Whatever comes of it, what it brought is good for nothing any more.
pub(in crate::web) async fn finish(
    State(web): State<Web>,
    Visitor(visit): Visitor,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, Failure> {
    let oidc = web.oidc.as_ref().ok_or_else(Failure::not_found)?;
    let is_secure = web.options.is_secure();
    let accounts = &web.services.accounts;
    let attempt = Cookie::Attempt.read(&headers, is_secure).and_then(|value| Attempt::from_cookie(value, visit.now));
    let next = attempt.as_ref().map_or("/", Attempt::next);
    let mut response = if accounts.admit(&visit.address).is_err() {
        back("too-many", next)
    } else {
        match oidc.finish(attempt.as_ref(), &returned, visit.now, web.services.clock.monotonic()).await {
            Ok(person) => match accounts.login_external(person, &visit.address).await? {
                ExternalLogin::Done(login) => logged_in(&login, next, is_secure),
                ExternalLogin::Refused(refusal) => back(name_of(refusal), next),
            },
            Err(error) => {
                warn(&visit.request_id, &error);
                accounts.external_login_failed(error.name()).await?;
                back(error.name(), next)
            }
        }
    };
    if let Some(cookie) = Cookie::Attempt.forget(is_secure) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The form, which says why.
fn back(problem: &str, next: &str) -> Response {
    Redirect::to(&format!("/login?{}", encode(&[("problem", problem), ("next", next)]))).into_response()
}

const fn name_of(refusal: ExternalRefusal) -> &'static str {
    match refusal {
        ExternalRefusal::NoRole => "no-role",
        ExternalRefusal::BadName => "bad-name",
        ExternalRefusal::NameTaken => "name-taken",
        ExternalRefusal::Inactive => "inactive",
        ExternalRefusal::OtherTenant => "other-tenant",
    }
}

/// Tells the operator what the visitor cannot mend.
fn warn(request: &str, error: &OidcError) {
    tracing::warn!(request, error = error as &dyn std::error::Error, "nobody could log in with the identity provider");
}

#[cfg(test)]
mod tests {
    use super::PROBLEMS;
    use crate::text::{Language, text};

    #[test]
    fn every_problem_is_said_in_every_language() {
        for language in Language::ALL {
            for problem in PROBLEMS {
                let key = format!("login-oidc-{problem}");
                assert_ne!(text(language, &key), key, "{language:?}");
            }
        }
    }
}
