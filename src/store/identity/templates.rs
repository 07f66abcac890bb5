//! Sealed templates: keeping those of sessions, and everything that reads them.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::FromRow;

use crate::audit::Event;
use crate::identity::{ModelDigest, TemplateKey};
use crate::keys::WrappedKey;
use crate::service::ports::{
    FaceName, NewTemplate, ReferenceName, StoreError, StoredTemplate, TemplateChanges, TemplateKind, TemplateState,
};
use crate::session::{SessionId, SessionName, TenantId};
use crate::store::Connection;
use crate::store::failure::Refusal;
use crate::store::journal::corrupt;
use crate::store::operation::{Operation, Step};
use crate::store::read;
use crate::store::row::{tenant_id, time_text, to_i64, to_u64};
use crate::store::sql::Sql;

use super::face::{NAME_COLUMNS, NameRow};

/// Keeps what became of a session's templates.
pub(super) struct KeepSessionTemplates {
    pub(super) name: SessionName,
    pub(super) state: TemplateState,
    pub(super) templates: Vec<NewTemplate>,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for KeepSessionTemplates {
    type Output = ();
    const DOING: &'static str = "storing a session's templates";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let (session_key, _journal_len) = read::find(step.connection, &self.name).await?;
        for template in &self.templates {
            let face_key = session_face(step.connection, &self.name.tenant, session_key, template).await?;
            let NewTemplate { kind, model, expire_time, sealed, .. } = template;
            let row = TemplateToStore {
                face_key,
                kind: *kind,
                model: *model,
                time: self.audit.time,
                expire_time: *expire_time,
                sealed,
            };
            upsert(step.connection, &self.name.tenant, row).await?;
        }
        sqlx::query("UPDATE sessions SET template_state = $1 WHERE key = $2")
            .bind(self.state.as_str())
            .bind(session_key)
            .execute(&mut *step.connection)
            .await?;
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

async fn session_face(
    connection: &mut Connection,
    tenant: &TenantId,
    session_key: i64,
    template: &NewTemplate,
) -> Result<i64, Refusal> {
    sqlx::query(
        "INSERT INTO faces (tenant, session_key, participant_id, person) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(tenant.as_str())
    .bind(session_key)
    .bind(template.participant.as_str())
    .bind(i64::from(template.person))
    .execute(&mut *connection)
    .await?;
    let key =
        sqlx::query_scalar("SELECT key FROM faces WHERE session_key = $1 AND participant_id = $2 AND person = $3")
            .bind(session_key)
            .bind(template.participant.as_str())
            .bind(i64::from(template.person))
            .fetch_one(connection)
            .await?;
    Ok(key)
}

/// One row of `templates`.
pub(super) struct TemplateToStore<'a> {
    pub(super) face_key: i64,
    pub(super) kind: TemplateKind,
    pub(super) model: ModelDigest,
    pub(super) time: Timestamp,
    pub(super) expire_time: Option<Timestamp>,
    pub(super) sealed: &'a [u8],
}

/// Keeps a template in place of the one that its face had.
pub(super) async fn upsert(
    connection: &mut Connection,
    tenant: &TenantId,
    row: TemplateToStore<'_>,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO templates (tenant, face_key, kind, model, create_time, expire_time, sealed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (face_key, kind) DO UPDATE SET model = excluded.model, \
         create_time = excluded.create_time, expire_time = excluded.expire_time, sealed = excluded.sealed",
    )
    .bind(tenant.as_str())
    .bind(row.face_key)
    .bind(row.kind.as_str())
    .bind(row.model.to_string())
    .bind(time_text(row.time))
    .bind(row.expire_time.map(time_text))
    .bind(row.sealed)
    .execute(connection)
    .await?;
    Ok(())
}

/// Sessions that ended since then and whose templates nobody made.
pub(super) async fn sessions_without(
    connection: &mut Connection,
    tenant: Option<&TenantId>,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<SessionName>, Refusal> {
    let mut sql = Sql::new("SELECT tenant, id FROM sessions WHERE end_time IS NOT NULL AND template_state = ''");
    sql.push(" AND end_time >= ").bind(time_text(since));
    if let Some(tenant) = tenant {
        sql.push(" AND tenant = ").bind(tenant.as_str().to_owned());
    }
    sql.push(" ORDER BY end_time LIMIT ").bind(i64::from(limit));
    let rows: Vec<(String, String)> = sql.fetch_all(connection).await?;
    let name = |(tenant, id): (String, String)| {
        let id = SessionId::new(&id).map_err(|error| corrupt(error.to_string()))?;
        Ok(SessionName { tenant: tenant_id(&tenant)?, id })
    };
    Ok(rows.into_iter().map(name).collect::<Result<_, StoreError>>()?)
}

/// A session's templates, and what became of them.
pub(super) async fn of_session(
    connection: &mut Connection,
    name: &SessionName,
    kind: TemplateKind,
) -> Result<(TemplateState, Vec<StoredTemplate>), Refusal> {
    let (session_key, _journal_len) = read::find(connection, name).await?;
    let state: String = sqlx::query_scalar("SELECT template_state FROM sessions WHERE key = $1")
        .bind(session_key)
        .fetch_one(&mut *connection)
        .await?;
    let state = TemplateState::from_name(&state).ok_or_else(|| corrupt("stored state of templates is not known"))?;
    let mut sql = select(&name.tenant, kind);
    sql.push(" AND f.session_key = ").bind(session_key).push(" ORDER BY f.participant_id, f.person");
    Ok((state, fetch(sql, connection).await?))
}

/// A reference's template.
pub(super) async fn of_reference(
    connection: &mut Connection,
    tenant: &TenantId,
    name: &ReferenceName,
) -> Result<StoredTemplate, Refusal> {
    let mut sql = select(tenant, TemplateKind::Face);
    sql.push(" AND c.tenant = ").bind(tenant.as_str().to_owned());
    sql.push(" AND c.id = ").bind(name.candidate.as_str().to_owned());
    sql.push(" AND r.id = ").bind(name.id.as_str().to_owned());
    let found = fetch(sql, connection).await?.pop();
    Ok(found.ok_or_else(|| StoreError::NoSuch { what: name.to_string() })?)
}

/// How often templates of a tenant came, changed or went.
pub(super) async fn n_changes(connection: &mut Connection, tenant: &TenantId) -> Result<u64, Refusal> {
    let counted: Option<i64> = sqlx::query_scalar("SELECT n_changes FROM template_counters WHERE tenant = $1")
        .bind(tenant.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(to_u64(counted.unwrap_or(0), "n_changes")?)
}

/// How many templates of a kind there are.
pub(super) async fn count(connection: &mut Connection, tenant: &TenantId, kind: TemplateKind) -> Result<u64, Refusal> {
    let n_templates: i64 = sqlx::query_scalar("SELECT count(*) FROM templates WHERE tenant = $1 AND kind = $2")
        .bind(tenant.as_str())
        .bind(kind.as_str())
        .fetch_one(connection)
        .await?;
    Ok(to_u64(n_templates, "count")?)
}

/// Templates with keys above `after`, in order.
pub(super) async fn after(
    connection: &mut Connection,
    tenant: &TenantId,
    kind: TemplateKind,
    after: TemplateKey,
    limit: u32,
) -> Result<Vec<StoredTemplate>, Refusal> {
    let mut sql = select(tenant, kind);
    sql.push(" AND t.key > ").bind(to_i64(after.0)).push(" ORDER BY t.key LIMIT ").bind(i64::from(limit));
    fetch(sql, connection).await
}

/// What changed since so many changes were counted.
pub(super) async fn changes(
    connection: &mut Connection,
    tenant: &TenantId,
    kind: TemplateKind,
    since: u64,
    limit: u32,
) -> Result<TemplateChanges, Refusal> {
    let n_changes = n_changes(connection, tenant).await?;
    let n_new = n_changes.saturating_sub(since);
    if n_changes < since || n_new > u64::from(limit) {
        return Ok(TemplateChanges { n_changes, changed: None });
    }
    let keys: Vec<i64> =
        sqlx::query_scalar("SELECT template_key FROM template_changes WHERE tenant = $1 AND number > $2")
            .bind(tenant.as_str())
            .bind(to_i64(since))
            .fetch_all(&mut *connection)
            .await?;
    if keys.len() as u64 != n_new {
        return Ok(TemplateChanges { n_changes, changed: None });
    }
    if keys.is_empty() {
        return Ok(TemplateChanges { n_changes, changed: Some(Vec::new()) });
    }
    let keys: BTreeSet<i64> = keys.into_iter().collect();
    let mut sql = select(tenant, kind);
    sql.push(" AND t.key IN ").bind_all(keys.iter().copied());
    let there = fetch(sql, connection).await?;
    let mut there: HashMap<TemplateKey, StoredTemplate> =
        there.into_iter().map(|template| (template.key, template)).collect();
    let changed = keys.into_iter().map(|key| {
        let key = TemplateKey(to_u64(key, "template key")?);
        Ok((key, there.remove(&key)))
    });
    Ok(TemplateChanges { n_changes, changed: Some(changed.collect::<Result<_, StoreError>>()?) })
}

fn select(tenant: &TenantId, kind: TemplateKind) -> Sql {
    let mut sql = Sql::new("SELECT t.key AS template_key, t.model, t.sealed, ");
    sql.push(NAME_COLUMNS).push(
        ", coalesce(d.key_id, c.key_id) AS key_id, coalesce(d.wrapped, c.wrapped) AS wrapped FROM templates t \
         JOIN faces f ON f.key = t.face_key LEFT JOIN sessions s ON s.key = f.session_key \
         LEFT JOIN data_keys d ON d.session_key = f.session_key \
         LEFT JOIN candidate_references r ON r.key = f.reference_key LEFT JOIN candidates c ON c.key = r.candidate_key \
         WHERE t.tenant = ",
    );
    sql.bind(tenant.as_str().to_owned()).push(" AND t.kind = ").bind(kind.as_str().to_owned());
    sql
}

async fn fetch(sql: Sql, connection: &mut Connection) -> Result<Vec<StoredTemplate>, Refusal> {
    let rows: Vec<TemplateRow> = sql.fetch_all(connection).await?;
    Ok(rows.into_iter().map(StoredTemplate::try_from).collect::<Result<_, StoreError>>()?)
}

#[derive(FromRow)]
struct TemplateRow {
    template_key: i64,
    model: String,
    sealed: Vec<u8>,
    #[sqlx(flatten)]
    name: NameRow,
    key_id: Option<String>,
    wrapped: Option<Vec<u8>>,
}

impl TryFrom<TemplateRow> for StoredTemplate {
    type Error = StoreError;

    fn try_from(row: TemplateRow) -> Result<Self, StoreError> {
        Ok(Self {
            key: TemplateKey(to_u64(row.template_key, "template key")?),
            face: FaceName::try_from(row.name)?,
            model: ModelDigest::from_version(&row.model).map_err(|error| corrupt(error.to_string()))?,
            sealed: row.sealed,
            wrapped: row.key_id.zip(row.wrapped).map(|(key_id, bytes)| WrappedKey { key_id, bytes }),
        })
    }
}
