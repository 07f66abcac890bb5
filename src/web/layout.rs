//! What every page has: head, navigation, preferences, what was said of the last form.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::service::Permission;
use crate::text::Language;

use super::assets::Asset;
use super::form::TOKEN_FIELD;
use super::visit::{Theme, Visit};

/// Parts of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// Sessions to look at.
    Inbox,
    /// Sessions in groups.
    Batches,
    /// Faces across sessions.
    Identity,
    /// Running the installation.
    Admin,
    /// One's own account.
    Account,
}

/// What a page says of itself.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// Its title, without the program's name.
    pub(super) title: &'a str,
    /// Where it belongs.
    pub(super) section: Option<Section>,
    /// Scripts besides the common one.
    pub(super) scripts: &'a [Asset],
    /// Without scripts the page is loaded again after so many seconds.
    pub(super) refresh_secs: Option<u32>,
}

/// A whole page around `content`.
pub(super) fn page(visit: &Visit, page: &Page<'_>, content: &Markup) -> Markup {
    let theme = (visit.theme != Theme::System).then(|| visit.theme.as_str());
    html! {
        (DOCTYPE)
        html lang=(visit.language.tag()) data-theme=[theme] {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · Bonafide" }
                link rel="stylesheet" href=(Asset::Style.path());
                link rel="icon" type="image/svg+xml" href=(Asset::Icon.path());
                @if let Some(secs) = page.refresh_secs {
                    noscript { meta http-equiv="refresh" content=(secs); }
                }
                script defer src=(Asset::Common.path()) {}
                @for script in page.scripts {
                    script defer src=(script.path()) {}
                }
            }
            body {
                a.skip href="#content" { (visit.text("nav-skip")) }
                (header(visit, page.section))
                main id="content" tabindex="-1" { (content) }
                (footer(visit))
            }
        }
    }
}

fn header(visit: &Visit, section: Option<Section>) -> Markup {
    let link = |href: &str, key: &str, of: Section| {
        html! { a href=(href) aria-current=[(section == Some(of)).then_some("page")] { (visit.text(key)) } }
    };
    html! {
        header.top {
            a.brand href="/" { (mark()) span { "Bonafide" } }
            @if let Some(login) = &visit.login {
                nav aria-label=(visit.text("nav-label")) {
                    (link("/", "nav-inbox", Section::Inbox))
                    (link("/batches", "nav-batches", Section::Batches))
                    @if visit.may_compare() { (link("/identity", "nav-identity", Section::Identity)) }
                    @if let Some(href) = admin_start(visit) {
                        (link(href, "nav-admin", Section::Admin))
                    }
                }
                div.who {
                    (link("/account", "nav-account", Section::Account))
                    span.quiet.name title=(login.account.name) { (login.account.display_name) }
                    form method="post" action="/logout" {
                        (token(visit))
                        button.plain { (visit.text("nav-logout")) }
                    }
                }
            }
        }
    }
}

/// The first page of the administration that the visitor may see.
pub(super) fn admin_start(visit: &Visit) -> Option<&'static str> {
    [(Permission::System, "/admin/health"), (Permission::Accounts, "/admin/users"), (Permission::Audit, "/admin/audit")]
        .into_iter()
        .find(|(permission, _)| visit.may(*permission))
        .map(|(_, href)| href)
}

/// Language and theme as forms, so that they work without scripts.
fn footer(visit: &Visit) -> Markup {
    html! {
        footer.bottom {
            p.quiet { (visit.text("footer-support")) }
            form.preferences method="post" action="/preferences" {
                (token(visit))
                input type="hidden" name="back" value=(visit.path);
                fieldset {
                    legend { (visit.text("footer-language")) }
                    @for language in Language::ALL {
                        button name="language" value=(language.tag()) lang=(language.tag())
                            aria-pressed=(pressed(language == visit.language)) {
                            (endonym(language))
                        }
                    }
                }
                fieldset {
                    legend { (visit.text("footer-theme")) }
                    @for theme in Theme::ALL {
                        button name="theme" value=(theme.as_str()) aria-pressed=(pressed(theme == visit.theme)) {
                            (visit.text(&format!("theme-{}", theme.as_str())))
                        }
                    }
                }
            }
        }
    }
}

const fn pressed(is_pressed: bool) -> &'static str {
    if is_pressed { "true" } else { "false" }
}

/// A language's own name.
const fn endonym(language: Language) -> &'static str {
    match language {
        Language::En => "English",
        Language::De => "Deutsch",
    }
}

/// The field that every form needs.
pub(super) fn token(visit: &Visit) -> Markup {
    html! { input type="hidden" name=(TOKEN_FIELD) value=(visit.csrf_token); }
}

/// The program's mark: a face in a frame.
fn mark() -> PreEscaped<&'static str> {
    PreEscaped(
        "<svg class=\"mark\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"M3 8V5a2 2 0 0 1 2-2h3M16 3h3a2 2 0 0 1 2 \
         2v3M21 16v3a2 2 0 0 1-2 2h-3M8 21H5a2 2 0 0 1-2-2v-3\"/><path d=\"M8 12.5l2.8 2.8L16.4 9\"/></svg>",
    )
}

/// What came of the last form, by its name in the address; names that no form gives say nothing.
pub(super) fn said(visit: &Visit, name: Option<&str>) -> Markup {
    let known = [
        "assigned",
        "released",
        "marked",
        "decided",
        "held",
        "let-go",
        "deleted",
        "password",
        "account",
        "logged-out",
        "match-same",
        "match-different",
        "scene-same",
        "scene-different",
        "watched",
        "unwatched",
        "reference",
        "reference-deleted",
    ];
    let key = name.filter(|name| known.contains(name)).map(|name| format!("said-{name}"));
    html! {
        @if let Some(key) = key {
            p.said role="status" { (visit.text(&key)) }
        }
    }
}
