//! Curves as SVG, readable in any browser and in a report, on light and on dark pages.
//!
//! In: places between 0 and 1 on the axes of a panel. Out: the text of a drawing. Deliberately not here: what is drawn.

use std::fmt::Write as _;

/// Height of a line of the legend.
const LEGEND_STEP: f64 = 16.0;
/// Width of a character of the legend, generously, and of the space between two names in a row.
const CHARACTER_WIDTH: f64 = 6.6;
const NAME_GAP: f64 = 20.0;
/// Distance in pixels below which a further point of a curve is not drawn.
const MIN_STEP: f64 = 0.7;
/// Radius of the dot of a bin with all the weight, by area.
const DOT_RADIUS: f64 = 14.0;
/// Distinguishable without red against green; on a light page, on a dark one.
const COLORS: [(&str, &str); 8] = [
    ("#0072b2", "#4aa8e0"),
    ("#d55e00", "#ff8c42"),
    ("#009e73", "#2fc79b"),
    ("#cc79a7", "#e39bc4"),
    ("#56b4e9", "#8fd0f7"),
    ("#e69f00", "#ffc145"),
    ("#595959", "#b0b0b0"),
    ("#8a6d00", "#d0b040"),
];

/// A drawing under way: panels one after the other, each with curves.
pub(crate) struct Plot {
    svg: String,
    panel: Panel,
    legend: Legend,
    /// Where the next name of the legend goes.
    name_at: (f64, f64),
    n_lines: usize,
}

/// Where the axes of a panel are, in pixels from the upper left corner of the drawing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Panel {
    /// The vertical axis.
    pub(crate) left: f64,
    /// The upper end of the vertical axis.
    pub(crate) top: f64,
    /// Length of the horizontal axis.
    pub(crate) width: f64,
    /// Length of the vertical axis.
    pub(crate) height: f64,
}

/// Where the curves of a panel leave room for their names.
#[derive(Clone, Copy)]
pub(crate) enum Legend {
    /// At the upper end.
    Above,
    /// At the lower end, for so many names.
    Below(usize),
    /// Nowhere: names stand side by side over the panel.
    Outside,
}

impl Plot {
    /// An empty drawing of a size in pixels.
    pub(crate) fn new(width: f64, height: f64) -> Self {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<style>.name{{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}}\
             @media (prefers-color-scheme:dark){{.paper{{fill:#16191d}}.name{{stroke:#16191d}}text{{fill:#d6dade}}\
             .grid{{stroke:#3b4148}}"
        );
        for (number, (_, dark)) in COLORS.iter().enumerate() {
            let _ = write!(svg, ".c{number}{{stroke:{dark}}}.f{number}{{fill:{dark}}}");
        }
        svg.push_str("}</style>\n<rect class=\"paper\" width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        Self { svg, panel: Panel::default(), legend: Legend::Above, name_at: (0.0, 0.0), n_lines: 0 }
    }

    /// Goes on with another panel, whose curves begin with the first colour.
    pub(crate) fn panel(&mut self, panel: Panel, (x_name, y_name): (&str, &str), legend: Legend) {
        let (x_middle, y_middle) = (panel.left + panel.width / 2.0, panel.top + panel.height / 2.0);
        let (below, beside) = (panel.top + panel.height + 44.0, panel.left - 40.0);
        let (x_name, y_name) = (escaped(x_name), escaped(y_name));
        let _ = writeln!(self.svg, "<text x=\"{x_middle}\" y=\"{below}\" text-anchor=\"middle\">{x_name}</text>");
        let _ = writeln!(
            self.svg,
            "<text transform=\"translate({beside} {y_middle}) rotate(-90)\" text-anchor=\"middle\">{y_name}</text>"
        );
        let inside = panel.left + panel.width - 10.0;
        self.name_at = match legend {
            Legend::Above => (inside, panel.top + LEGEND_STEP),
            Legend::Below(n_names) => (inside, panel.top + panel.height - LEGEND_STEP * n_names as f64),
            Legend::Outside => (panel.left, panel.top - 8.0),
        };
        self.legend = legend;
        self.panel = panel;
        self.n_lines = 0;
    }

    /// Ticks as (place 0..=1, label).
    pub(crate) fn grid(&mut self, x_ticks: &[(f64, String)], y_ticks: &[(f64, String)]) {
        let Panel { left, top, width, height } = self.panel;
        let (right, bottom) = (left + width, top + height);
        for (place, label) in x_ticks {
            let x = left + place * width;
            let _ = writeln!(self.svg, "<path class=\"grid\" d=\"M{x:.1} {top}V{bottom}\" stroke=\"#ddd\"/>");
            let y = bottom + 16.0;
            let _ = writeln!(self.svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>");
        }
        for (place, label) in y_ticks {
            let y = bottom - place * height;
            let _ = writeln!(self.svg, "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\" stroke=\"#ddd\"/>");
            let (x, y) = (left - 6.0, y + 4.0);
            let _ = writeln!(self.svg, "<text x=\"{x}\" y=\"{y:.1}\" text-anchor=\"end\">{label}</text>");
        }
    }

    /// A dashed line from corner to corner.
    pub(crate) fn diagonal(&mut self) {
        let ((left, bottom), (right, top)) = (self.place((0.0, 0.0)), self.place((1.0, 1.0)));
        let path = format!("M{left} {bottom}L{right} {top}");
        let _ = writeln!(self.svg, "<path class=\"grid\" d=\"{path}\" stroke=\"#999\" stroke-dasharray=\"5 5\"/>");
    }

    /// Dots of the next line: places 0..=1 from the lower left corner, and the share of the whole that each stands for.
    pub(crate) fn dots(&mut self, dots: impl Iterator<Item = (f64, f64, f64)>) {
        let (class, color) = self.color();
        for (x, y, weight) in dots {
            let (x, y) = self.place((x, y));
            let radius = DOT_RADIUS * weight.clamp(0.0, 1.0).sqrt();
            let _ = writeln!(
                self.svg,
                "<circle class=\"f{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" fill=\"{color}\" \
                 fill-opacity=\".35\"/>"
            );
        }
    }

    /// Points 0..=1 from the lower left corner.
    pub(crate) fn line(&mut self, name: &str, points: impl Iterator<Item = (f64, f64)>) {
        self.broken_line(name, points.map(Some));
    }

    /// As [`Self::line`], interrupted wherever there is no point.
    pub(crate) fn broken_line(&mut self, name: &str, points: impl Iterator<Item = Option<(f64, f64)>>) {
        let (class, color) = self.color();
        let mut path = Path::default();
        for point in points {
            match point {
                Some(point) => path.go_to(self.place(point)),
                None => path.interrupt(),
            }
        }
        path.interrupt();
        let _ = writeln!(
            self.svg,
            "<path class=\"c{class}\" d=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\" \
             stroke-linecap=\"round\"/>",
            path.text
        );
        let (x, y) = self.name_at;
        let (anchor, next) = match self.legend {
            Legend::Above | Legend::Below(_) => ("end", (x, y + LEGEND_STEP)),
            Legend::Outside => ("start", (x + CHARACTER_WIDTH * name.chars().count() as f64 + NAME_GAP, y)),
        };
        let name = escaped(name);
        let _ = writeln!(
            self.svg,
            "<text class=\"name f{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\" fill=\"{color}\">{name}</text>"
        );
        self.name_at = next;
        self.n_lines += 1;
    }

    /// The text of the drawing.
    pub(crate) fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }

    /// The next line's colour: its number, its name on a light page.
    fn color(&self) -> (usize, &'static str) {
        let number = self.n_lines % COLORS.len();
        (number, COLORS.get(number).map_or("black", |(light, _)| light))
    }

    /// Where a point 0..=1 from the panel's lower left corner is in the drawing.
    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let Panel { left, top, width, height } = self.panel;
        (left + x.clamp(0.0, 1.0) * width, top + (1.0 - y.clamp(0.0, 1.0)) * height)
    }
}

/// A curve as the text of an SVG path, without points that nobody would see.
#[derive(Default)]
struct Path {
    text: String,
    last: Option<(f64, f64)>,
    skipped: Option<(f64, f64)>,
    is_single: bool,
}

impl Path {
    fn go_to(&mut self, point: (f64, f64)) {
        match self.last {
            Some(last) if (point.0 - last.0).hypot(point.1 - last.1) < MIN_STEP => self.skipped = Some(point),
            _ => self.draw(point),
        }
    }

    fn draw(&mut self, point: (f64, f64)) {
        let verb = if self.last.is_none() { 'M' } else { 'L' };
        let _ = write!(self.text, "{verb}{:.1} {:.1}", point.0, point.1);
        self.is_single = self.last.is_none();
        (self.last, self.skipped) = (Some(point), None);
    }

    /// Ends this stretch; a point without a neighbour becomes a dot.
    fn interrupt(&mut self) {
        if let Some(point) = self.skipped {
            self.draw(point);
        }
        if self.is_single {
            self.text.push_str("h0");
        }
        (self.last, self.is_single) = (None, false);
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::{Legend, Panel, Plot};

    const PANEL: Panel = Panel { left: 50.0, top: 10.0, width: 100.0, height: 100.0 };

    fn drawn(points: &[Option<(f64, f64)>]) -> String {
        let mut plot = Plot::new(160.0, 160.0);
        plot.panel(PANEL, ("x", "y"), Legend::Above);
        plot.broken_line("a < b", points.iter().copied());
        plot.finish()
    }

    #[test]
    fn a_gap_interrupts_the_line_and_a_lonely_point_is_a_dot() {
        let svg = drawn(&[Some((0.0, 0.0)), Some((0.5, 1.0)), None, Some((1.0, 0.5)), None, None]);
        assert!(svg.contains("d=\"M50.0 110.0L100.0 10.0M150.0 60.0h0\""), "{svg}");
        assert!(svg.contains(">a &lt; b</text>"), "{svg}");
    }

    #[test]
    fn points_that_nobody_would_see_are_left_out_but_for_the_last() {
        let svg = drawn(&[Some((0.0, 0.0)), Some((0.001, 0.0)), Some((0.002, 0.0))]);
        assert!(svg.contains("d=\"M50.0 110.0L50.2 110.0\""), "{svg}");
    }

    #[test]
    fn every_colour_has_a_twin_for_dark_pages() {
        let svg = drawn(&[Some((0.0, 0.0))]);
        assert!(svg.contains("prefers-color-scheme:dark") && svg.contains(".c0{stroke:#4aa8e0}.f0{fill:#4aa8e0}"));
        assert!(svg.contains("class=\"c0\"") && svg.contains("class=\"name f0\""));
    }
}
