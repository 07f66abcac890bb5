//! Paths, and the shape of each level: none is told by its colour alone.

use crate::scoring::Level;

use super::palette::{Color, HAIRLINE, WHITE, level_color};
use super::sheet::{Op, Sheet};

/// Where a cubic's handles stand for a quarter of a circle.
const QUARTER: f32 = 0.552_285;

/// One step of an outline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    /// Begins somewhere.
    Move(f32, f32),
    /// A straight line.
    Line(f32, f32),
    /// A cubic curve: two handles and its end.
    Cubic([f32; 6]),
    /// Back to where it began.
    Close,
}

/// An outline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape(pub(super) Vec<Step>);

/// A rectangle.
pub(super) fn rect(x: f32, y: f32, width: f32, height: f32) -> Shape {
    polygon(&[(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
}

/// A rectangle with round corners.
pub(super) fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Shape {
    let radius = radius.min(width / 2.0).min(height / 2.0);
    let (right, bottom, handle) = (x + width, y + height, radius * (1.0 - QUARTER));
    Shape(vec![
        Step::Move(x + radius, y),
        Step::Line(right - radius, y),
        Step::Cubic([right - handle, y, right, y + handle, right, y + radius]),
        Step::Line(right, bottom - radius),
        Step::Cubic([right, bottom - handle, right - handle, bottom, right - radius, bottom]),
        Step::Line(x + radius, bottom),
        Step::Cubic([x + handle, bottom, x, bottom - handle, x, bottom - radius]),
        Step::Line(x, y + radius),
        Step::Cubic([x, y + handle, x + handle, y, x + radius, y]),
        Step::Close,
    ])
}

/// A circle.
pub(super) fn circle(x: f32, y: f32, radius: f32) -> Shape {
    rounded(x - radius, y - radius, 2.0 * radius, 2.0 * radius, radius)
}

/// A closed shape of straight sides.
pub(super) fn polygon(points: &[(f32, f32)]) -> Shape {
    let mut shape = polyline(points);
    shape.0.push(Step::Close);
    shape
}

/// An open line.
pub(super) fn polyline(points: &[(f32, f32)]) -> Shape {
    let step =
        |(number, (x, y)): (usize, &(f32, f32))| if number == 0 { Step::Move(*x, *y) } else { Step::Line(*x, *y) };
    Shape(points.iter().enumerate().map(step).collect())
}

/// The sign of a level in a square of `size` with its top left corner at `x`, `y`, drawn without saying what it is.
pub(super) fn level_sign(sheet: &mut Sheet, level: Level, (x, y): (f32, f32), size: f32) {
    let color = level_color(level);
    let at = |across: f32, down: f32| (x + across * size, y + down * size);
    let middle = at(0.5, 0.5);
    let bar = 0.11 * size;
    match level {
        Level::Clear => {
            sheet.fill(circle(middle.0, middle.1, size / 2.0), color);
            sheet.stroke(polyline(&[at(0.27, 0.53), at(0.43, 0.69), at(0.74, 0.35)]), WHITE, bar);
        }
        Level::Suspicious => {
            let corners = [at(0.5, 0.04), at(1.02, 0.95), at(-0.02, 0.95)];
            sheet.fill(polygon(&corners), color);
            sheet.stroke(polyline(&[at(0.5, 0.36), at(0.5, 0.65)]), WHITE, bar);
            let dot = at(0.5, 0.79);
            sheet.fill(circle(dot.0, dot.1, bar * 0.62), WHITE);
        }
        Level::Alert => {
            let corners = [
                at(0.29, 0.0),
                at(0.71, 0.0),
                at(1.0, 0.29),
                at(1.0, 0.71),
                at(0.71, 1.0),
                at(0.29, 1.0),
                at(0.0, 0.71),
                at(0.0, 0.29),
            ];
            sheet.fill(polygon(&corners), color);
            sheet.stroke(polyline(&[at(0.5, 0.22), at(0.5, 0.6)]), WHITE, bar * 1.15);
            let dot = at(0.5, 0.77);
            sheet.fill(circle(dot.0, dot.1, bar * 0.7), WHITE);
        }
        Level::Inconclusive => {
            sheet.fill(circle(middle.0, middle.1, size / 2.0), color);
            sheet.fill(circle(middle.0, middle.1, size / 2.0 - bar), WHITE);
            sheet.stroke(polyline(&[at(0.3, 0.5), at(0.7, 0.5)]), color, bar);
        }
    }
}

impl Sheet {
    /// Fills a shape.
    pub(super) fn fill(&mut self, shape: Shape, color: Color) {
        self.push(Op::Fill(shape, color));
    }

    /// Draws along a line.
    pub(super) fn stroke(&mut self, shape: Shape, color: Color, width: f32) {
        self.push(Op::Stroke(shape, color, width));
    }

    /// A hairline, as decoration.
    pub(super) fn rule(&mut self, x: f32, y: f32, width: f32) {
        self.artifact(|sheet| sheet.fill(rect(x, y - 0.25, width, 0.5), HAIRLINE));
    }
}
