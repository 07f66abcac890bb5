//! One candidate's ledger: references, sessions in their order, and whether one person is in all of them.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use crate::service::ports::{FaceName, ReferenceId, ReferenceName, TemplateKind};
use crate::service::{Ledger, LedgerEntry, LedgerPair, PairKind, TemplateCondition};
use crate::session::CandidateId;
use crate::web::error::Failure;
use crate::web::form::SafeForm;
use crate::web::layout::{said, token};
use crate::web::parts::{level_badge, moment};
use crate::web::state::Web;
use crate::web::visit::Visit;

use super::enrolment::enrol_form;
use super::investigator::Investigator;
use super::subject::{compare_href, hunt_href, search_href};
use super::words::{likeness, quality, verdict};
use super::{IdentityPage, ListQuery, identity_page};

/// Pairs that are shown, those that speak for two people first.
const MAX_PAIRS: usize = 60;

fn candidate_id(id: &str) -> Result<CandidateId, Failure> {
    CandidateId::new(id).map_err(|_| Failure::not_found())
}

/// The page.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Path(id): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Failure> {
    let ledger = web.services.identities.candidate(member.caller(), &candidate_id(&id)?).await?;
    let visit = &*member.visit;
    let content = html! {
        p.crumbs { a href="/identity/candidates" { (visit.text("identity-candidates")) } }
        (said(visit, query.said.as_deref()))
        @if !ledger.candidate.display_name.is_empty() { p.lead { (ledger.candidate.display_name) } }
        @if ledger.has_different_faces { p.problem role="status" { (visit.text("ledger-different")) } }
        (entries(visit, &ledger))
        (pairs(visit, &ledger))
        (enrol_form(visit, Some(&ledger.candidate.id)))
    };
    Ok(identity_page(visit, IdentityPage::Candidates, ledger.candidate.id.as_str(), &content))
}

/// Deletes a reference.
pub(in crate::web) async fn delete_reference(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Path(id): Path<String>,
    form: SafeForm,
) -> Result<Response, Failure> {
    let candidate = candidate_id(&id)?;
    let reference = ReferenceId::new(form.get("reference")).map_err(|_| Failure::not_found())?;
    let name = ReferenceName { candidate: candidate.clone(), id: reference };
    web.services.identities.delete_reference(member.caller(), &name).await?;
    // With its last reference a candidate of no session is gone.
    let caller = member.caller();
    let next = match web.services.identities.candidate(caller, &candidate).await {
        Ok(_) => format!("/identity/candidates/{candidate}?said=reference-deleted"),
        Err(_) => "/identity/candidates?said=reference-deleted".to_owned(),
    };
    Ok(Redirect::to(&next).into_response())
}

fn condition(visit: &Visit, of: &TemplateCondition) -> String {
    match of {
        TemplateCondition::Known(rests_on) => quality(visit, *rests_on),
        TemplateCondition::Missing(state) => {
            let name = if state.as_str().is_empty() { "pending" } else { state.as_str() };
            visit.text(&format!("template-{}", name.replace('_', "-")))
        }
        TemplateCondition::OtherModel => visit.text("template-other-model"),
        TemplateCondition::Unreadable => visit.text("template-unreadable"),
    }
}

fn entries(visit: &Visit, ledger: &Ledger) -> Markup {
    html! {
        section.card aria-labelledby="entries-title" {
            h2 id="entries-title" { (visit.text("ledger-entries")) }
            div.scroll tabindex="0" { table {
                caption.hidden { (visit.text("ledger-entries")) }
                thead { tr {
                    th scope="col" { (visit.text("ledger-entry")) }
                    th scope="col" { (visit.text("ledger-when")) }
                    th scope="col" { (visit.text("ledger-face")) }
                    th scope="col" { span.hidden { (visit.text("watch-actions")) } }
                } }
                tbody { @for (number, entry) in ledger.entries.iter().enumerate() { (line(visit, number, entry)) } }
            } }
            @if ledger.has_more_sessions { p.quiet { (visit.text("ledger-more")) } }
        }
    }
}

fn line(visit: &Visit, number: usize, entry: &LedgerEntry) -> Markup {
    let name = entry.face().map(|face| face.to_string());
    let (LedgerEntry::Session { condition: state, .. } | LedgerEntry::Reference { condition: state, .. }) = entry;
    html! {
        tr {
            th scope="row" { (number + 1) ". " (entry_name(visit, entry)) }
            td { @match entry {
                LedgerEntry::Session { session, .. } => { (moment(visit, session.create_time)) }
                LedgerEntry::Reference { reference, .. } => {
                    (moment(visit, reference.create_time))
                    p.quiet { (reference.created_by) " · " (reference.consent_reference) }
                }
            } }
            td { (condition(visit, state)) }
            td {
                div.buttons {
                    @if let (Some(name), TemplateCondition::Known(_)) = (&name, state) {
                        a.button.small href=(search_href(name)) { (visit.text("identity-search")) }
                        a.button.small href=(hunt_href(name)) { (visit.text("identity-hunt")) }
                    }
                    @if let LedgerEntry::Reference { reference, .. } = entry {
                        form method="post" action={ "/identity/candidates/" (reference.name.candidate.as_str()) "/delete-reference" } {
                            (token(visit))
                            input type="hidden" name="reference" value=(reference.name.id.as_str());
                            button.small.danger { (visit.text("reference-delete")) }
                        }
                    }
                }
            }
        }
    }
}

fn entry_name(visit: &Visit, entry: &LedgerEntry) -> Markup {
    html! {
        @match entry {
            LedgerEntry::Session { session, face, .. } => {
                a href={ "/sessions/" (session.id.as_str()) } {
                    (if session.display_name.is_empty() { session.id.as_str() } else { &session.display_name })
                }
                @if let Some(FaceName::Session { participant, person, .. }) = face {
                    @if *person > 0 {
                        " " span.quiet { (visit.text_with("identity-person", &[
                            ("participant", participant.as_str().into()), ("n", u64::from(*person).saturating_add(1).into()),
                        ])) }
                    }
                }
                p { (level_badge(visit, session.level)) }
            }
            LedgerEntry::Reference { reference, .. } => {
                (visit.text("identity-reference")) ": " (visit.text(&format!("purpose-{}", reference.purpose.as_str())))
                @if let Some(session) = &reference.source_session {
                    p.quiet { a href={ "/sessions/" (session.as_str()) } { (session.as_str()) } }
                }
            }
        }
    }
}

fn pairs(visit: &Visit, ledger: &Ledger) -> Markup {
    let mut sorted: Vec<&LedgerPair> = ledger.pairs.iter().collect();
    sorted.sort_by(|a, b| a.likeness.llr.total_cmp(&b.likeness.llr));
    html! {
        section.card aria-labelledby="pairs-title" {
            h2 id="pairs-title" { (visit.text("ledger-pairs")) }
            @if sorted.is_empty() { p.quiet { (visit.text("ledger-pairs-none")) } }
            @else {
                p.quiet { (visit.text("ledger-pairs-explained")) }
                div.scroll tabindex="0" { table {
                    caption.hidden { (visit.text("ledger-pairs")) }
                    thead { tr {
                        th scope="col" { (visit.text("ledger-pair")) }
                        th scope="col" { (visit.text("ledger-kind")) }
                        th scope="col" { (visit.text("search-how-alike")) }
                        th scope="col" { (visit.text("search-verdict")) }
                        th scope="col" { span.hidden { (visit.text("identity-compare")) } }
                    } }
                    tbody { @for pair in sorted.iter().take(MAX_PAIRS) { (pair_line(visit, ledger, pair)) } }
                } }
                @if sorted.len() > MAX_PAIRS { p.quiet { (visit.text("ledger-pairs-more")) } }
            }
        }
    }
}

fn pair_line(visit: &Visit, ledger: &Ledger, pair: &LedgerPair) -> Markup {
    let name = |number: usize| Some(ledger.entries.get(number)?.face()?.to_string());
    let kind = match pair.kind {
        PairKind::WithinSession => "pair-within",
        PairKind::RoundToRound => "pair-rounds",
        PairKind::AppliedToInterviewed => "pair-applied",
        PairKind::InterviewedToHired => "pair-hired",
        PairKind::Other => "pair-other",
    };
    html! {
        tr {
            th scope="row" { (pair.first + 1) " – " (pair.second + 1) }
            td { (visit.text(kind)) }
            td { (likeness(visit, &pair.likeness)) }
            td {
                @if let Some(said) = &pair.verdict { (verdict(visit, TemplateKind::Face, said)) }
                @else { span.quiet { (visit.text("verdict-open")) } }
            }
            td {
                @if let (Some(a), Some(b)) = (name(pair.first), name(pair.second)) {
                    a href=(compare_href(&a, &b)) { (visit.text("identity-compare")) }
                }
            }
        }
    }
}
