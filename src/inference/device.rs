//! What runs models: ONNX Runtime sessions that were compared with the manifest.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use ndarray::ArrayD;
use ort::environment::Environment;
use ort::session::Session;
use ort::value::{Outlet, Tensor, TensorElementType};

use super::digest::Digest;
use super::error::InferenceError;
use super::manifest::{Manifest, ModelEntry};
use super::options::InferenceOptions;
use super::runtime::{self, Provider};

/// Runs models one at a time; each worker thread has its own.
pub(super) trait Device {
    /// Runs the model at that position of the manifest on an input of the declared shape.
    fn run(&mut self, model_idx: usize, input: ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, InferenceError>;
}

/// A model's bytes, which are those of the manifest.
#[derive(Clone, Debug)]
pub(super) struct VerifiedModel {
    entry: Arc<ModelEntry>,
    path: PathBuf,
    bytes: Arc<[u8]>,
}

/// One session a model, warmed up.
pub(super) struct OrtDevice {
    sessions: Vec<(VerifiedModel, Session)>,
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
    pub(super) fn open(&self, environment: &Environment, provider: Provider) -> Result<Session, InferenceError> {
        let opened = runtime::open(environment, &self.bytes, provider);
        let mut session = opened.map_err(|source| InferenceError::Load { model: self.entry.id.clone(), source })?;
        self.check_declared(&session)?;
        self.run(&mut session, ArrayD::zeros(self.entry.input.shape.clone()))?;
        Ok(session)
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

    fn run(&self, session: &mut Session, input: ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        let fail = |source| InferenceError::Run { model: self.entry.id.clone(), source };
        let input = Tensor::from_array(input).map_err(fail)?;
        let outputs = session.run(ort::inputs![input]).map_err(fail)?;
        let tensors = self.entry.outputs.iter().map(|expected| {
            let output = outputs.get(&expected.name);
            let output = output.ok_or_else(|| self.mismatch(format!("no output {:?}", expected.name)))?;
            let tensor = output.try_extract_array::<f32>().map_err(fail)?;
            if tensor.shape() != expected.shape {
                let problem =
                    format!("output {:?} has shape {:?}, not {:?}", expected.name, tensor.shape(), expected.shape);
                return Err(self.mismatch(problem));
            }
            Ok(tensor.to_owned())
        });
        tensors.collect()
    }

    fn mismatch(&self, problem: String) -> InferenceError {
        InferenceError::Mismatch { model: self.entry.id.clone(), path: self.path.clone(), problem }
    }
}

impl OrtDevice {
    /// Makes a session of every model.
    pub(super) fn open(
        environment: &Environment,
        models: &[VerifiedModel],
        provider: Provider,
    ) -> Result<Self, InferenceError> {
        let open = |model: &VerifiedModel| {
            let session = model.open(environment, provider)?;
            // The session has copied what it needs; the bytes go when the last worker is ready.
            Ok((VerifiedModel { bytes: Arc::default(), ..model.clone() }, session))
        };
        Ok(Self { sessions: models.iter().map(open).collect::<Result<_, _>>()? })
    }
}

impl Device for OrtDevice {
    fn run(&mut self, model_idx: usize, input: ArrayD<f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        let found = self.sessions.get_mut(model_idx);
        let (model, session) = found.ok_or_else(|| InferenceError::UnknownModel { model: format!("#{model_idx}") })?;
        model.run(session, input)
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
