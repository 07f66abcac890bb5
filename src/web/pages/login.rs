//! Logging in and out.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::service::{LoginOutcome, MAX_PASSWORD_BYTES, NewLogin};
use crate::text::Value;
use crate::web::error::Failure;
use crate::web::form::{SafeForm, encode};
use crate::web::layout::{Page, page, said, token};
use crate::web::login_cookie::Cookie;
use crate::web::oidc::Oidc;
use crate::web::state::Web;
use crate::web::visit::{Visit, Visitor, own_path};

use super::oidc::PROBLEMS;

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct LoginQuery {
    #[serde(default)]
    next: String,
    said: Option<String>,
    problem: Option<String>,
}

/// Why the form is shown once more.
enum Problem {
    Wrong,
    TooMany(Duration),
    /// Why nobody came from the identity provider, by its name.
    Provider(String),
}

/// What there is to log in with.
struct Form<'a> {
    next: &'a str,
    name: &'a str,
    oidc: Option<&'a Oidc>,
}

/// The form; whoever is logged in goes on.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Visitor(visit): Visitor,
    Query(query): Query<LoginQuery>,
) -> Response {
    let next = own_path(&query.next);
    if visit.login.is_some() {
        return Redirect::to(next).into_response();
    }
    let problem = query.problem.filter(|name| PROBLEMS.contains(&name.as_str())).map(Problem::Provider);
    let form = Form { next, name: "", oidc: web.oidc.as_deref() };
    view(&visit, &form, query.said.as_deref(), problem.as_ref()).into_response()
}

/// Takes the form.
pub(in crate::web) async fn login(
    State(web): State<Web>,
    Visitor(visit): Visitor,
    form: SafeForm,
) -> Result<Response, Failure> {
    let (name, next) = (form.get("name").trim(), own_path(form.get("next")));
    let outcome = web.services.accounts.login(name, form.get("password"), &visit.address).await?;
    let form = Form { next, name, oidc: web.oidc.as_deref() };
    match outcome {
        LoginOutcome::Done(login) => Ok(logged_in(&login, next, web.options.is_secure())),
        LoginOutcome::Wrong => {
            let again = view(&visit, &form, None, Some(&Problem::Wrong));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        LoginOutcome::TooMany { retry_after } => {
            let again = view(&visit, &form, None, Some(&Problem::TooMany(retry_after)));
            let secs = retry_after.as_secs().saturating_add(1).to_string();
            Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, secs)], again).into_response())
        }
    }
}

/// Leads whoever is logged in now on to `next`.
pub(super) fn logged_in(login: &NewLogin, next: &str, is_secure: bool) -> Response {
    let cookies = [Cookie::Login.set(&login.token, Some(login.max_age), is_secure), Cookie::Form.forget(is_secure)];
    let mut response = Redirect::to(next).into_response();
    for cookie in cookies.into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Ends the login.
pub(in crate::web) async fn logout(
    State(web): State<Web>,
    Visitor(visit): Visitor,
    _form: SafeForm,
) -> Result<Response, Failure> {
    if let Some(login) = &visit.login {
        web.services.accounts.logout(login).await?;
    }
    let cookie = Cookie::Login.forget(web.options.is_secure());
    let headers: HeaderMap = cookie.map(|cookie| (header::SET_COOKIE, cookie)).into_iter().collect();
    Ok((headers, Redirect::to("/login?said=logged-out")).into_response())
}

fn view(visit: &Visit, form: &Form<'_>, came_of: Option<&str>, problem: Option<&Problem>) -> Markup {
    let title = visit.text("login-title");
    let Form { next, name, oidc } = form;
    let content = html! {
        section.narrow {
            h1 { (title) }
            p.lead { (visit.text("login-lead")) }
            (said(visit, came_of))
            @if let Some(problem) = problem {
                p.problem role="alert" id="login-problem" {
                    @match problem {
                        Problem::Wrong => (visit.text("login-wrong")),
                        Problem::TooMany(retry_after) => {
                            (visit.text_with("login-too-many", &[("n", Value::Number(retry_after.as_secs_f64().ceil()))]))
                        }
                        Problem::Provider(name) => (visit.text(&format!("login-oidc-{name}"))),
                    }
                }
            }
            @if let Some(oidc) = oidc {
                p { a.button href={ "/login/oidc?" (encode(&[("next", next)])) } {
                    @if oidc.label().is_empty() { (visit.text("login-oidc")) }
                    @else { (visit.text_with("login-oidc-with", &[("name", oidc.label().into())])) }
                } }
                p.quiet { (visit.text("login-oidc-or")) }
            }
            form.stack method="post" action="/login" {
                (token(visit))
                input type="hidden" name="next" value=(next);
                label for="name" { (visit.text("login-name")) }
                input id="name" name="name" value=(name) autocomplete="username" autocapitalize="none" spellcheck="false"
                    required maxlength="64" autofocus[problem.is_none() && oidc.is_none()];
                label for="password" { (visit.text("login-password")) }
                input id="password" name="password" type="password" autocomplete="current-password" required
                    maxlength=(MAX_PASSWORD_BYTES) autofocus[matches!(problem, Some(Problem::Wrong | Problem::TooMany(_)))]
                    aria-describedby=[problem.map(|_| "login-problem")];
                button.primary { (visit.text("login-submit")) }
            }
            p.quiet { (visit.text("login-help")) }
        }
    };
    page(visit, &Page { title: &title, section: None, scripts: &[], refresh_secs: None }, &content)
}
