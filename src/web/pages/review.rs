//! What people do with a session: take it on, mark segments, decide, hold, delete.

use axum::extract::{Path, State};
use axum::response::Redirect;
use maud::{Markup, html};

use crate::service::ports::{DecisionKind, MarkVerdict, Review, ReviewState};
use crate::service::{MAX_NOTE_BYTES, Permission, SecondReviewer, SegmentWord, SessionView};
use crate::session::SessionId;
use crate::web::error::Failure;
use crate::web::form::SafeForm;
use crate::web::layout::{Page, Section, page, token};
use crate::web::parts::{moment, options, state_text};
use crate::web::state::Web;
use crate::web::visit::{Member, Visit};

use super::inbox_query::NOBODY;
use super::session::session_id;

/// Gives the session to somebody.
pub(in crate::web) async fn assign(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    form: SafeForm,
) -> Result<Redirect, Failure> {
    let id = session_id(&id)?;
    let assignee = match form.get("assignee") {
        NOBODY => "",
        name => name,
    };
    web.services.reviews.assign(member.caller(), &id, assignee).await?;
    Ok(back(&id, if assignee.is_empty() { "released" } else { "assigned" }, ""))
}

/// Confirms or dismisses a segment.
pub(in crate::web) async fn mark(
    State(web): State<Web>,
    member: Member,
    Path((id, ordinal)): Path<(String, u32)>,
    form: SafeForm,
) -> Result<Redirect, Failure> {
    let id = session_id(&id)?;
    let verdict = MarkVerdict::from_name(form.get("verdict")).ok_or(Failure::bad_request("error-nothing-chosen"))?;
    let word = SegmentWord { ordinal, verdict, note: form.get("note") };
    web.services.reviews.mark(member.caller(), &id, word).await?;
    Ok(back(&id, "marked", &format!("#segment-{ordinal}")))
}

/// Decides.
pub(in crate::web) async fn decide(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    form: SafeForm,
) -> Result<Redirect, Failure> {
    let id = session_id(&id)?;
    let kind = DecisionKind::from_name(form.get("kind")).ok_or(Failure::bad_request("error-nothing-chosen"))?;
    web.services.reviews.decide(member.caller(), &id, kind, form.get("note")).await?;
    Ok(back(&id, "decided", ""))
}

/// Sets or lifts a legal hold.
pub(in crate::web) async fn hold(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    form: SafeForm,
) -> Result<Redirect, Failure> {
    let id = session_id(&id)?;
    let is_held = form.get("held") == "yes";
    web.services.reviews.hold(member.caller(), &id, is_held).await?;
    Ok(back(&id, if is_held { "held" } else { "let-go" }, ""))
}

/// Asks once more before a session is deleted.
pub(in crate::web) async fn ask_to_delete(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Markup, Failure> {
    let session = web.services.interviews.get(member.caller(), &session_id(&id)?).await?;
    Ok(deletion(&member.visit, &session))
}

/// Deletes a session whose id was written out.
pub(in crate::web) async fn delete(
    State(web): State<Web>,
    member: Member,
    Path(id): Path<String>,
    form: SafeForm,
) -> Result<Redirect, Failure> {
    let id = session_id(&id)?;
    if form.get("confirm").trim() != id.as_str() {
        return Err(Failure::bad_request("error-not-confirmed"));
    }
    web.services.interviews.delete(member.caller(), &id, None).await?;
    Ok(Redirect::to("/?said=deleted"))
}

fn back(id: &SessionId, said: &str, fragment: &str) -> Redirect {
    Redirect::to(&format!("/sessions/{id}?said={said}{fragment}"))
}

/// Who may be asked, and who has to agree.
pub(super) struct Rules<'a> {
    /// Accounts that a session can be given to.
    pub(super) reviewers: &'a [String],
    /// Which decisions a second person has to agree with.
    pub(super) second_reviewer: SecondReviewer,
}

/// Who looks after the session, what was decided, and the form to decide.
pub(super) fn panel(member: &Member, session: &SessionView, review: &Review, rules: &Rules<'_>) -> Markup {
    let visit = &*member.visit;
    html! {
        section.card.review aria-labelledby="review-title" {
            h2 id="review-title" { (visit.text("review-title")) }
            p { strong { (state_text(visit, review.summary.state)) } }
            (assignment(member, session, review, rules.reviewers))
            (history(visit, review))
            @if visit.may(Permission::Review) { (decision_form(visit, session, review, rules.second_reviewer)) }
        }
    }
}

fn assignment(member: &Member, session: &SessionView, review: &Review, reviewers: &[String]) -> Markup {
    let visit = &*member.visit;
    let assignee = &review.summary.assignee;
    let path = format!("/sessions/{}/assign", session.id);
    html! {
        dl.facts {
            div {
                dt { (visit.text("inbox-assignee")) }
                dd { @if assignee.is_empty() { (visit.text("inbox-of-nobody")) } @else { (assignee) } }
            }
        }
        @if visit.may(Permission::Review) {
            @if assignee != member.name() {
                form method="post" action=(path) {
                    (token(visit))
                    button.small name="assignee" value=(member.name()) { (visit.text("review-take")) }
                }
            }
            details {
                summary { (visit.text("review-assign")) }
                form.row method="post" action=(path) {
                    (token(visit))
                    label.hidden for="assignee" { (visit.text("inbox-give-to")) }
                    select id="assignee" name="assignee" {
                        (options(reviewers.iter().map(|name| (name.as_str(), name.clone())), assignee))
                        option value=(NOBODY) selected[assignee.is_empty()] { (visit.text("inbox-of-nobody")) }
                    }
                    button.small { (visit.text("inbox-give")) }
                }
            }
        }
    }
}

/// The key of a decision's texts.
pub(super) const fn decision_key(kind: DecisionKind) -> &'static str {
    match kind {
        DecisionKind::Proceed => "decision-proceed",
        DecisionKind::Clarify => "decision-clarify",
        DecisionKind::Decline => "decision-decline",
    }
}

fn history(visit: &Visit, review: &Review) -> Markup {
    html! {
        @if !review.decisions.is_empty() {
            h3 { (visit.text("review-history")) }
            ol.history {
                @for decision in review.decisions.iter().rev() {
                    li {
                        p { strong { (visit.text(decision_key(decision.kind))) }
                            span.quiet { " · " (decision.by) " · " (moment(visit, decision.time)) } }
                        p.note { (decision.note) }
                    }
                }
            }
        }
        @if review.summary.state == ReviewState::InReview && !review.decisions.is_empty() {
            p.hint { (visit.text("review-waits-for-second")) }
        }
    }
}

fn decision_form(visit: &Visit, session: &SessionView, review: &Review, second_reviewer: SecondReviewer) -> Markup {
    let second = match second_reviewer {
        SecondReviewer::Never => None,
        SecondReviewer::Decline => Some("review-second-decline"),
        SecondReviewer::Always => Some("review-second-always"),
    };
    let title = if review.decisions.is_empty() { "review-decide" } else { "review-decide-again" };
    html! {
        form.stack.decision method="post" action={ "/sessions/" (session.id.as_str()) "/decide" } {
            (token(visit))
            fieldset {
                legend { (visit.text(title)) }
                @for kind in DecisionKind::ALL {
                    label.choice {
                        input type="radio" name="kind" value=(kind.as_str()) required;
                        span {
                            strong { (visit.text(decision_key(kind))) }
                            span.quiet { (visit.text(&format!("{}-means", decision_key(kind)))) }
                        }
                    }
                }
            }
            label for="decision-note" { (visit.text("review-note")) }
            textarea id="decision-note" name="note" rows="4" required maxlength=(MAX_NOTE_BYTES) {}
            @if let Some(second) = second { p.hint { (visit.text(second)) } }
            button.primary { (visit.text("review-submit")) }
        }
    }
}

/// What only those may do who may delete: hold and delete.
pub(super) fn guarded(member: &Member, session: &SessionView, review: &Review) -> Markup {
    let visit = &*member.visit;
    let is_held = review.summary.is_held;
    let path = format!("/sessions/{}", session.id);
    html! {
        @if visit.may(Permission::DeleteSessions) {
            section.card aria-labelledby="guarded-title" {
                h2 id="guarded-title" { (visit.text("guarded-title")) }
                p.quiet { (visit.text(if is_held { "guarded-held" } else { "guarded-not-held" })) }
                div.buttons {
                    form method="post" action={ (path) "/hold" } {
                        (token(visit))
                        button.small name="held" value=(if is_held { "no" } else { "yes" }) {
                            (visit.text(if is_held { "guarded-let-go" } else { "guarded-hold" }))
                        }
                    }
                    @if !is_held { a.button.small.danger href={ (path) "/delete" } { (visit.text("guarded-delete")) } }
                }
            }
        }
    }
}

fn deletion(visit: &Visit, session: &SessionView) -> Markup {
    let title = visit.text("delete-title");
    let path = format!("/sessions/{}", session.id);
    let name = if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name };
    let content = html! {
        section.narrow {
            p.crumbs { a href=(path) { (name) } }
            h1 { (title) }
            p.lead { (visit.text("delete-text")) }
            form.stack method="post" action={ (path) "/delete" } {
                (token(visit))
                label for="confirm" {
                    (visit.text_with("delete-confirm", &[("id", session.id.as_str().into())]))
                }
                input id="confirm" name="confirm" autocomplete="off" autocapitalize="none" spellcheck="false" required;
                div.buttons {
                    button.danger { (visit.text("delete-submit")) }
                    a.button href=(path) { (visit.text("delete-cancel")) }
                }
            }
        }
    };
    page(visit, &Page { title: &title, section: Some(Section::Inbox), scripts: &[], refresh_secs: None }, &content)
}
