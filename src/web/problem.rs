//! Which text says, in the visitor's language, what a use case said in English.
//!
//! Use cases name a field or a thing and say what is wrong with it, for every kind of client. Here each has a sentence of its
//! own; what the use case said goes along as a technical detail.

use crate::service::ServiceError;
use crate::service::ports::StoreError;

/// The key of the text for an error; `None` = what its status says by itself.
pub(super) fn text_key(error: &ServiceError) -> Option<&'static str> {
    match error {
        ServiceError::InvalidField { field, .. } => of_field(field),
        ServiceError::Id(_) => Some("problem-id"),
        ServiceError::FailedPrecondition { what, .. } => of_state(what),
        ServiceError::AlreadyExists { .. } => Some("problem-taken"),
        ServiceError::Identity(_) => Some("problem-template"),
        ServiceError::Store(error) => of_store(error),
        ServiceError::NotFound { .. }
        | ServiceError::PermissionDenied { .. }
        | ServiceError::Overloaded { .. }
        | ServiceError::Unavailable { .. }
        | ServiceError::Timeout { .. }
        | ServiceError::Media(_)
        | ServiceError::Vision(_)
        | ServiceError::Inference(_)
        | ServiceError::Seal(_)
        | ServiceError::Evidence(_)
        | ServiceError::Internal { .. } => None,
    }
}

fn of_field(field: &str) -> Option<&'static str> {
    let field = field.strip_prefix("session.").unwrap_or(field);
    Some(match field {
        "note" => "problem-note",
        "assignee" | "name" => "problem-name",
        "display_name" | "external_ref" => "problem-text",
        "consent_reference" => "problem-consent",
        "roles" => "problem-roles",
        "password" => "problem-password",
        "old_password" => "problem-old-password",
        "image" => "problem-picture",
        "participant" => "problem-participant",
        "second" => "problem-same-face",
        "expire_time" => "problem-expiry",
        "labels" => "problem-labels",
        _ => return None,
    })
}

fn of_state(what: &str) -> Option<&'static str> {
    match what {
        "image" => Some("problem-no-models"),
        "identity.max_templates" => Some("problem-too-many-templates"),
        _ if what.starts_with("sessions/") => Some("problem-session"),
        _ if what.starts_with("candidates/") => Some("problem-candidate"),
        _ => None,
    }
}

const fn of_store(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::AlreadyExists { .. } | StoreError::Taken { .. } => Some("problem-taken"),
        StoreError::Held { .. } => Some("problem-held"),
        StoreError::Stale { .. } => Some("problem-stale"),
        StoreError::BadPageToken => Some("problem-page"),
        StoreError::NotFound { .. }
        | StoreError::NoSuch { .. }
        | StoreError::Corrupt { .. }
        | StoreError::Behind { .. }
        | StoreError::Backend { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::text_key;
    use crate::service::ServiceError;
    use crate::service::ports::StoreError;
    use crate::text::{Language, text};

    #[test]
    fn every_problem_has_words_in_both_languages() {
        let field = |field| ServiceError::InvalidField { field, problem: "is bad".to_owned() };
        let state = |what: &str| ServiceError::FailedPrecondition { what: what.to_owned(), problem: "is not there" };
        let fields = [
            "note",
            "assignee",
            "name",
            "display_name",
            "external_ref",
            "session.consent_reference",
            "roles",
            "password",
            "old_password",
            "image",
            "participant",
            "second",
            "expire_time",
            "labels",
        ];
        let states = ["image", "identity.max_templates", "sessions/default/a", "candidates/a"];
        let mut problems: Vec<_> = fields.map(field).into_iter().chain(states.map(state)).collect();
        problems.push(StoreError::BadPageToken.into());
        problems.push(StoreError::Taken { what: "users/anna".to_owned() }.into());
        for problem in problems {
            let key = text_key(&problem).unwrap_or_else(|| panic!("{problem} has no text"));
            for language in Language::ALL {
                assert_ne!(text(language, key), key, "{language:?}");
            }
        }
        assert_eq!(text_key(&field("config.policy")), None);
    }
}
