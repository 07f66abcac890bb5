//! What several chapters are made of: lists and pairs of names and values.

use super::lines::{Line, Run, wrap, wrap_at_most};
use super::palette::{ACCENT, GUTTER, LABEL, MARGIN, SMALL, WIDTH};
use super::shapes::circle;
use super::sheet::{Role, Sheet};

/// From a bullet's left edge to its text.
const INDENT: f32 = 10.0;
/// Between two items.
const GAP: f32 = 2.0;
/// Width of a name beside its value.
const NAME_WIDTH: f32 = 74.0;
/// Lines of a value.
const MAX_VALUE_LINES: usize = 3;

/// A list with bullets.
pub(super) fn bullets(sheet: &mut Sheet, items: &[Vec<Run>], x: f32, width: f32) {
    sheet.part(Role::List, |sheet| {
        for runs in items {
            sheet.part(Role::Item, |sheet| item(sheet, runs, x, width));
        }
    });
}

fn item(sheet: &mut Sheet, runs: &[Run], x: f32, width: f32) {
    let lines = wrap(runs, width - INDENT);
    let leading = lines.first().map_or(SMALL.leading, |line| line.leading);
    // A few lines stay together.
    sheet.need(lines.iter().take(4).map(|line| line.leading).sum());
    let middle = sheet.y + leading / 2.0;
    sheet.artifact(|sheet| sheet.fill(circle(x + 3.0, middle, 1.5), ACCENT));
    sheet.part(Role::Body, |sheet| {
        for line in &lines {
            sheet.need(line.leading);
            sheet.line_at(x + INDENT, sheet.y, line);
            sheet.y += line.leading;
        }
    });
    sheet.y += GAP;
}

/// How high such a list is.
pub(super) fn bullets_height(items: &[Vec<Run>], width: f32) -> f32 {
    let height = |runs: &Vec<Run>| wrap(runs, width - INDENT).iter().map(|line| line.leading).sum::<f32>() + GAP;
    items.iter().map(height).sum()
}

/// Names and values in two columns, read row by row.
pub(super) fn key_values(sheet: &mut Sheet, summary: &str, pairs: &[(String, String)]) {
    let width = (WIDTH - GUTTER) / 2.0;
    sheet.part(Role::Table(summary.to_owned()), |sheet| {
        for row in pairs.chunks(2) {
            let set: Vec<(Vec<Line>, Vec<Line>)> = row
                .iter()
                .map(|(name, value)| {
                    let name = wrap_at_most(&[Run::new(name, LABEL)], NAME_WIDTH - 6.0, 2);
                    (name, wrap_at_most(&[Run::new(value, SMALL)], width - NAME_WIDTH, MAX_VALUE_LINES))
                })
                .collect();
            let n_lines = set.iter().map(|(name, value)| name.len().max(value.len())).max().unwrap_or(1);
            let height = SMALL.leading * f32::from(u8::try_from(n_lines).unwrap_or(u8::MAX)) + 5.0;
            sheet.need(height);
            let top = sheet.y;
            for (column, ((name_lines, value_lines), (_, value))) in (0_u8..).zip(set.iter().zip(row)) {
                let x = MARGIN + f32::from(column) * (width + GUTTER);
                sheet.part(Role::Row, |sheet| {
                    sheet.part(Role::RowHead, |sheet| stack(sheet, name_lines, x, top));
                    sheet.part(Role::Cell, |sheet| {
                        sheet.say(value);
                        stack(sheet, value_lines, x + NAME_WIDTH, top);
                    });
                });
                sheet.rule(x, top + height - 2.5, width);
            }
            sheet.y += height;
        }
    });
}

/// Lines below each other from `y` on.
pub(super) fn stack(sheet: &mut Sheet, lines: &[Line], x: f32, y: f32) {
    let mut y = y;
    for line in lines {
        sheet.line_at(x, y, line);
        y += line.leading;
    }
}
