//! Checks on what a model gave back.

use std::borrow::Cow;

use ndarray::{ArrayBase, Data, IxDyn};

use super::error::VisionError;

/// What one output of a model has to look like.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExpectedOutput {
    /// The model's task, for the error.
    pub(super) model: &'static str,
    /// Position among the outputs.
    pub(super) index: usize,
    /// Every axis.
    pub(super) shape: &'static [usize],
    /// The same in words, for the error.
    pub(super) described: &'static str,
}

impl ExpectedOutput {
    /// The output's values, all finite, in row-major order.
    ///
    /// # Errors
    /// [`VisionError::OutputShape`] when the output is missing or has another shape, [`VisionError::NotFinite`].
    pub(super) fn read<S: Data<Elem = f32>>(
        self,
        outputs: &[ArrayBase<S, IxDyn>],
    ) -> Result<Cow<'_, [f32]>, VisionError> {
        let found = outputs.get(self.index);
        let Some(tensor) = found.filter(|tensor| tensor.shape() == self.shape) else {
            let actual = found.map(|tensor| tensor.shape().to_vec()).unwrap_or_default();
            return Err(VisionError::OutputShape { model: self.model, expected: self.described, actual });
        };
        let values = tensor.as_slice().map_or_else(|| Cow::Owned(tensor.iter().copied().collect()), Cow::Borrowed);
        if values.iter().any(|value| !value.is_finite()) {
            return Err(VisionError::NotFinite { model: self.model });
        }
        Ok(values)
    }
}

/// The attack score 0..=1 behind a model's one logit, higher = more likely an attack.
///
/// # Errors
/// As [`ExpectedOutput::read`].
pub(super) fn attack_score<S: Data<Elem = f32>>(
    model: &'static str,
    outputs: &[ArrayBase<S, IxDyn>],
) -> Result<f32, VisionError> {
    let expected = ExpectedOutput { model, index: 0, shape: &[1, 1], described: "one logit [1, 1]" };
    let logit = expected.read(outputs)?.first().copied().unwrap_or_default();
    Ok(1.0 / (1.0 + (-logit).exp()))
}

#[cfg(test)]
pub(super) mod testing {
    use ndarray::{ArrayD, IxDyn};

    use crate::vision::error::VisionError;

    /// A model's input of that shape as `prepare` writes it, over what was there before, and what `prepare` says.
    pub(in crate::vision) fn prepared<T>(
        shape: &[usize],
        prepare: impl FnOnce(&mut [f32]) -> Result<T, VisionError>,
    ) -> Result<(ArrayD<f32>, T), VisionError> {
        let mut tensor = ArrayD::from_elem(IxDyn(shape), f32::NAN);
        let said = prepare(tensor.as_slice_mut().unwrap_or_default())?;
        assert!(tensor.iter().all(|value| value.is_finite()), "every value is written");
        Ok((tensor, said))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, IxDyn};

    use super::ExpectedOutput;
    use crate::vision::error::VisionError;

    const PAIR: ExpectedOutput = ExpectedOutput { model: "test", index: 0, shape: &[1, 2], described: "[1, 2]" };

    #[test]
    fn missing_misshapen_and_infinite_outputs_are_errors() {
        let tensor = |shape: &[usize], value: f32| ArrayD::from_elem(IxDyn(shape), value);
        assert!(matches!(PAIR.read(&[] as &[ArrayD<f32>]), Err(VisionError::OutputShape { .. })));
        assert!(matches!(PAIR.read(&[tensor(&[2, 1], 0.0)]), Err(VisionError::OutputShape { .. })));
        assert!(matches!(PAIR.read(&[tensor(&[1, 2], f32::NAN)]), Err(VisionError::NotFinite { .. })));
        assert!(matches!(PAIR.read(&[tensor(&[1, 2], f32::INFINITY)]), Err(VisionError::NotFinite { .. })));
        assert_eq!(PAIR.read(&[tensor(&[1, 2], 3.0)]).expect("fits").as_ref(), [3.0, 3.0]);
    }

    #[test]
    fn other_memory_layouts_are_read_in_row_major_order() {
        let tensor = ArrayD::from_shape_vec(IxDyn(&[2, 1]), vec![1.0, 2.0]).expect("fits").reversed_axes();
        assert_eq!(PAIR.read(&[tensor]).expect("fits").as_ref(), [1.0, 2.0]);
    }
}
