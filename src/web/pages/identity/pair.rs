//! Two faces, or the places behind them, as a line: why they are shown, how alike they are, what people say of them.

use maud::{Markup, html};

use crate::service::Identities;
use crate::service::ports::{MatchRecord, MatchVerdict, TemplateKind};
use crate::web::layout::token;
use crate::web::parts::moment;
use crate::web::visit::Visit;

use super::subject::{compare_href, side};
use super::words::{likelihood, similarity, verdict, verdict_key};

/// A proposal or a word of a person, with forms for what is open.
pub(super) fn pair(visit: &Visit, of: &MatchRecord, identities: &Identities, back: &str) -> Markup {
    let (a, b) = (of.first.face.to_string(), of.second.face.to_string());
    html! {
        article.pair {
            @if let Some(proposal) = &of.proposal {
                h3 { (visit.text(&format!("proposal-{}", proposal.reason.as_str()))) }
            } @else {
                h3 { (visit.text("proposal-none")) }
            }
            div.sides {
                div { (side(visit, &of.first)) }
                div { (side(visit, &of.second)) }
            }
            @if let Some(proposal) = &of.proposal {
                p {
                    (likelihood(visit, of.kind, proposal.llr, identities.is_at_bound(of.kind, proposal.llr))) " "
                    span.quiet {
                        (visit.text_with("identity-similarity-short", &[("n", similarity(visit, proposal.similarity).into())]))
                        " · " (moment(visit, proposal.time))
                    }
                }
            }
            @if let Some(said) = &of.verdict { div.mark { (verdict(visit, of.kind, said)) } }
            div.buttons {
                a.button.small href=(compare_href(&a, &b)) { (visit.text("identity-compare")) }
                @if of.verdict.is_none() { (quick(visit, of.kind, (&a, &b), back)) }
            }
        }
    }
}

/// The form that says what two faces, or the places behind them, are without a note.
fn quick(visit: &Visit, kind: TemplateKind, (a, b): (&str, &str), back: &str) -> Markup {
    html! {
        form.buttons method="post" action="/identity/compare" {
            (token(visit))
            input type="hidden" name="a" value=(a);
            input type="hidden" name="b" value=(b);
            input type="hidden" name="of" value=(kind.as_str());
            input type="hidden" name="back" value=(back);
            button.small name="same" value="yes" { (visit.text(verdict_key(kind, MatchVerdict::Same))) }
            button.small name="same" value="no" { (visit.text(verdict_key(kind, MatchVerdict::Different))) }
        }
    }
}
