//! Candidates and their references.

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::audit::Event;
use crate::keys::WrappedKey;
use crate::service::ports::{
    CandidateRecord, NewReferenceRow, Page, PageRequest, ReferenceId, ReferenceName, ReferencePurpose, ReferenceRecord,
    StoreError, TemplateKind,
};
use crate::session::{CandidateId, TenantId};
use crate::store::Connection;
use crate::store::failure::Refusal;
use crate::store::journal::corrupt;
use crate::store::operation::{Operation, Step};
use crate::store::page_token::Listing;
use crate::store::row::{candidate_id, session_id, time_text, timestamp, to_u64};

use super::page_size;
use super::templates::{TemplateToStore, upsert};

/// References of one candidate; more are refused.
const MAX_REFERENCES: i64 = 100;

/// One page of candidates by id: those that sessions name, and those that have references.
pub(super) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    page: &PageRequest,
) -> Result<Page<CandidateRecord>, Refusal> {
    let listing = || Listing::new("candidates").with(tenant.as_str());
    let after = page.token.as_deref().map(|token| listing().cursor(token)).transpose()?.unwrap_or_default();
    let size = page_size(page);
    // The first ones of both together are among the first ones of each.
    let mut found = BTreeMap::new();
    for row in of_sessions(connection, tenant, Place::After(&after), size + 1).await? {
        found.insert(row.id.clone(), row);
    }
    for row in of_references(connection, tenant, Place::After(&after), size + 1).await? {
        merge(&mut found, row);
    }
    let has_more = found.len() > size as usize;
    let items: Vec<CandidateRecord> = found.into_values().take(size as usize).collect();
    let last = items.last().filter(|_| has_more);
    Ok(Page { next_page_token: last.map(|candidate| listing().token(candidate.id.as_str())), items })
}

/// One candidate with its references.
pub(super) async fn one(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &CandidateId,
) -> Result<(CandidateRecord, Vec<ReferenceRecord>), Refusal> {
    let mut found = BTreeMap::new();
    for row in of_sessions(connection, tenant, Place::At(id), 1).await? {
        found.insert(row.id.clone(), row);
    }
    for row in of_references(connection, tenant, Place::At(id), 1).await? {
        merge(&mut found, row);
    }
    let record = found.remove(id).ok_or_else(|| StoreError::NoSuch { what: format!("candidates/{id}") })?;
    let rows: Vec<ReferenceRow> = sqlx::query_as(
        "SELECT r.id, r.purpose, r.source_session, r.consent_reference, r.create_time, r.created_by, r.expire_time \
         FROM candidate_references r JOIN candidates c ON c.key = r.candidate_key WHERE c.tenant = $1 AND c.id = $2 \
         ORDER BY r.create_time, r.id",
    )
    .bind(tenant.as_str())
    .bind(id.as_str())
    .fetch_all(connection)
    .await?;
    let references = rows.into_iter().map(|row| row.into_record(id)).collect::<Result<_, _>>()?;
    Ok((record, references))
}

enum Place<'a> {
    After(&'a str),
    At(&'a CandidateId),
}

impl Place<'_> {
    /// The condition on a column, and the value in it.
    fn condition(&self) -> (&'static str, String) {
        match self {
            Self::After(after) => (" > ", (*after).to_owned()),
            Self::At(id) => (" = ", id.as_str().to_owned()),
        }
    }
}

async fn of_sessions(
    connection: &mut Connection,
    tenant: &TenantId,
    place: Place<'_>,
    limit: u32,
) -> Result<Vec<CandidateRecord>, Refusal> {
    let (comparison, value) = place.condition();
    let mut sql =
        crate::store::sql::Sql::new("SELECT candidate, count(*), max(create_time) FROM sessions WHERE tenant = ");
    sql.bind(tenant.as_str().to_owned()).push(" AND candidate <> '' AND candidate").push(comparison).bind(value);
    sql.push(" GROUP BY candidate ORDER BY candidate LIMIT ").bind(i64::from(limit));
    let rows: Vec<(String, i64, String)> = sql.fetch_all(connection).await?;
    let record = |(id, n_sessions, last): (String, i64, String)| {
        Ok(CandidateRecord {
            id: known_id(&id)?,
            display_name: String::new(),
            n_sessions: to_u64(n_sessions, "count")?,
            n_references: 0,
            last_session_time: Some(timestamp(&last)?),
        })
    };
    Ok(rows.into_iter().map(record).collect::<Result<_, StoreError>>()?)
}

async fn of_references(
    connection: &mut Connection,
    tenant: &TenantId,
    place: Place<'_>,
    limit: u32,
) -> Result<Vec<CandidateRecord>, Refusal> {
    let (comparison, value) = place.condition();
    let mut sql = crate::store::sql::Sql::new(
        "SELECT id, display_name, (SELECT count(*) FROM candidate_references r WHERE r.candidate_key = c.key) \
         FROM candidates c WHERE tenant = ",
    );
    sql.bind(tenant.as_str().to_owned()).push(" AND id").push(comparison).bind(value);
    sql.push(" ORDER BY id LIMIT ").bind(i64::from(limit));
    let rows: Vec<(String, String, i64)> = sql.fetch_all(connection).await?;
    let record = |(id, display_name, n_references): (String, String, i64)| {
        Ok(CandidateRecord {
            id: known_id(&id)?,
            display_name,
            n_sessions: 0,
            n_references: to_u64(n_references, "count")?,
            last_session_time: None,
        })
    };
    Ok(rows.into_iter().map(record).collect::<Result<_, StoreError>>()?)
}

/// Adds what references say to what sessions say.
fn merge(found: &mut BTreeMap<CandidateId, CandidateRecord>, row: CandidateRecord) {
    match found.get_mut(&row.id) {
        Some(known) => (known.display_name, known.n_references) = (row.display_name, row.n_references),
        None => drop(found.insert(row.id.clone(), row)),
    }
}

fn known_id(id: &str) -> Result<CandidateId, StoreError> {
    candidate_id(id)?.ok_or_else(|| corrupt("stored candidate has no id"))
}

/// The key of a candidate's references.
pub(super) async fn key(
    connection: &mut Connection,
    tenant: &TenantId,
    id: &CandidateId,
) -> Result<Option<WrappedKey>, Refusal> {
    let row: Option<(String, Vec<u8>)> =
        sqlx::query_as("SELECT key_id, wrapped FROM candidates WHERE tenant = $1 AND id = $2")
            .bind(tenant.as_str())
            .bind(id.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(row.map(|(key_id, bytes)| WrappedKey { key_id, bytes }))
}

/// Adds a reference.
pub(super) struct AddReference {
    pub(super) tenant: TenantId,
    pub(super) new: NewReferenceRow,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for AddReference {
    type Output = ();
    const DOING: &'static str = "storing a reference";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Self { tenant, new, audit } = self;
        let NewReferenceRow { record, display_name, wrapped, model, sealed } = new;
        let candidate = &record.name.candidate;
        let what = || format!("candidates/{candidate}");
        sqlx::query(
            "INSERT INTO candidates (tenant, id, display_name, key_id, wrapped) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .bind(candidate.as_str())
        .bind(display_name.as_str())
        .bind(&wrapped.key_id)
        .bind(wrapped.bytes.as_slice())
        .execute(&mut *step.connection)
        .await?;
        if key(step.connection, tenant, candidate).await?.as_ref() != Some(&*wrapped) {
            return Err(StoreError::Taken { what: format!("the key of {}", what()) }.into());
        }
        let candidate_key: i64 = sqlx::query_scalar(
            "UPDATE candidates SET display_name = CASE WHEN $1 = '' THEN display_name ELSE $1 END \
             WHERE tenant = $2 AND id = $3 RETURNING key",
        )
        .bind(display_name.as_str())
        .bind(tenant.as_str())
        .bind(candidate.as_str())
        .fetch_one(&mut *step.connection)
        .await?;
        if count(step.connection, candidate_key).await? >= MAX_REFERENCES {
            return Err(StoreError::Taken {
                what: format!("the last of {MAX_REFERENCES} places for references of {}", what()),
            }
            .into());
        }
        let reference_key: i64 = sqlx::query_scalar(
            "INSERT INTO candidate_references (candidate_key, id, purpose, source_session, consent_reference, create_time, \
             created_by, expire_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING key",
        )
        .bind(candidate_key)
        .bind(record.name.id.as_str())
        .bind(record.purpose.as_str())
        .bind(record.source_session.as_ref().map_or("", |session| session.as_str()))
        .bind(&record.consent_reference)
        .bind(time_text(record.create_time))
        .bind(&record.created_by)
        .bind(record.expire_time.map(time_text))
        .fetch_one(&mut *step.connection)
        .await?;
        let face_key: i64 = sqlx::query_scalar(
            "INSERT INTO faces (tenant, reference_key, participant_id, person) VALUES ($1, $2, '', 0) RETURNING key",
        )
        .bind(tenant.as_str())
        .bind(reference_key)
        .fetch_one(&mut *step.connection)
        .await?;
        // The reference goes at its time, and its template with it.
        let row = TemplateToStore {
            face_key,
            kind: TemplateKind::Face,
            model: *model,
            time: record.create_time,
            expire_time: None,
            sealed,
        };
        upsert(step.connection, tenant, row).await?;
        step.audit.push(audit.clone());
        Ok(())
    }
}

async fn count(connection: &mut Connection, candidate_key: i64) -> Result<i64, Refusal> {
    Ok(sqlx::query_scalar("SELECT count(*) FROM candidate_references WHERE candidate_key = $1")
        .bind(candidate_key)
        .fetch_one(connection)
        .await?)
}

/// Deletes a reference.
pub(super) struct DeleteReference {
    pub(super) tenant: TenantId,
    pub(super) name: ReferenceName,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for DeleteReference {
    type Output = ();
    const DOING: &'static str = "deleting a reference";
    const ERASES: bool = true;

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let found: Option<(i64, i64)> = sqlx::query_as(
            "SELECT r.key, c.key FROM candidate_references r JOIN candidates c ON c.key = r.candidate_key \
             WHERE c.tenant = $1 AND c.id = $2 AND r.id = $3",
        )
        .bind(self.tenant.as_str())
        .bind(self.name.candidate.as_str())
        .bind(self.name.id.as_str())
        .fetch_optional(&mut *step.connection)
        .await?;
        let (reference_key, candidate_key) = found.ok_or_else(|| StoreError::NoSuch { what: self.name.to_string() })?;
        bury(step.connection, reference_key, candidate_key).await?;
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// Deletes a reference's rows, and with the last one of a candidate its key.
pub(super) async fn bury(connection: &mut Connection, reference_key: i64, candidate_key: i64) -> Result<(), Refusal> {
    sqlx::query("DELETE FROM candidate_references WHERE key = $1")
        .bind(reference_key)
        .execute(&mut *connection)
        .await?;
    if count(connection, candidate_key).await? == 0 {
        sqlx::query("DELETE FROM candidates WHERE key = $1").bind(candidate_key).execute(connection).await?;
    }
    Ok(())
}

#[derive(FromRow)]
struct ReferenceRow {
    id: String,
    purpose: String,
    source_session: String,
    consent_reference: String,
    create_time: String,
    created_by: String,
    expire_time: Option<String>,
}

impl ReferenceRow {
    fn into_record(self, candidate: &CandidateId) -> Result<ReferenceRecord, StoreError> {
        let id = ReferenceId::new(&self.id).map_err(|error| corrupt(error.to_string()))?;
        let source = Some(self.source_session.as_str()).filter(|session| !session.is_empty());
        Ok(ReferenceRecord {
            name: ReferenceName { candidate: candidate.clone(), id },
            purpose: ReferencePurpose::from_name(&self.purpose)
                .ok_or_else(|| corrupt("stored purpose of a reference is not known"))?,
            source_session: source.map(session_id).transpose()?,
            consent_reference: self.consent_reference,
            create_time: timestamp(&self.create_time)?,
            created_by: self.created_by,
            expire_time: self.expire_time.as_deref().map(timestamp).transpose()?,
        })
    }
}
