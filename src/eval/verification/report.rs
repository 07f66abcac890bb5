//! The verification report.

use std::fmt::Write as _;

use serde_json::json;

use crate::eval::manifest::Item;
use crate::eval::metric::{Ranking, clopper_pearson};
use crate::eval::output::{EvalReport, ScoreRow, figure, percent, versions};
use crate::eval::plot::{Curve, det_svg, roc_svg};
use crate::eval::run::Bench;

use super::Outcome;
use super::pairs::{Accuracy, Comparison, Weighing};
use super::quality::{self, PictureTraits};

/// False match rates that are reported.
const FALSE_MATCH_RATES: [f64; 4] = [1e-2, quality::FALSE_MATCH_RATE, 1e-4, 1e-5];

/// Puts all figures together.
pub(super) fn write(
    bench: &Bench<'_>,
    items: &[Item],
    outcomes: &[Outcome],
    comparison: &Comparison,
    rows: Vec<ScoreRow>,
) -> EvalReport {
    let n_people = items.iter().map(|item| &item.name).collect::<std::collections::BTreeSet<_>>().len();
    let n_lost = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::NonResponse(_))).count();
    let lost_interval = clopper_pearson(n_lost as u64, items.len() as u64);
    let lost_ratio = n_lost as f64 / items.len().max(1) as f64;
    let by_pair = comparison.accuracy(Weighing::EachPair);
    let by_person = comparison.accuracy(Weighing::EachPerson);
    let rates = comparison.accept_rates(&FALSE_MATCH_RATES);
    let ranking = comparison.ranking();
    let (eer, auc) = (ranking.as_ref().map(Ranking::eer), ranking.as_ref().map(Ranking::auc));
    let (n_genuine, n_impostors) = (comparison.genuine().len(), comparison.impostors().len());

    let mut text = String::from("# Face verification\n\n");
    let _ = writeln!(
        text,
        "{} images of {n_people} people; {n_genuine} pairs of one person ({} people with at least two images) and \
         {n_impostors} pairs of two.\nNon-response (no face, not alignable): {n_lost} images, {}.\n",
        items.len(),
        comparison.n_paired_people(),
        percent(lost_ratio, lost_interval)
    );
    text.push_str("| figure | value |\n|---|---|\n");
    for (name, accuracy) in
        [("balanced accuracy, 10 folds over people", by_pair), ("the same, each person weighing alike", by_person)]
    {
        let value = accuracy.map_or_else(|| "–".to_owned(), |accuracy| accuracy_text(&accuracy));
        let _ = writeln!(text, "| {name} | {value} |");
    }
    let _ = writeln!(text, "| equal error rate | {} |\n| AUC | {} |\n", figure(eer, None), figure(auc, None));
    text.push_str("| false match rate | threshold | true accept rate (95 % interval over people) |\n|---|---|---|\n");
    for rate in &rates {
        let note = if rate.is_supported { "" } else { " – too few impostor pairs to rely on" };
        let value = figure(Some(rate.true_accept_rate), rate.interval);
        let _ = writeln!(text, "| {:e} | {:.3} | {value}{note} |", rate.false_match_rate, rate.threshold);
    }
    text.push_str(
        "\nBalanced accuracy: the threshold comes from the pairs of the other nine tenths of the people.\n\
         Intervals: bootstrap over people, 500 resamples.\n",
    );
    let traits: Vec<PictureTraits> = outcomes.iter().filter_map(Outcome::traits).collect();
    let at_bins = rates.iter().find(|rate| rate.false_match_rate.to_bits() == quality::FALSE_MATCH_RATE.to_bits());
    let bins = at_bins.map(|rate| quality::bins(comparison, &traits, rate.threshold)).unwrap_or_default();
    if !bins.is_empty() {
        text.push_str(
            "\n## By what the pictures are like\n\nA line from similarity to likelihood ratio is fitted on all pairs, and on the \
             pairs of each row: where the two cost the same, one line serves both.\n\n",
        );
        text.push_str(&quality::table(&bins));
    }
    let curves: Vec<Curve<'_>> = ranking.iter().map(|ranking| Curve { name: "all pairs", ranking }).collect();
    EvalReport {
        markdown: text,
        json: json!({
            "task": "verification",
            "versions": versions(bench),
            "n_images": items.len(),
            "n_people": n_people,
            "n_non_response": n_lost,
            "non_response_rate": lost_ratio,
            "non_response_interval": lost_interval,
            "n_genuine_pairs": n_genuine,
            "n_impostor_pairs": n_impostors,
            "balanced_accuracy": by_pair.map(accuracy_json),
            "balanced_accuracy_by_person": by_person.map(accuracy_json),
            "eer": eer,
            "auc": auc,
            "by_quality": bins,
            "true_accept_rates": rates.iter().map(|rate| json!({
                "false_match_rate": rate.false_match_rate,
                "threshold": rate.threshold,
                "true_accept_rate": rate.true_accept_rate,
                "interval": rate.interval,
                "is_supported": rate.is_supported,
            })).collect::<Vec<_>>(),
        }),
        rows,
        plots: vec![("roc.svg", roc_svg(&curves)), ("det.svg", det_svg(&curves))],
    }
}

fn accuracy_text(accuracy: &Accuracy) -> String {
    format!("{:.4} ± {:.4} (threshold {:.3})", accuracy.balanced, accuracy.deviation, accuracy.threshold)
}

fn accuracy_json(accuracy: Accuracy) -> serde_json::Value {
    json!({
        "value": accuracy.balanced,
        "deviation_over_folds": accuracy.deviation,
        "threshold": accuracy.threshold,
        "n_folds": accuracy.n_folds,
    })
}
