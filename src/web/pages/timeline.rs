//! The timeline as SVG: how the evidence stood at each moment, what was not seen, and the stretches worth a look.
//!
//! Drawn here so that it reads without scripts, prints, and has one renderer for every range. Curves stand in boxes of their
//! own that stretch with the page, one unit a bucket; words and times stand outside of them and do not.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::scoring::{Level, LevelThresholds};
use crate::service::{Spread, Timeline, TimelineBucket, TimelineRange};
use crate::session::Segment;
use crate::signals::SignalName;
use crate::text::{clock_time, fixed, percent};
use crate::web::form::{encode, encode_value};
use crate::web::parts::{level_class, level_key, tenth};
use crate::web::visit::Visit;

use super::participant::MAX_LLR;

/// Buckets of a timeline: what a wide page can show, and small enough for a narrow one.
pub(super) const MAX_BUCKETS: usize = 360;
/// Height of a lane's curves, in their own units and in pixels.
const LANE: f64 = 40.0;
/// Height of a lane's name above its curves.
const NAME: f64 = 18.0;
/// From one lane to the next.
const STEP: f64 = 66.0;
/// Height of the bars of segments, with their name.
const BARS: f64 = 44.0;
/// Height of the times at the bottom.
const AXIS: f64 = 22.0;
/// Segments that are drawn one by one; more are drawn as stretches of a level.
const MAX_BARS: usize = 60;
/// Share of usable face time below which a moment counts as not seen.
const MIN_USABLE_RATIO: f64 = 0.1;
/// Rows of the table that says the same.
const TABLE_ROWS: usize = 40;

/// What a timeline is drawn of.
pub(super) struct Drawing<'a> {
    pub(super) visit: &'a Visit,
    /// Where the page is, without its query.
    pub(super) path: &'a str,
    /// Which participant; goes into every link.
    pub(super) participant: &'a str,
    pub(super) timeline: &'a Timeline,
    /// The participant's segments.
    pub(super) segments: &'a [Segment],
    /// Thresholds to draw; `None` when the score was made under other ones.
    pub(super) thresholds: Option<LevelThresholds>,
}

/// One curve's place and words.
struct Lane<'a> {
    /// Where its name begins.
    top: f64,
    /// Above it.
    name: &'a str,
    /// For those who do not see it.
    words: &'a str,
}

impl Drawing<'_> {
    /// The whole section.
    pub(super) fn section(&self) -> Markup {
        let visit = self.visit;
        let TimelineRange { from_secs, to_secs } = self.timeline.range;
        let all = self.timeline.all;
        html! {
            section.timeline id="timeline" aria-labelledby="timeline-title" data-from=(tenth(from_secs)) data-to=(tenth(to_secs))
                data-all-from=(tenth(all.from_secs)) data-all-to=(tenth(all.to_secs))
                data-json={ (self.path) "/timeline.json?" (self.query(self.timeline.range)) }
                data-part={ (self.path) "?part=timeline&participant=" (encode_value(self.participant)) } {
                div.section-head {
                    h2 id="timeline-title" { (visit.text("timeline-title")) }
                    (self.zoom_links())
                }
                @if self.timeline.buckets.is_empty() {
                    p.quiet { (visit.text("timeline-empty")) }
                } @else {
                    p.quiet { (visit.text("timeline-explained")) }
                    (self.picture())
                    (self.readout())
                    (self.legend())
                    (self.table())
                }
            }
        }
    }

    fn query(&self, range: TimelineRange) -> String {
        let (from, to) = (format!("{:.1}", range.from_secs), format!("{:.1}", range.to_secs));
        encode(&[("participant", self.participant), ("from", &from), ("to", &to)])
    }

    /// Links to other ranges; a script takes them over and stays on the page.
    fn zoom_links(&self) -> Markup {
        let visit = self.visit;
        let (range, all) = (self.timeline.range, self.timeline.all);
        let (secs, middle) = (range.secs(), f64::midpoint(range.from_secs, range.to_secs));
        let around = |middle: f64, secs: f64| {
            let from_secs = (middle - secs / 2.0).min(all.to_secs - secs).max(all.from_secs);
            TimelineRange { from_secs, to_secs: (from_secs + secs).min(all.to_secs) }
        };
        let is_whole = secs >= all.secs() - 0.05;
        let link = |zoom: &str, target: TimelineRange, key: &str, sign: &str, is_off: bool| {
            html! {
                a data-zoom=(zoom) href={ (self.path) "?" (self.query(target)) "#timeline" }
                    aria-label=(visit.text(key)) title=(visit.text(key)) aria-disabled=[is_off.then_some("true")] { (sign) }
            }
        };
        html! {
            div.zoom role="group" aria-label=(visit.text("zoom-label")) {
                (link("left", around(middle - secs / 2.0, secs), "zoom-left", "←", range.from_secs <= all.from_secs))
                (link("right", around(middle + secs / 2.0, secs), "zoom-right", "→", range.to_secs >= all.to_secs))
                (link("in", around(middle, (secs / 3.0).max(10.0).min(all.secs())), "zoom-in", "+", secs <= 10.0))
                (link("out", around(middle, (secs * 3.0).min(all.secs())), "zoom-out", "−", is_whole))
                (link("all", all, "zoom-all", &visit.text("zoom-all-short"), is_whole))
            }
        }
    }

    /// The signals that said anything in this range.
    fn lanes(&self) -> Vec<(usize, SignalName)> {
        let said = |index: usize| {
            self.timeline.buckets.iter().any(|bucket| bucket.llrs.get(index).is_some_and(Option::is_some))
        };
        SignalName::ALL.into_iter().enumerate().filter(|(index, _)| said(*index)).collect()
    }

    fn picture(&self) -> Markup {
        let visit = self.visit;
        let lanes = self.lanes();
        let lanes_height = STEP * (lanes.len() + 1) as f64;
        let height = BARS + lanes_height + AXIS;
        html! {
            div.picture id="timeline-picture" {
                svg.chart width="100%" height=(tenth(height)) role="group" aria-labelledby="timeline-title" {
                    defs {
                        pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                            rect.hatch width="2" height="6" {}
                        }
                        linearGradient id="for-against" gradientUnits="userSpaceOnUse" x1="0" y1="0" x2="0" y2=(tenth(LANE)) {
                            stop.for offset="50%" {}
                            stop.against offset="50%" {}
                        }
                    }
                    (self.bars())
                    (self.ticks(BARS, height))
                    (self.score_lane(BARS))
                    @for (row, (index, name)) in lanes.iter().enumerate() {
                        (self.signal_lane(*index, *name, BARS + STEP * (row + 1) as f64))
                    }
                    line.cursor id="timeline-cursor" x1="0" x2="0" y1="0" y2=(tenth(height - AXIS)) {}
                }
                input id="timeline-position" type="range" hidden min=(tenth(self.timeline.range.from_secs))
                    max=(tenth(self.timeline.range.to_secs)) step="0.1" value=(tenth(self.timeline.range.from_secs))
                    aria-label=(visit.text("timeline-position"));
            }
        }
    }

    /// The segments above the curves.
    fn bars(&self) -> Markup {
        let visit = self.visit;
        let range = self.timeline.range;
        let inside: Vec<_> = self
            .segments
            .iter()
            .filter(|segment| {
                segment.start.as_secs_f64() < range.to_secs && segment.end.as_secs_f64() >= range.from_secs
            })
            .collect();
        html! {
            text.lane-name x="0" y="13" { (visit.text("timeline-segments")) }
            rect.base x="0" y=(tenth(NAME)) width="100%" height="16" rx="2" {}
            @if inside.len() <= MAX_BARS {
                @for segment in inside {
                    @let (from, to) = (segment.start.as_secs_f64(), segment.end.as_secs_f64());
                    a href={ "#segment-" (segment.ordinal) } aria-label={
                        (visit.text("segment-title")) " " (segment.ordinal) ": " (visit.text(level_key(segment.level))) ", "
                        (clock_time(visit.language, from)) " – " (clock_time(visit.language, to))
                    } {
                        (self.bar(segment.level, from, to))
                    }
                }
            } @else {
                @for (level, from, to) in self.stretches(&inside) { (self.bar(level, from, to)) }
            }
        }
    }

    fn bar(&self, level: Level, from: f64, to: f64) -> Markup {
        let (x, end) = (self.share(from), self.share(to));
        html! {
            rect class={ "bar " (level_class(level)) } x=(percent_of(x)) y=(tenth(NAME)) width=(percent_of((end - x).max(0.004)))
                height="16" rx="2" {}
        }
    }

    /// Many segments as stretches: in each bucket the worst level, equal neighbours joined.
    fn stretches(&self, segments: &[&Segment]) -> Vec<(Level, f64, f64)> {
        let n_buckets = self.timeline.buckets.len();
        let bucket_secs = self.timeline.range.secs() / n_buckets.max(1) as f64;
        let edge = |number: usize| self.timeline.range.from_secs + number as f64 * bucket_secs;
        let mut found: Vec<(Level, f64, f64)> = Vec::new();
        for number in 0..n_buckets {
            let (from, to) = (edge(number), edge(number + 1));
            let within = |segment: &&&Segment| segment.start.as_secs_f64() < to && segment.end.as_secs_f64() >= from;
            let Some(level) = segments.iter().filter(within).map(|segment| segment.level).max() else { continue };
            match found.last_mut() {
                Some(last) if last.0 == level && last.2 >= from - bucket_secs * 0.01 => last.2 = to,
                _ => found.push((level, from, to)),
            }
        }
        found
    }

    /// Times at the bottom, with lines through every lane.
    fn ticks(&self, top: f64, height: f64) -> Markup {
        let range = self.timeline.range;
        let step = tick_secs(range.secs());
        let mut ticks = Vec::new();
        let mut at = (range.from_secs / step).ceil() * step;
        while at <= range.to_secs && ticks.len() < 20 {
            ticks.push(at);
            at += step;
        }
        html! {
            g.axis aria-hidden="true" {
                @for at in ticks {
                    @let x = self.share(at);
                    @let anchor = if x < 0.04 { "start" } else if x > 0.96 { "end" } else { "middle" };
                    line.tick x1=(percent_of(x)) x2=(percent_of(x)) y1=(tenth(top)) y2=(tenth(height - AXIS)) {}
                    text x=(percent_of(x)) y=(tenth(height - 6.0)) text-anchor=(anchor) { (self.tick_words(at)) }
                }
            }
        }
    }

    /// A time without tenths of seconds.
    fn tick_words(&self, at: f64) -> String {
        let words = clock_time(self.visit.language, at);
        words.rsplit_once(['.', ',']).map_or(words.clone(), |(whole, _)| whole.to_owned())
    }

    fn score_lane(&self, top: f64) -> Markup {
        let buckets = &self.timeline.buckets;
        let y = |value: f64| LANE - value.clamp(0.0, 1.0) * LANE;
        let band = steps(buckets, |bucket| bucket.interval.map(|(low, high)| (y(high), y(low))));
        let estimate = steps(buckets, |bucket| bucket.authenticity.map(|spread| (y(spread.max), y(spread.min))));
        let mean = line(buckets, |bucket| bucket.authenticity.map(|spread| y(spread.mean)));
        let lowest = buckets.iter().filter_map(|bucket| bucket.authenticity).map(|spread| spread.min).reduce(f64::min);
        let words = &self.lane_words("timeline-score", lowest.map(|lowest| fixed(self.visit.language, lowest, 2)));
        let thresholds = self.thresholds.map(|levels| [levels.clear_from, levels.suspicious_below, levels.alert_below]);
        let inner = html! {
            @for threshold in thresholds.into_iter().flatten() {
                line.threshold x1="0" x2=(buckets.len()) y1=(tenth(y(threshold))) y2=(tenth(y(threshold))) {}
            }
            path.interval d=(band) {}
            path.estimate d=(estimate) {}
            path.mean d=(mean) {}
        };
        let name = &self.visit.text("timeline-score");
        self.lane(&Lane { top, name, words }, |bucket| bucket.authenticity.is_none(), &inner)
    }

    fn signal_lane(&self, index: usize, name: SignalName, top: f64) -> Markup {
        let buckets = &self.timeline.buckets;
        let y = |llr: f64| LANE / 2.0 - llr.clamp(-MAX_LLR, MAX_LLR) / MAX_LLR * LANE / 2.0;
        let of = |bucket: &TimelineBucket| bucket.llrs.get(index).copied().flatten();
        let zero = LANE / 2.0;
        let area =
            steps(buckets, |bucket| of(bucket).map(|Spread { mean, .. }| (y(mean).min(zero), y(mean).max(zero))));
        let spread = steps(buckets, |bucket| of(bucket).map(|Spread { min, max, .. }| (y(max), y(min))));
        let mean = line(buckets, |bucket| of(bucket).map(|Spread { mean, .. }| y(mean)));
        let key = format!("signal-{}", name.as_str());
        let lowest = buckets.iter().filter_map(of).map(|spread| spread.min).reduce(f64::min);
        let words = &self.lane_words(&key, lowest.map(|lowest| fixed(self.visit.language, lowest, 1)));
        let inner = html! {
            path.area d=(area) fill="url(#for-against)" {}
            path.spread d=(spread) {}
            line.zero x1="0" x2=(buckets.len()) y1=(tenth(zero)) y2=(tenth(zero)) {}
            path.mean d=(mean) {}
        };
        let name = &self.visit.text(&key);
        self.lane(&Lane { top, name, words }, |bucket| of(bucket).is_none(), &inner)
    }

    /// A name, a box that stretches, and hatching where there was nothing to see or say.
    fn lane(&self, lane: &Lane<'_>, is_missing: impl Fn(&TimelineBucket) -> bool, inner: &Markup) -> Markup {
        let Lane { top, name, words } = lane;
        let n_buckets = self.timeline.buckets.len();
        let is_gap = |bucket: &TimelineBucket| {
            is_missing(bucket) || bucket.usable_ratio.is_none_or(|ratio| ratio < MIN_USABLE_RATIO)
        };
        let gaps = runs(&self.timeline.buckets, is_gap);
        let share = |number: usize| percent_of(number as f64 / n_buckets.max(1) as f64);
        html! {
            g role="img" aria-label=(words) {
                text.lane-name x="0" y=(tenth(top + 13.0)) { (name) }
                rect.base x="0" y=(tenth(top + NAME)) width="100%" height=(tenth(LANE)) {}
                @for (from, to) in gaps {
                    rect.gap x=(share(from)) y=(tenth(top + NAME)) width=(share(to - from)) height=(tenth(LANE)) fill="url(#hatch)" {}
                }
                svg x="0" y=(tenth(top + NAME)) width="100%" height=(tenth(LANE))
                    viewBox={ "0 0 " (n_buckets) " " (tenth(LANE)) } preserveAspectRatio="none" { (inner) }
            }
        }
    }

    fn lane_words(&self, key: &str, lowest: Option<String>) -> String {
        let name = self.visit.text(key);
        match lowest {
            Some(lowest) => self.visit.text_with("timeline-lane", &[("name", name.into()), ("lowest", lowest.into())]),
            None => self.visit.text_with("timeline-lane-empty", &[("name", name.into())]),
        }
    }

    /// What stands at the cursor; a script fills it in.
    fn readout(&self) -> Markup {
        let visit = self.visit;
        html! {
            dl.readout id="timeline-readout" hidden aria-live="off" {
                div { dt { (visit.text("timeline-at")) } dd data-lane="at" {} }
                div { dt { (visit.text("timeline-score")) } dd data-lane="score" {} }
                @for (_, name) in self.lanes() {
                    div { dt { (visit.text(&format!("signal-{}", name.as_str()))) } dd data-lane=(name.as_str()) {} }
                }
                div { dt { (visit.text("timeline-face")) } dd data-lane="face" {} }
            }
        }
    }

    fn legend(&self) -> Markup {
        let visit = self.visit;
        let silent: Vec<_> = SignalName::ALL
            .into_iter()
            .filter(|name| !self.lanes().iter().any(|(_, shown)| shown == name))
            .map(|name| visit.text(&format!("signal-{}", name.as_str())))
            .collect();
        html! {
            ul.legend {
                li { svg.key aria-hidden="true" { rect.for width="100%" height="100%" {} } (visit.text("legend-for")) }
                li { svg.key aria-hidden="true" { rect.against width="100%" height="100%" {} } (visit.text("legend-against")) }
                li { svg.key aria-hidden="true" { rect.gap width="100%" height="100%" fill="url(#hatch)" {} } (visit.text("legend-gap")) }
                @if self.thresholds.is_some() { li { (visit.text("legend-thresholds")) } }
            }
            @if !silent.is_empty() {
                p.quiet { (visit.text_with("timeline-silent", &[("names", silent.join(", ").into())])) }
            }
        }
    }

    /// The same in figures.
    fn table(&self) -> Markup {
        let visit = self.visit;
        let lanes = self.lanes();
        let per_row = self.timeline.buckets.len().div_ceil(TABLE_ROWS).max(1);
        html! {
            details.figures {
                summary { (visit.text("timeline-table")) }
                div.scroll tabindex="0" {
                    table {
                        thead {
                            tr {
                                th scope="col" { (visit.text("timeline-at")) }
                                th scope="col" { (visit.text("timeline-score-lowest")) }
                                @for (_, name) in &lanes { th scope="col" { (visit.text(&format!("signal-{}", name.as_str()))) } }
                                th scope="col" { (visit.text("timeline-face")) }
                            }
                        }
                        tbody {
                            @for (row, buckets) in self.timeline.buckets.chunks(per_row).enumerate() {
                                tr {
                                    th scope="row" { (self.tick_words(self.timeline.bucket_secs(row * per_row))) }
                                    td { (self.figure(lowest(buckets, |bucket| bucket.authenticity), 2)) }
                                    @for (index, _) in &lanes {
                                        td { (self.figure(lowest(buckets, |bucket| bucket.llrs.get(*index).copied().flatten()), 1)) }
                                    }
                                    td { (mean_usable(buckets).map_or("–".to_owned(), |ratio| percent(visit.language, ratio))) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn figure(&self, value: Option<f64>, decimals: usize) -> String {
        value.map_or("–".to_owned(), |value| fixed(self.visit.language, value, decimals))
    }

    /// Where a moment is, as a share of the width.
    fn share(&self, at: f64) -> f64 {
        let range = self.timeline.range;
        ((at - range.from_secs) / range.secs().max(f64::MIN_POSITIVE)).clamp(0.0, 1.0)
    }
}

fn lowest(buckets: &[TimelineBucket], value: impl Fn(&TimelineBucket) -> Option<Spread>) -> Option<f64> {
    buckets.iter().filter_map(value).map(|spread| spread.min).reduce(f64::min)
}

fn mean_usable(buckets: &[TimelineBucket]) -> Option<f64> {
    let ratios: Vec<f64> = buckets.iter().filter_map(|bucket| bucket.usable_ratio).collect();
    (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
}

/// A share as per cent with one decimal.
fn percent_of(share: f64) -> String {
    format!("{}%", tenth(share * 100.0))
}

/// Seconds between times at the bottom: at most eight of them.
fn tick_secs(secs: f64) -> f64 {
    const STEPS: [f64; 12] = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_200.0, 1_800.0];
    STEPS.into_iter().find(|step| secs / step <= 8.0).unwrap_or_else(|| (secs / 8.0 / 3_600.0).ceil() * 3_600.0)
}

/// Stretches of neighbours that are so, as first and one past the last.
fn runs<T>(items: &[T], is_so: impl Fn(&T) -> bool) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (number, _) in items.iter().enumerate().filter(|(_, item)| is_so(item)) {
        match found.last_mut() {
            Some(last) if last.1 == number => last.1 = number + 1,
            _ => found.push((number, number + 1)),
        }
    }
    found
}

/// An area between an upper and a lower edge, one step a bucket, as a path.
fn steps(buckets: &[TimelineBucket], edges: impl Fn(&TimelineBucket) -> Option<(f64, f64)>) -> String {
    let edges: Vec<Option<(i32, i32)>> =
        buckets.iter().map(|bucket| edges(bucket).map(|(top, bottom)| (tenths(top), tenths(bottom)))).collect();
    let mut path = String::new();
    for (from, to) in runs(&edges, Option::is_some) {
        let run = edges.get(from..to).unwrap_or_default();
        let Some(Some((top, _))) = run.first() else { continue };
        let _written = write!(path, "M{from} {}", in_units(*top));
        trace(&mut path, run.iter().flatten().map(|(top, _)| *top), 1);
        let bottoms: Vec<i32> = run.iter().flatten().map(|(_, bottom)| *bottom).collect();
        let _written = write!(path, "V{}", in_units(bottoms.last().copied().unwrap_or(*top)));
        trace(&mut path, bottoms.iter().rev().copied(), -1);
        path.push('z');
    }
    path
}

/// A line, one step a bucket, as a path.
fn line(buckets: &[TimelineBucket], value: impl Fn(&TimelineBucket) -> Option<f64>) -> String {
    let values: Vec<Option<i32>> = buckets.iter().map(|bucket| value(bucket).map(tenths)).collect();
    let mut path = String::new();
    for (from, to) in runs(&values, Option::is_some) {
        let run = values.get(from..to).unwrap_or_default();
        let Some(Some(first)) = run.first() else { continue };
        let _written = write!(path, "M{from} {}", in_units(*first));
        trace(&mut path, run.iter().flatten().copied(), 1);
    }
    path
}

/// Steps through `values` from where the pen is, one unit to the right or left for each; equal neighbours are one step.
fn trace(path: &mut String, values: impl Iterator<Item = i32>, direction: i32) {
    let (mut at, mut width) = (None, 0);
    for value in values {
        match at {
            Some(before) if before == value => width += direction,
            Some(before) => {
                let _written = write!(path, "h{width}v{}", in_units(value - before));
                (at, width) = (Some(value), direction);
            }
            None => (at, width) = (Some(value), direction),
        }
    }
    let _written = write!(path, "h{width}");
}

/// A coordinate in tenths, so that neighbours that look equal are equal.
#[expect(clippy::cast_possible_truncation, reason = "coordinates are clamped to a lane")]
fn tenths(value: f64) -> i32 {
    (value * 10.0).round() as i32
}

/// Tenths as units.
fn in_units(tenths: i32) -> String {
    let (sign, whole, rest) = (if tenths < 0 { "-" } else { "" }, tenths.abs() / 10, tenths.abs() % 10);
    match (whole, rest) {
        (whole, 0) => format!("{sign}{whole}"),
        (0, rest) => format!("{sign}.{rest}"),
        (whole, rest) => format!("{sign}{whole}.{rest}"),
    }
}

#[cfg(test)]
mod tests;
