//! Limits of the method, versions and digests, and how to check the report.

use std::collections::BTreeSet;

use crate::report::words::Words;
use crate::service::ReportContent;

use super::Attached;
use super::blocks::bullets;
use super::drawable::lacks_glyphs;
use super::lines::{Run, wrap};
use super::palette::{BODY, HEADING, MARGIN, MUTED, PANEL, SMALL, SUBHEADING, WIDTH};
use super::shapes::rounded;
use super::sheet::{Role, Sheet};
use super::table::{Cell, Column, Table};

/// Width of the names beside digests.
const NAME_WIDTH: f32 = 148.0;
/// Space around a command.
const PAD: f32 = 7.0;

/// Draws the chapter about the method.
pub(super) fn draw_limits(sheet: &mut Sheet, words: Words) {
    sheet.part(Role::Section, |sheet| {
        sheet.heading(2, &words.get("limits"), HEADING);
        sheet.skip(4.0);
        let limits: Vec<Vec<Run>> = words.limits().map(|limit| vec![Run::new(&limit, BODY)]).collect();
        bullets(sheet, &limits, MARGIN, WIDTH);
        sheet.skip(16.0);
    });
}

/// Draws the chapter about versions and digests.
pub(super) fn draw(sheet: &mut Sheet, content: &ReportContent, attached: &Attached<'_>, words: Words) {
    sheet.part(Role::Section, |sheet| {
        sheet.heading_with(2, &words.get("origins"), HEADING, 110.0);
        sheet.skip(2.0);
        sheet.paragraph(&words.get("origins-intro"), BODY);
        sheet.skip(6.0);
        let log_end = format!("{}:{}", content.log_end.sequence, content.log_end.hash);
        let rows = items(content, attached, &log_end, words)
            .into_iter()
            .map(|(name, value)| vec![Cell::text(&name, SMALL.colored(MUTED)), Cell::text(&value, SMALL)])
            .collect();
        let columns = vec![
            Column { head: words.get("column-item"), width: NAME_WIDTH },
            Column { head: words.get("column-value"), width: WIDTH - NAME_WIDTH },
        ];
        Table { summary: words.get("origins-summary"), columns, rows }.draw(sheet);
        sheet.skip(14.0);
        sheet.heading(3, &words.get("check"), SUBHEADING);
        sheet.skip(2.0);
        sheet.paragraph(&words.get("check-verify"), BODY);
        command(sheet, &format!("bonafide report verify . --public-key {}", attached.public_key));
        sheet.paragraph(&words.get("check-audit"), BODY);
        command(sheet, &format!("bonafide audit verify --contains {log_end}"));
        if has_boxes(content) {
            sheet.paragraph(&words.get("replaced"), BODY.colored(MUTED));
        }
    });
}

fn items(content: &ReportContent, attached: &Attached<'_>, log_end: &str, words: Words) -> Vec<(String, String)> {
    let named = |key: &str| words.get(&format!("origin-{key}"));
    let scores = || content.session.participants.iter().map(|participant| &participant.score);
    let mut items = vec![(named("made-by"), content.engine.clone())];
    let programs: BTreeSet<&str> =
        scores().map(|score| score.engine.as_ref()).filter(|name| !name.is_empty()).collect();
    items.extend(programs.into_iter().map(|program| (named("scored-by"), program.to_owned())));
    let mut policies: BTreeSet<&str> = scores().map(|score| score.policy.as_str()).collect();
    policies.insert(&content.session.policy);
    items.extend(policies.into_iter().map(|policy| (named("policy"), policy.to_owned())));
    let models: BTreeSet<&str> =
        scores().flat_map(|score| &score.signals).filter_map(|signal| signal.model.as_deref()).collect();
    for model in models {
        let (name, digest) = model.split_once('@').unwrap_or((model, ""));
        let name = name.strip_prefix("models/").unwrap_or(name);
        items.push((words.with("origin-model", &[("name", name.into())]), digest.to_owned()));
    }
    let entries = crate::text::count(words.0, content.journal.n_entries);
    let journal = words.with("origin-journal", &[("entries", entries.into())]);
    items.push((journal, content.journal.sha256.to_string()));
    for still in &content.stills {
        let number = || [("number", still.ordinal.to_string().into())];
        items.push((words.with("origin-still", &number()), still.frame.sha256.to_string()));
        if let Some(chip) = &still.chip {
            items.push((words.with("origin-chip", &number()), chip.sha256.to_string()));
        }
    }
    items.push((named("audit"), log_end.to_owned()));
    items.push((named("content"), attached.content_sha256.to_string()));
    items.push((named("json"), attached.json_sha256.to_string()));
    items.push((named("key"), attached.public_key.to_owned()));
    items
}

/// Something to type.
fn command(sheet: &mut Sheet, text: &str) {
    let lines = wrap(&[Run::new(text, SMALL)], WIDTH - 2.0 * PAD);
    let height = lines.iter().map(|line| line.leading).sum::<f32>() + 8.0;
    sheet.y += 2.0;
    sheet.need(height);
    let top = sheet.y;
    sheet.artifact(|sheet| sheet.fill(rounded(MARGIN, top, WIDTH, height, 2.5), PANEL));
    sheet.part(Role::Paragraph, |sheet| {
        sheet.part(Role::Code, |sheet| super::blocks::stack(sheet, &lines, MARGIN + PAD, top + 4.0));
    });
    sheet.y = top + height + 6.0;
}

/// Whether any text of the report has characters that the typeface lacks.
fn has_boxes(content: &ReportContent) -> bool {
    let session = &content.session;
    let notes = content.review.decisions.iter().map(|decision| decision.note.as_str());
    let marks = content.review.marks.iter().map(|mark| mark.note.as_str());
    let people = session.participants.iter().map(|participant| participant.participant_id.as_str());
    let fields = [session.display_name.as_str(), &session.external_ref, &session.consent_reference];
    let labels = session.labels.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
    let details = content.audit.iter().flat_map(|row| row.event.details.values().map(String::as_str));
    fields.into_iter().chain(labels).chain(people).chain(notes).chain(marks).chain(details).any(lacks_glyphs)
}
