//! The ports about people: reviews and accounts.

use jiff::Timestamp;

use crate::audit::Event;
use crate::service::ports::{
    Account, AccountPatch, AccountStore, Decision, ExternalIdentity, GroupCount, Mark, Review, ReviewCount,
    ReviewState, ReviewStore, StoreError, WebSession,
};
use crate::session::{SessionName, TenantId};

use super::accounts::{self, CreateAccount, ForgetLogins, Login, LoginFailed, Logout, Prolong, UpdateAccount};
use super::review::{self, Assign, Decide, Hold, MarkSegment};
use super::sql_store::SqlStore;

#[async_trait::async_trait]
impl ReviewStore for SqlStore {
    async fn review(&self, name: &SessionName) -> Result<Review, StoreError> {
        let name = name.clone();
        self.read("reading a review", |snapshot| Box::pin(async move { review::review(snapshot, &name).await })).await
    }

    async fn review_counts(&self, tenant: &TenantId) -> Result<Vec<ReviewCount>, StoreError> {
        let tenant = tenant.clone();
        self.read("counting sessions", |snapshot| Box::pin(async move { review::counts(snapshot, &tenant).await }))
            .await
    }

    async fn group_counts(&self, tenant: &TenantId, key: &str, limit: u32) -> Result<Vec<GroupCount>, StoreError> {
        let (tenant, key) = (tenant.clone(), key.to_owned());
        self.read("counting groups", move |snapshot| {
            Box::pin(async move { review::group_counts(snapshot, &tenant, &key, limit).await })
        })
        .await
    }

    async fn assign(&self, name: &SessionName, assignee: String, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(Assign { name: name.clone(), assignee, audit }).await
    }

    async fn mark(&self, name: &SessionName, mark: Mark, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(MarkSegment { name: name.clone(), mark, audit }).await
    }

    async fn decide(
        &self,
        name: &SessionName,
        decision: Decision,
        state: ReviewState,
        audit: Event,
    ) -> Result<(), StoreError> {
        self.writer.apply(Decide { name: name.clone(), decision, state, audit }).await
    }

    async fn hold(&self, name: &SessionName, is_held: bool, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(Hold { name: name.clone(), is_held, audit }).await
    }
}

#[async_trait::async_trait]
impl AccountStore for SqlStore {
    async fn create_account(&self, account: Account, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(CreateAccount { account, audit }).await
    }

    async fn account(&self, name: &str) -> Result<Account, StoreError> {
        let name = name.to_owned();
        self.read("reading an account", |snapshot| Box::pin(async move { accounts::account(snapshot, &name).await }))
            .await
    }

    async fn account_of(&self, identity: &ExternalIdentity) -> Result<Account, StoreError> {
        let identity = identity.clone();
        self.read("reading an account", |snapshot| {
            Box::pin(async move { accounts::account_of(snapshot, &identity).await })
        })
        .await
    }

    async fn accounts(&self, tenant: &TenantId) -> Result<Vec<Account>, StoreError> {
        let tenant = tenant.clone();
        self.read("listing accounts", |snapshot| Box::pin(async move { accounts::accounts(snapshot, &tenant).await }))
            .await
    }

    async fn update_account(&self, name: &str, patch: AccountPatch, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(UpdateAccount { name: name.to_owned(), patch, audit }).await
    }

    async fn login_failed(&self, name: &str, locked_until: Option<Timestamp>, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(LoginFailed { name: name.to_owned(), locked_until, audit }).await
    }

    async fn login(&self, session: WebSession, audit: Event) -> Result<(), StoreError> {
        self.writer.apply(Login { session, audit }).await
    }

    async fn web_session(&self, token_hash: &[u8; 32], now: Timestamp) -> Result<(WebSession, Account), StoreError> {
        let token_hash = *token_hash;
        self.read("reading a login", move |snapshot| {
            Box::pin(async move { accounts::web_session(snapshot, &token_hash, now).await })
        })
        .await
    }

    async fn prolong(&self, token_hash: &[u8; 32], expire_time: Timestamp) -> Result<(), StoreError> {
        self.writer.apply(Prolong { token_hash: *token_hash, expire_time }).await
    }

    async fn logout(&self, token_hash: &[u8; 32], audit: Event) -> Result<(), StoreError> {
        self.writer.apply(Logout { token_hash: *token_hash, audit }).await
    }

    async fn forget_logins(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer.apply(ForgetLogins { now }).await
    }
}
