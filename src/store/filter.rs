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

/// How the sessions of a listing are found. Neither database knows how many rows share a value that stands in a statement's
/// placeholder, so this program says it: an expression is not looked up in an index, and what is left to choose is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Path {
    /// In the order of the listing, until the page is full.
    Order,
    /// The few that share a candidate or a reference first, sorted then.
    Reference,
    /// The few that have the label of this filter first, sorted then.
    Label(usize),
}

impl Path {
    /// The path of a query; `rare` is the position of a filter for a label that few sessions have.
    fn of(query: &SessionQuery, rare: Option<usize>) -> Self {
        let is_reference = |filter: &SessionFilter| match filter {
            SessionFilter::CandidateIs(_) => true,
            SessionFilter::ExternalRefIs(reference) => !reference.is_empty(),
            SessionFilter::LevelIs(_)
            | SessionFilter::LabelIs { .. }
            | SessionFilter::CreatedFrom(_)
            | SessionFilter::CreatedBefore(_)
            | SessionFilter::IsOpen(_)
            | SessionFilter::ReviewIs(_)
            | SessionFilter::AssigneeIs(_) => false,
        };
        if query.order == SessionOrder::MostUrgentFirst && query.filters.iter().any(is_reference) {
            Self::Reference
        } else {
            rare.map_or(Self::Order, Self::Label)
        }
    }

    /// What stands behind a column that no index is to be chosen for.
    fn plain(self, column: &str, order: SessionOrder) -> &'static str {
        let is_plain = match (self, column) {
            // The order of urgency reads days from its own index; theirs would leave all of a long time to be sorted.
            (Self::Order, "create_time") => order == SessionOrder::MostUrgentFirst,
            (Self::Order, _) | (Self::Reference, "tenant" | "create_time") => false,
            (Self::Reference | Self::Label(_), _) => true,
        };
        if is_plain { " || ''" } else { "" }
    }
}

/// Appends ` WHERE … ORDER BY …`; `rare` is the position of a filter for a label that few
/// sessions have.
pub(super) fn push_conditions(
    sql: &mut Sql,
    tenant: &TenantId,
    query: &SessionQuery,
    after: Option<Cursor>,
    rare: Option<usize>,
) {
    let is_urgent = query.order == SessionOrder::MostUrgentFirst;
    let path = Path::of(query, rare);
    let plain = |column| path.plain(column, query.order);
    sql.push(" WHERE tenant").push(plain("tenant")).push(" = ").bind(tenant.as_str().to_owned());
    for (position, filter) in query.filters.iter().enumerate() {
        match filter {
            SessionFilter::LevelIs(level) => {
                sql.push(" AND level").push(plain("level")).push(" = ").bind(level.as_str().to_owned());
            }
            SessionFilter::LabelIs { key, value } => {
                let is_lead = path == Path::Label(position);
                sql.push(if is_lead { " AND key IN (SELECT session_key FROM labels WHERE name = " } else { HAS_LABEL });
                sql.bind(key.clone()).push(" AND value = ").bind(value.clone()).push(")");
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
                sql.push(" AND create_time").push(plain("create_time")).push(" >= ").bind(time_text(*time));
            }
            SessionFilter::CreatedBefore(time) => {
                sql.push(" AND create_time").push(plain("create_time")).push(" < ").bind(time_text(*time));
            }
            SessionFilter::ReviewIs(state) => {
                sql.push(" AND review_state").push(plain("review_state")).push(" = ").bind(state.as_str().to_owned());
            }
            SessionFilter::AssigneeIs(assignee) => {
                sql.push(" AND assignee").push(plain("assignee")).push(" = ").bind(assignee.clone());
            }
            SessionFilter::IsOpen(is_open) => {
                sql.push(if *is_open { " AND end_time IS NULL" } else { " AND end_time IS NOT NULL" });
            }
        }
    }
    if is_urgent && path == Path::Order {
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
    let is_sorted = path != Path::Order;
    sql.push(" ORDER BY ").push(&if is_sorted { order.replacen("urgency", "urgency + 0", 1) } else { order });
}

/// Asked of one session at a time, last of all that is asked of it.
const HAS_LABEL: &str = " AND EXISTS (SELECT 1 FROM labels WHERE session_key = sessions.key AND name = ";

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
