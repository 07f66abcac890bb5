//! The whole way from a photograph to numbers, against `tests/golden/reference.py`, which shares no code with the product.
//!
//! Photographs are those of `BONAFIDE_TEST_MEDIA`, else of `~/.cache/bonafide/media`, models as in `inference`; without either
//! the test says that it was skipped.

use std::path::{Path, PathBuf};

use bonafide::inference::{Executor, FileState, InferenceOptions, Manifest, ProviderChoice, status};
use bonafide::media::RgbImage;
use bonafide::service::ServiceError;
use bonafide::vision::{
    BoxPx, Embedding, FaceMesh, FaceRoi, VisionError, align_face, detection, embedding, five_points, mesh, presentation,
};
use ndarray::ArrayViewD;

/// Photographs, as `scripts/setup` fetches them.
const N_PICTURES: usize = 7;
/// Edges of a box may differ by this share of its size: other decoders, other rounding.
const BOX_TOLERANCE_RATIO: f32 = 0.02;
/// Mesh points may differ by this share of the face's size: the reference blurs where the product averages blocks.
const MESH_TOLERANCE_RATIO: f32 = 0.02;
/// Confidence below which a mesh is a guess (a hidden or averted face) and is not compared.
const MIN_PRESENCE: f64 = 0.5;
/// Attack scores may differ by this much.
const SCORE_TOLERANCE: f64 = 0.05;
/// Cosine of the two identity vectors.
const MIN_COSINE: f32 = 0.99;

fn home_cache(name: &str) -> Option<PathBuf> {
    Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/bonafide").join(name))
}

pub(crate) fn executor() -> Option<Executor> {
    let models_dir =
        std::env::var_os("BONAFIDE_TEST_MODELS_DIR").map(PathBuf::from).or_else(|| home_cache("models"))?;
    let options =
        InferenceOptions { models_dir, provider: ProviderChoice::Cpu, threads: 1, ..InferenceOptions::default() };
    let manifest = Manifest::bundled().expect("manifest");
    let files = status(&manifest, &options).expect("status");
    if let Some(file) = files.iter().find(|file| file.state != FileState::Present) {
        eprintln!("SKIPPED: {} is not fetched; run `bonafide models fetch`", file.file);
        return None;
    }
    Some(Executor::start(&manifest, &options).expect("models start"))
}

fn media_dir() -> Option<PathBuf> {
    let folder = std::env::var_os("BONAFIDE_TEST_MEDIA").map(PathBuf::from).or_else(|| home_cache("media"))?;
    if folder.join("astronaut.png").exists() {
        return Some(folder);
    }
    eprintln!("SKIPPED: no photographs in {}; run scripts/setup", folder.display());
    None
}

fn open(path: &Path) -> RgbImage {
    let picture = image::open(path).expect("photograph").to_rgb8();
    RgbImage::new(picture.width(), picture.height(), picture.into_raw()).expect("size fits")
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().expect("list").iter().map(|number| number.as_f64().expect("number")).collect()
}

/// Runs models the way the service does.
struct Rig(Executor);

impl Rig {
    fn run<P, T>(
        &self,
        model: &str,
        prepare: impl FnOnce(&mut [f32]) -> Result<P, VisionError>,
        interpret: impl FnOnce(P, &[ArrayViewD<'_, f32>]) -> Result<T, VisionError>,
    ) -> T {
        let ran = self.0.run(
            model,
            |input| prepare(input).map_err(ServiceError::from),
            |prepared, outputs| interpret(prepared, outputs).map_err(ServiceError::from),
        );
        ran.expect("model runs").0
    }

    fn mesh(&self, picture: &RgbImage, roi: &FaceRoi) -> FaceMesh {
        self.run(
            "facemesh",
            |input| mesh::prepare(picture.view().into(), roi, input),
            |(), outputs| mesh::interpret(outputs, roi),
        )
    }
}

#[test]
fn photographs_give_the_numbers_of_the_reference() {
    let (Some(executor), Some(media)) = (executor(), media_dir()) else { return };
    let rig = Rig(executor);
    let golden: serde_json::Value = serde_json::from_str(include_str!("../data/golden.json")).expect("golden numbers");
    let pictures = golden["pictures"].as_array().expect("list");
    assert_eq!(pictures.len(), N_PICTURES);
    for expected in pictures {
        let name = expected["file"].as_str().expect("name");
        check(&rig, &open(&media.join(name)), name, expected);
    }
}

fn check(rig: &Rig, picture: &RgbImage, name: &str, expected: &serde_json::Value) {
    let found = rig.run(
        "ultraface",
        |input| detection::prepare(picture.view().into(), input),
        |(), outputs| detection::interpret(outputs, picture.width(), picture.height()),
    );
    let boxes = expected["boxes"].as_array().expect("list");
    assert_eq!(found.len(), boxes.len(), "{name}: faces");
    for (detection, expected) in found.iter().zip(boxes) {
        let face = detection.box_in_frame;
        let tolerance = f64::from(BOX_TOLERANCE_RATIO * face.height());
        for (edge, expected) in [face.left, face.top, face.right, face.bottom].into_iter().zip(numbers(expected)) {
            assert!((f64::from(edge) - expected).abs() <= tolerance, "{name}: {face:?}, expected {expected}");
        }
    }
    let face = found[0];
    // Of the reference's own box: a pixel more or less can move an undecided score far.
    #[expect(clippy::cast_possible_truncation, reason = "pixels of a photograph")]
    let edges: Vec<f32> = numbers(&boxes[0]).into_iter().map(|edge| edge as f32).collect();
    let reference = BoxPx { left: edges[0], top: edges[1], right: edges[2], bottom: edges[3] };
    let score = f64::from(rig.run(
        "presentation",
        |input| presentation::prepare(picture.view().into(), &reference, input),
        |_, outputs| presentation::interpret(outputs),
    ));
    let expected_score = expected["attack_score"].as_f64().expect("number");
    assert!((score - expected_score).abs() <= SCORE_TOLERANCE, "{name}: score {score}, expected {expected_score}");
    let first = rig.mesh(picture, &FaceRoi::from_detection(&face).expect("has a size"));
    let mesh = rig.mesh(picture, &FaceRoi::from_mesh(&first).expect("has a size"));
    let presence = expected["presence"].as_f64().expect("number");
    if presence < MIN_PRESENCE {
        assert!(f64::from(mesh.presence) < MIN_PRESENCE, "{name}: presence {}, expected {presence}", mesh.presence);
        return;
    }
    let tolerance = f64::from(MESH_TOLERANCE_RATIO * face.box_in_frame.height());
    for (index, expected) in expected["mesh"].as_object().expect("points") {
        let point = mesh.points_in_frame[index.parse::<usize>().expect("index")];
        for (axis, expected) in numbers(expected).into_iter().enumerate() {
            let actual = f64::from(point[axis]);
            assert!((actual - expected).abs() <= tolerance, "{name}: point {index}, {actual}, expected {expected}");
        }
    }
    if let Some(expected) = expected.get("embedding") {
        let chip = align_face(picture.view().into(), &five_points(&mesh)).expect("aligns");
        let actual =
            rig.run("embedding", |input| embedding::prepare(&chip, input), |(), outputs| embedding::interpret(outputs));
        #[expect(clippy::cast_possible_truncation, reason = "numbers of about 1")]
        let expected: Vec<f32> = numbers(expected).into_iter().map(|value| value as f32).collect();
        let expected = Embedding::from_raw(&expected).expect("has a direction");
        let cosine = actual.similarity(&expected).expect("same dimension");
        assert!(cosine >= MIN_COSINE, "{name}: cosine {cosine}");
    }
}
