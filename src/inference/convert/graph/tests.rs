use std::collections::HashMap;

use prost::Message as _;
use serde_json::{Value, json};

use super::super::onnx::Graph;
use super::super::tfjs::GraphModel;
use super::{convert, permuted};
use crate::inference::{Colour, Dtype, InputEntry, Layout, OutputEntry};

/// Base64 of the byte strings that these graphs use.
const SAME: &str = "U0FNRQ==";
const VALID: &str = "VkFMSUQ=";

/// The graph of an ONNX file is its field 7.
#[derive(Clone, PartialEq, prost::Message)]
struct File {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

fn list(sizes: [usize; 4]) -> Value {
    json!({ "list": { "i": sizes.map(|size| size.to_string()) } })
}

/// A picture of 5x5 pixels, a 3x3 convolution with stride 2 to four channels, then whatever a test adds.
fn file(padding: &str, more: &[Value]) -> Value {
    let mut nodes = vec![
        json!({ "name": "in", "op": "Placeholder" }),
        json!({ "name": "w", "op": "Const" }),
        json!({
            "name": "conv", "op": "Conv2D", "input": ["in", "w"],
            "attr": { "strides": list([1, 2, 2, 1]), "dilations": list([1, 1, 1, 1]), "padding": { "s": padding } },
        }),
    ];
    nodes.extend_from_slice(more);
    json!({
        "signature": { "inputs": { "x": { "name": "in:0" } }, "outputs": { "y": { "name": "conv:0" }, "z": { "name": "last:0" } } },
        "modelTopology": { "node": nodes },
        "weightsManifest": [{
            "paths": ["w.bin"],
            "weights": [
                { "name": "w", "shape": [3, 3, 3, 4], "dtype": "float32" },
                { "name": "shape", "shape": [2], "dtype": "int32" },
            ],
        }],
    })
}

fn run(file: &Value, output: &str, shape: &[usize]) -> Result<Graph, String> {
    let mut weights = vec![0; 3 * 3 * 3 * 4 * 4];
    weights.extend([1_i32, -1].map(i32::to_le_bytes).concat());
    let files = HashMap::from([("w.bin", weights.as_slice())]);
    let input = InputEntry {
        name: "x".to_owned(),
        shape: vec![1, 5, 5, 3],
        dtype: Dtype::F32,
        layout: Layout::Nhwc,
        colour: Colour::Rgb,
        range: [0.0, 1.0],
    };
    let output =
        OutputEntry { name: output.to_owned(), shape: shape.to_vec(), dtype: Dtype::F32, meaning: String::new() };
    let model = GraphModel::read(file.to_string().as_bytes(), &files).map_err(|error| error.to_string())?;
    let onnx = convert(&model, &input, &[output]).map_err(|error| error.to_string())?;
    Ok(File::decode(onnx.as_slice()).expect("decode").graph.expect("graph"))
}

fn operators(graph: &Graph) -> Vec<&str> {
    graph.node.iter().map(|node| node.op_type.as_str()).collect()
}

#[test]
fn picture_is_turned_at_its_ends_only() {
    let relu = json!({ "name": "last", "op": "Relu", "input": ["conv"] });
    let graph = run(&file(SAME, &[relu]), "z", &[1, 3, 3, 4]).expect("convert");
    assert_eq!(operators(&graph), ["Transpose", "Conv", "Relu", "Transpose", "Identity"]);
}

#[test]
fn what_no_output_needs_is_left_out() {
    let unknown = json!({ "name": "last", "op": "NobodyKnows", "input": ["conv"] });
    let file = file(SAME, &[unknown]);
    assert_eq!(
        operators(&run(&file, "y", &[1, 3, 3, 4]).expect("convert")),
        ["Transpose", "Conv", "Transpose", "Identity"]
    );
    let error = run(&file, "z", &[1, 3, 3, 4]).expect_err("unknown operator");
    assert!(error.contains("NobodyKnows"), "{error}");
}

#[test]
fn padding_decides_the_size() {
    // 5 pixels, window 3, stride 2: SAME gives ceil(5 / 2) = 3, VALID (5 - 3) / 2 + 1 = 2.
    assert!(run(&file(SAME, &[]), "y", &[1, 3, 3, 4]).is_ok());
    assert!(run(&file(VALID, &[]), "y", &[1, 2, 2, 4]).is_ok());
    let error = run(&file(VALID, &[]), "y", &[1, 3, 3, 4]).expect_err("shape");
    assert!(error.contains("[1, 2, 2, 4], not [1, 3, 3, 4]"), "{error}");
    assert!(run(&file("other", &[]), "y", &[1, 3, 3, 4]).is_err());
}

#[test]
fn reshape_reads_channels_last() {
    let more = [
        json!({ "name": "shape", "op": "Const" }),
        json!({ "name": "last", "op": "Reshape", "input": ["conv", "shape"] }),
    ];
    let graph = run(&file(SAME, &more), "z", &[1, 36]).expect("convert");
    assert_eq!(operators(&graph), ["Transpose", "Conv", "Transpose", "Reshape", "Identity"]);
}

#[test]
fn damaged_models_are_refused() {
    let whole = file(SAME, &[]);
    for (pointer, value) in [
        ("/weightsManifest/0/weights/0/shape/0", json!(4)),
        ("/weightsManifest/0/weights/0/shape/0", json!(2)),
        ("/weightsManifest/0/weights/0/dtype", json!("complex64")),
        ("/weightsManifest/0/paths/0", json!("elsewhere.bin")),
        ("/modelTopology/node/2/input/0", json!("later")),
        ("/modelTopology/node/2/attr/strides/list/i/1", json!("0")),
        ("/modelTopology/node/2/attr/strides/list/i/1", json!("-1")),
        ("/signature/inputs/x/name", json!("w")),
    ] {
        let mut damaged = whole.clone();
        *damaged.pointer_mut(pointer).expect(pointer) = value;
        assert!(run(&damaged, "y", &[1, 3, 3, 4]).is_err(), "{pointer}");
    }
}

#[test]
fn axes_are_permuted() {
    let values: Vec<f32> = (0..24_u8).map(f32::from).collect();
    let transposed = permuted(&values, [1, 2, 3, 4], [3, 2, 0, 1]);
    let expected: Vec<f32> = (0..4)
        .flat_map(|d| (0..3).flat_map(move |c| (0..2).map(move |b| b * 12 + c * 4 + d)))
        .map(|value: u8| f32::from(value))
        .collect();
    assert_eq!(transposed, expected);
    assert_eq!(permuted(&values, [1, 2, 3, 4], [0, 1, 2, 3]), values);
}
