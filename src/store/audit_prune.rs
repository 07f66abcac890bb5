//! The oldest part of the audit log goes, and what is left still verifies.
//!
//! Where the log begins from then on is a signed anchor: the last row that went, with its digest. Rows are only ever taken from
//! the beginning; nobody without the key can move the anchor, so that a row that is missing after it is named as before.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::audit::{Action, Actor, Checkpoint, CheckpointKind, Digest, Event, StoredRow};
use crate::keys::SigningKey;
use crate::service::ports::{AuditPruner, StoreError};

use super::Connection;
use super::audit_log::{insert_checkpoint, last_checkpoint, rows_after};
use super::failure::Refusal;
use super::journal::corrupt;
use super::operation::{Operation, Step};
use super::row::to_i64;
use super::sql_store::SqlStore;

#[async_trait::async_trait]
impl AuditPruner for SqlStore {
    async fn prune_audit(&self, before: Timestamp, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.writer.apply(PruneAudit { before, now, limit, key: Arc::clone(&self.signing_key) }).await
    }
}

/// Deletes rows from the beginning of the log.
struct PruneAudit {
    before: Timestamp,
    now: Timestamp,
    limit: u32,
    key: Arc<SigningKey>,
}

#[async_trait::async_trait]
impl Operation for PruneAudit {
    type Output = u64;
    const DOING: &'static str = "deleting old audit rows";
    const ERASES: bool = true;

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        if let Some(lock) = step.dialect.lock_audit() {
            sqlx::query(lock).execute(&mut *step.connection).await?;
        }
        let anchor = last_checkpoint(step.connection, CheckpointKind::Anchor).await?;
        let after = anchor.map_or(0, |anchor| anchor.sequence);
        let rows = rows_after(step.connection, after, self.limit).await?;
        let held = held_objects(step.connection).await?;
        let mut last: Option<&StoredRow> = None;
        for row in &rows {
            let (_, event) = Event::from_json(&row.event).map_err(|error| corrupt(error.to_string()))?;
            if event.time >= self.before || is_of_held(&held, &row.tenant, &row.object) {
                break;
            }
            last = Some(row);
        }
        let Some(last) = last else { return Ok(0) };
        let hash = Digest::from_bytes(&last.hash)
            .ok_or_else(|| corrupt(format!("the digest of audit row {} cannot be read", last.sequence)))?;
        let anchor = Checkpoint::sign(&self.key, CheckpointKind::Anchor, last.sequence, hash, self.now);
        // Milestones on the way that went say nothing any more; the head is never among them, since it is renewed below.
        sqlx::query("DELETE FROM audit_checkpoints WHERE sequence <= $1 AND kind <> $2")
            .bind(to_i64(last.sequence))
            .bind(CheckpointKind::Head.as_str())
            .execute(&mut *step.connection)
            .await?;
        insert_checkpoint(step.connection, &anchor).await?;
        sqlx::query("DELETE FROM audit WHERE sequence <= $1")
            .bind(to_i64(last.sequence))
            .execute(&mut *step.connection)
            .await?;
        let n_rows = last.sequence - after;
        let event = Event::done(self.now, "", Actor::system("retention"), Action::AuditPrune, String::new());
        step.audit.push(
            event
                .with("rows", n_rows.to_string())
                .with("last_row", last.sequence.to_string())
                .with("last_sha256", hash.to_string()),
        );
        Ok(n_rows)
    }
}

/// The sessions under a legal hold, each as tenant and object.
async fn held_objects(connection: &mut Connection) -> Result<HashSet<(String, String)>, Refusal> {
    let held: Vec<(String, String)> =
        sqlx::query_as("SELECT tenant, id FROM sessions WHERE is_held = 1").fetch_all(connection).await?;
    Ok(held.into_iter().map(|(tenant, id)| (tenant, format!("sessions/{id}"))).collect())
}

/// Whether an object is a session under a legal hold, or part of one.
fn is_of_held(held: &HashSet<(String, String)>, tenant: &str, object: &str) -> bool {
    let session = object.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
    held.contains(&(tenant.to_owned(), session))
}
