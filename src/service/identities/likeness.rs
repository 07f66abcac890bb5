//! How alike two faces are, in numbers that a sentence can be made of.

use crate::identity::{SearchCalibration, Template};
use crate::scoring::LikelihoodRatio;
use crate::service::error::ServiceError;
use crate::service::ports::VerdictRecord;

use super::scenes::SceneComparison;

/// Half of a 95 % interval in standard errors.
const NORMAL_95: f64 = 1.96;

/// What a template rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TemplateQuality {
    /// Looks at the face that it is the mean of.
    pub n_embeddings: u32,
    /// How much they differed, 0..=1; 0 for one look.
    pub spread: f32,
}

impl From<&Template> for TemplateQuality {
    fn from(template: &Template) -> Self {
        Self { n_embeddings: template.n_embeddings(), spread: template.spread() }
    }
}

/// What two faces, or the places behind them, look like. A person decides what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// Like one person or place: the whole interval speaks for it.
    Same,
    /// Like two of them: the whole interval speaks for it.
    Different,
    /// It may be either.
    Unclear,
}

/// A ratio with its interval, and what that says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RatioInterval {
    pub(super) llr: f64,
    pub(super) llr_low: f64,
    pub(super) llr_high: f64,
    pub(super) is_bounded: bool,
    pub(super) opinion: Opinion,
}

impl RatioInterval {
    /// Of a ratio that the data bound on both sides.
    pub(super) fn new(ratio: &LikelihoodRatio, (least, most): (f64, f64)) -> Self {
        let half = NORMAL_95 * ratio.standard_error;
        let (llr_low, llr_high) = (ratio.llr - half, ratio.llr + half);
        let opinion = match () {
            () if llr_low > 0.0 => Opinion::Same,
            () if llr_high < 0.0 => Opinion::Different,
            () => Opinion::Unclear,
        };
        Self { llr: ratio.llr, llr_low, llr_high, is_bounded: ratio.llr <= least || ratio.llr >= most, opinion }
    }
}

/// How alike two faces are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Cosine, -1..=1.
    pub similarity: f32,
    /// How much likelier such a similarity is between pictures of one person than of two: natural logarithm.
    pub llr: f64,
    /// Lower end of its 95 % interval.
    pub llr_low: f64,
    /// Upper end.
    pub llr_high: f64,
    /// Whether the data behind the calibration allow no stronger statement: the true ratio may be larger.
    pub is_bounded: bool,
    /// What the interval says.
    pub opinion: Opinion,
}

impl Likeness {
    /// Of a similarity.
    ///
    /// # Errors
    /// [`ServiceError::Internal`] when the similarity is not a finite number.
    pub(super) fn new(calibration: &SearchCalibration, similarity: f32) -> Result<Self, ServiceError> {
        let ratio = calibration
            .ratio(similarity)
            .ok_or_else(|| ServiceError::Internal { problem: "a similarity is not a finite number".to_owned() })?;
        let RatioInterval { llr, llr_low, llr_high, is_bounded, opinion } =
            RatioInterval::new(&ratio, calibration.ratio_bounds());
        Ok(Self { similarity, llr, llr_low, llr_high, is_bounded, opinion })
    }

    /// Of two templates.
    ///
    /// # Errors
    /// [`ServiceError::Identity`] when other models made them.
    pub(super) fn between(
        calibration: &SearchCalibration,
        first: &Template,
        second: &Template,
    ) -> Result<Self, ServiceError> {
        Self::new(calibration, first.similarity(second)?)
    }
}

/// Two faces compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What the first template rests on.
    pub first: TemplateQuality,
    /// What the second one rests on.
    pub second: TemplateQuality,
    /// How alike they are.
    pub likeness: Likeness,
    /// What a person said of them, if anything.
    pub verdict: Option<VerdictRecord>,
    /// What people said so far, that word among it, newest first and without notes.
    pub history: Vec<VerdictRecord>,
    /// The calibration behind the ratio, `searches/{id}@{version}`.
    pub calibration: String,
    /// People behind it: pictures of one person compared, and of two.
    pub n_people: (u32, u32),
    /// How well the places behind them agree, where both are known.
    pub scene: Option<SceneComparison>,
}

#[cfg(test)]
mod tests {
    use super::{Likeness, Opinion};
    use crate::identity::{SearchCalibration, SearchPolicy};
    use crate::scoring::Policy;
    use crate::signals::SignalName;

    #[test]
    fn an_opinion_needs_the_whole_interval() {
        let policy = Policy::shipped();
        let line = &policy.signal(SignalName::Identity).expect("is there").calibration;
        let calibration = SearchCalibration::new(SearchPolicy::shipped(), line).expect("valid");
        let of = |similarity| Likeness::new(&calibration, similarity).expect("finite");
        assert_eq!(of(0.9).opinion, Opinion::Same);
        assert!(of(0.9).is_bounded && of(-0.5).is_bounded && !of(0.4).is_bounded);
        assert_eq!(of(0.0).opinion, Opinion::Different);
        let even = f32::from_bits(((6.812_f64 / 18.996) as f32).to_bits());
        assert_eq!(of(even).opinion, Opinion::Unclear, "{:?}", of(even));
        assert!(of(even).llr_low < of(even).llr && of(even).llr < of(even).llr_high);
        assert!(Likeness::new(&calibration, f32::NAN).is_err());
    }
}
