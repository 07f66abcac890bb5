//! Candidates, and the form that enrols a reference of one.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};

use crate::service::Enrolment;
use crate::text::{count, reason};
use crate::web::error::Failure;
use crate::web::form::SafeUpload;
use crate::web::layout::said;
use crate::web::parts::moment;
use crate::web::state::Web;
use crate::web::visit::Member;

use super::enrolment::{enrol_form, new_reference};
use super::investigator::Investigator;
use super::{IdentityPage, ListQuery, identity_page, next_link};

/// The list.
pub(in crate::web) async fn show(
    State(web): State<Web>,
    Investigator(member): Investigator,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Failure> {
    view(&web, &member, &query, &[]).await
}

/// Enrols a reference.
pub(in crate::web) async fn enrol(
    State(web): State<Web>,
    Investigator(member): Investigator,
    upload: SafeUpload,
) -> Result<Response, Failure> {
    let new = new_reference(&upload.form, upload.picture)?;
    let candidate = new.candidate.clone();
    let visit = &*member.visit;
    let outcome = web.services.identities.enroll_reference(member.caller(), new).await;
    let problems = match outcome.map_err(Failure::from) {
        Ok(Enrolment::Kept(_)) => {
            return Ok(Redirect::to(&format!("/identity/candidates/{candidate}?said=reference")).into_response());
        }
        Ok(Enrolment::Refused(reasons)) => reasons.iter().map(|why| reason(visit.language, why)).collect(),
        Err(failure) if failure.is_about_the_form() => vec![failure.said(visit)],
        Err(failure) => return Err(failure),
    };
    let page = view(&web, &member, &ListQuery::default(), &problems).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

async fn view(web: &Web, member: &Member, query: &ListQuery, problems: &[String]) -> Result<Markup, Failure> {
    let visit = &*member.visit;
    let candidates = web.services.identities.candidates(member.caller(), &query.page()).await?;
    let content = html! {
        (said(visit, query.said.as_deref()))
        @if !problems.is_empty() {
            div.problem role="alert" { p { (visit.text("enrol-refused")) } ul { @for problem in problems { li { (problem) } } } }
        }
        section.card {
            @if candidates.items.is_empty() { p { (visit.text("candidates-none")) } }
            @else {
                div.scroll tabindex="0" { table {
                    caption.hidden { (visit.text("identity-candidates")) }
                    thead { tr {
                        th scope="col" { (visit.text("facts-candidate")) }
                        th.number scope="col" { (visit.text("candidates-sessions")) }
                        th.number scope="col" { (visit.text("candidates-references")) }
                        th scope="col" { (visit.text("candidates-last")) }
                    } }
                    tbody { @for candidate in &candidates.items { tr {
                        th scope="row" {
                            a href={ "/identity/candidates/" (candidate.id.as_str()) } { (candidate.id.as_str()) }
                            @if !candidate.display_name.is_empty() { p.quiet { (candidate.display_name) } }
                        }
                        td.number { (count(visit.language, candidate.n_sessions)) }
                        td.number { (count(visit.language, candidate.n_references)) }
                        td { @if let Some(time) = candidate.last_session_time { (moment(visit, time)) } }
                    } } }
                } }
            }
            (next_link(visit, "/identity/candidates", candidates.next_page_token.as_deref()))
        }
        (enrol_form(visit, None))
    };
    Ok(identity_page(visit, IdentityPage::Candidates, &visit.text("identity-candidates"), &content))
}
