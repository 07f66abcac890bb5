//! Small parts that several pages show: levels, times, states, numbers.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, PreEscaped, html};

use crate::scoring::{Authenticity, Level};
use crate::service::ports::ReviewState;
use crate::text::{Value, date_time, fixed};

use super::visit::Visit;

/// The key of a level's texts.
pub(super) const fn level_key(level: Level) -> &'static str {
    match level {
        Level::Inconclusive => "level-inconclusive",
        Level::Clear => "level-clear",
        Level::Suspicious => "level-suspicious",
        Level::Alert => "level-alert",
    }
}

/// The class that colours a level.
pub(super) const fn level_class(level: Level) -> &'static str {
    match level {
        Level::Inconclusive => "inconclusive",
        Level::Clear => "clear",
        Level::Suspicious => "suspicious",
        Level::Alert => "alert",
    }
}

/// A level as shape, word and colour, so that none of them has to be seen.
pub(super) fn level_badge(visit: &Visit, level: Level) -> Markup {
    html! {
        span class={ "level " (level_class(level)) } {
            (level_shape(level)) span { (visit.text(level_key(level))) }
        }
    }
}

/// A level's shape: circle, ring, triangle, octagon.
pub(super) fn level_shape(level: Level) -> PreEscaped<&'static str> {
    PreEscaped(match level {
        Level::Clear => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle cx=\"8\" cy=\"8\" r=\"7\"/><path class=\"on\" d=\"M4.8 8.3l2.2 \
             2.2 4.2-4.6\"/></svg>"
        }
        Level::Inconclusive => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><circle class=\"ring\" cx=\"8\" cy=\"8\" r=\"6\"/><path class=\"line\" \
             d=\"M5 8h6\"/></svg>"
        }
        Level::Suspicious => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"M8 1l7.4 13.4H.6z\"/><path class=\"on\" d=\"M8 \
             6v3.6M8 11.6v.6\"/></svg>"
        }
        Level::Alert => {
            "<svg viewBox=\"0 0 16 16\" aria-hidden=\"true\"><path d=\"M5 .9h6L15.1 5v6L11 15.1H5L.9 11V5z\"/><path class=\"on\" \
             d=\"M8 4v4.6M8 11v.8\"/></svg>"
        }
    })
}

/// The text of a review's state.
pub(super) fn state_text(visit: &Visit, state: ReviewState) -> String {
    visit.text(match state {
        ReviewState::Unreviewed => "state-unreviewed",
        ReviewState::InReview => "state-in-review",
        ReviewState::Decided => "state-decided",
    })
}

/// A moment: how long ago, and exactly when for those who point at it; a script writes it in the browser's own time zone.
pub(super) fn moment(visit: &Visit, time: Timestamp) -> Markup {
    html! {
        time datetime=(rfc3339(time)) title=(exact(visit, time)) { (ago(visit, time)) }
    }
}

/// A moment, exactly.
pub(super) fn exact_moment(visit: &Visit, time: Timestamp) -> Markup {
    html! { time.exact datetime=(rfc3339(time)) { (exact(visit, time)) } }
}

fn rfc3339(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// `24 Nov 2026, 17:05 UTC`.
pub(super) fn exact(visit: &Visit, time: Timestamp) -> String {
    format!("{} UTC", date_time(visit.language, time, &TimeZone::UTC))
}

/// How long before now, in the largest unit that fits; more than a month ago, and what is to come, exactly.
fn ago(visit: &Visit, time: Timestamp) -> String {
    let elapsed = visit.now.duration_since(time);
    if elapsed < -SignedDuration::from_secs(60) || elapsed >= SignedDuration::from_hours(24 * 30) {
        return exact(visit, time);
    }
    let secs = elapsed.as_secs().max(0);
    let (key, count) = match secs {
        ..60 => return visit.text("ago-now"),
        60..3_600 => ("ago-minutes", secs / 60),
        3_600..86_400 => ("ago-hours", secs / 3_600),
        _ => ("ago-days", secs / 86_400),
    };
    visit.text_with(key, &[("n", Value::Number(count as f64))])
}

/// A duration of an interview.
pub(super) fn duration(visit: &Visit, secs: f64) -> String {
    let minutes = (secs / 60.0).round();
    if !secs.is_finite() {
        "–".to_owned()
    } else if secs < 120.0 {
        visit.text_with("duration-secs", &[("n", Value::Number(secs.round()))])
    } else {
        visit.text_with("duration-minutes", &[("n", Value::Number(minutes))])
    }
}

/// An estimate with its interval as a bar, with the words beside it.
pub(super) fn score_bar(visit: &Visit, level: Level, authenticity: Option<Authenticity>) -> Markup {
    let words = score_words(visit, authenticity);
    let x = |value: f64| value.clamp(0.0, 1.0) * 200.0;
    html! {
        div.score {
            svg class={ "bar " (level_class(level)) } viewBox="0 0 200 16" preserveAspectRatio="none" role="img" aria-label=(words) {
                rect.track x="0" y="6" width="200" height="4" {}
                @if let Some(Authenticity { value, low, high }) = authenticity.filter(is_finite) {
                    rect.interval x=(tenth(x(low))) y="4" width=(tenth((x(high) - x(low)).max(1.0))) height="8" {}
                    rect.value x=(tenth((x(value) - 1.5).clamp(0.0, 197.0))) y="0" width="3" height="16" {}
                }
            }
            span.words aria-hidden="true" { (words) }
        }
    }
}

/// An estimate in words: `0.93 (0.81 to 0.98)`.
pub(super) fn score_words(visit: &Visit, authenticity: Option<Authenticity>) -> String {
    match authenticity.filter(is_finite) {
        Some(Authenticity { value, low, high }) => {
            let number = |value| Value::from(fixed(visit.language, value, 2));
            visit.text_with("score-words", &[("value", number(value)), ("low", number(low)), ("high", number(high))])
        }
        None => visit.text("score-none"),
    }
}

fn is_finite(authenticity: &Authenticity) -> bool {
    let Authenticity { value, low, high } = authenticity;
    value.is_finite() && low.is_finite() && high.is_finite()
}

/// A coordinate with one decimal at most.
pub(super) fn tenth(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A list of choices with one chosen; values and their words.
pub(super) fn options<'a>(choices: impl IntoIterator<Item = (&'a str, String)>, chosen: &str) -> Markup {
    html! {
        @for (value, words) in choices {
            option value=(value) selected[value == chosen] { (words) }
        }
    }
}
