//! Who looks like this: one face searched for among all.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::service::ports::TemplateKind;
use crate::service::{SearchAnswer, SearchHit, SearchRequest, Subject};
use crate::web::error::Failure;
use crate::web::form::SafeUpload;
use crate::web::layout::token;
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::investigator::Investigator;
use super::subject::{compare_href, hunt_href, side, subject};
use super::words::{figures, likeness, relation, small, verdict};
use super::{IdentityPage, identity_page};

/// Hits of one page.
const MAX_HITS: u32 = 50;

/// What the address or the form says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct SearchQuery {
    subject: String,
    /// Wished false matches of the whole search; empty = the operator's.
    false_matches: String,
}

impl SearchQuery {
    /// The number that was wished for.
    fn wished(&self) -> Result<Option<f64>, Failure> {
        match self.false_matches.trim() {
            "" => Ok(None),
            text => {
                let number = text.replace(',', ".").parse::<f64>().ok();
                let number = number.filter(|number| number.is_finite() && *number > 0.0);
                number.map(Some).ok_or_else(|| Failure::bad_request("search-bad-number"))
            }
        }
    }
}

/// The hits of a face that is known, or the form that asks for one.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Failure> {
    if query.subject.is_empty() {
        return Ok(view(&web, &member.visit, &query, None, None).into_response());
    }
    let face = subject(&query.subject)?;
    answer(&web, &member, &query, face).await
}

/// The hits of whoever a picture shows; the picture is not kept.
pub(in crate::web) async fn by_picture(
    State(web): State<Web>,
    Investigator(member): Investigator,
    upload: SafeUpload,
) -> Result<Response, Failure> {
    let SafeUpload { form, picture } = upload;
    let query = SearchQuery { subject: String::new(), false_matches: form.get("false_matches").to_owned() };
    // An empty picture is refused by the use case.
    answer(&web, &member, &query, Subject::Picture(picture.unwrap_or_default())).await
}

async fn answer(web: &Web, member: &Member, query: &SearchQuery, face: Subject) -> Result<Response, Failure> {
    let visit = &*member.visit;
    let request = SearchRequest { subject: face, max_false_matches: query.wished()?, max_hits: MAX_HITS };
    match web.services.identities.search(member.caller(), &request).await.map_err(Failure::from) {
        Ok(found) => Ok(view(web, visit, query, Some(&found), None).into_response()),
        Err(failure) if failure.is_about_the_form() => {
            let page = view(web, visit, query, None, Some(&failure.said(visit)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(failure) => Err(failure),
    }
}

fn view(web: &Web, visit: &Visit, query: &SearchQuery, found: Option<&SearchAnswer>, problem: Option<&str>) -> Markup {
    let usual = small(visit, web.services.identities.options().max_false_matches);
    let wished = |id: &str| {
        html! {
            label for=(id) { (visit.text("search-wished")) }
            input id=(id) name="false_matches" value=(query.false_matches) placeholder=(usual) inputmode="decimal" autocomplete="off";
        }
    };
    let content = html! {
        @if let Some(problem) = problem { p.problem role="alert" { (problem) } }
        @if let Some(found) = found {
            (hits(visit, query, found))
            (figures(visit, &found.figures))
        }
        div.sides {
            section.card aria-labelledby="known-title" {
                h2 id="known-title" { (visit.text("search-known")) }
                form.stack method="get" action="/identity/search" {
                    label for="subject" { (visit.text("search-face")) }
                    input id="subject" name="subject" value=(query.subject) required placeholder="sessions/…" autocomplete="off" spellcheck="false";
                    (wished("wished"))
                    p.quiet { (visit.text("search-wished-explained")) }
                    button.primary { (visit.text("identity-search")) }
                }
            }
            section.card aria-labelledby="picture-title" {
                h2 id="picture-title" { (visit.text("search-picture")) }
                form.stack method="post" action="/identity/search" enctype="multipart/form-data" {
                    (token(visit))
                    label for="picture" { (visit.text("search-file")) }
                    input id="picture" name="picture" type="file" required accept="image/jpeg,image/png,image/webp";
                    (wished("wished-picture"))
                    p.quiet { (visit.text("search-picture-explained")) }
                    button.primary { (visit.text("identity-search")) }
                }
            }
        }
    };
    identity_page(visit, IdentityPage::Search, &visit.text("search-title"), &content)
}

fn hits(visit: &Visit, query: &SearchQuery, found: &SearchAnswer) -> Markup {
    html! {
        section.card aria-labelledby="hits-title" {
            h2 id="hits-title" { (visit.text("search-hits")) " " span.count { (found.hits.len()) @if found.has_more { "+" } } }
            @if !query.subject.is_empty() {
                p.quiet {
                    (visit.text("search-of")) " " code { (query.subject) } " · "
                    a href=(hunt_href(&query.subject)) { (visit.text("identity-hunt")) }
                }
            }
            @if found.hits.is_empty() { p { (visit.text("search-none")) } }
            @else {
                div.scroll tabindex="0" { table {
                    caption.hidden { (visit.text("search-hits")) }
                    thead { tr {
                        th scope="col" { (visit.text("search-who")) }
                        th scope="col" { (visit.text("search-how-alike")) }
                        th scope="col" { (visit.text("search-relation")) }
                        th scope="col" { (visit.text("search-verdict")) }
                        th scope="col" { span.hidden { (visit.text("identity-compare")) } }
                    } }
                    tbody { @for hit in &found.hits { (line(visit, query, hit)) } }
                } }
            }
        }
    }
}

fn line(visit: &Visit, query: &SearchQuery, hit: &SearchHit) -> Markup {
    html! {
        tr {
            td { (side(visit, &hit.face)) }
            td { (likeness(visit, &hit.likeness)) }
            td { (relation(visit, hit.relation)) }
            td {
                @if let Some(said) = &hit.verdict { (verdict(visit, TemplateKind::Face, said)) }
                @else { span.quiet { (visit.text("verdict-open")) } }
            }
            td {
                @if !query.subject.is_empty() {
                    a href=(compare_href(&query.subject, &hit.face.face.to_string())) { (visit.text("identity-compare")) }
                }
            }
        }
    }
}
