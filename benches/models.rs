//! How long each model takes on one thread, through the executor as the server uses it.
//!
//! Models are those of `BONAFIDE_TEST_MODELS_DIR`, else of `~/.cache/bonafide/models`.

use std::hint::black_box;
use std::path::PathBuf;

use bonafide::inference::{Executor, InferenceOptions, Manifest, ProviderChoice};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::ArrayD;

fn models(criterion: &mut Criterion) {
    let from_home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/bonafide/models"));
    let Some(models_dir) = std::env::var_os("BONAFIDE_TEST_MODELS_DIR").map(PathBuf::from).or_else(from_home) else {
        eprintln!("SKIPPED: neither BONAFIDE_TEST_MODELS_DIR nor HOME is set");
        return;
    };
    let options =
        InferenceOptions { models_dir, provider: ProviderChoice::Cpu, threads: 1, ..InferenceOptions::default() };
    let manifest = Manifest::bundled().expect("a test holds that it is valid");
    let executor = match Executor::start(&manifest, &options) {
        Ok(executor) => executor,
        Err(error) => {
            eprintln!("SKIPPED: {error}");
            return;
        }
    };
    let mut group = criterion.benchmark_group("models");
    for model in &manifest.models {
        // Not constant, so that no kernel gets an easy case; in the range that the model is given.
        let [low, high] = model.input.range;
        let mut level = 0_u8;
        let input = ArrayD::from_shape_simple_fn(model.input.shape.clone(), || {
            level = level.wrapping_mul(37).wrapping_add(11);
            low + (high - low) * f32::from(level) / 255.0
        });
        group.bench_function(&model.id, |bencher| {
            bencher.iter(|| black_box(executor.run_blocking(&model.id, input.clone()).expect("run")));
        });
    }
    group.finish();
}

criterion_group!(benches, models);
criterion_main!(benches);
