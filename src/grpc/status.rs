//! The one table from [`ErrorKind`] to gRPC codes, and the `google.rpc` details that go with them.
//!
//! Messages of kinds that are not the caller's business stay in the log, under the request id that the caller is given.

use std::error::Error;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::error::{ErrorKind, Kinded};
use crate::identity::IdentityError;
use crate::media::MediaError;
use crate::service::ServiceError;

use super::field::FieldError;

/// When it is worth trying again if the error itself does not say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);
/// What a caller reads of an error that is not theirs.
const HIDDEN_MESSAGE: &str = "internal error: quote the request id to the operator";

/// The gRPC code of each kind.
pub(super) const fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::InvalidInput => Code::InvalidArgument,
        ErrorKind::NotFound => Code::NotFound,
        ErrorKind::AlreadyExists => Code::AlreadyExists,
        ErrorKind::FailedPrecondition => Code::FailedPrecondition,
        ErrorKind::Unauthenticated => Code::Unauthenticated,
        ErrorKind::PermissionDenied => Code::PermissionDenied,
        ErrorKind::Overloaded => Code::ResourceExhausted,
        ErrorKind::Timeout => Code::DeadlineExceeded,
        ErrorKind::Unavailable => Code::Unavailable,
        ErrorKind::DataLoss => Code::DataLoss,
        ErrorKind::Internal => Code::Internal,
    }
}

/// The kind that a server's code stands for, for the client side; codes that this server never sends are internal.
pub(super) const fn kind_of(code: Code) -> ErrorKind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => ErrorKind::InvalidInput,
        Code::NotFound => ErrorKind::NotFound,
        Code::AlreadyExists => ErrorKind::AlreadyExists,
        Code::FailedPrecondition | Code::Aborted => ErrorKind::FailedPrecondition,
        Code::Unauthenticated => ErrorKind::Unauthenticated,
        Code::PermissionDenied => ErrorKind::PermissionDenied,
        Code::ResourceExhausted => ErrorKind::Overloaded,
        Code::DeadlineExceeded => ErrorKind::Timeout,
        Code::Unavailable => ErrorKind::Unavailable,
        Code::DataLoss => ErrorKind::DataLoss,
        Code::Ok | Code::Cancelled | Code::Unknown | Code::Unimplemented | Code::Internal => ErrorKind::Internal,
    }
}

/// The status of a field that cannot be used.
pub(super) fn of_field(error: &FieldError) -> Status {
    let details = ErrorDetails::with_bad_request_violation(error.field.as_ref(), error.problem.as_ref());
    Status::with_error_details(Code::InvalidArgument, error.to_string(), details)
}

/// The status of a kind with a message for the caller; a kind that is not the caller's business hides it.
pub(super) fn of_kind(kind: ErrorKind, message: &str) -> Status {
    let message = if kind.is_message_public() { message } else { HIDDEN_MESSAGE };
    let details = if kind.is_retryable() {
        ErrorDetails::with_retry_info(Some(DEFAULT_RETRY_AFTER))
    } else {
        ErrorDetails::new()
    };
    Status::with_error_details(code_of(kind), message, details)
}

/// The status of a use case that failed. Logs what the caller is not shown.
pub(super) fn of_service(error: &ServiceError) -> Status {
    let kind = error.kind();
    if !kind.is_message_public() {
        return hidden(kind, error);
    }
    let mut details = ErrorDetails::new();
    if let Some((field, problem)) = violation(error) {
        details.add_bad_request_violation(field, problem);
    }
    if let ServiceError::Overloaded { retry_after, .. } = error {
        details.set_retry_info(Some(*retry_after));
    } else if kind.is_retryable() {
        details.set_retry_info(Some(DEFAULT_RETRY_AFTER));
    }
    if kind == ErrorKind::Unavailable && error.source().is_some() {
        tracing::warn!(error = %chain(error), "answered UNAVAILABLE: a dependency failed");
    }
    Status::with_error_details(code_of(kind), error.to_string(), details)
}

/// The status of a task that panicked.
pub(super) fn of_panic(rpc: &'static str) -> Status {
    hidden(ErrorKind::Internal, &ServiceError::Internal { problem: format!("{rpc} panicked") })
}

fn hidden(kind: ErrorKind, error: &ServiceError) -> Status {
    let request_id = format!("{:016x}", rand::random::<u64>());
    tracing::error!(request.id = %request_id, error = %chain(error), "request failed");
    let details = ErrorDetails::with_request_info(request_id, "");
    Status::with_error_details(code_of(kind), HIDDEN_MESSAGE, details)
}

fn violation(error: &ServiceError) -> Option<(String, String)> {
    match error {
        ServiceError::InvalidField { field, problem }
        | ServiceError::Media(MediaError::InvalidField { field, problem })
        | ServiceError::Identity(IdentityError::Invalid { field, problem }) => {
            Some(((*field).to_owned(), problem.clone()))
        }
        ServiceError::Id(error) => Some((error.field.to_owned(), error.problem.to_owned())),
        ServiceError::Media(MediaError::OverLimit { what, remedy, .. }) => {
            Some(((*what).to_owned(), (*remedy).to_owned()))
        }
        ServiceError::Identity(error @ IdentityError::BeyondData { .. }) => {
            Some(("max_false_matches".to_owned(), error.to_string()))
        }
        ServiceError::NotFound { .. }
        | ServiceError::Identity(_)
        | ServiceError::AlreadyExists { .. }
        | ServiceError::FailedPrecondition { .. }
        | ServiceError::PermissionDenied { .. }
        | ServiceError::Overloaded { .. }
        | ServiceError::Unavailable { .. }
        | ServiceError::Timeout { .. }
        | ServiceError::Media(_)
        | ServiceError::Vision(_)
        | ServiceError::Inference(_)
        | ServiceError::Evidence(_)
        | ServiceError::Store(_)
        | ServiceError::Seal(_)
        | ServiceError::Internal { .. } => None,
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tonic::Code;
    use tonic_types::StatusExt as _;

    use crate::error::ErrorKind;
    use crate::service::ServiceError;
    use crate::service::ports::StoreError;

    use super::{code_of, kind_of, of_field, of_kind, of_service};
    use crate::grpc::field::FieldError;

    #[test]
    fn every_kind_has_its_own_code_and_comes_back() {
        let expected = [
            (ErrorKind::InvalidInput, Code::InvalidArgument),
            (ErrorKind::NotFound, Code::NotFound),
            (ErrorKind::AlreadyExists, Code::AlreadyExists),
            (ErrorKind::FailedPrecondition, Code::FailedPrecondition),
            (ErrorKind::Unauthenticated, Code::Unauthenticated),
            (ErrorKind::PermissionDenied, Code::PermissionDenied),
            (ErrorKind::Overloaded, Code::ResourceExhausted),
            (ErrorKind::Timeout, Code::DeadlineExceeded),
            (ErrorKind::Unavailable, Code::Unavailable),
            (ErrorKind::DataLoss, Code::DataLoss),
            (ErrorKind::Internal, Code::Internal),
        ];
        assert_eq!(expected.len(), ErrorKind::ALL.len());
        for (kind, code) in expected {
            assert_eq!(code_of(kind), code);
            assert_eq!(kind_of(code), kind);
        }
    }

    #[test]
    fn overload_says_when_to_come_back() {
        let error = ServiceError::Overloaded { what: "sessions", limit: 3, retry_after: Duration::from_secs(7) };
        let status = of_service(&error);
        assert_eq!(status.code(), Code::ResourceExhausted);
        let delay = status.get_details_retry_info().and_then(|info| info.retry_delay);
        assert_eq!(delay, Some(Duration::from_secs(7)));
        let status = of_kind(ErrorKind::Unavailable, "draining");
        assert!(status.get_details_retry_info().is_some());
    }

    #[test]
    fn refused_fields_are_named_in_the_details() {
        let status = of_field(&FieldError::new("page_size", "is negative: use 0 or more"));
        assert_eq!(status.code(), Code::InvalidArgument);
        let violations = status.get_details_bad_request().expect("details").field_violations;
        assert_eq!(violations.len(), 1);
        assert_eq!(violations.first().expect("one").field, "page_size");
        let status = of_service(&ServiceError::InvalidField { field: "policy", problem: "unknown".into() });
        assert_eq!(status.get_details_bad_request().expect("details").field_violations.len(), 1);
    }

    #[test]
    fn internal_text_is_not_leaked() {
        let errors = [
            ServiceError::Internal { problem: "secret path".into() },
            ServiceError::Store(StoreError::Corrupt { problem: "secret path".into() }),
        ];
        for error in errors {
            let status = of_service(&error);
            assert!(!status.message().contains("secret"), "{status:?}");
            assert!(status.get_details_request_info().is_some_and(|info| info.request_id.len() == 16));
        }
        assert!(!of_kind(ErrorKind::Internal, "secret").message().contains("secret"));
    }
}
