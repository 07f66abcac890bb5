//! Everything that only reads. Each function sees one snapshot: its caller gives it a transaction.

use std::collections::{BTreeMap, HashMap};

use crate::service::ports::{Page, ParticipantRecord, SessionFilter, SessionQuery, SessionRecord, StoreError};
use crate::session::{ParticipantId, Segment, SessionName, TenantId};

use super::Connection;
use super::failure::Refusal;
use super::filter::{Cursor, listing, push_conditions};
use super::page_token::Listing;
use super::row::{SESSION_COLUMNS, SegmentRow, SessionRow, participant, to_u64};
use super::sql::Sql;

/// Most items of a page, whatever was asked for.
const MAX_PAGE_SIZE: u32 = 1_000;
/// So many sessions are read and sorted in less time than it takes to look at a hundred thousand in the order of a listing.
/// Tests have few sessions and look at both ways.
const FEW_LABELLED: i64 = if cfg!(test) { 3 } else { 2_000 };

/// A journal as stored: chunks with their row's figures, not decoded yet.
pub(super) struct StoredJournal {
    /// Entries according to the session's row.
    pub(super) n_entries: u64,
    /// Position of the first entry, count of entries, bytes.
    pub(super) chunks: Vec<(i64, i64, Vec<u8>)>,
}

/// The internal key of a session and the length of its journal.
pub(super) async fn find(connection: &mut Connection, name: &SessionName) -> Result<(i64, u64), Refusal> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT key, journal_len FROM sessions WHERE tenant = $1 AND id = $2")
        .bind(name.tenant.as_str())
        .bind(name.id.as_str())
        .fetch_optional(connection)
        .await?;
    let (key, journal_len) = row.ok_or_else(|| StoreError::NotFound { id: name.clone() })?;
    Ok((key, to_u64(journal_len, "journal_len")?))
}

/// One session.
pub(super) async fn session(connection: &mut Connection, name: &SessionName) -> Result<SessionRecord, Refusal> {
    let mut sql = select_sessions(&name.tenant);
    sql.push(" AND id = ").bind(name.id.as_str().to_owned());
    let row: Option<SessionRow> = sql.fetch_optional(connection).await?;
    let row = row.ok_or_else(|| StoreError::NotFound { id: name.clone() })?;
    let mut records = complete(connection, vec![row]).await?;
    records.pop().ok_or_else(|| StoreError::NotFound { id: name.clone() }.into())
}

/// The session that a request of the tenant created.
pub(super) async fn session_of_request(
    connection: &mut Connection,
    tenant: &TenantId,
    request_id: &str,
) -> Result<Option<SessionRecord>, Refusal> {
    let mut sql = select_sessions(tenant);
    sql.push(" AND request_id = ").bind(request_id.to_owned());
    let row: Option<SessionRow> = sql.fetch_optional(connection).await?;
    Ok(complete(connection, row.into_iter().collect()).await?.pop())
}

/// One page of a tenant's sessions.
pub(super) async fn sessions(
    connection: &mut Connection,
    tenant: &TenantId,
    query: &SessionQuery,
) -> Result<Page<SessionRecord>, Refusal> {
    let listing = || listing(tenant, query);
    let after = match query.page_token.as_deref() {
        None => None,
        Some(token) => Some(Cursor::from_text(&listing().cursor(token)?).ok_or(StoreError::BadPageToken)?),
    };
    let page_size = query.page_size.clamp(1, MAX_PAGE_SIZE);
    let rare = rare_label(connection, query).await?;
    let mut sql = Sql::new("SELECT ");
    sql.push(SESSION_COLUMNS).push(" FROM sessions");
    push_conditions(&mut sql, tenant, query, after, rare);
    sql.push(" LIMIT ").bind(i64::from(page_size) + 1);
    let mut rows: Vec<SessionRow> = sql.fetch_all(connection).await?;
    let has_more = rows.len() > page_size as usize;
    rows.truncate(page_size as usize);
    let last = rows.last().filter(|_| has_more);
    let next_page_token = last.map(|row| {
        let cursor = Cursor { urgency: row.urgency, create_time: row.create_time.clone(), id: row.id.clone() };
        listing().token(&cursor.to_text())
    });
    Ok(Page { items: complete(connection, rows).await?, next_page_token })
}

/// The position of the first filter for a label that few sessions, of whichever tenants, have.
async fn rare_label(connection: &mut Connection, query: &SessionQuery) -> Result<Option<usize>, Refusal> {
    for (position, filter) in query.filters.iter().enumerate() {
        let SessionFilter::LabelIs { key, value } = filter else { continue };
        let n_labelled: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM (SELECT 1 FROM labels WHERE name = $1 AND value = $2 LIMIT $3) AS labelled",
        )
        .bind(key)
        .bind(value)
        .bind(FEW_LABELLED + 1)
        .fetch_one(&mut *connection)
        .await?;
        if n_labelled <= FEW_LABELLED {
            return Ok(Some(position));
        }
    }
    Ok(None)
}

/// One page of a session's segments.
pub(super) async fn segments(
    connection: &mut Connection,
    name: &SessionName,
    page_size: u32,
    page_token: Option<&str>,
) -> Result<Page<Segment>, Refusal> {
    let listing = || Listing::new("segments").with(name.tenant.as_str()).with(name.id.as_str());
    let after: i64 = match page_token {
        None => 0,
        Some(token) => listing().cursor(token)?.parse().map_err(|_error| StoreError::BadPageToken)?,
    };
    let (key, _journal_len) = find(&mut *connection, name).await?;
    let page_size = page_size.clamp(1, MAX_PAGE_SIZE);
    let rows: Vec<SegmentRow> = sqlx::query_as(
        "SELECT ordinal, participant_id, start_nanos, end_nanos, level, is_open, signals FROM segments \
         WHERE session_key = $1 AND ordinal > $2 ORDER BY ordinal LIMIT $3",
    )
    .bind(key)
    .bind(after)
    .bind(i64::from(page_size) + 1)
    .fetch_all(connection)
    .await?;
    let mut items: Vec<Segment> = rows.into_iter().map(Segment::try_from).collect::<Result<_, _>>()?;
    let has_more = items.len() > page_size as usize;
    items.truncate(page_size as usize);
    let last = items.last().filter(|_| has_more);
    Ok(Page { next_page_token: last.map(|segment| listing().token(&segment.ordinal.to_string())), items })
}

/// A participant's score windows, oldest first, not decoded yet.
pub(super) async fn score_windows(
    connection: &mut Connection,
    name: &SessionName,
    participant: &ParticipantId,
    limit: u32,
) -> Result<Vec<String>, Refusal> {
    let (key, _journal_len) = find(&mut *connection, name).await?;
    let rows = sqlx::query_scalar(
        "SELECT score FROM score_windows WHERE session_key = $1 AND participant_id = $2 ORDER BY ordinal LIMIT $3",
    )
    .bind(key)
    .bind(participant.as_str())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows)
}

/// The whole journal, still encoded.
pub(super) async fn journal(connection: &mut Connection, name: &SessionName) -> Result<StoredJournal, Refusal> {
    let (key, n_entries) = find(&mut *connection, name).await?;
    let chunks =
        sqlx::query_as("SELECT first_entry, n_entries, chunk FROM journal WHERE session_key = $1 ORDER BY first_entry")
            .bind(key)
            .fetch_all(connection)
            .await?;
    Ok(StoredJournal { n_entries, chunks })
}

fn select_sessions(tenant: &TenantId) -> Sql {
    let mut sql = Sql::new("SELECT ");
    sql.push(SESSION_COLUMNS).push(" FROM sessions WHERE tenant = ").bind(tenant.as_str().to_owned());
    sql
}

/// Adds labels and participants to rows, in two statements for all of them.
async fn complete(connection: &mut Connection, rows: Vec<SessionRow>) -> Result<Vec<SessionRecord>, Refusal> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut labels: HashMap<i64, BTreeMap<String, String>> = HashMap::new();
    let sql = of_sessions("SELECT session_key, name, value FROM labels", &rows);
    let found: Vec<(i64, String, String)> = sql.fetch_all(connection).await?;
    for (key, name, value) in found {
        labels.entry(key).or_default().insert(name, value);
    }
    let mut participants: HashMap<i64, Vec<ParticipantRecord>> = HashMap::new();
    let mut sql = of_sessions("SELECT session_key, participant_id, score FROM participants", &rows);
    sql.push(" ORDER BY participant_id");
    let found: Vec<(i64, String, String)> = sql.fetch_all(connection).await?;
    for (key, id, score) in found {
        participants.entry(key).or_default().push(participant(&id, &score)?);
    }
    rows.into_iter()
        .map(|row| {
            let labels = labels.remove(&row.key).unwrap_or_default();
            let participants = participants.remove(&row.key).unwrap_or_default();
            Ok(row.into_record(labels, participants)?)
        })
        .collect()
}

fn of_sessions(select: &'static str, rows: &[SessionRow]) -> Sql {
    let mut sql = Sql::new(select);
    sql.push(" WHERE session_key IN ").bind_all(rows.iter().map(|row| row.key));
    sql
}
