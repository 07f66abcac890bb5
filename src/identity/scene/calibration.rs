//! What an agreement of two backgrounds is worth, and the threshold that gives a wished number of false matches a search.

use serde::Deserialize;

use crate::identity::error::IdentityError;
use crate::identity::tail::{FalseMatches, ImpostorTail, Knot};
use crate::scoring::{Calibration, LikelihoodRatio};
use crate::vision::scene::SceneSimilarity;

/// The calibration that ships with this version.
const DEFAULT_SCENE: &str = include_str!("../../../config/scene.toml");

/// A file of scene calibrations: the line from score to ratio, and how often different places agree.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenePolicy {
    /// Name.
    pub id: String,
    /// Raised with every change of any number.
    pub version: u32,
    /// From score to ratio.
    pub line: SceneLine,
    /// How often different places agree.
    pub tail: SceneTail,
}

/// From the score of an agreement to the ratio that it speaks for one place: `offset + slope * score`, within bounds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneLine {
    /// Ratio at score 0.
    pub offset: f64,
    /// Ratio a unit of the score; never negative.
    pub slope: f64,
    /// Least that is said: strongest evidence of two places.
    pub llr_min: f64,
    /// Most that is said: strongest evidence of one place.
    pub llr_max: f64,
    /// Standard error of the line at its middle.
    pub standard_error: f64,
    /// Places that were seen twice behind the fit.
    pub n_same: u32,
    /// Places that were compared with others.
    pub n_different: u32,
    /// Data and command of the fit.
    pub fitted_on: String,
}

/// How often different places agree, as [`ImpostorTail`] has it for people.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneTail {
    /// Rates that fall and scores that rise; the last is where the tail begins.
    pub knots: Vec<SceneKnot>,
    /// Mean of what the scores above the last knot have over it.
    pub mean_excess: f64,
    /// Standard error of the last knot's rate over the rate.
    pub rate_relative_error: f64,
    /// Standard error of `mean_excess` over it.
    pub excess_relative_error: f64,
    /// Places behind the fit.
    pub n_scenes: u32,
    /// Data and command of the fit.
    pub fitted_on: String,
}

/// A false match rate with the score from which it holds.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneKnot {
    /// Share of the pairs of two places that agree as well.
    pub false_match_rate: f64,
    /// Score.
    pub score: f64,
}

impl ScenePolicy {
    /// The one that ships with this version.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn shipped() -> Self {
        Self::from_toml(DEFAULT_SCENE).expect("the shipped scene calibration is read by a test")
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`IdentityError::Parse`], [`IdentityError::Invalid`] with the key.
    pub fn from_toml(text: &str) -> Result<Self, IdentityError> {
        let policy: Self = toml::from_str(text).map_err(|source| IdentityError::Parse { source: Box::new(source) })?;
        match policy.problem() {
            Some((field, problem)) => Err(IdentityError::Invalid { field, problem: problem.to_owned() }),
            None => Ok(policy),
        }
    }

    /// `scenes/{id}@{version}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("scenes/{}@{}", self.id, self.version)
    }

    fn problem(&self) -> Option<(&'static str, &'static str)> {
        let line = &self.line;
        let numbers = [line.offset, line.slope, line.llr_min, line.llr_max, line.standard_error];
        if numbers.iter().any(|number| !number.is_finite()) {
            return Some(("line", "every number must be finite"));
        }
        if line.slope < 0.0 || line.standard_error < 0.0 {
            return Some(("line.slope", "slope and standard_error must not be negative"));
        }
        if line.llr_min > 0.0 || line.llr_max < 0.0 {
            return Some(("line.llr_min", "must not be above 0, and llr_max not below it"));
        }
        if line.llr_max > f64::from(line.n_different.max(1)).ln() + 1e-6 {
            return Some(("line.llr_max", "must not be above the natural logarithm of n_different"));
        }
        if line.llr_min < -f64::from(line.n_same.max(1)).ln() - 1e-6 {
            return Some(("line.llr_min", "must not be below minus the natural logarithm of n_same"));
        }
        self.tail.for_people().problem().map(|(field, problem)| match field {
            "tail.n_people" => ("tail.n_scenes", problem),
            field => (field, problem),
        })
    }
}

impl SceneTail {
    /// The tail of a fit, without the rates at which different places do not agree at all.
    #[must_use]
    pub fn of(tail: &ImpostorTail) -> Self {
        let last = tail.knots.len().saturating_sub(1);
        let is_told = |(at, knot): &(usize, &Knot)| {
            let next = tail.knots.get(at + 1).map_or(f64::INFINITY, |next| next.similarity);
            *at == last || (knot.similarity > 0.0 && next > knot.similarity)
        };
        let knots = tail.knots.iter().enumerate().filter(is_told);
        Self {
            knots: knots
                .map(|(_, knot)| SceneKnot { false_match_rate: knot.false_match_rate, score: knot.similarity })
                .collect(),
            mean_excess: tail.mean_excess,
            rate_relative_error: tail.rate_relative_error,
            excess_relative_error: tail.excess_relative_error,
            n_scenes: tail.n_people,
            fitted_on: tail.fitted_on.clone(),
        }
    }

    fn for_people(&self) -> ImpostorTail {
        let knot = |knot: &SceneKnot| Knot { false_match_rate: knot.false_match_rate, similarity: knot.score };
        ImpostorTail {
            knots: self.knots.iter().map(knot).collect(),
            mean_excess: self.mean_excess,
            rate_relative_error: self.rate_relative_error,
            excess_relative_error: self.excess_relative_error,
            n_people: self.n_scenes,
            fitted_on: self.fitted_on.clone(),
        }
    }
}

/// What agreements of backgrounds are worth.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneCalibration {
    line: Calibration,
    tail: ImpostorTail,
    name: String,
}

/// A threshold with what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneThreshold {
    /// Score from which a background is a hit.
    pub score: f32,
    /// False matches to expect at it.
    pub false_matches: FalseMatches,
}

impl SceneCalibration {
    /// Of a policy.
    #[must_use]
    pub fn new(policy: ScenePolicy) -> Self {
        let name = policy.name();
        let tail = policy.tail.for_people();
        let SceneLine { offset, slope, llr_min, llr_max, standard_error, n_same, n_different, fitted_on } = policy.line;
        let (n_bona_fide, n_attack) = (n_same, n_different);
        let line = Calibration { offset, slope, llr_min, llr_max, standard_error, n_bona_fide, n_attack, fitted_on };
        Self { line, tail, name }
    }

    /// `scenes/{id}@{version}`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much likelier the agreement is between two pictures of one place than of two: natural logarithm, positive for one
    /// place. `None` when the score is not a finite number.
    ///
    /// Two pictures of one place may show different parts of it, so that no agreement says little; and one virtual background
    /// is one place.
    #[must_use]
    pub fn ratio(&self, similarity: &SceneSimilarity) -> Option<LikelihoodRatio> {
        self.line.apply(f64::from(similarity.score), None)
    }

    /// The least and the most that a ratio can be: the data behind it allow no stronger statement.
    #[must_use]
    pub const fn ratio_bounds(&self) -> (f64, f64) {
        (self.line.llr_min, self.line.llr_max)
    }

    /// Places behind the ratio: seen twice, and compared with others.
    #[must_use]
    pub const fn n_places(&self) -> (u32, u32) {
        (self.line.n_bona_fide, self.line.n_attack)
    }

    /// The least number of false matches a search of `n_scenes` that [`SceneCalibration::threshold`] takes.
    #[must_use]
    pub fn least_false_matches(&self, n_scenes: usize) -> f64 {
        self.tail.least_false_matches(n_scenes)
    }

    /// False matches to expect of one search of `n_scenes` different places at a threshold.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when the threshold is not in 0..=1.
    pub fn false_matches(&self, score: f32, n_scenes: usize) -> Result<FalseMatches, IdentityError> {
        let of_score = |score| self.tail.false_matches(f64::from(score), n_scenes);
        Some(score)
            .filter(|score| (0.0..=1.0).contains(score))
            .and_then(of_score)
            .ok_or_else(|| IdentityError::Invalid { field: "threshold_score", problem: "must lie in 0..=1".to_owned() })
    }

    /// The threshold at which one search of `n_scenes` different places for one that is not among them gives `wished` false
    /// matches on average, or fewer.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when `wished` is not a positive number; [`IdentityError::BeyondData`] when it is less than
    /// one pair of places, in all that the calibration was fitted on, stands for.
    pub fn threshold(&self, n_scenes: usize, wished: f64) -> Result<SceneThreshold, IdentityError> {
        let score = self.tail.threshold(n_scenes, wished)?;
        Ok(SceneThreshold { score, false_matches: self.false_matches(score, n_scenes)? })
    }
}

#[cfg(test)]
mod tests {
    use super::{SceneCalibration, ScenePolicy};
    use crate::identity::error::IdentityError;
    use crate::vision::scene::SceneSimilarity;

    fn similarity(score: f32) -> SceneSimilarity {
        SceneSimilarity { score, ..SceneSimilarity::default() }
    }

    #[test]
    fn more_agreement_never_says_less_and_no_more_than_the_data() {
        let (policy, calibration) = (ScenePolicy::shipped(), SceneCalibration::new(ScenePolicy::shipped()));
        let llrs: Vec<f64> = (0_u8..=100)
            .map(|step| calibration.ratio(&similarity(f32::from(step) / 100.0)).expect("finite").llr)
            .collect();
        assert!(llrs.is_sorted() && llrs[0] < 0.0 && llrs[100] > 0.0);
        assert!(llrs[100] <= f64::from(policy.line.n_different).ln() && llrs[0] >= -f64::from(policy.line.n_same).ln());
        assert_eq!(calibration.ratio(&similarity(f32::NAN)), None);
    }

    #[test]
    fn larger_galleries_need_more_agreement_for_as_few_false_matches() {
        let calibration = SceneCalibration::new(ScenePolicy::shipped());
        let mut last = 0.0;
        for n_scenes in [1, 10, 100, 1_000, 10_000] {
            let threshold = calibration.threshold(n_scenes, 0.5).expect("within the data");
            assert!(threshold.score > 0.0 && threshold.score >= last && threshold.false_matches.expected <= 0.5);
            last = threshold.score;
        }
        let beyond = calibration.threshold(100_000_000, 0.001);
        assert!(matches!(beyond, Err(IdentityError::BeyondData { .. })));
        for wished in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(calibration.threshold(10, wished), Err(IdentityError::Invalid { .. })));
        }
        for score in [f32::NAN, -0.1, 1.5] {
            assert!(matches!(calibration.false_matches(score, 10), Err(IdentityError::Invalid { .. })));
        }
    }

    #[test]
    fn a_wrong_file_is_named_by_its_key() {
        let text = super::DEFAULT_SCENE;
        let check = |from: &str, to: &str, expected: &str| {
            assert!(text.contains(from), "{from}");
            let error = ScenePolicy::from_toml(&text.replacen(from, to, 1)).expect_err(to);
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(format!("{error} {source}").contains(expected), "{error} {source}");
        };
        check("version = ", "vision = ", "vision");
        check("mean_excess = ", "mean_excess = -", "tail.mean_excess");
        check("slope = ", "slope = -", "line.slope");
        check("llr_max = ", "llr_max = 9", "line.llr_max");
        check("n_scenes = ", "n_scenes = 1 # ", "tail.n_scenes");
    }
}
