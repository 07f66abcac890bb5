//! `bonafide.v1.ReviewService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::service::{Caller, Reviews, SegmentWord};

use super::access;
use super::call::{CallError, Calls};
use super::convert::{decision_kind_from_wire, review_to_wire, verdict_from_wire};
use super::proto::v1;
use super::proto::v1::review_service_server::ReviewService;
use super::{field, name};

/// The review service.
pub(super) struct Review {
    /// The use cases.
    pub(super) reviews: Reviews,
    /// The bounds.
    pub(super) calls: Arc<Calls>,
}

impl Review {
    async fn get(&self, caller: &Caller, request: v1::GetReviewRequest) -> Result<v1::GetReviewResponse, CallError> {
        let id = name::parse_session("session", &request.session)?;
        let review = self.reviews.get(caller, &id).await?;
        Ok(v1::GetReviewResponse { review: Some(review_to_wire(&id, review)) })
    }

    async fn assign(
        &self,
        caller: &Caller,
        request: v1::AssignSessionRequest,
    ) -> Result<v1::AssignSessionResponse, CallError> {
        let id = name::parse_session("session", &request.session)?;
        let review = self.reviews.assign(caller, &id, &request.assignee).await?;
        Ok(v1::AssignSessionResponse { review: Some(review_to_wire(&id, review)) })
    }

    async fn mark(
        &self,
        caller: &Caller,
        request: v1::MarkSegmentRequest,
    ) -> Result<v1::MarkSegmentResponse, CallError> {
        let mark = field::required("mark", request.mark)?;
        let (id, ordinal) = name::parse_segment("mark.segment", &mark.segment)?;
        let verdict = verdict_from_wire("mark.verdict", mark.verdict)?;
        let review = self.reviews.mark(caller, &id, SegmentWord { ordinal, verdict, note: &mark.note }).await?;
        Ok(v1::MarkSegmentResponse { review: Some(review_to_wire(&id, review)) })
    }

    async fn decide(
        &self,
        caller: &Caller,
        request: v1::DecideSessionRequest,
    ) -> Result<v1::DecideSessionResponse, CallError> {
        let id = name::parse_session("session", &request.session)?;
        let decision = field::required("decision", request.decision)?;
        let kind = decision_kind_from_wire("decision.kind", decision.kind)?;
        let review = self.reviews.decide(caller, &id, kind, &decision.note).await?;
        Ok(v1::DecideSessionResponse { review: Some(review_to_wire(&id, review)) })
    }

    async fn hold(
        &self,
        caller: &Caller,
        request: v1::SetLegalHoldRequest,
    ) -> Result<v1::SetLegalHoldResponse, CallError> {
        let id = name::parse_session("session", &request.session)?;
        let review = self.reviews.hold(caller, &id, request.legal_hold).await?;
        Ok(v1::SetLegalHoldResponse { review: Some(review_to_wire(&id, review)) })
    }
}

#[tonic::async_trait]
impl ReviewService for Review {
    async fn get_review(
        &self,
        request: Request<v1::GetReviewRequest>,
    ) -> Result<Response<v1::GetReviewResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("ReviewService/GetReview", &metadata, self.get(&caller, message)).await
    }

    async fn assign_session(
        &self,
        request: Request<v1::AssignSessionRequest>,
    ) -> Result<Response<v1::AssignSessionResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("ReviewService/AssignSession", &metadata, self.assign(&caller, message)).await
    }

    async fn mark_segment(
        &self,
        request: Request<v1::MarkSegmentRequest>,
    ) -> Result<Response<v1::MarkSegmentResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("ReviewService/MarkSegment", &metadata, self.mark(&caller, message)).await
    }

    async fn decide_session(
        &self,
        request: Request<v1::DecideSessionRequest>,
    ) -> Result<Response<v1::DecideSessionResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("ReviewService/DecideSession", &metadata, self.decide(&caller, message)).await
    }

    async fn set_legal_hold(
        &self,
        request: Request<v1::SetLegalHoldRequest>,
    ) -> Result<Response<v1::SetLegalHoldResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("ReviewService/SetLegalHold", &metadata, self.hold(&caller, message)).await
    }
}
