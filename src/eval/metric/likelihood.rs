//! How good log-likelihood ratios are as such, not only how they rank.
//!
//! # Units
//! Ratios are natural logarithms, positive supports bona fide.

use serde::Serialize;

/// Bins of the calibration error.
const BINS: usize = 15;

/// Cost of the ratios in bits: 0 is perfect, 1 is what knowing nothing costs. `None` when a class is empty.
///
/// # Source
/// Brümmer and du Preez, Computer Speech and Language 20, 2006: the mean of `log2(1 + exp(-llr))` over bona fide and of
/// `log2(1 + exp(llr))` over attacks, halved.
pub(in crate::eval) fn cllr(bona_fide: &[f64], attack: &[f64]) -> Option<f64> {
    let cost = |llrs: &[f64], sign: f64| {
        let bits: f64 = llrs.iter().map(|llr| softplus(sign * llr) / std::f64::consts::LN_2).sum();
        (!llrs.is_empty()).then(|| bits / llrs.len() as f64)
    };
    Some(0.5 * (cost(bona_fide, -1.0)? + cost(attack, 1.0)?))
}

/// The least that any rising map from score to ratio would cost: what discrimination alone is worth.
///
/// `bona_fide` and `attack` are attack scores, or ratios with their sign turned.
///
/// # Source
/// Pool-adjacent-violators on the merged scores, Brümmer and du Preez 2006; tied scores are one block.
pub(in crate::eval) fn min_cllr(bona_fide: &[f64], attack: &[f64]) -> Option<f64> {
    let blocks = pooled(bona_fide, attack)?;
    let (n_bona_fide, n_attack) = (bona_fide.len() as f64, attack.len() as f64);
    let bits: f64 = blocks
        .iter()
        .map(|block| {
            // A block without one class has an infinite ratio that costs its own class nothing.
            let odds = (block.n_bona_fide / n_bona_fide) / (block.n_attack / n_attack);
            let cost = |n: f64, odds: f64| if n > 0.0 { n * (1.0 / odds).ln_1p() } else { 0.0 };
            cost(block.n_bona_fide, odds) / n_bona_fide + cost(block.n_attack, 1.0 / odds) / n_attack
        })
        .sum();
    Some(bits / (2.0 * std::f64::consts::LN_2))
}

/// Trials whose ratios claim about the same: what they claim, and what is true of them, classes weighing the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::eval) struct ReliabilityBin {
    /// Mean probability of bona fide that the ratios claim at even prior odds.
    pub(in crate::eval) claimed: f64,
    /// Share that is bona fide.
    pub(in crate::eval) observed: f64,
    /// Share of all weight that is in the bin.
    pub(in crate::eval) weight: f64,
}

/// Claims against truth over bins of about equal count, by rising claim; empty when a class is empty.
///
/// # Source
/// Bins of about equal count after Naeini et al., AAAI 2015, with class weights, so that class sizes do not matter.
pub(in crate::eval) fn reliability(bona_fide: &[f64], attack: &[f64]) -> Vec<ReliabilityBin> {
    if bona_fide.is_empty() || attack.is_empty() {
        return Vec::new();
    }
    let claim = |llr: &f64| 1.0 / (1.0 + (-llr).exp());
    let row = |label: f64, weight: f64| move |llr: &f64| (claim(llr), label, weight);
    let mut rows: Vec<(f64, f64, f64)> = bona_fide.iter().map(row(1.0, 0.5 / bona_fide.len() as f64)).collect();
    rows.extend(attack.iter().map(row(0.0, 0.5 / attack.len() as f64)));
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let min_rows = rows.len().div_ceil(BINS);
    let (mut bins, mut sums, mut n_rows) = (Vec::new(), [0.0_f64; 3], 0);
    let close = |[claimed, observed, weight]: [f64; 3]| ReliabilityBin {
        claimed: claimed / weight,
        observed: observed / weight,
        weight,
    };
    // Equal claims are never divided between bins: within a bin, order would then decide.
    for tied in rows.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        for (claimed, label, weight) in tied {
            let terms = [weight * claimed, weight * label, *weight];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        n_rows += tied.len();
        if n_rows >= min_rows {
            bins.push(close(sums));
            (sums, n_rows) = ([0.0; 3], 0);
        }
    }
    if n_rows > 0 {
        bins.push(close(sums));
    }
    bins
}

/// Mean distance between the probability that ratios claim at even prior odds and the share that is true, over the bins of
/// [`reliability`]. `None` when a class is empty.
pub(in crate::eval) fn expected_calibration_error(bona_fide: &[f64], attack: &[f64]) -> Option<f64> {
    let bins = reliability(bona_fide, attack);
    let gaps = bins.iter().map(|bin| bin.weight * (bin.claimed - bin.observed).abs());
    (!bins.is_empty()).then(|| gaps.sum())
}

/// `ln(1 + exp(x))` without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[derive(Clone, Copy, Debug)]
struct Block {
    n_bona_fide: f64,
    n_attack: f64,
}

impl Block {
    fn attack_share(&self) -> f64 {
        self.n_attack / (self.n_attack + self.n_bona_fide)
    }
}

/// Blocks by rising score whose share of attacks rises as well.
fn pooled(bona_fide: &[f64], attack: &[f64]) -> Option<Vec<Block>> {
    if bona_fide.is_empty() || attack.is_empty() || bona_fide.iter().chain(attack).any(|score| score.is_nan()) {
        return None;
    }
    let mut scores: Vec<(f64, bool)> = bona_fide.iter().map(|score| (*score, false)).collect();
    scores.extend(attack.iter().map(|score| (*score, true)));
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut blocks: Vec<Block> = Vec::new();
    for tied in scores.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let n_attack = tied.iter().filter(|(_, is_attack)| *is_attack).count() as f64;
        let mut block = Block { n_bona_fide: tied.len() as f64 - n_attack, n_attack };
        while let Some(previous) = blocks.pop_if(|previous| previous.attack_share() >= block.attack_share()) {
            block.n_bona_fide += previous.n_bona_fide;
            block.n_attack += previous.n_attack;
        }
        blocks.push(block);
    }
    Some(blocks)
}

#[cfg(test)]
mod tests {
    use super::{cllr, expected_calibration_error, min_cllr};

    fn assert_near(actual: Option<f64>, expected: f64) {
        let actual = actual.expect("both classes are there");
        assert!((actual - expected).abs() < 1e-9, "{actual} is not {expected}");
    }

    #[test]
    fn knowing_nothing_costs_one_bit_and_perfection_none() {
        assert_near(cllr(&[0.0, 0.0], &[0.0]), 1.0);
        assert_near(cllr(&[1e6], &[-1e6]), 0.0);
        // ln 3 for bona fide costs log2(4/3); -ln 3 for an attack the same.
        assert_near(cllr(&[3.0_f64.ln()], &[-(3.0_f64.ln())]), (4.0_f64 / 3.0).log2());
        // The wrong way round: log2(4).
        assert_near(cllr(&[-(3.0_f64.ln())], &[3.0_f64.ln()]), 2.0);
        assert_eq!(cllr(&[], &[1.0]), None);
    }

    #[test]
    fn the_best_map_of_separable_scores_costs_nothing() {
        assert_near(min_cllr(&[0.1, 0.2], &[0.8, 0.9]), 0.0);
        assert_near(min_cllr(&[0.5, 0.5], &[0.5]), 1.0);
        assert_near(min_cllr(&[0.9], &[0.1]), 1.0);
    }

    #[test]
    fn violators_are_pooled() {
        // By rising score: b, {a, b pooled}, a. Middle block: odds (1/2)/(1/2) = 1, one bit each;
        // outer blocks cost nothing. Half of each class pays one bit: mean .5.
        assert_near(min_cllr(&[0.1, 0.6], &[0.4, 0.9]), 0.5);
        // A map cannot do worse than knowing nothing, nor better than its own ranking.
        let (bona_fide, attack) = ([0.2, 0.3, 0.35, 0.8], [0.3, 0.5, 0.7, 0.9]);
        let least = min_cllr(&bona_fide, &attack).expect("both");
        let ratios = |scores: &[f64]| scores.iter().map(|score| 3.0 * (0.5 - score)).collect::<Vec<_>>();
        let actual = cllr(&ratios(&bona_fide), &ratios(&attack)).expect("both");
        assert!(least < actual && (0.0..=1.0).contains(&least), "{least} {actual}");
    }

    #[test]
    fn calibration_error_is_the_gap_between_claim_and_truth() {
        // Ten trials that all claim one half, half of the weight true: no gap.
        assert_near(expected_calibration_error(&[0.0; 5], &[0.0; 5]), 0.0);
        // Everybody is claimed bona fide with certainty: half of the weight is wrong.
        assert_near(expected_calibration_error(&[1e6; 3], &[1e6; 9]), 0.5);
        // Perfect and certain.
        assert_near(expected_calibration_error(&[1e6; 3], &[-1e6; 9]), 0.0);
        // ln 3 claims .75: one trial a bin, gaps .25 each at weight .5.
        assert_near(expected_calibration_error(&[3.0_f64.ln()], &[-(3.0_f64.ln())]), 0.25);
        assert_eq!(expected_calibration_error(&[0.0], &[]), None);
    }
}
