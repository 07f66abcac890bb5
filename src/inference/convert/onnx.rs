//! The few messages of the ONNX format that converters read and write.
//!
//! # Source
//! `onnx/onnx.proto` of the ONNX project, IR version 8, opset 13; field numbers and meanings are theirs, the rest is left out.

use prost::Message;

/// IR version that goes with [`OPSET`].
const IR_VERSION: i64 = 8;

/// Operator set that the converter's operators are taken from.
const OPSET: i64 = 13;

/// `TensorProto.DataType.FLOAT`.
const FLOAT: i32 = 1;

/// `TensorProto.DataType.INT64`.
const INT64: i32 = 7;

/// `AttributeProto.AttributeType.INT`.
const ATTRIBUTE_INT: i32 = 2;

/// `AttributeProto.AttributeType.INTS`.
const ATTRIBUTE_INTS: i32 = 7;

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(int64, tag = "1")]
    ir_version: i64,
    #[prost(string, tag = "2")]
    producer_name: String,
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    opset_import: Vec<OperatorSet>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSet {
    #[prost(string, tag = "1")]
    domain: String,
    #[prost(int64, tag = "2")]
    version: i64,
}

/// `GraphProto`: nodes in topological order, constants, and what goes in and out.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<Node>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfo>,
}

/// `NodeProto`: one operator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<Attribute>,
}

/// `AttributeProto`: a named number or list of numbers of an operator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, optional, tag = "3")]
    i: Option<i64>,
    #[prost(message, optional, tag = "5")]
    t: Option<Tensor>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    r#type: i32,
}

/// `TensorProto`: a constant, its elements in little-endian order.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    data_type: i32,
    #[prost(float, repeated, tag = "4")]
    float_data: Vec<f32>,
    #[prost(int64, repeated, tag = "7")]
    int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    pub(super) name: String,
    #[prost(bytes = "vec", tag = "9")]
    raw_data: Vec<u8>,
}

/// `ValueInfoProto`: the name, element type and shape of an input or output.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfo {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    r#type: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elem_type: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<TensorShape>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorShape {
    #[prost(message, repeated, tag = "1")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {
    #[prost(int64, optional, tag = "1")]
    dim_value: Option<i64>,
}

impl Graph {
    /// The bytes of an ONNX file that holds this graph and nothing else.
    pub(super) fn into_file(self) -> Vec<u8> {
        let opset_import = vec![OperatorSet { domain: String::new(), version: OPSET }];
        let producer_name = "bonafide".to_owned();
        Model { ir_version: IR_VERSION, producer_name, graph: Some(self), opset_import }.encode_to_vec()
    }
}

impl Node {
    /// An operator with one result.
    pub(super) fn new(op_type: &str, input: Vec<String>, output: String, attribute: Vec<Attribute>) -> Self {
        Self { input, output: vec![output], op_type: op_type.to_owned(), attribute }
    }
}

impl Attribute {
    /// The tensor that it holds.
    pub(super) const fn tensor(&self) -> Option<&Tensor> {
        self.t.as_ref()
    }

    /// An integer.
    pub(super) fn int(name: &str, value: i64) -> Self {
        Self { name: name.to_owned(), i: Some(value), t: None, ints: Vec::new(), r#type: ATTRIBUTE_INT }
    }

    /// A list of integers.
    pub(super) fn ints(name: &str, values: &[usize]) -> Self {
        Self { name: name.to_owned(), i: None, t: None, ints: to_i64(values), r#type: ATTRIBUTE_INTS }
    }
}

impl Tensor {
    /// A constant of floats.
    pub(super) fn floats(name: &str, shape: &[usize], values: &[f32]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dims: to_i64(shape), data_type: FLOAT, name: name.to_owned(), raw_data, ..Self::default() }
    }

    /// The elements of a constant of floats that has one a channel, `[channels, 1, 1]`.
    pub(super) fn one_a_channel(&self) -> Option<Vec<f32>> {
        let &[n_channels, 1, 1] = self.dims.as_slice() else { return None };
        let values = if self.raw_data.is_empty() {
            self.float_data.clone()
        } else {
            self.raw_data.as_chunks::<4>().0.iter().copied().map(f32::from_le_bytes).collect()
        };
        (self.data_type == FLOAT && usize::try_from(n_channels) == Ok(values.len())).then_some(values)
    }

    /// A constant list of integers.
    pub(super) fn integers(name: &str, values: &[i64]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dims: to_i64(&[values.len()]), data_type: INT64, name: name.to_owned(), raw_data, ..Self::default() }
    }

    /// The values of a list of integers; `None` for any other tensor.
    pub(super) fn as_integers(&self) -> Option<Vec<i64>> {
        let &[n_values] = self.dims.as_slice() else { return None };
        let values = if self.raw_data.is_empty() {
            self.int64_data.clone()
        } else {
            self.raw_data.as_chunks::<8>().0.iter().copied().map(i64::from_le_bytes).collect()
        };
        (self.data_type == INT64 && usize::try_from(n_values) == Ok(values.len())).then_some(values)
    }
}

impl ValueInfo {
    /// Leaves the first side open.
    pub(super) fn open_first_side(&mut self) {
        let tensor = self.r#type.as_mut().and_then(|declared| declared.tensor_type.as_mut());
        let sides = tensor.and_then(|tensor| tensor.shape.as_mut());
        if let Some(side) = sides.and_then(|shape| shape.dim.first_mut()) {
            side.dim_value = None;
        }
    }

    /// A float tensor of a fixed shape.
    pub(super) fn floats(name: &str, shape: &[usize]) -> Self {
        let dim = to_i64(shape).into_iter().map(|side| Dimension { dim_value: Some(side) }).collect();
        let tensor_type = Some(TensorType { elem_type: FLOAT, shape: Some(TensorShape { dim }) });
        Self { name: name.to_owned(), r#type: Some(Type { tensor_type }) }
    }
}

/// Sizes as the format counts them; a manifest bounds every size far below `i64::MAX`.
fn to_i64(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|size| i64::try_from(*size).unwrap_or(i64::MAX)).collect()
}
