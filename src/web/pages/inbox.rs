//! The inbox: what nobody decided about first, the worst of it on top.

use axum::extract::{Query, State};
use axum::response::Redirect;
use maud::{Markup, html};

use crate::scoring::Level;
use crate::service::Permission;
use crate::service::SessionView;
use crate::service::ports::{Page as ListPage, ReviewCount};
use crate::session::SessionId;
use crate::text::count;
use crate::web::error::Failure;
use crate::web::form::SafeForm;
use crate::web::layout::{Page, Section, page, said, token};
use crate::web::parts::{level_badge, moment, options, score_words, state_text};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit, own_path};

use super::inbox_query::{InboxQuery, NOBODY, Tab};
use super::participant::{headline, worst};

/// Sessions that are assigned with one form.
const MAX_ASSIGNED: usize = 100;

/// All that the page shows.
struct Inbox {
    counts: Vec<ReviewCount>,
    sessions: ListPage<SessionView>,
    reviewers: Vec<String>,
    problem: Option<&'static str>,
}

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    member: Member,
    Query(query): Query<InboxQuery>,
) -> Result<Markup, Failure> {
    let (services, caller) = (&web.services, member.caller());
    let counts = services.reviews.counts(caller).await?;
    let (sessions, problem) = match query.to_query() {
        Ok(listing) => (services.interviews.list(caller, &listing).await?, None),
        Err(problem) => (ListPage { items: Vec::new(), next_page_token: None }, Some(problem)),
    };
    let reviewers = services.accounts.reviewers(caller).await?;
    Ok(view(&member, &query, &Inbox { counts, sessions, reviewers, problem }))
}

/// Gives sessions to somebody: one to whoever takes it, or all that were chosen.
pub(in crate::web) async fn assign(
    State(web): State<Web>,
    member: Member,
    form: SafeForm,
) -> Result<Redirect, Failure> {
    let (reviews, caller) = (&web.services.reviews, member.caller());
    let taken = Some(form.get("take")).filter(|id| !id.is_empty());
    let assignee = match (taken, form.get("assignee")) {
        (Some(_), _) => member.name(),
        (None, NOBODY) => "",
        (None, name) => name,
    };
    let chosen: Vec<&str> = taken.map_or_else(|| form.all("session").collect(), |id| vec![id]);
    if chosen.is_empty() || (taken.is_none() && form.get("assignee").is_empty()) || chosen.len() > MAX_ASSIGNED {
        return Err(Failure::bad_request("error-nothing-chosen"));
    }
    for id in chosen {
        let id = SessionId::new(id).map_err(|_| Failure::not_found())?;
        reviews.assign(caller, &id, assignee).await?;
    }
    let back = own_path(form.get("back"));
    let said = if assignee.is_empty() { "released" } else { "assigned" };
    Ok(Redirect::to(&format!("{back}{}said={said}", if back.contains('?') { '&' } else { '?' })))
}

fn view(member: &Member, query: &InboxQuery, inbox: &Inbox) -> Markup {
    let visit = &*member.visit;
    let title = visit.text("inbox-title");
    let content = html! {
        h1 { (title) }
        (said(visit, query.said.as_deref()))
        (tabs(visit, query, &inbox.counts))
        (narrowing(member, query, &inbox.reviewers))
        @if let Some(problem) = inbox.problem {
            p.problem role="alert" { (visit.text(problem)) }
        } @else if inbox.sessions.items.is_empty() {
            (nothing(visit, query, &inbox.counts))
        } @else {
            (list(member, query, inbox))
        }
    };
    page(visit, &Page { title: &title, section: Some(Section::Inbox), scripts: &[], refresh_secs: None }, &content)
}

/// How many of the sessions counted pass.
fn total(counts: &[ReviewCount], passes: impl Fn(&ReviewCount) -> bool) -> u64 {
    counts.iter().filter(|count| passes(count)).map(|count| count.n_sessions).sum()
}

/// States as tabs, and levels within the chosen one, each with its count.
fn tabs(visit: &Visit, query: &InboxQuery, counts: &[ReviewCount]) -> Markup {
    let tab = query.tab();
    let number = |n_sessions| html! { " " span.count { (count(visit.language, n_sessions)) } };
    html! {
        nav.tabs aria-label=(visit.text("inbox-states")) {
            @for other in Tab::EVERY {
                a href=(query.with(|query| other.as_str().clone_into(&mut query.show)).href())
                    aria-current=[(other == tab).then_some("page")] {
                    @match other {
                        Tab::State(state) => (state_text(visit, state)),
                        Tab::All => (visit.text("inbox-all")),
                    }
                    (number(total(counts, |count| other.holds(count.state))))
                }
            }
        }
        nav.chips aria-label=(visit.text("inbox-levels")) {
            a href=(query.with(|query| query.level.clear()).href()) aria-current=[query.only_level().is_none().then_some("true")] {
                (visit.text("inbox-all-levels"))
            }
            @for level in [Level::Alert, Level::Suspicious, Level::Inconclusive, Level::Clear] {
                a href=(query.with(|query| level.as_str().clone_into(&mut query.level)).href())
                    aria-current=[(query.only_level() == Some(level)).then_some("true")] {
                    (level_badge(visit, level))
                    (number(total(counts, |count| tab.holds(count.state) && count.level == level)))
                }
            }
        }
    }
}

/// The form that narrows the list down; a plain query, so that the address can be kept.
fn narrowing(member: &Member, query: &InboxQuery, reviewers: &[String]) -> Markup {
    let visit = &*member.visit;
    let nobody = (NOBODY, visit.text("inbox-of-nobody"));
    let of_all = ("", visit.text("inbox-of-all"));
    let names = reviewers.iter().map(|name| {
        let words = if name == member.name() { visit.text("inbox-mine") } else { name.clone() };
        (name.as_str(), words)
    });
    let field = |name: &'static str, key: &str, value: &str, kind: &'static str| {
        html! {
            div.field {
                label for={ "f-" (name) } { (visit.text(key)) }
                input id={ "f-" (name) } name=(name) value=(value) type=(kind);
            }
        }
    };
    html! {
        details.filter open[query.is_narrowed()] {
            summary { (visit.text("inbox-filter")) }
            form method="get" action="/" {
                @if !query.show.is_empty() { input type="hidden" name="show" value=(query.show); }
                @if !query.level.is_empty() { input type="hidden" name="level" value=(query.level); }
                div.field {
                    label for="f-assignee" { (visit.text("inbox-assignee")) }
                    select id="f-assignee" name="assignee" {
                        (options([of_all, nobody].into_iter().chain(names), &query.assignee))
                    }
                }
                (field("candidate", "inbox-candidate", &query.candidate, "text"))
                (field("ref", "inbox-reference", &query.reference, "text"))
                (field("label", "inbox-label", &query.label, "text"))
                (field("from", "inbox-from", &query.from, "date"))
                (field("to", "inbox-to", &query.to, "date"))
                div.field.buttons {
                    button.primary { (visit.text("inbox-apply")) }
                    @if query.is_narrowed() {
                        a href=(InboxQuery { show: query.show.clone(), ..InboxQuery::default() }.href()) { (visit.text("inbox-reset")) }
                    }
                }
            }
        }
    }
}

/// What stands in place of the list when there is nothing on it: what to do next.
fn nothing(visit: &Visit, query: &InboxQuery, counts: &[ReviewCount]) -> Markup {
    html! {
        section.empty {
            @if counts.is_empty() {
                h2 { (visit.text("inbox-empty-title")) }
                p { (visit.text("inbox-empty-text")) }
                pre { code { "bonafide stream interview.mp4 --to http://127.0.0.1:50051 --consent-reference CONSENT" } }
            } @else if query.is_narrowed() || query.only_level().is_some() {
                h2 { (visit.text("inbox-no-match-title")) }
                p { (visit.text("inbox-no-match-text")) }
            } @else {
                h2 { (visit.text("inbox-done-title")) }
                p { (visit.text("inbox-done-text")) }
            }
        }
    }
}

fn list(member: &Member, query: &InboxQuery, inbox: &Inbox) -> Markup {
    let visit = &*member.visit;
    let may_review = visit.may(Permission::Review);
    let here = query.href();
    html! {
        form method="post" action="/assign" {
            (token(visit))
            input type="hidden" name="back" value=(here);
            div.scroll tabindex="0" {
            table.inbox id="inbox" {
                caption.hidden { (visit.text("inbox-title")) }
                thead {
                    tr {
                        @if may_review { th scope="col" { span.hidden { (visit.text("inbox-choose")) } } }
                        th scope="col" { (visit.text("inbox-level")) }
                        th scope="col" { (visit.text("inbox-session")) }
                        th scope="col" { (visit.text("inbox-score")) }
                        th scope="col" { (visit.text("inbox-created")) }
                        th scope="col" { (visit.text("inbox-assignee")) }
                        th scope="col" { (visit.text("inbox-state")) }
                    }
                }
                tbody {
                    @for session in &inbox.sessions.items { (row(member, session, may_review)) }
                }
            }
            }
            div.listing-foot {
                @if may_review {
                    div.bulk {
                        label for="assignee" { (visit.text("inbox-give-to")) }
                        select id="assignee" name="assignee" {
                            option value="" { "–" }
                            (options(inbox.reviewers.iter().map(|name| (name.as_str(), name.clone())), ""))
                            option value=(NOBODY) { (visit.text("inbox-of-nobody")) }
                        }
                        button name="bulk" value="1" { (visit.text("inbox-give")) }
                    }
                }
                nav.pages aria-label=(visit.text("inbox-pages")) {
                    @if !query.after.is_empty() {
                        a href=(query.with(|_| {}).href()) { (visit.text("inbox-first-page")) }
                    }
                    @if let Some(after) = &inbox.sessions.next_page_token {
                        a rel="next" href=(query.with(|query| query.after.clone_from(after)).href()) { (visit.text("inbox-next-page")) }
                    }
                }
            }
            p.quiet.keys { (visit.text("inbox-keys")) }
        }
    }
}

fn row(member: &Member, session: &SessionView, may_review: bool) -> Markup {
    let visit = &*member.visit;
    let name = if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name };
    let worst = worst(&session.participants);
    html! {
        tr {
            @if may_review {
                td.choose {
                    input type="checkbox" name="session" value=(session.id.as_str())
                        aria-label=(visit.text_with("inbox-choose-one", &[("name", name.into())]));
                }
            }
            td.level-cell { (level_badge(visit, session.level)) }
            td.main {
                a.open href={ "/sessions/" (session.id.as_str()) } { (name) }
                @if session.end_time.is_none() { " " span.tag.live { (visit.text("inbox-live")) } }
                @if session.review.is_held { " " span.tag { (visit.text("inbox-held")) } }
                p.quiet {
                    @if let Some(why) = worst.and_then(|participant| headline(visit, participant)) { span.why { (why) } }
                    @if !session.external_ref.is_empty() { span.ref { (session.external_ref) } }
                    @if let Some(candidate) = &session.candidate { span.ref { (candidate.as_str()) } }
                }
            }
            td.number data-label=(visit.text("inbox-score")) {
                (worst.map_or_else(String::new, |participant| score_words(visit, participant.score.authenticity)))
            }
            td data-label=(visit.text("inbox-created")) { (moment(visit, session.create_time)) }
            td data-label=(visit.text("inbox-assignee")) {
                @if session.review.assignee.is_empty() {
                    @if may_review {
                        button.small name="take" value=(session.id.as_str())
                            aria-label=(visit.text_with("inbox-take-one", &[("name", name.into())])) { (visit.text("inbox-take")) }
                    } @else { span.quiet { (visit.text("inbox-of-nobody")) } }
                } @else { (session.review.assignee) }
            }
            td data-label=(visit.text("inbox-state")) { (state_text(visit, session.review.state)) }
        }
    }
}
