//! What people say about sessions: operations and reads.

use sqlx::FromRow;

use crate::audit::Event;
use crate::service::ports::{
    Decision, DecisionKind, GroupCount, Mark, MarkVerdict, Review, ReviewCount, ReviewState, ReviewSummary, StoreError,
};
use crate::session::{SessionName, TenantId};

use super::Connection;
use super::failure::Refusal;
use super::journal::corrupt;
use super::operation::{Operation, Step};
use super::read::find;
use super::row::{time_text, timestamp, to_u64};
use super::score_json::level;

/// All that was said about a session.
pub(super) async fn review(connection: &mut Connection, name: &SessionName) -> Result<Review, Refusal> {
    let (key, _journal_len) = find(&mut *connection, name).await?;
    let (state, assignee, is_held): (String, String, i64) =
        sqlx::query_as("SELECT review_state, assignee, is_held FROM sessions WHERE key = $1")
            .bind(key)
            .fetch_one(&mut *connection)
            .await?;
    let marks: Vec<MarkRow> = sqlx::query_as(
        "SELECT ordinal, verdict, note, marked_by, time FROM review_marks WHERE session_key = $1 ORDER BY ordinal",
    )
    .bind(key)
    .fetch_all(&mut *connection)
    .await?;
    let decisions: Vec<DecisionRow> = sqlx::query_as(
        "SELECT ordinal, kind, note, decided_by, time FROM review_decisions WHERE session_key = $1 ORDER BY ordinal",
    )
    .bind(key)
    .fetch_all(connection)
    .await?;
    Ok(Review {
        summary: summary(&state, assignee, is_held)?,
        marks: marks.into_iter().map(Mark::try_from).collect::<Result<_, _>>()?,
        decisions: decisions.into_iter().map(Decision::try_from).collect::<Result<_, _>>()?,
    })
}

/// How many sessions of a tenant stand where.
pub(super) async fn counts(connection: &mut Connection, tenant: &TenantId) -> Result<Vec<ReviewCount>, Refusal> {
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "SELECT review_state, level, count(*) FROM sessions WHERE tenant = $1 GROUP BY review_state, level \
         ORDER BY review_state, level",
    )
    .bind(tenant.as_str())
    .fetch_all(connection)
    .await?;
    let count = |(state, level_name, n_sessions): (String, String, i64)| {
        Ok(ReviewCount {
            state: review_state(&state)?,
            level: level(&level_name)?,
            n_sessions: to_u64(n_sessions, "count")?,
        })
    };
    Ok(rows.into_iter().map(count).collect::<Result<_, StoreError>>()?)
}

/// How many sessions of each group of a tenant stand where.
pub(super) async fn group_counts(
    connection: &mut Connection,
    tenant: &TenantId,
    key: &str,
    limit: u32,
) -> Result<Vec<GroupCount>, Refusal> {
    let rows: Vec<(String, String, String, i64, i64)> = sqlx::query_as(
        "SELECT labels.value, review_state, level, CASE WHEN end_time IS NULL THEN 1 ELSE 0 END AS is_open, count(*) \
         FROM labels JOIN sessions ON sessions.key = labels.session_key \
         WHERE sessions.tenant = $1 AND labels.name = $2 AND labels.value IN (SELECT DISTINCT chosen.value FROM labels AS chosen \
         JOIN sessions AS owner ON owner.key = chosen.session_key WHERE owner.tenant = $3 AND chosen.name = $4 \
         ORDER BY chosen.value DESC LIMIT $5) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    )
    .bind(tenant.as_str())
    .bind(key)
    .bind(tenant.as_str())
    .bind(key)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    let count = |(value, state, level_name, is_open, n_sessions): (String, String, String, i64, i64)| {
        Ok(GroupCount {
            value,
            state: review_state(&state)?,
            level: level(&level_name)?,
            is_open: is_open != 0,
            n_sessions: to_u64(n_sessions, "count")?,
        })
    };
    Ok(rows.into_iter().map(count).collect::<Result<_, StoreError>>()?)
}

/// What a row of `sessions` says of the review.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub(super) fn summary(state: &str, assignee: String, is_held: i64) -> Result<ReviewSummary, StoreError> {
    Ok(ReviewSummary { state: review_state(state)?, assignee, is_held: is_held != 0 })
}

fn review_state(name: &str) -> Result<ReviewState, StoreError> {
    ReviewState::from_name(name).ok_or_else(|| corrupt("stored review state is not known"))
}

/// Gives a session to an account, or to nobody.
pub(super) struct Assign {
    pub(super) name: SessionName,
    pub(super) assignee: String,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Assign {
    type Output = ();
    const DOING: &'static str = "assigning a session";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let (key, _journal_len) = find(step.connection, &self.name).await?;
        sqlx::query("UPDATE sessions SET assignee = $1 WHERE key = $2")
            .bind(&self.assignee)
            .bind(key)
            .execute(&mut *step.connection)
            .await?;
        if !self.assignee.is_empty() {
            begin_review(step.connection, key).await?;
        }
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// Keeps a mark of a segment.
pub(super) struct MarkSegment {
    pub(super) name: SessionName,
    pub(super) mark: Mark,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for MarkSegment {
    type Output = ();
    const DOING: &'static str = "marking a segment";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Self { name, mark, audit } = self;
        let (key, _journal_len) = find(step.connection, name).await?;
        let known: Option<i64> =
            sqlx::query_scalar("SELECT ordinal FROM segments WHERE session_key = $1 AND ordinal = $2")
                .bind(key)
                .bind(i64::from(mark.ordinal))
                .fetch_optional(&mut *step.connection)
                .await?;
        if known.is_none() {
            return Err(StoreError::NoSuch { what: format!("sessions/{name}/segments/{}", mark.ordinal) }.into());
        }
        sqlx::query(
            "INSERT INTO review_marks (session_key, ordinal, verdict, note, marked_by, time) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (session_key, ordinal) DO UPDATE SET \
             verdict = excluded.verdict, note = excluded.note, marked_by = excluded.marked_by, time = excluded.time",
        )
        .bind(key)
        .bind(i64::from(mark.ordinal))
        .bind(mark.verdict.as_str())
        .bind(&mark.note)
        .bind(&mark.by)
        .bind(time_text(mark.time))
        .execute(&mut *step.connection)
        .await?;
        begin_review(step.connection, key).await?;
        step.audit.push(audit.clone());
        Ok(())
    }
}

/// Keeps a decision.
pub(super) struct Decide {
    pub(super) name: SessionName,
    pub(super) decision: Decision,
    pub(super) state: ReviewState,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Decide {
    type Output = ();
    const DOING: &'static str = "storing a decision";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Self { name, decision, state, audit } = self;
        let (key, _journal_len) = find(step.connection, name).await?;
        let last: i64 =
            sqlx::query_scalar("SELECT coalesce(max(ordinal), 0) FROM review_decisions WHERE session_key = $1")
                .bind(key)
                .fetch_one(&mut *step.connection)
                .await?;
        if last + 1 != i64::from(decision.ordinal) {
            return Err(StoreError::Stale { id: name.clone() }.into());
        }
        let inserted = sqlx::query(
            "INSERT INTO review_decisions (session_key, ordinal, kind, note, decided_by, time) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(key)
        .bind(i64::from(decision.ordinal))
        .bind(decision.kind.as_str())
        .bind(&decision.note)
        .bind(&decision.by)
        .bind(time_text(decision.time))
        .execute(&mut *step.connection)
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(StoreError::Stale { id: name.clone() }.into());
        }
        sqlx::query("UPDATE sessions SET review_state = $1 WHERE key = $2")
            .bind(state.as_str())
            .bind(key)
            .execute(&mut *step.connection)
            .await?;
        step.audit.push(audit.clone());
        Ok(())
    }
}

/// Keeps a session from being deleted, or lets it go.
pub(super) struct Hold {
    pub(super) name: SessionName,
    pub(super) is_held: bool,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Hold {
    type Output = ();
    const DOING: &'static str = "setting a legal hold";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let (key, _journal_len) = find(step.connection, &self.name).await?;
        sqlx::query("UPDATE sessions SET is_held = $1 WHERE key = $2")
            .bind(i64::from(self.is_held))
            .bind(key)
            .execute(&mut *step.connection)
            .await?;
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// What somebody touched is not unreviewed any more.
async fn begin_review(connection: &mut Connection, key: i64) -> Result<(), Refusal> {
    sqlx::query("UPDATE sessions SET review_state = $1 WHERE key = $2 AND review_state = $3")
        .bind(ReviewState::InReview.as_str())
        .bind(key)
        .bind(ReviewState::Unreviewed.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

#[derive(FromRow)]
struct MarkRow {
    ordinal: i64,
    verdict: String,
    note: String,
    marked_by: String,
    time: String,
}

impl TryFrom<MarkRow> for Mark {
    type Error = StoreError;

    fn try_from(row: MarkRow) -> Result<Self, StoreError> {
        Ok(Self {
            ordinal: ordinal(row.ordinal)?,
            verdict: MarkVerdict::from_name(&row.verdict).ok_or_else(|| corrupt("stored mark is not known"))?,
            note: row.note,
            by: row.marked_by,
            time: timestamp(&row.time)?,
        })
    }
}

#[derive(FromRow)]
struct DecisionRow {
    ordinal: i64,
    kind: String,
    note: String,
    decided_by: String,
    time: String,
}

impl TryFrom<DecisionRow> for Decision {
    type Error = StoreError;

    fn try_from(row: DecisionRow) -> Result<Self, StoreError> {
        Ok(Self {
            ordinal: ordinal(row.ordinal)?,
            kind: DecisionKind::from_name(&row.kind).ok_or_else(|| corrupt("stored decision is not known"))?,
            note: row.note,
            by: row.decided_by,
            time: timestamp(&row.time)?,
        })
    }
}

fn ordinal(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_error| corrupt("stored ordinal is out of range"))
}
