//! Model runs.

use std::time::Duration;

use ::metrics::{Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const QUEUE_SECONDS: &str = "bonafide_inference_queue_seconds";
const PREPROCESS_SECONDS: &str = "bonafide_inference_preprocess_seconds";
const DEVICE_SECONDS: &str = "bonafide_inference_device_seconds";
const POSTPROCESS_SECONDS: &str = "bonafide_inference_postprocess_seconds";
const FAILURES: &str = "bonafide_inference_failures_total";
const PROVIDER: &str = "bonafide_inference_provider_info";

/// Where models run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// The processor.
    Cpu,
    /// An NVIDIA device.
    Cuda,
}

/// The metrics of one model. Made once when it is loaded; the label's set is closed by the manifest.
#[derive(Clone)]
pub struct ModelMetrics {
    /// Queue, preprocessing, device, postprocessing.
    step_seconds: [Histogram; 4],
    failures: Counter,
}

impl ModelMetrics {
    /// The metrics of the manifest's model of that id.
    #[must_use]
    pub fn new(model: &str) -> Self {
        let model = || model.to_owned();
        Self {
            step_seconds: [QUEUE_SECONDS, PREPROCESS_SECONDS, DEVICE_SECONDS, POSTPROCESS_SECONDS]
                .map(|name| histogram!(name, "model" => model())),
            failures: counter!(FAILURES, "model" => model()),
        }
    }

    /// Records a run: waiting for a device, writing the input, the device itself, reading the outputs.
    pub fn ran(&self, steps: [Duration; 4]) {
        self.step_seconds.iter().zip(steps).for_each(|(histogram, took)| histogram.record(took));
    }

    /// Counts a run that failed.
    pub fn failed(&self) {
        self.failures.increment(1);
    }
}

impl std::fmt::Debug for ModelMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ModelMetrics").finish_non_exhaustive()
    }
}

/// States where models run.
pub fn provider_in_use(provider: Provider) {
    let label = match provider {
        Provider::Cpu => "cpu",
        Provider::Cuda => "cuda",
    };
    gauge!(PROVIDER, "provider" => label).set(1.0);
}

pub(super) fn describe() {
    describe_histogram!(QUEUE_SECONDS, "Seconds that a model run waited for its device.");
    describe_histogram!(PREPROCESS_SECONDS, "Seconds that writing a model's input took: crop, resampling, layout.");
    describe_histogram!(DEVICE_SECONDS, "Seconds that a model run took on its device.");
    describe_histogram!(POSTPROCESS_SECONDS, "Seconds that reading a model's outputs took.");
    describe_counter!(FAILURES, "Model runs that failed.");
    describe_gauge!(PROVIDER, "1 for the provider that models run on.");
}
