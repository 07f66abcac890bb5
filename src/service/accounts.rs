//! Who may log in to the pages: accounts, passwords, logins.
//!
//! Passwords are kept as Argon2id (RFC 9106) in the parameters that OWASP recommends; a login is a random token in a cookie, of
//! which the store has the digest alone. Guessing is slowed down per account and per address. Whoever an identity provider
//! vouches for has an account without a password, and the roles that the provider says (`external`).

mod external;
mod guard;
mod password;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::audit::{Action, Actor, ActorKind, Event, Outcome};
use crate::session::TenantId;

use super::caller::{Attempt, Caller, Permission, Role, permit};
use super::error::ServiceError;
use super::ports::{Account, AccountPatch, AccountStore, Clock, StoreError, WebSession};
use super::review::check_name;

pub use self::external::{ExternalLogin, ExternalPerson, ExternalRefusal};
use self::guard::AddressGuard;
use self::password::Passwords;
pub use self::password::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS};

/// A login that is not used for so long is over.
const IDLE: SignedDuration = SignedDuration::from_mins(60);
/// A login is over after so long, used or not.
const LONGEST: SignedDuration = SignedDuration::from_hours(12);
/// A login is prolonged when so much of its idle time is gone, so that not every look at a page writes.
const PROLONG_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Failed logins after which an account has to wait.
const FREE_FAILURES: u32 = 4;
/// The longest that an account has to wait.
const LONGEST_LOCK_SECS: i64 = 900;
/// What stands in the way of a password for whoever has none here.
const NO_PASSWORD: &str = "has no password here: its owner signs in with the identity provider";
/// Longest display name in bytes.
const MAX_DISPLAY_NAME_BYTES: usize = 256;

/// How a login went.
#[derive(Debug)]
pub enum LoginOutcome {
    /// It went well.
    Done(NewLogin),
    /// Name or password is wrong; which of the two is not told.
    Wrong,
    /// Too many were tried: come back later.
    TooMany {
        /// When.
        retry_after: Duration,
    },
}

/// What the browser keeps of a login.
pub struct NewLogin {
    /// The token for the cookie.
    pub token: String,
    /// How long the browser may keep it.
    pub max_age: Duration,
}

impl std::fmt::Debug for NewLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewLogin").field("max_age", &self.max_age).finish_non_exhaustive()
    }
}

/// Whoever is logged in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// Who, and what they may do.
    pub caller: Caller,
    /// The account.
    pub account: Account,
    /// What forms have to carry.
    pub csrf_token: String,
    token_hash: [u8; 32],
}

/// What is given to make an account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Names it when logging in.
    pub name: String,
    /// For people; empty = the name.
    pub display_name: String,
    /// What it is for.
    pub roles: BTreeSet<Role>,
    /// Its password.
    pub password: String,
}

/// The use cases of accounts. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn AccountStore>,
    clock: Arc<dyn Clock>,
    passwords: Arc<Passwords>,
    addresses: Arc<AddressGuard>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").finish_non_exhaustive()
    }
}

impl Accounts {
    /// Puts the use cases together.
    #[must_use]
    pub fn new(store: Arc<dyn AccountStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, passwords: Arc::default(), addresses: Arc::default() }
    }

    /// Tries a name and a password that came from `address`.
    ///
    /// # Errors
    /// [`ServiceError::Overloaded`] when too many are tried at this moment, [`ServiceError::Store`].
    pub async fn login(&self, name: &str, password: &str, address: &str) -> Result<LoginOutcome, ServiceError> {
        let now = self.clock.now();
        if let Err(retry_after) = self.addresses.admit(address, self.clock.monotonic()) {
            return Ok(LoginOutcome::TooMany { retry_after });
        }
        let account = match self.store.account(name).await {
            Ok(account) => Some(account),
            Err(StoreError::NoSuch { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(locked_until) =
            account.as_ref().and_then(|account| account.locked_until).filter(|until| *until > now)
        {
            let retry_after = Duration::try_from(locked_until.duration_since(now)).unwrap_or_default();
            return Ok(LoginOutcome::TooMany { retry_after });
        }
        let hash = account.as_ref().filter(|account| account.is_active).map(|account| account.password_hash.clone());
        // Who is not there takes as long as who is.
        let is_right = self.passwords.is_right(password, hash).await?;
        match account {
            Some(account) if is_right => {
                let entry = account_entry(&account, now, Action::AccountLogin);
                self.open_login(&account, address, entry).await.map(LoginOutcome::Done)
            }
            Some(account) => {
                let locked_until = lock_after(account.failed_logins.saturating_add(1), now);
                let entry = Event { outcome: Outcome::Failed, ..account_entry(&account, now, Action::AccountLogin) };
                self.store.login_failed(&account.name, locked_until, entry).await?;
                Ok(LoginOutcome::Wrong)
            }
            None => Ok(LoginOutcome::Wrong),
        }
    }

    /// A new login of an account, which begins when its entry says.
    async fn open_login(&self, account: &Account, address: &str, entry: Event) -> Result<NewLogin, ServiceError> {
        let (now, token) = (entry.time, random_token());
        let session = WebSession {
            token_hash: token_hash(&token),
            account: account.name.clone(),
            csrf_token: random_token(),
            create_time: now,
            expire_time: now.checked_add(IDLE).unwrap_or(now),
        };
        self.store.login(session, entry).await?;
        self.addresses.forgive(address);
        Ok(NewLogin { token, max_age: LONGEST.unsigned_abs() })
    }

    /// Who is logged in with a token; `None` when nobody is.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn authenticate(&self, token: &str) -> Result<Option<LoggedIn>, ServiceError> {
        let now = self.clock.now();
        let token_hash = token_hash(token);
        let (session, account) = match self.store.web_session(&token_hash, now).await {
            Ok(found) => found,
            Err(StoreError::NoSuch { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !account.is_active {
            return Ok(None);
        }
        let last = session.create_time.checked_add(LONGEST).unwrap_or(session.create_time);
        let expire_time = now.checked_add(IDLE).map_or(last, |idle| idle.min(last));
        if expire_time.duration_since(session.expire_time) > PROLONG_AFTER {
            self.store.prolong(&token_hash, expire_time).await?;
        }
        let csrf_token = session.csrf_token;
        Ok(Some(LoggedIn { caller: caller_of(&account), account, csrf_token, token_hash }))
    }

    /// Ends a login.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn logout(&self, login: &LoggedIn) -> Result<(), ServiceError> {
        let entry = account_entry(&login.account, self.clock.now(), Action::AccountLogout);
        Ok(self.store.logout(&login.token_hash, entry).await?)
    }

    /// Every account of the caller's tenant.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::Store`].
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Account>, ServiceError> {
        self.permit(caller, Action::AccountUpdate, "accounts".to_owned()).await?;
        Ok(self.store.accounts(&caller.tenant).await?)
    }

    /// Names of those who may be given a session: active accounts of the caller's tenant that may review.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn reviewers(&self, caller: &Caller) -> Result<Vec<String>, ServiceError> {
        let accounts = self.store.accounts(&caller.tenant).await?;
        let may_review = |account: &Account| account.is_active && caller_of(account).may(Permission::Review);
        Ok(accounts.into_iter().filter(may_review).map(|account| account.name).collect())
    }

    /// Makes an account in the caller's tenant.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::InvalidField`], [`ServiceError::Store`] when the name is taken.
    pub async fn create(&self, caller: &Caller, new: NewAccount) -> Result<(), ServiceError> {
        let entry = self.permit(caller, Action::AccountCreate, format!("accounts/{}", new.name)).await?;
        check_name("name", &new.name)?;
        if new.name.is_empty() {
            return Err(invalid("name", "is empty: choose one"));
        }
        check_display_name(&new.display_name)?;
        check_roles(&new.roles)?;
        let password_hash = self.passwords.hash(&new.password).await?;
        let entry = entry.with("roles", roles_text(&new.roles));
        let account = Account {
            display_name: if new.display_name.is_empty() { new.name.clone() } else { new.display_name },
            name: new.name,
            tenant: caller.tenant.clone(),
            roles: new.roles,
            is_active: true,
            password_hash,
            identity: None,
            create_time: entry.time,
            failed_logins: 0,
            locked_until: None,
        };
        Ok(self.store.create_account(account, entry).await?)
    }

    /// Changes roles, display name or state of an account of the caller's tenant. Nobody takes their own admin role or account
    /// away, so that there is always one left.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::InvalidField`], [`ServiceError::Store`];
    /// [`ServiceError::FailedPrecondition`] for what the identity provider says of an account.
    pub async fn update(&self, caller: &Caller, name: &str, patch: AccountPatch) -> Result<(), ServiceError> {
        let mut entry = self.permit(caller, Action::AccountUpdate, format!("accounts/{name}")).await?;
        let account = self.own(caller, name).await?;
        if patch.roles.is_some() || patch.display_name.is_some() {
            external::refuse_change(&account, "name and roles come from the identity provider: change them there")?;
        }
        check_display_name(patch.display_name.as_deref().unwrap_or_default())?;
        if let Some(roles) = &patch.roles {
            check_roles(roles)?;
            entry = entry.with("roles", roles_text(roles));
        }
        if let Some(is_active) = patch.is_active {
            entry = entry.with("active", if is_active { "yes" } else { "no" });
        }
        let is_self = caller.actor == Actor { kind: ActorKind::User, name: name.to_owned() };
        let gives_up =
            patch.is_active == Some(false) || patch.roles.as_ref().is_some_and(|roles| !roles.contains(&Role::Admin));
        if is_self && gives_up {
            return Err(invalid("roles", "cannot be taken from yourself: let another admin do it"));
        }
        let patch = AccountPatch { password_hash: None, ..patch };
        Ok(self.store.update_account(name, patch, entry).await?)
    }

    /// Sets the password of an account of the caller's tenant; its logins end.
    ///
    /// # Errors
    /// [`ServiceError::PermissionDenied`], [`ServiceError::InvalidField`], [`ServiceError::Store`];
    /// [`ServiceError::FailedPrecondition`] for an account that comes from an identity provider.
    pub async fn set_password(&self, caller: &Caller, name: &str, password: &str) -> Result<(), ServiceError> {
        let entry = self.permit(caller, Action::AccountPassword, format!("accounts/{name}")).await?;
        let account = self.own(caller, name).await?;
        external::refuse_change(&account, NO_PASSWORD)?;
        let password_hash = Some(self.passwords.hash(password).await?);
        Ok(self.store.update_account(name, AccountPatch { password_hash, ..AccountPatch::default() }, entry).await?)
    }

    /// Changes the password of whoever is logged in; their logins end.
    ///
    /// # Errors
    /// [`ServiceError::InvalidField`] when the old one is wrong or the new one too short, [`ServiceError::Store`];
    /// [`ServiceError::FailedPrecondition`] for an account that comes from an identity provider.
    pub async fn change_password(&self, login: &LoggedIn, old: &str, new: &str) -> Result<(), ServiceError> {
        external::refuse_change(&login.account, NO_PASSWORD)?;
        if !self.passwords.is_right(old, Some(login.account.password_hash.clone())).await? {
            return Err(invalid("old_password", "is not your password"));
        }
        let entry = account_entry(&login.account, self.clock.now(), Action::AccountPassword);
        let patch = AccountPatch { password_hash: Some(self.passwords.hash(new).await?), ..AccountPatch::default() };
        Ok(self.store.update_account(&login.account.name, patch, entry).await?)
    }

    /// Forgets logins that are over; gives back how many.
    ///
    /// # Errors
    /// [`ServiceError::Store`].
    pub async fn sweep(&self) -> Result<u64, ServiceError> {
        Ok(self.store.forget_logins(self.clock.now()).await?)
    }

    /// Another tenant's account does not exist.
    async fn own(&self, caller: &Caller, name: &str) -> Result<Account, ServiceError> {
        let account = self.store.account(name).await?;
        if account.tenant == caller.tenant {
            return Ok(account);
        }
        Err(ServiceError::NotFound { what: format!("accounts/{name}") })
    }

    async fn permit(&self, caller: &Caller, action: Action, object: String) -> Result<Event, ServiceError> {
        let attempt = Attempt { permission: Permission::Accounts, action, object: object.clone() };
        permit(&*self.store, &*self.clock, caller, attempt).await?;
        Ok(caller.did(self.clock.now(), action, object))
    }
}

/// What an account may do.
fn caller_of(account: &Account) -> Caller {
    Caller {
        tenant: account.tenant.clone(),
        actor: Actor { kind: ActorKind::User, name: account.name.clone() },
        permissions: account.roles.iter().flat_map(|role| role.permissions()).copied().collect(),
    }
}

/// An operator at the machine's command line, who may make accounts in `tenant`.
#[must_use]
pub fn command_line(tenant: TenantId) -> Caller {
    let actor = Actor { kind: ActorKind::CommandLine, name: "operator".to_owned() };
    Caller { tenant, actor, permissions: [Permission::Accounts].into() }
}

fn account_entry(account: &Account, now: Timestamp, action: Action) -> Event {
    caller_of(account).did(now, action, format!("accounts/{}", account.name))
}

/// Until when an account is locked after so many failures in a row: 2 s, doubled each time, at most a quarter of an hour.
fn lock_after(n_failures: u32, now: Timestamp) -> Option<Timestamp> {
    let doublings = n_failures.checked_sub(FREE_FAILURES)?;
    let secs =
        2_i64.checked_shl(doublings).filter(|secs| (1..LONGEST_LOCK_SECS).contains(secs)).unwrap_or(LONGEST_LOCK_SECS);
    now.checked_add(SignedDuration::from_secs(secs)).ok()
}

fn check_display_name(name: &str) -> Result<(), ServiceError> {
    if name.len() > MAX_DISPLAY_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(invalid("display_name", "must be at most 256 bytes without control characters"));
    }
    Ok(())
}

fn check_roles(roles: &BTreeSet<Role>) -> Result<(), ServiceError> {
    if roles.is_empty() {
        return Err(invalid("roles", "are none: give at least one of viewer, reviewer, investigator, admin"));
    }
    Ok(())
}

fn roles_text(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ")
}

fn invalid(field: &'static str, problem: &str) -> ServiceError {
    ServiceError::InvalidField { field, problem: problem.to_owned() }
}

/// 64 hex digits of randomness from the operating system.
fn random_token() -> String {
    use std::fmt::Write as _;
    let bytes: [u8; 32] = rand::random();
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests;
