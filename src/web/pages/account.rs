//! One's own account: what it may do, its password; and what every visitor can choose.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::error::{ErrorKind, Kinded as _};
use crate::service::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};
use crate::text::{Language, Value};
use crate::web::error::Failure;
use crate::web::form::SafeForm;
use crate::web::layout::{Page, Section, page, said, token};
use crate::web::login_cookie::Cookie;
use crate::web::state::Web;
use crate::web::visit::{Member, Theme, Visitor, own_path};

/// What the address may say.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct AccountQuery {
    said: Option<String>,
}

/// The page.
pub(in crate::web) async fn show(member: Member, Query(query): Query<AccountQuery>) -> Markup {
    view(&member, query.said.as_deref(), None)
}

/// Changes the password; every login of the account ends, this one too.
pub(in crate::web) async fn change_password(
    State(web): State<Web>,
    member: Member,
    form: SafeForm,
) -> Result<Response, Failure> {
    if form.get("new_password") != form.get("new_password_again") {
        let again = view(&member, None, Some(&member.visit.text("account-not-the-same")));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response());
    }
    let changed =
        web.services.accounts.change_password(&member.login, form.get("old_password"), form.get("new_password")).await;
    match changed {
        Ok(()) => {
            let cookie = Cookie::Login.forget(web.options.is_secure());
            let headers: HeaderMap = cookie.map(|cookie| (header::SET_COOKIE, cookie)).into_iter().collect();
            Ok((headers, Redirect::to("/login?said=password")).into_response())
        }
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            let problem = Failure::from(error).said(&member.visit);
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view(&member, None, Some(&problem))).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// Keeps language or theme in the browser.
pub(in crate::web) async fn prefer(State(web): State<Web>, Visitor(_): Visitor, form: SafeForm) -> Response {
    let is_secure = web.options.is_secure();
    let language = Language::from_tag(form.get("language"))
        .and_then(|language| Cookie::Language.prefer(language.tag(), is_secure));
    let theme = Theme::from_name(form.get("theme")).and_then(|theme| Cookie::Theme.prefer(theme.as_str(), is_secure));
    let mut headers = HeaderMap::new();
    headers.extend(language.into_iter().chain(theme).map(|cookie| (header::SET_COOKIE, cookie)));
    (headers, Redirect::to(own_path(form.get("back")))).into_response()
}

fn view(member: &Member, came_of: Option<&str>, problem: Option<&str>) -> Markup {
    let visit = &*member.visit;
    let title = visit.text("account-title");
    let account = &member.login.account;
    let content = html! {
        section.narrow {
            h1 { (title) }
            (said(visit, came_of))
            dl.facts {
                dt { (visit.text("account-name")) } dd { (account.name) }
                dt { (visit.text("account-display-name")) } dd { (account.display_name) }
                dt { (visit.text("account-roles")) }
                dd {
                    ul.plain {
                        @for role in &account.roles {
                            li { (visit.text(&format!("role-{}", role.as_str()))) ": "
                                (visit.text(&format!("role-{}-means", role.as_str()))) }
                        }
                    }
                }
            }
            h2 { (visit.text("account-password")) }
            @if let Some(problem) = problem {
                p.problem role="alert" id="password-problem" { (problem) }
            }
            @if let Some(identity) = &account.identity {
                p { (visit.text_with("account-from-provider", &[("issuer", identity.issuer.as_str().into())])) }
            } @else {
                form.stack method="post" action="/account/password" {
                    (token(visit))
                    input type="text" name="username" value=(account.name) autocomplete="username" hidden;
                    label for="old_password" { (visit.text("account-old-password")) }
                    input id="old_password" name="old_password" type="password" autocomplete="current-password" required
                        maxlength=(MAX_PASSWORD_BYTES) aria-describedby=[problem.map(|_| "password-problem")];
                    (new_password(member))
                    button.primary { (visit.text("account-change-password")) }
                }
            }
        }
    };
    page(visit, &Page { title: &title, section: Some(Section::Account), scripts: &[], refresh_secs: None }, &content)
}

/// Two fields for a new password.
pub(super) fn new_password(member: &Member) -> Markup {
    let visit = &*member.visit;
    html! {
        @for (name, key) in [("new_password", "account-new-password"), ("new_password_again", "account-new-password-again")] {
            label for=(name) { (visit.text(key)) }
            input id=(name) name=(name) type="password" autocomplete="new-password" required
                minlength=(MIN_PASSWORD_CHARS) maxlength=(MAX_PASSWORD_BYTES) aria-describedby="password-rule";
        }
        p.quiet id="password-rule" {
            (visit.text_with("account-password-rule", &[("n", Value::Number(MIN_PASSWORD_CHARS as f64))]))
        }
    }
}
