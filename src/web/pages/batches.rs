//! Sessions that share the label `batch`: how far each group is, and how it came out.

use std::collections::BTreeMap;

use axum::extract::State;
use maud::{Markup, html};

use crate::scoring::Level;
use crate::service::ports::{GroupCount, ReviewState};
use crate::text::{count, percent};
use crate::web::error::Failure;
use crate::web::layout::{Page, Section, page};
use crate::web::parts::{level_badge, level_class, tenth};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::inbox_query::InboxQuery;

/// The label that makes a batch.
const LABEL: &str = "batch";

/// One batch.
#[derive(Default)]
struct Batch {
    n_sessions: u64,
    n_open: u64,
    n_decided: u64,
    by_level: BTreeMap<Level, u64>,
}

/// The page.
pub(in crate::web) async fn show(State(web): State<Web>, member: Member) -> Result<Markup, Failure> {
    let counts = web.services.reviews.groups(member.caller(), LABEL).await?;
    Ok(view(&member.visit, &batches(&counts)))
}

fn batches(counts: &[GroupCount]) -> BTreeMap<&str, Batch> {
    let mut found: BTreeMap<&str, Batch> = BTreeMap::new();
    for GroupCount { value, state, level, is_open, n_sessions } in counts {
        let batch = found.entry(value).or_default();
        batch.n_sessions += n_sessions;
        batch.n_open += if *is_open { *n_sessions } else { 0 };
        batch.n_decided += if *state == ReviewState::Decided { *n_sessions } else { 0 };
        *batch.by_level.entry(*level).or_default() += n_sessions;
    }
    found
}

fn view(visit: &Visit, batches: &BTreeMap<&str, Batch>) -> Markup {
    let title = visit.text("nav-batches");
    let content = html! {
        h1 { (title) }
        p.lead { (visit.text("batches-explained")) }
        @if batches.is_empty() {
            section.empty {
                h2 { (visit.text("batches-empty-title")) }
                p { (visit.text("batches-empty-text")) }
            }
        } @else {
            div.scroll tabindex="0" { table.batches {
                caption.hidden { (title) }
                thead { tr {
                    th scope="col" { (visit.text("batches-name")) }
                    th scope="col" { (visit.text("batches-sessions")) }
                    th scope="col" { (visit.text("batches-levels")) }
                    th scope="col" { (visit.text("batches-scored")) }
                    th scope="col" { (visit.text("batches-decided")) }
                } }
                tbody { @for (name, batch) in batches { (row(visit, name, batch)) } }
            } }
        }
    };
    page(visit, &Page { title: &title, section: Some(Section::Batches), scripts: &[], refresh_secs: None }, &content)
}

fn row(visit: &Visit, name: &str, batch: &Batch) -> Markup {
    let list = |level: Option<Level>| {
        let query = InboxQuery {
            show: "all".to_owned(),
            label: format!("{LABEL}={name}"),
            level: level.map_or(String::new(), |level| level.as_str().to_owned()),
            ..InboxQuery::default()
        };
        query.href()
    };
    let number = |n_sessions| count(visit.language, n_sessions);
    let share = |part: u64| percent(visit.language, part as f64 / batch.n_sessions.max(1) as f64);
    let progress = |part: u64| {
        html! {
            progress max=(batch.n_sessions) value=(part) aria-hidden="true" {}
            span { (number(part)) " (" (share(part)) ")" }
        }
    };
    let n_of = |level: Level| batch.by_level.get(&level).copied().unwrap_or(0);
    html! {
        tr {
            th scope="row" { a href=(list(None)) { (name) } }
            td.number data-label=(visit.text("batches-sessions")) { (number(batch.n_sessions)) }
            td data-label=(visit.text("batches-levels")) {
                (mix(batch))
                ul.level-counts { @for level in Level::ALL.into_iter().rev().filter(|level| n_of(*level) > 0) {
                    li { a href=(list(Some(level))) { (level_badge(visit, level)) " " span.count { (number(n_of(level))) } } }
                } }
            }
            td data-label=(visit.text("batches-scored")) { (progress(batch.n_sessions - batch.n_open)) }
            td data-label=(visit.text("batches-decided")) { (progress(batch.n_decided)) }
        }
    }
}

/// The levels of a batch as parts of a bar.
fn mix(batch: &Batch) -> Markup {
    let total = batch.n_sessions.max(1) as f64;
    let mut x = 0.0;
    let parts: Vec<_> = batch
        .by_level
        .iter()
        .rev()
        .map(|(level, n_sessions)| {
            let width = *n_sessions as f64 / total * 100.0;
            let part = (*level, x, width);
            x += width;
            part
        })
        .collect();
    html! {
        svg.mix viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            @for (level, x, width) in parts {
                rect class=(level_class(level)) x=(tenth(x)) y="0" width=(tenth(width)) height="6" {}
            }
        }
    }
}
