//! Who sat in the same place: what is behind one participant, looked for behind all others.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::service::ports::TemplateKind;
use crate::service::{SceneAnswer, SceneFigures, SceneMatch, SceneSearch};
use crate::text::count;
use crate::web::error::Failure;
use crate::web::state::Web;
use crate::web::visit::Visit;

use super::investigator::Investigator;
use super::subject::{compare_href, side, subject};
use super::words::{agreement, expected, relation, similarity, verdict};
use super::{IdentityPage, identity_page};

/// Hits of one page.
const MAX_HITS: u32 = 50;
/// Agreeing backgrounds from which a place is likely to be nobody's own.
const MANY: usize = 5;

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct SceneQuery {
    subject: String,
}

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Query(query): Query<SceneQuery>,
) -> Result<Response, Failure> {
    let visit = &*member.visit;
    let request = SceneSearch { subject: subject(&query.subject)?, max_false_matches: None, max_hits: MAX_HITS };
    match web.services.identities.search_scene(member.caller(), &request).await.map_err(Failure::from) {
        Ok(found) => Ok(view(visit, &query, &hits(visit, &query, &found)).into_response()),
        Err(failure) if failure.is_about_the_form() => {
            let problem = html! { p.problem role="alert" { (failure.said(visit)) } };
            Ok((StatusCode::UNPROCESSABLE_ENTITY, view(visit, &query, &problem)).into_response())
        }
        Err(failure) => Err(failure),
    }
}

fn view(visit: &Visit, query: &SceneQuery, found: &Markup) -> Markup {
    let content = html! {
        p.lead { (visit.text("scene-lead")) }
        p.quiet { (visit.text("search-of")) " " a href={ "/" (query.subject.trim_start_matches('/')) } { code { (query.subject) } } }
        (found)
    };
    identity_page(visit, IdentityPage::Search, &visit.text("scene-title"), &content)
}

fn hits(visit: &Visit, query: &SceneQuery, found: &SceneAnswer) -> Markup {
    html! {
        @if found.figures.n_agreeing > MANY { p.hint { (visit.text("scene-many")) } }
        section.card aria-labelledby="hits-title" {
            h2 id="hits-title" {
                (visit.text("scene-hits")) " "
                span.count { (found.matches.len()) @if found.has_more { "+" } }
            }
            @if found.matches.is_empty() { p { (visit.text("scene-none")) } }
            @else {
                div.scroll tabindex="0" { table {
                    caption.hidden { (visit.text("scene-hits")) }
                    thead { tr {
                        th scope="col" { (visit.text("search-who")) }
                        th scope="col" { (visit.text("scene-how-alike")) }
                        th scope="col" { (visit.text("search-relation")) }
                        th scope="col" { (visit.text("search-verdict")) }
                        th scope="col" { span.hidden { (visit.text("identity-compare")) } }
                    } }
                    tbody { @for hit in &found.matches { (line(visit, query, hit)) } }
                } }
            }
        }
        (figures(visit, &found.figures))
    }
}

fn line(visit: &Visit, query: &SceneQuery, hit: &SceneMatch) -> Markup {
    html! {
        tr {
            td { (side(visit, &hit.face)) }
            td { (agreement(visit, &hit.agreement)) }
            td { (relation(visit, hit.relation)) }
            td {
                @if let Some(said) = &hit.verdict { (verdict(visit, TemplateKind::Scene, said)) }
                @else { span.quiet { (visit.text("verdict-open")) } }
            }
            td { a href=(compare_href(&query.subject, &hit.face.face.to_string())) { (visit.text("identity-compare")) } }
        }
    }
}

fn figures(visit: &Visit, of: &SceneFigures) -> Markup {
    let row = |key: &str, value: Markup| html! { div { dt { (visit.text(key)) } dd { (value) } } };
    let number = |value: usize| html! { (count(visit.language, value as u64)) };
    html! {
        section.card aria-labelledby="figures-title" {
            h2 id="figures-title" { (visit.text("figures-title")) }
            dl.facts {
                (row("scene-searched", number(of.n_searched)))
                (row("scene-threshold", html! { (similarity(visit, f64::from(of.threshold_score))) }))
                (row("figures-expected", html! { (expected(visit, TemplateKind::Scene, &of.false_matches)) }))
                (row("identity-calibration", html! { code.digest { (of.calibration) } }))
                @if of.n_left_out > 0 { (row("scene-left-out", number(of.n_left_out))) }
                @if of.n_too_old > 0 { (row("scene-too-old", number(of.n_too_old))) }
            }
            p.quiet { (visit.text("scene-figures-explained")) }
        }
    }
}
