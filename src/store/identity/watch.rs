//! The watch list.

use crate::audit::Event;
use crate::service::ports::{FaceName, Page, PageRequest, StoreError, WatchRecord};
use crate::session::TenantId;
use crate::store::Connection;
use crate::store::failure::Refusal;
use crate::store::journal::corrupt;
use crate::store::operation::{Operation, Step};
use crate::store::page_token::Listing;
use crate::store::row::{time_text, timestamp};

use super::{face, page_size};

/// Puts a face on the list.
pub(super) struct Watch {
    pub(super) tenant: TenantId,
    pub(super) face: FaceName,
    pub(super) note: String,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Watch {
    type Output = ();
    const DOING: &'static str = "putting a face on the watch list";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let face_key = face::require(step.connection, &self.tenant, &self.face).await?;
        sqlx::query(
            "INSERT INTO watched_faces (face_key, tenant, note, watched_by, watch_time) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (face_key) DO UPDATE SET note = excluded.note, watched_by = excluded.watched_by, \
             watch_time = excluded.watch_time",
        )
        .bind(face_key)
        .bind(self.tenant.as_str())
        .bind(&self.note)
        .bind(self.audit.actor.to_string())
        .bind(time_text(self.audit.time))
        .execute(&mut *step.connection)
        .await?;
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// Takes a face off it.
pub(super) struct Unwatch {
    pub(super) tenant: TenantId,
    pub(super) face: FaceName,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Unwatch {
    type Output = ();
    const DOING: &'static str = "taking a face off the watch list";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let face_key = face::require(step.connection, &self.tenant, &self.face).await?;
        let gone = sqlx::query("DELETE FROM watched_faces WHERE face_key = $1")
            .bind(face_key)
            .execute(&mut *step.connection)
            .await?;
        if gone.rows_affected() == 0 {
            return Err(StoreError::NoSuch { what: format!("{} on the watch list", self.face) }.into());
        }
        step.audit.push(self.audit.clone());
        Ok(())
    }
}

/// One page, newest first.
pub(super) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    page: &PageRequest,
) -> Result<Page<WatchRecord>, Refusal> {
    let listing = || Listing::new("watched faces").with(tenant.as_str());
    let before: i64 = match page.token.as_deref() {
        None => i64::MAX,
        Some(token) => listing().cursor(token)?.parse().map_err(|_error| StoreError::BadPageToken)?,
    };
    let size = page_size(page);
    let mut rows: Vec<(i64, String, String, String)> = sqlx::query_as(
        "SELECT face_key, note, watched_by, watch_time FROM watched_faces WHERE tenant = $1 AND face_key < $2 \
         ORDER BY face_key DESC LIMIT $3",
    )
    .bind(tenant.as_str())
    .bind(before)
    .bind(i64::from(size) + 1)
    .fetch_all(&mut *connection)
    .await?;
    let has_more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next_page_token = rows.last().filter(|_| has_more).map(|(key, ..)| listing().token(&key.to_string()));
    if rows.is_empty() {
        return Ok(Page { items: Vec::new(), next_page_token });
    }
    let mut faces = face::of_keys(connection, rows.iter().map(|(key, ..)| *key)).await?;
    let record = |(key, note, by, time): (i64, String, String, String)| {
        let face = faces.remove(&key).ok_or_else(|| corrupt("stored watch entry has no face"))?;
        Ok(WatchRecord { face, note, by, time: timestamp(&time)? })
    };
    Ok(Page { items: rows.into_iter().map(record).collect::<Result<_, StoreError>>()?, next_page_token })
}
