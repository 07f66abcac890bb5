//! Which sessions the inbox shows: the address as conditions, and conditions as an address.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use crate::scoring::Level;
use crate::service::ports::{ReviewState, SessionFilter, SessionOrder, SessionQuery};
use crate::session::CandidateId;
use crate::web::form::encode;

/// Rows of a page.
const PAGE_ROWS: u32 = 50;
/// Stands for nobody where an account is asked for; no account has this name.
pub(super) const NOBODY: &str = "-";

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(in crate::web) struct InboxQuery {
    /// Which state; empty = unreviewed.
    pub(super) show: String,
    /// Which level; empty = all.
    pub(super) level: String,
    /// Whose; [`NOBODY`] = those of nobody, empty = all.
    pub(super) assignee: String,
    /// Which candidate.
    pub(super) candidate: String,
    /// Which reference of the caller's own.
    #[serde(rename = "ref")]
    pub(super) reference: String,
    /// Which label, as `key=value`.
    pub(super) label: String,
    /// From this day on, UTC.
    pub(super) from: String,
    /// Up to this day, UTC.
    pub(super) to: String,
    /// Where the page before ended.
    pub(super) after: String,
    /// What came of a form.
    pub(super) said: Option<String>,
}

/// Tabs of the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    /// Sessions of one state.
    State(ReviewState),
    /// All.
    All,
}

impl Tab {
    /// Every tab, in order.
    pub(super) const EVERY: [Self; 4] = [
        Self::State(ReviewState::Unreviewed),
        Self::State(ReviewState::InReview),
        Self::State(ReviewState::Decided),
        Self::All,
    ];

    /// The name in the address; the first has none.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::State(ReviewState::Unreviewed) => "",
            Self::State(ReviewState::InReview) => "in-review",
            Self::State(ReviewState::Decided) => "decided",
            Self::All => "all",
        }
    }

    /// Whether sessions of that state are on it.
    pub(super) fn holds(self, state: ReviewState) -> bool {
        self == Self::All || self == Self::State(state)
    }
}

impl InboxQuery {
    /// Which tab.
    pub(super) fn tab(&self) -> Tab {
        let known = Tab::EVERY.into_iter().find(|tab| tab.as_str() == self.show);
        known.unwrap_or(Tab::State(ReviewState::Unreviewed))
    }

    /// Which level alone, if one is.
    pub(super) fn only_level(&self) -> Option<Level> {
        Level::from_name(&self.level)
    }

    /// Whether anything but tab and level narrows the list down.
    pub(super) fn is_narrowed(&self) -> bool {
        let Self { assignee, candidate, reference, label, from, to, .. } = self;
        [assignee, candidate, reference, label, from, to].iter().any(|field| !field.is_empty())
    }

    /// The page of sessions that is asked for.
    ///
    /// # Errors
    /// The key of the text that says which field cannot be read.
    pub(super) fn to_query(&self) -> Result<SessionQuery, &'static str> {
        let mut filters = Vec::new();
        if let Tab::State(state) = self.tab() {
            filters.push(SessionFilter::ReviewIs(state));
        }
        filters.extend(self.only_level().map(SessionFilter::LevelIs));
        match self.assignee.as_str() {
            "" => {}
            NOBODY => filters.push(SessionFilter::AssigneeIs(String::new())),
            name => filters.push(SessionFilter::AssigneeIs(name.to_owned())),
        }
        if !self.candidate.trim().is_empty() {
            let candidate = CandidateId::new(self.candidate.trim()).map_err(|_| "inbox-bad-candidate")?;
            filters.push(SessionFilter::CandidateIs(candidate));
        }
        if !self.reference.trim().is_empty() {
            filters.push(SessionFilter::ExternalRefIs(self.reference.trim().to_owned()));
        }
        if !self.label.trim().is_empty() {
            let (key, value) = self.label.split_once('=').ok_or("inbox-bad-label")?;
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            filters.push(SessionFilter::LabelIs { key, value });
        }
        if !self.from.is_empty() {
            filters.push(SessionFilter::CreatedFrom(day(&self.from, 0).ok_or("inbox-bad-date")?));
        }
        if !self.to.is_empty() {
            filters.push(SessionFilter::CreatedBefore(day(&self.to, 1).ok_or("inbox-bad-date")?));
        }
        Ok(SessionQuery {
            filters,
            order: SessionOrder::MostUrgentFirst,
            page_size: PAGE_ROWS,
            page_token: (!self.after.is_empty()).then(|| self.after.clone()),
        })
    }

    /// The address of this list, from its first page.
    pub(super) fn href(&self) -> String {
        let fields = [
            ("show", &self.show),
            ("level", &self.level),
            ("assignee", &self.assignee),
            ("candidate", &self.candidate),
            ("ref", &self.reference),
            ("label", &self.label),
            ("from", &self.from),
            ("to", &self.to),
            ("after", &self.after),
        ];
        let pairs: Vec<_> = fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name, value.as_str()))
            .collect();
        if pairs.is_empty() { "/".to_owned() } else { format!("/?{}", encode(&pairs)) }
    }

    /// The same list from its first page, with something changed.
    pub(super) fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut changed = Self { after: String::new(), said: None, ..self.clone() };
        change(&mut changed);
        changed
    }
}

/// The beginning of a day, or of one some days later, in UTC.
fn day(text: &str, days_later: i64) -> Option<Timestamp> {
    let date: Date = text.parse().ok()?;
    let date = date.checked_add(days_later.days()).ok()?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use crate::scoring::Level;
    use crate::service::ports::{ReviewState, SessionFilter};

    use super::{InboxQuery, NOBODY};

    #[test]
    fn the_address_says_which_sessions() {
        let query = InboxQuery {
            show: "decided".to_owned(),
            level: "ALERT".to_owned(),
            assignee: NOBODY.to_owned(),
            label: "batch = a=b".to_owned(),
            from: "2026-11-23".to_owned(),
            to: "2026-11-23".to_owned(),
            ..InboxQuery::default()
        };
        let filters = query.to_query().expect("good").filters;
        assert_eq!(
            filters,
            [
                SessionFilter::ReviewIs(ReviewState::Decided),
                SessionFilter::LevelIs(Level::Alert),
                SessionFilter::AssigneeIs(String::new()),
                SessionFilter::LabelIs { key: "batch".to_owned(), value: "a=b".to_owned() },
                SessionFilter::CreatedFrom("2026-11-23T00:00:00Z".parse().expect("a time")),
                SessionFilter::CreatedBefore("2026-11-24T00:00:00Z".parse().expect("a time")),
            ]
        );
        assert_eq!(
            query.href(),
            "/?show=decided&level=ALERT&assignee=-&label=batch%20%3D%20a%3Db&from=2026-11-23&to=2026-11-23"
        );
    }

    #[test]
    fn fields_that_make_no_sense_are_named() {
        let check = |change: fn(&mut InboxQuery), key: &str| {
            let mut query = InboxQuery::default();
            change(&mut query);
            assert_eq!(query.to_query().expect_err("is refused"), key);
        };
        check(|query| query.candidate = "a b".to_owned(), "inbox-bad-candidate");
        check(|query| query.label = "batch".to_owned(), "inbox-bad-label");
        check(|query| query.from = "tomorrow".to_owned(), "inbox-bad-date");
        check(|query| query.to = "9999-12-31".to_owned(), "inbox-bad-date");
    }

    #[test]
    fn a_change_begins_at_the_first_page() {
        let query = InboxQuery { after: "ab".to_owned(), said: Some("assigned".to_owned()), ..InboxQuery::default() };
        assert_eq!(query.with(|query| query.level = "CLEAR".to_owned()).href(), "/?level=CLEAR");
        assert_eq!(query.href(), "/?after=ab");
    }
}
