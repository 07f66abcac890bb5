//! How long each model takes on one thread, through the executor as the server uses it.
//!
//! Models are those of `BONAFIDE_TEST_MODELS_DIR`, else of `~/.cache/bonafide/models`.

mod support;

use std::hint::black_box;

use bonafide::inference::Manifest;
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::ArrayD;

use support::CpuTime;

fn models(criterion: &mut Criterion<CpuTime>) {
    let manifest = Manifest::bundled().expect("a test holds that it is valid");
    let Some(executor) = support::executor(&manifest) else { return };
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
            bencher.iter(|| black_box(executor.run_tensor(&model.id, &input).expect("run")));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(CpuTime);
    targets = models
}
criterion_main!(benches);
