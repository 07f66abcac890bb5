//! The load over time as a drawing: latencies above, frames below.

use crate::plot::{Legend, Panel, Plot};

use super::tally::{Second, Spread};

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 642.0;
const LEFT: f64 = 72.0;
const PANEL_WIDTH: f64 = 760.0;
const ABOVE: Panel = Panel { left: LEFT, top: 32.0, width: PANEL_WIDTH, height: 260.0 };
const BELOW: Panel = Panel { left: LEFT, top: 356.0, width: PANEL_WIDTH, height: 230.0 };
/// Least number of steps that an axis is cut into.
const MIN_STEPS: f64 = 4.0;

/// What a line is drawn of.
type Of<S, V> = fn(S) -> V;

/// Draws the seconds of a load.
pub(super) fn load_svg(seconds: &[Second]) -> String {
    let mut plot = Plot::new(WIDTH, HEIGHT);
    let time = Linear::until(seconds.last().map_or(1.0, |second| second.secs));
    let x_ticks = time.ticks();

    let latencies = Decades::around(seconds.iter().filter_map(|second| second.latency));
    plot.panel(ABOVE, ("", "latency, ms"), Legend::Outside);
    plot.grid(&x_ticks, &latencies.ticks());
    let quantiles: [(&str, Of<Spread, f64>); 3] =
        [("max", |spread| spread.max_millis), ("p99", |spread| spread.p99_millis), ("p50", |spread| spread.p50_millis)];
    for (name, of) in quantiles {
        plot.broken_line(
            name,
            seconds.iter().map(|second| Some((time.place(second.secs), latencies.place(of(second.latency?))))),
        );
    }

    let most = seconds.iter().map(|second| second.n_sent.max(second.n_acknowledged).max(second.n_dropped)).max();
    let frames = Linear::up_to(most.unwrap_or(1) as f64);
    plot.panel(BELOW, ("seconds", "frames a second"), Legend::Outside);
    plot.grid(&x_ticks, &frames.ticks());
    let counts: [(&str, Of<&Second, u64>); 3] = [
        ("sent", |second| second.n_sent),
        ("dropped by the server", |second| second.n_dropped),
        ("acknowledged", |second| second.n_acknowledged),
    ];
    for (name, of) in counts {
        plot.line(name, seconds.iter().map(|second| (time.place(second.secs), frames.place(of(second) as f64))));
    }
    plot.finish()
}

/// An axis from zero.
struct Linear {
    end: f64,
    step: f64,
}

impl Linear {
    /// An axis on which `most` has a place, cut into steps of 1, 2 or 5 times a power of ten.
    fn up_to(most: f64) -> Self {
        let most = if most.is_finite() { most.max(1.0) } else { 1.0 };
        let decade = 10_f64.powf((most / MIN_STEPS).log10().floor());
        let step = [5.0, 2.0, 1.0].into_iter().map(|part| part * decade).find(|step| most / step >= MIN_STEPS);
        let step = step.unwrap_or(decade);
        Self { end: (most / step).ceil() * step, step }
    }

    /// As [`Self::up_to`], but the axis ends where `most` is.
    fn until(most: f64) -> Self {
        let Self { step, .. } = Self::up_to(most);
        Self { end: if most.is_finite() { most.max(1.0) } else { 1.0 }, step }
    }

    fn place(&self, value: f64) -> f64 {
        value / self.end
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let values = (0..=100).map(|tick| f64::from(tick) * self.step);
        let values = values.take_while(|value| *value <= self.end * 1.000_001);
        values.map(|value| (self.place(value), format!("{}", (value * 1_000.0).round() / 1_000.0))).collect()
    }
}

/// A logarithmic axis over whole decades of milliseconds.
struct Decades {
    first: i32,
    last: i32,
}

impl Decades {
    fn around(spreads: impl Iterator<Item = Spread>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for spread in spreads {
            (low, high) = (low.min(spread.p50_millis), high.max(spread.max_millis));
        }
        if !(low.is_finite() && high.is_finite()) {
            return Self { first: 0, last: 3 };
        }
        #[expect(clippy::cast_possible_truncation, reason = "from a microsecond to an hour")]
        let decade = |millis: f64, round: fn(f64) -> f64| round(millis.max(1e-3).log10()) as i32;
        let first = decade(low, f64::floor);
        Self { first, last: decade(high, f64::ceil).max(first + 1) }
    }

    fn place(&self, millis: f64) -> f64 {
        (millis.max(1e-3).log10() - f64::from(self.first)) / f64::from(self.last - self.first)
    }

    fn ticks(&self) -> Vec<(f64, String)> {
        let within = |value: &f64| (-1e-9..=1.0 + 1e-9).contains(&self.place(*value));
        let decades = self.first..=self.last;
        let parts: &[f64] = if decades.clone().count() > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let values = decades.flat_map(|decade| parts.iter().map(move |part| part * 10_f64.powi(decade)));
        values
            .filter(within)
            .map(|value| (self.place(value), format!("{}", (value * 1_000.0).round() / 1_000.0)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Decades, Linear, Second, Spread, load_svg};

    fn second(secs: f64, latency: Option<(f64, f64, f64)>) -> Second {
        Second {
            secs,
            n_live: 4,
            n_ending: 0,
            n_sent: 60,
            n_acknowledged: 58,
            n_dropped: 2,
            n_refused: 0,
            n_errors: 0,
            latency: latency.map(|(p50_millis, p99_millis, max_millis)| Spread { p50_millis, p99_millis, max_millis }),
            server_cpu_secs: None,
            server_rss_bytes: None,
        }
    }

    #[test]
    fn axes_have_round_ticks_and_room_for_everything() {
        let labels = |ticks: Vec<(f64, String)>| ticks.into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(labels(Linear::up_to(60.0).ticks()), ["0", "10", "20", "30", "40", "50", "60"]);
        assert_eq!(labels(Linear::up_to(7.3).ticks()), ["0", "1", "2", "3", "4", "5", "6", "7", "8"]);
        assert_eq!(labels(Linear::until(34.0).ticks()), ["0", "5", "10", "15", "20", "25", "30"]);
        for most in [0.0, 1.0, 4.9, 33.0, 99.0, 1e5, f64::NAN] {
            let axis = Linear::up_to(most);
            let n_ticks = axis.ticks().len();
            assert!((4..=12).contains(&n_ticks), "{n_ticks} ticks for {most}");
            assert!(most.is_nan() || axis.place(most) <= 1.0, "{most}");
        }
        let spread = Spread { p50_millis: 12.0, p99_millis: 80.0, max_millis: 240.0 };
        let axis = Decades::around([spread].into_iter());
        assert_eq!(labels(axis.ticks()), ["10", "20", "50", "100", "200", "500", "1000"]);
        assert!(axis.place(12.0) >= 0.0 && axis.place(240.0) <= 1.0);
        let flat = Decades::around([Spread { p50_millis: 10.0, p99_millis: 10.0, max_millis: 10.0 }].into_iter());
        assert!(flat.last > flat.first);
    }

    #[test]
    fn every_line_is_drawn_and_seconds_without_answers_are_gaps() {
        let seconds = [
            second(1.0, Some((10.0, 30.0, 90.0))),
            second(2.0, Some((11.0, 31.0, 95.0))),
            second(3.0, None),
            second(4.0, Some((12.0, 32.0, 99.0))),
        ];
        let svg = load_svg(&seconds);
        for name in ["max", "p99", "p50", "sent", "acknowledged", "dropped by the server"] {
            assert!(svg.contains(&format!(">{name}</text>")), "{name}");
        }
        assert_eq!(svg.matches("stroke-width=").count(), 6);
        assert_eq!(svg.matches("h0").count(), 3, "the lonely fourth second of each latency is a dot");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let empty = load_svg(&[]);
        assert!(!empty.contains("NaN") && !empty.contains("inf"), "{empty}");
    }
}
