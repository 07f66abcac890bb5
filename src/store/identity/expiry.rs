//! Templates and references whose time is past.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::audit::{Action, Actor, Event};
use crate::service::ports::TemplateState;
use crate::store::Connection;
use crate::store::failure::Refusal;
use crate::store::operation::{Operation, Step};
use crate::store::row::time_text;

use super::candidates::bury;

/// Changes of templates that are remembered, for those who keep up with them.
const MAX_CHANGES: i64 = 20_000;

/// Deletes what is past its time.
pub(super) struct DeleteExpiredTemplates {
    pub(super) now: Timestamp,
    pub(super) limit: u32,
}

#[async_trait::async_trait]
impl Operation for DeleteExpiredTemplates {
    type Output = u64;
    const DOING: &'static str = "deleting expired templates";
    const ERASES: bool = true;

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let n_templates = self.delete_templates(step).await?;
        let n_references = self.delete_references(step).await?;
        forget_changes(step.connection).await?;
        Ok(n_templates + n_references)
    }
}

impl DeleteExpiredTemplates {
    async fn delete_templates(&self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let expired: Vec<(i64, String, i64)> = sqlx::query_as(
            "SELECT t.key, t.tenant, s.key FROM templates t JOIN faces f ON f.key = t.face_key \
             JOIN sessions s ON s.key = f.session_key WHERE t.expire_time < $1 AND s.is_held = 0 \
             ORDER BY t.expire_time LIMIT $2",
        )
        .bind(time_text(self.now))
        .bind(i64::from(self.limit))
        .fetch_all(&mut *step.connection)
        .await?;
        let mut n_by_tenant: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, tenant, _) in &expired {
            sqlx::query("DELETE FROM templates WHERE key = $1").bind(key).execute(&mut *step.connection).await?;
            *n_by_tenant.entry(tenant).or_default() += 1;
        }
        for session_key in expired.iter().map(|(_, _, session_key)| session_key).collect::<BTreeSet<_>>() {
            sqlx::query("UPDATE sessions SET template_state = $1 WHERE key = $2")
                .bind(TemplateState::Expired.as_str())
                .bind(session_key)
                .execute(&mut *step.connection)
                .await?;
        }
        for (tenant, n_templates) in n_by_tenant {
            let event = self.event(tenant, "templates".to_owned());
            step.audit.push(event.with("templates", n_templates.to_string()));
        }
        Ok(expired.len() as u64)
    }

    async fn delete_references(&self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let expired: Vec<(i64, i64, String, String, String)> = sqlx::query_as(
            "SELECT r.key, c.key, c.tenant, c.id, r.id FROM candidate_references r \
             JOIN candidates c ON c.key = r.candidate_key WHERE r.expire_time < $1 ORDER BY r.expire_time LIMIT $2",
        )
        .bind(time_text(self.now))
        .bind(i64::from(self.limit))
        .fetch_all(&mut *step.connection)
        .await?;
        for (reference_key, candidate_key, tenant, candidate, reference) in &expired {
            bury(step.connection, *reference_key, *candidate_key).await?;
            step.audit.push(self.event(tenant, format!("candidates/{candidate}/references/{reference}")));
        }
        Ok(expired.len() as u64)
    }

    fn event(&self, tenant: &str, object: String) -> Event {
        Event::done(self.now, tenant, Actor::system("retention"), Action::IdentityDelete, object)
    }
}

async fn forget_changes(connection: &mut Connection) -> Result<(), Refusal> {
    sqlx::query(
        "DELETE FROM template_changes WHERE number <= \
         (SELECT n_changes - $1 FROM template_counters c WHERE c.tenant = template_changes.tenant)",
    )
    .bind(MAX_CHANGES)
    .execute(connection)
    .await?;
    Ok(())
}
