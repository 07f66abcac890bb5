//! Identity vectors.

use std::fmt;

/// Shortest vector that can be normalised; below it the model saw nothing.
const MIN_NORM: f32 = 1e-6;

/// An L2-normalised identity vector.
///
/// # Shapes
/// `[dimension]`, f32, unit length.
#[derive(Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

impl Embedding {
    /// Normalises a model's raw output; `None` when it has no direction (zero, empty or not finite).
    #[must_use]
    pub fn from_raw(raw: &[f32]) -> Option<Self> {
        let norm = raw.iter().map(|value| value * value).sum::<f32>().sqrt();
        (norm.is_finite() && norm > MIN_NORM).then(|| Self(raw.iter().map(|value| value / norm).collect()))
    }

    /// The unit vector.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.0
    }

    /// Cosine similarity, -1..=1; `None` when the dimensions differ (vectors of different models do not compare).
    #[must_use]
    pub fn similarity(&self, other: &Self) -> Option<f32> {
        (self.0.len() == other.0.len())
            .then(|| self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum::<f32>().clamp(-1.0, 1.0))
    }

    /// The normalised mean of several vectors of one dimension; `None` when there are none or they cancel out.
    #[must_use]
    pub fn mean<'a>(embeddings: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut embeddings = embeddings.into_iter();
        let mut sum = embeddings.next()?.0.to_vec();
        for embedding in embeddings {
            if embedding.0.len() != sum.len() {
                return None;
            }
            for (total, value) in sum.iter_mut().zip(&embedding.0) {
                *total += value;
            }
        }
        Self::from_raw(&sum)
    }
}

impl fmt::Debug for Embedding {
    /// Dimension only: embeddings never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedding([{}])", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::Embedding;

    #[test]
    fn similarity_ignores_scale_and_knows_opposites() {
        let a = Embedding::from_raw(&[3.0, 4.0]).expect("has a direction");
        let b = Embedding::from_raw(&[6.0, 8.0]).expect("has a direction");
        let c = Embedding::from_raw(&[-3.0, -4.0]).expect("has a direction");
        assert!((a.similarity(&b).expect("same dimension") - 1.0).abs() < 1e-6);
        assert!((a.similarity(&c).expect("same dimension") + 1.0).abs() < 1e-6);
    }

    #[test]
    fn vectors_without_direction_are_no_embeddings() {
        for raw in [&[0.0, 0.0][..], &[], &[f32::NAN, 1.0], &[f32::INFINITY, 1.0]] {
            assert_eq!(Embedding::from_raw(raw), None);
        }
    }

    #[test]
    fn vectors_of_different_models_do_not_compare() {
        let a = Embedding::from_raw(&[1.0, 0.0]).expect("has a direction");
        let b = Embedding::from_raw(&[1.0, 0.0, 0.0]).expect("has a direction");
        assert_eq!(a.similarity(&b), None);
        assert_eq!(Embedding::mean([&a, &b]), None);
    }
}
