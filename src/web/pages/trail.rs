//! The audit log: who did what, and whether it is all still there.

use axum::extract::{Query, State};
use maud::{Markup, html};
use serde::Deserialize;

use crate::audit::{Action, Broken, Event, Outcome, Summary};
use crate::service::{TrailFilter, TrailPage};
use crate::text::{Value, count};
use crate::web::error::Failure;
use crate::web::form::{SafeForm, encode};
use crate::web::layout::token;
use crate::web::parts::{exact, exact_moment, options};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::admin::{AdminPage, admin_page};

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct TrailQuery {
    object: String,
    actor: String,
    action: String,
    outcome: String,
    before: Option<u64>,
}

impl TrailQuery {
    fn filter(&self) -> TrailFilter {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        TrailFilter {
            object: text(&self.object),
            actor: text(&self.actor),
            action: Action::from_name(&self.action),
            outcome: OUTCOMES.into_iter().find(|outcome| outcome.as_str() == self.outcome),
        }
    }

    /// The address of the page that goes on before a row.
    fn before(&self, row: u64) -> String {
        let row = row.to_string();
        let fields = [
            ("object", self.object.as_str()),
            ("actor", &self.actor),
            ("action", &self.action),
            ("outcome", &self.outcome),
            ("before", &row),
        ];
        let pairs: Vec<_> = fields.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        format!("/admin/audit?{}", encode(&pairs))
    }
}

const OUTCOMES: [Outcome; 3] = [Outcome::Done, Outcome::Denied, Outcome::Failed];

/// One page of entries.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    member: Member,
    Query(query): Query<TrailQuery>,
) -> Result<Markup, Failure> {
    let page = web.services.trail.page(member.caller(), &query.filter(), query.before).await?;
    Ok(view(&member.visit, &query, &page, None))
}

/// Checks the whole log and shows what came of it above the newest entries.
pub(in crate::web) async fn check(State(web): State<Web>, member: Member, _form: SafeForm) -> Result<Markup, Failure> {
    let outcome = web.services.trail.check(member.caller()).await?;
    let query = TrailQuery::default();
    let page = web.services.trail.page(member.caller(), &query.filter(), None).await?;
    Ok(view(&member.visit, &query, &page, Some(&outcome)))
}

fn view(visit: &Visit, query: &TrailQuery, page: &TrailPage, checked: Option<&Result<Summary, Broken>>) -> Markup {
    let title = visit.text("admin-audit");
    let content = html! {
        p.lead { (visit.text("audit-explained")) }
        div.section-head {
            form method="post" action="/admin/audit/check" {
                (token(visit))
                button.primary { (visit.text("audit-check")) }
            }
        }
        @if let Some(checked) = checked { (outcome(visit, checked)) }
        (filter(visit, query))
        @if page.entries.is_empty() {
            p.quiet { (visit.text("audit-nothing")) }
        } @else {
            div.scroll tabindex="0" { table.audit {
                caption.hidden { (title) }
                thead { tr {
                    th scope="col" { (visit.text("audit-row")) }
                    th scope="col" { (visit.text("audit-time")) }
                    th scope="col" { (visit.text("audit-actor")) }
                    th scope="col" { (visit.text("audit-action")) }
                    th scope="col" { (visit.text("audit-object")) }
                    th scope="col" { (visit.text("audit-outcome")) }
                    th scope="col" { (visit.text("audit-details")) }
                } }
                tbody { @for (row, event) in &page.entries { (entry(visit, *row, event)) } }
            } }
        }
        @if let Some(before) = page.next_before {
            nav.pages aria-label=(visit.text("inbox-pages")) {
                a rel="next" href=(query.before(before)) { (visit.text("audit-older")) }
            }
        }
    };
    admin_page(visit, AdminPage::Audit, &title, &content)
}

fn outcome(visit: &Visit, checked: &Result<Summary, Broken>) -> Markup {
    html! {
        @match checked {
            Ok(summary) => {
                div.said role="status" {
                    p { strong { (visit.text("audit-in-order")) } " "
                        (visit.text_with("audit-summary", &[
                            ("rows", Value::from(count(visit.language, summary.n_rows))),
                            ("signatures", Value::from(count(visit.language, summary.n_checkpoints))),
                            ("time", Value::from(exact(visit, summary.head.time))),
                        ])) }
                    p.quiet { (visit.text("audit-keep")) " " code.digest { (summary.head.sequence) ":" (summary.head.hash) } }
                }
            }
            Err(broken) => {
                div.problem role="alert" {
                    p { strong { (visit.text("audit-broken")) } " "
                        (visit.text_with("audit-broken-at", &[("row", Value::from(broken.sequence.to_string()))])) }
                    p { code { (broken.problem) } }
                }
            }
        }
    }
}

fn filter(visit: &Visit, query: &TrailQuery) -> Markup {
    let any = || ("", visit.text("audit-any"));
    let actions = Action::ALL.iter().map(|action| (action.as_str(), action.as_str().to_owned()));
    let outcomes = OUTCOMES.into_iter().map(|outcome| (outcome.as_str(), outcome_word(visit, outcome)));
    let filter = query.filter();
    html! {
        details.filter open[filter != TrailFilter::default()] {
            summary { (visit.text("inbox-filter")) }
            form method="get" action="/admin/audit" {
                div.field { label for="object" { (visit.text("audit-object")) }
                    input id="object" name="object" value=(query.object) placeholder="sessions/…"; }
                div.field { label for="actor" { (visit.text("audit-actor")) }
                    input id="actor" name="actor" value=(query.actor) placeholder="user:…"; }
                div.field { label for="action" { (visit.text("audit-action")) }
                    select id="action" name="action" { (options([any()].into_iter().chain(actions), &query.action)) } }
                div.field { label for="outcome" { (visit.text("audit-outcome")) }
                    select id="outcome" name="outcome" { (options([any()].into_iter().chain(outcomes), &query.outcome)) } }
                div.field.buttons { button.primary { (visit.text("inbox-apply")) } a href="/admin/audit" { (visit.text("inbox-reset")) } }
            }
        }
    }
}

fn outcome_word(visit: &Visit, outcome: Outcome) -> String {
    visit.text(match outcome {
        Outcome::Done => "outcome-done",
        Outcome::Denied => "outcome-denied",
        Outcome::Failed => "outcome-failed",
    })
}

fn entry(visit: &Visit, row: u64, event: &Event) -> Markup {
    html! {
        tr class=(event.outcome.as_str()) {
            th.number scope="row" { (row) }
            td { (exact_moment(visit, event.time)) }
            td { (event.actor) }
            td { code { (event.action.as_str()) } }
            td {
                @if event.object.starts_with("sessions/") && event.action != Action::SessionDelete && event.action != Action::SessionExpire {
                    a href={ "/" (event.object) } { (event.object) }
                } @else { (event.object) }
            }
            td { (outcome_word(visit, event.outcome)) }
            td { dl.details { @for (key, value) in &event.details { div { dt { (key) } dd { (value) } } } } }
        }
    }
}
