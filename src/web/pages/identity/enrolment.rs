//! The form that enrols a reference, and what it says.

use bytes::Bytes;
use maud::{Markup, html};

use crate::service::ports::ReferencePurpose;
use crate::service::{NewReference, ReferenceSource, Subject};
use crate::session::CandidateId;
use crate::web::error::Failure;
use crate::web::form::SafeForm;
use crate::web::layout::token;
use crate::web::parts::options;
use crate::web::visit::Visit;

use super::subject::subject;

/// The form; with a candidate it is that one's.
pub(super) fn enrol_form(visit: &Visit, candidate: Option<&CandidateId>) -> Markup {
    let purposes = ReferencePurpose::ALL.iter().map(|purpose| {
        let name = purpose.as_str();
        (name, visit.text(&format!("purpose-{name}")))
    });
    html! {
        section.card aria-labelledby="enrol-title" {
            h2 id="enrol-title" { (visit.text("enrol-title")) }
            p.quiet { (visit.text("enrol-explained")) }
            form.stack method="post" action="/identity/candidates" enctype="multipart/form-data" {
                (token(visit))
                @if let Some(candidate) = candidate {
                    input type="hidden" name="candidate" value=(candidate.as_str());
                } @else {
                    label for="candidate" { (visit.text("facts-candidate")) }
                    input id="candidate" name="candidate" required maxlength="128" autocomplete="off" spellcheck="false";
                    label for="display_name" { (visit.text("enrol-display-name")) }
                    input id="display_name" name="display_name" maxlength="256" autocomplete="off";
                }
                label for="purpose" { (visit.text("reference-purpose")) }
                select id="purpose" name="purpose" { (options(purposes, ReferencePurpose::Applied.as_str())) }
                label for="consent_reference" { (visit.text("facts-consent")) }
                input id="consent_reference" name="consent_reference" maxlength="256" autocomplete="off";
                label for="picture" { (visit.text("search-file")) }
                input id="picture" name="picture" type="file" accept="image/jpeg,image/png,image/webp";
                label for="session" { (visit.text("enrol-session")) }
                input id="session" name="session" placeholder="sessions/…" autocomplete="off" spellcheck="false";
                button.primary { (visit.text("enrol-submit")) }
            }
        }
    }
}

/// What a form asks for; a picture wins over a session.
pub(super) fn new_reference(form: &SafeForm, picture: Option<Bytes>) -> Result<NewReference, Failure> {
    let candidate =
        CandidateId::new(form.get("candidate").trim()).map_err(|_| Failure::bad_request("enrol-bad-candidate"))?;
    let purpose = ReferencePurpose::from_name(form.get("purpose"));
    let session = form.get("session").trim();
    let source = match (picture, session.is_empty()) {
        (Some(picture), _) => ReferenceSource::Picture(picture),
        // Refused by the use case.
        (None, true) => ReferenceSource::Picture(Bytes::new()),
        (None, false) => match subject(session)? {
            Subject::Session(face) => ReferenceSource::Session(face),
            Subject::Reference(_) | Subject::Picture(_) => return Err(Failure::bad_request("enrol-bad-session")),
        },
    };
    Ok(NewReference {
        candidate,
        display_name: form.get("display_name").trim().to_owned(),
        purpose: purpose.unwrap_or(ReferencePurpose::Applied),
        source,
        consent_reference: form.get("consent_reference").trim().to_owned(),
        expire_time: None,
    })
}
