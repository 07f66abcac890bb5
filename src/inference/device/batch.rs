//! A device that takes several inputs in one run.
//!
//! Memory for every size of batch is there from the start, that of inputs page-locked where the device is a graphics card, and
//! bound to the session; each size has run once before the first input comes. Sizes are powers of two: a card chooses its kernels by shape,
//! and does so anew for every one that it has not seen.

use ndarray::{ArrayViewD, Axis, Slice};
use ort::environment::Environment;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::{IoBinding, Session};
use ort::value::Tensor;

use super::{VerifiedModel, shape_of_rows};
use crate::inference::convert;
use crate::inference::error::InferenceError;
use crate::inference::runtime::{self, Provider};

/// Runs models on several inputs at a time.
pub(in crate::inference) trait BatchDevice: Send {
    /// Runs the model at that position of the manifest once on all inputs, at most as many as the device was made for, each
    /// in row-major order, and shows the outputs of each, in the order and of the shapes of the manifest.
    fn run(&mut self, model_idx: usize, inputs: &[&[f32]], read: &mut ReadRow<'_>) -> Result<(), InferenceError>;
}

/// Looks at the outputs of one input of a batch.
pub(in crate::inference) type ReadRow<'a> = dyn FnMut(&[ArrayViewD<'_, f32>]) + 'a;

/// One session a model that takes batches, warmed up.
pub(in crate::inference) struct OrtBatchDevice {
    models: Vec<OpenBatchModel>,
}

struct OpenBatchModel {
    model: VerifiedModel,
    session: Session,
    /// Smallest first.
    batches: Vec<BoundBatch>,
}

/// Memory for so many inputs and their outputs, bound to a session.
struct BoundBatch {
    n_rows: usize,
    input: Tensor<f32>,
    binding: IoBinding,
}

impl OrtBatchDevice {
    /// Makes a session of every model that takes up to `max_batch` inputs, and runs each size of batch once.
    pub(in crate::inference) fn open(
        environment: &Environment,
        models: &[VerifiedModel],
        provider: Provider,
        max_batch: usize,
    ) -> Result<Self, InferenceError> {
        let open = |model: &VerifiedModel| OpenBatchModel::open(model, environment, provider, max_batch);
        Ok(Self { models: models.iter().map(open).collect::<Result<_, _>>()? })
    }
}

impl BatchDevice for OrtBatchDevice {
    fn run(&mut self, model_idx: usize, inputs: &[&[f32]], read: &mut ReadRow<'_>) -> Result<(), InferenceError> {
        let model = self.models.get_mut(model_idx);
        model.ok_or_else(|| InferenceError::UnknownModel { model: format!("#{model_idx}") })?.run(inputs, read)
    }
}

impl OpenBatchModel {
    fn open(
        model: &VerifiedModel,
        environment: &Environment,
        provider: Provider,
        max_batch: usize,
    ) -> Result<Self, InferenceError> {
        let bytes = convert::for_batches(&model.bytes).map_err(|error| model.mismatch(error.to_string()))?;
        let fail = |source| model.load_failure(source);
        let session = runtime::open(environment, &bytes, provider).map_err(fail)?;
        model.check_declared(&session)?;
        let allocator = Allocator::new(&session, host_memory(provider).map_err(fail)?).map_err(fail)?;
        let sizes = (0..).map(|power| 1 << power).take_while(|size| size / 2 < max_batch);
        let bind = |n_rows| BoundBatch::new(model, &session, &allocator, n_rows);
        let batches = sizes.map(bind).collect::<ort::Result<_>>().map_err(fail)?;
        let mut open = Self { model: model.without_bytes(), session, batches };
        for idx in 0..open.batches.len() {
            open.run_batch(idx, 1, &mut |_| {})?;
        }
        Ok(open)
    }

    fn run(&mut self, inputs: &[&[f32]], read: &mut ReadRow<'_>) -> Result<(), InferenceError> {
        let model = &self.model.entry.id;
        let found = self.batches.iter_mut().enumerate().find(|(_, batch)| batch.n_rows >= inputs.len());
        let (idx, batch) = found.ok_or_else(|| InferenceError::UnknownModel { model: model.clone() })?;
        let memory = batch.input.extract_tensor_mut().1;
        let row_length = memory.len() / batch.n_rows;
        // What is left of an earlier batch in the rows behind is computed and not looked at.
        for (row, input) in memory.chunks_exact_mut(row_length.max(1)).zip(inputs) {
            if input.len() != row_length {
                let (expected, found) = (self.model.entry.input.shape.clone(), vec![input.len()]);
                return Err(InferenceError::InputShape { model: model.clone(), expected, found });
            }
            row.copy_from_slice(input);
        }
        self.run_batch(idx, inputs.len(), read)
    }

    /// Runs what lies in the memory of one size, and shows the first rows of what comes out.
    fn run_batch(&mut self, batch_idx: usize, n_rows: usize, read: &mut ReadRow<'_>) -> Result<(), InferenceError> {
        let Self { model, session, batches } = self;
        let Some(batch) = batches.get_mut(batch_idx) else { return Ok(()) };
        let fail = |source| model.run_failure(source);
        // The input goes to the device when it is bound.
        batch.binding.bind_input(&model.entry.input.name, &batch.input).map_err(fail)?;
        let outputs = session.run_binding(&batch.binding).map_err(fail)?;
        batch.binding.synchronize_outputs().map_err(fail)?;
        let outputs = model.views(&outputs, batch.n_rows)?;
        for row_idx in 0..n_rows {
            read(&outputs.iter().map(|output| row(output, row_idx, batch.n_rows)).collect::<Vec<_>>());
        }
        Ok(())
    }
}

impl BoundBatch {
    /// The input lies in `allocator`'s memory. Outputs lie in plain memory: where the last operator of a model runs on the
    /// processor, ONNX Runtime would copy a page-locked output onto itself, and refuses that.
    fn new(model: &VerifiedModel, session: &Session, allocator: &Allocator, n_rows: usize) -> ort::Result<Self> {
        let plain = Allocator::default();
        let mut input = Tensor::<f32>::new(allocator, shape_of_rows(&model.entry.input.shape, n_rows))?;
        input.extract_tensor_mut().1.fill(0.0);
        let mut binding = session.create_binding()?;
        for output in &model.entry.outputs {
            binding.bind_output(&output.name, Tensor::<f32>::new(&plain, shape_of_rows(&output.shape, n_rows))?)?;
        }
        Ok(Self { n_rows, input, binding })
    }
}

/// What belongs to one of several inputs.
fn row<'a>(output: &'a ArrayViewD<'_, f32>, row_idx: usize, n_rows: usize) -> ArrayViewD<'a, f32> {
    let side = output.len_of(Axis(0)) / n_rows;
    output.slice_axis(Axis(0), Slice::from(row_idx * side..(row_idx + 1) * side))
}

/// Memory of the host that the device reads and writes without a copy in between.
fn host_memory(provider: Provider) -> ort::Result<MemoryInfo<'static>> {
    match provider {
        Provider::Cpu => Ok(MemoryInfo::default()),
        Provider::Cuda => {
            MemoryInfo::new(AllocationDevice::CUDA_PINNED, 0, AllocatorType::Device, MemoryType::CPUInput)
        }
    }
}
