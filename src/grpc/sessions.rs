//! `bonafide.v1.SessionService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::service::ports::SessionQuery;
use crate::service::{Caller, Interviews};
use crate::session::SessionId;

use super::access;
use super::call::{CallError, Calls};
use super::convert::{new_session_from_wire, patch_from_wire, segment_to_wire, session_to_wire};
use super::proto::v1;
use super::proto::v1::session_service_server::SessionService;
use super::{field, filter, name};

/// The session service.
pub(super) struct Sessions {
    /// The use cases.
    pub(super) interviews: Interviews,
    /// The bounds.
    pub(super) calls: Arc<Calls>,
}

impl Sessions {
    async fn create(
        &self,
        caller: &Caller,
        request: v1::CreateSessionRequest,
    ) -> Result<v1::CreateSessionResponse, CallError> {
        let id = if request.session_id.is_empty() {
            None
        } else {
            Some(SessionId::new(&request.session_id).map_err(field::FieldError::from)?)
        };
        let request_id = field::request_id(&request.request_id)?;
        let session = field::required("session", request.session)?;
        let new = new_session_from_wire(session, id, request_id).map_err(|error| error.within("session"))?;
        let session = self.interviews.create(caller, new).await?;
        Ok(v1::CreateSessionResponse { session: Some(session_to_wire(session)) })
    }

    async fn get(&self, caller: &Caller, request: v1::GetSessionRequest) -> Result<v1::GetSessionResponse, CallError> {
        let session = self.interviews.get(caller, &name::parse_session("name", &request.name)?).await?;
        Ok(v1::GetSessionResponse { session: Some(session_to_wire(session)) })
    }

    async fn list(
        &self,
        caller: &Caller,
        request: v1::ListSessionsRequest,
    ) -> Result<v1::ListSessionsResponse, CallError> {
        let query = SessionQuery {
            filters: filter::parse_filter(&request.filter)?,
            order: filter::parse_order(&request.order_by)?,
            page_size: field::page_size(request.page_size)?,
            page_token: field::token("page_token", request.page_token)?,
        };
        let page = self.interviews.list(caller, &query).await?;
        Ok(v1::ListSessionsResponse {
            sessions: page.items.into_iter().map(session_to_wire).collect(),
            next_page_token: page.next_page_token.unwrap_or_default(),
        })
    }

    async fn update(
        &self,
        caller: &Caller,
        request: v1::UpdateSessionRequest,
    ) -> Result<v1::UpdateSessionResponse, CallError> {
        let mut session = field::required("session", request.session)?;
        let id = name::parse_session("session.name", &session.name)?;
        let etag = field::token("session.etag", std::mem::take(&mut session.etag))?;
        let patch = patch_from_wire(session, request.update_mask)?;
        let session = self.interviews.update(caller, &id, patch, etag.as_deref()).await?;
        Ok(v1::UpdateSessionResponse { session: Some(session_to_wire(session)) })
    }

    async fn finish(
        &self,
        caller: &Caller,
        request: v1::FinishSessionRequest,
    ) -> Result<v1::FinishSessionResponse, CallError> {
        let session = self.interviews.finish(caller, &name::parse_session("name", &request.name)?).await?;
        Ok(v1::FinishSessionResponse { session: Some(session_to_wire(session)) })
    }

    async fn delete(
        &self,
        caller: &Caller,
        request: v1::DeleteSessionRequest,
    ) -> Result<v1::DeleteSessionResponse, CallError> {
        let etag = field::token("etag", request.etag)?;
        self.interviews.delete(caller, &name::parse_session("name", &request.name)?, etag.as_deref()).await?;
        Ok(v1::DeleteSessionResponse {})
    }

    async fn segments(
        &self,
        caller: &Caller,
        request: v1::ListSegmentsRequest,
    ) -> Result<v1::ListSegmentsResponse, CallError> {
        let id = name::parse_session("parent", &request.parent)?;
        let page_size = field::page_size(request.page_size)?;
        let page_token = field::token("page_token", request.page_token)?;
        let page = self.interviews.segments(caller, &id, page_size, page_token.as_deref()).await?;
        Ok(v1::ListSegmentsResponse {
            segments: page.items.iter().map(|view| segment_to_wire(&view.session_id, &view.segment)).collect(),
            next_page_token: page.next_page_token.unwrap_or_default(),
        })
    }
}

#[tonic::async_trait]
impl SessionService for Sessions {
    async fn create_session(
        &self,
        request: Request<v1::CreateSessionRequest>,
    ) -> Result<Response<v1::CreateSessionResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("SessionService/CreateSession", &metadata, self.create(&caller, message)).await
    }

    async fn get_session(
        &self,
        request: Request<v1::GetSessionRequest>,
    ) -> Result<Response<v1::GetSessionResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("SessionService/GetSession", &metadata, self.get(&caller, message)).await
    }

    async fn list_sessions(
        &self,
        request: Request<v1::ListSessionsRequest>,
    ) -> Result<Response<v1::ListSessionsResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("SessionService/ListSessions", &metadata, self.list(&caller, message)).await
    }

    async fn update_session(
        &self,
        request: Request<v1::UpdateSessionRequest>,
    ) -> Result<Response<v1::UpdateSessionResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("SessionService/UpdateSession", &metadata, self.update(&caller, message)).await
    }

    async fn finish_session(
        &self,
        request: Request<v1::FinishSessionRequest>,
    ) -> Result<Response<v1::FinishSessionResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("SessionService/FinishSession", &metadata, self.finish(&caller, message)).await
    }

    async fn delete_session(
        &self,
        request: Request<v1::DeleteSessionRequest>,
    ) -> Result<Response<v1::DeleteSessionResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("SessionService/DeleteSession", &metadata, self.delete(&caller, message)).await
    }

    async fn list_segments(
        &self,
        request: Request<v1::ListSegmentsRequest>,
    ) -> Result<Response<v1::ListSegmentsResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("SessionService/ListSegments", &metadata, self.segments(&caller, message)).await
    }
}
