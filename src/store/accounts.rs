//! Accounts and logins: operations and reads.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::FromRow;

use crate::audit::Event;
use crate::service::Role;
use crate::service::ports::{Account, AccountPatch, ExternalIdentity, StoreError, WebSession};
use crate::session::TenantId;

use super::Connection;
use super::failure::Refusal;
use super::journal::corrupt;
use super::operation::{Operation, Step};
use super::row::{tenant_id, time_text, timestamp};
use super::sql::Sql;

const ACCOUNT_COLUMNS: &str = "name, tenant, display_name, roles, is_active, password_hash, issuer, subject, create_time, failed_logins, locked_until";

/// One account.
pub(super) async fn account(connection: &mut Connection, name: &str) -> Result<Account, Refusal> {
    let mut sql = Sql::new("SELECT ");
    sql.push(ACCOUNT_COLUMNS).push(" FROM accounts WHERE name = ").bind(name.to_owned());
    let row: Option<AccountRow> = sql.fetch_optional(connection).await?;
    let row = row.ok_or_else(|| no_such(name))?;
    Ok(Account::try_from(row)?)
}

/// The account of whoever an identity provider names.
pub(super) async fn account_of(connection: &mut Connection, identity: &ExternalIdentity) -> Result<Account, Refusal> {
    let mut sql = Sql::new("SELECT ");
    sql.push(ACCOUNT_COLUMNS).push(" FROM accounts WHERE issuer <> '' AND issuer = ").bind(identity.issuer.clone());
    sql.push(" AND subject = ").bind(identity.subject.clone());
    let row: Option<AccountRow> = sql.fetch_optional(connection).await?;
    let row = row.ok_or_else(|| StoreError::NoSuch { what: "the account".to_owned() })?;
    Ok(Account::try_from(row)?)
}

/// Every account of a tenant, by name.
pub(super) async fn accounts(connection: &mut Connection, tenant: &TenantId) -> Result<Vec<Account>, Refusal> {
    let mut sql = Sql::new("SELECT ");
    sql.push(ACCOUNT_COLUMNS).push(" FROM accounts WHERE tenant = ").bind(tenant.as_str().to_owned());
    sql.push(" ORDER BY name");
    let rows: Vec<AccountRow> = sql.fetch_all(connection).await?;
    Ok(rows.into_iter().map(Account::try_from).collect::<Result<_, StoreError>>()?)
}

/// A login that is not over, with its account.
pub(super) async fn web_session(
    connection: &mut Connection,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<(WebSession, Account), Refusal> {
    let row: Option<WebSessionRow> = sqlx::query_as(
        "SELECT account, csrf_token, create_time, expire_time FROM web_sessions WHERE token_hash = $1 AND expire_time > $2",
    )
    .bind(token_hash.to_vec())
    .bind(time_text(now))
    .fetch_optional(&mut *connection)
    .await?;
    let row = row.ok_or_else(|| StoreError::NoSuch { what: "the login".to_owned() })?;
    let account = account(connection, &row.account).await?;
    let session = WebSession {
        token_hash: *token_hash,
        account: row.account,
        csrf_token: row.csrf_token,
        create_time: timestamp(&row.create_time)?,
        expire_time: timestamp(&row.expire_time)?,
    };
    Ok((session, account))
}

fn no_such(name: &str) -> StoreError {
    StoreError::NoSuch { what: format!("accounts/{name}") }
}

/// Adds an account.
pub(super) struct CreateAccount {
    pub(super) account: Account,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for CreateAccount {
    type Output = ();
    const DOING: &'static str = "making an account";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Self { account, audit } = self;
        let inserted = sqlx::query(
            "INSERT INTO accounts (name, tenant, display_name, roles, is_active, password_hash, create_time, issuer, subject) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .bind(&account.name)
        .bind(account.tenant.as_str())
        .bind(&account.display_name)
        .bind(roles_text(&account.roles))
        .bind(i64::from(account.is_active))
        .bind(&account.password_hash)
        .bind(time_text(account.create_time))
        .bind(account.identity.as_ref().map_or("", |identity| &identity.issuer))
        .bind(account.identity.as_ref().map_or("", |identity| &identity.subject))
        .execute(&mut *step.connection)
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(StoreError::Taken { what: format!("accounts/{}", account.name) }.into());
        }
        step.audit.push(audit.clone());
        Ok(())
    }
}

/// Changes an account.
pub(super) struct UpdateAccount {
    pub(super) name: String,
    pub(super) patch: AccountPatch,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for UpdateAccount {
    type Output = ();
    const DOING: &'static str = "changing an account";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let AccountPatch { display_name, roles, is_active, password_hash } = &self.patch;
        let updated = sqlx::query(
            "UPDATE accounts SET display_name = coalesce($1, display_name), roles = coalesce($2, roles), \
             is_active = coalesce($3, is_active), password_hash = coalesce($4, password_hash), \
             failed_logins = 0, locked_until = NULL WHERE name = $5",
        )
        .bind(display_name.as_ref())
        .bind(roles.as_ref().map(roles_text))
        .bind(is_active.map(i64::from))
        .bind(password_hash.as_ref())
        .bind(&self.name)
        .execute(&mut *step.connection)
        .await?;
        if updated.rows_affected() == 0 {
            return Err(no_such(&self.name).into());
        }
        if *is_active == Some(false) || password_hash.is_some() {
            sqlx::query("DELETE FROM web_sessions WHERE account = $1")
                .bind(&self.name)
                .execute(&mut *step.connection)
                .await?;
        }
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// Counts a failed login.
pub(super) struct LoginFailed {
    pub(super) name: String,
    pub(super) locked_until: Option<Timestamp>,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for LoginFailed {
    type Output = ();
    const DOING: &'static str = "counting a failed login";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let updated =
            sqlx::query("UPDATE accounts SET failed_logins = failed_logins + 1, locked_until = $1 WHERE name = $2")
                .bind(self.locked_until.map(time_text))
                .bind(&self.name)
                .execute(&mut *step.connection)
                .await?;
        if updated.rows_affected() == 0 {
            return Err(no_such(&self.name).into());
        }
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// Keeps a login.
pub(super) struct Login {
    pub(super) session: WebSession,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Login {
    type Output = ();
    const DOING: &'static str = "storing a login";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Self { session, audit } = self;
        let updated = sqlx::query("UPDATE accounts SET failed_logins = 0, locked_until = NULL WHERE name = $1")
            .bind(&session.account)
            .execute(&mut *step.connection)
            .await?;
        if updated.rows_affected() == 0 {
            return Err(no_such(&session.account).into());
        }
        sqlx::query(
            "INSERT INTO web_sessions (token_hash, account, csrf_token, create_time, expire_time) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(session.token_hash.to_vec())
        .bind(&session.account)
        .bind(&session.csrf_token)
        .bind(time_text(session.create_time))
        .bind(time_text(session.expire_time))
        .execute(&mut *step.connection)
        .await?;
        step.audit.push(audit.clone());
        Ok(())
    }
}

/// Lets a login last longer.
pub(super) struct Prolong {
    pub(super) token_hash: [u8; 32],
    pub(super) expire_time: Timestamp,
}

#[async_trait::async_trait]
impl Operation for Prolong {
    type Output = ();
    const DOING: &'static str = "prolonging a login";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        sqlx::query("UPDATE web_sessions SET expire_time = $1 WHERE token_hash = $2")
            .bind(time_text(self.expire_time))
            .bind(self.token_hash.to_vec())
            .execute(&mut *step.connection)
            .await?;
        Ok(())
    }
}

/// Ends a login.
pub(super) struct Logout {
    pub(super) token_hash: [u8; 32],
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Logout {
    type Output = ();
    const DOING: &'static str = "ending a login";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        sqlx::query("DELETE FROM web_sessions WHERE token_hash = $1")
            .bind(self.token_hash.to_vec())
            .execute(&mut *step.connection)
            .await?;
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// Forgets logins that are over.
pub(super) struct ForgetLogins {
    pub(super) now: Timestamp,
}

#[async_trait::async_trait]
impl Operation for ForgetLogins {
    type Output = u64;
    const DOING: &'static str = "forgetting old logins";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let deleted = sqlx::query("DELETE FROM web_sessions WHERE expire_time <= $1")
            .bind(time_text(self.now))
            .execute(&mut *step.connection)
            .await?;
        Ok(deleted.rows_affected())
    }
}

#[derive(FromRow)]
struct AccountRow {
    name: String,
    tenant: String,
    display_name: String,
    roles: String,
    is_active: i64,
    password_hash: String,
    issuer: String,
    subject: String,
    create_time: String,
    failed_logins: i64,
    locked_until: Option<String>,
}

impl TryFrom<AccountRow> for Account {
    type Error = StoreError;

    fn try_from(row: AccountRow) -> Result<Self, StoreError> {
        let role = |name: &str| Role::from_name(name).ok_or_else(|| corrupt("stored role is not known"));
        Ok(Self {
            tenant: tenant_id(&row.tenant)?,
            roles: row.roles.split_whitespace().map(role).collect::<Result<_, _>>()?,
            is_active: row.is_active != 0,
            create_time: timestamp(&row.create_time)?,
            failed_logins: u32::try_from(row.failed_logins).unwrap_or(u32::MAX),
            locked_until: row.locked_until.as_deref().map(timestamp).transpose()?,
            name: row.name,
            display_name: row.display_name,
            password_hash: row.password_hash,
            identity: (!row.issuer.is_empty()).then_some(ExternalIdentity { issuer: row.issuer, subject: row.subject }),
        })
    }
}

#[derive(FromRow)]
struct WebSessionRow {
    account: String,
    csrf_token: String,
    create_time: String,
    expire_time: String,
}

fn roles_text(roles: &BTreeSet<Role>) -> String {
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(" ")
}
