//! TensorFlow.js graph models: the topology and its weights, read into memory.
//!
//! # Source
//! `model.json` as the TensorFlow.js converter writes it: `modelTopology` is a `GraphDef` in JSON (byte strings in base64, 64-bit
//! integers as text), `weightsManifest` lists slices of the weight files in order. Only unquantised and float16 weights are read.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

use super::ConvertError;

/// A graph model with its weights.
pub(super) struct GraphModel {
    /// Operators, each after those it depends on.
    pub(super) nodes: Vec<Node>,
    /// Constants by node name.
    pub(super) weights: HashMap<String, Weight>,
    /// Node name of each named input and output.
    pub(super) signature: HashMap<String, String>,
}

/// One operator of the graph.
#[derive(Deserialize)]
pub(super) struct Node {
    /// Its name, which is also the name of its value.
    pub(super) name: String,
    /// Its operator.
    pub(super) op: String,
    /// Names of the nodes whose values it takes.
    #[serde(default)]
    pub(super) input: Vec<String>,
    #[serde(default)]
    attr: HashMap<String, Value>,
}

/// A constant.
pub(super) struct Weight {
    /// Its shape, in TensorFlow's order of axes.
    pub(super) shape: Vec<usize>,
    /// Its elements.
    pub(super) values: Elements,
}

/// The elements of a constant.
pub(super) enum Elements {
    /// `float32`, or `float16` widened.
    Floats(Vec<f32>),
    /// `int32`.
    Integers(Vec<i64>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    signature: Signature,
    model_topology: Topology,
    weights_manifest: Vec<WeightGroup>,
}

#[derive(Deserialize)]
struct Signature {
    inputs: HashMap<String, Endpoint>,
    outputs: HashMap<String, Endpoint>,
}

#[derive(Deserialize)]
struct Endpoint {
    name: String,
}

#[derive(Deserialize)]
struct Topology {
    node: Vec<Node>,
}

#[derive(Deserialize)]
struct WeightGroup {
    paths: Vec<String>,
    weights: Vec<WeightEntry>,
}

#[derive(Deserialize)]
struct WeightEntry {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<Quantization>,
}

#[derive(Deserialize)]
struct Quantization {
    dtype: String,
}

impl GraphModel {
    /// Reads `model.json` and its weight files, which are given by name.
    pub(super) fn read(topology: &[u8], files: &HashMap<&str, &[u8]>) -> Result<Self, ConvertError> {
        let file: File =
            serde_json::from_slice(topology).map_err(|error| ConvertError::new(format!("topology: {error}")))?;
        let mut weights = HashMap::new();
        for group in &file.weights_manifest {
            let mut bytes = Vec::new();
            for path in &group.paths {
                let part = files.get(path.as_str());
                bytes.extend_from_slice(
                    part.ok_or_else(|| ConvertError::new(format!("weight file {path:?} is not in the manifest")))?,
                );
            }
            let mut rest = bytes.as_slice();
            for entry in &group.weights {
                weights.insert(entry.name.clone(), entry.take(&mut rest)?);
            }
            if !rest.is_empty() {
                return Err(ConvertError::new(format!("{} bytes of weights are left over", rest.len())));
            }
        }
        let endpoints = file.signature.inputs.into_iter().chain(file.signature.outputs);
        let signature = endpoints.map(|(key, endpoint)| (key, node_name(&endpoint.name).to_owned())).collect();
        Ok(Self { nodes: file.model_topology.node, weights, signature })
    }
}

impl WeightEntry {
    /// Takes this weight's elements off the front of the group's bytes.
    fn take(&self, bytes: &mut &[u8]) -> Result<Weight, ConvertError> {
        let stored = self.quantization.as_ref().map_or(self.dtype.as_str(), |quantization| &quantization.dtype);
        let element_bytes = match stored {
            "float16" => 2,
            "float32" | "int32" => 4,
            other => return Err(ConvertError::new(format!("weight {:?} is stored as {other:?}", self.name))),
        };
        let n_bytes = self.shape.iter().try_fold(element_bytes, |product: usize, side| product.checked_mul(*side));
        let (taken, rest) = n_bytes
            .filter(|n_bytes| *n_bytes > 0)
            .and_then(|n_bytes| bytes.split_at_checked(n_bytes))
            .ok_or_else(|| ConvertError::new(format!("weight {:?} is empty or longer than its file", self.name)))?;
        *bytes = rest;
        let words = || taken.as_chunks::<4>().0.iter().copied();
        let values = match stored {
            "float16" => Elements::Floats(
                taken.as_chunks::<2>().0.iter().map(|half| f32_from_f16(u16::from_le_bytes(*half))).collect(),
            ),
            "float32" => Elements::Floats(words().map(f32::from_le_bytes).collect()),
            _ => Elements::Integers(words().map(|word| i64::from(i32::from_le_bytes(word))).collect()),
        };
        Ok(Weight { shape: self.shape.clone(), values })
    }
}

impl Node {
    /// A list of non-negative integers; empty when absent.
    pub(super) fn sizes(&self, key: &str) -> Result<Vec<usize>, ConvertError> {
        let list = self.attr.get(key).and_then(|value| value.pointer("/list/i")).and_then(Value::as_array);
        let size = |value: &Value| match value.as_str() {
            Some(text) => text.parse().ok(),
            None => value.as_u64().and_then(|number| usize::try_from(number).ok()),
        };
        let sizes = list.into_iter().flatten().map(size).collect::<Option<_>>();
        sizes.ok_or_else(|| ConvertError::new(format!("{}: {key} is not a list of sizes", self.name)))
    }

    /// A byte string, still in base64; empty when absent.
    pub(super) fn text(&self, key: &str) -> &str {
        self.attr.get(key).and_then(|value| value.get("s")).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list of byte strings, still in base64.
    pub(super) fn texts(&self, key: &str) -> Vec<&str> {
        let list = self.attr.get(key).and_then(|value| value.pointer("/list/s")).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// The node that a reference such as `^name` or `name:0` means.
pub(super) fn node_name(reference: &str) -> &str {
    let name = reference.trim_start_matches('^');
    name.split_once(':').map_or(name, |(name, _)| name)
}

/// Widens an IEEE 754 half-precision number, exactly.
fn f32_from_f16(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = u32::from(half) & 0x3ff;
    match (exponent, fraction) {
        // Zero and subnormal numbers: the fraction counts in units of 2^-24, which a float holds exactly.
        (0, fraction) => f32::from_bits(sign | ((fraction as f32) * 2.0_f32.powi(-24)).to_bits()),
        (0x1f, fraction) => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        // The exponent's bias is 15 in one format and 127 in the other.
        (exponent, fraction) => f32::from_bits(sign | ((exponent + 127 - 15) << 23) | (fraction << 13)),
    }
}

#[cfg(test)]
mod tests {
    use super::{f32_from_f16, node_name};

    #[test]
    fn halves_widen_exactly() {
        // Reference values of IEEE 754-2019, binary16.
        for (half, expected) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0400, 6.103_515_6e-5),
            (0x0001, 5.960_464_5e-8),
            (0x8000, -0.0),
            (0x3555, 0.333_251_95),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(f32_from_f16(half).to_bits(), f32::to_bits(expected), "{half:#06x}");
        }
        assert!(f32_from_f16(0x7e00).is_nan());
    }

    #[test]
    fn references_lose_their_marks() {
        assert_eq!(["^a/b", "a/b:0", "a/b"].map(node_name), ["a/b"; 3]);
    }
}
