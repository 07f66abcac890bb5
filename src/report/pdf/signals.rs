//! What each signal measured, as a table of each participant.

use crate::report::words::Words;
use crate::scoring::SignalEvidence;
use crate::service::{ParticipantView, ReportContent};
use crate::text::percent;

use super::lines::Run;
use super::palette::{BODY, HEADING, MARGIN, MUTED, SMALL, SUBHEADING, TINY, WIDTH};
use super::sheet::{Role, Sheet};
use super::table::{Cell, Column, Table};

/// Participants with a table; the attached JSON has all.
const MAX_TABLES: usize = 16;
/// Reasons of one signal.
const MAX_REASONS: usize = 6;

/// Draws the chapter.
pub(super) fn draw(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    if content.session.participants.is_empty() {
        return;
    }
    sheet.part(Role::Section, |sheet| {
        sheet.heading_with(2, &words.get("signals"), HEADING, 170.0);
        sheet.skip(2.0);
        sheet.paragraph(&words.get("signals-intro"), BODY);
        sheet.skip(8.0);
        for participant in content.session.participants.iter().take(MAX_TABLES) {
            of_participant(sheet, participant, words);
        }
        sheet.skip(8.0);
    });
}

fn of_participant(sheet: &mut Sheet, participant: &ParticipantView, words: Words) {
    let who = participant.participant_id.as_str();
    let title = words.with("participant", &[("who", who.into())]);
    let title = format!("{title}: {}", words.level(participant.score.level));
    sheet.need(SUBHEADING.leading + 90.0);
    sheet.part(Role::Heading(3, title.clone()), |sheet| {
        sheet.say(&title);
        sheet.flow(&[Run::new(&title, SUBHEADING)], MARGIN, WIDTH);
    });
    sheet.y += 4.0;
    let own: Vec<Vec<Run>> =
        participant.score.reasons.iter().map(|reason| vec![Run::new(&words.sentence(reason), SMALL)]).collect();
    if !own.is_empty() {
        super::blocks::bullets(sheet, &own, MARGIN, WIDTH);
        sheet.y += 4.0;
    }
    let heads = ["signal", "llr", "usable", "reasons"].map(|head| words.get(&format!("column-{head}")));
    let widths = [128.0, 96.0, 56.0, WIDTH - 280.0];
    let columns = heads.into_iter().zip(widths).map(|(head, width)| Column { head, width }).collect();
    let rows = participant.score.signals.iter().map(|signal| row(signal, words)).collect();
    Table { summary: words.with("signals-summary", &[("who", who.into())]), columns, rows }.draw(sheet);
    sheet.skip(12.0);
}

fn row(signal: &SignalEvidence, words: Words) -> Vec<Cell> {
    let name = vec![
        Run::new(&format!("{}\n", words.signal(signal.name)), SMALL.bold()),
        Run::new(&words.about_signal(signal.name), TINY),
    ];
    let llr = match signal.llr.filter(|llr| llr.is_finite()) {
        Some(llr) => Cell { runs: vec![Run::new(&words.llr(llr), SMALL.bold())], bar: Some(llr), actual: None },
        None => Cell::text(&words.get("not-measured"), SMALL.colored(MUTED)),
    };
    // What was not measured had no usable share, which is not the same as a share of nothing.
    let is_measured = llr.bar.is_some() && signal.usable_ratio.is_finite();
    let usable = if is_measured { percent(words.0, signal.usable_ratio) } else { words.get("none") };
    let mut reasons = Vec::new();
    for reason in signal.reasons.iter().take(MAX_REASONS) {
        let text = words.sentence(reason);
        reasons.push(Run::new(&if reasons.is_empty() { text } else { format!("\n{text}") }, SMALL));
    }
    vec![
        Cell { runs: name, ..Cell::default() },
        llr,
        Cell::text(&usable, SMALL),
        Cell { runs: reasons, ..Cell::default() },
    ]
}
