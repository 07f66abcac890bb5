//! Searches for a place among others: false matches that are wished for, and that are seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::eval::output::figure;
use crate::identity::SceneCalibration;

use super::Halves;
use super::pairs::{Kind, Pair, Pairs};
use super::report::Resampling;

/// False matches a search that thresholds are asked for.
const WISHED: [f64; 3] = [1.0, 0.3, 0.1];

/// False matches a search, wished for and seen.
pub(super) fn searches(
    pairs: &Pairs,
    shipped: &SceneCalibration,
    halves: &Halves,
    resampling: &Resampling,
) -> (String, Value) {
    let mut text = String::from(
        "\n## False matches a search, wished for and seen\n\nEvery view is searched for among one view of every other place; the \
         threshold is the one that the calibration gives for the wish and that number of places.\n\n\
         | calibration | places | wished | threshold | told | seen a search |\n|---|---|---|---|---|---|\n",
    );
    let mut json = Vec::new();
    let rows: [(&str, Option<&SceneCalibration>); 2] =
        [(shipped.name(), Some(shipped)), ("fitted on the other half of the places", None)];
    for (name, calibration) in rows {
        for wished in WISHED {
            let Some(row) = Searched::of(pairs, calibration.map_or(Judge::Half(halves), Judge::One), wished) else {
                continue;
            };
            let mean = |weights: &dyn Fn(u32) -> f64| row.mean(weights);
            let (seen, interval) = (mean(&|_| 1.0), resampling.interval(mean));
            let _ = writeln!(
                text,
                "| {name} | {} | {wished} | {:.4} | {} | {} |",
                row.n_scenes,
                row.score,
                figure(Some(row.told), None),
                figure(seen, interval)
            );
            json.push(json!({
                "calibration": name, "n_scenes": row.n_scenes, "wished": wished, "threshold": row.score, "told": row.told,
                "seen": seen, "seen_interval": interval,
            }));
        }
    }
    (text, Value::Array(json))
}

#[derive(Clone, Copy)]
enum Judge<'a> {
    One(&'a SceneCalibration),
    /// Only places of one half are compared, by what was fitted on the other.
    Half(&'a Halves),
}

/// Searches with one view a place.
struct Searched {
    n_scenes: usize,
    score: f32,
    told: f64,
    /// False matches by place that was searched with.
    false_matches: BTreeMap<u32, f64>,
}

impl Searched {
    fn of(pairs: &Pairs, judge: Judge<'_>, wished: f64) -> Option<Self> {
        let is_of_half = |pair: &Pair| match judge {
            Judge::One(_) => true,
            Judge::Half(_) => pair.scenes[0] % 2 == pair.scenes[1] % 2,
        };
        let mut one_view: BTreeMap<[u32; 2], f32> = BTreeMap::new();
        let mut scenes = BTreeSet::new();
        for pair in pairs.all().iter().filter(|pair| pair.kind == Kind::Different && is_of_half(pair)) {
            scenes.extend(pair.scenes);
            let [a, b] = pair.scenes;
            one_view.entry([a.min(b), a.max(b)]).or_insert(pair.similarity.score);
        }
        let n_scenes = match judge {
            Judge::One(_) => scenes.len().saturating_sub(1),
            Judge::Half(_) => (scenes.len() / 2).saturating_sub(1),
        };
        let threshold = |scene: u32| match judge {
            Judge::One(calibration) => calibration.threshold(n_scenes, wished).ok(),
            Judge::Half(halves) => halves.unseen(scene).threshold(n_scenes, wished).ok(),
        };
        let first = threshold(*scenes.first()?)?;
        let by_parity = [threshold(0)?.score, threshold(1)?.score];
        // A pair is one that the search of either place meets.
        let mut false_matches: BTreeMap<u32, f64> = scenes.iter().map(|scene| (*scene, 0.0)).collect();
        for ([a, b], score) in one_view {
            let at = usize::from(!a.is_multiple_of(2));
            if by_parity.get(at).is_some_and(|threshold| score >= *threshold) {
                for scene in [a, b] {
                    *false_matches.entry(scene).or_insert(0.0) += 1.0;
                }
            }
        }
        Some(Self { n_scenes, score: first.score, told: first.false_matches.expected, false_matches })
    }

    fn mean(&self, weights: &dyn Fn(u32) -> f64) -> Option<f64> {
        let add = |(sum, n): (f64, f64), (scene, found): (&u32, &f64)| {
            let weight = weights(*scene);
            (sum + weight * found, n + weight)
        };
        let (sum, n) = self.false_matches.iter().fold((0.0, 0.0), add);
        (n > 0.0).then(|| sum / n)
    }
}
