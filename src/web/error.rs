//! What went wrong, as a page: the one table from [`ErrorKind`] to HTTP, in the look of every other page.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::error::{ErrorKind, Kinded as _};
use crate::service::ServiceError;

use super::layout::{Page, page};
use super::problem::text_key;
use super::visit::Visit;

/// When it is worth trying again if the error itself does not say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

/// The setting that is named when faces are not compared at all.
const LEDGER_SETTING: &str = "identity.enabled";

/// The HTTP status of each kind.
pub(super) const fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::InvalidInput => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::AlreadyExists | ErrorKind::FailedPrecondition => StatusCode::CONFLICT,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::PermissionDenied => StatusCode::FORBIDDEN,
        ErrorKind::Overloaded => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Timeout | ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::DataLoss | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A page that could not be made, or a form that was not taken. The frame shows it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    status: StatusCode,
    /// A key of the texts for what is to be said; `None` = what the status says by itself.
    key: Option<&'static str>,
    /// What the use case said, when it was written for whoever asked.
    detail: Option<String>,
    retry_after: Option<Duration>,
}

impl Failure {
    /// What a status says by itself.
    pub(super) const fn of_status(status: StatusCode) -> Self {
        Self { status, key: None, detail: None, retry_after: None }
    }

    /// A request that makes no sense, by the text that says why.
    pub(super) fn bad_request(key: &'static str) -> Self {
        Self { key: Some(key), ..Self::of_status(StatusCode::BAD_REQUEST) }
    }

    /// There is no such page or thing.
    pub(super) fn not_found() -> Self {
        Self::of_status(StatusCode::NOT_FOUND)
    }

    /// The form was made for another login, or too long ago.
    pub(super) fn stale_form() -> Self {
        Self { key: Some("error-stale-form"), ..Self::of_status(StatusCode::FORBIDDEN) }
    }

    /// Another site sent the form.
    pub(super) fn foreign_form() -> Self {
        Self { key: Some("error-foreign-form"), ..Self::of_status(StatusCode::FORBIDDEN) }
    }

    /// A form of somebody who is not logged in any more.
    pub(super) fn logged_out() -> Self {
        Self { key: Some("error-logged-out"), ..Self::of_status(StatusCode::UNAUTHORIZED) }
    }

    /// A bound of the pages was reached.
    pub(super) fn too_many(key: &'static str, retry_after: Duration) -> Self {
        let retry_after = Some(retry_after);
        Self { key: Some(key), retry_after, ..Self::of_status(StatusCode::TOO_MANY_REQUESTS) }
    }

    /// It took too long.
    pub(super) fn timeout() -> Self {
        Self { key: Some("error-timeout"), ..Self::of_status(StatusCode::SERVICE_UNAVAILABLE) }
    }

    /// Whether a form can say it beside its fields: something about what was filled in.
    pub(super) fn is_about_the_form(&self) -> bool {
        self.detail.is_some() && matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::CONFLICT)
    }

    /// A defect; `problem` goes to the log alone.
    pub(super) fn internal(problem: &str) -> Self {
        tracing::error!(problem, "a page could not be made");
        Self::of_status(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What a form that shows it again is to say.
    pub(super) fn said(&self, visit: &Visit) -> String {
        let said = self.words(visit);
        match &self.detail {
            Some(detail) => {
                visit.text_with("error-with-detail", &[("said", said.into()), ("detail", detail.clone().into())])
            }
            None => said,
        }
    }

    /// What it means, without the detail.
    fn words(&self, visit: &Visit) -> String {
        let by_status = format!("error-{}-text", self.status.as_u16());
        let said = visit.text(self.key.unwrap_or(&by_status));
        if said == by_status { visit.text("error-other-text") } else { said }
    }

    /// The page about it.
    pub(super) fn page(&self, visit: &Visit) -> Markup {
        let by_status = format!("error-{}-title", self.status.as_u16());
        let title = visit.text(&by_status);
        let title = if title == by_status { visit.text("error-other-title") } else { title };
        let content = html! {
            section.error {
                p.error-status aria-hidden="true" { (self.status.as_u16()) }
                h1 { (title) }
                p.lead { (self.words(visit)) }
                @if let Some(detail) = &self.detail {
                    p.quiet { (visit.text("error-detail")) " " span lang="en" { (detail) } }
                }
                @if self.status == StatusCode::UNAUTHORIZED {
                    p { a.button href="/login" { (visit.text("login-title")) } }
                } @else {
                    p { a.button href="/" { (visit.text("error-to-inbox")) } }
                }
                p.quiet { (visit.text("error-request")) " " code { (visit.request_id) } }
            }
        };
        page(visit, &Page { title: &title, section: None, scripts: &[], refresh_secs: None }, &content)
    }
}

impl IntoResponse for Failure {
    /// A bare answer that the frame turns into a page.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(retry_after) = self.retry_after {
            let secs = retry_after.as_secs().saturating_add(u64::from(retry_after.subsec_nanos() > 0));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        if matches!(&error, ServiceError::FailedPrecondition { what, .. } if what == LEDGER_SETTING) {
            return Self { key: Some("identity-off"), ..Self::of_status(StatusCode::CONFLICT) };
        }
        let kind = error.kind();
        let status = status_of(kind);
        if !kind.is_message_public() || status.is_server_error() {
            tracing::error!(error = &error as &dyn std::error::Error, "a page could not be made");
            return Self::of_status(status);
        }
        let retry_after = if let ServiceError::Overloaded { retry_after, .. } = &error {
            Some(*retry_after)
        } else {
            kind.is_retryable().then_some(DEFAULT_RETRY_AFTER)
        };
        // Whoever looks for what is not theirs is told no more than that it is not there.
        let detail = (kind != ErrorKind::NotFound).then(|| error.to_string());
        Self { status, key: text_key(&error), detail, retry_after }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use crate::error::ErrorKind;

    use super::status_of;

    #[test]
    fn what_is_not_the_visitors_fault_is_not_said_to_be() {
        for kind in ErrorKind::ALL {
            let is_ours =
                matches!(kind, ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::DataLoss | ErrorKind::Internal);
            assert_eq!(status_of(kind).is_server_error(), is_ours, "{kind:?}");
        }
        assert_eq!(status_of(ErrorKind::NotFound), StatusCode::NOT_FOUND);
    }
}
