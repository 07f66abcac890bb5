//! What the pages of the administration share.

use maud::{Markup, html};

use crate::service::Permission;
use crate::web::layout::{Page, Section, page};
use crate::web::visit::Visit;

/// A page of the administration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AdminPage {
    /// How it goes.
    Health,
    /// Models, policy, keys, retention.
    Settings,
    /// Accounts.
    Users,
    /// Who did what.
    Audit,
}

const LINKS: [(AdminPage, Permission, &str, &str); 4] = [
    (AdminPage::Health, Permission::System, "/admin/health", "admin-health"),
    (AdminPage::Settings, Permission::System, "/admin/settings", "admin-settings"),
    (AdminPage::Users, Permission::Accounts, "/admin/users", "admin-users"),
    (AdminPage::Audit, Permission::Audit, "/admin/audit", "admin-audit"),
];

/// The page with links to the others that the visitor may see.
pub(super) fn admin_page(visit: &Visit, which: AdminPage, title: &str, content: &Markup) -> Markup {
    let links = LINKS.into_iter().filter(|(_, permission, _, _)| visit.may(*permission));
    let content = html! {
        nav.tabs aria-label=(visit.text("admin-label")) {
            @for (other, _, href, key) in links {
                a href=(href) aria-current=[(other == which).then_some("page")] { (visit.text(key)) }
            }
        }
        h1 { (title) }
        (content)
    };
    page(visit, &Page { title, section: Some(Section::Admin), scripts: &[], refresh_secs: None }, &content)
}
