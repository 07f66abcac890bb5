//! Listing conditions as SQL and as part of a page token.

use crate::service::ports::{SessionFilter, SessionOrder, SessionQuery};
use crate::session::TenantId;

use super::page_token::Listing;
use super::row::time_text;
use super::sql::Sql;

/// Separates the parts of a cursor; stands in none.
const CURSOR_SEPARATOR: char = ' ';

/// Where a page of sessions ended.
pub(super) struct Cursor {
    /// Counts only where urgency decides the order.
    pub(super) urgency: i64,
    pub(super) create_time: String,
    pub(super) id: String,
}

impl Cursor {
    /// The cursor as it stands in a token.
    pub(super) fn to_text(&self) -> String {
        format!("{}{CURSOR_SEPARATOR}{}{CURSOR_SEPARATOR}{}", self.urgency, self.create_time, self.id)
    }

    /// The cursor of such a text.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (urgency, rest) = text.split_once(CURSOR_SEPARATOR)?;
        let (create_time, id) = rest.split_once(CURSOR_SEPARATOR)?;
        Some(Self { urgency: urgency.parse().ok()?, create_time: create_time.to_owned(), id: id.to_owned() })
    }
}

/// What the tokens of a query are bound to: tenant, conditions and order, not the page size.
pub(super) fn listing(tenant: &TenantId, query: &SessionQuery) -> Listing {
    let order = match query.order {
        SessionOrder::NewestFirst => "newest",
        SessionOrder::OldestFirst => "oldest",
        SessionOrder::MostUrgentFirst => "urgent",
    };
    let all = Listing::new("sessions").with(tenant.as_str()).with(order);
    query.filters.iter().fold(all, |listing, filter| match filter {
        SessionFilter::LevelIs(level) => listing.with("level").with(level.as_str()),
        SessionFilter::LabelIs { key, value } => listing.with("label").with(key).with(value),
        SessionFilter::ExternalRefIs(reference) => listing.with("external_ref").with(reference),
        SessionFilter::CandidateIs(candidate) => listing.with("candidate").with(candidate.as_str()),
        SessionFilter::CreatedFrom(time) => listing.with("from").with(&time_text(*time)),
        SessionFilter::CreatedBefore(time) => listing.with("before").with(&time_text(*time)),
        SessionFilter::ReviewIs(state) => listing.with("review").with(state.as_str()),
        SessionFilter::AssigneeIs(assignee) => listing.with("assignee").with(assignee),
        SessionFilter::IsOpen(is_open) => listing.with("open").with(if *is_open { "yes" } else { "no" }),
    })
}

/// Appends ` AND … ORDER BY …`.
pub(super) fn push_conditions(sql: &mut Sql, query: &SessionQuery, after: Option<Cursor>) {
    for filter in &query.filters {
        match filter {
            SessionFilter::LevelIs(level) => {
                sql.push(" AND level = ").bind(level.as_str().to_owned());
            }
            SessionFilter::LabelIs { key, value } => {
                sql.push(" AND key IN (SELECT session_key FROM labels WHERE name = ").bind(key.clone());
                sql.push(" AND value = ").bind(value.clone()).push(")");
            }
            SessionFilter::ExternalRefIs(reference) => {
                sql.push(" AND external_ref = ").bind(reference.clone());
            }
            SessionFilter::CandidateIs(candidate) => {
                sql.push(" AND candidate = ").bind(candidate.as_str().to_owned());
            }
            SessionFilter::CreatedFrom(time) => {
                sql.push(" AND create_time >= ").bind(time_text(*time));
            }
            SessionFilter::CreatedBefore(time) => {
                sql.push(" AND create_time < ").bind(time_text(*time));
            }
            SessionFilter::ReviewIs(state) => {
                sql.push(" AND review_state = ").bind(state.as_str().to_owned());
            }
            SessionFilter::AssigneeIs(assignee) => {
                sql.push(" AND assignee = ").bind(assignee.clone());
            }
            SessionFilter::IsOpen(is_open) => {
                sql.push(if *is_open { " AND end_time IS NULL" } else { " AND end_time IS NOT NULL" });
            }
        }
    }
    let (beyond, direction) = match query.order {
        SessionOrder::NewestFirst | SessionOrder::MostUrgentFirst => (" < (", " DESC"),
        SessionOrder::OldestFirst => (" > (", " ASC"),
    };
    let columns: &[&str] = match query.order {
        SessionOrder::MostUrgentFirst => &["urgency", "create_time", "id"],
        SessionOrder::NewestFirst | SessionOrder::OldestFirst => &["create_time", "id"],
    };
    if let Some(Cursor { urgency, create_time, id }) = after {
        sql.push(" AND (").push(&columns.join(", ")).push(")").push(beyond);
        if query.order == SessionOrder::MostUrgentFirst {
            sql.bind(urgency).push(", ");
        }
        sql.bind(create_time).push(", ").bind(id).push(")");
    }
    let order: Vec<String> = columns.iter().map(|column| format!("{column}{direction}")).collect();
    sql.push(" ORDER BY ").push(&order.join(", "));
}
