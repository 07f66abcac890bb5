//! Faces: their rows, names and what is known of them.

use std::collections::HashMap;

use sqlx::FromRow;

use crate::identity::TemplateKey;
use crate::service::ports::{FaceName, FaceRecord, ReferenceId, ReferenceName, ReferencePurpose, StoreError};
use crate::session::TenantId;
use crate::store::Connection;
use crate::store::failure::Refusal;
use crate::store::journal::corrupt;
use crate::store::row::{candidate_id, participant_id, session_id, timestamp, to_i64, to_u64};
use crate::store::sql::Sql;

/// Tables behind [`FaceRow`] and [`NameRow`].
pub(super) const FACE_TABLES: &str = "faces f LEFT JOIN sessions s ON s.key = f.session_key \
     LEFT JOIN candidate_references r ON r.key = f.reference_key LEFT JOIN candidates c ON c.key = r.candidate_key";
/// Columns of [`NameRow`].
pub(super) const NAME_COLUMNS: &str =
    "s.id AS session_id, f.participant_id, f.person, c.id AS owner_id, r.id AS reference_id";

/// What names a face.
#[derive(FromRow)]
pub(super) struct NameRow {
    session_id: Option<String>,
    participant_id: String,
    person: i64,
    owner_id: Option<String>,
    reference_id: Option<String>,
}

impl TryFrom<NameRow> for FaceName {
    type Error = StoreError;

    fn try_from(row: NameRow) -> Result<Self, StoreError> {
        let id = |error: crate::session::IdError| corrupt(error.to_string());
        match (row.session_id, row.owner_id, row.reference_id) {
            (Some(session), None, None) => Ok(Self::Session {
                session: session_id(&session)?,
                participant: participant_id(&row.participant_id)?,
                person: u32::try_from(row.person).map_err(|_error| corrupt("stored person is out of range"))?,
            }),
            (None, Some(owner), Some(reference)) => Ok(Self::Reference(ReferenceName {
                candidate: candidate_id(&owner)?.ok_or_else(|| corrupt("stored reference has no candidate"))?,
                id: ReferenceId::new(&reference).map_err(id)?,
            })),
            _ => Err(corrupt("stored face is neither a session's nor a reference's")),
        }
    }
}

/// A face and what is known of it.
#[derive(FromRow)]
struct FaceRow {
    row_key: i64,
    #[sqlx(flatten)]
    name: NameRow,
    candidate: Option<String>,
    display_name: String,
    time: String,
    purpose: Option<String>,
    n_watched: i64,
}

impl TryFrom<FaceRow> for FaceRecord {
    type Error = StoreError;

    fn try_from(row: FaceRow) -> Result<Self, StoreError> {
        let purpose = |name: &str| {
            ReferencePurpose::from_name(name).ok_or_else(|| corrupt("stored purpose of a reference is not known"))
        };
        Ok(Self {
            face: row.name.try_into()?,
            candidate: candidate_id(row.candidate.as_deref().unwrap_or_default())?,
            display_name: row.display_name,
            time: timestamp(&row.time)?,
            purpose: row.purpose.as_deref().map(purpose).transpose()?,
            is_watched: row.n_watched > 0,
        })
    }
}

fn select(row_key: &str) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.push(row_key).push(" AS row_key, ").push(NAME_COLUMNS).push(
        ", coalesce(s.candidate, c.id) AS candidate, coalesce(s.display_name, c.display_name) AS display_name, \
         coalesce(s.create_time, r.create_time) AS time, r.purpose, \
         (SELECT count(*) FROM watched_faces w WHERE w.face_key = f.key) AS n_watched FROM ",
    );
    sql
}

/// What is known of the faces of templates.
pub(super) async fn of_templates(
    connection: &mut Connection,
    tenant: &TenantId,
    keys: &[TemplateKey],
) -> Result<Vec<(TemplateKey, FaceRecord)>, Refusal> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = select("t.key");
    sql.push("templates t JOIN ").push(&FACE_TABLES.replacen("faces f", "faces f ON f.key = t.face_key", 1));
    sql.push(" WHERE t.tenant = ").bind(tenant.as_str().to_owned());
    sql.push(" AND t.key IN ").bind_all(keys.iter().map(|key| to_i64(key.0)));
    let rows: Vec<FaceRow> = sql.fetch_all(connection).await?;
    let record = |row: FaceRow| Ok((TemplateKey(to_u64(row.row_key, "template key")?), row.try_into()?));
    Ok(rows.into_iter().map(record).collect::<Result<_, StoreError>>()?)
}

/// What is known of faces, by their keys.
pub(super) async fn of_keys(
    connection: &mut Connection,
    keys: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, FaceRecord>, Refusal> {
    let mut sql = select("f.key");
    sql.push(FACE_TABLES).push(" WHERE f.key IN ").bind_all(keys);
    let rows: Vec<FaceRow> = sql.fetch_all(connection).await?;
    let record = |row: FaceRow| Ok((row.row_key, row.try_into()?));
    Ok(rows.into_iter().map(record).collect::<Result<_, StoreError>>()?)
}

/// The key of a face's row; `None` when there is no such face.
pub(super) async fn find(
    connection: &mut Connection,
    tenant: &TenantId,
    face: &FaceName,
) -> Result<Option<i64>, Refusal> {
    let mut sql = Sql::new("SELECT f.key FROM ");
    sql.push(FACE_TABLES).push(" WHERE f.tenant = ").bind(tenant.as_str().to_owned());
    match face {
        FaceName::Session { session, participant, person } => {
            sql.push(" AND s.tenant = ").bind(tenant.as_str().to_owned());
            sql.push(" AND s.id = ").bind(session.as_str().to_owned());
            sql.push(" AND f.participant_id = ").bind(participant.as_str().to_owned());
            sql.push(" AND f.person = ").bind(i64::from(*person));
        }
        FaceName::Reference(ReferenceName { candidate, id }) => {
            sql.push(" AND c.tenant = ").bind(tenant.as_str().to_owned());
            sql.push(" AND c.id = ").bind(candidate.as_str().to_owned());
            sql.push(" AND r.id = ").bind(id.as_str().to_owned());
        }
    }
    let row: Option<(i64,)> = sql.fetch_optional(connection).await?;
    Ok(row.map(|(key,)| key))
}

/// As [`find`], for faces that must be there.
pub(super) async fn require(connection: &mut Connection, tenant: &TenantId, face: &FaceName) -> Result<i64, Refusal> {
    let found = find(connection, tenant, face).await?;
    Ok(found.ok_or_else(|| StoreError::NoSuch { what: face.to_string() })?)
}
