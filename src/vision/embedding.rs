//! Identity vectors, and the model that makes them.
//!
//! In: an aligned chip. Out: a unit vector. Deliberately not here: whom it belongs to, and how alike is alike enough.

use std::fmt;

use ndarray::{ArrayBase, Data, IxDyn};

use super::error::VisionError;
use super::resample::{ChannelOrder, write_nchw};
use super::tensor::ExpectedOutput;
use crate::media::RgbImage;

const MODEL: &str = "embedding";
/// Side of the model's input; that of an aligned chip.
const INPUT_SIDE: u16 = super::alignment::CHIP_SIDE_PX;
/// Middle grey and level scale of the model's input, from its origin.
const INPUT_OFFSET: f32 = 127.0;
const INPUT_FACTOR: f32 = 1.0 / 128.0;
const VECTOR: ExpectedOutput =
    ExpectedOutput { model: MODEL, index: 0, shape: &[1, 512], described: "vector [1, 512]" };
/// Shortest vector that can be normalised; below it the model saw nothing.
const MIN_NORM: f32 = 1e-6;

/// How far the squared length of a stored unit vector may be from 1: rounding of 512 f32 squares stays below 1e-5.
const UNIT_TOLERANCE: f32 = 1e-3;

/// Prepares an aligned chip for the identity model.
///
/// # Shapes
/// Output: `[1, 3, 112, 112]`, f32, **BGR**, about -1..=1.
///
/// # Errors
/// [`VisionError::ChipSize`] when the picture is not a chip of [`align_face`](super::align_face).
pub fn prepare(chip: &RgbImage, input: &mut [f32]) -> Result<(), VisionError> {
    let side = u32::from(INPUT_SIDE);
    if chip.width() != side || chip.height() != side {
        return Err(VisionError::ChipSize { expected_px: side, width: chip.width(), height: chip.height() });
    }
    write_nchw(chip.pixels(), ChannelOrder::Bgr, INPUT_OFFSET, INPUT_FACTOR, input)
}

/// Reads the identity vector out of the model's answer.
///
/// # Errors
/// [`VisionError::OutputShape`], [`VisionError::NotFinite`], [`VisionError::NoDirection`] when the vector is zero.
pub fn interpret<S: Data<Elem = f32>>(outputs: &[ArrayBase<S, IxDyn>]) -> Result<Embedding, VisionError> {
    Embedding::from_raw(&VECTOR.read(outputs)?).ok_or(VisionError::NoDirection)
}

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

    /// Takes a vector that was normalised before, bit for bit, so that a replay compares the same numbers; `None` when it
    /// is not of unit length.
    #[must_use]
    pub fn from_unit(values: Vec<f32>) -> Option<Self> {
        let squared_length = values.iter().map(|value| value * value).sum::<f32>();
        ((squared_length - 1.0).abs() <= UNIT_TOLERANCE).then(|| Self(values.into_boxed_slice()))
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

/// The sum of several identity vectors of one dimension: what their mean is made of, whatever their number.
#[derive(Clone, Default, PartialEq)]
pub struct EmbeddingSum {
    sum: Vec<f64>,
    n_embeddings: u32,
}

impl EmbeddingSum {
    /// Takes one vector in; `false`, and nothing is changed, when it is not as long as those before.
    pub fn add(&mut self, embedding: &Embedding) -> bool {
        if self.n_embeddings == 0 {
            self.sum = vec![0.0; embedding.0.len()];
        }
        if embedding.0.len() != self.sum.len() {
            return false;
        }
        for (total, value) in self.sum.iter_mut().zip(&embedding.0) {
            *total += f64::from(*value);
        }
        self.n_embeddings = self.n_embeddings.saturating_add(1);
        true
    }

    /// The sum, `[dimension]`; empty before the first vector.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.sum
    }

    /// How many vectors it is of.
    #[must_use]
    pub const fn n_embeddings(&self) -> u32 {
        self.n_embeddings
    }
}

impl fmt::Debug for EmbeddingSum {
    /// Counts only: vectors never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EmbeddingSum({} of [{}])", self.n_embeddings, self.sum.len())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::{Embedding, EmbeddingSum, interpret, prepare};
    use crate::media::RgbImage;
    use crate::vision::error::VisionError;
    use crate::vision::tensor::testing::prepared;

    #[test]
    fn the_tensor_is_blue_first() {
        let mut pixels = [0, 127, 255].repeat(112 * 112);
        pixels[0] = 255;
        let chip = RgbImage::new(112, 112, pixels).expect("size fits");
        let (tensor, ()) = prepared(&[1, 3, 112, 112], |input| prepare(&chip, input)).expect("prepares");
        assert!((tensor[[0, 0, 5, 5]] - 1.0).abs() < 1e-6, "blue is first");
        assert!((tensor[[0, 2, 0, 0]] - 1.0).abs() < 1e-6, "red is last");
    }

    #[test]
    fn sums_take_vectors_of_one_length() {
        let embedding = |raw: &[f32]| Embedding::from_raw(raw).expect("has a direction");
        let mut sum = EmbeddingSum::default();
        assert!(sum.values().is_empty() && sum.add(&embedding(&[3.0, 4.0])) && sum.add(&embedding(&[0.0, 2.0])));
        assert!(!sum.add(&embedding(&[1.0])), "of another model");
        assert_eq!(sum.n_embeddings(), 2);
        assert!((sum.values()[0] - 0.6).abs() < 1e-6 && (sum.values()[1] - 1.8).abs() < 1e-6);
        assert!(!format!("{sum:?}").contains("0.6"), "vectors never reach a log");
    }

    #[test]
    fn pictures_that_are_no_chips_are_errors() {
        let picture = RgbImage::new(2, 1, vec![0; 6]).expect("size fits");
        assert!(matches!(prepare(&picture, &mut []), Err(VisionError::ChipSize { .. })));
    }

    #[test]
    fn answers_of_another_model_are_errors() {
        let answer = |length: usize, value: f32| [ArrayD::from_elem(IxDyn(&[1, length]), value)];
        assert!(matches!(interpret(&[] as &[ArrayD<f32>]), Err(VisionError::OutputShape { .. })));
        assert!(matches!(interpret(&answer(192, 1.0)), Err(VisionError::OutputShape { .. })));
        assert!(matches!(interpret(&answer(512, f32::NAN)), Err(VisionError::NotFinite { .. })));
        assert!(matches!(interpret(&answer(512, 0.0)), Err(VisionError::NoDirection)));
        assert_eq!(interpret(&answer(512, 2.0)).expect("fits").values().len(), 512);
    }

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
    fn unit_vectors_are_taken_bit_for_bit_and_others_refused() {
        let made = Embedding::from_raw(&[0.3, -0.7, 0.1]).expect("has a direction");
        assert_eq!(Embedding::from_unit(made.values().to_vec()), Some(made));
        for bad in [vec![], vec![0.5, 0.5], vec![f32::NAN], vec![1.0, 1.0]] {
            assert_eq!(Embedding::from_unit(bad), None);
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
