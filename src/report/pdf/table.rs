//! Tables: heads that come again on every page, rows that stay whole, and bars beside numbers.

use super::lines::{Line, Run, wrap_at_most};
use super::palette::{
    ACCENT, BOTTOM, Color, HAIRLINE, LABEL, MARGIN, MUTED, PANEL, SMALL, Style, TOP, WIDTH, level_color,
};
use super::shapes::{polyline, rect, rounded};
use super::sheet::{Role, Sheet};
use crate::scoring::Level;

/// Space within a cell, at each side.
const PAD_X: f32 = 5.0;
/// Space within a cell, above and below.
const PAD_Y: f32 = 4.0;
/// Height of the heads' row.
const HEAD_HEIGHT: f32 = LABEL.leading + 2.0 * PAD_Y - 1.0;
/// Lines of one cell: what is longer is cut off and says so.
const MAX_LINES: usize = 40;
/// Ratio at which a bar is full.
const FULL_LLR: f64 = 6.0;

/// A column.
pub(super) struct Column {
    /// Its head.
    pub(super) head: String,
    /// In points.
    pub(super) width: f32,
}

/// A cell.
#[derive(Default)]
pub(super) struct Cell {
    /// Text.
    pub(super) runs: Vec<Run>,
    /// A bar to the left or right of nothing, drawn below the first line: a log-likelihood ratio.
    pub(super) bar: Option<f64>,
    /// What it reads like where the typeface lacks characters.
    pub(super) actual: Option<String>,
}

impl Cell {
    /// A cell of plain text.
    pub(super) fn text(text: &str, style: Style) -> Self {
        let actual = super::drawable::lacks_glyphs(text).then(|| super::drawable::readable(text));
        Self { runs: vec![Run::new(text, style)], bar: None, actual }
    }
}

/// A table over the whole width.
pub(super) struct Table {
    /// What it is about, for those who cannot see it.
    pub(super) summary: String,
    /// From left to right.
    pub(super) columns: Vec<Column>,
    /// The first cell of each is the head of its row.
    pub(super) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Draws the table.
    pub(super) fn draw(&self, sheet: &mut Sheet) {
        sheet.part(Role::Table(self.summary.clone()), |sheet| {
            let rows: Vec<_> = self.rows.iter().map(|row| self.set(row)).collect();
            let first = rows.first().map_or(0.0, |(_, height)| *height);
            sheet.need(HEAD_HEIGHT + first.min(BOTTOM - TOP - HEAD_HEIGHT));
            sheet.part(Role::Row, |sheet| self.draw_head(sheet, IsContent::Yes));
            for (row, (lines, height)) in self.rows.iter().zip(&rows) {
                if sheet.need(*height) {
                    self.draw_head(sheet, IsContent::No);
                }
                sheet.part(Role::Row, |sheet| self.draw_row(sheet, row, lines));
                sheet.y += height;
                sheet.rule(MARGIN, sheet.y, WIDTH);
            }
        });
    }

    /// The lines of a row's cells, and its height.
    fn set(&self, row: &[Cell]) -> (Vec<Vec<Line>>, f32) {
        let lines: Vec<Vec<Line>> = row
            .iter()
            .zip(&self.columns)
            .map(|(cell, column)| wrap_at_most(&cell.runs, column.width - 2.0 * PAD_X, MAX_LINES))
            .collect();
        let height = |lines: &Vec<Line>| lines.iter().map(|line| line.leading).sum::<f32>();
        let tallest = lines.iter().map(height).fold(SMALL.leading, f32::max);
        (lines, tallest + 2.0 * PAD_Y)
    }

    /// Draws the heads; those of later pages are decoration, since they were said.
    fn draw_head(&self, sheet: &mut Sheet, is_content: IsContent) {
        let (top, height) = (sheet.y, HEAD_HEIGHT);
        sheet.artifact(|sheet| sheet.fill(rect(MARGIN, top, WIDTH, height), PANEL));
        let mut x = MARGIN;
        for column in &self.columns {
            let style = LABEL.bold().colored(MUTED);
            let lines = wrap_at_most(&[Run::new(&column.head, style)], column.width - 2.0 * PAD_X, 1);
            for line in &lines {
                let at = (x + PAD_X, top + PAD_Y - 0.5);
                match is_content {
                    IsContent::Yes => sheet.part(Role::ColumnHead, |sheet| sheet.line_at(at.0, at.1, line)),
                    IsContent::No => sheet.artifact(|sheet| sheet.text_at(at.0, at.1, line)),
                }
            }
            x += column.width;
        }
        sheet.y += height;
        sheet.rule(MARGIN, sheet.y, WIDTH);
    }

    fn draw_row(&self, sheet: &mut Sheet, row: &[Cell], lines: &[Vec<Line>]) {
        let (top, mut x) = (sheet.y + PAD_Y, MARGIN);
        for (number, ((cell, column), lines)) in row.iter().zip(&self.columns).zip(lines).enumerate() {
            let role = if number == 0 { Role::RowHead } else { Role::Cell };
            sheet.part(role, |sheet| {
                if let Some(actual) = &cell.actual {
                    sheet.actual_text(actual.clone());
                }
                let mut y = top;
                for line in lines {
                    sheet.line_at(x + PAD_X, y, line);
                    y += line.leading;
                }
            });
            if let Some(llr) = cell.bar {
                sheet.artifact(|sheet| llr_bar(sheet, (x + PAD_X + 28.0, top + SMALL.leading / 2.0), llr));
            }
            x += column.width;
        }
    }
}

#[derive(Clone, Copy)]
enum IsContent {
    Yes,
    No,
}

/// A bar from the middle: to the right for a genuine person, to the left for an attack.
fn llr_bar(sheet: &mut Sheet, (x, middle): (f32, f32), llr: f64) {
    const HALF: f32 = 24.0;
    const HEIGHT: f32 = 6.0;
    let zero = x + HALF;
    sheet.fill(rounded(x, middle - HEIGHT / 2.0, 2.0 * HALF, HEIGHT, 1.5), Color(0xe6, 0xea, 0xee));
    let length = super::points(HALF, (llr / FULL_LLR).clamp(-1.0, 1.0));
    let (left, color) = if length < 0.0 { (zero + length, level_color(Level::Alert)) } else { (zero, ACCENT) };
    if length.abs() > 0.2 {
        sheet.fill(rect(left, middle - HEIGHT / 2.0, length.abs(), HEIGHT), color);
    }
    sheet.stroke(polyline(&[(zero, middle - HEIGHT / 2.0 - 1.5), (zero, middle + HEIGHT / 2.0 + 1.5)]), HAIRLINE, 0.75);
}
