//! Every past session that a face was in.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::service::HuntedFace;
use crate::text::Value;
use crate::web::error::Failure;
use crate::web::state::Web;
use crate::web::visit::Visit;

use super::investigator::Investigator;
use super::subject::{compare_href, side, subject};
use super::watchlist::watch_form;
use super::words::{figures, likeness};
use super::{IdentityPage, identity_page};

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct HuntQuery {
    subject: String,
}

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Query(query): Query<HuntQuery>,
) -> Result<Response, Failure> {
    if query.subject.is_empty() {
        return Ok(Redirect::to("/identity/watchlist").into_response());
    }
    let face = subject(&query.subject)?;
    let visit = &*member.visit;
    let hunt = web.services.identities.hunt(member.caller(), &face, None).await?;
    let content = html! {
        section.card aria-labelledby="hunt-title" {
            h2 id="hunt-title" { (visit.text("hunt-found")) " " span.count { (hunt.found.len()) } }
            p.quiet { (visit.text_with("hunt-explained", &[("n", Value::Number(hunt.n_followed as f64))])) " " code { (query.subject) } }
            div.scroll tabindex="0" { table {
                caption.hidden { (visit.text("hunt-found")) }
                thead { tr {
                    th scope="col" { (visit.text("search-who")) }
                    th scope="col" { (visit.text("search-how-alike")) }
                    th scope="col" { (visit.text("hunt-why")) }
                    th scope="col" { span.hidden { (visit.text("identity-compare")) } }
                } }
                tbody { @for found in &hunt.found { (line(visit, &query.subject, found)) } }
            } }
        }
        (figures(visit, &hunt.figures))
        (watch_form(visit, &query.subject))
    };
    Ok(identity_page(visit, IdentityPage::Watchlist, &visit.text("hunt-title"), &content).into_response())
}

fn line(visit: &Visit, subject: &str, found: &HuntedFace) -> Markup {
    let name = found.face.face.to_string();
    html! {
        tr {
            td { (side(visit, &found.face)) }
            td {
                @if let Some(alike) = &found.likeness { (likeness(visit, alike)) }
                @else { span.quiet { (visit.text("hunt-no-likeness")) } }
            }
            td { (visit.text(if found.is_confirmed { "hunt-confirmed" } else { "hunt-alike" })) }
            td {
                @if found.likeness.is_some() && name != subject {
                    a href=(compare_href(subject, &name)) { (visit.text("identity-compare")) }
                }
            }
        }
    }
}
