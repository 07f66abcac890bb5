//! What the ledger has of one session, on that session's page.

use maud::{Markup, html};

use crate::service::SessionView;
use crate::service::ports::{MatchFilter, MatchRecord, PageRequest};
use crate::session::SessionId;
use crate::web::error::Failure;
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::subject::{compare_href, face_link, hunt_href, scene_href, search_href};
use super::words::verdict_key;

/// Pairs that the card shows.
const MAX_PAIRS: u32 = 8;

/// Pairs with a face of the session.
#[derive(Clone, Debug)]
pub(in crate::web::pages) struct SeenBefore {
    pairs: Vec<MatchRecord>,
    has_more: bool,
    compares_scenes: bool,
}

impl SeenBefore {
    /// Asks, for whoever may see it; `None` for others.
    pub(in crate::web::pages) async fn ask(
        web: &Web,
        member: &Member,
        id: &SessionId,
    ) -> Result<Option<Self>, Failure> {
        if !member.visit.may_compare() {
            return Ok(None);
        }
        let request = PageRequest { size: MAX_PAIRS, token: None };
        let identities = &web.services.identities;
        let found = identities.matches(member.caller(), &MatchFilter::OfSession(id.clone()), &request).await?;
        let compares_scenes = identities.compares_scenes();
        Ok(Some(Self { has_more: found.next_page_token.is_some(), pairs: found.items, compares_scenes }))
    }

    /// The card.
    pub(in crate::web::pages) fn card(&self, visit: &Visit, session: &SessionView) -> Markup {
        let name = format!("sessions/{}", session.id);
        html! {
            section.card.seen-before aria-labelledby="seen-title" {
                h2 id="seen-title" { (visit.text("seen-title")) }
                @if self.pairs.is_empty() { p.quiet { (visit.text("seen-none")) } }
                ul.plain.stack {
                    @for pair in &self.pairs {
                        @let is_first = pair.first.face.session() == Some(&session.id);
                        @let other = if is_first { &pair.second } else { &pair.first };
                        li {
                            (face_link(visit, other))
                            p.quiet {
                                (visit.text(&match (&pair.verdict, &pair.proposal) {
                                    (Some(said), _) => verdict_key(pair.kind, said.verdict).to_owned(),
                                    (None, Some(proposal)) => format!("proposal-{}", proposal.reason.as_str()),
                                    (None, None) => "proposal-none".to_owned(),
                                }))
                                " · "
                                a href=(compare_href(&pair.first.face.to_string(), &pair.second.face.to_string())) {
                                    (visit.text("identity-compare"))
                                }
                            }
                        }
                    }
                }
                @if self.has_more { p.quiet { (visit.text("seen-more")) } }
                div.buttons {
                    a.button.small href=(compare_href(&name, "")) { (visit.text("identity-compare")) }
                    a.button.small href=(search_href(&name)) { (visit.text("identity-search")) }
                    a.button.small href=(hunt_href(&name)) { (visit.text("identity-hunt")) }
                    @if self.compares_scenes { a.button.small href=(scene_href(&name)) { (visit.text("scene-title")) } }
                    @if let Some(candidate) = &session.candidate {
                        a.button.small href={ "/identity/candidates/" (candidate.as_str()) } { (visit.text("seen-ledger")) }
                    }
                }
            }
        }
    }
}
