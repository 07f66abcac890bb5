//! `bonafide.v1.IdentityService`.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use crate::service::ports::{MatchFilter, PageRequest, Pair};
use crate::service::{Caller, Enrolment, Identities, SceneSearch, SearchRequest};

use super::access;
use super::call::{CallError, Calls};
use super::convert::{
    candidate_to_wire, comparison_to_wire, hunt_to_wire, ledger_to_wire, match_kind_from_wire, match_to_wire,
    match_verdict_from_wire, new_reference_from_wire, reference_to_wire, scene_search_to_wire, scene_subject_from_wire,
    search_to_wire, subject_from_wire, watched_to_wire,
};
use super::proto::v1;
use super::proto::v1::identity_service_server::IdentityService;
use super::{field, name};

/// The identity service.
pub(super) struct Identity {
    /// The use cases.
    pub(super) identities: Identities,
    /// The bounds.
    pub(super) calls: Arc<Calls>,
}

fn page(size: i32, token: String) -> Result<PageRequest, CallError> {
    Ok(PageRequest { size: field::page_size(size)?, token: field::token("page_token", token)? })
}

fn max_false_matches(wished: Option<f64>) -> Result<Option<f64>, CallError> {
    Ok(wished.map(|wished| field::finite("max_false_matches", wished)).transpose()?)
}

impl Identity {
    async fn candidates(
        &self,
        caller: &Caller,
        request: v1::ListCandidatesRequest,
    ) -> Result<v1::ListCandidatesResponse, CallError> {
        let page = page(request.page_size, request.page_token)?;
        let page = self.identities.candidates(caller, &page).await?;
        Ok(v1::ListCandidatesResponse {
            candidates: page.items.into_iter().map(candidate_to_wire).collect(),
            next_page_token: page.next_page_token.unwrap_or_default(),
        })
    }

    async fn ledger(&self, caller: &Caller, request: v1::GetLedgerRequest) -> Result<v1::GetLedgerResponse, CallError> {
        let id = name::parse_candidate("candidate", &request.candidate)?;
        Ok(ledger_to_wire(self.identities.candidate(caller, &id).await?))
    }

    async fn enroll(
        &self,
        caller: &Caller,
        request: v1::EnrollReferenceRequest,
    ) -> Result<v1::EnrollReferenceResponse, CallError> {
        let new = new_reference_from_wire(request)?;
        Ok(match self.identities.enroll_reference(caller, new).await? {
            Enrolment::Kept(reference) => {
                v1::EnrollReferenceResponse { reference: Some(reference_to_wire(reference)), refusals: Vec::new() }
            }
            Enrolment::Refused(reasons) => {
                let refusals = reasons.into_iter().map(|reason| reason.code.into_owned()).collect();
                v1::EnrollReferenceResponse { reference: None, refusals }
            }
        })
    }

    async fn delete(
        &self,
        caller: &Caller,
        request: v1::DeleteReferenceRequest,
    ) -> Result<v1::DeleteReferenceResponse, CallError> {
        let name = name::parse_reference("name", &request.name)?;
        self.identities.delete_reference(caller, &name).await?;
        Ok(v1::DeleteReferenceResponse {})
    }

    async fn compare(
        &self,
        caller: &Caller,
        request: v1::CompareFacesRequest,
    ) -> Result<v1::CompareFacesResponse, CallError> {
        let first = subject_from_wire("first", request.first)?;
        let second = subject_from_wire("second", request.second)?;
        Ok(comparison_to_wire(self.identities.compare(caller, &first, &second).await?))
    }

    async fn search(
        &self,
        caller: &Caller,
        request: v1::SearchFaceRequest,
    ) -> Result<v1::SearchFaceResponse, CallError> {
        let request = SearchRequest {
            subject: subject_from_wire("subject", request.subject)?,
            max_false_matches: max_false_matches(request.max_false_matches)?,
            max_hits: field::page_size(request.max_hits)?,
        };
        Ok(search_to_wire(self.identities.search(caller, &request).await?))
    }

    async fn hunt(&self, caller: &Caller, request: v1::HuntFaceRequest) -> Result<v1::HuntFaceResponse, CallError> {
        let subject = subject_from_wire("subject", request.subject)?;
        let wished = max_false_matches(request.max_false_matches)?;
        Ok(hunt_to_wire(self.identities.hunt(caller, &subject, wished).await?))
    }

    async fn search_scene(
        &self,
        caller: &Caller,
        request: v1::SearchSceneRequest,
    ) -> Result<v1::SearchSceneResponse, CallError> {
        let request = SceneSearch {
            subject: scene_subject_from_wire("session", request.session.as_ref())?,
            max_false_matches: max_false_matches(request.max_false_matches)?,
            max_hits: field::page_size(request.max_hits)?,
        };
        Ok(scene_search_to_wire(self.identities.search_scene(caller, &request).await?))
    }

    async fn matches(
        &self,
        caller: &Caller,
        request: v1::ListMatchesRequest,
    ) -> Result<v1::ListMatchesResponse, CallError> {
        use v1::list_matches_request::Filter;
        let filter = match request.filter {
            None | Some(Filter::Open(false)) => MatchFilter::All,
            Some(Filter::Open(true)) => MatchFilter::Open,
            Some(Filter::Session(name)) => MatchFilter::OfSession(name::parse_session("session", &name)?),
            Some(Filter::Candidate(name)) => MatchFilter::OfCandidate(name::parse_candidate("candidate", &name)?),
        };
        let page = page(request.page_size, request.page_token)?;
        let page = self.identities.matches(caller, &filter, &page).await?;
        Ok(v1::ListMatchesResponse {
            matches: page.items.into_iter().map(match_to_wire).collect(),
            next_page_token: page.next_page_token.unwrap_or_default(),
        })
    }

    async fn confirm(
        &self,
        caller: &Caller,
        request: v1::ConfirmMatchRequest,
    ) -> Result<v1::ConfirmMatchResponse, CallError> {
        let first = subject_from_wire("first", request.first)?;
        let second = subject_from_wire("second", request.second)?;
        let verdict = match_verdict_from_wire(request.verdict)?;
        let kind = match_kind_from_wire(request.kind)?;
        self.identities.confirm(caller, Pair::of(kind, (&first, &second)), verdict, &request.note).await?;
        Ok(v1::ConfirmMatchResponse {})
    }

    async fn watch(&self, caller: &Caller, request: v1::WatchFaceRequest) -> Result<v1::WatchFaceResponse, CallError> {
        let subject = subject_from_wire("subject", request.subject)?;
        self.identities.watch(caller, &subject, &request.note).await?;
        Ok(v1::WatchFaceResponse {})
    }

    async fn unwatch(
        &self,
        caller: &Caller,
        request: v1::UnwatchFaceRequest,
    ) -> Result<v1::UnwatchFaceResponse, CallError> {
        let subject = subject_from_wire("subject", request.subject)?;
        self.identities.unwatch(caller, &subject).await?;
        Ok(v1::UnwatchFaceResponse {})
    }

    async fn watched(
        &self,
        caller: &Caller,
        request: v1::ListWatchedFacesRequest,
    ) -> Result<v1::ListWatchedFacesResponse, CallError> {
        let page = page(request.page_size, request.page_token)?;
        let page = self.identities.watched(caller, &page).await?;
        Ok(v1::ListWatchedFacesResponse {
            faces: page.items.into_iter().map(watched_to_wire).collect(),
            next_page_token: page.next_page_token.unwrap_or_default(),
        })
    }
}

#[tonic::async_trait]
impl IdentityService for Identity {
    async fn list_candidates(
        &self,
        request: Request<v1::ListCandidatesRequest>,
    ) -> Result<Response<v1::ListCandidatesResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/ListCandidates", &metadata, self.candidates(&caller, message)).await
    }

    async fn get_ledger(
        &self,
        request: Request<v1::GetLedgerRequest>,
    ) -> Result<Response<v1::GetLedgerResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/GetLedger", &metadata, self.ledger(&caller, message)).await
    }

    async fn enroll_reference(
        &self,
        request: Request<v1::EnrollReferenceRequest>,
    ) -> Result<Response<v1::EnrollReferenceResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/EnrollReference", &metadata, self.enroll(&caller, message)).await
    }

    async fn delete_reference(
        &self,
        request: Request<v1::DeleteReferenceRequest>,
    ) -> Result<Response<v1::DeleteReferenceResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/DeleteReference", &metadata, self.delete(&caller, message)).await
    }

    async fn compare_faces(
        &self,
        request: Request<v1::CompareFacesRequest>,
    ) -> Result<Response<v1::CompareFacesResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/CompareFaces", &metadata, self.compare(&caller, message)).await
    }

    async fn search_face(
        &self,
        request: Request<v1::SearchFaceRequest>,
    ) -> Result<Response<v1::SearchFaceResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/SearchFace", &metadata, self.search(&caller, message)).await
    }

    async fn hunt_face(&self, request: Request<v1::HuntFaceRequest>) -> Result<Response<v1::HuntFaceResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/HuntFace", &metadata, self.hunt(&caller, message)).await
    }

    async fn search_scene(
        &self,
        request: Request<v1::SearchSceneRequest>,
    ) -> Result<Response<v1::SearchSceneResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/SearchScene", &metadata, self.search_scene(&caller, message)).await
    }

    async fn list_matches(
        &self,
        request: Request<v1::ListMatchesRequest>,
    ) -> Result<Response<v1::ListMatchesResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/ListMatches", &metadata, self.matches(&caller, message)).await
    }

    async fn confirm_match(
        &self,
        request: Request<v1::ConfirmMatchRequest>,
    ) -> Result<Response<v1::ConfirmMatchResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/ConfirmMatch", &metadata, self.confirm(&caller, message)).await
    }

    async fn watch_face(
        &self,
        request: Request<v1::WatchFaceRequest>,
    ) -> Result<Response<v1::WatchFaceResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/WatchFace", &metadata, self.watch(&caller, message)).await
    }

    async fn unwatch_face(
        &self,
        request: Request<v1::UnwatchFaceRequest>,
    ) -> Result<Response<v1::UnwatchFaceResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/UnwatchFace", &metadata, self.unwatch(&caller, message)).await
    }

    async fn list_watched_faces(
        &self,
        request: Request<v1::ListWatchedFacesRequest>,
    ) -> Result<Response<v1::ListWatchedFacesResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let caller = access::caller(&extensions)?;
        self.calls.run("IdentityService/ListWatchedFaces", &metadata, self.watched(&caller, message)).await
    }
}
