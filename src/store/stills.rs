//! Rows of stills: operations and reads.

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sqlx::FromRow;

use crate::audit::{Action, Actor, Digest, Event};
use crate::media::MediaTime;
use crate::service::ports::{FileDigest, StillRow, StillStore, StoreError, StoredStill};
use crate::session::{GapCause, SessionName, StillGap, StillSubject};

use super::Connection;
use super::failure::Refusal;
use super::journal::corrupt;
use super::operation::{Operation, Step};
use super::read::find;
use super::row::{participant_id, time_text, timestamp, to_i64, to_u64};
use super::sql::Sql;
use super::sql_store::SqlStore;
use super::write::session_object;

#[async_trait::async_trait]
impl StillStore for SqlStore {
    async fn database_id(&self) -> Result<String, StoreError> {
        self.writer.apply(MakeDatabaseId).await
    }

    async fn stills(&self, name: &SessionName) -> Result<Vec<StoredStill>, StoreError> {
        let name = name.clone();
        self.read("reading stills", |snapshot| {
            Box::pin(async move {
                let (key, _journal_len) = find(snapshot, &name).await?;
                rows(snapshot, key).await
            })
        })
        .await
    }

    async fn still_gaps(&self, name: &SessionName) -> Result<Vec<StillGap>, StoreError> {
        let name = name.clone();
        self.read("reading gaps of stills", |snapshot| Box::pin(async move { gaps(snapshot, &name).await })).await
    }

    async fn named(&self, files: &[FileDigest]) -> Result<HashSet<FileDigest>, StoreError> {
        let files = files.to_vec();
        self.read("looking for the rows of files", |snapshot| Box::pin(async move { named(snapshot, files).await }))
            .await
    }

    async fn erased(&self, limit: u32) -> Result<Vec<FileDigest>, StoreError> {
        self.read("listing files of deleted stills", move |snapshot| {
            Box::pin(async move {
                let files: Vec<String> = sqlx::query_scalar("SELECT file FROM erased_files ORDER BY file LIMIT $1")
                    .bind(i64::from(limit))
                    .fetch_all(snapshot)
                    .await?;
                Ok(files.iter().map(|file| digest(file)).collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    async fn forget_erased(&self, files: Vec<FileDigest>) -> Result<(), StoreError> {
        self.writer.apply(ForgetErased { files }).await
    }

    async fn expire_stills(&self, kept_before: Timestamp, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.writer.apply(ExpireStills { kept_before, now, limit }).await
    }
}

/// Adds the stills of a step; one whose file has a row already is of a step whose answer was lost.
pub(super) async fn insert(connection: &mut Connection, key: i64, stills: &[StillRow]) -> Result<(), Refusal> {
    if stills.is_empty() {
        return Ok(());
    }
    let last: Option<i64> = sqlx::query_scalar("SELECT max(ordinal) FROM stills WHERE session_key = $1")
        .bind(key)
        .fetch_one(&mut *connection)
        .await?;
    for (ordinal, still) in (last.unwrap_or(0) + 1..).zip(stills) {
        sqlx::query(
            "INSERT INTO stills (session_key, ordinal, participant_id, segment, media_nanos, keep_time, still_key, facts, \
             file, n_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
        )
        .bind(key)
        .bind(ordinal)
        .bind(still.participant_id.as_str())
        .bind(segment_of(still.shows))
        .bind(still.media_time.as_nanos())
        .bind(time_text(still.keep_time))
        .bind(still.key.as_slice())
        .bind(still.facts.as_slice())
        .bind(still.file.to_string())
        .bind(to_i64(still.n_bytes))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Notes what has no still; the latest cause counts.
pub(super) async fn insert_gaps(connection: &mut Connection, key: i64, gaps: &[StillGap]) -> Result<(), Refusal> {
    for gap in gaps {
        upsert_gap(connection, key, gap.participant_id.as_str(), segment_of(gap.shows), gap.cause).await?;
    }
    Ok(())
}

/// What of a session's stills goes away with some rows.
pub(super) struct Erased {
    n_stills: usize,
    sha256: Digest,
}

impl Erased {
    /// The event with how many stills there were and the digest of their sealed files' digests.
    pub(super) fn told_in(&self, event: Event) -> Event {
        event.with("stills", self.n_stills.to_string()).with("stills_sha256", self.sha256.to_string())
    }
}

/// Remembers the files of a session's stills that were kept before some time, or of all, to be removed; their rows are next.
pub(super) async fn erase_files(
    connection: &mut Connection,
    key: i64,
    kept_before: Option<Timestamp>,
) -> Result<Erased, Refusal> {
    // Later than any time that is stored.
    let before = kept_before.map_or_else(|| ":".to_owned(), time_text);
    let files: Vec<String> =
        sqlx::query_scalar("SELECT file FROM stills WHERE session_key = $1 AND keep_time < $2 ORDER BY ordinal")
            .bind(key)
            .bind(&before)
            .fetch_all(&mut *connection)
            .await?;
    let mut sha256 = Sha256::new();
    for file in &files {
        sha256.update(digest(file)?.0);
        sqlx::query("INSERT INTO erased_files (file) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(file)
            .execute(&mut *connection)
            .await?;
    }
    Ok(Erased { n_stills: files.len(), sha256: Digest(sha256.finalize().into()) })
}

async fn rows(connection: &mut Connection, key: i64) -> Result<Vec<StoredStill>, Refusal> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ordinal, participant_id, segment, media_nanos, keep_time, still_key, facts, file, n_bytes FROM stills \
         WHERE session_key = $1 ORDER BY ordinal",
    )
    .bind(key)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(StoredStill::try_from).collect::<Result<_, _>>()?)
}

async fn gaps(connection: &mut Connection, name: &SessionName) -> Result<Vec<StillGap>, Refusal> {
    let (key, _journal_len) = find(connection, name).await?;
    let rows: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT participant_id, segment, cause FROM still_gaps WHERE session_key = $1 ORDER BY participant_id, segment",
    )
    .bind(key)
    .fetch_all(connection)
    .await?;
    let gap = |(participant, segment, cause): (String, i64, String)| {
        Ok(StillGap {
            participant_id: participant_id(&participant)?,
            shows: subject(segment)?,
            cause: GapCause::from_name(&cause).ok_or_else(|| corrupt("stored cause of a gap is not known"))?,
        })
    };
    Ok(rows.into_iter().map(gap).collect::<Result<_, StoreError>>()?)
}

async fn named(connection: &mut Connection, files: Vec<FileDigest>) -> Result<HashSet<FileDigest>, Refusal> {
    if files.is_empty() {
        return Ok(HashSet::new());
    }
    let mut sql = Sql::new("SELECT file FROM stills WHERE file IN ");
    sql.bind_all(files.iter().map(ToString::to_string));
    let found: Vec<(String,)> = sql.fetch_all(connection).await?;
    Ok(found.iter().map(|(file,)| digest(file)).collect::<Result<_, _>>()?)
}

async fn upsert_gap(
    connection: &mut Connection,
    key: i64,
    participant: &str,
    segment: i64,
    cause: GapCause,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO still_gaps (session_key, participant_id, segment, cause) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (session_key, participant_id, segment) DO UPDATE SET cause = excluded.cause",
    )
    .bind(key)
    .bind(participant)
    .bind(segment)
    .bind(cause.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Gives the database an id unless it has one.
struct MakeDatabaseId;

#[async_trait::async_trait]
impl Operation for MakeDatabaseId {
    type Output = String;
    const DOING: &'static str = "naming the database";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<String, Refusal> {
        let id = format!("{:032x}", rand::random::<u128>());
        sqlx::query("INSERT INTO database_id (only_one, id) VALUES (1, $1) ON CONFLICT DO NOTHING")
            .bind(id)
            .execute(&mut *step.connection)
            .await?;
        Ok(sqlx::query_scalar("SELECT id FROM database_id").fetch_one(&mut *step.connection).await?)
    }
}

/// Forgets files that are removed.
struct ForgetErased {
    files: Vec<FileDigest>,
}

#[async_trait::async_trait]
impl Operation for ForgetErased {
    type Output = ();
    const DOING: &'static str = "forgetting removed files";
    const ERASES: bool = true;

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        for file in &self.files {
            sqlx::query("DELETE FROM erased_files WHERE file = $1")
                .bind(file.to_string())
                .execute(&mut *step.connection)
                .await?;
        }
        Ok(())
    }
}

/// Deletes stills whose time is over.
struct ExpireStills {
    kept_before: Timestamp,
    now: Timestamp,
    limit: u32,
}

#[async_trait::async_trait]
impl Operation for ExpireStills {
    type Output = u64;
    const DOING: &'static str = "deleting expired stills";
    const ERASES: bool = true;

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let before = time_text(self.kept_before);
        let sessions: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT DISTINCT sessions.key, sessions.tenant, sessions.id FROM stills \
             JOIN sessions ON sessions.key = stills.session_key \
             WHERE stills.keep_time < $1 AND sessions.is_held = 0 ORDER BY sessions.key LIMIT $2",
        )
        .bind(&before)
        .bind(i64::from(self.limit))
        .fetch_all(&mut *step.connection)
        .await?;
        for (key, tenant, id) in &sessions {
            let erased = erase_files(step.connection, *key, Some(self.kept_before)).await?;
            let subjects: Vec<(String, i64)> = sqlx::query_as(
                "DELETE FROM stills WHERE session_key = $1 AND keep_time < $2 RETURNING participant_id, segment",
            )
            .bind(key)
            .bind(&before)
            .fetch_all(&mut *step.connection)
            .await?;
            for (participant, segment) in subjects.into_iter().collect::<BTreeSet<_>>() {
                upsert_gap(step.connection, *key, &participant, segment, GapCause::Expired).await?;
            }
            let (actor, object) = (Actor::system("retention"), session_object(id));
            let event = Event::done(self.now, tenant, actor, Action::EvidenceExpire, object);
            step.audit.push(erased.told_in(event));
        }
        Ok(sessions.len() as u64)
    }
}

#[derive(FromRow)]
struct Row {
    ordinal: i64,
    participant_id: String,
    segment: i64,
    media_nanos: i64,
    keep_time: String,
    still_key: Vec<u8>,
    facts: Vec<u8>,
    file: String,
    n_bytes: i64,
}

impl TryFrom<Row> for StoredStill {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            ordinal: u32::try_from(row.ordinal).map_err(|_error| corrupt("still ordinal is out of range"))?,
            row: StillRow {
                participant_id: participant_id(&row.participant_id)?,
                shows: subject(row.segment)?,
                media_time: MediaTime::from_nanos(row.media_nanos),
                keep_time: timestamp(&row.keep_time)?,
                key: row.still_key,
                facts: row.facts,
                file: digest(&row.file)?,
                n_bytes: to_u64(row.n_bytes, "stills.n_bytes")?,
            },
        })
    }
}

/// Ordinals of segments begin with 1.
fn segment_of(shows: StillSubject) -> i64 {
    match shows {
        StillSubject::Enrolment => 0,
        StillSubject::Segment(ordinal) => i64::from(ordinal),
    }
}

fn subject(segment: i64) -> Result<StillSubject, StoreError> {
    let ordinal = u32::try_from(segment).map_err(|_error| corrupt("segment of a still is out of range"))?;
    Ok(if ordinal == 0 { StillSubject::Enrolment } else { StillSubject::Segment(ordinal) })
}

fn digest(file: &str) -> Result<FileDigest, StoreError> {
    FileDigest::from_hex(file).ok_or_else(|| corrupt("stored name of a file is no digest"))
}
