//! Error rates by what the picture is like: size and light of the face, tone of skin, and whatever groups a manifest names.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::manifest::{Item, Label};
use super::table::share_text;
use super::trial::{Share, Trial};

/// Bona fide items below which a rate of a stratum is not called one.
const MIN_BONA_FIDE: u64 = 60;

/// What was measured of a picture, besides its score; `None` where it could not be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Traits {
    /// Height of the face in pixels.
    pub(super) face_height_px: Option<f64>,
    /// Mean level of the face, 0..=1.
    pub(super) exposure: Option<f64>,
    /// Individual typology angle, in degrees.
    pub(super) ita_deg: Option<f64>,
}

/// Lower end and name of each stratum, rising.
pub(super) type Bins = [(f64, &'static str)];

const FACE_HEIGHT: &Bins =
    &[(0.0, "below 80 px"), (80.0, "80 to 120 px"), (120.0, "120 to 200 px"), (200.0, "200 px and more")];
const EXPOSURE: &Bins = &[
    (0.0, "dark, mean level below .2"),
    (0.2, "dim, .2 to .35"),
    (0.35, "well lit, .35 to .6"),
    (0.6, "bright, above .6"),
];
const ITA: &Bins = &[
    (-180.0, "dark, below -30°"),
    (-30.0, "brown, -30 to 10°"),
    (10.0, "tan, 10 to 28°"),
    (28.0, "intermediate, 28 to 41°"),
    (41.0, "light, 41 to 55°"),
    (55.0, "very light, above 55°"),
];

/// The rates of one stratum.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Stratum {
    /// Its name.
    pub(super) name: String,
    /// Attacks taken for bona fide at a ratio of one.
    pub(super) apcer: Share,
    /// Bona fide taken for attacks at a ratio of one.
    pub(super) bpcer: Share,
}

/// All strata of one trait.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Stratification {
    /// What the items are divided by.
    pub(super) by: String,
    /// In their own order.
    pub(super) strata: Vec<Stratum>,
}

/// Rates by every trait that divides the items at all.
pub(super) fn stratify(items: &[Item], traits: &[Traits], trials: &[Trial]) -> Vec<Stratification> {
    type Trait = fn(&Traits) -> Option<f64>;
    let measured: [(&str, &Bins, Trait); 3] = [
        ("face height", FACE_HEIGHT, |traits| traits.face_height_px),
        ("light on the face", EXPOSURE, |traits| traits.exposure),
        ("tone of skin (ITA, a proxy)", ITA, |traits| traits.ita_deg),
    ];
    let mut found: Vec<Stratification> = measured
        .into_iter()
        .map(|(by, bins, value)| {
            let names = traits.iter().map(|traits| value(traits).and_then(|value| bin(bins, value)));
            stratification(by, names.map(|name| name.map(str::to_owned)), trials, bins.iter().map(|(_, name)| *name))
        })
        .collect();
    let labels: std::collections::BTreeSet<&str> =
        items.iter().flat_map(|item| item.groups.keys().map(String::as_str)).collect();
    for label in labels {
        let names: Vec<Option<String>> = items.iter().map(|item| item.groups.get(label).cloned()).collect();
        let mut order: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
        order.sort_unstable();
        order.dedup();
        found.push(stratification(label, names.clone().into_iter(), trials, order.into_iter()));
    }
    found.retain(|stratification| stratification.strata.len() > 1);
    found
}

/// The name of the stratum that a value falls into; `None` below all of them.
pub(super) fn bin(bins: &Bins, value: f64) -> Option<&'static str> {
    bins.iter().rev().find(|(from, _)| value >= *from).map(|(_, name)| *name)
}

fn stratification<'a>(
    by: &str,
    names: impl Iterator<Item = Option<String>>,
    trials: &[Trial],
    order: impl Iterator<Item = &'a str>,
) -> Stratification {
    let mut counts: BTreeMap<String, [u64; 4]> = BTreeMap::new();
    for (name, trial) in names.zip(trials) {
        let (Some(name), Some((_, llr))) = (name, trial.numbers()) else { continue };
        let [missed, attacks, alarms, bona_fide] = counts.entry(name).or_default();
        match trial.label {
            Label::Attack => {
                *attacks += 1;
                *missed += u64::from(llr >= 0.0);
            }
            Label::BonaFide => {
                *bona_fide += 1;
                *alarms += u64::from(llr < 0.0);
            }
        }
    }
    let stratum = |name: &str| {
        let [missed, attacks, alarms, bona_fide] = *counts.get(name)?;
        let (apcer, bpcer) = (Share::new(name, missed, attacks), Share::new(name, alarms, bona_fide));
        Some(Stratum { name: name.to_owned(), apcer, bpcer })
    };
    Stratification { by: by.to_owned(), strata: order.filter_map(stratum).collect() }
}

/// The tables, each with what may be concluded from it.
pub(super) fn table(stratifications: &[Stratification]) -> String {
    let mut text = String::new();
    for stratification in stratifications {
        let _ = writeln!(text, "| {} | BPCER at llr 0 | APCER at llr 0 |\n|---|---|---|", stratification.by);
        for stratum in &stratification.strata {
            let _ = writeln!(
                text,
                "| {} | {} | {} |",
                stratum.name,
                share_text(&stratum.bpcer),
                share_text(&stratum.apcer)
            );
        }
        let _ = writeln!(text, "\n{}\n", conclusion(&stratification.strata));
    }
    text
}

/// Worst against best, or that nothing can be said.
fn conclusion(strata: &[Stratum]) -> String {
    let (known, few): (Vec<&Stratum>, Vec<&Stratum>) =
        strata.iter().partition(|stratum| stratum.bpcer.n_trials >= MIN_BONA_FIDE);
    let mut text = String::new();
    let rate = |stratum: &Stratum| stratum.bpcer.share.unwrap_or(0.0);
    let worst = known.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)));
    let best = known.iter().min_by(|a, b| rate(a).total_cmp(&rate(b)));
    match (worst, best) {
        (Some(worst), Some(best)) if known.len() > 1 => {
            let apart = match (worst.bpcer.interval, best.bpcer.interval) {
                (Some((low, _)), Some((_, high))) if low > high => "their intervals do not meet",
                _ => "their intervals overlap: the difference may be chance",
            };
            if rate(best) > 0.0 {
                let ratio = rate(worst) / rate(best);
                let _ = write!(text, "Worst over best BPCER: {ratio:.1} ({} over {}); {apart}.", worst.name, best.name);
            } else {
                let _ = write!(text, "Worst BPCER: {}; best: {}, without any; {apart}.", worst.name, best.name);
            }
        }
        _ => text.push_str("Too few bona fide items to compare strata."),
    }
    if !few.is_empty() {
        let names: Vec<&str> = few.iter().map(|stratum| stratum.name.as_str()).collect();
        let _ = write!(
            text,
            " Too few ({MIN_BONA_FIDE} bona fide items are wanted) to say anything of: {}.",
            names.join("; ")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Item, Traits, Trial, stratify, table};
    use crate::eval::trial::Scored;

    fn item(name: &str, sex: &str) -> Item {
        Item {
            path: "a.jpg".to_owned(),
            file: PathBuf::from("a.jpg"),
            name: name.to_owned(),
            source: None,
            species: None,
            group: None,
            groups: [("sex".to_owned(), sex.to_owned())].into(),
            held_out: None,
        }
    }

    #[test]
    fn rates_are_told_by_stratum_and_few_items_are_called_so() {
        // A hundred well lit faces without, ten dark ones with a false alarm each; one attack is missed.
        let mut rows = vec![(item("genuine", "f"), 0.5, 1.0); 100];
        rows.extend(vec![(item("genuine", "m"), 0.1, -1.0); 10]);
        rows.push((item("fake", "m"), 0.5, 1.0));
        let items: Vec<Item> = rows.iter().map(|(item, ..)| item.clone()).collect();
        let traits: Vec<Traits> =
            rows.iter().map(|(_, exposure, _)| Traits { exposure: Some(*exposure), ..Traits::default() }).collect();
        let trials: Vec<Trial> =
            rows.iter().map(|(item, _, llr)| Trial::new(item, Scored::Yes { score: 0.5, llr: *llr })).collect();
        let found = stratify(&items, &traits, &trials);
        let names: Vec<&str> = found.iter().map(|stratification| stratification.by.as_str()).collect();
        assert_eq!(names, ["light on the face", "sex"], "what does not divide the items is left out");
        let counts: Vec<(u64, u64, u64)> = found[0]
            .strata
            .iter()
            .map(|stratum| (stratum.bpcer.n_hits, stratum.bpcer.n_trials, stratum.apcer.n_hits))
            .collect();
        assert_eq!(counts, [(10, 10, 0), (0, 100, 1)]);
        let text = table(&found);
        assert!(text.contains("Too few (60 bona fide items are wanted) to say anything of: dark"), "{text}");
    }
}
