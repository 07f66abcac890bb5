//! Weights that were trained here say in the program what they said in training, on a picture that needs no file.

use bonafide::media::RgbImage;
use bonafide::vision::deepfake;

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
    let expected: serde_json::Value = serde_json::from_str(include_str!("../data/deepfake_parity.json")).expect("JSON");
    let side = u32::try_from(expected["side"].as_u64().expect("a side")).expect("small");
    let input = deepfake::prepare_crop(slopes(side).view()).expect("prepares");
    let outputs = executor.run_blocking("deepfake", input).expect("runs").tensors;
    let score = f64::from(deepfake::interpret(&outputs).expect("interprets").attack_score);
    let logit = (score / (1.0 - score)).ln();
    let expected = expected["logits"][0].as_f64().expect("a number");
    assert!((logit - expected).abs() < LOGIT_TOLERANCE, "{logit} is not {expected}");
}
