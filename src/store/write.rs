//! Everything that changes the database, one [`Operation`] each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::scoring::{Level, Score};
use crate::service::ports::{SessionCommit, SessionPatch, SessionRecord, StoreError};
use crate::session::{ParticipantId, Segment, SegmentState, SessionId};

use super::failure::Refusal;
use super::journal::{self, Chunk};
use super::operation::Operation;
use super::read;
use super::row::{time_text, to_i64, worst};
use super::score_json::{encode_score, encode_signals, level};

/// Adds a session.
pub(super) struct Create {
    pub(super) record: SessionRecord,
    pub(super) request_id: Option<String>,
}

#[async_trait::async_trait]
impl Operation for Create {
    type Output = SessionRecord;
    const DOING: &'static str = "creating a session";

    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<SessionRecord, Refusal> {
        if let Some(request_id) = &self.request_id
            && let Some(existing) = read::session_of_request(connection, request_id).await?
        {
            return Ok(existing);
        }
        let record = &self.record;
        let inserted: Option<i64> = sqlx::query_scalar(
            "INSERT INTO sessions (id, display_name, external_ref, consent_reference, policy, create_time, end_time, \
             expire_time, revision, resume_secret, request_id, journal_len, level) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (id) DO NOTHING RETURNING key",
        )
        .bind(record.id.as_str())
        .bind(&record.display_name)
        .bind(&record.external_ref)
        .bind(&record.consent_reference)
        .bind(&record.policy)
        .bind(time_text(record.create_time))
        .bind(record.end_time.map(time_text))
        .bind(record.expire_time.map(time_text))
        .bind(to_i64(record.revision))
        .bind(&record.resume_secret)
        .bind(&self.request_id)
        .bind(record.level().as_str())
        .fetch_optional(&mut *connection)
        .await?;
        let key = inserted.ok_or_else(|| StoreError::AlreadyExists { id: record.id.clone() })?;
        insert_labels(connection, key, &record.labels).await?;
        for participant in &record.participants {
            upsert_participant(connection, key, &participant.participant_id, &participant.score, 0).await?;
        }
        read::session(connection, &record.id).await
    }
}

/// Changes fields of a session.
pub(super) struct Update {
    pub(super) id: SessionId,
    pub(super) patch: SessionPatch,
    pub(super) expected_revision: Option<u64>,
}

#[async_trait::async_trait]
impl Operation for Update {
    type Output = SessionRecord;
    const DOING: &'static str = "changing a session";

    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<SessionRecord, Refusal> {
        let key = find_revision(connection, &self.id, self.expected_revision).await?;
        let SessionPatch { display_name, external_ref, labels, expire_time } = &self.patch;
        sqlx::query(
            "UPDATE sessions SET revision = revision + 1, display_name = coalesce(?, display_name), \
             external_ref = coalesce(?, external_ref), expire_time = iif(?, ?, expire_time) WHERE key = ?",
        )
        .bind(display_name)
        .bind(external_ref)
        .bind(expire_time.is_some())
        .bind(expire_time.flatten().map(time_text))
        .bind(key)
        .execute(&mut *connection)
        .await?;
        if let Some(labels) = labels {
            sqlx::query("DELETE FROM labels WHERE session_key = ?").bind(key).execute(&mut *connection).await?;
            insert_labels(connection, key, labels).await?;
        }
        read::session(connection, &self.id).await
    }
}

/// Deletes a session with all that hangs on it.
pub(super) struct Delete {
    pub(super) id: SessionId,
    pub(super) expected_revision: Option<u64>,
}

#[async_trait::async_trait]
impl Operation for Delete {
    type Output = ();
    const DOING: &'static str = "deleting a session";
    const ERASES: bool = true;

    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<(), Refusal> {
        let key = find_revision(connection, &self.id, self.expected_revision).await?;
        sqlx::query("DELETE FROM sessions WHERE key = ?").bind(key).execute(connection).await?;
        Ok(())
    }
}

/// Deletes sessions whose time has come.
pub(super) struct DeleteExpired {
    pub(super) now: Timestamp,
    pub(super) limit: u32,
}

#[async_trait::async_trait]
impl Operation for DeleteExpired {
    type Output = u64;
    const DOING: &'static str = "deleting expired sessions";
    const ERASES: bool = true;

    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<u64, Refusal> {
        let deleted = sqlx::query(
            "DELETE FROM sessions WHERE key IN \
             (SELECT key FROM sessions WHERE expire_time < ? ORDER BY expire_time LIMIT ?)",
        )
        .bind(time_text(self.now))
        .bind(i64::from(self.limit))
        .execute(connection)
        .await?;
        Ok(deleted.rows_affected())
    }
}

/// Shows that the database can be written.
pub(super) struct Ping;

#[async_trait::async_trait]
impl Operation for Ping {
    type Output = ();
    const DOING: &'static str = "checking that the store can write";

    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<(), Refusal> {
        sqlx::query("UPDATE pings SET n_pings = n_pings + 1").execute(connection).await?;
        Ok(())
    }
}

/// Adds one step of a session. Encoded by the caller, so that the writer only writes.
pub(super) struct Commit {
    id: SessionId,
    expected_journal_len: u64,
    n_entries: u64,
    chunks: Vec<Chunk>,
    scores: Vec<(ParticipantId, Score, String)>,
    segments: Vec<(Segment, String)>,
    end_time: Option<Timestamp>,
}

impl Commit {
    /// Encodes a step.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for an entry that is larger than a chunk may be.
    pub(super) fn encode(commit: SessionCommit) -> Result<Self, StoreError> {
        let SessionCommit { id, expected_journal_len, journal, scores, segments, end_time } = commit;
        let with_json = |(participant, score): (ParticipantId, Score)| {
            let json = encode_score(&score)?;
            Ok((participant, score, json))
        };
        let with_signals = |segment: Segment| {
            let json = encode_signals(&segment.signals)?;
            Ok((segment, json))
        };
        Ok(Self {
            id,
            expected_journal_len,
            n_entries: journal.len() as u64,
            chunks: journal::encode(&journal)?,
            scores: scores.into_iter().map(with_json).collect::<Result<_, StoreError>>()?,
            segments: segments.into_iter().map(with_signals).collect::<Result<_, StoreError>>()?,
            end_time,
        })
    }
}

#[async_trait::async_trait]
impl Operation for Commit {
    type Output = ();
    const DOING: &'static str = "storing a step of a session";

    async fn apply(&mut self, connection: &mut SqliteConnection) -> Result<(), Refusal> {
        let key = self.advance(connection).await?;
        let mut first_entry = self.expected_journal_len;
        for Chunk { n_entries, bytes } in &self.chunks {
            sqlx::query("INSERT INTO journal (session_key, first_entry, n_entries, chunk) VALUES (?, ?, ?, ?)")
                .bind(key)
                .bind(to_i64(first_entry))
                .bind(to_i64(*n_entries))
                .bind(bytes.as_slice())
                .execute(&mut *connection)
                .await?;
            first_entry += n_entries;
        }
        if !self.scores.is_empty() {
            self.insert_scores(connection, key).await?;
        }
        for (segment, signals) in &self.segments {
            upsert_segment(connection, key, segment, signals).await?;
        }
        Ok(())
    }
}

impl Commit {
    /// The fence: moves the journal's end on, if it is where the writer believes it is. Gives back the session's key.
    async fn advance(&self, connection: &mut SqliteConnection) -> Result<i64, Refusal> {
        let key: Option<i64> = sqlx::query_scalar(
            "UPDATE sessions SET journal_len = journal_len + ?, end_time = coalesce(?, end_time) \
             WHERE id = ? AND journal_len = ? RETURNING key",
        )
        .bind(to_i64(self.n_entries))
        .bind(self.end_time.map(time_text))
        .bind(self.id.as_str())
        .bind(to_i64(self.expected_journal_len))
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(key) = key {
            return Ok(key);
        }
        let (_key, _journal_len) = read::find(connection, &self.id).await?;
        Err(StoreError::Stale { id: self.id.clone() }.into())
    }

    async fn insert_scores(&self, connection: &mut SqliteConnection, key: i64) -> Result<(), Refusal> {
        let mut latest: BTreeMap<&ParticipantId, (i64, &Score)> = BTreeMap::new();
        for (participant, score, json) in &self.scores {
            let ordinal = match latest.get(participant) {
                Some((n_windows, _)) => *n_windows,
                None => n_windows(connection, key, participant).await?,
            };
            sqlx::query("INSERT INTO score_windows (session_key, participant_id, ordinal, score) VALUES (?, ?, ?, ?)")
                .bind(key)
                .bind(participant.as_str())
                .bind(ordinal)
                .bind(json)
                .execute(&mut *connection)
                .await?;
            latest.insert(participant, (ordinal + 1, score));
        }
        for (participant, (n_windows, score)) in latest {
            upsert_participant(connection, key, participant, score, n_windows).await?;
        }
        let names: Vec<String> = sqlx::query_scalar("SELECT level FROM participants WHERE session_key = ?")
            .bind(key)
            .fetch_all(&mut *connection)
            .await?;
        let levels = names.iter().map(|name| level(name)).collect::<Result<Vec<Level>, _>>()?;
        sqlx::query("UPDATE sessions SET level = ? WHERE key = ?")
            .bind(worst(levels).as_str())
            .bind(key)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// The key of a session whose revision is the expected one, if one is expected.
async fn find_revision(
    connection: &mut SqliteConnection,
    id: &SessionId,
    expected_revision: Option<u64>,
) -> Result<i64, Refusal> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT key, revision FROM sessions WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    let (key, revision) = row.ok_or_else(|| StoreError::NotFound { id: id.clone() })?;
    if expected_revision.is_some_and(|expected| to_i64(expected) != revision) {
        return Err(StoreError::Stale { id: id.clone() }.into());
    }
    Ok(key)
}

async fn insert_labels(
    connection: &mut SqliteConnection,
    key: i64,
    labels: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    for (name, value) in labels {
        sqlx::query("INSERT INTO labels (session_key, name, value) VALUES (?, ?, ?)")
            .bind(key)
            .bind(name)
            .bind(value)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn n_windows(connection: &mut SqliteConnection, key: i64, participant: &ParticipantId) -> Result<i64, Refusal> {
    let stored: Option<i64> =
        sqlx::query_scalar("SELECT n_windows FROM participants WHERE session_key = ? AND participant_id = ?")
            .bind(key)
            .bind(participant.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(stored.unwrap_or(0))
}

async fn upsert_participant(
    connection: &mut SqliteConnection,
    key: i64,
    participant: &ParticipantId,
    score: &Score,
    n_windows: i64,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO participants (session_key, participant_id, level, n_windows, score) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT (session_key, participant_id) DO UPDATE SET level = excluded.level, \
         n_windows = excluded.n_windows, score = excluded.score",
    )
    .bind(key)
    .bind(participant.as_str())
    .bind(score.level.as_str())
    .bind(n_windows)
    .bind(encode_score(score)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn upsert_segment(
    connection: &mut SqliteConnection,
    key: i64,
    segment: &Segment,
    signals: &str,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO segments (session_key, ordinal, participant_id, start_nanos, end_nanos, level, is_open, signals) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session_key, ordinal) DO UPDATE SET \
         participant_id = excluded.participant_id, start_nanos = excluded.start_nanos, end_nanos = excluded.end_nanos, \
         level = excluded.level, is_open = excluded.is_open, signals = excluded.signals",
    )
    .bind(key)
    .bind(i64::from(segment.ordinal))
    .bind(segment.participant_id.as_str())
    .bind(segment.start.as_nanos())
    .bind(segment.end.as_nanos())
    .bind(segment.level.as_str())
    .bind(matches!(segment.state, SegmentState::Open))
    .bind(signals)
    .execute(connection)
    .await?;
    Ok(())
}
