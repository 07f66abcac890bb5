//! Other model formats to ONNX: the bytes of a package in, the bytes of an ONNX file out, the same bytes on every machine.
//!
//! Deliberately not here: training frameworks, quantisation, any operator that no model of the manifest uses.

mod batch;
mod edit;
mod graph;
mod onnx;
mod prelu;
mod tfjs;

use super::manifest::{Conversion, ModelEntry};

/// A model that cannot be converted: it uses what the converter does not know, or it is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot be converted to ONNX: {problem}")]
pub struct ConvertError {
    problem: String,
}

impl ConvertError {
    fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into() }
    }
}

/// Makes the ONNX file of a model out of its package files, which come in the order of the manifest.
///
/// # Errors
/// [`ConvertError`] names the node or the weight.
pub(crate) fn to_onnx(model: &ModelEntry, files: Vec<Vec<u8>>) -> Result<Vec<u8>, ConvertError> {
    match model.conversion {
        Conversion::None => only(files),
        Conversion::OnnxPrelu => prelu::split(&only(files)?),
        Conversion::Tfjs => {
            let [topology, weights @ ..] = files.as_slice() else {
                return Err(ConvertError::new("no topology file"));
            };
            let names = model.files.iter().skip(1).map(|file| file.path.rsplit('/').next().unwrap_or(&file.path));
            let weights = names.zip(weights.iter().map(Vec::as_slice)).collect();
            let converted = graph::convert(&tfjs::GraphModel::read(topology, &weights)?, &model.input, &model.outputs)?;
            prelu::split(&converted)
        }
    }
}

/// Makes a model that takes one input take any number of them, one after the other along the first side.
///
/// # Errors
/// [`ConvertError`] when the bytes are not an ONNX file.
pub(super) fn for_batches(model: &[u8]) -> Result<Vec<u8>, ConvertError> {
    batch::open(model)
}

fn only(files: Vec<Vec<u8>>) -> Result<Vec<u8>, ConvertError> {
    files.into_iter().next().ok_or_else(|| ConvertError::new("no file"))
}
