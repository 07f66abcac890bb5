//! Error rates as Markdown tables, the same for images and sessions.

use std::fmt::Write as _;

use super::output::{figure, percent};
use super::trial::{COVERAGES, Estimate, Figures, Share};

/// One column a set of figures, one row a figure.
pub(super) fn headline(columns: &[(&str, &Figures)]) -> String {
    let mut text = String::from("| figure |");
    for (name, _) in columns {
        let _ = write!(text, " {name} |");
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(columns.len()));
    text.push('\n');
    let mut row = |name: &str, value: &dyn Fn(&Figures) -> String| {
        let _ = write!(text, "| {name} |");
        for (_, figures) in columns {
            let _ = write!(text, " {} |", value(figures));
        }
        text.push('\n');
    };
    let estimate = |estimate: Estimate| figure(estimate.value, estimate.interval);
    row("AUC", &|figures| estimate(figures.auc));
    row("EER", &|figures| estimate(figures.eer));
    for (index, name) in ["BPCER @ APCER 10 %", "BPCER @ APCER 5 %", "BPCER @ APCER 1 %"].into_iter().enumerate() {
        row(name, &|figures| figures.bpcer_at_apcer.get(index).map_or_else(String::new, |rate| estimate(rate.bpcer)));
    }
    row("APCER at llr 0, worst kind", &|figures| worst(&figures.apcer_at_even_ratio));
    row("BPCER at llr 0", &|figures| all(&figures.bpcer_at_even_ratio));
    row("APNRR (attacks not assessable)", &|figures| all(&figures.apnrr));
    row("BPNRR (bona fide not assessable)", &|figures| all(&figures.bpnrr));
    row("Cllr", &|figures| estimate(figures.cllr));
    row("minimum Cllr", &|figures| estimate(figures.min_cllr));
    row("expected calibration error", &|figures| estimate(figures.expected_calibration_error));
    for (index, coverage) in COVERAGES.into_iter().enumerate() {
        let name = format!("wrong when the surest {:.0} % are answered", coverage * 100.0);
        row(&name, &|figures| figures.risk_at_coverage.get(index).map_or_else(none, |point| percent(point.risk, None)));
    }
    row("ACER at llr 0, for published tables only", &|figures| {
        figures.acer_at_even_ratio.map_or_else(none, |acer| percent(acer, None))
    });
    let n_groups: Vec<String> = columns.iter().map(|(_, figures)| figures.n_groups.to_string()).collect();
    let _ = writeln!(
        text,
        "\nIntervals are 95 %: bootstrap over groups ({}) for the first and last figures, exact for shares.\n\
         Non-responses are in their own rates and in no other.",
        n_groups.join(", ")
    );
    text
}

/// One row a species or source.
pub(super) fn by_species(figures: &Figures, caption: &str) -> String {
    let mut text = format!("| {caption} | APCER at llr 0 | BPCER at llr 0 | APNRR | BPNRR |\n|---|---|---|---|---|\n");
    let columns = [&figures.apcer_at_even_ratio, &figures.bpcer_at_even_ratio, &figures.apnrr, &figures.bpnrr];
    let mut names: Vec<&str> = columns.iter().flat_map(|shares| shares.iter().map(|share| share.of.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    names.sort_by_key(|name| *name == "all");
    for name in names {
        let _ = write!(text, "| {name} |");
        for shares in columns {
            let cell = shares.iter().find(|share| share.of == name).map_or_else(none, share_text);
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    text
}

fn none() -> String {
    "–".to_owned()
}

/// A share with interval and counts.
pub(super) fn share_text(share: &Share) -> String {
    let value = share.share.map_or_else(|| "–".to_owned(), |value| percent(value, share.interval));
    format!("{value}, {} of {}", share.n_hits, share.n_trials)
}

fn all(shares: &[Share]) -> String {
    shares.iter().find(|share| share.of == "all").map_or_else(none, share_text)
}

fn worst(shares: &[Share]) -> String {
    let kinds = shares.iter().filter(|share| share.of != "all");
    let worst = kinds.max_by(|a, b| a.share.unwrap_or(-1.0).total_cmp(&b.share.unwrap_or(-1.0)));
    worst.map_or_else(|| "–".to_owned(), |share| format!("{}: {}", share.of, share_text(share)))
}
