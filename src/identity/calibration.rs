//! What a similarity is worth: the ratio that it speaks for one person, and the false matches that a threshold costs a search.

use serde::Deserialize;

use super::error::IdentityError;
use super::tail::{FalseMatches, ImpostorTail};
use super::template::ModelDigest;
use crate::scoring::{Calibration, LikelihoodRatio};

/// The search calibration that ships with this version.
const DEFAULT_SEARCH: &str = include_str!("../../config/search.toml");

/// A versioned search calibration as it stands in a file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchPolicy {
    /// Its name.
    pub id: String,
    /// Counts up with every change of any number in it.
    pub version: u32,
    /// Whose similarities it speaks of: the model's version or the 64 digits of its digest.
    pub model: String,
    /// How similar two people are.
    pub tail: ImpostorTail,
}

impl SearchPolicy {
    /// The one that ships with this version.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    pub fn shipped() -> Self {
        Self::from_toml(DEFAULT_SEARCH).expect("the shipped search calibration is read by a test")
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`IdentityError::Parse`], [`IdentityError::Invalid`] with the key.
    pub fn from_toml(text: &str) -> Result<Self, IdentityError> {
        let policy: Self = toml::from_str(text).map_err(|source| IdentityError::Parse { source: Box::new(source) })?;
        ModelDigest::from_version(&policy.model)?;
        match policy.tail.problem() {
            Some((field, problem)) => Err(IdentityError::Invalid { field, problem: problem.to_owned() }),
            None => Ok(policy),
        }
    }

    /// `searches/{id}@{version}`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("searches/{}@{}", self.id, self.version)
    }
}

/// What similarities of one model are worth.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchCalibration {
    model: ModelDigest,
    line: Calibration,
    tail: ImpostorTail,
    name: String,
}

/// A threshold with what it costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SearchThreshold {
    /// Cosine from which a template is a hit.
    pub similarity: f32,
    /// False matches to expect at it.
    pub false_matches: FalseMatches,
}

impl SearchCalibration {
    /// Puts the tail beside the line from similarity to ratio that the scoring policy has for the identity signal.
    ///
    /// The policy bounds that line by what sameness says about a participant being genuine. Here it is about being one
    /// person, so that the bounds are those of the line's own data: no ratio beyond the number of people behind it.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when the search policy's model is not a digest.
    pub fn new(search: SearchPolicy, identity_line: &Calibration) -> Result<Self, IdentityError> {
        let bound = |n_people: u32| f64::from(n_people.max(1)).ln();
        let line = Calibration {
            llr_min: -bound(identity_line.n_bona_fide),
            llr_max: bound(identity_line.n_attack),
            ..identity_line.clone()
        };
        let (model, name) = (ModelDigest::from_version(&search.model)?, search.name());
        Ok(Self { model, line, tail: search.tail, name })
    }

    /// Whose similarities it speaks of.
    #[must_use]
    pub const fn model(&self) -> ModelDigest {
        self.model
    }

    /// `searches/{id}@{version}` of the tail.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How much likelier the similarity is between templates of one person than of two: natural logarithm, positive for
    /// one person. `None` when the similarity is not a finite number.
    #[must_use]
    pub fn ratio(&self, similarity: f32) -> Option<LikelihoodRatio> {
        self.line.apply(f64::from(similarity), None)
    }

    /// The least and the most that a ratio can be: the data behind it allow no stronger statement.
    #[must_use]
    pub const fn ratio_bounds(&self) -> (f64, f64) {
        (self.line.llr_min, self.line.llr_max)
    }

    /// People behind the ratio: of whom pictures were compared with each other, and with those of others.
    #[must_use]
    pub const fn n_people(&self) -> (u32, u32) {
        (self.line.n_bona_fide, self.line.n_attack)
    }

    /// The least number of false matches a search of `n_templates` that [`SearchCalibration::threshold`] takes.
    #[must_use]
    pub fn least_false_matches(&self, n_templates: usize) -> f64 {
        self.tail.least_false_matches(n_templates)
    }

    /// False matches to expect of one search of `n_templates` of different people at a threshold.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when the threshold is not in -1..=1.
    pub fn false_matches(&self, similarity: f32, n_templates: usize) -> Result<FalseMatches, IdentityError> {
        let of_cosine = |similarity| self.tail.false_matches(f64::from(similarity), n_templates);
        Some(similarity).filter(|similarity| (-1.0..=1.0).contains(similarity)).and_then(of_cosine).ok_or_else(|| {
            IdentityError::Invalid { field: "threshold_similarity", problem: "must be a cosine, -1..=1".to_owned() }
        })
    }

    /// The threshold at which one search of `n_templates` of different people for somebody who is not among them gives
    /// `wished` false matches on average, or fewer.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when `wished` is not a positive number; [`IdentityError::BeyondData`] when it is less than
    /// one pair of people, in all that the calibration was fitted on, stands for.
    pub fn threshold(&self, n_templates: usize, wished: f64) -> Result<SearchThreshold, IdentityError> {
        let similarity = self.tail.threshold(n_templates, wished)?;
        Ok(SearchThreshold { similarity, false_matches: self.false_matches(similarity, n_templates)? })
    }
}

#[cfg(test)]
mod tests {
    use super::{SearchCalibration, SearchPolicy};
    use crate::identity::error::IdentityError;
    use crate::identity::tail::Support;
    use crate::scoring::Policy;
    use crate::signals::SignalName;

    fn shipped() -> SearchCalibration {
        let policy = Policy::shipped();
        let line = &policy.signal(SignalName::Identity).expect("is there").calibration;
        SearchCalibration::new(SearchPolicy::shipped(), line).expect("a digest")
    }

    #[test]
    fn the_ratio_is_that_of_the_policy_within_its_datas_own_bounds() {
        let calibration = shipped();
        let llr = |similarity| calibration.ratio(similarity).expect("finite").llr;
        assert!((llr(0.4) - (-6.812 + 18.996 * 0.4)).abs() < 1e-5, "the policy's line");
        assert!((llr(1.0) - 1225.0_f64.ln()).abs() < 1e-9 && (llr(-1.0) + 187.0_f64.ln()).abs() < 1e-9);
        assert_eq!(calibration.ratio(f32::NAN), None);
    }

    #[test]
    fn larger_galleries_need_more_similarity_for_as_few_false_matches() {
        let calibration = shipped();
        let mut last = -1.0;
        for n_templates in [1, 10, 100, 1_000, 10_000] {
            let threshold = calibration.threshold(n_templates, 0.1).expect("within the data");
            assert!(threshold.similarity >= last && threshold.false_matches.expected <= 0.1);
            assert!(threshold.false_matches.low <= threshold.false_matches.expected);
            last = threshold.similarity;
        }
        let at = |n| calibration.threshold(n, 1.0).expect("within the data").false_matches.support;
        assert_eq!((at(1_000), at(500_000)), (Support::Measured, Support::Extrapolated));
    }

    #[test]
    fn less_than_the_data_vouch_for_is_refused_with_what_they_do() {
        let calibration = shipped();
        let Err(IdentityError::BeyondData { least, similarity, .. }) = calibration.threshold(1_000_000, 0.01) else {
            panic!("a hundred million pairs of people were never compared");
        };
        let threshold = calibration.threshold(1_000_000, least * 1.000_001).expect("the least is allowed");
        assert!((f64::from(threshold.similarity) - similarity).abs() < 1e-5);
        for wished in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(calibration.threshold(10, wished), Err(IdentityError::Invalid { .. })));
        }
        for similarity in [f32::NAN, 1.5] {
            assert!(matches!(calibration.false_matches(similarity, 10), Err(IdentityError::Invalid { .. })));
        }
    }

    #[test]
    fn a_wrong_file_is_named_by_its_key() {
        let text = super::DEFAULT_SEARCH;
        let check = |from: &str, to: &str, expected: &str| {
            assert!(text.contains(from), "{from}");
            let error = SearchPolicy::from_toml(&text.replacen(from, to, 1)).expect_err(to);
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert!(format!("{error} {source}").contains(expected), "{error} {source}");
        };
        check("version = ", "vision = ", "vision");
        check("mean_excess = ", "mean_excess = -", "tail.mean_excess");
        check("@0f", "@", "model");
    }
}
