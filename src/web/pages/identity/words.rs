//! Likenesses, expectations and verdicts in words.

use maud::{Markup, html};

use crate::identity::{FalseMatches, Support};
use crate::service::ports::{MatchVerdict, VerdictRecord};
use crate::service::{Likeness, Opinion, SearchFigures, TemplateQuality};
use crate::text::{Value, count, fixed};
use crate::web::parts::moment;
use crate::web::visit::Visit;

/// A ratio so near to even that it says nothing.
const EVEN_RATIO: f64 = 1.5;

/// A natural logarithm of a ratio as one of two significant digits, at least 1: `400`.
fn ratio(visit: &Visit, llr: f64) -> String {
    let ratio = llr.abs().min(50.0).exp();
    if ratio < 10.0 {
        return fixed(visit.language, ratio, 1);
    }
    let unit = 10_f64.powf(ratio.log10().floor() - 1.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and at most exp(50), cut at 2^64"
    )]
    let whole = ((ratio / unit).round() * unit).round() as u64;
    count(visit.language, whole)
}

/// "About 400 times likelier one person than two."
pub(super) fn likelihood(visit: &Visit, llr: f64, is_bounded: bool) -> String {
    if llr.abs() < EVEN_RATIO.ln() {
        return visit.text("ratio-even");
    }
    let key = match (llr > 0.0, is_bounded) {
        (true, false) => "ratio-one",
        (true, true) => "ratio-one-at-least",
        (false, false) => "ratio-two",
        (false, true) => "ratio-two-at-least",
    };
    visit.text_with(key, &[("n", ratio(visit, llr).into())])
}

/// An end of an interval: `400 times one person`, `30 times two people`.
fn interval_end(visit: &Visit, llr: f64) -> String {
    visit.text_with(if llr >= 0.0 { "ratio-end-one" } else { "ratio-end-two" }, &[("n", ratio(visit, llr).into())])
}

/// A cosine.
pub(super) fn similarity(visit: &Visit, similarity: f64) -> String {
    fixed(visit.language, similarity, 2)
}

/// What an opinion is called.
pub(super) fn opinion(visit: &Visit, opinion: Opinion) -> Markup {
    let (key, class) = match opinion {
        Opinion::Same => ("opinion-same", "opinion same"),
        Opinion::Different => ("opinion-different", "opinion different"),
        Opinion::Unclear => ("opinion-unclear", "opinion unclear"),
    };
    html! { strong class=(class) { (visit.text(key)) } }
}

/// A likeness: opinion, ratio, similarity.
pub(super) fn likeness(visit: &Visit, of: &Likeness) -> Markup {
    html! {
        (opinion(visit, of.opinion))
        p { (likelihood(visit, of.llr, of.is_bounded)) }
        p.quiet { (visit.text_with("identity-similarity-short", &[("n", similarity(visit, f64::from(of.similarity)).into())])) }
    }
}

/// Where the truth of a ratio lies.
pub(super) fn interval(visit: &Visit, of: &Likeness) -> String {
    let values = [("low", interval_end(visit, of.llr_low).into()), ("high", interval_end(visit, of.llr_high).into())];
    visit.text_with("ratio-interval", &values)
}

/// What a template rests on.
pub(super) fn quality(visit: &Visit, of: TemplateQuality) -> String {
    let values = [
        ("n", Value::Number(f64::from(of.n_embeddings))),
        ("spread", fixed(visit.language, f64::from(of.spread), 2).into()),
    ];
    visit.text_with(if of.n_embeddings == 1 { "identity-quality-one" } else { "identity-quality" }, &values)
}

/// What people said of two faces.
pub(super) fn verdict(visit: &Visit, of: &VerdictRecord) -> Markup {
    let key = match of.verdict {
        MatchVerdict::Same => "verdict-same",
        MatchVerdict::Different => "verdict-different",
    };
    html! {
        strong { (visit.text(key)) }
        p.quiet { (of.by) " · " (moment(visit, of.time)) }
        @if !of.note.is_empty() { p.note { (of.note) } }
    }
}

/// A small number with two significant digits.
pub(super) fn small(visit: &Visit, value: f64) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let digits = if value <= 0.0 { 0.0 } else { (1.0 - value.log10().floor()).clamp(0.0, 9.0) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let decimals = digits as usize;
    fixed(visit.language, value, decimals)
}

/// False matches to expect, with their interval and what stands behind them.
pub(super) fn expected(visit: &Visit, of: &FalseMatches) -> String {
    let key = match of.support {
        Support::Measured => "false-matches-measured",
        Support::Extrapolated => "false-matches-extrapolated",
        Support::Beyond => "false-matches-beyond",
    };
    let values = [
        ("expected", small(visit, of.expected).into()),
        ("low", small(visit, of.low).into()),
        ("high", small(visit, of.high).into()),
    ];
    visit.text_with(key, &values)
}

/// What stands behind a search.
pub(super) fn figures(visit: &Visit, of: &SearchFigures) -> Markup {
    let row = |key: &str, value: Markup| html! { div { dt { (visit.text(key)) } dd { (value) } } };
    let number = |value: usize| count(visit.language, value as u64);
    html! {
        section.card aria-labelledby="figures-title" {
            h2 id="figures-title" { (visit.text("figures-title")) }
            dl.facts {
                (row("figures-searched", html! { (number(of.n_searched)) }))
                (row("figures-threshold", html! { (similarity(visit, f64::from(of.threshold_similarity))) }))
                (row("figures-expected", html! { (expected(visit, &of.false_matches)) }))
                (row("figures-quality", html! { (quality(visit, of.quality)) }))
                (row("identity-calibration", html! { code.digest { (of.calibration) } }))
                @if of.n_other_model > 0 { (row("figures-other-model", html! { (number(of.n_other_model)) })) }
                @if of.n_unreadable > 0 { (row("figures-unreadable", html! { (number(of.n_unreadable)) })) }
            }
            p.quiet { (visit.text("figures-explained")) }
        }
    }
}
