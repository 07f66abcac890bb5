//! A stretch worth a second look: when, why, and what people said of it.

use maud::{Markup, html};

use crate::service::MAX_NOTE_BYTES;
use crate::service::ports::{Mark, MarkVerdict};
use crate::session::{Segment, SegmentState};
use crate::text::clock_time;
use crate::web::form::encode_value;
use crate::web::layout::token;
use crate::web::parts::{duration, level_badge, moment};
use crate::web::visit::Visit;

use super::participant::{llr_words, sentence, signal_name};

/// Signals that are said of a segment at most; the table of the participant has them all.
const MAX_SIGNALS: usize = 3;

/// What stands around a segment.
pub(super) struct SegmentPlace<'a> {
    /// The session's address.
    pub(super) path: &'a str,
    /// What somebody said of it, if anybody did.
    pub(super) mark: Option<&'a Mark>,
    /// Whether to say whose it is.
    pub(super) names_participant: bool,
    /// Whether the visitor may say something.
    pub(super) may_mark: bool,
    /// Its stills, or why there is none.
    pub(super) stills: Markup,
}

/// The segment.
pub(super) fn view(visit: &Visit, segment: &Segment, place: &SegmentPlace<'_>) -> Markup {
    let (from, to) = (segment.start.as_secs_f64(), segment.end.as_secs_f64());
    let clock = |secs| clock_time(visit.language, secs);
    let margin = ((to - from) * 0.5).clamp(5.0, 60.0);
    html! {
        article.segment id={ "segment-" (segment.ordinal) } data-from=(format!("{from:.1}")) data-to=(format!("{to:.1}"))
            aria-labelledby={ "segment-" (segment.ordinal) "-title" } {
            header {
                h3 id={ "segment-" (segment.ordinal) "-title" } {
                    (level_badge(visit, segment.level)) " "
                    (visit.text("segment-title")) " " (segment.ordinal)
                }
                p.when {
                    a data-zoom="to" href={ (place.path) "?participant=" (encode_value(segment.participant_id.as_str())) "&from="
                        (format!("{:.1}", from - margin)) "&to=" (format!("{:.1}", to + margin)) "#timeline" } {
                        (clock(from)) " – " (clock(to))
                    }
                    " · " (duration(visit, to - from))
                    @if segment.state == SegmentState::Open { " · " (visit.text("segment-open")) }
                    @if place.names_participant { " · " (segment.participant_id.as_str()) }
                }
            }
            (place.stills)
            (why(visit, segment))
            (said(visit, place.mark))
            @if place.may_mark { (form(visit, segment, place)) }
        }
    }
}

/// What speaks against the participant at the worst moment.
fn why(visit: &Visit, segment: &Segment) -> Markup {
    let mut against: Vec<_> = segment.signals.iter().filter(|signal| signal.llr.is_some_and(|llr| llr < 0.0)).collect();
    against.sort_by(|a, b| a.llr.unwrap_or(0.0).total_cmp(&b.llr.unwrap_or(0.0)));
    against.truncate(MAX_SIGNALS);
    html! {
        @if against.is_empty() {
            p.quiet { (visit.text("segment-no-signal")) }
        } @else {
            dl.why {
                @for signal in against {
                    dt { (signal_name(visit, signal)) span.quiet { " " (llr_words(visit, signal.llr)) } }
                    @for reason in &signal.reasons { dd { (sentence(visit, reason)) } }
                }
            }
        }
    }
}

/// A mark in words.
fn said(visit: &Visit, mark: Option<&Mark>) -> Markup {
    html! {
        @if let Some(mark) = mark {
            div class={ "mark " (mark.verdict.as_str()) } {
                p {
                    strong {
                        (visit.text(match mark.verdict {
                            MarkVerdict::Confirmed => "mark-confirmed",
                            MarkVerdict::Dismissed => "mark-dismissed",
                        }))
                    }
                    span.quiet { " · " (mark.by) " · " (moment(visit, mark.time)) }
                }
                @if !mark.note.is_empty() { p.note { (mark.note) } }
            }
        }
    }
}

fn form(visit: &Visit, segment: &Segment, place: &SegmentPlace<'_>) -> Markup {
    let ordinal = segment.ordinal;
    let is_now = |verdict| place.mark.is_some_and(|mark| mark.verdict == verdict);
    html! {
        form.mark-form method="post" action={ (place.path) "/segments/" (ordinal) } {
            (token(visit))
            details {
                summary { (visit.text("mark-note")) }
                label.hidden for={ "note-" (ordinal) } { (visit.text("mark-note")) }
                textarea id={ "note-" (ordinal) } name="note" rows="2" maxlength=(MAX_NOTE_BYTES) {
                    @if let Some(mark) = place.mark { (mark.note) }
                }
            }
            div.buttons role="group" aria-label=(visit.text_with("mark-group", &[("n", f64::from(ordinal).into())])) {
                button name="verdict" value=(MarkVerdict::Confirmed.as_str()) aria-pressed=[is_now(MarkVerdict::Confirmed).then_some("true")] {
                    (visit.text("mark-confirm"))
                }
                button name="verdict" value=(MarkVerdict::Dismissed.as_str()) aria-pressed=[is_now(MarkVerdict::Dismissed).then_some("true")] {
                    (visit.text("mark-dismiss"))
                }
            }
        }
    }
}
