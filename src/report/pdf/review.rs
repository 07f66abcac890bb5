//! What people said, and who did what.

use crate::report::words::Words;
use crate::service::ReportContent;
use crate::service::ports::AuditRow;

use super::drawable::{lacks_glyphs, readable};
use super::lines::Run;
use super::palette::{BODY, HEADING, MARGIN, MUTED, SMALL, SUBHEADING, WIDTH};
use super::segments::quote;
use super::sheet::{Role, Sheet};
use super::table::{Cell, Column, Table};

/// Rows that are shown; the attached JSON has more.
const MAX_ROWS: usize = 120;
/// Details of one row, in characters.
const MAX_DETAILS: usize = 240;

/// Draws the chapter about the review.
pub(super) fn draw(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    let review = &content.review;
    sheet.part(Role::Section, |sheet| {
        sheet.heading(2, &words.get("review"), HEADING);
        sheet.skip(2.0);
        let assignee = match review.summary.assignee.as_str() {
            "" => words.get("assignee-none"),
            name => words.with("assignee", &[("who", name.into())]),
        };
        let mut state =
            vec![words.state(review.summary.state), assignee, words.second_reviewer(content.second_reviewer)];
        if review.summary.is_held {
            state.push(words.get("hold"));
        }
        sheet.paragraph(&state.join(" "), BODY);
        sheet.skip(8.0);
        if review.decisions.is_empty() {
            sheet.paragraph(&words.get("decisions-none"), BODY.colored(MUTED));
        } else {
            sheet.heading(3, &words.get("decisions"), SUBHEADING);
        }
        for decision in &review.decisions {
            sheet.need(BODY.leading * 3.0);
            let by = [("who", words.actor(&decision.by).into()), ("time", words.time(decision.time).into())];
            let runs = [
                Run::new(&format!("{}: ", words.decision(decision.kind)), BODY.bold()),
                Run::new(&format!("{}. ", words.decision_meaning(decision.kind)), BODY),
                Run::new(&words.with("decided-by", &by), BODY.colored(MUTED)),
            ];
            sheet.part(Role::Paragraph, |sheet| sheet.flow(&runs, MARGIN, WIDTH));
            quote(sheet, &decision.note, MARGIN + 12.0, WIDTH - 12.0);
            sheet.skip(6.0);
        }
        sheet.skip(12.0);
    });
}

/// Draws the chapter about the audit log.
pub(super) fn draw_log(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    sheet.part(Role::Section, |sheet| {
        sheet.heading_with(2, &words.get("audit"), HEADING, 90.0);
        sheet.skip(2.0);
        sheet.paragraph(&words.get("audit-intro"), BODY);
        sheet.skip(6.0);
        let shown = &content.audit[content.audit.len().saturating_sub(MAX_ROWS)..];
        let n_left_out = content.n_audit_rows.saturating_sub(shown.len() as u64);
        if n_left_out > 0 {
            sheet.paragraph(&words.count("audit-left-out", n_left_out), BODY.colored(MUTED));
            sheet.skip(4.0);
        }
        let heads = ["row", "time", "who", "what"].map(|head| words.get(&format!("column-{head}")));
        let widths = [44.0, 98.0, 120.0, WIDTH - 262.0];
        let columns = heads.into_iter().zip(widths).map(|(head, width)| Column { head, width }).collect();
        let rows = shown.iter().map(|row| cells(row, words)).collect();
        Table { summary: words.get("audit-summary"), columns, rows }.draw(sheet);
        sheet.skip(18.0);
    });
}

fn cells(row: &AuditRow, words: Words) -> Vec<Cell> {
    let event = &row.event;
    let failure = words.failure(event.outcome).map(|failure| format!(" ({failure})")).unwrap_or_default();
    let what = format!("{}{failure}", words.action(event.action));
    let details: Vec<String> = event.details.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    let mut details = details.join(", ");
    if let Some((at, _)) = details.char_indices().nth(MAX_DETAILS) {
        details.truncate(at);
        details.push('…');
    }
    let details = details.replace('\n', " ");
    let mut runs = vec![Run::new(&what, SMALL)];
    if !details.is_empty() {
        runs.push(Run::new(&format!("\n{details}"), super::palette::TINY));
    }
    let actual = lacks_glyphs(&details).then(|| readable(&format!("{what}, {details}")));
    vec![
        Cell::text(&row.sequence.to_string(), SMALL),
        Cell::text(&words.bare_time(event.time), SMALL),
        Cell::text(&words.actor(&event.actor.to_string()), SMALL),
        Cell { runs, bar: None, actual },
    ]
}
