//! Resource names (AIP-122): `sessions/{session}`, `sessions/{session}/segments/{number}`, `sessions/{session}/stills/{number}`,
//! `candidates/{candidate}`, `candidates/{candidate}/references/{reference}`.

use crate::service::ports::{ReferenceId, ReferenceName};
use crate::session::{CandidateId, SessionId};

use super::field::FieldError;

const SESSIONS: &str = "sessions/";
const CANDIDATES: &str = "candidates/";

/// The name of a session.
pub(super) fn session_name(id: &SessionId) -> String {
    format!("{SESSIONS}{id}")
}

/// The name of a segment.
pub(super) fn segment_name(id: &SessionId, ordinal: u32) -> String {
    format!("{SESSIONS}{id}/segments/{ordinal}")
}

/// The session that `name` names.
pub(super) fn parse_session(field: &'static str, name: &str) -> Result<SessionId, FieldError> {
    if name.is_empty() {
        return Err(FieldError::new(field, "is not set: name the session as sessions/{id}"));
    }
    let id = name.strip_prefix(SESSIONS).ok_or_else(|| FieldError::new(field, "must have the form sessions/{id}"))?;
    SessionId::new(id).map_err(|error| FieldError::new(field, format!("the id {}", error.problem)))
}

/// The name of a candidate.
pub(super) fn candidate_name(id: &CandidateId) -> String {
    format!("{CANDIDATES}{id}")
}

/// The candidate that `name` names.
pub(super) fn parse_candidate(field: &'static str, name: &str) -> Result<CandidateId, FieldError> {
    let id =
        name.strip_prefix(CANDIDATES).ok_or_else(|| FieldError::new(field, "must have the form candidates/{id}"))?;
    CandidateId::new(id).map_err(|error| FieldError::new(field, format!("the id {}", error.problem)))
}

/// The reference that `name` names.
pub(super) fn parse_reference(field: &'static str, name: &str) -> Result<ReferenceName, FieldError> {
    let problem = || FieldError::new(field, "must have the form candidates/{candidate}/references/{reference}");
    let (candidate, id) = name.split_once("/references/").ok_or_else(problem)?;
    let id = ReferenceId::new(id).map_err(|error| FieldError::new(field, format!("the id {}", error.problem)))?;
    Ok(ReferenceName { candidate: parse_candidate(field, candidate)?, id })
}

/// The session and number that a segment's `name` names.
pub(super) fn parse_segment(field: &'static str, name: &str) -> Result<(SessionId, u32), FieldError> {
    parse_part(field, name, "/segments/", "must have the form sessions/{id}/segments/{number}")
}

/// The name of a still.
pub(super) fn still_name(id: &SessionId, ordinal: u32) -> String {
    format!("{SESSIONS}{id}/stills/{ordinal}")
}

/// The session and number that a still's `name` names.
pub(super) fn parse_still(field: &'static str, name: &str) -> Result<(SessionId, u32), FieldError> {
    parse_part(field, name, "/stills/", "must have the form sessions/{id}/stills/{number}")
}

fn parse_part(
    field: &'static str,
    name: &str,
    collection: &str,
    problem: &'static str,
) -> Result<(SessionId, u32), FieldError> {
    let problem = || FieldError::new(field, problem);
    // From the end: a session may be called as the collection is.
    let (session, ordinal) = name.rsplit_once(collection).ok_or_else(problem)?;
    Ok((parse_session(field, session)?, ordinal.parse().map_err(|_| problem())?))
}

#[cfg(test)]
mod tests {
    use super::{
        candidate_name, parse_candidate, parse_reference, parse_segment, parse_session, parse_still, segment_name,
        session_name, still_name,
    };

    #[test]
    fn names_survive_the_round_trip() {
        let id = parse_session("name", "sessions/interview-7").expect("valid");
        assert_eq!(session_name(&id), "sessions/interview-7");
        assert_eq!(parse_still("name", &still_name(&id, 4)), Ok((id.clone(), 4)));
        assert_eq!(parse_segment("name", &segment_name(&id, 3)), Ok((id, 3)));
        let id = parse_session("name", "sessions/segments").expect("valid");
        assert_eq!(parse_segment("name", "sessions/segments/segments/3"), Ok((id, 3)));
        let candidate = parse_candidate("candidate", "candidates/ATS.7").expect("valid");
        assert_eq!(candidate_name(&candidate), "candidates/ATS.7");
        let reference = "candidates/ATS.7/references/r-00112233445566778899aabb";
        assert_eq!(parse_reference("name", reference).expect("valid").to_string(), reference);
    }

    #[test]
    fn foreign_names_are_refused() {
        for bad in
            ["", "interview-7", "sessions/", "session/interview-7", "sessions/UPPER", "sessions/a/b", "sessions/../x"]
        {
            let error = parse_session("name", bad).expect_err(bad);
            assert_eq!(error.field, "name");
        }
        for bad in ["", "7", "candidates/", "candidates/a/b", "candidates/.."] {
            assert_eq!(parse_candidate("candidate", bad).expect_err(bad).field, "candidate");
        }
        for bad in [
            "",
            "candidates/7",
            "candidates/7/references/",
            "candidates/7/references/r-0",
            "x/7/references/r-00112233445566778899aabb",
        ] {
            assert!(parse_reference("name", bad).is_err(), "{bad}");
        }
        for bad in
            ["sessions/abcd", "sessions/abcd/segments/", "sessions/abcd/segments/-1", "sessions/abcd/segments/1/x"]
        {
            assert!(parse_segment("name", bad).is_err(), "{bad}");
            assert!(parse_still("name", &bad.replace("segments", "stills")).is_err(), "{bad}");
        }
    }
}
