//! What is said of one participant: the verdict in words, and what each signal has to say.

use maud::{Markup, html};

use crate::scoring::SignalEvidence;
use crate::service::ParticipantView;
use crate::text::{Value, fixed, percent, reason};
use crate::web::parts::{duration, level_badge, level_key, score_bar, tenth};
use crate::web::visit::Visit;

/// Log-likelihood ratios beyond this are drawn as if they were this.
pub(super) const MAX_LLR: f64 = 6.0;

/// The participant with the worst level, of several the least authentic.
pub(super) fn worst(participants: &[ParticipantView]) -> Option<&ParticipantView> {
    let value = |participant: &ParticipantView| participant.score.authenticity.map_or(1.0, |estimate| estimate.value);
    participants.iter().max_by(|a, b| a.score.level.cmp(&b.score.level).then_with(|| value(b).total_cmp(&value(a))))
}

/// The one sentence that says most: why the level is what it is, else what speaks most against the participant.
pub(super) fn headline(visit: &Visit, participant: &ParticipantView) -> Option<String> {
    let score = &participant.score;
    let against = score
        .signals
        .iter()
        .filter(|signal| signal.llr.is_some_and(|llr| llr < 0.0) && !signal.reasons.is_empty())
        .min_by(|a, b| a.llr.unwrap_or(0.0).total_cmp(&b.llr.unwrap_or(0.0)));
    let first = against.and_then(|signal| signal.reasons.first()).or_else(|| score.reasons.first())?;
    Some(reason(visit.language, first))
}

/// The verdict: level, estimate, what it means and what it does not.
pub(super) fn verdict(visit: &Visit, participant: &ParticipantView, is_only: bool) -> Markup {
    let score = &participant.score;
    let key = level_key(score.level);
    html! {
        section.verdict {
            @if !is_only { h3.participant { (visit.text("session-participant")) " " (participant.participant_id.as_str()) } }
            p.verdict-level { (level_badge(visit, score.level)) }
            p.verdict-words { (visit.text(&format!("{key}-means"))) }
            (score_bar(visit, score.level, score.authenticity))
            @if score.authenticity.is_some() { p.quiet { (visit.text("score-explained")) } }
            @if !score.reasons.is_empty() {
                ul.reasons {
                    @for why in &score.reasons { li { (sentence(visit, why)) } }
                }
            }
            p.quiet {
                (visit.text(&format!("{key}-means-not"))) " "
                (visit.text_with("session-face-time", &[("time", Value::from(duration(visit, score.usable_face_secs)))]))
            }
        }
    }
}

/// What each signal says, the one that says most against first.
pub(super) fn signals(visit: &Visit, evidence: &[SignalEvidence]) -> Markup {
    let mut sorted: Vec<_> = evidence.iter().collect();
    sorted.sort_by(|a, b| a.llr.unwrap_or(0.0).total_cmp(&b.llr.unwrap_or(0.0)));
    html! {
        div.scroll tabindex="0" {
            table.signals {
                caption.hidden { (visit.text("signals-title")) }
                thead {
                    tr {
                        th scope="col" { (visit.text("signals-name")) }
                        th scope="col" { (visit.text("signals-says")) }
                        th scope="col" { (visit.text("signals-seen")) }
                        th scope="col" { (visit.text("signals-why")) }
                    }
                }
                tbody {
                    @for signal in sorted {
                        tr {
                            th scope="row" { (signal_name(visit, signal)) }
                            td.llr { (llr_bar(signal.llr)) span { (llr_words(visit, signal.llr)) } }
                            td.number data-label=(visit.text("signals-seen")) { (percent(visit.language, signal.usable_ratio)) }
                            td {
                                @for why in &signal.reasons { p { (sentence(visit, why)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A signal's name for people.
pub(super) fn signal_name(visit: &Visit, signal: &SignalEvidence) -> String {
    visit.text(&format!("signal-{}", signal.name.as_str()))
}

/// A reason as a sentence that begins with a capital letter.
pub(super) fn sentence(visit: &Visit, why: &crate::signals::Reason) -> String {
    let words = reason(visit.language, why);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A log-likelihood ratio in words: which way, and how much.
pub(super) fn llr_words(visit: &Visit, llr: Option<f64>) -> String {
    let Some(llr) = llr.filter(|llr| llr.is_finite()) else { return visit.text("llr-none") };
    let key = match llr {
        ..-3.0 => "llr-strongly-against",
        -3.0..-0.7 => "llr-against",
        -0.7..=0.7 => "llr-neutral",
        0.7..=3.0 => "llr-for",
        _ => "llr-strongly-for",
    };
    let sign = if llr > 0.0 { "+" } else { "" };
    let number = format!("{sign}{}", fixed(visit.language, llr, 1)).replace('-', "\u{2212}");
    visit.text_with(key, &[("llr", Value::from(number))])
}

/// A log-likelihood ratio as a bar to the right (for) or left (against) of the middle.
fn llr_bar(llr: Option<f64>) -> Markup {
    let width = llr.filter(|llr| llr.is_finite()).map_or(0.0, |llr| llr.clamp(-MAX_LLR, MAX_LLR) / MAX_LLR * 40.0);
    let (x, class) = if width < 0.0 { (40.0 + width, "against") } else { (40.0, "for") };
    html! {
        svg.llr-bar viewBox="0 0 80 10" aria-hidden="true" {
            rect.track x="0" y="4" width="80" height="2" {}
            rect class=(class) x=(tenth(x)) y="1" width=(tenth(width.abs())) height="8" {}
            rect.zero x="39.5" y="0" width="1" height="10" {}
        }
    }
}
