//! What is open: pairs of faces that a person should look at.

use axum::extract::{Query, State};
use maud::{Markup, html};

use crate::service::ports::MatchFilter;
use crate::text::count;
use crate::web::error::Failure;
use crate::web::layout::said;
use crate::web::parts::exact_moment;
use crate::web::state::Web;

use super::investigator::Investigator;
use super::pair::pair;
use super::words::small;
use super::{IdentityPage, ListQuery, identity_page, next_link};

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Failure> {
    let identities = &web.services.identities;
    let open = identities.matches(member.caller(), &MatchFilter::Open, &query.page()).await?;
    let standing = identities.standing(member.caller()).await?;
    let (visit, options) = (&*member.visit, identities.options());
    let row = |key: &str, value: Markup| html! { div { dt { (visit.text(key)) } dd { (value) } } };
    let content = html! {
        (said(visit, query.said.as_deref()))
        p.lead { (visit.text("identity-lead")) }
        section.card aria-labelledby="open-title" {
            h2 id="open-title" { (visit.text("identity-open")) }
            @if open.items.is_empty() { p.quiet { (visit.text("identity-open-none")) } }
            @for record in &open.items { (pair(visit, record, identities, "/identity")) }
            (next_link(visit, "/identity", open.next_page_token.as_deref()))
        }
        section.card aria-labelledby="how-title" {
            h2 id="how-title" { (visit.text("identity-how")) }
            dl.facts {
                (row("identity-held", html! { (count(visit.language, standing.n_templates)) }))
                (row("identity-last-look-up", html! {
                    @if let Some(time) = standing.last_look_up { (exact_moment(visit, time)) }
                    @else { span.quiet { (visit.text("identity-no-look-up")) } }
                }))
                (row("identity-proposes", html! { (visit.text(if options.propose { "identity-yes" } else { "identity-no" })) }))
                (row("identity-compares-scenes", html! { (visit.text(if options.scenes { "identity-yes" } else { "identity-no" })) }))
                (row("identity-false-proposals", html! { (small(visit, options.max_false_proposals)) }))
                (row("identity-false-searches", html! { (small(visit, options.max_false_matches)) }))
                (row("identity-max-templates", html! { (count(visit.language, options.max_templates as u64)) }))
                (row("identity-calibration", html! { code.digest { (identities.calibration_name()) } }))
            }
            p.quiet { (visit.text("identity-how-explained")) }
        }
    };
    Ok(identity_page(visit, IdentityPage::Overview, &visit.text("identity-title"), &content))
}
