//! Faces by their names in addresses and forms.

use maud::{Markup, html};

use crate::service::ports::{FaceName, FaceRecord, ReferenceId, ReferenceName};
use crate::service::{SessionFace, Subject};
use crate::session::{CandidateId, ParticipantId, SessionId};
use crate::web::error::Failure;
use crate::web::form::encode;
use crate::web::parts::moment;
use crate::web::visit::Visit;

/// The face of a name: `sessions/S`, `sessions/S/participants/P/persons/N` or `candidates/C/references/R`. What is none names
/// nothing.
pub(super) fn subject(name: &str) -> Result<Subject, Failure> {
    parse(name.trim().trim_start_matches('/')).ok_or_else(Failure::not_found)
}

fn parse(name: &str) -> Option<Subject> {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        ["sessions", session] => Some(Subject::session(SessionId::new(session).ok()?)),
        ["sessions", session, "participants", participant, "persons", person] => Some(Subject::Session(SessionFace {
            session: SessionId::new(session).ok()?,
            participant: Some(ParticipantId::new(participant).ok()?),
            person: person.parse().ok()?,
        })),
        ["candidates", candidate, "references", reference] => Some(Subject::Reference(ReferenceName {
            candidate: CandidateId::new(candidate).ok()?,
            id: ReferenceId::new(reference).ok()?,
        })),
        _ => None,
    }
}

/// Addresses about faces.
pub(super) fn compare_href(a: &str, b: &str) -> String {
    format!("/identity/compare?{}", encode(&[("a", a), ("b", b)]))
}

/// Where a face is searched for.
pub(super) fn search_href(subject: &str) -> String {
    format!("/identity/search?{}", encode(&[("subject", subject)]))
}

/// Where every past session of a face is listed.
pub(super) fn hunt_href(subject: &str) -> String {
    format!("/identity/hunt?{}", encode(&[("subject", subject)]))
}

/// Where sessions that were held in the same place are listed.
pub(super) fn scene_href(subject: &str) -> String {
    format!("/identity/scene?{}", encode(&[("subject", subject)]))
}

/// The page on which a face is at home, and what it is called there.
pub(super) fn face_link(visit: &Visit, face: &FaceRecord) -> Markup {
    let name = |id: &str| if face.display_name.is_empty() { id.to_owned() } else { face.display_name.clone() };
    html! {
        @match &face.face {
            FaceName::Session { session, participant, person } => {
                a href={ "/sessions/" (session.as_str()) } { (name(session.as_str())) }
                @if *person > 0 {
                    " " span.quiet { (visit.text_with("identity-person", &[
                        ("participant", participant.as_str().into()), ("n", u64::from(*person).saturating_add(1).into()),
                    ])) }
                }
            }
            FaceName::Reference(reference) => {
                a href={ "/identity/candidates/" (reference.candidate.as_str()) } { (name(reference.candidate.as_str())) }
                " " span.quiet { (visit.text(&purpose_key(face))) }
            }
        }
    }
}

fn purpose_key(face: &FaceRecord) -> String {
    face.purpose.map_or_else(|| "identity-reference".to_owned(), |purpose| format!("purpose-{}", purpose.as_str()))
}

/// One side of a pair: which session, whose, when.
pub(super) fn side(visit: &Visit, face: &FaceRecord) -> Markup {
    html! {
        (face_link(visit, face))
        @if face.is_watched { " " span.tag { (visit.text("identity-is-watched")) } }
        p.quiet {
            @if let Some(candidate) = &face.candidate {
                a href={ "/identity/candidates/" (candidate.as_str()) } { (candidate.as_str()) }
            } @else { (visit.text("identity-no-candidate")) }
            " · " (moment(visit, face.time))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, subject};
    use crate::service::Subject;
    use crate::service::ports::FaceName;

    #[test]
    fn names_of_faces_read_back_and_others_name_nothing() {
        for name in [
            "sessions/abcd-1/participants/candidate/persons/2",
            "candidates/ats-1/references/r-00112233445566778899aabb",
        ] {
            let read = parse(name).expect(name);
            let written = match read {
                Subject::Session(face) => FaceName::Session {
                    session: face.session,
                    participant: face.participant.expect("is named"),
                    person: face.person,
                }
                .to_string(),
                Subject::Reference(name) => name.to_string(),
                Subject::Picture(_) => panic!("is no picture"),
            };
            assert_eq!(written, name);
        }
        assert!(subject(" /sessions/abcd-1 ").is_ok());
        for bad in
            ["", "abcd-1", "sessions/", "sessions/a/b", "candidates/x", "sessions/abcd-1/participants/p/persons/-1"]
        {
            assert!(subject(bad).is_err(), "{bad:?}");
        }
    }
}
