//! The report of a passive model.

use std::fmt::Write as _;

use serde_json::json;

use crate::eval::detector::Detector;
use crate::eval::manifest::Item;
use crate::eval::output::{EvalReport, versions};
use crate::eval::plot::{Curve, det_svg, reliability_svg, risk_coverage_svg, roc_svg};
use crate::eval::run::Bench;
use crate::eval::strata::{Stratification, table};
use crate::eval::table::{by_species, headline};
use crate::eval::trial::{Figures, Trial};

/// What is reported on.
pub(super) struct Evaluated {
    /// The manifest's items.
    pub(super) items: Vec<Item>,
    /// Each item's score by the shipped calibration.
    pub(super) trials: Vec<Trial>,
    /// The same by a calibration on every capture set but the item's own.
    pub(super) left_out: Option<Vec<Trial>>,
    /// Rates by what the pictures are like.
    pub(super) strata: Vec<Stratification>,
}

/// Puts all figures together.
pub(super) fn write(bench: &Bench<'_>, detector: Detector, evaluated: &Evaluated) -> EvalReport {
    let Evaluated { items, trials, left_out, strata } = evaluated;
    let figures = Figures::of(trials);
    let crossed = left_out.as_deref().map(Figures::of);
    let mut text = format!("# {}\n\n", detector.title);
    let _ = writeln!(
        text,
        "{} bona fide and {} attack items. An image is one frame: the signal of a session averages over at least three \
         seconds.\nA ratio (llr) comes from the calibration of {}.\n",
        figures.n_bona_fide,
        figures.n_attack,
        bench.policy.name()
    );
    let n_held_out = items.iter().filter(|item| item.held_out.is_some()).count();
    if n_held_out > 0 {
        let _ = writeln!(
            text,
            "The model was trained on {n_held_out} of them: these have the logit of a model that was not, as the manifest \
             says it.\n"
        );
    }
    let mut columns = vec![("shipped calibration", &figures)];
    columns.extend(crossed.as_ref().map(|figures| ("calibrated on the other sets", figures)));
    text.push_str(&headline(&columns));
    text.push_str("\n## By set\n\n");
    text.push_str(&by_species(&figures, "shipped calibration"));
    if let Some(crossed) = &crossed {
        text.push('\n');
        text.push_str(&by_species(crossed, "calibrated on the other sets"));
    }
    let sets: std::collections::BTreeSet<&str> = items.iter().map(Item::species).collect();
    let subsets: Vec<(String, Vec<Trial>)> = sets
        .into_iter()
        .map(|set| (set.to_owned(), trials.iter().filter(|trial| trial.species == set).cloned().collect()))
        .collect();
    let subset_figures: Vec<(&str, Figures)> =
        subsets.iter().map(|(set, trials)| (set.as_str(), Figures::of(trials))).collect();
    text.push_str("\n## Discrimination within each set\n\n| set | AUC | EER | assessable |\n|---|---|---|---|\n");
    for (set, figures) in &subset_figures {
        let digits = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
        let n_lost: u64 = figures.non_response_causes.values().sum();
        let n_all = figures.n_bona_fide + figures.n_attack;
        let (auc, eer) = (digits(figures.auc.value), digits(figures.eer.value));
        let _ = writeln!(text, "| {set} | {auc} | {eer} | {} of {n_all} |", n_all - n_lost);
    }
    if !strata.is_empty() {
        text.push_str("\n## By what the picture is like\n\n");
        text.push_str(&table(strata));
    }
    let mut rankings: Vec<(&str, _)> = Figures::ranking(trials).map(|all| ("all", all)).into_iter().collect();
    rankings.extend(subsets.iter().filter_map(|(set, trials)| Some((set.as_str(), Figures::ranking(trials)?))));
    let curves: Vec<Curve<'_>> = rankings.iter().map(|(name, ranking)| Curve { name, ranking }).collect();
    EvalReport {
        markdown: text,
        json: json!({
            "task": detector.signal.as_str(),
            "versions": versions(bench),
            "shipped_calibration": figures,
            "leave_one_set_out": crossed,
            "strata": strata,
            "within_sets": subset_figures.iter().map(|(set, figures)| json!({
                "set": set, "auc": figures.auc, "eer": figures.eer,
            })).collect::<Vec<_>>(),
        }),
        rows: items.iter().zip(trials).map(|(item, trial)| trial.row(item)).collect(),
        plots: vec![
            ("roc.svg", roc_svg(&curves)),
            ("det.svg", det_svg(&curves)),
            ("reliability.svg", reliability_svg(&[("all", &figures.reliability)])),
            ("risk-coverage.svg", risk_coverage_svg(&[("all", &Figures::risks(trials))])),
        ],
    }
}
