//! Accounts: who may log in, and what for.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::error::Kinded as _;
use crate::service::ports::{Account, AccountPatch};
use crate::service::{NewAccount, Role, ServiceError};
use crate::web::error::{Failure, status_of};
use crate::web::form::{SafeForm, encode_value};
use crate::web::layout::{said, token};
use crate::web::parts::moment;
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::account::new_password;
use super::admin::{AdminPage, admin_page};

/// What the address says.
#[derive(Debug, Default, Deserialize)]
pub(in crate::web) struct PeopleQuery {
    said: Option<String>,
}

/// Every account, and the form for a new one.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    member: Member,
    Query(query): Query<PeopleQuery>,
) -> Result<Markup, Failure> {
    let accounts = web.services.accounts.list(member.caller()).await?;
    Ok(list(&member, &accounts, query.said.as_deref(), None))
}

/// Makes an account.
pub(in crate::web) async fn create(
    State(web): State<Web>,
    member: Member,
    form: SafeForm,
) -> Result<Response, Failure> {
    let accounts = &web.services.accounts;
    let new = NewAccount {
        name: form.get("name").trim().to_owned(),
        display_name: form.get("display_name").trim().to_owned(),
        roles: roles(&form),
        password: form.get("new_password").to_owned(),
    };
    let outcome = if is_repeated(&form) {
        accounts.create(member.caller(), new).await.map_err(|error| problem(error, &member.visit))
    } else {
        Err(Ok(member.visit.text("account-not-the-same")))
    };
    match outcome {
        Ok(()) => Ok(Redirect::to("/admin/users?said=account").into_response()),
        Err(Ok(said)) => {
            let accounts = accounts.list(member.caller()).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, list(&member, &accounts, None, Some(&said))).into_response())
        }
        Err(Err(failure)) => Err(failure),
    }
}

/// One account.
pub(in crate::web) async fn one(
    State(web): State<Web>,
    member: Member,
    Path(name): Path<String>,
    Query(query): Query<PeopleQuery>,
) -> Result<Markup, Failure> {
    let account = find(&web, &member, &name).await?;
    Ok(edit(&member, &account, query.said.as_deref(), None))
}

/// Changes roles, display name or state.
pub(in crate::web) async fn update(
    State(web): State<Web>,
    member: Member,
    Path(name): Path<String>,
    form: SafeForm,
) -> Result<Response, Failure> {
    let is_active = Some(form.get("active") == "yes");
    let patch = if find(&web, &member, &name).await?.identity.is_some() {
        AccountPatch { is_active, ..AccountPatch::default() }
    } else {
        let display_name = Some(form.get("display_name").trim().to_owned()).filter(|text| !text.is_empty());
        AccountPatch { display_name, roles: Some(roles(&form)), is_active, password_hash: None }
    };
    let outcome = web.services.accounts.update(member.caller(), &name, patch).await;
    answer(&web, &member, &name, outcome.map_err(|error| problem(error, &member.visit))).await
}

/// Sets a password.
pub(in crate::web) async fn set_password(
    State(web): State<Web>,
    member: Member,
    Path(name): Path<String>,
    form: SafeForm,
) -> Result<Response, Failure> {
    let outcome = if is_repeated(&form) {
        let set = web.services.accounts.set_password(member.caller(), &name, form.get("new_password")).await;
        set.map_err(|error| problem(error, &member.visit))
    } else {
        Err(Ok(member.visit.text("account-not-the-same")))
    };
    answer(&web, &member, &name, outcome).await
}

async fn answer(
    web: &Web,
    member: &Member,
    name: &str,
    outcome: Result<(), Result<String, Failure>>,
) -> Result<Response, Failure> {
    match outcome {
        Ok(()) => Ok(Redirect::to(&format!("/admin/users/{}?said=account", path_part(name))).into_response()),
        Err(Ok(said)) => {
            let account = find(web, member, name).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, edit(member, &account, None, Some(&said))).into_response())
        }
        Err(Err(failure)) => Err(failure),
    }
}

/// What the form is to say, or the page to answer with when the form is not the place for it.
fn problem(error: ServiceError, visit: &Visit) -> Result<String, Failure> {
    let status = status_of(error.kind());
    let failure = Failure::from(error);
    if matches!(status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT) {
        Ok(failure.said(visit))
    } else {
        Err(failure)
    }
}

async fn find(web: &Web, member: &Member, name: &str) -> Result<Account, Failure> {
    let accounts = web.services.accounts.list(member.caller()).await?;
    accounts.into_iter().find(|account| account.name == name).ok_or(Failure::not_found())
}

fn roles(form: &SafeForm) -> BTreeSet<Role> {
    form.all("role").filter_map(Role::from_name).collect()
}

fn is_repeated(form: &SafeForm) -> bool {
    form.get("new_password") == form.get("new_password_again")
}

/// A name as a part of a path.
fn path_part(name: &str) -> String {
    encode_value(name).replace('/', "%2F")
}

fn list(member: &Member, accounts: &[Account], came_of: Option<&str>, problem: Option<&str>) -> Markup {
    let visit = &*member.visit;
    let title = visit.text("admin-users");
    let content = html! {
        (said(visit, came_of))
        section.card {
            div.scroll tabindex="0" { table {
                caption.hidden { (title) }
                thead { tr {
                    th scope="col" { (visit.text("account-name")) }
                    th scope="col" { (visit.text("account-display-name")) }
                    th scope="col" { (visit.text("account-roles")) }
                    th scope="col" { (visit.text("users-logs-in-with")) }
                    th scope="col" { (visit.text("users-state")) }
                    th scope="col" { (visit.text("users-created")) }
                } }
                tbody { @for account in accounts { tr {
                    th scope="row" { a href={ "/admin/users/" (path_part(&account.name)) } { (account.name) } }
                    td { (account.display_name) }
                    td { (role_words(visit, account)) }
                    td { (visit.text(if account.identity.is_some() { "users-with-provider" } else { "users-with-password" })) }
                    td { (visit.text(if account.is_active { "users-active" } else { "users-disabled" })) }
                    td { (moment(visit, account.create_time)) }
                } } }
            } }
        }
        section.card aria-labelledby="new-title" {
            h2 id="new-title" { (visit.text("users-new")) }
            @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
            form.stack method="post" action="/admin/users" {
                (token(visit))
                label for="name" { (visit.text("account-name")) }
                input id="name" name="name" required maxlength="64" autocomplete="off" autocapitalize="none" spellcheck="false";
                label for="display_name" { (visit.text("account-display-name")) }
                input id="display_name" name="display_name" maxlength="256" autocomplete="off";
                (role_boxes(visit, &BTreeSet::from([Role::Reviewer])))
                (new_password(member))
                button.primary { (visit.text("users-create")) }
            }
        }
    };
    admin_page(visit, AdminPage::Users, &title, &content)
}

fn edit(member: &Member, account: &Account, came_of: Option<&str>, problem: Option<&str>) -> Markup {
    let visit = &*member.visit;
    let path = format!("/admin/users/{}", path_part(&account.name));
    let content = html! {
        p.crumbs { a href="/admin/users" { (visit.text("admin-users")) } }
        (said(visit, came_of))
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        section.card {
            form.stack method="post" action=(path) {
                (token(visit))
                @if let Some(identity) = &account.identity {
                    p { (visit.text_with("users-from-provider", &[("issuer", identity.issuer.as_str().into())])) }
                    dl.facts {
                        div { dt { (visit.text("account-display-name")) } dd { (account.display_name) } }
                        div { dt { (visit.text("account-roles")) } dd { (role_words(visit, account)) } }
                        div { dt { (visit.text("users-subject")) } dd { code { (identity.subject) } } }
                    }
                } @else {
                    label for="display_name" { (visit.text("account-display-name")) }
                    input id="display_name" name="display_name" value=(account.display_name) maxlength="256" autocomplete="off";
                    (role_boxes(visit, &account.roles))
                }
                label.choice {
                    input type="checkbox" name="active" value="yes" checked[account.is_active];
                    span { strong { (visit.text("users-may-log-in")) } }
                }
                button.primary { (visit.text("users-save")) }
            }
        }
        @if account.identity.is_none() { (password_form(member, account)) }
    };
    admin_page(visit, AdminPage::Users, &account.name, &content)
}

fn password_form(member: &Member, account: &Account) -> Markup {
    let visit = &*member.visit;
    html! {
        section.card aria-labelledby="password-title" {
            h2 id="password-title" { (visit.text("users-password")) }
            p.quiet { (visit.text("users-password-explained")) }
            form.stack method="post" action={ "/admin/users/" (path_part(&account.name)) "/password" } {
                (token(visit))
                input type="text" name="username" value=(account.name) autocomplete="username" hidden;
                (new_password(member))
                button { (visit.text("users-set-password")) }
            }
        }
    }
}

fn role_words(visit: &Visit, account: &Account) -> String {
    let words: Vec<_> = account.roles.iter().map(|role| visit.text(&format!("role-{}", role.as_str()))).collect();
    words.join(", ")
}

fn role_boxes(visit: &Visit, chosen: &BTreeSet<Role>) -> Markup {
    html! {
        fieldset {
            legend { (visit.text("account-roles")) }
            @for role in Role::ALL {
                label.choice {
                    input type="checkbox" name="role" value=(role.as_str()) checked[chosen.contains(&role)];
                    span {
                        strong { (visit.text(&format!("role-{}", role.as_str()))) }
                        span.quiet { (visit.text(&format!("role-{}-means", role.as_str()))) }
                    }
                }
            }
        }
    }
}
