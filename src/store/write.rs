//! Everything that changes the database, one [`Operation`] each.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::audit::{Action, Actor, Digest, Event};
use crate::scoring::{Level, Score};
use crate::service::ports::{SessionCommit, SessionPatch, SessionRecord, StillRow, StoreError};
use crate::session::{CandidateId, ParticipantId, Segment, SegmentState, SessionName, StillGap};

use super::Connection;
use super::dialect::Dialect;
use super::failure::{Refusal, other};
use super::journal::{self, Chunk};
use super::operation::{Operation, Step};
use super::read;
use super::row::{time_text, to_i64, worst};
use super::score_json::{encode_score, encode_signals, level};
use super::stills;

/// Adds a session.
pub(super) struct Create {
    pub(super) record: SessionRecord,
    pub(super) request_id: Option<String>,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Create {
    type Output = SessionRecord;
    const DOING: &'static str = "creating a session";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<SessionRecord, Refusal> {
        let Self { record, request_id, audit } = self;
        let tenant = &record.name.tenant;
        let inserted: Option<i64> = sqlx::query_scalar(
            "INSERT INTO sessions (tenant, id, display_name, external_ref, consent_reference, policy, create_time, end_time, \
             expire_time, revision, resume_secret, request_id, journal_len, level, candidate, evidence) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $15) ON CONFLICT DO NOTHING RETURNING key",
        )
        .bind(tenant.as_str())
        .bind(record.name.id.as_str())
        .bind(&record.display_name)
        .bind(&record.external_ref)
        .bind(&record.consent_reference)
        .bind(&record.policy)
        .bind(time_text(record.create_time))
        .bind(record.end_time.map(time_text))
        .bind(record.expire_time.map(time_text))
        .bind(to_i64(record.revision))
        .bind(&record.resume_secret)
        .bind(request_id.as_ref())
        .bind(record.level().as_str())
        .bind(record.candidate.as_ref().map_or("", CandidateId::as_str))
        .bind(record.evidence.as_str())
        .fetch_optional(&mut *step.connection)
        .await?;
        let Some(key) = inserted else {
            // The id or the request is taken; a repeated request is the one that may be.
            let existing = match request_id {
                Some(request_id) => read::session_of_request(step.connection, tenant, request_id).await?,
                None => None,
            };
            return existing.ok_or_else(|| StoreError::AlreadyExists { id: record.name.clone() }.into());
        };
        insert_labels(step.connection, key, &record.labels).await?;
        for participant in &record.participants {
            upsert_participant(step.connection, key, &participant.participant_id, &participant.score, 0).await?;
        }
        step.audit.push(audit.clone());
        read::session(step.connection, &record.name).await
    }
}

/// Changes fields of a session.
pub(super) struct Update {
    pub(super) name: SessionName,
    pub(super) patch: SessionPatch,
    pub(super) expected_revision: Option<u64>,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Update {
    type Output = SessionRecord;
    const DOING: &'static str = "changing a session";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<SessionRecord, Refusal> {
        let key = find_revision(step.connection, &self.name, self.expected_revision).await?;
        let SessionPatch { display_name, external_ref, candidate, labels, expire_time } = &self.patch;
        sqlx::query(
            "UPDATE sessions SET revision = revision + 1, display_name = coalesce($1, display_name), \
             external_ref = coalesce($2, external_ref), \
             expire_time = CASE WHEN $3 = 1 THEN $4 ELSE expire_time END, candidate = coalesce($5, candidate) \
             WHERE key = $6",
        )
        .bind(display_name.as_ref())
        .bind(external_ref.as_ref())
        .bind(i64::from(expire_time.is_some()))
        .bind(expire_time.flatten().map(time_text))
        .bind(candidate.as_ref().map(|candidate| candidate.as_ref().map_or("", CandidateId::as_str)))
        .bind(key)
        .execute(&mut *step.connection)
        .await?;
        if let Some(labels) = labels {
            sqlx::query("DELETE FROM labels WHERE session_key = $1").bind(key).execute(&mut *step.connection).await?;
            insert_labels(step.connection, key, labels).await?;
        }
        step.audit.push(self.audit.clone());
        read::session(step.connection, &self.name).await
    }
}

/// Deletes a session with all that hangs on it.
pub(super) struct Delete {
    pub(super) name: SessionName,
    pub(super) expected_revision: Option<u64>,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for Delete {
    type Output = ();
    const DOING: &'static str = "deleting a session";
    const ERASES: bool = true;

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let key = find_revision(step.connection, &self.name, self.expected_revision).await?;
        let is_held: i64 = sqlx::query_scalar("SELECT is_held FROM sessions WHERE key = $1")
            .bind(key)
            .fetch_one(&mut *step.connection)
            .await?;
        if is_held != 0 {
            return Err(StoreError::Held { id: self.name.clone() }.into());
        }
        let tombstone = bury(step.connection, key, self.audit.clone()).await?;
        step.audit.push(tombstone);
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

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let expired: Vec<(i64, String, String)> = sqlx::query_as(
            "SELECT key, tenant, id FROM sessions WHERE expire_time < $1 AND is_held = 0 ORDER BY expire_time LIMIT $2",
        )
        .bind(time_text(self.now))
        .bind(i64::from(self.limit))
        .fetch_all(&mut *step.connection)
        .await?;
        for (key, tenant, id) in &expired {
            let (actor, object) = (Actor::system("retention"), session_object(id));
            let event = Event::done(self.now, tenant, actor, Action::SessionExpire, object);
            let tombstone = bury(step.connection, *key, event).await?;
            step.audit.push(tombstone);
        }
        Ok(expired.len() as u64)
    }
}

/// Deletes the rows of a session; gives back its tombstone: the event with what was there, by number and digest.
async fn bury(connection: &mut Connection, key: i64, event: Event) -> Result<Event, Refusal> {
    let chunks: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT n_entries, chunk FROM journal WHERE session_key = $1 ORDER BY first_entry")
            .bind(key)
            .fetch_all(&mut *connection)
            .await?;
    let journal = chunks.iter().fold(Sha256::new(), |digest, (_, chunk)| digest.chain_update(chunk)).finalize();
    let n_entries: i64 = chunks.iter().map(|(n_entries, _)| n_entries).sum();
    let count = async |connection: &mut Connection, sql: &'static str| -> Result<i64, Refusal> {
        Ok(sqlx::query_scalar(sql).bind(key).fetch_one(connection).await?)
    };
    let n_windows = count(connection, "SELECT count(*) FROM score_windows WHERE session_key = $1").await?;
    let n_segments = count(connection, "SELECT count(*) FROM segments WHERE session_key = $1").await?;
    let n_keys = count(connection, "SELECT count(*) FROM data_keys WHERE session_key = $1").await?;
    let templates: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT t.sealed FROM templates t JOIN faces f ON f.key = t.face_key WHERE f.session_key = $1 ORDER BY t.key",
    )
    .bind(key)
    .fetch_all(&mut *connection)
    .await?;
    let sealed = templates.iter().fold(Sha256::new(), Sha256::chain_update).finalize();
    let erased = stills::erase_files(connection, key, None).await?;
    sqlx::query("DELETE FROM sessions WHERE key = $1").bind(key).execute(connection).await?;
    let data_key = if n_keys > 0 { "destroyed" } else { "none" };
    Ok(erased
        .told_in(event)
        .with("data_key", data_key)
        .with("templates", templates.len().to_string())
        .with("templates_sha256", Digest(sealed.into()).to_string())
        .with("journal_entries", n_entries.to_string())
        .with("journal_sha256", Digest(journal.into()).to_string())
        .with("score_windows", n_windows.to_string())
        .with("segments", n_segments.to_string()))
}

/// The session's resource name, as the audit log has it.
pub(super) fn session_object(id: &str) -> String {
    format!("sessions/{id}")
}

/// Shows that the database can be written.
pub(super) struct Ping;

#[async_trait::async_trait]
impl Operation for Ping {
    type Output = ();
    const DOING: &'static str = "checking that the store can write";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        match step.dialect {
            Dialect::Sqlite => {
                sqlx::query("UPDATE pings SET n_pings = n_pings + 1").execute(&mut *step.connection).await?;
            }
            // Several servers would wait for each other at the one row.
            Dialect::Postgres => {
                let is_read_only: String = sqlx::query_scalar("SELECT current_setting('transaction_read_only')")
                    .fetch_one(&mut *step.connection)
                    .await?;
                if is_read_only != "off" {
                    return Err(
                        other(Self::DOING, "the database takes no writes: it is a standby, or being switched").into()
                    );
                }
            }
        }
        Ok(())
    }
}

/// Adds one step of a session. Encoded by the caller, so that the writer only writes.
pub(super) struct Commit {
    name: SessionName,
    expected_journal_len: u64,
    n_entries: u64,
    chunks: Vec<Chunk>,
    scores: Vec<(ParticipantId, Score, String)>,
    segments: Vec<(Segment, String)>,
    stills: Vec<StillRow>,
    still_gaps: Vec<StillGap>,
    end_time: Option<Timestamp>,
    audit: Vec<Event>,
}

impl Commit {
    /// Encodes a step.
    ///
    /// # Errors
    /// [`StoreError::Backend`] for an entry that is larger than a chunk may be.
    pub(super) fn encode(commit: SessionCommit) -> Result<Self, StoreError> {
        let SessionCommit {
            name,
            expected_journal_len,
            journal,
            scores,
            segments,
            stills,
            still_gaps,
            end_time,
            audit,
        } = commit;
        let with_json = |(participant, score): (ParticipantId, Score)| {
            let json = encode_score(&score)?;
            Ok((participant, score, json))
        };
        let with_signals = |segment: Segment| {
            let json = encode_signals(&segment.signals)?;
            Ok((segment, json))
        };
        Ok(Self {
            name,
            expected_journal_len,
            audit,
            n_entries: journal.len() as u64,
            chunks: journal::encode(&journal)?,
            scores: scores.into_iter().map(with_json).collect::<Result<_, StoreError>>()?,
            segments: segments.into_iter().map(with_signals).collect::<Result<_, StoreError>>()?,
            stills,
            still_gaps,
            end_time,
        })
    }
}

#[async_trait::async_trait]
impl Operation for Commit {
    type Output = ();
    const DOING: &'static str = "storing a step of a session";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let key = self.advance(step.connection).await?;
        let mut first_entry = self.expected_journal_len;
        for Chunk { n_entries, bytes } in &self.chunks {
            sqlx::query("INSERT INTO journal (session_key, first_entry, n_entries, chunk) VALUES ($1, $2, $3, $4)")
                .bind(key)
                .bind(to_i64(first_entry))
                .bind(to_i64(*n_entries))
                .bind(bytes.as_slice())
                .execute(&mut *step.connection)
                .await?;
            first_entry += n_entries;
        }
        if !self.scores.is_empty() {
            self.insert_scores(step.connection, key).await?;
        }
        for (segment, signals) in &self.segments {
            upsert_segment(step.connection, key, segment, signals).await?;
        }
        stills::insert(step.connection, key, &self.stills).await?;
        stills::insert_gaps(step.connection, key, &self.still_gaps).await?;
        step.audit.extend(self.audit.iter().cloned());
        Ok(())
    }
}

impl Commit {
    /// The fence: moves the journal's end on, if it is where the writer believes it is. Gives back the session's key.
    async fn advance(&self, connection: &mut Connection) -> Result<i64, Refusal> {
        let key: Option<i64> = sqlx::query_scalar(
            "UPDATE sessions SET journal_len = journal_len + $1, end_time = coalesce($2, end_time) \
             WHERE tenant = $3 AND id = $4 AND journal_len = $5 RETURNING key",
        )
        .bind(to_i64(self.n_entries))
        .bind(self.end_time.map(time_text))
        .bind(self.name.tenant.as_str())
        .bind(self.name.id.as_str())
        .bind(to_i64(self.expected_journal_len))
        .fetch_optional(&mut *connection)
        .await?;
        if let Some(key) = key {
            return Ok(key);
        }
        let (_key, _journal_len) = read::find(connection, &self.name).await?;
        Err(StoreError::Stale { id: self.name.clone() }.into())
    }

    async fn insert_scores(&self, connection: &mut Connection, key: i64) -> Result<(), Refusal> {
        let mut latest: BTreeMap<&ParticipantId, (i64, &Score)> = BTreeMap::new();
        for (participant, score, json) in &self.scores {
            let ordinal = match latest.get(participant) {
                Some((n_windows, _)) => *n_windows,
                None => n_windows(connection, key, participant).await?,
            };
            sqlx::query(
                "INSERT INTO score_windows (session_key, participant_id, ordinal, score) VALUES ($1, $2, $3, $4)",
            )
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
        let names: Vec<String> = sqlx::query_scalar("SELECT level FROM participants WHERE session_key = $1")
            .bind(key)
            .fetch_all(&mut *connection)
            .await?;
        let levels = names.iter().map(|name| level(name)).collect::<Result<Vec<Level>, _>>()?;
        sqlx::query("UPDATE sessions SET level = $1 WHERE key = $2")
            .bind(worst(levels).as_str())
            .bind(key)
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// The key of a session whose revision is the expected one, if one is expected.
async fn find_revision(
    connection: &mut Connection,
    name: &SessionName,
    expected_revision: Option<u64>,
) -> Result<i64, Refusal> {
    let row: Option<(i64, i64)> = sqlx::query_as("SELECT key, revision FROM sessions WHERE tenant = $1 AND id = $2")
        .bind(name.tenant.as_str())
        .bind(name.id.as_str())
        .fetch_optional(connection)
        .await?;
    let (key, revision) = row.ok_or_else(|| StoreError::NotFound { id: name.clone() })?;
    if expected_revision.is_some_and(|expected| to_i64(expected) != revision) {
        return Err(StoreError::Stale { id: name.clone() }.into());
    }
    Ok(key)
}

async fn insert_labels(
    connection: &mut Connection,
    key: i64,
    labels: &BTreeMap<String, String>,
) -> Result<(), Refusal> {
    for (name, value) in labels {
        sqlx::query("INSERT INTO labels (session_key, name, value) VALUES ($1, $2, $3)")
            .bind(key)
            .bind(name)
            .bind(value)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn n_windows(connection: &mut Connection, key: i64, participant: &ParticipantId) -> Result<i64, Refusal> {
    let stored: Option<i64> =
        sqlx::query_scalar("SELECT n_windows FROM participants WHERE session_key = $1 AND participant_id = $2")
            .bind(key)
            .bind(participant.as_str())
            .fetch_optional(connection)
            .await?;
    Ok(stored.unwrap_or(0))
}

async fn upsert_participant(
    connection: &mut Connection,
    key: i64,
    participant: &ParticipantId,
    score: &Score,
    n_windows: i64,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO participants (session_key, participant_id, level, n_windows, score) VALUES ($1, $2, $3, $4, $5) \
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
    connection: &mut Connection,
    key: i64,
    segment: &Segment,
    signals: &str,
) -> Result<(), Refusal> {
    sqlx::query(
        "INSERT INTO segments (session_key, ordinal, participant_id, start_nanos, end_nanos, level, is_open, signals) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (session_key, ordinal) DO UPDATE SET \
         participant_id = excluded.participant_id, start_nanos = excluded.start_nanos, end_nanos = excluded.end_nanos, \
         level = excluded.level, is_open = excluded.is_open, signals = excluded.signals",
    )
    .bind(key)
    .bind(i64::from(segment.ordinal))
    .bind(segment.participant_id.as_str())
    .bind(segment.start.as_nanos())
    .bind(segment.end.as_nanos())
    .bind(segment.level.as_str())
    .bind(i64::from(matches!(segment.state, SegmentState::Open)))
    .bind(signals)
    .execute(connection)
    .await?;
    Ok(())
}
