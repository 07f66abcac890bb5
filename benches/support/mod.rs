//! What the benchmarks share: CPU time as the measure, and where models and pictures lie.
#![allow(dead_code, reason = "each benchmark uses its part")]

use std::path::PathBuf;
use std::time::Duration;

use bonafide::inference::{Executor, InferenceOptions, Manifest, ProviderChoice};
use criterion::Throughput;
use criterion::measurement::{Measurement, ValueFormatter};
use rustix::time::{ClockId, clock_gettime};

/// CPU time of the whole process, all threads together: on a machine with other work it says what wall time cannot.
pub(crate) struct CpuTime;

/// CPU time since the start of the process.
fn cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    let secs = u64::try_from(spent.tv_sec).expect("time runs forwards");
    Duration::new(secs, u32::try_from(spent.tv_nsec).expect("below a second"))
}

impl Measurement for CpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        cpu_time()
    }

    fn end(&self, start: Duration) -> Duration {
        cpu_time().saturating_sub(start)
    }

    fn add(&self, first: &Duration, second: &Duration) -> Duration {
        *first + *second
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        value.as_secs_f64()
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &CpuMillis
    }
}

/// Shows CPU time in milliseconds, whatever its size, so that rows can be compared.
struct CpuMillis;

impl ValueFormatter for CpuMillis {
    fn scale_values(&self, _typical: f64, values: &mut [f64]) -> &'static str {
        for secs in values {
            *secs *= 1_000.0;
        }
        "ms CPU"
    }

    fn scale_throughputs(&self, _typical: f64, throughput: &Throughput, values: &mut [f64]) -> &'static str {
        let (amount, unit) = match *throughput {
            Throughput::Bits(bits) => (bits, "bits/CPU s"),
            Throughput::Bytes(bytes) | Throughput::BytesDecimal(bytes) => (bytes, "B/CPU s"),
            Throughput::Elements(elements) | Throughput::ElementsAndBytes { elements, .. } => (elements, "/CPU s"),
        };
        for secs in values {
            *secs = amount as f64 / *secs;
        }
        unit
    }

    fn scale_for_machines(&self, _values: &mut [f64]) -> &'static str {
        "s"
    }
}

/// A folder of `~/.cache/bonafide`, or where the environment variable says.
pub(crate) fn folder(variable: &str, name: &str) -> Option<PathBuf> {
    let from_home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/bonafide").join(name));
    std::env::var_os(variable).map(PathBuf::from).or_else(from_home)
}

/// All models on one CPU thread; `None`, said aloud, when they were not fetched.
pub(crate) fn executor(manifest: &Manifest) -> Option<Executor> {
    let Some(models_dir) = folder("BONAFIDE_TEST_MODELS_DIR", "models") else {
        eprintln!("SKIPPED: neither BONAFIDE_TEST_MODELS_DIR nor HOME is set");
        return None;
    };
    let options =
        InferenceOptions { models_dir, provider: ProviderChoice::Cpu, threads: 1, ..InferenceOptions::default() };
    Executor::start(manifest, &options).inspect_err(|error| eprintln!("SKIPPED: {error}")).ok()
}
