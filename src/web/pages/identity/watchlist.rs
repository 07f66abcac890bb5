//! The watch list: faces that are looked for at the end of every session.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use crate::service::MAX_NOTE_BYTES;
use crate::service::ports::WatchRecord;
use crate::web::error::Failure;
use crate::web::form::SafeForm;
use crate::web::layout::{said, token};
use crate::web::parts::moment;
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::investigator::Investigator;
use super::subject::{hunt_href, side, subject};
use super::{IdentityPage, ListQuery, identity_page, next_link};

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Failure> {
    view(&web, &member, &query, None).await
}

/// Puts a face on the list, or takes it off.
pub(in crate::web) async fn change(
    State(web): State<Web>,
    Investigator(member): Investigator,
    form: SafeForm,
) -> Result<Response, Failure> {
    let (identities, face) = (&web.services.identities, subject(form.get("subject"))?);
    let is_watched = form.get("watched") != "no";
    let outcome = if is_watched {
        identities.watch(member.caller(), &face, form.get("note")).await
    } else {
        identities.unwatch(member.caller(), &face).await
    };
    match outcome.map_err(Failure::from) {
        Ok(()) => {
            let word = if is_watched { "watched" } else { "unwatched" };
            Ok(Redirect::to(&format!("/identity/watchlist?said={word}")).into_response())
        }
        Err(failure) if failure.is_about_the_form() => {
            let problem = failure.said(&member.visit);
            let page = view(&web, &member, &ListQuery::default(), Some(&problem)).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(failure) => Err(failure),
    }
}

async fn view(web: &Web, member: &Member, query: &ListQuery, problem: Option<&str>) -> Result<Markup, Failure> {
    let visit = &*member.visit;
    let watched = web.services.identities.watched(member.caller(), &query.page()).await?;
    let content = html! {
        (said(visit, query.said.as_deref()))
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        section.card {
            p.quiet { (visit.text("watch-explained")) }
            @if watched.items.is_empty() { p { (visit.text("watch-none")) } }
            @else {
                div.scroll tabindex="0" { table {
                    caption.hidden { (visit.text("identity-watchlist")) }
                    thead { tr {
                        th scope="col" { (visit.text("search-who")) }
                        th scope="col" { (visit.text("watch-note")) }
                        th scope="col" { (visit.text("watch-by")) }
                        th scope="col" { span.hidden { (visit.text("watch-actions")) } }
                    } }
                    tbody { @for entry in &watched.items { (line(visit, entry)) } }
                } }
            }
            (next_link(visit, "/identity/watchlist", watched.next_page_token.as_deref()))
        }
        (watch_form(visit, ""))
    };
    Ok(identity_page(visit, IdentityPage::Watchlist, &visit.text("identity-watchlist"), &content))
}

fn line(visit: &Visit, entry: &WatchRecord) -> Markup {
    let name = entry.face.face.to_string();
    html! {
        tr {
            td { (side(visit, &entry.face)) }
            td.note { (entry.note) }
            td { (entry.by) p.quiet { (moment(visit, entry.time)) } }
            td {
                div.buttons {
                    a.button.small href=(hunt_href(&name)) { (visit.text("identity-hunt")) }
                    form method="post" action="/identity/watchlist" {
                        (token(visit))
                        input type="hidden" name="subject" value=(name);
                        button.small name="watched" value="no" { (visit.text("watch-remove")) }
                    }
                }
            }
        }
    }
}

/// The form that puts a face on the list.
pub(super) fn watch_form(visit: &Visit, name: &str) -> Markup {
    html! {
        section.card aria-labelledby="watch-title" {
            h2 id="watch-title" { (visit.text("watch-add")) }
            form.stack method="post" action="/identity/watchlist" {
                (token(visit))
                label for="watch-subject" { (visit.text("search-face")) }
                input id="watch-subject" name="subject" value=(name) required placeholder="sessions/…" autocomplete="off" spellcheck="false";
                label for="watch-note" { (visit.text("watch-note")) }
                textarea id="watch-note" name="note" rows="2" maxlength=(MAX_NOTE_BYTES) {}
                div.buttons {
                    button.primary name="watched" value="yes" { (visit.text("watch-add")) }
                    a.button href=[(!name.is_empty()).then(|| hunt_href(name))] hidden[name.is_empty()] { (visit.text("identity-hunt")) }
                }
            }
        }
    }
}
