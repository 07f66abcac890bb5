//! All pairs of embeddings, and what thresholds on their similarity would do.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;

use crate::eval::error::EvalError;
use crate::eval::metric::{Ranking, Resampler};
use crate::vision::Embedding;

/// Impostor pairs kept; of more, every n-th is taken.
const MAX_IMPOSTORS: usize = 6_000_000;
/// Folds of the balanced accuracy.
const FOLDS: usize = 10;
/// Seed of folds and resamples.
const SEED: u64 = 1;
/// Resamples of people.
const RESAMPLES: usize = 500;
/// Share of the impostor pairs, the most alike, that a resample looks at: enough for a false match rate of 1 % in each.
const TAIL_RATIO: f64 = 0.04;
/// Pairs that must lie above a threshold for its false match rate to be supported.
const MIN_TAIL_PAIRS: f64 = 10.0;

/// Two different images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pair {
    /// Cosine.
    pub(super) similarity: f32,
    /// Index of one image.
    pub(super) first: u32,
    /// Index of the other.
    pub(super) second: u32,
}

/// All pairs, the most alike first.
pub(super) struct Comparison {
    genuine: Vec<Pair>,
    impostors: Vec<Pair>,
    /// Person of each image.
    person_of: Vec<usize>,
    n_people: usize,
    /// Of so many impostor pairs one was taken.
    stride: usize,
}

/// True accept rate at one false match rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AcceptRate {
    /// The false match rate asked for.
    pub(super) false_match_rate: f64,
    /// Cosine that gives it.
    pub(super) threshold: f64,
    /// Share of the genuine pairs at or above it.
    pub(super) true_accept_rate: f64,
    /// 95 % interval of that share over resampled people.
    pub(super) interval: Option<(f64, f64)>,
    /// Whether enough impostor pairs lie above the threshold.
    pub(super) is_supported: bool,
}

/// Accuracy on held-out people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Accuracy {
    /// Mean over folds of the mean of both classes' accuracy.
    pub(super) balanced: f64,
    /// Standard deviation over folds.
    pub(super) deviation: f64,
    /// Mean threshold.
    pub(super) threshold: f64,
    /// Folds that held pairs of both classes.
    pub(super) n_folds: usize,
}

impl Comparison {
    /// Compares every image with every other.
    pub(super) fn new(images: &[(usize, &Embedding)], n_people: usize) -> Result<Self, EvalError> {
        let n_pairs = images.len() * images.len().saturating_sub(1) / 2;
        let stride = n_pairs.div_ceil(MAX_IMPOSTORS).max(1);
        let (mut genuine, mut impostors) = (Vec::new(), Vec::new());
        let mut n_seen = 0_usize;
        for (first, (person, embedding)) in images.iter().enumerate() {
            for (second, (other, compared)) in images.iter().enumerate().skip(first + 1) {
                let is_genuine = person == other;
                n_seen += usize::from(!is_genuine);
                if !is_genuine && !n_seen.is_multiple_of(stride) {
                    continue;
                }
                let Some(similarity) = embedding.similarity(compared) else { continue };
                let index = |image: usize| u32::try_from(image).unwrap_or(u32::MAX);
                let pair = Pair { similarity, first: index(first), second: index(second) };
                (if is_genuine { &mut genuine } else { &mut impostors }).push(pair);
            }
        }
        if genuine.is_empty() || impostors.is_empty() {
            return Err(EvalError::TooFew {
                problem: format!(
                    "{} images of {n_people} people give {} pairs of one person and {} of two: add pictures of the same \
                     people and of others",
                    images.len(),
                    genuine.len(),
                    impostors.len()
                ),
            });
        }
        for pairs in [&mut genuine, &mut impostors] {
            pairs.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        }
        let person_of = images.iter().map(|(person, _)| *person).collect();
        Ok(Self { genuine, impostors, person_of, n_people, stride })
    }

    /// Pairs of one person.
    pub(super) fn genuine(&self) -> &[Pair] {
        &self.genuine
    }

    /// Pairs of two people.
    pub(super) fn impostors(&self) -> &[Pair] {
        &self.impostors
    }

    /// People with at least two images.
    pub(super) fn n_paired_people(&self) -> usize {
        let people = self.genuine.iter().map(|pair| self.person(pair.first));
        people.collect::<std::collections::BTreeSet<_>>().len()
    }

    /// How all pairs rank; the attack score is the similarity with its sign turned, and an impostor accepted is a missed
    /// attack.
    pub(super) fn ranking(&self) -> Option<Ranking> {
        self.ranking_of(|_| true, |_| 1.0)
    }

    /// Balanced accuracy on people whose pairs did not choose the threshold. With `EachPerson`, a person with a hundred
    /// pictures weighs no more than one with two.
    pub(super) fn accuracy(&self, weighing: Weighing) -> Option<Accuracy> {
        let mut fold_of: Vec<usize> = (0..self.n_people).map(|person| person % FOLDS).collect();
        fold_of.shuffle(&mut StdRng::seed_from_u64(SEED));
        let fold = |image: u32| fold_of.get(self.person(image)).copied().unwrap_or(0);
        let weight = self.weights(weighing);
        let folds: Vec<(f64, f64)> = (0..FOLDS)
            .filter_map(|held_out| {
                let is_other = |pair: &Pair| fold(pair.first) != held_out && fold(pair.second) != held_out;
                let is_held_out = |pair: &Pair| fold(pair.first) == held_out && fold(pair.second) == held_out;
                let threshold = self.ranking_of(is_other, &weight)?.best_balanced().threshold;
                let errors = self.ranking_of(is_held_out, &weight)?.at_threshold(threshold);
                Some((1.0 - f64::midpoint(errors.apcer, errors.bpcer), -threshold))
            })
            .collect();
        let n = folds.len() as f64;
        let balanced = folds.iter().map(|(accuracy, _)| accuracy).sum::<f64>() / n;
        let variance =
            folds.iter().map(|(accuracy, _)| (accuracy - balanced).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let threshold = folds.iter().map(|(_, threshold)| threshold).sum::<f64>() / n;
        (n > 0.0).then(|| Accuracy { balanced, deviation: variance.sqrt(), threshold, n_folds: folds.len() })
    }

    /// True accept rates at false match rates, with intervals over resampled people.
    pub(super) fn accept_rates(&self, false_match_rates: &[f64]) -> Vec<AcceptRate> {
        let names: Vec<String> = (0..self.n_people).map(|person| person.to_string()).collect();
        let resampler = Resampler::new(names.iter().map(String::as_str), RESAMPLES, SEED);
        let once = vec![1.0; self.n_people];
        false_match_rates
            .iter()
            .filter_map(|&false_match_rate| {
                let (threshold, true_accept_rate) = self.accept_rate(&once, false_match_rate)?;
                let interval = resampler.interval(|drawn| Some(self.accept_rate(drawn, false_match_rate)?.1));
                let is_supported = self.impostors.len() as f64 * false_match_rate >= MIN_TAIL_PAIRS;
                Some(AcceptRate { false_match_rate, threshold, true_accept_rate, interval, is_supported })
            })
            .collect()
    }

    /// Threshold and true accept rate when each person was drawn so often; a pair counts as often as both were.
    fn accept_rate(&self, drawn: &[f64], false_match_rate: f64) -> Option<(f64, f64)> {
        let times = |pair: &Pair| {
            let (first, second) = (self.person(pair.first), self.person(pair.second));
            let times = drawn.get(first).copied().unwrap_or(0.0);
            if first == second { times } else { times * drawn.get(second).copied().unwrap_or(0.0) }
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a slice's length")]
        let n_tail = (self.impostors.len() as f64 * TAIL_RATIO).ceil() as usize;
        let allowed = self.n_impostors_drawn(drawn) * false_match_rate;
        let mut accepted = 0.0;
        let first_refused = self.impostors.iter().take(n_tail.max(1)).find(|pair| {
            accepted += times(pair);
            accepted > allowed
        })?;
        let above: f64 =
            self.genuine.iter().take_while(|pair| pair.similarity > first_refused.similarity).map(&times).sum();
        let total: f64 = self.genuine.iter().map(times).sum();
        (total > 0.0).then(|| (f64::from(first_refused.similarity), above / total))
    }

    /// Impostor pairs among the people drawn, from the number of images of each.
    fn n_impostors_drawn(&self, drawn: &[f64]) -> f64 {
        let mut images = vec![0.0_f64; self.n_people];
        for person in &self.person_of {
            if let (Some(images), Some(times)) = (images.get_mut(*person), drawn.get(*person)) {
                *images += times;
            }
        }
        let (sum, squares) = images.iter().fold((0.0, 0.0), |(sum, squares), n| (sum + n, squares + n * n));
        (sum * sum - squares) / 2.0 / self.stride as f64
    }

    fn ranking_of(&self, takes: impl Fn(&Pair) -> bool, weight: impl Fn(&Pair) -> f64) -> Option<Ranking> {
        let row =
            |is_impostor: bool, weight: f64| move |pair: &Pair| (-f64::from(pair.similarity), weight, is_impostor);
        let genuine = self.genuine.iter().filter(|pair| takes(pair)).map(|pair| row(false, weight(pair))(pair));
        let impostors = self.impostors.iter().filter(|pair| takes(pair)).map(row(true, 1.0));
        // Impostors first and by falling attack score, so that sorting finds long runs.
        Ranking::weighted(impostors.rev().chain(genuine.rev()).collect())
    }

    fn weights(&self, weighing: Weighing) -> impl Fn(&Pair) -> f64 {
        let mut n_pairs = vec![0.0_f64; self.n_people];
        for pair in &self.genuine {
            if let Some(n) = n_pairs.get_mut(self.person(pair.first)) {
                *n += 1.0;
            }
        }
        move |pair| match weighing {
            Weighing::EachPair => 1.0,
            Weighing::EachPerson => 1.0 / n_pairs.get(self.person(pair.first)).copied().unwrap_or(1.0).max(1.0),
        }
    }

    /// Whose image it is, by number.
    pub(super) fn person(&self, image: u32) -> usize {
        self.person_of.get(image as usize).copied().unwrap_or(usize::MAX)
    }
}

/// What genuine pairs weigh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weighing {
    /// All the same.
    EachPair,
    /// The pairs of one person together as much as those of another.
    EachPerson,
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Weighing};
    use crate::vision::Embedding;

    /// Three images of each of `n_people`, near an axis of their own; `stray` pulls the last image of each to an axis that is
    /// common to all.
    fn images(n_people: usize, stray: f32) -> Vec<(usize, Embedding)> {
        let mut images = Vec::new();
        for person in 0..n_people {
            for image in 0..3_u8 {
                let mut raw = vec![0.0_f32; n_people + 1];
                raw[person] = 1.0;
                raw[n_people] = if image == 2 { stray } else { 0.05 * f32::from(image) };
                images.push((person, Embedding::from_raw(&raw).expect("has a direction")));
            }
        }
        images
    }

    fn comparison(images: &[(usize, Embedding)], n_people: usize) -> Comparison {
        let borrowed: Vec<(usize, &Embedding)> = images.iter().map(|(person, vector)| (*person, vector)).collect();
        Comparison::new(&borrowed, n_people).expect("pairs of both kinds")
    }

    #[test]
    fn every_pair_is_compared_once() {
        let comparison = comparison(&images(20, 0.1), 20);
        assert_eq!((comparison.genuine().len(), comparison.impostors().len()), (60, 60 * 59 / 2 - 60));
        assert_eq!(comparison.n_paired_people(), 20);
        assert!(comparison.impostors().is_sorted_by(|a, b| a.similarity >= b.similarity));
        let all: f64 = comparison.n_impostors_drawn(&[1.0; 20]);
        assert!((all - 1_710.0).abs() < 1e-9, "{all}");
    }

    #[test]
    fn people_apart_are_told_apart() {
        let comparison = comparison(&images(30, 0.1), 30);
        let accuracy = comparison.accuracy(Weighing::EachPair).expect("ten folds of three people");
        assert!((accuracy.balanced - 1.0).abs() < 1e-9 && accuracy.n_folds == 10, "{accuracy:?}");
        let rates = comparison.accept_rates(&[1e-2, 1e-5]);
        assert!((rates[0].true_accept_rate - 1.0).abs() < 1e-9, "{rates:?}");
        assert!(rates[0].is_supported && !rates[1].is_supported);
    }

    #[test]
    fn images_that_look_like_another_person_cost_accuracy() {
        // The stray images are nearer to each other than to their own people.
        let comparison = comparison(&images(30, 1e6), 30);
        let accuracy = comparison.accuracy(Weighing::EachPair).expect("folds");
        assert!((0.5..0.9).contains(&accuracy.balanced), "{accuracy:?}");
        let rate = comparison.accept_rates(&[1e-2])[0];
        let (low, high) = rate.interval.expect("thirty people");
        assert!(low <= rate.true_accept_rate && rate.true_accept_rate <= high && rate.true_accept_rate < 0.9);
    }

    #[test]
    fn pictures_of_strangers_only_are_too_few() {
        let vector = Embedding::from_raw(&[1.0, 0.0]).expect("has a direction");
        assert!(Comparison::new(&[(0, &vector), (1, &vector)], 2).is_err());
        assert!(Comparison::new(&[(0, &vector), (0, &vector)], 1).is_err());
    }
}
