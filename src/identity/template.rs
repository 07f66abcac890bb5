//! One person as seen in one session or picture: the mean direction of identity vectors, and how much they differed.

use std::fmt;

use super::error::IdentityError;
use crate::vision::{Embedding, EmbeddingSum};

/// Longest vector that a template may have: of longer ones a sum of products would leave 32 bits.
pub(super) const MAX_DIMENSION: usize = 4096;
/// Length of the mean of unit vectors below which they have no direction in common.
const MIN_RESULTANT: f64 = 1e-3;

/// The weights that made a vector, by the SHA-256 of their file. Vectors of different weights never compare.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelDigest([u8; 32]);

impl ModelDigest {
    /// A digest of 32 bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest at the end of a model's version, `models/{id}@{sha256}`, or the 64 digits alone.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] when there are no 64 lower-case hexadecimal digits.
    pub fn from_version(version: &str) -> Result<Self, IdentityError> {
        let digits = version.rsplit_once('@').map_or(version, |(_, digits)| digits);
        let value = |digit: u8| char::from(digit).to_digit(16).filter(|_| !digit.is_ascii_uppercase());
        let bytes: Option<Vec<u8>> = digits
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => u8::try_from(value(*high)? * 16 + value(*low)?).ok(),
                _ => None,
            })
            .collect();
        let digest = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        digest.map(Self).ok_or_else(|| IdentityError::Invalid {
            field: "model",
            problem: "does not end in the 64 lower-case hexadecimal digits of a SHA-256 digest".to_owned(),
        })
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ModelDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ModelDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The mean direction of a session's, or a reference picture's, identity vectors.
///
/// # Shapes
/// `direction`: `[dimension]`, f32, unit length.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    model: ModelDigest,
    direction: Embedding,
    n_embeddings: u32,
    spread: f32,
}

impl Template {
    /// The template of vectors that one model made.
    ///
    /// # Errors
    /// As [`TemplateSum::add`] and [`TemplateSum::finish`].
    pub fn mean<'a>(
        model: ModelDigest,
        embeddings: impl IntoIterator<Item = &'a Embedding>,
    ) -> Result<Self, IdentityError> {
        let mut sum = TemplateSum::new(model);
        for embedding in embeddings {
            sum.add(embedding)?;
        }
        sum.finish()
    }

    /// The template of vectors that one model made, by their sum.
    ///
    /// # Errors
    /// [`IdentityError::NoDirection`] when there was no vector or they cancel out, [`IdentityError::Invalid`] when they are too
    /// long.
    pub fn of_sum(model: ModelDigest, sum: &EmbeddingSum) -> Result<Self, IdentityError> {
        let (sum, n_embeddings) = (sum.values(), sum.n_embeddings());
        if sum.len() > MAX_DIMENSION {
            return Err(too_long(sum.len()));
        }
        let length = sum.iter().map(|total| total * total).sum::<f64>().sqrt();
        let resultant = length / f64::from(n_embeddings.max(1));
        let problem = if n_embeddings == 0 { "it is of no vector" } else { "its vectors cancel out" };
        if !resultant.is_finite() || resultant < MIN_RESULTANT {
            return Err(IdentityError::NoDirection { problem });
        }
        #[expect(clippy::cast_possible_truncation, reason = "numbers of -1..=1")]
        let (raw, spread) =
            (sum.iter().map(|total| (total / length) as f32).collect::<Vec<_>>(), (1.0 - resultant) as f32);
        let direction = Embedding::from_raw(&raw).ok_or(IdentityError::NoDirection { problem })?;
        Ok(Self { model, direction, n_embeddings, spread: spread.clamp(0.0, 1.0) })
    }

    /// A template that was kept, bit for bit.
    ///
    /// # Errors
    /// [`IdentityError::NoDirection`] when `direction` is not a unit vector of finite numbers, [`IdentityError::Invalid`] when
    /// it is too long, came of no vector, or the spread is not in 0..=1.
    pub fn from_parts(
        model: ModelDigest,
        direction: Vec<f32>,
        n_embeddings: u32,
        spread: f32,
    ) -> Result<Self, IdentityError> {
        if direction.len() > MAX_DIMENSION {
            return Err(too_long(direction.len()));
        }
        let problem = "the stored direction is not of unit length";
        let direction = Embedding::from_unit(direction).ok_or(IdentityError::NoDirection { problem })?;
        let invalid = |field, problem: &str| Err(IdentityError::Invalid { field, problem: problem.to_owned() });
        if n_embeddings == 0 {
            return invalid("n_embeddings", "must be 1 or more");
        }
        if !(0.0..=1.0).contains(&spread) {
            return invalid("spread", "must lie in 0..=1");
        }
        Ok(Self { model, direction, n_embeddings, spread })
    }

    /// The weights that made the vectors.
    #[must_use]
    pub const fn model(&self) -> ModelDigest {
        self.model
    }

    /// The mean direction.
    #[must_use]
    pub const fn direction(&self) -> &Embedding {
        &self.direction
    }

    /// Vectors that it is the mean of.
    #[must_use]
    pub const fn n_embeddings(&self) -> u32 {
        self.n_embeddings
    }

    /// How much they differed, 0..=1: one less the length of their mean ("circular variance"); 0 for one vector.
    #[must_use]
    pub const fn spread(&self) -> f32 {
        self.spread
    }

    /// Cosine similarity, -1..=1.
    ///
    /// # Errors
    /// [`IdentityError::OtherModel`] and [`IdentityError::Dimension`]: such vectors mean nothing to each other.
    pub fn similarity(&self, other: &Self) -> Result<f32, IdentityError> {
        check_model(self.model, other.model)?;
        let (expected, found) = (self.direction.values().len(), other.direction.values().len());
        self.direction.similarity(&other.direction).ok_or(IdentityError::Dimension { expected, found })
    }
}

/// A template under way: takes one vector after the other and keeps their sum alone.
#[derive(Clone, Debug)]
pub struct TemplateSum {
    model: ModelDigest,
    sum: EmbeddingSum,
}

impl TemplateSum {
    /// Of no vector yet.
    #[must_use]
    pub fn new(model: ModelDigest) -> Self {
        Self { model, sum: EmbeddingSum::default() }
    }

    /// Takes one vector of the model in.
    ///
    /// # Errors
    /// [`IdentityError::Dimension`] when it is not as long as those before, [`IdentityError::Invalid`] when it is too long.
    pub fn add(&mut self, embedding: &Embedding) -> Result<(), IdentityError> {
        let found = embedding.values().len();
        if found > MAX_DIMENSION {
            return Err(too_long(found));
        }
        if self.sum.add(embedding) {
            return Ok(());
        }
        Err(IdentityError::Dimension { expected: self.sum.values().len(), found })
    }

    /// The template of what was taken in.
    ///
    /// # Errors
    /// [`IdentityError::NoDirection`] when there was no vector or they cancel out.
    pub fn finish(&self) -> Result<Template, IdentityError> {
        Template::of_sum(self.model, &self.sum)
    }
}

/// Refuses vectors of another model.
pub(super) fn check_model(expected: ModelDigest, found: ModelDigest) -> Result<(), IdentityError> {
    if expected == found {
        return Ok(());
    }
    Err(IdentityError::OtherModel { expected: expected.to_string(), found: found.to_string() })
}

fn too_long(length: usize) -> IdentityError {
    let problem = format!("has {length} numbers; at most {MAX_DIMENSION} are compared");
    IdentityError::Invalid { field: "direction", problem }
}

#[cfg(test)]
mod tests {
    use super::{IdentityError, ModelDigest, Template, TemplateSum};
    use crate::vision::Embedding;

    const MODEL: ModelDigest = ModelDigest::new([7; 32]);

    fn embedding(raw: &[f32]) -> Embedding {
        Embedding::from_raw(raw).expect("has a direction")
    }

    #[test]
    fn the_mean_lies_between_and_the_spread_says_how_far() {
        let (a, b) = (embedding(&[1.0, 0.0]), embedding(&[0.0, 1.0]));
        let template = Template::mean(MODEL, [&a, &b]).expect("has a mean");
        assert_eq!(template.n_embeddings(), 2);
        assert!((template.spread() - (1.0 - 0.5_f32.sqrt())).abs() < 1e-6, "{}", template.spread());
        assert!(template.direction().values().iter().all(|value| (value - 0.5_f32.sqrt()).abs() < 1e-6));
        let same = Template::mean(MODEL, [&a, &a, &a]).expect("has a mean");
        assert!(same.spread() < 1e-6);
        assert!((same.similarity(&template).expect("compares") - 0.5_f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn what_has_no_direction_is_refused() {
        let (a, opposite) = (embedding(&[1.0, 0.0]), embedding(&[-1.0, 0.0]));
        assert!(matches!(Template::mean(MODEL, [&a, &opposite]), Err(IdentityError::NoDirection { .. })));
        assert!(matches!(TemplateSum::new(MODEL).finish(), Err(IdentityError::NoDirection { .. })));
        for bad in [vec![], vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY], vec![0.5, 0.5]] {
            let refused = Template::from_parts(MODEL, bad, 1, 0.0);
            assert!(matches!(refused, Err(IdentityError::NoDirection { .. })));
        }
        for (n, spread) in [(0, 0.0), (1, -0.1), (1, 1.1), (1, f32::NAN)] {
            assert!(matches!(Template::from_parts(MODEL, vec![1.0], n, spread), Err(IdentityError::Invalid { .. })));
        }
        assert!(matches!(Template::from_parts(MODEL, vec![0.0; 5000], 1, 0.0), Err(IdentityError::Invalid { .. })));
    }

    #[test]
    fn what_was_kept_comes_back_bit_for_bit() {
        let made = Template::mean(MODEL, [&embedding(&[0.3, -0.7, 0.1]), &embedding(&[0.4, -0.6, 0.0])]).expect("mean");
        let values = made.direction().values().to_vec();
        assert_eq!(Template::from_parts(MODEL, values, 2, made.spread()).expect("kept"), made);
    }

    #[test]
    fn other_models_and_lengths_never_compare() {
        let a = Template::mean(MODEL, [&embedding(&[1.0, 0.0])]).expect("mean");
        let other = Template::mean(ModelDigest::new([8; 32]), [&embedding(&[1.0, 0.0])]).expect("mean");
        let longer = Template::mean(MODEL, [&embedding(&[1.0, 0.0, 0.0])]).expect("mean");
        assert!(matches!(a.similarity(&other), Err(IdentityError::OtherModel { .. })));
        assert!(matches!(a.similarity(&longer), Err(IdentityError::Dimension { expected: 2, found: 3 })));
        let mixed = [embedding(&[1.0, 0.0]), embedding(&[1.0, 0.0, 0.0])];
        assert!(matches!(Template::mean(MODEL, &mixed), Err(IdentityError::Dimension { .. })));
    }

    #[test]
    fn digests_are_read_of_versions() {
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for text in [digits.to_owned(), format!("models/face-embedding@{digits}")] {
            assert_eq!(ModelDigest::from_version(&text).expect("reads").to_string(), digits);
        }
        for bad in ["", "ba78", &digits.to_uppercase(), &format!("{digits}0"), &"ä".repeat(32)] {
            assert!(ModelDigest::from_version(bad).is_err(), "{bad}");
        }
    }
}
