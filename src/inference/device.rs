//! What runs models: ONNX Runtime sessions that were compared with the manifest.

mod batch;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD};
use ort::environment::Environment;
use ort::session::{Session, SessionOutputs};
use ort::value::{Outlet, Tensor, TensorElementType};

use super::digest::Digest;
use super::error::InferenceError;
use super::manifest::{Manifest, ModelEntry, OutputEntry};
use super::options::InferenceOptions;
use super::runtime::{self, Provider};

#[cfg(test)]
pub(super) use self::batch::ReadRow;
pub(super) use self::batch::{BatchDevice, OrtBatchDevice};

/// Runs models one at a time.
pub(super) trait Device: Send {
    /// The input of the model at that position of the manifest, in row-major order, to be written before it runs.
    fn input(&mut self, model_idx: usize) -> Result<&mut [f32], InferenceError>;

    /// Runs the model on its input and shows the outputs, in the order and of the shapes of the manifest.
    fn run(&mut self, model_idx: usize, read: &mut ReadOutputs<'_>) -> Result<(), InferenceError>;
}

/// Looks at the outputs of a run.
pub(super) type ReadOutputs<'a> = dyn FnMut(&[ArrayViewD<'_, f32>]) + 'a;

/// A model's bytes, which are those of the manifest.
#[derive(Clone, Debug)]
pub(super) struct VerifiedModel {
    entry: Arc<ModelEntry>,
    path: PathBuf,
    bytes: Arc<[u8]>,
}

/// A model that is ready to run, with the memory that it reads its input from.
pub(super) struct OpenModel {
    model: VerifiedModel,
    session: Session,
    input: Tensor<f32>,
}

/// One session a model, warmed up.
pub(super) struct OrtDevice {
    models: Vec<OpenModel>,
}

impl VerifiedModel {
    /// Reads a model's file and compares its digest; what is loaded later are these bytes, not the file's of that time.
    ///
    /// # Errors
    /// [`InferenceError::Missing`], [`InferenceError::Mismatch`].
    pub(super) fn read(entry: &ModelEntry, options: &InferenceOptions) -> Result<Self, InferenceError> {
        let path = options.model_path(entry);
        let bytes = fs::read(&path).map_err(|source| InferenceError::Missing {
            model: entry.id.clone(),
            path: path.clone(),
            source,
        })?;
        let found = Digest::of(&bytes);
        if found != entry.sha256 {
            let problem = format!("SHA-256 {found}, expected {}", entry.sha256);
            return Err(InferenceError::Mismatch { model: entry.id.clone(), path, problem });
        }
        Ok(Self { entry: Arc::new(entry.clone()), path, bytes: bytes.into() })
    }

    /// Makes a session of it and compares what goes in and out with the manifest, by declaration and by one run.
    pub(super) fn open(&self, environment: &Environment, provider: Provider) -> Result<OpenModel, InferenceError> {
        let session = runtime::open(environment, &self.bytes, provider).map_err(|source| self.load_failure(source))?;
        self.check_declared(&session)?;
        let zeros = ArrayD::zeros(self.entry.input.shape.clone());
        let input = Tensor::from_array(zeros).map_err(|source| self.load_failure(source))?;
        let mut open = OpenModel { model: self.without_bytes(), session, input };
        open.run(&mut |_| {})?;
        Ok(open)
    }

    /// The model of a session, which has copied what it needs: the bytes go when the last device is ready.
    fn without_bytes(&self) -> Self {
        Self { bytes: Arc::default(), ..self.clone() }
    }

    fn load_failure(&self, source: ort::Error) -> InferenceError {
        InferenceError::Load { model: self.entry.id.clone(), source }
    }

    fn run_failure(&self, source: ort::Error) -> InferenceError {
        InferenceError::Run { model: self.entry.id.clone(), source }
    }

    fn check_declared(&self, session: &Session) -> Result<(), InferenceError> {
        let [input] = session.inputs() else {
            return Err(self.mismatch(format!("{} inputs instead of 1", session.inputs().len())));
        };
        check_outlet(input, &self.entry.input.name, &self.entry.input.shape)
            .map_err(|problem| self.mismatch(problem))?;
        if session.outputs().len() != self.entry.outputs.len() {
            let problem = format!("{} outputs instead of {}", session.outputs().len(), self.entry.outputs.len());
            return Err(self.mismatch(problem));
        }
        for expected in &self.entry.outputs {
            let found = session.outputs().iter().find(|output| output.name() == expected.name);
            let output = found.ok_or_else(|| self.mismatch(format!("no output {:?}", expected.name)))?;
            check_outlet(output, &expected.name, &expected.shape).map_err(|problem| self.mismatch(problem))?;
        }
        Ok(())
    }

    /// The outputs of a run with `n_rows` inputs, in the order of the manifest and of its shapes, but for that many times the
    /// first side.
    fn views<'a>(
        &self,
        outputs: &'a SessionOutputs<'_>,
        n_rows: usize,
    ) -> Result<Vec<ArrayViewD<'a, f32>>, InferenceError> {
        let view = |expected: &OutputEntry| {
            let output = outputs.get(&expected.name);
            let output = output.ok_or_else(|| self.mismatch(format!("no output {:?}", expected.name)))?;
            let view = output.try_extract_array::<f32>().map_err(|source| self.run_failure(source))?;
            let shape = shape_of_rows(&expected.shape, n_rows);
            if view.shape() != shape {
                let problem = format!("output {:?} has shape {:?}, not {shape:?}", expected.name, view.shape());
                return Err(self.mismatch(problem));
            }
            Ok(view)
        };
        self.entry.outputs.iter().map(view).collect()
    }

    fn mismatch(&self, problem: String) -> InferenceError {
        InferenceError::Mismatch { model: self.entry.id.clone(), path: self.path.clone(), problem }
    }
}

impl OpenModel {
    fn run(&mut self, read: &mut ReadOutputs<'_>) -> Result<(), InferenceError> {
        let Self { model, session, input } = self;
        let outputs = session.run(ort::inputs![&*input]).map_err(|source| model.run_failure(source))?;
        read(&model.views(&outputs, 1)?);
        Ok(())
    }
}

impl OrtDevice {
    /// Makes a session of every model.
    pub(super) fn open(
        environment: &Environment,
        models: &[VerifiedModel],
        provider: Provider,
    ) -> Result<Self, InferenceError> {
        Ok(Self { models: models.iter().map(|model| model.open(environment, provider)).collect::<Result<_, _>>()? })
    }

    fn model(&mut self, model_idx: usize) -> Result<&mut OpenModel, InferenceError> {
        let found = self.models.get_mut(model_idx);
        found.ok_or_else(|| InferenceError::UnknownModel { model: format!("#{model_idx}") })
    }
}

impl Device for OrtDevice {
    fn input(&mut self, model_idx: usize) -> Result<&mut [f32], InferenceError> {
        Ok(self.model(model_idx)?.input.extract_tensor_mut().1)
    }

    fn run(&mut self, model_idx: usize, read: &mut ReadOutputs<'_>) -> Result<(), InferenceError> {
        self.model(model_idx)?.run(read)
    }
}

/// Compares one model's file with the manifest: digest, inputs, outputs, shapes, and that it runs.
///
/// # Errors
/// Those of [`Executor::start`](super::Executor::start) that concern this model or the runtime library.
pub fn verify_model(manifest: &Manifest, id: &str, options: &InferenceOptions) -> Result<(), InferenceError> {
    options.check()?;
    let model = VerifiedModel::read(manifest.model(id)?, options)?;
    let environment = runtime::load(manifest, options)?;
    model.open(&environment, Provider::Cpu).map(drop)
}

/// The shape of so many inputs or outputs one after the other, of one's shape.
fn shape_of_rows(shape: &[usize], n_rows: usize) -> Vec<usize> {
    let (first, rest) = shape.split_first().map_or((1, shape), |(first, rest)| (*first, rest));
    std::iter::once(first * n_rows).chain(rest.iter().copied()).collect()
}

/// Compares a declared tensor; a side that the file leaves open takes any size.
fn check_outlet(outlet: &Outlet, name: &str, shape: &[usize]) -> Result<(), String> {
    if outlet.name() != name {
        return Err(format!("{:?} instead of {name:?}", outlet.name()));
    }
    let (Some(sides), Some(TensorElementType::Float32)) = (outlet.dtype().tensor_shape(), outlet.dtype().tensor_type())
    else {
        return Err(format!("{name:?} is not a tensor of f32"));
    };
    let is_same = |(side, expected): (&i64, &usize)| *side < 0 || usize::try_from(*side) == Ok(*expected);
    if sides.len() == shape.len() && sides.iter().zip(shape).all(is_same) {
        return Ok(());
    }
    Err(format!("{name:?} has shape {:?}, not {shape:?}", &sides[..]))
}
