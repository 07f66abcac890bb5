//! Session use cases: create, get, list, update, finish, delete, segments.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::session::SessionId;

use super::error::ServiceError;
use super::live::{LiveEvent, OpenStream, StreamOptions};
use super::ports::{Page, SessionPatch, SessionQuery};
use super::views::{SegmentView, SessionView};

/// What a caller gives to create a session.
#[derive(Clone, Debug, Default)]
pub struct NewSession {
    /// Chosen by the caller; `None` = made by the service.
    pub id: Option<SessionId>,
    /// For people.
    pub display_name: String,
    /// The caller's own reference.
    pub external_ref: String,
    /// Where consent is filed; required unless the operator switched the check off.
    pub consent_reference: String,
    /// The caller's own labels.
    pub labels: BTreeMap<String, String>,
    /// When it shall be deleted; `None` = the operator's retention.
    pub expire_time: Option<Timestamp>,
    /// Makes repeated calls give back the first call's session.
    pub request_id: Option<String>,
}

/// The use cases of interviews, live and stored. Cheap to clone.
#[derive(Clone)]
pub struct Interviews {}

impl Interviews {
    /// Creates a session.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`], [`ServiceError::AlreadyExists`], [`ServiceError::Store`].
    pub async fn create(&self, new: NewSession) -> Result<SessionView, ServiceError> {
        todo!()
    }

    /// Gets one session. While it is live, its scores are the live ones.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`].
    pub async fn get(&self, id: &SessionId) -> Result<SessionView, ServiceError> {
        todo!()
    }

    /// Lists sessions.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn list(&self, query: &SessionQuery) -> Result<Page<SessionView>, ServiceError> {
        todo!()
    }

    /// Changes fields of a session.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::FailedPrecondition`] when `etag` is stale.
    pub async fn update(
        &self,
        id: &SessionId,
        patch: SessionPatch,
        etag: Option<&str>,
    ) -> Result<SessionView, ServiceError> {
        todo!()
    }

    /// Ends a session: streams that feed it are told, open segments close, the last scores are stored. Idempotent.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`].
    pub async fn finish(&self, id: &SessionId) -> Result<SessionView, ServiceError> {
        todo!()
    }

    /// Deletes a session and all that was measured in it; its streams end.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::FailedPrecondition`] when `etag` is stale.
    pub async fn delete(&self, id: &SessionId, etag: Option<&str>) -> Result<(), ServiceError> {
        todo!()
    }

    /// Lists a session's segments by time of opening.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Store`].
    pub async fn segments(
        &self,
        id: &SessionId,
        page_size: u32,
        page_token: Option<&str>,
    ) -> Result<Page<SegmentView>, ServiceError> {
        todo!()
    }

    /// Opens a stream of media into a session, new or resumed.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] past the admission limit, [`ServiceError::NotFound`] without `create_if_missing`,
    /// [`ServiceError::FailedPrecondition`] for a finished session or a foreign resume token,
    /// [`ServiceError::Unavailable`] while draining.
    pub async fn open_stream(&self, options: StreamOptions) -> Result<OpenStream, ServiceError> {
        todo!()
    }

    /// Follows a session's scores and segments, starting with the latest of each; ends when the session ends.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Overloaded`].
    pub async fn watch(&self, id: &SessionId) -> Result<tokio::sync::mpsc::Receiver<LiveEvent>, ServiceError> {
        todo!()
    }

    /// Whether new streams are accepted: models warm, store answering, not draining.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        todo!()
    }

    /// Refuses new streams, ends the open ones with a resume token and stores all that is known, within `grace`.
    pub async fn drain(&self, grace: std::time::Duration) {
        todo!()
    }
}
