//! Listing conditions as SQL and as part of a page token.

use crate::scoring::Level;
use crate::service::ports::{ReviewState, SessionFilter, SessionOrder, SessionQuery};
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
    let is_urgent = query.order == SessionOrder::MostUrgentFirst;
    // Few sessions share a candidate or a reference: these are found first and sorted then, not looked for in the order of all.
    // An expression is not looked up in an index, so that only theirs is left to choose.
    let is_narrow = is_urgent
        && query.filters.iter().any(|filter| match filter {
            SessionFilter::CandidateIs(_) => true,
            SessionFilter::ExternalRefIs(reference) => !reference.is_empty(),
            SessionFilter::LevelIs(_)
            | SessionFilter::LabelIs { .. }
            | SessionFilter::CreatedFrom(_)
            | SessionFilter::CreatedBefore(_)
            | SessionFilter::IsOpen(_)
            | SessionFilter::ReviewIs(_)
            | SessionFilter::AssigneeIs(_) => false,
        });
    let plain = if is_narrow { " || ''" } else { "" };
    for filter in &query.filters {
        match filter {
            SessionFilter::LevelIs(level) => {
                sql.push(" AND level").push(plain).push(" = ").bind(level.as_str().to_owned());
            }
            SessionFilter::LabelIs { key, value } => {
                sql.push(" AND key IN (SELECT session_key FROM labels WHERE name = ").bind(key.clone());
                sql.push(" AND value = ").bind(value.clone()).push(")");
            }
            SessionFilter::ExternalRefIs(reference) => {
                // What is not empty says so, or an index of what is not empty would not be used.
                sql.push(if reference.is_empty() { "" } else { " AND external_ref <> ''" });
                sql.push(" AND external_ref = ").bind(reference.clone());
            }
            SessionFilter::CandidateIs(candidate) => {
                sql.push(" AND candidate <> '' AND candidate = ").bind(candidate.as_str().to_owned());
            }
            SessionFilter::CreatedFrom(time) => {
                sql.push(" AND create_time >= ").bind(time_text(*time));
            }
            SessionFilter::CreatedBefore(time) => {
                sql.push(" AND create_time < ").bind(time_text(*time));
            }
            SessionFilter::ReviewIs(state) => {
                sql.push(" AND review_state").push(plain).push(" = ").bind(state.as_str().to_owned());
            }
            SessionFilter::AssigneeIs(assignee) => {
                sql.push(if assignee.is_empty() { "" } else { " AND assignee <> ''" });
                sql.push(" AND assignee").push(plain).push(" = ").bind(assignee.clone());
            }
            SessionFilter::IsOpen(is_open) => {
                sql.push(if *is_open { " AND end_time IS NULL" } else { " AND end_time IS NOT NULL" });
            }
        }
    }
    if is_urgent && !is_narrow {
        push_urgencies(sql, &query.filters);
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
        if is_urgent {
            sql.bind(urgency).push(", ");
        }
        sql.bind(create_time).push(", ").bind(id).push(")");
    }
    let order: Vec<String> = columns.iter().map(|column| format!("{column}{direction}")).collect();
    let order = order.join(", ");
    sql.push(" ORDER BY ").push(&if is_narrow { order.replacen("urgency", "urgency + 0", 1) } else { order });
}

/// Which urgencies the conditions leave, so that an index in their order begins and ends where they do; see the column's
/// definition in `migrations`.
fn push_urgencies(sql: &mut Sql, filters: &[SessionFilter]) {
    let is_left = |urgency: &i64| {
        filters.iter().all(|filter| match filter {
            SessionFilter::ReviewIs(state) => (*state == ReviewState::Decided) == (*urgency < UNDECIDED),
            SessionFilter::LevelIs(level) => urgency % UNDECIDED == rank(*level),
            SessionFilter::LabelIs { .. }
            | SessionFilter::ExternalRefIs(_)
            | SessionFilter::CandidateIs(_)
            | SessionFilter::CreatedFrom(_)
            | SessionFilter::CreatedBefore(_)
            | SessionFilter::IsOpen(_)
            | SessionFilter::AssigneeIs(_) => true,
        })
    };
    let left: Vec<i64> = (0..UNDECIDED * 2).filter(is_left).collect();
    match left.as_slice() {
        [only] => {
            sql.push(" AND urgency = ").bind(*only);
        }
        // One level, decided or not.
        [_, _] => {
            sql.push(" AND urgency IN ").bind_all(left);
        }
        // One state, any level.
        [first, .., last] if left.len() < 8 => {
            sql.push(" AND urgency BETWEEN ").bind(*first).push(" AND ").bind(*last);
        }
        // All of them say nothing; none is what contradicting conditions leave, which see to it themselves.
        _ => {}
    }
}

/// What is added to the urgency of a session that nobody decided about.
const UNDECIDED: i64 = 4;

/// The urgency of a level.
const fn rank(level: Level) -> i64 {
    match level {
        Level::Clear => 0,
        Level::Inconclusive => 1,
        Level::Suspicious => 2,
        Level::Alert => 3,
    }
}
