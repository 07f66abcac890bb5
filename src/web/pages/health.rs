//! How it goes: whether the store answers, what is live, what waits.

use axum::extract::State;
use maud::{Markup, html};

use crate::service::ports::{SessionFilter, SessionOrder, SessionQuery};
use crate::service::{InstallationView, SessionView};
use crate::text::{Value, count, fixed};
use crate::web::error::Failure;
use crate::web::parts::{level_badge, moment};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::admin::{AdminPage, admin_page};

/// Open sessions that are listed.
const MAX_OPEN: u32 = 50;
/// Bytes in a mebibyte.
const MIB: f64 = 1_048_576.0;

/// The page.
pub(in crate::web) async fn show(State(web): State<Web>, member: Member) -> Result<Markup, Failure> {
    let installation = web.services.installation.view(member.caller()).await?;
    let open = SessionQuery {
        filters: vec![SessionFilter::IsOpen(true)],
        order: SessionOrder::NewestFirst,
        page_size: MAX_OPEN,
        page_token: None,
    };
    let open = web.services.interviews.list(member.caller(), &open).await?;
    Ok(view(&member.visit, &installation, &open.items, open.next_page_token.is_some()))
}

fn view(visit: &Visit, installation: &InstallationView, open: &[SessionView], has_more: bool) -> Markup {
    let InstallationView { facts, health, .. } = installation;
    let number = |value: usize| count(visit.language, value as u64);
    let of = |value: usize, limit: usize| {
        visit.text_with("health-of", &[("n", Value::from(number(value))), ("limit", Value::from(number(limit)))])
    };
    let mib = |bytes: u64| format!("{} MiB", fixed(visit.language, bytes as f64 / MIB, 1));
    let tile = |key: &str, value: Markup| html! { div.tile { dt { (visit.text(key)) } dd { (value) } } };
    let title = visit.text("admin-health");
    let content = html! {
        dl.tiles {
            (tile("health-store", html! {
                span class=(if health.is_ready { "state good" } else { "state bad" }) {
                    (visit.text(if health.is_ready { "health-ready" } else { "health-not-ready" }))
                }
            }))
            (tile("health-live", html! { (of(health.n_live_sessions, facts.options.max_live_sessions)) }))
            (tile("health-watchers", html! { (of(health.n_watchers, facts.options.max_watchers)) }))
            (tile("health-queue", html! {
                (visit.text_with("health-of", &[
                    ("n", Value::from(mib(health.queued_bytes))),
                    ("limit", Value::from(mib(facts.options.max_total_queue_bytes))),
                ]))
            }))
            (tile("health-database", html! { (facts.database) }))
            (tile("health-provider", html! { (facts.provider) }))
            (tile("health-version", html! { (facts.version) }))
        }
        section.card aria-labelledby="open-title" {
            h2 id="open-title" { (visit.text("health-open")) }
            @if open.is_empty() { p.quiet { (visit.text("health-nothing-open")) } }
            @else {
                div.scroll tabindex="0" { table {
                    thead { tr {
                        th scope="col" { (visit.text("inbox-level")) }
                        th scope="col" { (visit.text("inbox-session")) }
                        th scope="col" { (visit.text("inbox-created")) }
                    } }
                    tbody { @for session in open { tr {
                        td { (level_badge(visit, session.level)) }
                        td { a href={ "/sessions/" (session.id.as_str()) "/live" } {
                            @if session.display_name.is_empty() { (session.id.as_str()) } @else { (session.display_name) }
                        } }
                        td { (moment(visit, session.create_time)) }
                    } } }
                } }
            }
            @if has_more { p.quiet { (visit.text("health-more-open")) } }
        }
        p.quiet { (visit.text("health-metrics")) }
    };
    admin_page(visit, AdminPage::Health, &title, &content)
}
