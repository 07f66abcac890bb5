//! Likenesses, expectations and verdicts in words.

use maud::{Markup, html};

use crate::identity::{FalseMatches, Support};
use crate::service::ports::{MatchVerdict, TemplateKind, VerdictRecord};
use crate::service::{Likeness, Opinion, Relation, SceneAgreement, SearchFigures, TemplateQuality};
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

/// "About 400 times likelier one person than two", or one place.
pub(super) fn likelihood(visit: &Visit, kind: TemplateKind, llr: f64, is_bounded: bool) -> String {
    let prefix = match kind {
        TemplateKind::Face => "ratio",
        TemplateKind::Scene => "scene-ratio",
    };
    if llr.abs() < EVEN_RATIO.ln() {
        return visit.text(&format!("{prefix}-even"));
    }
    let key = match (llr > 0.0, is_bounded) {
        (true, false) => "one",
        (true, true) => "one-at-least",
        (false, false) => "two",
        (false, true) => "two-at-least",
    };
    visit.text_with(&format!("{prefix}-{key}"), &[("n", ratio(visit, llr).into())])
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
pub(super) fn opinion(visit: &Visit, kind: TemplateKind, opinion: Opinion) -> Markup {
    let (key, class) = match (kind, opinion) {
        (TemplateKind::Face, Opinion::Same) => ("opinion-same", "opinion same"),
        (TemplateKind::Face, Opinion::Different) => ("opinion-different", "opinion different"),
        (TemplateKind::Scene, Opinion::Same) => ("scene-opinion-same", "opinion same"),
        (TemplateKind::Scene, Opinion::Different) => ("scene-opinion-different", "opinion different"),
        (TemplateKind::Face | TemplateKind::Scene, Opinion::Unclear) => ("opinion-unclear", "opinion unclear"),
    };
    html! { strong class=(class) { (visit.text(key)) } }
}

/// How well two places agree: opinion, ratio, features.
pub(super) fn agreement(visit: &Visit, of: &SceneAgreement) -> Markup {
    let values = [
        ("n", similarity(visit, f64::from(of.score)).into()),
        ("features", count(visit.language, u64::from(of.n_matched)).into()),
    ];
    html! {
        (opinion(visit, TemplateKind::Scene, of.opinion))
        p { (likelihood(visit, TemplateKind::Scene, of.llr, of.is_bounded)) }
        p.quiet {
            (visit.text_with("scene-score", &values))
            @if of.is_mirrored { " · " (visit.text("scene-mirrored")) }
        }
    }
}

/// Whose a hit is.
pub(super) fn relation(visit: &Visit, relation: Relation) -> String {
    visit.text(match relation {
        Relation::SameCandidate => "relation-same",
        Relation::OtherCandidate => "relation-other",
        Relation::Unknown => "relation-unknown",
    })
}

/// A likeness: opinion, ratio, similarity.
pub(super) fn likeness(visit: &Visit, of: &Likeness) -> Markup {
    html! {
        (opinion(visit, TemplateKind::Face, of.opinion))
        p { (likelihood(visit, TemplateKind::Face, of.llr, of.is_bounded)) }
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

/// What a verdict on faces, or on the places behind them, is called.
pub(super) fn verdict_key(kind: TemplateKind, verdict: MatchVerdict) -> &'static str {
    match (kind, verdict) {
        (TemplateKind::Face, MatchVerdict::Same) => "verdict-same",
        (TemplateKind::Face, MatchVerdict::Different) => "verdict-different",
        (TemplateKind::Scene, MatchVerdict::Same) => "scene-verdict-same",
        (TemplateKind::Scene, MatchVerdict::Different) => "scene-verdict-different",
    }
}

/// What people said of two faces, or of the places behind them.
pub(super) fn verdict(visit: &Visit, kind: TemplateKind, of: &VerdictRecord) -> Markup {
    html! {
        strong { (visit.text(verdict_key(kind, of.verdict))) }
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
pub(super) fn expected(visit: &Visit, kind: TemplateKind, of: &FalseMatches) -> String {
    let key = match (kind, of.support) {
        (TemplateKind::Face, Support::Measured) => "false-matches-measured",
        (TemplateKind::Face, Support::Extrapolated) => "false-matches-extrapolated",
        (TemplateKind::Scene, Support::Measured) => "scene-false-matches-measured",
        (TemplateKind::Scene, Support::Extrapolated) => "scene-false-matches-extrapolated",
        (TemplateKind::Face | TemplateKind::Scene, Support::Beyond) => "false-matches-beyond",
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
                (row("figures-expected", html! { (expected(visit, TemplateKind::Face, &of.false_matches)) }))
                (row("figures-quality", html! { (quality(visit, of.quality)) }))
                (row("identity-calibration", html! { code.digest { (of.calibration) } }))
                @if of.n_other_model > 0 { (row("figures-other-model", html! { (number(of.n_other_model)) })) }
                @if of.n_unreadable > 0 { (row("figures-unreadable", html! { (number(of.n_unreadable)) })) }
            }
            p.quiet { (visit.text("figures-explained")) }
        }
    }
}
