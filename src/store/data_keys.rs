//! Keys of sessions, wrapped: operations and reads.

use crate::keys::WrappedKey;
use crate::service::ports::{DataKeyOwner, DataKeyStore, DataKeyTable, StoreError, StoredDataKey};
use crate::session::{CandidateId, SessionName};

use super::Connection;
use super::failure::Refusal;
use super::journal::corrupt;
use super::operation::{Operation, Step};
use super::read::find;
use super::row::{session_id, tenant_id, to_u64};
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

    async fn data_keys_not_of(
        &self,
        table: DataKeyTable,
        key_id: &str,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredDataKey>, StoreError> {
        let key_id = key_id.to_owned();
        self.read("listing wrapped keys", move |snapshot| {
            Box::pin(async move { not_of(snapshot, table, &key_id, after, limit).await })
        })
        .await
    }

    async fn renew_data_keys(
        &self,
        table: DataKeyTable,
        renewed: Vec<(i64, WrappedKey, WrappedKey)>,
    ) -> Result<u64, StoreError> {
        self.writer.apply(RenewDataKeys { table, renewed }).await
    }

    async fn count_data_keys(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.read("counting the keys of sessions", |snapshot| {
            Box::pin(async move {
                let counts: Vec<(String, i64)> =
                    sqlx::query_as(
                        "SELECT key_id, count(*) FROM (SELECT key_id FROM data_keys UNION ALL SELECT key_id FROM candidates) \
                         AS wrapped_keys GROUP BY key_id ORDER BY key_id",
                    )
                    .fetch_all(snapshot)
                    .await?;
                let count = |(key_id, count)| Ok((key_id, to_u64(count, "count of data_keys")?));
                Ok(counts.into_iter().map(count).collect::<Result<_, StoreError>>()?)
            })
        })
        .await
    }
}

async fn stored(connection: &mut Connection, key: i64) -> Result<Option<WrappedKey>, Refusal> {
    let row: Option<(String, Vec<u8>)> = sqlx::query_as("SELECT key_id, wrapped FROM data_keys WHERE session_key = $1")
        .bind(key)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(key_id, bytes)| WrappedKey { key_id, bytes }))
}

async fn not_of(
    connection: &mut Connection,
    table: DataKeyTable,
    key_id: &str,
    after: i64,
    limit: u32,
) -> Result<Vec<StoredDataKey>, Refusal> {
    let select = match table {
        DataKeyTable::Sessions => {
            "SELECT data_keys.session_key, sessions.tenant, sessions.id, data_keys.key_id, data_keys.wrapped FROM data_keys \
             JOIN sessions ON sessions.key = data_keys.session_key \
             WHERE data_keys.key_id <> $1 AND data_keys.session_key > $2 ORDER BY data_keys.session_key LIMIT $3"
        }
        DataKeyTable::Candidates => {
            "SELECT key, tenant, id, key_id, wrapped FROM candidates WHERE key_id <> $1 AND key > $2 ORDER BY key LIMIT $3"
        }
    };
    let rows: Vec<(i64, String, String, String, Vec<u8>)> =
        sqlx::query_as(select).bind(key_id).bind(after).bind(i64::from(limit)).fetch_all(connection).await?;
    let stored = |(row, tenant, id, key_id, bytes): (i64, String, String, String, Vec<u8>)| {
        let tenant = tenant_id(&tenant)?;
        let owner = match table {
            DataKeyTable::Sessions => DataKeyOwner::Session(SessionName { tenant, id: session_id(&id)? }),
            DataKeyTable::Candidates => {
                let id = CandidateId::new(&id).map_err(|error| corrupt(error.to_string()))?;
                DataKeyOwner::Candidate(tenant, id)
            }
        };
        Ok(StoredDataKey { row, owner, key: WrappedKey { key_id, bytes } })
    };
    Ok(rows.into_iter().map(stored).collect::<Result<_, StoreError>>()?)
}

/// Replaces keys. The old ones are erased: whoever has the old master key is to find nothing that it opens.
struct RenewDataKeys {
    table: DataKeyTable,
    renewed: Vec<(i64, WrappedKey, WrappedKey)>,
}

#[async_trait::async_trait]
impl Operation for RenewDataKeys {
    type Output = u64;
    const DOING: &'static str = "renewing wrapped keys";
    const ERASES: bool = true;

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let update = match self.table {
            DataKeyTable::Sessions => {
                "UPDATE data_keys SET key_id = $1, wrapped = $2 WHERE session_key = $3 AND key_id = $4 AND wrapped = $5"
            }
            DataKeyTable::Candidates => {
                "UPDATE candidates SET key_id = $1, wrapped = $2 WHERE key = $3 AND key_id = $4 AND wrapped = $5"
            }
        };
        let mut n_renewed = 0;
        for (row, old, new) in &self.renewed {
            let updated = sqlx::query(update)
                .bind(&new.key_id)
                .bind(new.bytes.as_slice())
                .bind(row)
                .bind(&old.key_id)
                .bind(old.bytes.as_slice())
                .execute(&mut *step.connection)
                .await?;
            n_renewed += updated.rows_affected();
        }
        Ok(n_renewed)
    }
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
