//! How often two people are as similar as that: measured, and how far past the measurement it may be carried on.

use serde::Deserialize;

use super::error::IdentityError;

/// False match rates that a fit notes the similarity of; past the last one the tail begins.
const RATES: [f64; 5] = [0.1, 0.03, 0.01, 0.003, 0.001];
/// Pairs of two people that must lie above a similarity for its rate to count as measured.
const MEASURED_PAIRS: f64 = 10.0;
/// Pairs of two people above the tail's beginning below which it is not fitted.
const MIN_TAIL_PAIRS: usize = 100;
/// Half of a 95 % interval in standard errors.
const NORMAL_95: f64 = 1.96;

/// Similarity of two pictures, or templates, of different people.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeighedSimilarity {
    /// Cosine.
    pub similarity: f64,
    /// How much it counts; those of any two people, in one order, sum to 1.
    pub weight: f64,
    /// The two people, counted from 0.
    pub people: [u32; 2],
}

/// A false match rate with the similarity from which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knot {
    /// Share of the pairs of two people that are as similar.
    pub false_match_rate: f64,
    /// Cosine.
    pub similarity: f64,
}

/// The upper end of the similarities of two people.
///
/// Down to the last knot's rate it is what was measured; past it the excess over that similarity is taken for exponential,
/// a Pareto tail of shape 0. Fitted shapes are 0 or below it (lighter tails), so that this errs towards more false matches;
/// but relatives are more alike than any tail of strangers says, and are in it only as far as they were in the data.
///
/// # Source
/// Peaks over threshold: Pickands, Annals of Statistics 3(1), 1975; Coles, An Introduction to Statistical Modeling of
/// Extreme Values, 2001, 4.3.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImpostorTail {
    /// Rates that fall and similarities that rise; the last is where the tail begins.
    pub knots: Vec<Knot>,
    /// Mean of what the similarities above the last knot have over it.
    pub mean_excess: f64,
    /// Standard error of the last knot's rate over the rate.
    pub rate_relative_error: f64,
    /// Standard error of `mean_excess` over it.
    pub excess_relative_error: f64,
    /// People behind the fit.
    pub n_people: u32,
    /// Data and command of the fit.
    pub fitted_on: String,
}

/// What stands behind an expected number of false matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// At least ten pairs of people were that similar.
    Measured,
    /// Fewer, so that it is the tail that says so.
    Extrapolated,
    /// Less than one pair in all that were compared: the data say no more than the figure at their end.
    Beyond,
}

/// False matches to expect of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FalseMatches {
    /// Their mean over searches for people who are not in the gallery.
    pub expected: f64,
    /// Lower end of the 95 % interval that the people behind the fit allow.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Whether that was measured.
    pub support: Support,
}

impl ImpostorTail {
    /// Fits the tail to similarities of different people.
    ///
    /// # Errors
    /// [`IdentityError::TooFew`] when fewer than a hundred of them lie in the tail, or they do not spread.
    pub fn fit(similarities: &[WeighedSimilarity], n_people: u32, fitted_on: &str) -> Result<Self, IdentityError> {
        let mut sorted: Vec<WeighedSimilarity> =
            similarities.iter().filter(|pair| pair.similarity.is_finite() && pair.weight > 0.0).copied().collect();
        sorted.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        let total: f64 = sorted.iter().map(|pair| pair.weight).sum();
        let too_few = |n: usize| IdentityError::TooFew {
            problem: format!(
                "{n} pairs of {n_people} people lie in the tail, {MIN_TAIL_PAIRS} are wanted: add pictures of further people"
            ),
        };
        let mut knots = Vec::new();
        let (mut above, mut n_tail, mut taken) = (0.0, 0, sorted.iter().enumerate());
        for rate in RATES.iter().rev() {
            let found = taken.find(|(_, pair)| {
                above += pair.weight;
                above >= total * rate
            });
            let (n, pair) = found.ok_or_else(|| too_few(0))?;
            if knots.is_empty() {
                n_tail = n;
            }
            knots.push(Knot { false_match_rate: *rate, similarity: pair.similarity });
        }
        let start = knots.first().map_or(1.0, |knot| knot.similarity);
        knots.reverse();
        let tail = sorted.get(..n_tail).unwrap_or_default();
        let excess = |weight: &dyn Fn(&WeighedSimilarity) -> f64| -> (f64, f64) {
            let weights: f64 = tail.iter().map(weight).sum();
            let sum: f64 = tail.iter().map(|pair| weight(pair) * (pair.similarity - start)).sum();
            (weights, sum / weights)
        };
        let (weight, mean_excess) = excess(&|pair| pair.weight);
        if n_tail < MIN_TAIL_PAIRS || mean_excess.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
            return Err(too_few(n_tail));
        }
        // Jackknife: each person left out in turn. A pair goes with either of its people, so that what is chance of single
        // pairs counts twice: the errors are told too large rather than too small.
        let (mut rate_variance, mut excess_variance) = (0.0, 0.0);
        let n = f64::from(n_people);
        for left_out in 0..n_people {
            let (rest, mean) = excess(&|pair| if pair.people.contains(&left_out) { 0.0 } else { pair.weight });
            let rate_ratio = rest / weight / ((n - 2.0) / n);
            rate_variance += (rate_ratio - 1.0).powi(2);
            excess_variance += (mean / mean_excess - 1.0).powi(2);
        }
        let scale = (n - 1.0) / n;
        Ok(Self {
            knots,
            mean_excess,
            rate_relative_error: (rate_variance * scale).sqrt(),
            excess_relative_error: (excess_variance * scale).sqrt(),
            n_people,
            fitted_on: fitted_on.to_owned(),
        })
    }

    /// Pairs of people behind the fit.
    #[must_use]
    pub fn n_person_pairs(&self) -> f64 {
        f64::from(self.n_people) * (f64::from(self.n_people) - 1.0) / 2.0
    }

    /// The least false match rate that is given out: one pair of people in all that were compared.
    #[must_use]
    pub fn least_rate(&self) -> f64 {
        1.0 / self.n_person_pairs()
    }

    /// The least false match rate that was measured.
    #[must_use]
    pub fn least_measured_rate(&self) -> f64 {
        MEASURED_PAIRS / self.n_person_pairs()
    }

    /// False matches to expect of a search of `n_templates` at a similarity; never fewer than [`Self::least_rate`] says.
    /// `None` when the similarity is not a number.
    #[must_use]
    pub fn false_matches(&self, similarity: f64, n_templates: usize) -> Option<FalseMatches> {
        if similarity.is_nan() {
            return None;
        }
        let carried_on = self.rate(similarity);
        let rate = carried_on.max(self.least_rate());
        let support = if rate > carried_on {
            Support::Beyond
        } else if rate < self.least_measured_rate() {
            Support::Extrapolated
        } else {
            Support::Measured
        };
        // The tail turns about its beginning, so that its own error grows with the distance from there.
        let depth = self.start().map_or(0.0, |start| (start.false_match_rate / rate).ln().max(0.0));
        let error = NORMAL_95 * self.rate_relative_error.hypot(depth * self.excess_relative_error);
        let expected = rate * n_templates as f64;
        let most = n_templates as f64;
        Some(FalseMatches {
            expected,
            low: expected * (-error).exp(),
            high: (expected * error.exp()).min(most),
            support,
        })
    }

    /// The least number of false matches a search of `n_templates` that [`Self::threshold`] takes.
    #[must_use]
    pub fn least_false_matches(&self, n_templates: usize) -> f64 {
        // A little more, so that rounding does not make it less.
        self.least_rate() * n_templates.max(1) as f64 * (1.0 + 1e-9)
    }

    /// The similarity, rounded up, at which one search of `n_templates` gives `wished` false matches on average, or fewer.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when `wished` is not a positive number; [`IdentityError::BeyondData`] when it is less than
    /// one pair of people, in all that were compared, stands for.
    pub fn threshold(&self, n_templates: usize, wished: f64) -> Result<f32, IdentityError> {
        if !(wished > 0.0 && wished.is_finite()) {
            let problem = "must be a positive number of false matches a search, such as 0.1".to_owned();
            return Err(IdentityError::Invalid { field: "wished_false_matches", problem });
        }
        let n = n_templates.max(1);
        let (rate, least_rate) = (wished / n as f64, self.least_rate());
        if rate < least_rate {
            let (least, similarity) = (least_rate * n as f64, self.similarity_at(least_rate));
            return Err(IdentityError::BeyondData { wished, n_templates, least, similarity });
        }
        #[expect(clippy::cast_possible_truncation, reason = "a similarity, rounded up")]
        Ok((self.similarity_at(rate).min(1.0) as f32).next_up().min(1.0))
    }

    /// The least similarity at which the false match rate is at most `rate`; that of the first knot for rates above it.
    #[must_use]
    pub fn similarity_at(&self, rate: f64) -> f64 {
        let Some(start) = self.start() else { return 1.0 };
        if rate < start.false_match_rate {
            return start.similarity + self.mean_excess * (start.false_match_rate / rate).ln();
        }
        let between = self.knots.windows(2).find_map(|pair| match pair {
            [above, below] if rate >= below.false_match_rate && rate < above.false_match_rate => {
                let whole = (above.false_match_rate / below.false_match_rate).ln();
                let part = (above.false_match_rate / rate).ln() / whole;
                Some(above.similarity + part * (below.similarity - above.similarity))
            }
            _ => None,
        });
        between.or_else(|| self.knots.first().map(|knot| knot.similarity)).unwrap_or(1.0)
    }

    /// The false match rate at a similarity, carried on as far as you like; 1 below the first knot.
    fn rate(&self, similarity: f64) -> f64 {
        let Some(start) = self.start() else { return 1.0 };
        if similarity >= start.similarity {
            return start.false_match_rate * (-(similarity - start.similarity) / self.mean_excess).exp();
        }
        let between = self.knots.windows(2).find_map(|pair| match pair {
            [above, below] if similarity >= above.similarity && similarity < below.similarity => {
                let part = (similarity - above.similarity) / (below.similarity - above.similarity);
                Some(above.false_match_rate * (below.false_match_rate / above.false_match_rate).powf(part))
            }
            _ => None,
        });
        between.unwrap_or(1.0)
    }

    fn start(&self) -> Option<&Knot> {
        self.knots.last()
    }

    /// The key that is wrong, and what about it, if anything.
    pub(super) fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_rate = |knot: &Knot| knot.false_match_rate > 0.0 && knot.false_match_rate < 1.0;
        let is_ordered = |pair: &[Knot]| match pair {
            [above, below] => above.false_match_rate > below.false_match_rate && above.similarity < below.similarity,
            _ => true,
        };
        if self.knots.is_empty() || !self.knots.iter().all(is_rate) || !self.knots.windows(2).all(is_ordered) {
            return Some((
                "tail.knots",
                "must be one or more rates between 0 and 1 that fall as their similarities rise",
            ));
        }
        if !self.knots.iter().all(|knot| (-1.0..=1.0).contains(&knot.similarity)) {
            return Some(("tail.knots", "a similarity must be a cosine, -1..=1"));
        }
        if !(self.mean_excess > 0.0 && self.mean_excess <= 1.0) {
            return Some(("tail.mean_excess", "must lie between 0 and 1"));
        }
        if !(self.rate_relative_error >= 0.0 && self.rate_relative_error.is_finite()) {
            return Some(("tail.rate_relative_error", "must be finite and not negative"));
        }
        if !(self.excess_relative_error >= 0.0 && self.excess_relative_error.is_finite()) {
            return Some(("tail.excess_relative_error", "must be finite and not negative"));
        }
        let start = self.start().map_or(0.0, |knot| knot.false_match_rate);
        if self.n_people < 2 || self.least_measured_rate() > start {
            return Some(("tail.n_people", "are too few for ten of their pairs to lie in the tail"));
        }
        None
    }
}

#[cfg(test)]
mod tests;
