//! ROC, DET, reliability and risk-coverage curves as SVG, readable in any browser and in a report.

use crate::plot::{Legend, Panel, Plot};

use super::metric::{Coverage, Ranking, ReliabilityBin};

const SIDE: f64 = 420.0;
const MARGIN: f64 = 56.0;
/// Error rates at the ends of the axes.
const ROC_LEAST: f64 = 1e-5;
const DET_RANGE: (f64, f64) = (1e-3, 0.6);
const ROC_TICKS: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];
const UNIT_TICKS: [f64; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
/// Guessing is wrong half of the time.
const RISK_RANGE: f64 = 0.5;
const DET_TICKS: [f64; 7] = [0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6];

/// One line of a plot.
pub(super) struct Curve<'a> {
    /// Legend.
    pub(super) name: &'a str,
    /// What is drawn.
    pub(super) ranking: &'a Ranking,
}

/// Bona fide accepted over attacks accepted, the latter on a logarithmic axis.
pub(super) fn roc_svg(curves: &[Curve<'_>]) -> String {
    let x = |rate: f64| (rate.max(ROC_LEAST).log10() - ROC_LEAST.log10()) / -ROC_LEAST.log10();
    let legend = Legend::Below(curves.len());
    let mut plot = square("attacks accepted (APCER, FMR)", "bona fide accepted (1 - BPCER)", legend);
    plot.grid(&ROC_TICKS.map(|rate| (x(rate), label(rate))), &UNIT_TICKS.map(|share| (share, label(share))));
    for curve in curves {
        plot.line(curve.name, curve.ranking.points().iter().map(|point| (x(point.apcer), 1.0 - point.bpcer)));
    }
    plot.finish()
}

/// Bona fide refused over attacks accepted, both on normal-deviate axes, as ISO/IEC 19795-1 draws it.
pub(super) fn det_svg(curves: &[Curve<'_>]) -> String {
    deviates_svg(curves, "attacks accepted (APCER, FMR)", "bona fide refused (BPCER, FNMR)")
}

/// Searches that miss over searches that give a false match, on the same axes.
pub(super) fn identification_svg(curves: &[Curve<'_>]) -> String {
    deviates_svg(curves, "searches with a false match (FPIR)", "enrolled people missed (FNIR)")
}

fn deviates_svg(curves: &[Curve<'_>], x_name: &str, y_name: &str) -> String {
    let (low, high) = (deviate(DET_RANGE.0), deviate(DET_RANGE.1));
    let place = |rate: f64| (deviate(rate.clamp(DET_RANGE.0, DET_RANGE.1)) - low) / (high - low);
    let ticks = DET_TICKS.map(|rate| (place(rate), label(rate)));
    let mut plot = square(x_name, y_name, Legend::Above);
    plot.grid(&ticks, &ticks);
    for curve in curves {
        plot.line(curve.name, curve.ranking.points().iter().map(|point| (place(point.apcer), place(point.bpcer))));
    }
    plot.finish()
}

/// Share that is bona fide over the probability that the ratios claim; the diagonal is honest. Larger dots are more trials.
pub(super) fn reliability_svg(curves: &[(&str, &[ReliabilityBin])]) -> String {
    let legend = Legend::Below(curves.len());
    let mut plot = square("claimed probability of bona fide, at even odds", "share that is bona fide", legend);
    plot.grid(&UNIT_TICKS.map(|share| (share, label(share))), &UNIT_TICKS.map(|share| (share, label(share))));
    plot.diagonal();
    for (name, bins) in curves {
        plot.dots(bins.iter().map(|bin| (bin.claimed, bin.observed, bin.weight)));
        plot.line(name, bins.iter().map(|bin| (bin.claimed, bin.observed)));
    }
    plot.finish()
}

/// Share answered wrongly over the share answered, the surest first.
pub(super) fn risk_coverage_svg(curves: &[(&str, &[Coverage])]) -> String {
    let mut plot = square("share of trials answered", "of those, answered wrongly", Legend::Above);
    let y_ticks = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5];
    plot.grid(&UNIT_TICKS.map(|share| (share, label(share))), &y_ticks.map(|risk| (risk / RISK_RANGE, label(risk))));
    for (name, points) in curves {
        plot.line(name, points.iter().map(|point| (point.coverage, point.risk / RISK_RANGE)));
    }
    plot.finish()
}

/// The normal deviate of a probability between 0 and 1.
///
/// # Source
/// Bisection on Abramowitz and Stegun 26.2.17, whose error of 7.5e-8 no plot shows.
fn deviate(probability: f64) -> f64 {
    let below = |x: f64| {
        let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
        let series =
            t * (0.319_381_53 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
        let tail = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt() * series;
        if x > 0.0 { 1.0 - tail } else { tail }
    };
    let (mut low, mut high) = (-6.0, 6.0);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        *(if below(middle) < probability { &mut low } else { &mut high }) = middle;
    }
    f64::midpoint(low, high)
}

fn label(rate: f64) -> String {
    if rate > 0.0 && rate < 1e-3 { format!("{rate:e}") } else { format!("{rate}") }
}

/// An empty square with named axes.
fn square(x_name: &str, y_name: &str, legend: Legend) -> Plot {
    let full = SIDE + 2.0 * MARGIN;
    let mut plot = Plot::new(full, full);
    plot.panel(Panel { left: MARGIN, top: MARGIN, width: SIDE, height: SIDE }, (x_name, y_name), legend);
    plot
}

#[cfg(test)]
mod tests {
    use super::{Curve, Ranking, det_svg, deviate, roc_svg};

    #[test]
    fn deviates_are_those_of_the_tables() {
        for (probability, expected) in [(0.5, 0.0), (0.975, 1.959_964), (0.001, -3.090_232), (0.158_655, -1.0)] {
            assert!((deviate(probability) - expected).abs() < 1e-4, "{probability}: {}", deviate(probability));
        }
    }

    #[test]
    fn every_curve_is_drawn_and_names_are_escaped() {
        let ranking = Ranking::new(&[0.1, 0.4, 0.5], &[0.3, 0.8, 0.9]).expect("both classes");
        let curves = [Curve { name: "a < b", ranking: &ranking }, Curve { name: "c", ranking: &ranking }];
        for svg in [roc_svg(&curves), det_svg(&curves)] {
            assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
            assert!(svg.contains("a &lt; b") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            assert_eq!(svg.matches("stroke-width=").count(), 2);
        }
    }

    #[test]
    fn claims_and_risks_are_drawn() {
        let bins = [(0.2, 0.1, 0.5), (0.8, 1.0, 0.5)].map(|(claimed, observed, weight)| super::ReliabilityBin {
            claimed,
            observed,
            weight,
        });
        let svg = super::reliability_svg(&[("shipped", &bins)]);
        assert_eq!((svg.matches("<circle").count(), svg.matches("stroke-width=").count()), (2, 1));
        let points = [(0.5, 0.0), (1.0, 0.1)].map(|(coverage, risk)| super::Coverage { coverage, risk });
        let svg = super::risk_coverage_svg(&[("shipped", &points), ("none", &[])]);
        assert_eq!(svg.matches("stroke-width=").count(), 2);
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn many_points_make_a_small_file() {
        let scores: Vec<f64> = (0..50_000).map(f64::from).collect();
        let ranking = Ranking::new(&scores, &scores).expect("both classes");
        let svg = roc_svg(&[Curve { name: "chance", ranking: &ranking }]);
        assert!(svg.len() < 40_000, "{} bytes", svg.len());
    }
}
