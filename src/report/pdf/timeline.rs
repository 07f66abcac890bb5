//! The score over time as a chart of each participant.

use crate::report::words::Words;
use crate::scoring::Authenticity;
use crate::service::ReportContent;
use crate::service::ports::{Timeline, TimelinePoint};
use crate::session::Segment;
use crate::text::clock_time;

use super::lines::{Run, wrap_at_most};
use super::palette::{
    ACCENT, ACCENT_TINT, BODY, HAIRLINE, HEADING, MARGIN, MUTED, PANEL, SUBHEADING, TINY, WHITE, WIDTH, level_color,
};
use super::shapes::{polygon, polyline, rect, rounded};
use super::sheet::{Role, Sheet};

/// Charts that are drawn; the attached JSON has all.
const MAX_CHARTS: usize = 8;
/// Height of the score's field.
const PLOT: f32 = 84.0;
/// Height of the segments' lane below it.
const LANE: f32 = 13.0;
/// Width left of the plot, for the scale.
const SCALE_WIDTH: f32 = 26.0;
/// Steps between ticks, in seconds.
const STEPS: [f64; 14] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0];
/// Ticks that are wanted at most.
const MAX_TICKS: f64 = 10.0;

/// Draws the chapter.
pub(super) fn draw(sheet: &mut Sheet, content: &ReportContent, words: Words) {
    sheet.part(Role::Section, |sheet| {
        sheet.heading_with(2, &words.get("timeline"), HEADING, 180.0);
        sheet.skip(2.0);
        sheet.paragraph(&words.get("timeline-intro"), BODY);
        sheet.skip(8.0);
        for timeline in content.timelines.iter().take(MAX_CHARTS) {
            chart(sheet, timeline, &content.segments, words);
        }
        if let Some(count) = content.timelines.len().checked_sub(MAX_CHARTS).filter(|count| *count > 0) {
            sheet.paragraph(&words.count("timeline-more", count as u64), BODY.colored(MUTED));
        }
        if content.timelines.is_empty() {
            sheet.paragraph(&words.get("nobody-why"), BODY);
        }
        sheet.skip(12.0);
    });
}

fn chart(sheet: &mut Sheet, timeline: &Timeline, segments: &[Segment], words: Words) {
    let who = timeline.participant_id.as_str();
    sheet.need(SUBHEADING.leading + 6.0 + PLOT + LANE + 30.0);
    let title = words.with("participant", &[("who", who.into())]);
    sheet.part(Role::Heading(3, title.clone()), |sheet| {
        sheet.say(&title);
        sheet.flow(&[Run::new(&title, SUBHEADING)], MARGIN, WIDTH);
    });
    sheet.y += 6.0;
    let points: Vec<&TimelinePoint> = timeline.points.iter().filter(|point| point.at_secs.is_finite()).collect();
    let own: Vec<&Segment> =
        segments.iter().filter(|segment| segment.participant_id == timeline.participant_id).collect();
    let is_scored = |point: &&&TimelinePoint| scored(point).is_some();
    let (Some(first), Some(last), Some(_)) = (points.first(), points.last(), points.iter().find(is_scored)) else {
        // An empty field would look like a score of nothing.
        let text = if points.is_empty() { words.get("timeline-none") } else { alt(&points, &own, who, words) };
        sheet.paragraph(&text, BODY.colored(MUTED));
        sheet.skip(8.0);
        return;
    };
    let start = first.at_secs.min(own.iter().map(|segment| segment.start.as_secs_f64()).fold(f64::INFINITY, f64::min));
    let end = last.at_secs.max(start + 1.0);
    let plot = Plot { x: MARGIN + SCALE_WIDTH, y: sheet.y, width: WIDTH - SCALE_WIDTH, start, end };
    sheet.part(Role::Figure(alt(&points, &own, who, words)), |sheet| {
        sheet.content(|sheet| {
            plot.grid(sheet, words);
            plot.scores(sheet, &points);
            plot.segments(sheet, &own);
        });
    });
    sheet.y += PLOT + LANE + 20.0;
}

/// The score of a point, if it had one.
fn scored(point: &TimelinePoint) -> Option<Authenticity> {
    point
        .authenticity
        .filter(|Authenticity { value, low, high }| value.is_finite() && low.is_finite() && high.is_finite())
}

/// The chart in words.
fn alt(points: &[&TimelinePoint], segments: &[&Segment], who: &str, words: Words) -> String {
    let time = |secs: f64| clock_time(words.0, secs);
    let ends = |point: Option<&&TimelinePoint>| time(point.map_or(f64::NAN, |point| point.at_secs));
    let mut values = vec![
        ("who", who.to_owned().into()),
        ("start", ends(points.first()).into()),
        ("end", ends(points.last()).into()),
    ];
    let value = |point: &&TimelinePoint| scored(point).map(|authenticity| authenticity.value);
    let lowest = points
        .iter()
        .filter(|point| value(point).is_some())
        .min_by(|a, b| value(a).unwrap_or(f64::NAN).total_cmp(&value(b).unwrap_or(f64::NAN)));
    let Some(lowest) = lowest else { return words.with("timeline-alt-none", &values) };
    let last = points.last().and_then(value).unwrap_or(f64::NAN);
    values.push(("last", words.ratio(last).into()));
    values.push(("lowest", words.ratio(value(lowest).unwrap_or(f64::NAN)).into()));
    values.push(("at", time(lowest.at_secs).into()));
    values.push(("count", (segments.len() as u64).into()));
    words.with("timeline-alt", &values)
}

/// A chart's field and its axis.
struct Plot {
    x: f32,
    y: f32,
    width: f32,
    start: f64,
    end: f64,
}

impl Plot {
    fn at(&self, secs: f64) -> f32 {
        self.x + super::points(self.width, ((secs - self.start) / (self.end - self.start)).clamp(0.0, 1.0))
    }

    fn of(&self, ratio: f64) -> f32 {
        self.y + PLOT - super::points(PLOT, ratio.clamp(0.0, 1.0))
    }

    fn grid(&self, sheet: &mut Sheet, words: Words) {
        sheet.fill(rect(self.x, self.y, self.width, PLOT), PANEL);
        for ratio in [0.0, 0.5, 1.0] {
            let y = self.of(ratio);
            sheet.stroke(polyline(&[(self.x, y), (self.x + self.width, y)]), HAIRLINE, 0.5);
            for line in wrap_at_most(&[Run::new(&crate::text::fixed(words.0, ratio, 1), TINY)], SCALE_WIDTH, 1) {
                sheet.text_at(self.x - 5.0 - line.width, y - TINY.leading / 2.0, &line);
            }
        }
        let span = self.end - self.start;
        let coarsest = (span / MAX_TICKS / 7_200.0).ceil() * 7_200.0;
        let step = STEPS.into_iter().find(|step| span / step <= MAX_TICKS).unwrap_or(coarsest);
        let mut tick = (self.start / step).ceil() * step;
        let bottom = self.y + PLOT + LANE;
        while tick <= self.end {
            let x = self.at(tick);
            sheet.stroke(polyline(&[(x, self.y), (x, bottom + 3.0)]), HAIRLINE, 0.5);
            let whole = clock_time(words.0, tick);
            // Ticks are whole seconds.
            let label = whole.rsplit_once(['.', ',']).map_or(whole.as_str(), |(secs, _)| secs);
            for line in wrap_at_most(&[Run::new(label, TINY)], 60.0, 1) {
                let left = (x - line.width / 2.0).min(self.x + self.width - line.width);
                sheet.text_at(left, bottom + 3.0, &line);
            }
            tick += step;
        }
    }

    /// Bands and lines of stretches with a score.
    fn scores(&self, sheet: &mut Sheet, points: &[&TimelinePoint]) {
        let mut stretch: Vec<(f32, Authenticity)> = Vec::new();
        for point in points {
            match scored(point) {
                Some(authenticity) => stretch.push((self.at(point.at_secs), authenticity)),
                None => self.stretch(sheet, &std::mem::take(&mut stretch)),
            }
        }
        self.stretch(sheet, &stretch);
    }

    fn stretch(&self, sheet: &mut Sheet, stretch: &[(f32, Authenticity)]) {
        let line: Vec<_> = stretch.iter().map(|(x, authenticity)| (*x, self.of(authenticity.value))).collect();
        let Some((x, y)) = line.first().copied() else { return };
        if line.len() == 1 {
            sheet.fill(super::shapes::circle(x, y, 1.5), ACCENT);
            return;
        }
        let upper = stretch.iter().map(|(x, authenticity)| (*x, self.of(authenticity.high)));
        let lower = stretch.iter().rev().map(|(x, authenticity)| (*x, self.of(authenticity.low)));
        sheet.fill(polygon(&upper.chain(lower).collect::<Vec<_>>()), ACCENT_TINT);
        sheet.stroke(polyline(&line), ACCENT, 1.3);
    }

    /// Bars, with their numbers where there is room.
    fn segments(&self, sheet: &mut Sheet, segments: &[&Segment]) {
        let top = self.y + PLOT + 2.0;
        let right_edge = self.x + self.width;
        for (place, segment) in segments.iter().enumerate() {
            let (left, right) = (self.at(segment.start.as_secs_f64()), self.at(segment.end.as_secs_f64()));
            let width = (right - left).max(2.5);
            let color = level_color(segment.level);
            sheet.fill(rounded(left, top, width, LANE - 3.0, 1.5), color);
            let next = segments.get(place + 1).map_or(right_edge, |next| self.at(next.start.as_secs_f64()));
            let style = TINY.bold().colored(WHITE);
            let number = Run::new(&segment.ordinal.to_string(), style);
            let size = style.face.width(&number.text, style.size);
            let (x, style) = if size + 4.0 <= width {
                (left + (width - size) / 2.0, style)
            } else if left + width + 3.0 + size < next {
                (left + width + 1.5, style.colored(color))
            } else {
                continue;
            };
            for line in wrap_at_most(&[Run { style, ..number }], size + 1.0, 1) {
                sheet.text_at(x, top - 0.2, &line);
            }
        }
    }
}
