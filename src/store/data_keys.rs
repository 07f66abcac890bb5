//! Keys of sessions, wrapped: operations and reads.

use crate::keys::WrappedKey;
use crate::service::ports::{DataKeyStore, StoreError};
use crate::session::SessionName;

use super::Connection;
use super::failure::Refusal;
use super::operation::{Operation, Step};
use super::read::find;
use super::sql_store::SqlStore;

#[async_trait::async_trait]
impl DataKeyStore for SqlStore {
    async fn data_key(&self, name: &SessionName) -> Result<Option<WrappedKey>, StoreError> {
        let name = name.clone();
        self.read("reading a session's key", |snapshot| {
            Box::pin(async move {
                let (key, _journal_len) = find(snapshot, &name).await?;
                stored(snapshot, key).await
            })
        })
        .await
    }

    async fn keep_data_key(&self, name: &SessionName, key: WrappedKey) -> Result<WrappedKey, StoreError> {
        self.writer.apply(KeepDataKey { name: name.clone(), key }).await
    }
}

async fn stored(connection: &mut Connection, key: i64) -> Result<Option<WrappedKey>, Refusal> {
    let row: Option<(String, Vec<u8>)> = sqlx::query_as("SELECT key_id, wrapped FROM data_keys WHERE session_key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(key_id, bytes)| WrappedKey { key_id, bytes }))
}

/// Keeps a key unless there is one.
struct KeepDataKey {
    name: SessionName,
    key: WrappedKey,
}

#[async_trait::async_trait]
impl Operation for KeepDataKey {
    type Output = WrappedKey;
    const DOING: &'static str = "storing a session's key";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<WrappedKey, Refusal> {
        let (key, _journal_len) = find(step.connection, &self.name).await?;
        sqlx::query("INSERT INTO data_keys (session_key, key_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(key)
            .bind(&self.key.key_id)
            .bind(self.key.bytes.as_slice())
            .execute(&mut *step.connection)
            .await?;
        let kept = stored(step.connection, key).await?;
        Ok(kept.ok_or_else(|| StoreError::NotFound { id: self.name.clone() })?)
    }
}
