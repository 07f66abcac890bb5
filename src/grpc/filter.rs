//! The filter language of `ListSessions`: a subset of AIP-160, conditions joined by AND.
//!
//! `level = ALERT AND labels.team = "eu" AND create_time >= "2026-01-31T00:00:00Z"`

use jiff::Timestamp;

use crate::scoring::Level;
use crate::service::ports::{ReviewState, SessionFilter, SessionOrder};

use super::field::FieldError;
use super::name;

const MAX_FILTER_BYTES: usize = 2_048;
const MAX_TERMS: usize = 20;
const FIELD: &str = "filter";

/// Reads a filter; an empty one holds for every session.
pub(super) fn parse_filter(text: &str) -> Result<Vec<SessionFilter>, FieldError> {
    if text.len() > MAX_FILTER_BYTES {
        return Err(refusal(format!("has {} bytes: use at most {MAX_FILTER_BYTES}", text.len())));
    }
    let mut rest = text.trim();
    let mut filters = Vec::new();
    while !rest.is_empty() {
        if filters.len() == MAX_TERMS {
            return Err(refusal(format!("has more than {MAX_TERMS} conditions: use fewer")));
        }
        let (filter, after) = parse_term(rest)?;
        filters.push(filter);
        rest = match split_and(after.trim_start()) {
            Some(next) => next,
            None if after.trim().is_empty() => "",
            None => return Err(refusal(format!("{} follows a condition: join conditions with AND", quote(after)))),
        };
    }
    Ok(filters)
}

/// Reads an order; an empty one is newest first.
pub(super) fn parse_order(text: &str) -> Result<SessionOrder, FieldError> {
    let words: Vec<_> = text.split_whitespace().take(3).collect();
    match words.as_slice() {
        [] | ["create_time", "desc"] => Ok(SessionOrder::NewestFirst),
        ["create_time"] | ["create_time", "asc"] => Ok(SessionOrder::OldestFirst),
        ["urgency", "desc"] => Ok(SessionOrder::MostUrgentFirst),
        _ => Err(FieldError::new("order_by", "must be \"create_time\", \"create_time desc\" or \"urgency desc\"")),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    AtLeast,
    Below,
}

/// What follows an AND; an AND with nothing behind it is kept, so that it is refused as a missing condition.
fn split_and(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("AND")?;
    let next = rest.trim_start();
    if next.is_empty() { Some(text) } else { (next.len() < rest.len()).then_some(next) }
}

fn parse_term(text: &str) -> Result<(SessionFilter, &str), FieldError> {
    let name_end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let (operator, rest) = parse_operator(name, rest.trim_start())?;
    let (value, rest) = parse_value(name, rest.trim_start())?;
    Ok((condition(name, operator, value)?, rest))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

fn parse_operator<'a>(name: &str, text: &'a str) -> Result<(Operator, &'a str), FieldError> {
    let operators = [(">=", Operator::AtLeast), ("<", Operator::Below), ("=", Operator::Equal)];
    operators
        .into_iter()
        .filter(|_| !text.starts_with("<="))
        .find_map(|(symbol, operator)| text.strip_prefix(symbol).map(|rest| (operator, rest)))
        .ok_or_else(|| refusal(format!("{} needs one of =, >=, < and a value", quote(name))))
}

fn parse_value<'a>(name: &str, text: &'a str) -> Result<(String, &'a str), FieldError> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !(is_name(c) || matches!(c, ':' | '+' | '/'))).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        if word.is_empty() {
            return Err(refusal(format!("{} has no value: put one behind the operator, in quotes", quote(name))));
        }
        return Ok((word.to_owned(), rest));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, quoted.get(at + 1..).unwrap_or(""))),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    Err(refusal(format!("the value of {} has no closing quote", quote(name))))
}

fn condition(name: &str, operator: Operator, value: String) -> Result<SessionFilter, FieldError> {
    if name == "create_time" {
        let time: Timestamp = value
            .parse()
            .map_err(|_| refusal(format!("{} is no time: write it as \"2026-01-31T12:00:00Z\"", quote(&value))))?;
        return match operator {
            Operator::AtLeast => Ok(SessionFilter::CreatedFrom(time)),
            Operator::Below => Ok(SessionFilter::CreatedBefore(time)),
            Operator::Equal => Err(refusal("create_time takes >= and <".to_owned())),
        };
    }
    if operator != Operator::Equal {
        return Err(refusal(format!("{} takes = only", quote(name))));
    }
    match name {
        "level" => {
            Level::from_name(value.strip_prefix("LEVEL_").unwrap_or(&value)).map(SessionFilter::LevelIs).ok_or_else(
                || refusal(format!("{} is no level: use INCONCLUSIVE, CLEAR, SUSPICIOUS or ALERT", quote(&value))),
            )
        }
        "state" => match value.strip_prefix("SESSION_STATE_").unwrap_or(&value) {
            "OPEN" => Ok(SessionFilter::IsOpen(true)),
            "FINISHED" => Ok(SessionFilter::IsOpen(false)),
            _ => Err(refusal(format!("{} is no state: use OPEN or FINISHED", quote(&value)))),
        },
        "review_state" => {
            ReviewState::from_name(&value.strip_prefix("REVIEW_STATE_").unwrap_or(&value).to_ascii_lowercase())
                .map(SessionFilter::ReviewIs)
                .ok_or_else(|| {
                    refusal(format!("{} is no review state: use UNREVIEWED, IN_REVIEW or DECIDED", quote(&value)))
                })
        }
        "assignee" => Ok(SessionFilter::AssigneeIs(value)),
        "external_ref" => Ok(SessionFilter::ExternalRefIs(value)),
        "candidate" => name::parse_candidate(FIELD, &value).map(SessionFilter::CandidateIs),
        _ => match name.strip_prefix("labels.") {
            Some(key) if !key.is_empty() => Ok(SessionFilter::LabelIs { key: key.to_owned(), value }),
            _ => Err(refusal(format!(
                "{} cannot be filtered by: use level, state, review_state, assignee, external_ref, candidate, labels.KEY or create_time",
                quote(name)
            ))),
        },
    }
}

fn refusal(problem: String) -> FieldError {
    FieldError::new(FIELD, problem)
}

/// The start of what the caller wrote, so that an error stays short.
fn quote(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    format!("{start:?}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use crate::scoring::Level;
    use crate::service::ports::{ReviewState, SessionFilter, SessionOrder};

    use super::{parse_filter, parse_order};

    #[test]
    fn conditions_are_read() {
        assert_eq!(parse_filter("  "), Ok(vec![]));
        let text = r#"level = ALERT AND labels.team="e \"u\"" AND external_ref = req-17 AND state=OPEN"#;
        let expected = vec![
            SessionFilter::LevelIs(Level::Alert),
            SessionFilter::LabelIs { key: "team".into(), value: "e \"u\"".into() },
            SessionFilter::ExternalRefIs("req-17".into()),
            SessionFilter::IsOpen(true),
        ];
        assert_eq!(parse_filter(text), Ok(expected));
        assert_eq!(parse_filter("level=LEVEL_CLEAR"), Ok(vec![SessionFilter::LevelIs(Level::Clear)]));
        assert_eq!(parse_filter("state = SESSION_STATE_FINISHED"), Ok(vec![SessionFilter::IsOpen(false)]));
        let expected = vec![SessionFilter::ReviewIs(ReviewState::InReview), SessionFilter::AssigneeIs("anna".into())];
        assert_eq!(parse_filter("review_state = IN_REVIEW AND assignee = anna"), Ok(expected));
        assert!(parse_filter("review_state = done").is_err());
        assert_eq!(parse_order("urgency desc"), Ok(SessionOrder::MostUrgentFirst));
    }

    #[test]
    fn times_bound_from_both_sides() {
        let filters =
            parse_filter("create_time >= \"2026-01-31T00:00:00Z\" AND create_time < 2026-02-01T00:00:00+00:00");
        let from = "2026-01-31T00:00:00Z".parse().expect("a time");
        let before = "2026-02-01T00:00:00Z".parse().expect("a time");
        assert_eq!(filters, Ok(vec![SessionFilter::CreatedFrom(from), SessionFilter::CreatedBefore(before)]));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        let cases = [
            "level",
            "level =",
            "level = GOOD",
            "level > CLEAR",
            "= x",
            "state = 1",
            "labels. = x",
            "secret = x",
            "create_time = \"2026-01-31T00:00:00Z\"",
            "create_time >= yesterday",
            "create_time <= \"2026-01-31T00:00:00Z\"",
            "level = ALERT OR level = CLEAR",
            "level = ALERT AND",
            "level = ALERT ANDlevel = CLEAR",
            "AND level = ALERT",
            "external_ref = \"open",
            "NOT level = ALERT",
            "level = ALERT level = CLEAR",
        ];
        for text in cases {
            let error = parse_filter(text).expect_err(text);
            assert_eq!(error.field, "filter", "{text}");
        }
        assert!(parse_filter(&"x".repeat(2_049)).is_err());
        assert!(parse_filter(&vec!["state = OPEN"; 21].join(" AND ")).is_err());
    }

    #[test]
    fn orders_are_read() {
        assert_eq!(parse_order(""), Ok(SessionOrder::NewestFirst));
        assert_eq!(parse_order("create_time desc"), Ok(SessionOrder::NewestFirst));
        assert_eq!(parse_order("create_time"), Ok(SessionOrder::OldestFirst));
        for bad in ["level", "create_time up", "create_time desc, level"] {
            assert!(parse_order(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = parse_filter(&text);
            let _ = parse_order(&text);
        }

        #[test]
        fn no_near_miss_panics(text in r#"(level|labels\.x|create_time|AND| |=|>=|<|"|\\|ä|OPEN){0,30}"#) {
            if let Ok(filters) = parse_filter(&text) {
                prop_assert!(filters.len() <= 20);
            }
        }

        #[test]
        fn every_quoted_value_comes_back(value in "[^\"\\\\]{0,50}") {
            let expected = vec![SessionFilter::ExternalRefIs(value.clone())];
            let text = format!("external_ref = \"{value}\"");
            prop_assert!(parse_filter(&text) == Ok(expected));
        }
    }
}
