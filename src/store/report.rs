//! What a report is made of: one snapshot of a session, bounded.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::audit::{CheckpointKind, Digest, Event};
use crate::service::ports::{
    AuditRow, JournalDigest, LogEnd, ReportLimits, ReportRows, ReportStore, StoreError, Timeline, TimelinePoint,
};
use crate::session::{ParticipantId, Segment, SessionName};

use super::Connection;
use super::audit_log::last_checkpoint;
use super::failure::Refusal;
use super::journal::corrupt;
use super::read::{self, find};
use super::review;
use super::row::{SegmentRow, to_u64};
use super::score_json::decode_score;
use super::sql_store::SqlStore;

#[async_trait::async_trait]
impl ReportStore for SqlStore {
    async fn require_session(&self, name: &SessionName) -> Result<(), StoreError> {
        let name = name.clone();
        self.read("looking for a session", |snapshot| {
            Box::pin(async move { find(snapshot, &name).await.map(|_found| ()) })
        })
        .await
    }

    async fn report_rows(&self, name: &SessionName, limits: ReportLimits) -> Result<ReportRows, StoreError> {
        let name = name.clone();
        self.read("reading for a report", move |snapshot| Box::pin(async move { rows(snapshot, &name, limits).await }))
            .await
    }
}

async fn rows(connection: &mut Connection, name: &SessionName, limits: ReportLimits) -> Result<ReportRows, Refusal> {
    let (key, n_entries) = find(connection, name).await?;
    let session = read::session(connection, name).await?;
    let review = review::review(connection, name).await?;
    let n_segments = count(connection, "SELECT count(*) FROM segments WHERE session_key = $1", key).await?;
    let segments = segments(connection, key, limits.segments).await?;
    let mut timelines = Vec::with_capacity(session.participants.len());
    for participant in &session.participants {
        timelines.push(timeline(connection, key, &participant.participant_id, limits.points).await?);
    }
    let journal = JournalDigest { n_entries, sha256: journal_digest(connection, key).await? };
    let (audit, n_audit_rows) = audit_rows(connection, name, limits.audit_rows).await?;
    let head = last_checkpoint(connection, CheckpointKind::Head).await?;
    let head = head.ok_or_else(|| corrupt("the signed end of the audit log is missing"))?;
    let log_end = LogEnd { sequence: head.sequence, hash: head.hash };
    Ok(ReportRows { session, review, segments, n_segments, timelines, journal, audit, n_audit_rows, log_end })
}

async fn count(connection: &mut Connection, sql: &'static str, key: i64) -> Result<u64, Refusal> {
    let count: i64 = sqlx::query_scalar(sql).bind(key).fetch_one(connection).await?;
    Ok(to_u64(count, "count")?)
}

/// The segments that people spoke of, then the worst, in the order of the interview.
async fn segments(connection: &mut Connection, key: i64, limit: u32) -> Result<Vec<Segment>, Refusal> {
    let rows: Vec<SegmentRow> = sqlx::query_as(
        "SELECT s.ordinal, s.participant_id, s.start_nanos, s.end_nanos, s.level, s.is_open, s.signals FROM segments s \
         LEFT JOIN review_marks m ON m.session_key = s.session_key AND m.ordinal = s.ordinal WHERE s.session_key = $1 \
         ORDER BY CASE WHEN m.ordinal IS NULL THEN 1 ELSE 0 END, \
         CASE s.level WHEN 'ALERT' THEN 0 WHEN 'SUSPICIOUS' THEN 1 ELSE 2 END, s.ordinal LIMIT $2",
    )
    .bind(key)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let mut segments: Vec<Segment> = rows.into_iter().map(Segment::try_from).collect::<Result<_, StoreError>>()?;
    segments.sort_by_key(|segment| segment.ordinal);
    Ok(segments)
}

/// Every n-th score window and the last one, so that at most `limit` are read.
async fn timeline(
    connection: &mut Connection,
    key: i64,
    participant_id: &ParticipantId,
    limit: u32,
) -> Result<Timeline, Refusal> {
    let n_windows: Option<i64> =
        sqlx::query_scalar("SELECT n_windows FROM participants WHERE session_key = $1 AND participant_id = $2")
            .bind(key)
            .bind(participant_id.as_str())
            .fetch_optional(&mut *connection)
            .await?;
    let n_windows = n_windows.unwrap_or(0);
    let stride = n_windows.max(1).unsigned_abs().div_ceil(u64::from(limit.max(2) - 1)).max(1);
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT ordinal, score FROM score_windows WHERE session_key = $1 AND participant_id = $2 \
         AND (ordinal % $3 = 0 OR ordinal = $4) ORDER BY ordinal LIMIT $5",
    )
    .bind(key)
    .bind(participant_id.as_str())
    .bind(i64::try_from(stride).unwrap_or(i64::MAX))
    .bind(n_windows - 1)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let mut points = Vec::with_capacity(rows.len());
    for (_, row) in rows {
        let score = decode_score(&row)?;
        points.push(TimelinePoint {
            at_secs: score.window_end_secs,
            level: score.level,
            authenticity: score.authenticity,
        });
    }
    Ok(Timeline { participant_id: participant_id.clone(), points })
}

/// Reads the chunks one at a time: a long interview's are many.
async fn journal_digest(connection: &mut Connection, key: i64) -> Result<Digest, Refusal> {
    let mut digest = Sha256::new();
    let mut after: i64 = -1;
    loop {
        let chunk: Option<(i64, Vec<u8>)> = sqlx::query_as(
            "SELECT first_entry, chunk FROM journal WHERE session_key = $1 AND first_entry > $2 \
             ORDER BY first_entry LIMIT 1",
        )
        .bind(key)
        .bind(after)
        .fetch_optional(&mut *connection)
        .await?;
        let Some((first_entry, bytes)) = chunk else { return Ok(Digest(digest.finalize().into())) };
        digest.update(&bytes);
        after = first_entry;
    }
}

/// The newest rows about a session, oldest first, and how many there are.
async fn audit_rows(
    connection: &mut Connection,
    name: &SessionName,
    limit: u32,
) -> Result<(Vec<AuditRow>, u64), Refusal> {
    let object = format!("sessions/{}", name.id);
    let n_rows: i64 = sqlx::query_scalar("SELECT count(*) FROM audit WHERE tenant = $1 AND object = $2")
        .bind(name.tenant.as_str())
        .bind(&object)
        .fetch_one(&mut *connection)
        .await?;
    let found: Vec<(i64, String)> = sqlx::query_as(
        "SELECT sequence, event FROM audit WHERE tenant = $1 AND object = $2 ORDER BY sequence DESC LIMIT $3",
    )
    .bind(name.tenant.as_str())
    .bind(&object)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let mut rows: BTreeMap<u64, Event> = BTreeMap::new();
    for (sequence, json) in found {
        let (_, event) = Event::from_json(&json).map_err(|error| corrupt(error.to_string()))?;
        rows.insert(to_u64(sequence, "audit.sequence")?, event);
    }
    let rows = rows.into_iter().map(|(sequence, event)| AuditRow { sequence, event }).collect();
    Ok((rows, to_u64(n_rows, "count")?))
}
