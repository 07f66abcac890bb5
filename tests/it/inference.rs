//! ONNX Runtime as it is used: tiny models always, the fetched ones with their reference numbers.
//!
//! The library and the models are those of `BONAFIDE_TEST_MODELS_DIR`, else of `~/.cache/bonafide/models`; without them the tests
//! say that they were skipped.

use std::path::{Path, PathBuf};

use bonafide::error::{ErrorKind, Kinded as _};
use bonafide::inference::{
    Digest, Executor, FileState, InferenceError, InferenceOptions, Manifest, ModelEntry, ProviderChoice, status,
    verify_model,
};
use ndarray::{ArrayD, IxDyn};

/// Largest difference of an output between devices or sizes of batches, of the largest value of that output: what the order of
/// sums in 32 bits leaves.
const DEVICE_TOLERANCE_RATIO: f32 = 1e-4;

/// Reference numbers are from another machine's and another form of the same network.
const TOLERANCE_PX: f32 = 1e-3;

fn models_dir() -> Option<PathBuf> {
    std::env::var_os("BONAFIDE_TEST_MODELS_DIR")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/bonafide/models")))
}

/// The runtime library, or a word about its absence.
fn library() -> Option<PathBuf> {
    let manifest = Manifest::bundled().expect("manifest");
    let path = models_dir()?.join(manifest.library().ok()?.file_name());
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: no ONNX Runtime library at {}; run `bonafide models fetch`", path.display());
    None
}

/// Options for the tiny models, with the real library.
fn tiny_options() -> Option<InferenceOptions> {
    Some(InferenceOptions {
        runtime_library: library()?,
        models_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inference"),
        provider: ProviderChoice::Cpu,
        threads: 2,
        ..InferenceOptions::default()
    })
}

/// Options for the real models, when all of them are there.
fn real_options() -> Option<InferenceOptions> {
    library()?;
    let options = InferenceOptions {
        models_dir: models_dir()?,
        provider: ProviderChoice::Cpu,
        threads: 1,
        ..InferenceOptions::default()
    };
    let manifest = Manifest::bundled().expect("manifest");
    let files = status(&manifest, &options).expect("status");
    if let Some(file) = files.iter().find(|file| file.state != FileState::Present) {
        eprintln!("SKIPPED: {} is not fetched; run `bonafide models fetch`", file.file);
        return None;
    }
    Some(options)
}

/// A manifest of the two tiny models.
fn tiny_text() -> String {
    let model = |id: &str, side: usize, outputs: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/inference/{id}.onnx"));
        let (digest, n_bytes) = Digest::of_file(&path).expect("tiny model");
        format!(
            r#"
            [[model]]
            id = "{id}"
            task = "test"
            package = "none"
            licence = "Apache-2.0"
            origin = "tests/data/inference/README.md"
            conversion = "none"
            sha256 = "{digest}"
            bytes = {n_bytes}
            preprocessing = "none"
            file = [{{ path = "{id}.onnx", sha256 = "{digest}", bytes = {n_bytes} }}]
            input = {{ name = "x", shape = [1, 3, {side}, {side}], dtype = "f32", layout = "nchw", colour = "rgb", range = [0.0, 1.0] }}
            output = [{outputs}]
            "#
        )
    };
    let tiny = model(
        "tiny",
        2,
        r#"{ name = "double", shape = [1, 3, 2, 2], dtype = "f32", meaning = "twice the input" },
           { name = "sum", shape = [1, 1], dtype = "f32", meaning = "sum of the input" }"#,
    );
    let picky = model("picky", 1, r#"{ name = "y", shape = [1], dtype = "f32", meaning = "zero" }"#);
    let digest = Digest::of(b"");
    format!(
        r#"
        schema = 1
        [runtime]
        registry = "pypi"
        name = "onnxruntime"
        version = "1.0.0"
        licence = "MIT"
        library = []
        [package.none]
        registry = "npm"
        name = "none"
        version = "1.0.0"
        sha256 = "{digest}"
        bytes = 1
        licence = "Apache-2.0"
        {tiny}
        {picky}
        "#
    )
}

fn tiny_manifest() -> Manifest {
    Manifest::parse(&tiny_text()).expect("manifest of the tiny models")
}

#[test]
fn outputs_come_in_the_order_of_the_manifest() {
    let Some(options) = tiny_options() else { return };
    let executor = Executor::start(&tiny_manifest(), &options).expect("start");
    let input = ArrayD::from_shape_fn(IxDyn(&[1, 3, 2, 2]), |idx| (idx[1] * 4 + idx[2] * 2 + idx[3]) as f32);
    let outputs = executor.run_tensor("tiny", &input).expect("run");
    assert_eq!(outputs, [&input * 2.0, ArrayD::from_elem(IxDyn(&[1, 1]), 66.0)]);
    assert_eq!(executor.provider(), "cpu");
}

#[test]
fn transposed_input_is_read_by_its_axes_not_its_memory() {
    let Some(options) = tiny_options() else { return };
    let executor = Executor::start(&tiny_manifest(), &options).expect("start");
    let nhwc = ArrayD::from_shape_fn(IxDyn(&[1, 2, 2, 3]), |idx| (idx[1] * 6 + idx[2] * 3 + idx[3]) as f32);
    let nchw = nhwc.permuted_axes(IxDyn(&[0, 3, 1, 2]));
    let outputs = executor.run_tensor("tiny", &nchw).expect("run");
    assert_eq!(outputs.first(), Some(&(nchw * 2.0)));
}

#[test]
fn failing_run_is_an_error_for_its_caller_only() {
    let Some(options) = tiny_options() else { return };
    let executor = Executor::start(&tiny_manifest(), &options).expect("start");
    let input = |value: f32| ArrayD::from_elem(IxDyn(&[1, 3, 1, 1]), value);
    let error = executor.run_tensor("picky", &input(5.0)).expect_err("index out of range");
    assert!(matches!(error, InferenceError::Run { ref model, .. } if model == "picky"), "{error}");
    executor.run_tensor("picky", &input(0.0)).expect("the session lives on");
}

#[test]
fn what_differs_from_the_manifest_is_refused_by_name() {
    let Some(options) = tiny_options() else { return };
    for (from, to, expected) in [
        ("name = \"x\"", "name = \"z\"", "\"x\" instead of \"z\""),
        (
            "shape = [1, 3, 2, 2], dtype = \"f32\", layout",
            "shape = [1, 3, 2, 4], dtype = \"f32\", layout",
            "[1, 3, 2, 4]",
        ),
        ("name = \"sum\"", "name = \"product\"", "no output \"product\""),
        ("shape = [1, 1]", "shape = [1, 2]", "\"sum\" has shape [1, 1], not [1, 2]"),
        (
            "output = [{ name = \"double\"",
            "output = [{ name = \"more\", shape = [1], dtype = \"f32\", meaning = \"\" }, { name = \"double\"",
            "2 outputs instead of 3",
        ),
    ] {
        let text = tiny_text();
        assert!(text.contains(from), "{from}");
        let manifest = Manifest::parse(&text.replacen(from, to, 1)).expect("well-formed");
        let error = Executor::start(&manifest, &options).expect_err("must be refused");
        let message = error.to_string();
        assert!(
            message.contains(expected) && message.contains("models fetch") && message.contains("tiny"),
            "{message}"
        );
        assert_eq!(error.kind(), ErrorKind::DataLoss);
        assert!(verify_model(&manifest, "tiny", &options).is_err());
    }
}

#[test]
fn other_digest_and_missing_file_are_refused_before_loading() {
    // No library is needed to see this.
    let options = InferenceOptions {
        runtime_library: "/nowhere/libonnxruntime.so".into(),
        models_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inference"),
        ..InferenceOptions::default()
    };
    let mut manifest = tiny_manifest();
    manifest.models.first_mut().expect("tiny").sha256 = Digest::of(b"something else");
    let error = Executor::start(&manifest, &options).expect_err("digest");
    assert!(matches!(error, InferenceError::Mismatch { .. }) && error.to_string().contains("models fetch"), "{error}");

    let elsewhere = InferenceOptions { models_dir: "/nowhere".into(), ..options };
    let error = Executor::start(&tiny_manifest(), &elsewhere).expect_err("missing");
    assert!(matches!(error, InferenceError::Missing { .. }) && error.to_string().contains("models fetch"), "{error}");
}

#[test]
fn library_that_cannot_be_loaded_is_a_clean_error() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let library = folder.path().join("libonnxruntime.so");
    std::fs::write(&library, b"not a library").expect("write");
    let options = InferenceOptions {
        runtime_library: library,
        models_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inference"),
        ..InferenceOptions::default()
    };
    let error = Executor::start(&tiny_manifest(), &options).expect_err("no library");
    assert!(matches!(error, InferenceError::Runtime { .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::FailedPrecondition);
}

#[test]
fn cuda_that_is_not_there_is_an_error_and_auto_says_cpu() {
    let Some(options) = tiny_options() else { return };
    let cuda = InferenceOptions { provider: ProviderChoice::Cuda, ..options.clone() };
    let error = Executor::start(&tiny_manifest(), &cuda).expect_err("the library of the manifest has no CUDA");
    assert!(matches!(error, InferenceError::NoCuda { .. }), "{error}");
    let auto = InferenceOptions { provider: ProviderChoice::Auto, ..options };
    assert_eq!(Executor::start(&tiny_manifest(), &auto).expect("start").provider(), "cpu");
}

#[test]
fn fetched_models_are_those_of_the_manifest() {
    let Some(options) = real_options() else { return };
    let manifest = Manifest::bundled().expect("manifest");
    let executor = Executor::start(&manifest, &options).expect("start");
    for model in &manifest.models {
        let outputs = executor.run_tensor(&model.id, &ArrayD::zeros(model.input.shape.clone())).expect("run");
        let shapes: Vec<_> = outputs.iter().map(|tensor| tensor.shape().to_vec()).collect();
        assert_eq!(shapes, model.outputs.iter().map(|output| output.shape.clone()).collect::<Vec<_>>());
        assert!(outputs.iter().flatten().all(|value| value.is_finite()), "{}", model.id);
    }
}

/// The reference is the same network converted operator by operator with another program (channels last, `PRelu` kept) and
/// run by ONNX Runtime 1.32.0 from Python, on this pattern of 256 grey levels.
#[test]
fn converted_mesh_gives_the_numbers_of_its_source() {
    let Some(options) = real_options() else { return };
    let executor = Executor::start(&Manifest::bundled().expect("manifest"), &options).expect("start");
    let levels = (0..192 * 192 * 3).map(|idx: u32| (idx / 5 * 37 % 256) as f32 / 255.0).collect();
    let input = ArrayD::from_shape_vec(IxDyn(&[1, 192, 192, 3]), levels).expect("shape");
    let outputs = executor.run_tensor("facemesh", &input).expect("run");
    let [mesh, flag] = outputs.as_slice() else { panic!("two outputs") };
    let expected = [
        (0, [117.413_85, 115.655_57, -10.160_091, 122.116_38, 101.302_31, -20.774_458]),
        (700, [78.146_03, -5.123_788, 32.363_552, 88.741_806, 14.530_516, 102.209_81]),
    ];
    for (start, expected) in expected {
        for (idx, expected) in expected.into_iter().enumerate() {
            let found: f32 = mesh[[0, start + idx]];
            assert!((found - expected).abs() < TOLERANCE_PX, "value {}: {found}, not {expected}", start + idx);
        }
    }
    assert!((flag[[0, 0]] - 0.000_149_4).abs() < 1e-6, "{flag}");
}

/// The reference is the network as its package holds it, run by ONNX Runtime 1.32.0 from Python.
#[test]
fn rewritten_embedding_gives_the_numbers_of_its_source() {
    let Some(options) = real_options() else { return };
    let executor = Executor::start(&Manifest::bundled().expect("manifest"), &options).expect("start");
    let levels = (0..3 * 112 * 112).map(|idx: u32| ((idx / 5 * 37 % 256) as f32 - 127.0) / 128.0).collect();
    let input = ArrayD::from_shape_vec(IxDyn(&[1, 3, 112, 112]), levels).expect("shape");
    let outputs = executor.run_tensor("embedding", &input).expect("run");
    let [embedding] = outputs.as_slice() else { panic!("one output") };
    let expected = [
        (0, [-0.008_262_53, 0.067_057_6, -0.005_872_64, -0.007_265_57, -0.029_120_22, -0.033_061_69]),
        (500, [-0.012_482_03, -0.080_738_03, -0.022_023_48, 0.037_425_73, -0.030_407_68, 0.006_633_04]),
    ];
    for (start, expected) in expected {
        for (idx, expected) in expected.into_iter().enumerate() {
            let found: f32 = embedding[[0, start + idx]];
            assert!((found - expected).abs() < 1e-5, "value {}: {found}, not {expected}", start + idx);
        }
    }
}

/// An input of a model, of arbitrary levels in the range of the manifest; another one for each seed.
fn input_of(model: &ModelEntry, seed: u32) -> ArrayD<f32> {
    let n_values: usize = model.input.shape.iter().product();
    let [low, high] = model.input.range;
    let level = |idx: u32| f32::from((idx / 5).wrapping_mul(37 + 2 * seed).wrapping_add(seed * 91).to_le_bytes()[0]);
    let values = (0..u32::try_from(n_values).expect("small")).map(|idx| low + (high - low) * level(idx) / 255.0);
    ArrayD::from_shape_vec(IxDyn(&model.input.shape), values.collect()).expect("shape")
}

/// Asks both the same, the second one by several callers at a time.
fn compare(reference: &Executor, other: &Executor, n_callers: u32) {
    for model in &Manifest::bundled().expect("manifest").models {
        let expected = |seed| reference.run_tensor(&model.id, &input_of(model, seed)).expect("run");
        std::thread::scope(|scope| {
            let callers: Vec<_> = (0..n_callers)
                .map(|seed| scope.spawn(move || other.run_tensor(&model.id, &input_of(model, seed)).expect("run")))
                .collect();
            for (seed, caller) in (0..n_callers).zip(callers) {
                let found = caller.join().expect("caller");
                for (idx, (expected, found)) in expected(seed).iter().zip(&found).enumerate() {
                    let scale = expected.iter().fold(1.0_f32, |scale, value| scale.max(value.abs()));
                    let difference = (expected - found).iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                    assert!(
                        difference <= DEVICE_TOLERANCE_RATIO * scale,
                        "{}, output {idx}, input {seed}: {difference} of {scale}",
                        model.id
                    );
                }
            }
        });
    }
}

#[test]
fn batches_give_what_single_runs_give() {
    let Some(options) = real_options() else { return };
    let manifest = Manifest::bundled().expect("manifest");
    let single = Executor::start(&manifest, &options).expect("start");
    let batches = Executor::start(&manifest, &InferenceOptions { max_batch: 5, ..options }).expect("start");
    assert_eq!((single.n_places(), batches.n_places()), (1, 5));
    compare(&single, &batches, 7);
}

/// The library, built with CUDA, is that of `BONAFIDE_TEST_CUDA_LIBRARY`; a process has one, so that both run in it.
#[test]
#[ignore = "needs a GPU"]
fn a_graphics_card_gives_what_the_processor_gives() {
    let library = std::env::var_os("BONAFIDE_TEST_CUDA_LIBRARY").expect("BONAFIDE_TEST_CUDA_LIBRARY names a library");
    let models_dir = models_dir().expect("a folder of models");
    let options = InferenceOptions { runtime_library: library.into(), models_dir, ..InferenceOptions::default() };
    let manifest = Manifest::bundled().expect("manifest");
    let start = |provider| {
        Executor::start(&manifest, &InferenceOptions { provider, ..options.clone() }).expect("the provider works")
    };
    let began = std::time::Instant::now();
    let processor = start(ProviderChoice::Cpu);
    eprintln!("processor ready after {:.1} s", began.elapsed().as_secs_f64());
    let card = start(ProviderChoice::Cuda);
    eprintln!("card ready after {:.1} s", began.elapsed().as_secs_f64());
    compare(&processor, &card, 40);
    eprintln!("compared after {:.1} s", began.elapsed().as_secs_f64());
}
