//! How verification depends on what pictures are like: turned faces and small ones, and whether one line from similarity to
//! ratio serves all of them.

use std::fmt::Write as _;

use serde::Serialize;

use crate::eval::metric::{cllr, min_cllr};
use crate::eval::strata::{Bins, bin};
use crate::scoring::{Calibration, LabelledStatistic, fit};

use super::pairs::{Comparison, Pair};

/// The false match rate over all pairs whose threshold the bins are looked at with.
pub(super) const FALSE_MATCH_RATE: f64 = 1e-3;
/// Pairs of two people that lines are fitted on, evenly chosen among all of a bin.
const MAX_FITTED_IMPOSTORS: usize = 40_000;
/// Pairs of one person below which a bin's own line is not fitted.
const MIN_GENUINE_PAIRS: usize = 50;

/// What was measured of a picture besides its vector.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct PictureTraits {
    /// Height of the face in pixels.
    pub(super) face_height_px: Option<f64>,
    /// How far the face is turned away, in degrees, without sign.
    pub(super) yaw_deg: Option<f64>,
}

const YAW: &Bins = &[(0.0, "below 10°"), (10.0, "10 to 20°"), (20.0, "20 to 30°"), (30.0, "30° and more")];
const FACE_HEIGHT: &Bins =
    &[(0.0, "below 48 px"), (48.0, "48 to 72 px"), (72.0, "72 to 108 px"), (108.0, "108 px and more")];

/// The pairs whose worse picture falls into one bin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct QualityBin {
    /// Trait and bin.
    name: String,
    n_genuine: usize,
    n_impostors: usize,
    /// At the threshold of all pairs.
    true_accept_rate: Option<f64>,
    /// At the threshold of all pairs.
    false_match_rate: Option<f64>,
    /// Cost in bits of the line that was fitted on all pairs.
    cllr_common_line: Option<f64>,
    /// Cost in bits of the line that was fitted on the bin's pairs.
    cllr_own_line: Option<f64>,
    /// The least that any rising map would cost.
    min_cllr: Option<f64>,
    /// Similarity at which the bin's own line says nothing either way.
    even_similarity: Option<f64>,
}

/// All bins of all traits; `threshold` is that of [`FALSE_MATCH_RATE`].
pub(super) fn bins(comparison: &Comparison, traits: &[PictureTraits], threshold: f64) -> Vec<QualityBin> {
    type Worse = fn(&PictureTraits, &PictureTraits) -> Option<f64>;
    let by: [(&str, &Bins, Worse); 2] = [
        ("turned away", YAW, |a, b| Some(a.yaw_deg?.max(b.yaw_deg?))),
        ("face height", FACE_HEIGHT, |a, b| Some(a.face_height_px?.min(b.face_height_px?))),
    ];
    let common = line(comparison, comparison.genuine(), comparison.impostors());
    let mut found = Vec::new();
    for (trait_name, edges, worse) in by {
        for (_, name) in edges {
            let inside = |pair: &&Pair| {
                let of = |image: u32| traits.get(image as usize);
                let value = of(pair.first).zip(of(pair.second)).and_then(|(a, b)| worse(a, b));
                value.and_then(|value| bin(edges, value)) == Some(*name)
            };
            let genuine: Vec<Pair> = comparison.genuine().iter().filter(inside).copied().collect();
            let impostors: Vec<Pair> = comparison.impostors().iter().filter(inside).copied().collect();
            if genuine.is_empty() || impostors.is_empty() {
                continue;
            }
            let own = if genuine.len() < MIN_GENUINE_PAIRS { None } else { line(comparison, &genuine, &impostors) };
            let accepted = |pairs: &[Pair]| {
                let n = pairs.iter().filter(|pair| f64::from(pair.similarity) > threshold).count();
                (!pairs.is_empty()).then(|| n as f64 / pairs.len() as f64)
            };
            let cost = |line: &Calibration| cllr(&ratios(line, &genuine), &ratios(line, &impostors));
            let scores = |pairs: &[Pair]| pairs.iter().map(|pair| -f64::from(pair.similarity)).collect::<Vec<_>>();
            found.push(QualityBin {
                name: format!("{trait_name}: {name}"),
                n_genuine: genuine.len(),
                n_impostors: impostors.len(),
                true_accept_rate: accepted(&genuine),
                false_match_rate: accepted(&impostors),
                cllr_common_line: common.as_ref().and_then(cost),
                cllr_own_line: own.as_ref().and_then(cost),
                min_cllr: own.as_ref().and_then(|_| min_cllr(&scores(&genuine), &scores(&impostors))),
                even_similarity: own.as_ref().map(|line| -line.offset / line.slope),
            });
        }
    }
    found
}

/// The bins as Markdown.
pub(super) fn table(bins: &[QualityBin]) -> String {
    let number = |value: Option<f64>, digits: usize| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"));
    let mut text = format!(
        "| the worse picture of a pair | pairs of one person | of two | TAR at the threshold of FMR {FALSE_MATCH_RATE:e} | \
         FMR there | Cllr, one line for all | Cllr, a line of its own | minimum Cllr | even at similarity |\n\
         |---|---|---|---|---|---|---|---|---|\n"
    );
    for bin in bins {
        let false_matches = bin.false_match_rate.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1e}"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {false_matches} | {} | {} | {} | {} |",
            bin.name,
            bin.n_genuine,
            bin.n_impostors,
            number(bin.true_accept_rate, 4),
            number(bin.cllr_common_line, 4),
            number(bin.cllr_own_line, 4),
            number(bin.min_cllr, 4),
            number(bin.even_similarity, 3),
        );
    }
    text
}

/// The line from similarity to ratio that fits pairs best, people weighing alike.
fn line(comparison: &Comparison, genuine: &[Pair], impostors: &[Pair]) -> Option<Calibration> {
    let sample = |is_bona_fide: bool| {
        move |pair: &Pair| LabelledStatistic {
            statistic: f64::from(pair.similarity),
            is_bona_fide,
            source: comparison.person(pair.first).to_string(),
            set: None,
        }
    };
    let step = impostors.len().div_ceil(MAX_FITTED_IMPOSTORS).max(1);
    let samples: Vec<LabelledStatistic> =
        genuine.iter().map(sample(true)).chain(impostors.iter().step_by(step).map(sample(false))).collect();
    fit(&samples, "pairs of pictures")
}

/// Uncapped, so that the bound of few people does not hide what a line costs.
fn ratios(line: &Calibration, pairs: &[Pair]) -> Vec<f64> {
    pairs.iter().map(|pair| line.offset + line.slope * f64::from(pair.similarity)).collect()
}

#[cfg(test)]
mod tests {
    use super::{PictureTraits, bins, table};
    use crate::eval::verification::pairs::Comparison;
    use crate::vision::Embedding;

    #[test]
    fn turned_faces_have_a_bin_and_a_line_of_their_own() {
        // Twenty people with four pictures each; the last two of each are turned and less like the rest.
        let mut images = Vec::new();
        let mut traits = Vec::new();
        for person in 0..20_usize {
            for picture in 0..4_u8 {
                let is_turned = picture >= 2;
                let mut raw = vec![0.0_f32; 41];
                raw[person] = 1.0;
                raw[20 + person] = f32::from(picture) * 0.1 + if is_turned { 0.8 } else { 0.0 };
                raw[40] = 0.3 + 0.01 * f32::from(picture);
                images.push((person, Embedding::from_raw(&raw).expect("has a direction")));
                let yaw_deg = Some(if is_turned { 25.0 } else { 5.0 });
                traits.push(PictureTraits { face_height_px: Some(120.0), yaw_deg });
            }
        }
        let borrowed: Vec<_> = images.iter().map(|(person, vector)| (*person, vector)).collect();
        let comparison = Comparison::new(&borrowed, 20).expect("pairs of both kinds");
        let found = bins(&comparison, &traits, 0.5);
        let names: Vec<&str> = found.iter().map(|bin| bin.name.as_str()).collect();
        assert_eq!(names, ["turned away: below 10°", "turned away: 20 to 30°", "face height: 108 px and more"]);
        assert_eq!((found[0].n_genuine, found[1].n_genuine, found[2].n_genuine), (20, 100, 120));
        assert_eq!(found[0].cllr_own_line, None, "too few pairs for a line");
        assert!(found[1].cllr_own_line.expect("enough") <= found[1].cllr_common_line.expect("all") + 1e-3);
        assert_eq!(table(&found).lines().count(), 5);
    }

    #[test]
    fn pictures_without_traits_are_in_no_bin() {
        let vectors: Vec<Embedding> =
            [[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]].iter().map(|raw| Embedding::from_raw(raw).expect("fits")).collect();
        let images = [(0, &vectors[0]), (0, &vectors[1]), (1, &vectors[2])];
        let comparison = Comparison::new(&images, 2).expect("pairs of both kinds");
        assert!(bins(&comparison, &[PictureTraits::default(); 3], 0.5).is_empty());
    }
}
