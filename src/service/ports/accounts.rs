//! Who may log in, as stored.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::audit::Event;
use crate::service::caller::Role;
use crate::session::TenantId;

use super::{AuditLog, StoreError};

/// Who a person is to an identity provider; stays when their name there changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// The provider: `iss` of its ID tokens.
    pub issuer: String,
    /// The person: `sub`, which the provider gives to nobody else.
    pub subject: String,
}

/// A person's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Names it when logging in; unique among all tenants.
    pub name: String,
    /// Whose sessions it sees.
    pub tenant: TenantId,
    /// For people.
    pub display_name: String,
    /// What it is for.
    pub roles: BTreeSet<Role>,
    /// Whether it may log in.
    pub is_active: bool,
    /// PHC string of the password; empty for none.
    pub password_hash: String,
    /// Who this is to an identity provider, which then says who has which roles; `None` for an account with a password.
    pub identity: Option<ExternalIdentity>,
    /// When it was made.
    pub create_time: Timestamp,
    /// Failed logins since the last one that went well.
    pub failed_logins: u32,
    /// Before this time no login is tried.
    pub locked_until: Option<Timestamp>,
}

/// What is changed of an account; `None` = left as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPatch {
    /// For people.
    pub display_name: Option<String>,
    /// All roles.
    pub roles: Option<BTreeSet<Role>>,
    /// Whether it may log in.
    pub is_active: Option<bool>,
    /// PHC string of the password.
    pub password_hash: Option<String>,
}

/// A browser that somebody logged in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSession {
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// The account's name.
    pub account: String,
    /// What forms have to carry.
    pub csrf_token: String,
    /// When it began.
    pub create_time: Timestamp,
    /// When it ends unless it is used.
    pub expire_time: Timestamp,
}

/// Keeps accounts and logins. Every method is durable when it returns.
#[async_trait::async_trait]
pub trait AccountStore: AuditLog {
    /// Adds an account. # Errors [`StoreError::Taken`] for its name or its identity.
    async fn create_account(&self, account: Account, audit: Event) -> Result<(), StoreError>;
    /// One account. # Errors [`StoreError::NoSuch`].
    async fn account(&self, name: &str) -> Result<Account, StoreError>;
    /// The account of whoever an identity provider names. # Errors [`StoreError::NoSuch`].
    async fn account_of(&self, identity: &ExternalIdentity) -> Result<Account, StoreError>;
    /// Every account of a tenant, by name. # Errors [`StoreError::Backend`].
    async fn accounts(&self, tenant: &TenantId) -> Result<Vec<Account>, StoreError>;
    /// Changes an account; whoever may not log in any more, or has a new password, is logged out everywhere.
    ///
    /// # Errors
    /// [`StoreError::NoSuch`].
    async fn update_account(&self, name: &str, patch: AccountPatch, audit: Event) -> Result<(), StoreError>;
    /// Counts a failed login and locks the account until `locked_until`. # Errors [`StoreError::NoSuch`].
    async fn login_failed(&self, name: &str, locked_until: Option<Timestamp>, audit: Event) -> Result<(), StoreError>;
    /// Keeps a login and forgets failed ones. # Errors [`StoreError::NoSuch`].
    async fn login(&self, session: WebSession, audit: Event) -> Result<(), StoreError>;
    /// The login with that token, unless it is over, with its account. # Errors [`StoreError::NoSuch`].
    async fn web_session(&self, token_hash: &[u8; 32], now: Timestamp) -> Result<(WebSession, Account), StoreError>;
    /// Lets a login last until `expire_time`. # Errors [`StoreError::Backend`].
    async fn prolong(&self, token_hash: &[u8; 32], expire_time: Timestamp) -> Result<(), StoreError>;
    /// Ends a login. # Errors [`StoreError::Backend`].
    async fn logout(&self, token_hash: &[u8; 32], audit: Event) -> Result<(), StoreError>;
    /// Forgets logins that are over; gives back how many. # Errors [`StoreError::Backend`].
    async fn forget_logins(&self, now: Timestamp) -> Result<u64, StoreError>;
}
