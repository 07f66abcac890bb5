//! The port about faces: sealed templates, candidates with their references, pairs of faces, the watch list.

mod candidates;
mod expiry;
mod face;
mod history;
mod matches;
mod templates;
mod watch;

use jiff::Timestamp;

use crate::audit::Event;
use crate::identity::TemplateKey;
use crate::keys::WrappedKey;
use crate::service::ports::{
    CandidateRecord, FaceName, FaceRecord, IdentityStore, MatchFilter, MatchRecord, NewProposal, NewReferenceRow,
    NewTemplate, Page, PageRequest, Pair, ReferenceName, ReferenceRecord, StoreError, StoredTemplate, TemplateChanges,
    TemplateKind, TemplateState, VerdictRecord, WatchRecord,
};
use crate::session::{CandidateId, SessionName, TenantId};

use super::sql_store::SqlStore;

use self::candidates::{AddReference, DeleteReference};
use self::expiry::DeleteExpiredTemplates;
use self::matches::{DecideMatch, Propose};
use self::templates::KeepSessionTemplates;
use self::watch::{Unwatch, Watch};

/// Most items of a page, whatever was asked for.
const MAX_PAGE_SIZE: u32 = 1_000;

/// So many items and one more, which says that there is a next page.
fn page_size(page: &PageRequest) -> u32 {
    page.size.clamp(1, MAX_PAGE_SIZE)
}

#[async_trait::async_trait]
impl IdentityStore for SqlStore {
    async fn keep_session_templates(
        &self,
        name: &SessionName,
        state: TemplateState,
        templates: Vec<NewTemplate>,
        audit: Event,
    ) -> Result<(), StoreError> {
        self.writer.apply(KeepSessionTemplates { name: name.clone(), state, templates, audit }).await
    }

    async fn sessions_without_templates(
        &self,
        tenant: Option<&TenantId>,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionName>, StoreError> {
        let tenant = tenant.cloned();
        self.read("looking for sessions without templates", move |snapshot| {
            Box::pin(async move { templates::sessions_without(snapshot, tenant.as_ref(), since, limit).await })
        })
        .await
    }

    async fn session_templates(
        &self,
        name: &SessionName,
        kind: TemplateKind,
    ) -> Result<(TemplateState, Vec<StoredTemplate>), StoreError> {
        let name = name.clone();
        self.read("reading a session's templates", move |snapshot| {
            Box::pin(async move { templates::of_session(snapshot, &name, kind).await })
        })
        .await
    }

    async fn reference_template(&self, tenant: &TenantId, name: &ReferenceName) -> Result<StoredTemplate, StoreError> {
        let (tenant, name) = (tenant.clone(), name.clone());
        self.read("reading a reference's template", move |snapshot| {
            Box::pin(async move { templates::of_reference(snapshot, &tenant, &name).await })
        })
        .await
    }

    async fn n_template_changes(&self, tenant: &TenantId) -> Result<u64, StoreError> {
        let tenant = tenant.clone();
        self.read("counting changes of templates", move |snapshot| {
            Box::pin(async move { templates::n_changes(snapshot, &tenant).await })
        })
        .await
    }

    async fn templates(
        &self,
        tenant: &TenantId,
        kind: TemplateKind,
        after: TemplateKey,
        limit: u32,
    ) -> Result<Vec<StoredTemplate>, StoreError> {
        let tenant = tenant.clone();
        self.read("reading templates", move |snapshot| {
            Box::pin(async move { templates::after(snapshot, &tenant, kind, after, limit).await })
        })
        .await
    }

    async fn template_changes(
        &self,
        tenant: &TenantId,
        kind: TemplateKind,
        n_changes: u64,
        limit: u32,
    ) -> Result<TemplateChanges, StoreError> {
        let tenant = tenant.clone();
        self.read("reading changes of templates", move |snapshot| {
            Box::pin(async move { templates::changes(snapshot, &tenant, kind, n_changes, limit).await })
        })
        .await
    }

    async fn n_templates(&self, tenant: &TenantId, kind: TemplateKind) -> Result<u64, StoreError> {
        let tenant = tenant.clone();
        self.read("counting templates", move |snapshot| {
            Box::pin(async move { templates::count(snapshot, &tenant, kind).await })
        })
        .await
    }

    async fn verdict_history(
        &self,
        tenant: &TenantId,
        Pair { kind, first, second }: Pair<&FaceName>,
    ) -> Result<Vec<VerdictRecord>, StoreError> {
        let (tenant, first, second) = (tenant.clone(), first.clone(), second.clone());
        self.read("reading what was said of two faces", move |snapshot| {
            Box::pin(async move { history::of_pair(snapshot, &tenant, Pair::of(kind, (&first, &second))).await })
        })
        .await
    }

    async fn faces(
        &self,
        tenant: &TenantId,
        keys: &[TemplateKey],
    ) -> Result<Vec<(TemplateKey, FaceRecord)>, StoreError> {
        let (tenant, keys) = (tenant.clone(), keys.to_vec());
        self.read("reading faces", move |snapshot| {
            Box::pin(async move { face::of_templates(snapshot, &tenant, &keys).await })
        })
        .await
    }

    async fn delete_expired_templates(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.writer.apply(DeleteExpiredTemplates { now, limit }).await
    }

    async fn candidates(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<CandidateRecord>, StoreError> {
        let (tenant, page) = (tenant.clone(), page.clone());
        self.read("listing candidates", move |snapshot| {
            Box::pin(async move { candidates::page(snapshot, &tenant, &page).await })
        })
        .await
    }

    async fn candidate(
        &self,
        tenant: &TenantId,
        id: &CandidateId,
    ) -> Result<(CandidateRecord, Vec<ReferenceRecord>), StoreError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read("reading a candidate", move |snapshot| {
            Box::pin(async move { candidates::one(snapshot, &tenant, &id).await })
        })
        .await
    }

    async fn candidate_key(&self, tenant: &TenantId, id: &CandidateId) -> Result<Option<WrappedKey>, StoreError> {
        let (tenant, id) = (tenant.clone(), id.clone());
        self.read("reading a candidate's key", move |snapshot| {
            Box::pin(async move { candidates::key(snapshot, &tenant, &id).await })
        })
        .await
    }

    async fn add_reference(&self, tenant: &TenantId, new: NewReferenceRow, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(AddReference { tenant: tenant.clone(), new, audit }).await
    }

    async fn delete_reference(&self, tenant: &TenantId, name: &ReferenceName, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(DeleteReference { tenant: tenant.clone(), name: name.clone(), audit }).await
    }

    async fn propose(
        &self,
        tenant: &TenantId,
        proposals: Vec<NewProposal>,
        time: Timestamp,
    ) -> Result<u64, StoreError> {
        self.writer.apply(Propose { tenant: tenant.clone(), proposals, time }).await
    }

    async fn decide_match(
        &self,
        tenant: &TenantId,
        pair: Pair<FaceName>,
        verdict: VerdictRecord,
        audit: Event,
    ) -> Result<(), StoreError> {
        self.writer.apply(DecideMatch { tenant: tenant.clone(), pair, verdict, audit }).await
    }

    async fn matches(
        &self,
        tenant: &TenantId,
        filter: &MatchFilter,
        page: &PageRequest,
    ) -> Result<Page<MatchRecord>, StoreError> {
        let (tenant, filter, page) = (tenant.clone(), filter.clone(), page.clone());
        self.read("listing matches", move |snapshot| {
            Box::pin(async move { matches::page(snapshot, &tenant, &filter, &page).await })
        })
        .await
    }

    async fn matches_of(&self, tenant: &TenantId, face: &FaceName) -> Result<Vec<MatchRecord>, StoreError> {
        let (tenant, face) = (tenant.clone(), face.clone());
        self.read("reading a face's matches", move |snapshot| {
            Box::pin(async move { matches::of_face(snapshot, &tenant, &face).await })
        })
        .await
    }

    async fn watch(&self, tenant: &TenantId, face: &FaceName, note: String, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(Watch { tenant: tenant.clone(), face: face.clone(), note, audit }).await
    }

    async fn unwatch(&self, tenant: &TenantId, face: &FaceName, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(Unwatch { tenant: tenant.clone(), face: face.clone(), audit }).await
    }

    async fn watched(&self, tenant: &TenantId, page: &PageRequest) -> Result<Page<WatchRecord>, StoreError> {
        let (tenant, page) = (tenant.clone(), page.clone());
        self.read("reading the watch list", move |snapshot| {
            Box::pin(async move { watch::page(snapshot, &tenant, &page).await })
        })
        .await
    }
}
