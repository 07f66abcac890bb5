//! `bonafide.v1.EvidenceService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::service::{Caller, Evidence};

use super::access;
use super::call::{CallError, Calls};
use super::convert::{still_part_from_wire, stills_to_wire};
use super::name;
use super::proto::v1;
use super::proto::v1::evidence_service_server::EvidenceService;

/// What pictures of stills are.
const CONTENT_TYPE: &str = "image/jpeg";

/// The evidence service.
pub(super) struct Stills {
    /// The use cases.
    pub(super) evidence: Evidence,
    /// The bounds.
    pub(super) calls: Arc<Calls>,
}

impl Stills {
    async fn list(&self, caller: &Caller, request: v1::ListStillsRequest) -> Result<v1::ListStillsResponse, CallError> {
        let id = name::parse_session("parent", &request.parent)?;
        Ok(stills_to_wire(&id, self.evidence.list(caller, &id).await?))
    }

    async fn get(&self, caller: &Caller, request: v1::GetStillRequest) -> Result<v1::GetStillResponse, CallError> {
        let (id, ordinal) = name::parse_still("name", &request.name)?;
        let part = still_part_from_wire("part", request.part)?;
        let content = self.evidence.open(caller, &id, ordinal, part).await?;
        Ok(v1::GetStillResponse { content, content_type: CONTENT_TYPE.to_owned() })
    }
}

#[tonic::async_trait]
impl EvidenceService for Stills {
    async fn list_stills(
        &self,
        request: Request<v1::ListStillsRequest>,
    ) -> Result<Response<v1::ListStillsResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("EvidenceService/ListStills", &metadata, self.list(&caller, message)).await
    }

    async fn get_still(&self, request: Request<v1::GetStillRequest>) -> Result<Response<v1::GetStillResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("EvidenceService/GetStill", &metadata, self.get(&caller, message)).await
    }
}
