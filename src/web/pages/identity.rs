//! Faces across sessions: what the machine proposes, comparisons, searches, candidates' ledgers, the watch list.
//!
//! Every answer comes from `service::Identities`, which asks for the permission and writes the audit log first.

pub(in crate::web) mod candidate;
pub(in crate::web) mod candidates;
pub(in crate::web) mod compare;
pub(in crate::web) mod hunt;
pub(in crate::web) mod overview;
pub(in crate::web) mod scene;
pub(in crate::web) mod search;
pub(in crate::web) mod watchlist;

mod enrolment;
mod investigator;
mod pair;
mod seen_before;
mod subject;
mod words;

use maud::{Markup, html};
use serde::Deserialize;

use crate::service::ports::PageRequest;
use crate::web::form::encode;
use crate::web::layout::{Page, Section, page};
use crate::web::visit::Visit;

pub(super) use self::seen_before::SeenBefore;

/// Lines of one page.
const PAGE_LINES: u32 = 50;

/// What the address of a list says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct ListQuery {
    /// Where the previous page ended.
    after: Option<String>,
    /// What came of a form.
    said: Option<String>,
}

impl ListQuery {
    fn page(&self) -> PageRequest {
        PageRequest { size: PAGE_LINES, token: self.after.clone().filter(|token| !token.is_empty()) }
    }
}

/// A page about faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IdentityPage {
    Overview,
    Compare,
    Search,
    Candidates,
    Watchlist,
}

const LINKS: [(IdentityPage, &str, &str); 5] = [
    (IdentityPage::Overview, "/identity", "identity-overview"),
    (IdentityPage::Compare, "/identity/compare", "identity-compare"),
    (IdentityPage::Search, "/identity/search", "identity-search"),
    (IdentityPage::Candidates, "/identity/candidates", "identity-candidates"),
    (IdentityPage::Watchlist, "/identity/watchlist", "identity-watchlist"),
];

/// The page with links to the others.
fn identity_page(visit: &Visit, which: IdentityPage, title: &str, content: &Markup) -> Markup {
    let content = html! {
        nav.tabs aria-label=(visit.text("nav-identity")) {
            @for (other, href, key) in LINKS {
                a href=(href) aria-current=[(other == which).then_some("page")] { (visit.text(key)) }
            }
        }
        h1 { (title) }
        (content)
        p.support { (visit.text("identity-support")) }
    };
    page(visit, &Page { title, section: Some(Section::Identity), scripts: &[], refresh_secs: None }, &content)
}

/// The link to the lines after these.
fn next_link(visit: &Visit, path: &str, token: Option<&str>) -> Markup {
    html! {
        @if let Some(token) = token {
            nav.pages aria-label=(visit.text("identity-pages")) {
                a rel="next" href={ (path) "?" (encode(&[("after", token)])) } { (visit.text("inbox-next-page")) }
            }
        }
    }
}
