//! Logging in and out.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::service::{LoginOutcome, MAX_PASSWORD_BYTES};
use crate::text::Value;
use crate::web::error::Failure;
use crate::web::form::SafeForm;
use crate::web::layout::{Page, page, said, token};
use crate::web::login_cookie::Cookie;
use crate::web::state::Web;
use crate::web::visit::{Visit, Visitor, own_path};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct LoginQuery {
    #[serde(default)]
    next: String,
    said: Option<String>,
}

/// Why the form is shown once more.
enum Problem {
    Wrong,
    TooMany(Duration),
}

/// The form; whoever is logged in goes on.
pub(in crate::web) async fn show(Visitor(visit): Visitor, Query(query): Query<LoginQuery>) -> Response {
    let next = own_path(&query.next);
    if visit.login.is_some() {
        return Redirect::to(next).into_response();
    }
    view(&visit, next, "", query.said.as_deref(), None).into_response()
}

/// Takes the form.
pub(in crate::web) async fn login(
    State(web): State<Web>,
    Visitor(visit): Visitor,
    form: SafeForm,
) -> Result<Response, Failure> {
    let (name, next) = (form.get("name").trim(), own_path(form.get("next")));
    let outcome = web.services.accounts.login(name, form.get("password"), &visit.address).await?;
    match outcome {
        LoginOutcome::Done(login) => {
            let is_secure = web.options.is_secure();
            let mut headers = HeaderMap::new();
            for cookie in
                [Cookie::Login.set(&login.token, Some(login.max_age), is_secure), Cookie::Form.forget(is_secure)]
            {
                headers.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
            }
            Ok((headers, Redirect::to(next)).into_response())
        }
        LoginOutcome::Wrong => {
            let again = view(&visit, next, name, None, Some(&Problem::Wrong));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        LoginOutcome::TooMany { retry_after } => {
            let again = view(&visit, next, name, None, Some(&Problem::TooMany(retry_after)));
            let secs = retry_after.as_secs().saturating_add(1).to_string();
            Ok((StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, secs)], again).into_response())
        }
    }
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

fn view(visit: &Visit, next: &str, name: &str, came_of: Option<&str>, problem: Option<&Problem>) -> Markup {
    let title = visit.text("login-title");
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
                    }
                }
            }
            form.stack method="post" action="/login" {
                (token(visit))
                input type="hidden" name="next" value=(next);
                label for="name" { (visit.text("login-name")) }
                input id="name" name="name" value=(name) autocomplete="username" autocapitalize="none" spellcheck="false"
                    required maxlength="64" autofocus[problem.is_none()];
                label for="password" { (visit.text("login-password")) }
                input id="password" name="password" type="password" autocomplete="current-password" required
                    maxlength=(MAX_PASSWORD_BYTES) autofocus[problem.is_some()]
                    aria-describedby=[problem.map(|_| "login-problem")];
                button.primary { (visit.text("login-submit")) }
            }
            p.quiet { (visit.text("login-help")) }
        }
    };
    page(visit, &Page { title: &title, section: None, scripts: &[], refresh_secs: None }, &content)
}
