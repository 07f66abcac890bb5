//! The stored audit log: appended to at the end of the transactions that it tells of, read in pages, checked.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sqlx::FromRow;

use crate::audit::{
    Action, Actor, Broken, Checkpoint, CheckpointKind, Digest, Event, GENESIS, StoredRow, Summary, Verifier, link,
};
use crate::keys::{SigningKey, VerifyingKey};
use crate::service::ports::StoreError;

use super::Connection;
use super::dialect::Dialect;
use super::failure::{Refusal, other};
use super::journal::corrupt;
use super::operation::{Operation, Step};
use super::row::{time_text, timestamp, to_i64, to_u64};

/// Rows after which a checkpoint is kept.
const MILESTONE_ROWS: u64 = 1_000;
/// Rows that are read at one time.
const PAGE_ROWS: u32 = 1_000;
/// Time after which a checkpoint is kept, if there is a row.
const MILESTONE_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// Appends events and signs the new end.
pub(super) async fn append(
    connection: &mut Connection,
    dialect: Dialect,
    key: &SigningKey,
    events: Vec<Event>,
) -> Result<(), Arc<sqlx::Error>> {
    append_all(connection, dialect, key, events).await.map_err(|refusal| match refusal {
        Refusal::Database(error) => error,
        Refusal::Own(error) => Arc::new(sqlx::Error::Protocol(error.to_string())),
    })
}

async fn append_all(
    connection: &mut Connection,
    dialect: Dialect,
    key: &SigningKey,
    events: Vec<Event>,
) -> Result<(), Refusal> {
    if let Some(lock) = dialect.lock_audit() {
        sqlx::query(lock).execute(&mut *connection).await?;
    }
    let head = last_checkpoint(connection, CheckpointKind::Head).await?;
    let (mut sequence, mut hash) = head.as_ref().map_or((0, GENESIS), |head| (head.sequence, head.hash));
    for event in events {
        sequence += 1;
        let json = event.to_json(sequence);
        hash = link(&hash, &json);
        sqlx::query("INSERT INTO audit (sequence, event, hash, tenant, object) VALUES ($1, $2, $3, $4, $5)")
            .bind(to_i64(sequence))
            .bind(json)
            .bind(hash.0.to_vec())
            .bind(event.tenant)
            .bind(event.object)
            .execute(&mut *connection)
            .await?;
    }
    let now = Timestamp::now();
    sqlx::query("DELETE FROM audit_checkpoints WHERE kind = $1")
        .bind(CheckpointKind::Head.as_str())
        .execute(&mut *connection)
        .await?;
    insert_checkpoint(connection, &Checkpoint::sign(key, CheckpointKind::Head, sequence, hash, now)).await?;
    let milestone = last_checkpoint(connection, CheckpointKind::Milestone).await?;
    let is_due = milestone.is_none_or(|last| {
        sequence >= last.sequence + MILESTONE_ROWS || now.duration_since(last.time) >= MILESTONE_INTERVAL
    });
    if is_due {
        insert_checkpoint(connection, &Checkpoint::sign(key, CheckpointKind::Milestone, sequence, hash, now)).await?;
    }
    Ok(())
}

pub(super) async fn insert_checkpoint(connection: &mut Connection, checkpoint: &Checkpoint) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO audit_checkpoints (kind, sequence, hash, time, key_id, signature) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(checkpoint.kind.as_str())
    .bind(to_i64(checkpoint.sequence))
    .bind(checkpoint.hash.0.to_vec())
    .bind(time_text(checkpoint.time))
    .bind(&checkpoint.key_id)
    .bind(checkpoint.signature.to_vec())
    .execute(connection)
    .await?;
    Ok(())
}

/// The latest checkpoint of a kind.
pub(super) async fn last_checkpoint(
    connection: &mut Connection,
    kind: CheckpointKind,
) -> Result<Option<Checkpoint>, Refusal> {
    let row: Option<CheckpointRow> = sqlx::query_as(
        "SELECT kind, sequence, hash, time, key_id, signature FROM audit_checkpoints WHERE kind = $1 \
         ORDER BY sequence DESC LIMIT 1",
    )
    .bind(kind.as_str())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Checkpoint::try_from).transpose()?)
}

/// Walks the whole log within one snapshot, so that what is appended meanwhile does not count as surplus.
pub(super) async fn verify(
    connection: &mut Connection,
    keys: &[VerifyingKey],
) -> Result<Result<Summary, Broken>, Refusal> {
    let mut verifier = match Verifier::new(checkpoints(connection).await?, keys) {
        Ok(verifier) => verifier,
        Err(broken) => return Ok(Err(broken)),
    };
    let mut after = verifier.first() - 1;
    loop {
        let rows = rows_after(connection, after, PAGE_ROWS).await?;
        let Some(last) = rows.last() else { return Ok(verifier.finish()) };
        after = last.sequence;
        for row in &rows {
            if let Err(broken) = verifier.row(row) {
                return Ok(Err(broken));
            }
        }
    }
}

/// Every checkpoint, in order of the rows that they cover.
async fn checkpoints(connection: &mut Connection) -> Result<Vec<Checkpoint>, Refusal> {
    let rows: Vec<CheckpointRow> = sqlx::query_as(
        "SELECT kind, sequence, hash, time, key_id, signature FROM audit_checkpoints ORDER BY sequence, kind",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Checkpoint::try_from).collect::<Result<_, StoreError>>()?)
}

/// At most `limit` rows after row `after`.
pub(super) async fn rows_after(connection: &mut Connection, after: u64, limit: u32) -> Result<Vec<StoredRow>, Refusal> {
    let rows: Vec<AuditRow> = sqlx::query_as(
        "SELECT sequence, event, hash, tenant, object FROM audit WHERE sequence > $1 ORDER BY sequence LIMIT $2",
    )
    .bind(to_i64(after))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(StoredRow::try_from).collect::<Result<_, StoreError>>()?)
}

/// Writes an event that belongs to no other change, such as a look at something or a refusal.
pub(super) struct Append {
    pub(super) entry: Event,
}

#[async_trait::async_trait]
impl Operation for Append {
    type Output = ();
    const DOING: &'static str = "writing to the audit log";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        step.audit.push(self.entry.clone());
        Ok(())
    }
}

/// Begins the log, so that an empty one is always a broken one, and refuses to go on with one that another key signed.
pub(super) struct Begin {
    /// Ids of the keys that may have signed it.
    pub(super) known_keys: Vec<String>,
}

#[async_trait::async_trait]
impl Operation for Begin {
    type Output = ();
    const DOING: &'static str = "beginning the audit log";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        if let Some(lock) = step.dialect.lock_audit() {
            sqlx::query(lock).execute(&mut *step.connection).await?;
        }
        match last_checkpoint(step.connection, CheckpointKind::Head).await? {
            None => {
                let actor = Actor::system("store");
                step.audit.push(Event::done(Timestamp::now(), "", actor, Action::AuditBegin, String::new()));
                Ok(())
            }
            Some(head) if self.known_keys.contains(&head.key_id) => Ok(()),
            Some(head) => {
                let problem =
                    format!("it was signed with key {}, which keys.file does not have: restore that file", head.key_id);
                Err(other("going on with the audit log", problem).into())
            }
        }
    }
}

#[derive(FromRow)]
struct CheckpointRow {
    kind: String,
    sequence: i64,
    hash: Vec<u8>,
    time: String,
    key_id: String,
    signature: Vec<u8>,
}

impl TryFrom<CheckpointRow> for Checkpoint {
    type Error = StoreError;

    fn try_from(row: CheckpointRow) -> Result<Self, StoreError> {
        let broken =
            |what: &str| corrupt(format!("audit checkpoint at row {}: its {what} cannot be read", row.sequence));
        Ok(Self {
            kind: CheckpointKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == row.kind)
                .ok_or_else(|| broken("kind"))?,
            sequence: to_u64(row.sequence, "audit_checkpoints.sequence")?,
            hash: Digest::from_bytes(&row.hash).ok_or_else(|| broken("hash"))?,
            time: timestamp(&row.time).map_err(|_| broken("time"))?,
            key_id: row.key_id.clone(),
            signature: row.signature.as_slice().try_into().map_err(|_| broken("signature"))?,
        })
    }
}

#[derive(FromRow)]
struct AuditRow {
    sequence: i64,
    event: String,
    hash: Vec<u8>,
    tenant: String,
    object: String,
}

impl TryFrom<AuditRow> for StoredRow {
    type Error = StoreError;

    fn try_from(row: AuditRow) -> Result<Self, StoreError> {
        let AuditRow { sequence, event, hash, tenant, object } = row;
        Ok(Self { sequence: to_u64(sequence, "audit.sequence")?, event, hash, tenant, object })
    }
}
