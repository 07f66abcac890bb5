//! The stretches worth a second look: reasons as sentences, stills, and what people said of each.

use crate::report::words::{Words, leading_reason};
use crate::scoring::SignalEvidence;
use crate::service::ReportContent;
use crate::service::ports::Mark;
use crate::session::{Segment, SegmentState, StillSubject};
use crate::text::clock_time;

use super::blocks::bullets;
use super::lines::{Run, wrap_at_most};
use super::palette::{BODY, HEADING, LABEL, MARGIN, MUTED, QUOTE, SMALL, SUBHEADING, WIDTH, level_color};
use super::shapes::level_sign;
use super::sheet::{Role, Sheet};
use super::stills::{Stills, strip, tell_gap};

/// Segments that are described; the attached JSON has more.
const MAX_SEGMENTS: usize = 100;
/// Reasons of one segment.
const MAX_REASONS: usize = 4;
/// From the margin to the text beside the sign.
const INDENT: f32 = 20.0;
const SIGN: f32 = 12.0;

/// Draws the chapter.
pub(super) fn draw(sheet: &mut Sheet, content: &ReportContent, stills: &Stills<'_>, words: Words) {
    sheet.part(Role::Section, |sheet| {
        sheet.heading_with(2, &words.get("segments"), HEADING, 80.0);
        sheet.skip(4.0);
        let chosen = choose(content);
        for segment in &chosen {
            of_segment(sheet, segment, content, words);
            strip(sheet, stills, &|still| still.segment == Some(segment.ordinal), MARGIN + INDENT, words);
            let subject = (&segment.participant_id, StillSubject::Segment(segment.ordinal));
            tell_gap(sheet, content, subject, MARGIN + INDENT, words);
            sheet.skip(6.0);
            sheet.rule(MARGIN, sheet.y, WIDTH);
            sheet.skip(8.0);
        }
        let n_left_out = content.n_segments.saturating_sub(chosen.len() as u64);
        if n_left_out > 0 {
            sheet.paragraph(&words.count("segments-left-out", n_left_out), BODY.colored(MUTED));
        }
        if content.n_segments == 0 {
            sheet.paragraph(&words.get("segments-none"), BODY);
        }
        sheet.skip(12.0);
    });
}

/// Those with a mark, then the worst, in order of time.
fn choose(content: &ReportContent) -> Vec<&Segment> {
    let is_marked = |segment: &Segment| content.review.marks.iter().any(|mark| mark.ordinal == segment.ordinal);
    let mut segments: Vec<&Segment> = content.segments.iter().collect();
    if segments.len() > MAX_SEGMENTS {
        segments.sort_by_key(|segment| (!is_marked(segment), std::cmp::Reverse(segment.level), segment.ordinal));
        segments.truncate(MAX_SEGMENTS);
    }
    segments.sort_by_key(|segment| segment.ordinal);
    segments
}

fn of_segment(sheet: &mut Sheet, segment: &Segment, content: &ReportContent, words: Words) {
    let number = words.with("segment", &[("number", segment.ordinal.to_string().into())]);
    let time = |time: crate::media::MediaTime| clock_time(words.0, time.as_secs_f64());
    let span = words.with("from-to", &[("start", time(segment.start).into()), ("end", time(segment.end).into())]);
    let level = words.level(segment.level);
    let who = words.with("segment-of", &[("who", segment.participant_id.as_str().into())]);
    let open = (segment.state == SegmentState::Open).then(|| format!(", {}", words.get("segment-open")));
    sheet.need(SUBHEADING.leading + 3.0 * SMALL.leading + 8.0);
    let top = sheet.y;
    sheet.artifact(|sheet| {
        level_sign(sheet, segment.level, (MARGIN, top + (SUBHEADING.leading - SIGN) / 2.0), SIGN);
    });
    let runs = [
        (format!("{number}  "), SUBHEADING),
        (format!("{level}  "), SUBHEADING.colored(level_color(segment.level))),
        (format!("{span}  "), BODY),
        (format!("{who}{}", open.unwrap_or_default()), LABEL),
    ];
    let drawn = runs.each_ref().map(|(text, style)| Run::new(text, *style));
    sheet.part(Role::Heading(3, format!("{number}: {level}, {span}")), |sheet| {
        sheet.say(&runs.iter().map(|run| run.0.as_str()).collect::<String>());
        for line in wrap_at_most(&drawn, WIDTH - INDENT, 3) {
            sheet.line_at(MARGIN + INDENT, sheet.y, &line);
            sheet.y += line.leading.max(SUBHEADING.leading);
        }
    });
    sheet.y += 2.0;
    let reasons = reasons(segment, words);
    if !reasons.is_empty() {
        bullets(sheet, &reasons, MARGIN + INDENT, WIDTH - INDENT);
    }
    said(sheet, content.review.marks.iter().find(|mark| mark.ordinal == segment.ordinal), words);
}

/// What each signal says, those that speak against first.
fn reasons(segment: &Segment, words: Words) -> Vec<Vec<Run>> {
    let mut signals: Vec<(&SignalEvidence, f64)> =
        segment.signals.iter().filter_map(|signal| Some((signal, signal.llr.filter(|llr| llr.is_finite())?))).collect();
    signals.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let sentence = |(signal, llr): (&SignalEvidence, f64)| {
        let reason = leading_reason(signal)?;
        Some(vec![
            Run::new(&format!("{} {}: ", words.signal(signal.name), words.llr(llr)), SMALL.bold()),
            Run::new(&words.reason(reason), SMALL),
        ])
    };
    // What speaks for a genuine person is told only where nothing speaks against.
    let n_against = signals.iter().filter(|(_, llr)| *llr < 0.0).count();
    signals.into_iter().filter_map(sentence).take(n_against.clamp(1, MAX_REASONS)).collect()
}

/// What a person said of it.
fn said(sheet: &mut Sheet, mark: Option<&Mark>, words: Words) {
    sheet.y += 2.0;
    let (x, width) = (MARGIN + INDENT, WIDTH - INDENT);
    let Some(mark) = mark else {
        let runs = [Run::new(&words.get("segment-unmarked"), SMALL.colored(MUTED))];
        sheet.part(Role::Paragraph, |sheet| sheet.flow(&runs, x, width));
        return;
    };
    let by = [("who", words.actor(&mark.by).into()), ("time", words.time(mark.time).into())];
    let runs = [
        Run::new(&format!("{}. ", words.mark(mark.verdict)), SMALL.bold()),
        Run::new(&words.with("marked-by", &by), SMALL.colored(MUTED)),
    ];
    sheet.part(Role::Paragraph, |sheet| sheet.flow(&runs, x, width));
    quote(sheet, &mark.note, x, width);
}

/// Somebody's own words.
pub(super) fn quote(sheet: &mut Sheet, note: &str, x: f32, width: f32) {
    if note.trim().is_empty() {
        return;
    }
    sheet.y += 1.0;
    sheet.part(Role::Quote, |sheet| {
        sheet.part(Role::Paragraph, |sheet| {
            sheet.say(note);
            sheet.flow(&[Run::new(note.trim(), QUOTE)], x, width);
        });
    });
}
