//! The port through which use cases read the audit log.

use crate::audit::{Broken, Event, Summary};
use crate::keys::VerifyingKey;
use crate::service::ports::{AuditRecords, StoreError};
use crate::session::TenantId;

use super::audit_log;
use super::failure::Refusal;
use super::journal::corrupt;
use super::row::to_i64;
use super::sql::Sql;
use super::sql_store::SqlStore;

#[async_trait::async_trait]
impl AuditRecords for SqlStore {
    async fn audit_entries(
        &self,
        tenant: &TenantId,
        object: Option<&str>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, Event)>, StoreError> {
        let mut sql = Sql::new("SELECT event FROM audit WHERE tenant = ");
        sql.bind(tenant.as_str().to_owned());
        if let Some(object) = object {
            sql.push(" AND object = ").bind(object.to_owned());
        }
        if let Some(before) = before {
            sql.push(" AND sequence < ").bind(to_i64(before));
        }
        sql.push(" ORDER BY sequence DESC LIMIT ").bind(i64::from(limit));
        self.read("reading the audit log", |snapshot| {
            Box::pin(async move {
                let rows: Vec<(String,)> = sql.fetch_all(snapshot).await?;
                let event = |(json,): &(String,)| Event::from_json(json).map_err(|error| corrupt(error.to_string()));
                Ok::<_, Refusal>(rows.iter().map(event).collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    async fn verify_audit(&self, keys: &[VerifyingKey]) -> Result<Result<Summary, Broken>, StoreError> {
        let keys = keys.to_vec();
        self.read("checking the audit log", |snapshot| {
            Box::pin(async move { audit_log::verify(snapshot, &keys).await })
        })
        .await
    }
}
