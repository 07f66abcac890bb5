//! Who signs in with an identity provider: the provider says who they are and what for, the account remembers it.
//!
//! A person is known by issuer and subject alone. Their name is taken once, when the account is made, and never from an account
//! that somebody else has; their roles are those of the last login.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use crate::audit::{Action, Actor, Event, Outcome};
use crate::service::caller::Role;
use crate::service::error::ServiceError;
use crate::service::ports::{Account, AccountPatch, ExternalIdentity, StoreError};
use crate::service::review::check_name;
use crate::session::TenantId;

use super::{Accounts, NewLogin, account_entry, check_display_name, roles_text};

/// Who makes and changes such accounts, and tried in vain while nobody knows who it was.
const PROVIDER: &str = "oidc";

/// Whom an identity provider vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalPerson {
    /// Who it is.
    pub identity: ExternalIdentity,
    /// The name of an account that is made for them.
    pub name: String,
    /// For people; empty = the name.
    pub display_name: String,
    /// Whose sessions they see; of a person without roles it is whose audit log tells of them.
    pub tenant: TenantId,
    /// What they are for; none = they may not log in.
    pub roles: BTreeSet<Role>,
}

/// How a login with an identity provider went.
#[derive(Debug)]
pub enum ExternalLogin {
    /// It went well.
    Done(NewLogin),
    /// The provider vouches for them, and yet they do not get in.
    Refused(ExternalRefusal),
}

/// Why somebody does not get in whom the provider vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalRefusal {
    /// They have no role here.
    NoRole,
    /// Their name can be none of an account.
    BadName,
    /// Somebody else's account has their name.
    NameTaken,
    /// Their account was taken out of use.
    Inactive,
    /// Their account belongs to another tenant than the provider now says.
    OtherTenant,
}

impl ExternalRefusal {
    /// The name in the audit log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRole => "no role",
            Self::BadName => "bad name",
            Self::NameTaken => "name taken",
            Self::Inactive => "inactive",
            Self::OtherTenant => "other tenant",
        }
    }
}

impl Accounts {
    /// Counts a try from `address`, as a try of a password counts.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn admit(&self, address: &str) -> Result<(), Duration> {
        self.addresses.admit(address, self.clock.monotonic())
    }

    /// Logs in whom an identity provider vouches for, from `address`, and makes their account when they have none yet.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn login_external(&self, person: ExternalPerson, address: &str) -> Result<ExternalLogin, ServiceError> {
        let now = self.clock.now();
        let known = match self.known(&person.identity).await? {
            Some(account) => account,
            None => match self.admit_new(&person, now).await? {
                Ok(account) => account,
                Err(refusal) => return Ok(ExternalLogin::Refused(refusal)),
            },
        };
        self.login_known(known, person, address, now).await
    }

    /// Writes down that somebody came back from the identity provider in vain, before it was known who it is.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn external_login_failed(&self, reason: &str) -> Result<(), ServiceError> {
        let tenant = TenantId::default();
        let entry = provider_entry(&tenant, self.clock.now(), Action::AccountLogin, "accounts".to_owned());
        Ok(self.store.append(Event { outcome: Outcome::Failed, ..entry.with("reason", reason) }).await?)
    }

    async fn known(&self, identity: &ExternalIdentity) -> Result<Option<Account>, ServiceError> {
        match self.store.account_of(identity).await {
            Ok(account) => Ok(Some(account)),
            Err(StoreError::NoSuch { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The account of somebody who comes for the first time.
    async fn admit_new(
        &self,
        person: &ExternalPerson,
        now: Timestamp,
    ) -> Result<Result<Account, ExternalRefusal>, ServiceError> {
        let is_name = !person.name.is_empty() && check_name("name", &person.name).is_ok();
        let object = if is_name { format!("accounts/{}", person.name) } else { "accounts".to_owned() };
        let entry = |action| {
            let entry = provider_entry(&person.tenant, now, action, object.clone());
            entry.with("issuer", &person.identity.issuer).with("subject", &person.identity.subject)
        };
        let refusal = if person.roles.is_empty() {
            ExternalRefusal::NoRole
        } else if is_name {
            let account = new_account(person, now);
            let made = entry(Action::AccountCreate).with("roles", roles_text(&person.roles));
            match self.store.create_account(account.clone(), made).await {
                Ok(()) => return Ok(Ok(account)),
                Err(StoreError::Taken { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            // They may have come twice at the same moment.
            if let Some(account) = self.known(&person.identity).await? {
                return Ok(Ok(account));
            }
            ExternalRefusal::NameTaken
        } else {
            ExternalRefusal::BadName
        };
        let denied = entry(Action::AccountLogin).with("reason", refusal.as_str());
        self.store.append(Event { outcome: Outcome::Denied, ..denied }).await?;
        Ok(Err(refusal))
    }

    async fn login_known(
        &self,
        mut account: Account,
        person: ExternalPerson,
        address: &str,
        now: Timestamp,
    ) -> Result<ExternalLogin, ServiceError> {
        let refusal = if person.roles.is_empty() {
            Some(ExternalRefusal::NoRole)
        } else if !account.is_active {
            Some(ExternalRefusal::Inactive)
        } else if account.tenant != person.tenant {
            Some(ExternalRefusal::OtherTenant)
        } else {
            None
        };
        let entry = account_entry(&account, now, Action::AccountLogin).with("by", PROVIDER);
        if let Some(refusal) = refusal {
            let denied = Event { outcome: Outcome::Denied, ..entry.with("reason", refusal.as_str()) };
            if refusal == ExternalRefusal::NoRole {
                // Whoever has no role any more may do nothing any more, where they are still logged in neither.
                let patch = AccountPatch { roles: Some(BTreeSet::new()), ..AccountPatch::default() };
                self.store.update_account(&account.name, patch, denied).await?;
            } else {
                self.store.append(denied).await?;
            }
            return Ok(ExternalLogin::Refused(refusal));
        }
        let display_name = display_name(&person.display_name, &account.name);
        if account.roles != person.roles || account.display_name != display_name {
            let object = format!("accounts/{}", account.name);
            let changed = provider_entry(&account.tenant, now, Action::AccountUpdate, object);
            let changed = changed.with("roles", roles_text(&person.roles));
            let patch = AccountPatch {
                roles: Some(person.roles.clone()),
                display_name: Some(display_name.clone()),
                ..AccountPatch::default()
            };
            self.store.update_account(&account.name, patch, changed).await?;
            (account.roles, account.display_name) = (person.roles, display_name);
        }
        self.open_login(&account, address, entry).await.map(ExternalLogin::Done)
    }
}

/// Refuses to change here what comes from the identity provider.
pub(super) fn refuse_change(account: &Account, problem: &'static str) -> Result<(), ServiceError> {
    if account.identity.is_none() {
        return Ok(());
    }
    Err(ServiceError::FailedPrecondition { what: format!("accounts/{}", account.name), problem })
}

fn new_account(person: &ExternalPerson, now: Timestamp) -> Account {
    Account {
        name: person.name.clone(),
        tenant: person.tenant.clone(),
        display_name: display_name(&person.display_name, &person.name),
        roles: person.roles.clone(),
        is_active: true,
        password_hash: String::new(),
        identity: Some(person.identity.clone()),
        create_time: now,
        failed_logins: 0,
        locked_until: None,
    }
}

/// What people call them, as far as that can be shown.
fn display_name(wished: &str, name: &str) -> String {
    let is_good = !wished.is_empty() && check_display_name(wished).is_ok();
    if is_good { wished.to_owned() } else { name.to_owned() }
}

fn provider_entry(tenant: &TenantId, now: Timestamp, action: Action, object: String) -> Event {
    Event::done(now, tenant.as_str(), Actor::system(PROVIDER), action, object)
}
