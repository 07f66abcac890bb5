//! Pairs of faces: what the machine proposes and what people say.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::FromRow;

use crate::audit::Event;
use crate::service::ports::{
    FaceName, MatchFilter, MatchRecord, MatchVerdict, NewProposal, Page, PageRequest, Pair, Proposal, ProposalRecord,
    StoreError, TemplateKind, VerdictRecord,
};
use crate::session::TenantId;
use crate::store::Connection;
use crate::store::failure::Refusal;
use crate::store::journal::corrupt;
use crate::store::operation::{Operation, Step};
use crate::store::page_token::Listing;
use crate::store::row::{time_text, timestamp};
use crate::store::sql::Sql;

use super::{MAX_PAGE_SIZE, candidates, face, page_size};

/// Keeps proposals.
pub(super) struct Propose {
    pub(super) tenant: TenantId,
    pub(super) proposals: Vec<NewProposal>,
    pub(super) time: Timestamp,
}

#[async_trait::async_trait]
impl Operation for Propose {
    type Output = u64;
    const DOING: &'static str = "storing proposed matches";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<u64, Refusal> {
        let mut n_new = 0;
        for proposal in &self.proposals {
            let first = face::find(step.connection, &self.tenant, &proposal.first).await?;
            let second = face::find(step.connection, &self.tenant, &proposal.second).await?;
            let Some((first, second)) = first.zip(second).filter(|(first, second)| first != second) else { continue };
            let inserted = sqlx::query(
                "INSERT INTO face_matches (tenant, first_face, second_face, kind, proposal, similarity, llr, propose_time, \
                 verdict, note, decided_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', '') ON CONFLICT DO NOTHING",
            )
            .bind(self.tenant.as_str())
            .bind(first.min(second))
            .bind(first.max(second))
            .bind(proposal.reason.kind().as_str())
            .bind(proposal.reason.as_str())
            .bind(proposal.similarity)
            .bind(proposal.llr)
            .bind(time_text(self.time))
            .execute(&mut *step.connection)
            .await?;
            n_new += inserted.rows_affected();
        }
        Ok(n_new)
    }
}

/// Keeps a person's word.
pub(super) struct DecideMatch {
    pub(super) tenant: TenantId,
    pub(super) pair: Pair<FaceName>,
    pub(super) verdict: VerdictRecord,
    pub(super) audit: Event,
}

#[async_trait::async_trait]
impl Operation for DecideMatch {
    type Output = ();
    const DOING: &'static str = "storing what a person says of two faces";

    async fn apply(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Self { tenant, pair, verdict, audit } = self;
        let first = face::require(step.connection, tenant, &pair.first).await?;
        let second = face::require(step.connection, tenant, &pair.second).await?;
        sqlx::query(
            "INSERT INTO face_matches (tenant, first_face, second_face, kind, proposal, verdict, note, decided_by, \
             decide_time) VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8) ON CONFLICT (first_face, second_face, kind) \
             DO UPDATE SET verdict = excluded.verdict, note = excluded.note, decided_by = excluded.decided_by, \
             decide_time = excluded.decide_time",
        )
        .bind(tenant.as_str())
        .bind(first.min(second))
        .bind(first.max(second))
        .bind(pair.kind.as_str())
        .bind(verdict.verdict.as_str())
        .bind(&verdict.note)
        .bind(&verdict.by)
        .bind(time_text(verdict.time))
        .execute(&mut *step.connection)
        .await?;
        step.audit.push(audit.clone());
        Ok(())
    }
}

const COLUMNS: &str = "SELECT m.key, m.first_face, m.second_face, m.kind, m.proposal, m.similarity, m.llr, m.propose_time, m.verdict, \
     m.note, m.decided_by, m.decide_time FROM face_matches m WHERE m.tenant = ";

/// One page of pairs, newest first.
pub(super) async fn page(
    connection: &mut Connection,
    tenant: &TenantId,
    filter: &MatchFilter,
    page: &PageRequest,
) -> Result<Page<MatchRecord>, Refusal> {
    let listing = || {
        let listing = Listing::new("matches").with(tenant.as_str());
        match filter {
            MatchFilter::All => listing,
            MatchFilter::Open => listing.with("open"),
            MatchFilter::OfSession(id) => listing.with("session").with(id.as_str()),
            MatchFilter::OfCandidate(id) => listing.with("candidate").with(id.as_str()),
        }
    };
    let before: i64 = match page.token.as_deref() {
        None => i64::MAX,
        Some(token) => listing().cursor(token)?.parse().map_err(|_error| StoreError::BadPageToken)?,
    };
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tenant.as_str().to_owned());
    match filter {
        MatchFilter::All => {}
        MatchFilter::Open => {
            sql.push(" AND m.verdict = ''");
        }
        MatchFilter::OfSession(id) => {
            let name = crate::session::SessionName { tenant: tenant.clone(), id: id.clone() };
            let (session_key, _journal_len) = crate::store::read::find(connection, &name).await?;
            let faces = "(SELECT f.key FROM faces f WHERE f.session_key = ";
            sql.push(" AND (m.first_face IN ").push(faces).bind(session_key);
            sql.push(") OR m.second_face IN ").push(faces).bind(session_key).push("))");
        }
        MatchFilter::OfCandidate(id) => {
            candidates::one(connection, tenant, id).await?;
            let mut push_faces = |start: &str, end: &str| {
                sql.push(start).push("(SELECT f.key FROM ").push(face::FACE_TABLES).push(" WHERE f.tenant = ");
                sql.bind(tenant.as_str().to_owned()).push(" AND (s.candidate = ").bind(id.as_str().to_owned());
                sql.push(" OR c.id = ").bind(id.as_str().to_owned()).push("))").push(end);
            };
            push_faces(" AND (m.first_face IN ", "");
            push_faces(" OR m.second_face IN ", ")");
        }
    }
    let size = page_size(page);
    sql.push(" AND m.key < ").bind(before).push(" ORDER BY m.key DESC LIMIT ").bind(i64::from(size) + 1);
    let mut rows: Vec<MatchRow> = sql.fetch_all(connection).await?;
    let has_more = rows.len() > size as usize;
    rows.truncate(size as usize);
    let next_page_token = rows.last().filter(|_| has_more).map(|row| listing().token(&row.key.to_string()));
    Ok(Page { items: complete(connection, rows).await?, next_page_token })
}

/// The pairs with one face.
pub(super) async fn of_face(
    connection: &mut Connection,
    tenant: &TenantId,
    face: &FaceName,
) -> Result<Vec<MatchRecord>, Refusal> {
    let Some(key) = face::find(connection, tenant, face).await? else { return Ok(Vec::new()) };
    let mut sql = Sql::new(COLUMNS);
    sql.bind(tenant.as_str().to_owned()).push(" AND (m.first_face = ").bind(key);
    sql.push(" OR m.second_face = ").bind(key).push(") ORDER BY m.key DESC LIMIT ").bind(i64::from(MAX_PAGE_SIZE));
    let rows: Vec<MatchRow> = sql.fetch_all(connection).await?;
    complete(connection, rows).await
}

/// Adds what is known of the faces.
async fn complete(connection: &mut Connection, rows: Vec<MatchRow>) -> Result<Vec<MatchRecord>, Refusal> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let keys: BTreeSet<i64> = rows.iter().flat_map(|row| [row.first_face, row.second_face]).collect();
    let faces = face::of_keys(connection, keys).await?;
    let known = |key: i64| faces.get(&key).cloned().ok_or_else(|| corrupt("stored match has no face"));
    let record = |row: MatchRow| {
        Ok(MatchRecord {
            kind: row.kind()?,
            first: known(row.first_face)?,
            second: known(row.second_face)?,
            proposal: row.proposal()?,
            verdict: row.verdict()?,
        })
    };
    Ok(rows.into_iter().map(record).collect::<Result<_, StoreError>>()?)
}

#[derive(FromRow)]
struct MatchRow {
    key: i64,
    first_face: i64,
    second_face: i64,
    kind: String,
    proposal: String,
    similarity: Option<f64>,
    llr: Option<f64>,
    propose_time: Option<String>,
    verdict: String,
    note: String,
    decided_by: String,
    decide_time: Option<String>,
}

impl MatchRow {
    fn kind(&self) -> Result<TemplateKind, StoreError> {
        TemplateKind::from_name(&self.kind).ok_or_else(|| corrupt("stored kind of a match is not known"))
    }

    fn proposal(&self) -> Result<Option<ProposalRecord>, StoreError> {
        let (Some(similarity), Some(llr), Some(time)) = (self.similarity, self.llr, &self.propose_time) else {
            return Ok(None);
        };
        let reason =
            Proposal::from_name(&self.proposal).ok_or_else(|| corrupt("stored reason of a match is not known"))?;
        Ok(Some(ProposalRecord { reason, similarity, llr, time: timestamp(time)? }))
    }

    fn verdict(&self) -> Result<Option<VerdictRecord>, StoreError> {
        let Some(time) = &self.decide_time else { return Ok(None) };
        let verdict =
            MatchVerdict::from_name(&self.verdict).ok_or_else(|| corrupt("stored verdict of a match is not known"))?;
        let (note, by) = (self.note.clone(), self.decided_by.clone());
        Ok(Some(VerdictRecord { verdict, note, by, time: timestamp(time)? }))
    }
}
