//! What every threshold on a score would do: ROC, AUC, EER and error rates at a fixed other error rate.

/// What one threshold does; scores at or above it count as attacks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::eval) struct Point {
    /// The threshold; infinite at the end where nothing counts as an attack.
    pub(in crate::eval) threshold: f64,
    /// Share of the attacks that are taken for bona fide, 0..=1 (APCER; FMR in verification).
    pub(in crate::eval) apcer: f64,
    /// Share of the bona fide presentations that are taken for attacks, 0..=1 (BPCER; FNMR in verification).
    pub(in crate::eval) bpcer: f64,
}

/// Scores of both classes by threshold.
#[derive(Clone, Debug)]
pub(in crate::eval) struct Ranking {
    /// By falling threshold: from "nothing is an attack" to "everything is".
    points: Vec<Point>,
}

impl Ranking {
    /// Ranks the scores; `None` when a class is empty or a score is not a number.
    pub(in crate::eval) fn new(bona_fide: &[f64], attack: &[f64]) -> Option<Self> {
        let labelled = bona_fide.iter().map(|score| (*score, 1.0, false));
        let labelled = labelled.chain(attack.iter().map(|score| (*score, 1.0, true)));
        Self::weighted(labelled.collect())
    }

    /// Ranks scores with a weight each, such as how often a bootstrap drew them, as (score, weight, is attack).
    pub(in crate::eval) fn weighted(mut scores: Vec<(f64, f64, bool)>) -> Option<Self> {
        if scores.iter().any(|(score, weight, _)| score.is_nan() || !(weight.is_finite() && *weight >= 0.0)) {
            return None;
        }
        let total_of = |is_attack: bool| {
            scores.iter().filter(|score| score.2 == is_attack).map(|(_, weight, _)| weight).sum::<f64>()
        };
        let (n_bona_fide, n_attack) = (total_of(false), total_of(true));
        if n_bona_fide <= 0.0 || n_attack <= 0.0 {
            return None;
        }
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut points = vec![Point { threshold: f64::INFINITY, apcer: 1.0, bpcer: 0.0 }];
        let (mut bona_fide_above, mut attacks_above) = (0.0, 0.0);
        for tied in scores.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
            for (_, weight, is_attack) in tied {
                *(if *is_attack { &mut attacks_above } else { &mut bona_fide_above }) += weight;
            }
            let threshold = tied.first().map_or(f64::INFINITY, |(score, _, _)| *score);
            let apcer = (1.0 - attacks_above / n_attack).max(0.0);
            points.push(Point { threshold, apcer, bpcer: (bona_fide_above / n_bona_fide).min(1.0) });
        }
        Some(Self { points })
    }

    /// Every operating point, by falling threshold.
    pub(in crate::eval) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Probability that an attack scores above a bona fide presentation, ties counting half.
    pub(in crate::eval) fn auc(&self) -> f64 {
        let steps = self.points.windows(2).map(|pair| match pair {
            [before, after] => (after.bpcer - before.bpcer) * (2.0 - before.apcer - after.apcer) / 2.0,
            _ => 0.0,
        });
        steps.sum()
    }

    /// The error rate where both are equal, on the straight line between the two operating points around it.
    pub(in crate::eval) fn eer(&self) -> f64 {
        let crossing = self.points.windows(2).find_map(|pair| match pair {
            [before, after] if after.apcer <= after.bpcer => {
                let (gap_before, gap_after) = (before.apcer - before.bpcer, after.bpcer - after.apcer);
                let share = if gap_before + gap_after > 0.0 { gap_before / (gap_before + gap_after) } else { 0.0 };
                Some(before.apcer + share * (after.apcer - before.apcer))
            }
            _ => None,
        });
        crossing.unwrap_or(1.0)
    }

    /// The operating point with the least BPCER among those whose APCER is at most that; `None` when no threshold but
    /// "everything is an attack" reaches it.
    pub(in crate::eval) fn at_apcer(&self, apcer: f64) -> Option<Point> {
        self.points.iter().find(|point| point.apcer <= apcer).copied().filter(|point| point.bpcer < 1.0 || apcer >= 1.0)
    }

    /// Both error rates of a given threshold.
    pub(in crate::eval) fn at_threshold(&self, threshold: f64) -> Point {
        let last = self.points.iter().rev().find(|point| point.threshold >= threshold);
        last.map_or(Point { threshold, apcer: 1.0, bpcer: 0.0 }, |point| Point { threshold, ..*point })
    }

    /// The operating point with the least mean of both error rates.
    pub(in crate::eval) fn best_balanced(&self) -> Point {
        let mean = |point: &Point| point.apcer + point.bpcer;
        let start = Point { threshold: f64::INFINITY, apcer: 1.0, bpcer: 0.0 };
        self.points.iter().fold(start, |best, point| if mean(point) < mean(&best) { *point } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::Ranking;

    fn ranking(bona_fide: &[f64], attack: &[f64]) -> Ranking {
        Ranking::new(bona_fide, attack).expect("both classes are there")
    }

    fn is_near(actual: f64, expected: f64) -> bool {
        (actual - expected).abs() < 1e-12
    }

    #[test]
    fn auc_counts_pairs_and_half_of_the_ties() {
        let check = |bona_fide: &[f64], attack: &[f64], expected: f64| {
            let auc = ranking(bona_fide, attack).auc();
            assert!(is_near(auc, expected), "{bona_fide:?} {attack:?}: {auc}");
        };
        check(&[0.1, 0.2], &[0.8, 0.9], 1.0);
        check(&[0.8, 0.9], &[0.1, 0.2], 0.0);
        check(&[0.5, 0.5], &[0.5], 0.5);
        // Nine pairs: .4 beats .1 and ties nothing (1 of 3), .6 beats .1, .5 (2), .9 beats all (3).
        check(&[0.1, 0.5, 0.7], &[0.4, 0.6, 0.9], 6.0 / 9.0);
        // Four pairs: .5 against .5 is half, against .2 one; .9 against both two.
        check(&[0.2, 0.5], &[0.5, 0.9], 3.5 / 4.0);
    }

    #[test]
    fn eer_lies_where_both_errors_meet() {
        assert!(is_near(ranking(&[0.1, 0.2], &[0.8, 0.9]).eer(), 0.0));
        assert!(is_near(ranking(&[0.8, 0.9], &[0.1, 0.2]).eer(), 1.0));
        // Threshold .5: attack .4 is missed (1 of 4), bona fide .6 is refused (1 of 4).
        assert!(is_near(ranking(&[0.1, 0.2, 0.3, 0.6], &[0.4, 0.5, 0.7, 0.8]).eer(), 0.25));
        // All scores tie: between (apcer 1, bpcer 0) and (apcer 0, bpcer 1).
        assert!(is_near(ranking(&[0.5], &[0.5]).eer(), 0.5));
    }

    #[test]
    fn error_rates_at_a_fixed_rate_and_at_a_threshold() {
        let ranking = ranking(&[0.1, 0.2, 0.3, 0.6], &[0.4, 0.5, 0.7, 0.8]);
        let point = ranking.at_apcer(0.25).expect("reachable");
        assert!(is_near(point.threshold, 0.5) && is_near(point.apcer, 0.25) && is_near(point.bpcer, 0.25));
        let strict = ranking.at_apcer(0.0).expect("reachable");
        assert!(is_near(strict.threshold, 0.4) && is_near(strict.bpcer, 0.25));
        let at = ranking.at_threshold(0.65);
        assert!(is_near(at.apcer, 0.5) && is_near(at.bpcer, 0.0), "{at:?}");
        let above_all = ranking.at_threshold(0.95);
        assert!(is_near(above_all.apcer, 1.0) && is_near(above_all.bpcer, 0.0));
        let below_all = ranking.at_threshold(0.0);
        assert!(is_near(below_all.apcer, 0.0) && is_near(below_all.bpcer, 1.0));
        let best = ranking.best_balanced();
        assert!(is_near(best.apcer + best.bpcer, 0.25), "{best:?}");
    }

    #[test]
    fn a_rate_that_only_refusing_everybody_reaches_is_none() {
        let ranking = ranking(&[0.5, 0.9], &[0.1, 0.6]);
        assert_eq!(ranking.at_apcer(0.0), None);
        assert!(ranking.at_apcer(1.0).is_some());
    }

    #[test]
    fn weights_count_like_repeated_scores() {
        let weighted =
            Ranking::weighted(vec![(0.2, 2.0, false), (0.5, 1.0, false), (0.5, 3.0, true), (0.9, 0.0, true)])
                .expect("both classes are there");
        let repeated = ranking(&[0.2, 0.2, 0.5], &[0.5, 0.5, 0.5]);
        assert!(is_near(weighted.auc(), repeated.auc()) && is_near(weighted.eer(), repeated.eer()));
    }

    #[test]
    fn missing_classes_and_numbers_that_are_none_are_refused() {
        assert!(Ranking::new(&[], &[0.5]).is_none());
        assert!(Ranking::new(&[0.5], &[]).is_none());
        assert!(Ranking::new(&[f64::NAN], &[0.5]).is_none());
    }
}
