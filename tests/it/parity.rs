//! Weights that were trained here say in the program what they said in training, on a picture that needs no file.

use bonafide::media::RgbImage;
use bonafide::service::ServiceError;
use bonafide::vision::{BoxPx, deepfake, presentation};

use crate::golden::executor;

/// Logits may differ by this much: weights are stored in half precision.
const LOGIT_TOLERANCE: f64 = 0.05;

/// Red grows to the right, green downwards, blue with both; the same as `slopes` in `training/lib/export.py`.
fn slopes(side: u32) -> RgbImage {
    let level = |value: u32| u8::try_from(value % 256).expect("below 256");
    let pixel = |index: u32| {
        let (x, y) = (index % side, index / side);
        [level(x * 255 / (side - 1)), level(y * 255 / (side - 1)), level(x * y)]
    };
    RgbImage::new(side, side, (0..side * side).flat_map(pixel).collect()).expect("size fits")
}

#[test]
fn the_deepfake_model_says_what_training_said() {
    let Some(executor) = executor() else { return };
    let (picture, expected) = case(include_str!("../data/deepfake_parity.json"));
    let answer = executor.run(
        "deepfake",
        |input| deepfake::prepare_crop(picture.view().into(), input).map_err(ServiceError::from),
        |(), outputs| Ok(deepfake::interpret(outputs)?.attack_score),
    );
    check(answer.expect("runs").0, expected);
}

#[test]
fn the_presentation_model_says_what_training_said() {
    let Some(executor) = executor() else { return };
    let (picture, expected) = case(include_str!("../data/presentation_parity.json"));
    // A box as large as the picture, so that both views are all of it.
    let side = picture.width() as f32;
    let face = BoxPx { left: 0.0, top: 0.0, right: side, bottom: side };
    let answer = executor.run(
        "presentation",
        |input| presentation::prepare(picture.view().into(), &face, input).map_err(ServiceError::from),
        |_, outputs| Ok(presentation::interpret(outputs)?),
    );
    check(answer.expect("runs").0, expected);
}

/// The picture and the logit that training wrote down.
fn case(json: &str) -> (RgbImage, f64) {
    let case: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let side = u32::try_from(case["side"].as_u64().expect("a side")).expect("small");
    (slopes(side), case["logit"].as_f64().expect("a number"))
}

fn check(attack_score: f32, expected: f64) {
    let score = f64::from(attack_score);
    let logit = (score / (1.0 - score)).ln();
    assert!((logit - expected).abs() < LOGIT_TOLERANCE, "{logit} is not {expected}");
}
