//! The scene report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::eval::metric::{Ranking, Resampler, cllr, min_cllr};
use crate::eval::output::{EvalReport, ScoreRow, figure, percent, versions};
use crate::eval::plot::{Curve, det_svg, roc_svg};
use crate::eval::run::Bench;
use crate::identity::SceneCalibration;

use super::Halves;
use super::pairs::{Kind, Pair, Pairs};
use super::searches::searches;
use super::views::{Origin, View};

/// False match rates that are reported.
const FALSE_MATCH_RATES: [f64; 3] = [1e-2, 1e-3, 1e-4];
const RESAMPLES: usize = 200;
const SEED: u64 = 1;
/// Pairs of two places written to `scores.csv`, those that agree best; more would be gigabytes. All are in the figures.
const MAX_WRITTEN: usize = 20_000;

/// Everything that was found.
pub(super) struct Findings<'a> {
    pub(super) views: &'a [View],
    pub(super) pairs: &'a Pairs,
    pub(super) shipped: &'a SceneCalibration,
    pub(super) halves: &'a Halves,
}

type Interval = Option<(f64, f64)>;
/// A pair to its ratio.
type Judge<'a> = &'a dyn Fn(&Pair) -> Option<f64>;

/// Puts all figures together.
pub(super) fn write(bench: &Bench<'_>, findings: &Findings<'_>) -> EvalReport {
    let Findings { views, pairs, shipped, halves } = findings;
    let resampling = Resampling::new(pairs);
    let n_scenes = pairs.n_scenes(&|_| true);
    let n_files = views.iter().map(|view| view.file).collect::<BTreeSet<_>>().len();
    let of_all: BTreeSet<u32> = views.iter().map(|view| view.scene).collect();
    let mut text = String::from("# Scene re-use\n\n");
    let _ = writeln!(
        text,
        "{n_files} files of {} places, {n_scenes} of them with a background that can be compared.\n\
         A simulated sitting is another person of the same data before the recorded background, with the camera moved (up to \
         30 % of either side cut off, 3 degrees, shear and stretch of 4 %), other exposure, white balance, gamma, noise and \
         compression; empty rooms are given a person for the first sitting too. What was simulated shows that the measurement \
         does what it was built for, not how criminals work.\n",
        of_all.len()
    );
    text.push_str("## What can be assessed\n\n| picture | views | with a descriptor | why not |\n|---|---|---|---|\n");
    let gaps = gaps(views);
    for (name, of_origin) in &gaps {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} |",
            of_origin.n,
            percent(of_origin.share(), None),
            of_origin.reasons()
        );
    }
    let agreement = Agreement::of(pairs, &resampling);
    text.push_str(&agreement.text);
    let (ratios, ratios_json) = ratios(pairs, shipped, halves);
    text.push_str(&ratios);
    let (searches, searches_json) = searches(pairs, shipped, halves, &resampling);
    text.push_str(&searches);
    let _ = writeln!(text, "\nIntervals are 95 %: bootstrap over places, {RESAMPLES} resamples.");
    let curves: Vec<Curve<'_>> = agreement.curves.iter().map(|(name, ranking)| Curve { name, ranking }).collect();
    EvalReport {
        markdown: text,
        json: json!({
            "task": "scene",
            "versions": versions(bench),
            "scene_calibration": shipped.name(),
            "n_files": n_files,
            "n_scenes": of_all.len(),
            "n_scenes_assessable": n_scenes,
            "views": gaps.iter().map(|(name, gaps)| json!({ "picture": name, "n": gaps.n, "reasons": gaps.by_reason })).collect::<Vec<_>>(),
            "n_different": agreement.n_different,
            "false_match_rates": FALSE_MATCH_RATES,
            "thresholds": agreement.thresholds,
            "same": agreement.kinds,
            "ratios": ratios_json,
            "searches": searches_json,
        }),
        rows: rows(views, pairs, shipped),
        plots: vec![("roc.svg", roc_svg(&curves)), ("det.svg", det_svg(&curves))],
    }
}

/// How well scores tell one place from two.
struct Agreement {
    text: String,
    n_different: usize,
    thresholds: Vec<f64>,
    kinds: Vec<Value>,
    curves: Vec<(&'static str, Ranking)>,
}

impl Agreement {
    fn of(pairs: &Pairs, resampling: &Resampling) -> Self {
        let different: Vec<&Pair> = pairs.all().iter().filter(|pair| pair.kind == Kind::Different).collect();
        let mut text = String::new();
        let _ = write!(
            text,
            "\n## One place, and two\n\nOf pairs that can be assessed; {} pairs of two places. FMR: two places that agree at least as \
             well as the threshold; FNMR: pairs of one place that do not.\n\n\
             | pairs | n | not assessable | AUC | FNMR at FMR 1 % | at .1 % | at .01 % |\n|---|---|---|---|---|---|---|\n",
            different.len()
        );
        let thresholds: Vec<f64> = FALSE_MATCH_RATES.iter().map(|rate| threshold_at(&different, *rate)).collect();
        let mut kinds = Vec::new();
        let mut curves = Vec::new();
        for kind in Kind::SAME {
            let same: Vec<&Pair> = pairs.all().iter().filter(|pair| pair.kind == kind).collect();
            if same.is_empty() {
                continue;
            }
            let (row, value, ranking) = of_kind(pairs, resampling, (kind, &same), &different, &thresholds);
            text.push_str(&row);
            kinds.push(value);
            curves.extend(ranking.map(|ranking| (kind.name(), ranking)));
        }
        let one_person: Vec<&Pair> = pairs.all().iter().filter(|pair| pair.kind == Kind::OnePerson).collect();
        if let Some(first) = thresholds.get(1) {
            let alike = share_below(&one_person, *first, &|_| 1.0).map(|below| 1.0 - below);
            let _ = writeln!(
                text,
                "\nOne person put before two places makes them agree, at the threshold of .1 %, in {} of {} pairs: what is left of a \
                 person beside what is left out.",
                alike.map_or_else(|| "–".to_owned(), |alike| percent(alike, None)),
                one_person.len()
            );
        }
        Self { text, n_different: different.len(), thresholds, kinds, curves }
    }
}

/// The row, the figures and the curve of pairs of one place of one kind.
fn of_kind(
    pairs: &Pairs,
    resampling: &Resampling,
    (kind, same): (Kind, &[&Pair]),
    different: &[&Pair],
    thresholds: &[f64],
) -> (String, Value, Option<Ranking>) {
    let n_unassessable = pairs.n_unassessable(kind);
    let n_all = same.len() + n_unassessable;
    let ranking = Ranking::new(&scores(same), &scores(different));
    let auc = ranking.as_ref().map(Ranking::auc);
    let auc_interval = resampling.interval(|weights| weighted_auc(same, different, weights));
    let missed: Vec<(Option<f64>, Interval)> = thresholds
        .iter()
        .map(|threshold| {
            let share = |weights: &dyn Fn(u32) -> f64| share_below(same, *threshold, weights);
            (share(&|_| 1.0), resampling.interval(share))
        })
        .collect();
    let cells: Vec<String> = missed.iter().map(|(value, interval)| figure(*value, *interval)).collect();
    let row = format!(
        "| {} | {n_all} | {} | {} | {} |\n",
        kind.name(),
        percent(n_unassessable as f64 / n_all as f64, None),
        figure(auc, auc_interval),
        cells.join(" | ")
    );
    let value = json!({
        "pairs": kind.name(),
        "n": n_all,
        "n_unassessable": n_unassessable,
        "n_scenes": same.iter().map(|pair| pair.scenes[0]).collect::<BTreeSet<_>>().len(),
        "auc": auc,
        "auc_interval": auc_interval,
        "fnmr": missed.iter().map(|(value, _)| *value).collect::<Vec<_>>(),
        "fnmr_interval": missed.iter().map(|(_, interval)| *interval).collect::<Vec<_>>(),
    });
    (row, value, ranking)
}

/// How many views have no descriptor, by reason.
#[derive(Default)]
struct Gaps {
    n: usize,
    by_reason: BTreeMap<&'static str, usize>,
}

impl Gaps {
    fn share(&self) -> f64 {
        1.0 - self.by_reason.values().sum::<usize>() as f64 / self.n.max(1) as f64
    }

    fn reasons(&self) -> String {
        let reasons: Vec<String> = self.by_reason.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
        if reasons.is_empty() { "–".to_owned() } else { reasons.join(", ") }
    }
}

fn gaps(views: &[View]) -> BTreeMap<&'static str, Gaps> {
    let mut gaps: BTreeMap<&'static str, Gaps> = BTreeMap::new();
    for view in views {
        let name = match view.origin {
            Origin::Recorded(_) => "recorded",
            Origin::Simulated | Origin::Mirrored => "simulated",
        };
        let of_origin = gaps.entry(name).or_default();
        of_origin.n += 1;
        let reason = match &view.reading {
            Ok(Ok(_)) => continue,
            Ok(Err(gap)) => gap.name(),
            Err(reason) => reason,
        };
        *of_origin.by_reason.entry(reason).or_insert(0) += 1;
    }
    gaps
}

/// Attack scores as [`Ranking`] wants them: one place is what is accepted.
fn scores(pairs: &[&Pair]) -> Vec<f64> {
    pairs.iter().map(|pair| 1.0 - f64::from(pair.similarity.score)).collect()
}

/// The score that so few pairs of two places are above.
fn threshold_at(different: &[&Pair], rate: f64) -> f64 {
    let mut scores: Vec<f32> = different.iter().map(|pair| pair.similarity.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of their number")]
    let allowed = (rate * scores.len() as f64) as usize;
    scores.get(allowed).map_or(0.0, |score| f64::from(*score))
}

/// Share of pairs of one place that are not above a threshold, places weighted.
fn share_below(same: &[&Pair], threshold: f64, weights: &dyn Fn(u32) -> f64) -> Option<f64> {
    let (mut below, mut all) = (0.0, 0.0);
    for pair in same {
        let weight = weights(pair.scenes[0]);
        all += weight;
        below += if f64::from(pair.similarity.score) > threshold { 0.0 } else { weight };
    }
    (all > 0.0).then(|| below / all)
}

/// Probability that a pair of one place agrees better than a pair of two, ties counting half, places weighted.
fn weighted_auc(same: &[&Pair], different: &[&Pair], weights: &dyn Fn(u32) -> f64) -> Option<f64> {
    let of_same = |pair: &&Pair| (pair.similarity.score.to_bits(), weights(pair.scenes[0]));
    let mut by_score: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    for (score, weight) in same.iter().map(of_same) {
        by_score.entry(score).or_default().0 += weight;
    }
    for pair in different {
        let weight = weights(pair.scenes[0]) * weights(pair.scenes[1]);
        by_score.entry(pair.similarity.score.to_bits()).or_default().1 += weight;
    }
    // Scores are not negative, so that their bits are in their order.
    let (mut won, mut of_same, mut below) = (0.0, 0.0, 0.0);
    for (same, different) in by_score.values() {
        won += same * (below + different / 2.0);
        of_same += same;
        below += different;
    }
    (of_same > 0.0 && below > 0.0).then(|| won / of_same / below)
}

/// Draws of places.
pub(super) struct Resampling {
    resampler: Resampler,
    /// Trial of each place.
    trial_of: BTreeMap<u32, usize>,
}

impl Resampling {
    fn new(pairs: &Pairs) -> Self {
        let scenes: BTreeSet<u32> = pairs.all().iter().flat_map(|pair| pair.scenes).collect();
        let names: Vec<String> = scenes.iter().map(u32::to_string).collect();
        let trial_of = scenes.into_iter().zip(0..).collect();
        Self { resampler: Resampler::new(names.iter().map(String::as_str), RESAMPLES, SEED), trial_of }
    }

    pub(super) fn interval(&self, value: impl Fn(&dyn Fn(u32) -> f64) -> Option<f64>) -> Interval {
        self.resampler.interval(|drawn| {
            value(&|scene| self.trial_of.get(&scene).and_then(|trial| drawn.get(*trial)).copied().unwrap_or(0.0))
        })
    }
}

/// How good the ratios are: those of the shipped calibration, and those of one half of the places for the other.
fn ratios(pairs: &Pairs, shipped: &SceneCalibration, halves: &Halves) -> (String, Value) {
    let mut text = String::from(
        "\n## Ratios\n\nCost of the ratios in bits (Cllr): 0 is perfect, 1 is what knowing nothing costs; min Cllr is what the order \
         of the scores alone would cost. Pairs of one place are those of other recordings and simulated sittings.\n\n\
         | calibration | one place | two places | Cllr | min Cllr |\n|---|---|---|---|---|\n",
    );
    let mut json = Vec::new();
    let parity = |pair: &Pair| pair.scenes.iter().all(|scene| scene % 2 == pair.scenes[0] % 2);
    let of_shipped = |pair: &Pair| shipped.ratio(&pair.similarity).map(|ratio| ratio.llr);
    let of_half = |pair: &Pair| {
        let unseen = halves.unseen(pair.scenes[0]);
        parity(pair).then(|| unseen.ratio(&pair.similarity).map(|ratio| ratio.llr)).flatten()
    };
    let rows: [(&str, Judge<'_>); 2] =
        [(shipped.name(), &of_shipped), ("fitted on the other half of the places", &of_half)];
    for (name, judge) in rows {
        let judged = |is_same: bool| -> Vec<f64> {
            let wanted = pairs.all().iter().filter(|pair| pair.kind.is_same_scene() == is_same);
            wanted.filter(|pair| !matches!(pair.kind, Kind::LaterFrame | Kind::OnePerson)).filter_map(judge).collect()
        };
        let (same, different) = (judged(true), judged(false));
        let turned = |llrs: &[f64]| llrs.iter().map(|llr| -llr).collect::<Vec<_>>();
        let (cost, least) = (cllr(&same, &different), min_cllr(&turned(&same), &turned(&different)));
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} |",
            same.len(),
            different.len(),
            figure(cost, None),
            figure(least, None)
        );
        json.push(json!({ "calibration": name, "n_same": same.len(), "n_different": different.len(), "cllr": cost, "min_cllr": least }));
    }
    (text, Value::Array(json))
}

/// `path` is both views with a bar between them, and which view of the file each is.
fn rows(views: &[View], pairs: &Pairs, shipped: &SceneCalibration) -> Vec<ScoreRow> {
    let mut different: Vec<&Pair> = pairs.all().iter().filter(|pair| pair.kind == Kind::Different).collect();
    different.sort_by(|a, b| b.similarity.score.total_cmp(&a.similarity.score));
    different.truncate(MAX_WRITTEN);
    let same = pairs.all().iter().filter(|pair| pair.kind.is_same_scene());
    let name = |view: u32| {
        views.get(view as usize).map_or_else(String::new, |view| match view.origin {
            Origin::Recorded(0) => view.path.clone(),
            Origin::Recorded(at) => format!("{}#{at}", view.path),
            Origin::Simulated => format!("{}#simulated", view.path),
            Origin::Mirrored => format!("{}#mirrored", view.path),
        })
    };
    let compared = same.chain(different).map(|pair| ScoreRow {
        path: format!("{}|{}", name(pair.views[0]), name(pair.views[1])),
        label: pair.kind.name().to_owned(),
        score: Some(1.0 - f64::from(pair.similarity.score)),
        llr: shipped.ratio(&pair.similarity).map(|ratio| ratio.llr),
        reason: None,
    });
    let lost = (0_u32..).zip(views).filter_map(|(at, view)| {
        let reason = match &view.reading {
            Ok(Ok(_)) => return None,
            Ok(Err(gap)) => gap.name(),
            Err(reason) => reason,
        };
        let reason = Some(reason.to_owned());
        Some(ScoreRow { path: name(at), label: "unassessable".to_owned(), reason, ..ScoreRow::default() })
    });
    compared.chain(lost).collect()
}
