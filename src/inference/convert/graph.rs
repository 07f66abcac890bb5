//! Graph models to ONNX graphs, operator by operator.
//!
//! TensorFlow keeps channels last; ONNX Runtime's kernels want them second. Pictures are therefore carried channels-first from
//! the input to the last convolution, with one transposition at each end where it matters, instead of two around every operator.

use std::collections::{HashMap, HashSet};

use super::ConvertError;
use super::onnx::{Attribute, Graph, Node as OnnxNode, Tensor, ValueInfo};
use super::tfjs::{Elements, GraphModel, Node, Weight, node_name};
use crate::inference::manifest::{InputEntry, Layout, OutputEntry};

/// Where axis i of a channels-last tensor lies in a channels-first one.
const AXIS_IN_NCHW: [usize; 4] = [0, 2, 3, 1];

// Byte strings of the format are base64; these are all that the known models use.
const SAME: &str = "U0FNRQ==";
const VALID: &str = "VkFMSUQ=";
const BIAS_ADD: &str = "Qmlhc0FkZA==";
const RELU: &str = "UmVsdQ==";
const PRELU: &str = "UHJlbHU=";

/// A tensor that the ONNX graph computes.
#[derive(Clone)]
struct Computed {
    name: String,
    /// In TensorFlow's order of axes, whatever the order in memory.
    shape: Vec<usize>,
    /// Axes in memory are batch, channel, row, column; only with four axes.
    is_channels_first: bool,
}

struct Emitter<'a> {
    model: &'a GraphModel,
    input: &'a InputEntry,
    values: HashMap<&'a str, Computed>,
    graph: Graph,
}

/// Converts what the declared outputs need; the rest of the graph is left out.
pub(super) fn convert(
    model: &GraphModel,
    input: &InputEntry,
    outputs: &[OutputEntry],
) -> Result<Vec<u8>, ConvertError> {
    let endpoint = |key: &str| {
        let name = model.signature.get(key).map(String::as_str);
        name.ok_or_else(|| ConvertError::new(format!("the signature has no {key:?}")))
    };
    let needed = reachable(model, outputs.iter().map(|output| endpoint(&output.name)).collect::<Result<_, _>>()?);
    let mut emitter = Emitter { model, input, values: HashMap::new(), graph: Graph::default() };
    "converted".clone_into(&mut emitter.graph.name);
    for node in model.nodes.iter().filter(|node| needed.contains(node.name.as_str())) {
        let emitted = emitter
            .emit(node)
            .map_err(|error| ConvertError::new(format!("node {:?} ({}): {}", node.name, node.op, error.problem)))?;
        if let Some(value) = emitted {
            emitter.values.insert(&node.name, value);
        }
    }
    for output in outputs {
        let value = emitter.value(endpoint(&output.name)?)?;
        let value = emitter.channels_last(value);
        if value.shape != output.shape {
            return Err(ConvertError::new(format!(
                "output {:?} has shape {:?}, not {:?}",
                output.name, value.shape, output.shape
            )));
        }
        emitter.push_named("Identity", vec![value.name], Vec::new(), output.name.clone());
        emitter.graph.output.push(ValueInfo::floats(&output.name, &output.shape));
    }
    Ok(emitter.graph.into_file())
}

/// Names of all nodes that the given ones depend on.
fn reachable<'a>(model: &'a GraphModel, mut open: Vec<&'a str>) -> HashSet<&'a str> {
    let nodes: HashMap<&str, &Node> = model.nodes.iter().map(|node| (node.name.as_str(), node)).collect();
    let mut found = HashSet::new();
    while let Some(name) = open.pop() {
        if found.insert(name) {
            open.extend(nodes.get(name).into_iter().flat_map(|node| node.input.iter().map(|input| node_name(input))));
        }
    }
    found
}

impl<'a> Emitter<'a> {
    fn emit(&mut self, node: &'a Node) -> Result<Option<Computed>, ConvertError> {
        let value = match node.op.as_str() {
            "Const" => return Ok(None),
            "Placeholder" => self.placeholder(node)?,
            "Identity" => self.operand(node, 0)?,
            "_FusedConv2D" | "Conv2D" | "DepthwiseConv2dNative" => self.convolution(node)?,
            "MaxPool" => self.max_pool(node)?,
            "AddV2" => self.add(node)?,
            "Prelu" => {
                let value = self.operand(node, 0)?;
                self.prelu(value, self.constant(node, 1)?)?
            }
            "Relu" | "Sigmoid" => {
                let value = self.operand(node, 0)?;
                self.push_like(&node.op, vec![value.name.clone()], value)
            }
            "Pad" => self.pad(node)?,
            "Reshape" => self.reshape(node)?,
            _ => return Err(ConvertError::new("the converter does not know this operator")),
        };
        Ok(Some(value))
    }

    fn placeholder(&mut self, node: &Node) -> Result<Computed, ConvertError> {
        if self.model.signature.get(&self.input.name) != Some(&node.name) || !self.graph.input.is_empty() {
            return Err(ConvertError::new(format!("is not the one input {:?}", self.input.name)));
        }
        let [batch, first, second, third] = self.input.shape[..] else {
            return Err(ConvertError::new("the input does not have four axes"));
        };
        let is_channels_first = self.input.layout == Layout::Nchw;
        let shape = if is_channels_first { vec![batch, second, third, first] } else { self.input.shape.clone() };
        self.graph.input.push(ValueInfo::floats(&self.input.name, &self.input.shape));
        Ok(Computed { name: self.input.name.clone(), shape, is_channels_first })
    }

    fn convolution(&mut self, node: &Node) -> Result<Computed, ConvertError> {
        let value = self.picture(node, 0)?;
        let weight = self.constant(node, 1)?;
        let ([batch, rows, columns, channels], [kernel_rows, kernel_columns, n_in, n_out]) =
            (four(&value.shape)?, four(&weight.shape)?);
        if n_in != channels {
            return Err(ConvertError::new(format!("takes {n_in} channels, is given {channels}")));
        }
        let is_depthwise = node.op == "DepthwiseConv2dNative";
        let dilations = spatial(&node.sizes("dilations")?)?;
        let strides = spatial(&node.sizes("strides")?)?;
        let span = |kernel: usize, dilation: usize| (kernel.saturating_sub(1)) * dilation + 1;
        let window = [span(kernel_rows, dilations[0]), span(kernel_columns, dilations[1])];
        let frame = Frame::new(node, [rows, columns], window, strides)?;

        // TensorFlow: [row, column, in, out]; depthwise: [row, column, in, multiplier], output in * multiplier.
        let order = if is_depthwise { [2, 3, 0, 1] } else { [3, 2, 0, 1] };
        let values = permuted(floats(weight)?, four(&weight.shape)?, order);
        let (groups, filters) = if is_depthwise { (channels, n_in * n_out) } else { (1, n_out) };
        let kernel = self.constant_floats(&[filters, n_in * n_out / filters, kernel_rows, kernel_columns], &values);
        let mut inputs = vec![value.name, kernel];
        let mut extra = 2;
        let fused = node.texts("fused_ops");
        if fused.contains(&BIAS_ADD) {
            let bias = self.constant(node, extra)?;
            inputs.push(self.constant_floats(&[filters], floats(bias)?));
            extra += 1;
        }
        let attributes = vec![
            Attribute::ints("dilations", &dilations),
            Attribute::int("group", i64::try_from(groups).unwrap_or(i64::MAX)),
            Attribute::ints("kernel_shape", &[kernel_rows, kernel_columns]),
            Attribute::ints("pads", &frame.pads),
            Attribute::ints("strides", &strides),
        ];
        let name = self.push("Conv", inputs, attributes);
        let shape = vec![batch, frame.size[0], frame.size[1], filters];
        let mut result = Computed { name, shape, is_channels_first: true };
        for activation in fused.into_iter().filter(|fused| *fused != BIAS_ADD) {
            result = match activation {
                RELU => self.push_like("Relu", vec![result.name.clone()], result),
                PRELU => self.prelu(result, self.constant(node, extra)?)?,
                other => return Err(ConvertError::new(format!("fused operator {other:?} (base64) is not known"))),
            };
        }
        Ok(result)
    }

    fn max_pool(&mut self, node: &Node) -> Result<Computed, ConvertError> {
        let value = self.picture(node, 0)?;
        let [batch, rows, columns, channels] = four(&value.shape)?;
        let window = spatial(&node.sizes("ksize")?)?;
        let strides = spatial(&node.sizes("strides")?)?;
        let frame = Frame::new(node, [rows, columns], window, strides)?;
        let attributes = vec![
            Attribute::ints("kernel_shape", &window),
            Attribute::ints("pads", &frame.pads),
            Attribute::ints("strides", &strides),
        ];
        let name = self.push("MaxPool", vec![value.name], attributes);
        Ok(Computed { name, shape: vec![batch, frame.size[0], frame.size[1], channels], is_channels_first: true })
    }

    fn add(&mut self, node: &Node) -> Result<Computed, ConvertError> {
        let (left, right) = (self.operand(node, 0)?, self.operand(node, 1)?);
        if left.shape != right.shape {
            return Err(ConvertError::new("adds tensors of different shapes"));
        }
        let (left, right) = if left.is_channels_first == right.is_channels_first {
            (left, right)
        } else {
            (self.channels_first(left)?, self.channels_first(right)?)
        };
        Ok(self.push_like("Add", vec![left.name.clone(), right.name], left))
    }

    /// One slope a channel.
    fn prelu(&mut self, value: Computed, slope: &Weight) -> Result<Computed, ConvertError> {
        let value = self.channels_first(value)?;
        let slopes = floats(slope)?;
        if value.shape.last() != Some(&slopes.len()) {
            return Err(ConvertError::new(format!("has slopes of shape {:?}", slope.shape)));
        }
        let slope = self.constant_floats(&[slopes.len(), 1, 1], slopes);
        Ok(self.push_like("PRelu", vec![value.name.clone(), slope], value))
    }

    fn pad(&mut self, node: &Node) -> Result<Computed, ConvertError> {
        let value = self.picture(node, 0)?;
        let Elements::Integers(amounts) = &self.constant(node, 1)?.values else {
            return Err(ConvertError::new("pads by something other than integers"));
        };
        let mut shape = value.shape;
        let mut pads = [0; 8];
        if amounts.len() != pads.len() {
            return Err(ConvertError::new("does not pad four axes"));
        }
        for ((amounts, side), axis) in amounts.as_chunks::<2>().0.iter().zip(&mut shape).zip(AXIS_IN_NCHW) {
            let [before, after] = *amounts;
            pads[axis] = before;
            pads[axis + 4] = after;
            *side += usize::try_from(before + after).map_err(|_| ConvertError::new("pads by a negative amount"))?;
        }
        let name = self.fresh();
        self.graph.initializer.push(Tensor::integers(&name, &pads));
        let name = self.push("Pad", vec![value.name, name], Vec::new());
        Ok(Computed { name, shape, is_channels_first: true })
    }

    fn reshape(&mut self, node: &Node) -> Result<Computed, ConvertError> {
        let value = self.operand(node, 0)?;
        let Elements::Integers(wanted) = &self.constant(node, 1)?.values else {
            return Err(ConvertError::new("has a shape of something other than integers"));
        };
        let n_elements: usize = value.shape.iter().product();
        let known: usize = wanted.iter().filter_map(|side| usize::try_from(*side).ok()).product();
        let free = n_elements.checked_div(known).unwrap_or_default();
        let shape: Vec<usize> = wanted.iter().map(|side| usize::try_from(*side).unwrap_or(free)).collect();
        if shape.iter().product::<usize>() != n_elements || wanted.iter().filter(|side| **side < 0).count() > 1 {
            return Err(ConvertError::new(format!("shape {:?} does not fit {wanted:?}", value.shape)));
        }
        // Of one row and one column both orders are the same in memory.
        let is_single = matches!(value.shape[..], [_, 1, 1, _]);
        let value = if is_single { value } else { self.channels_last(value) };
        let name = self.fresh();
        let sides: Vec<i64> = shape.iter().map(|side| i64::try_from(*side).unwrap_or(i64::MAX)).collect();
        self.graph.initializer.push(Tensor::integers(&name, &sides));
        let name = self.push("Reshape", vec![value.name, name], Vec::new());
        Ok(Computed { name, shape, is_channels_first: false })
    }

    fn value(&self, name: &str) -> Result<Computed, ConvertError> {
        let value = self.values.get(name).cloned();
        value.ok_or_else(|| ConvertError::new(format!("takes {name:?}, which is not computed before it")))
    }

    fn operand(&self, node: &Node, idx: usize) -> Result<Computed, ConvertError> {
        self.value(reference(node, idx)?)
    }

    /// An operand with four axes, channels first.
    fn picture(&mut self, node: &Node, idx: usize) -> Result<Computed, ConvertError> {
        let value = self.operand(node, idx)?;
        self.channels_first(value)
    }

    fn constant(&self, node: &Node, idx: usize) -> Result<&'a Weight, ConvertError> {
        let name = reference(node, idx)?;
        let weight = self.model.weights.get(name);
        weight.ok_or_else(|| ConvertError::new(format!("takes {name:?}, which is not a constant")))
    }

    fn channels_first(&mut self, value: Computed) -> Result<Computed, ConvertError> {
        four(&value.shape)?;
        if value.is_channels_first {
            return Ok(value);
        }
        let name = self.push("Transpose", vec![value.name], vec![Attribute::ints("perm", &[0, 3, 1, 2])]);
        Ok(Computed { name, shape: value.shape, is_channels_first: true })
    }

    fn channels_last(&mut self, value: Computed) -> Computed {
        if !value.is_channels_first {
            return value;
        }
        let name = self.push("Transpose", vec![value.name], vec![Attribute::ints("perm", &[0, 2, 3, 1])]);
        Computed { name, shape: value.shape, is_channels_first: false }
    }

    fn constant_floats(&mut self, shape: &[usize], values: &[f32]) -> String {
        let name = self.fresh();
        self.graph.initializer.push(Tensor::floats(&name, shape, values));
        name
    }

    /// Adds a node whose result has the shape and order of another value.
    fn push_like(&mut self, op_type: &str, input: Vec<String>, like: Computed) -> Computed {
        Computed { name: self.push(op_type, input, Vec::new()), ..like }
    }

    fn push(&mut self, op_type: &str, input: Vec<String>, attribute: Vec<Attribute>) -> String {
        let name = self.fresh();
        self.push_named(op_type, input, attribute, name.clone());
        name
    }

    fn push_named(&mut self, op_type: &str, input: Vec<String>, attribute: Vec<Attribute>, output: String) {
        self.graph.node.push(OnnxNode::new(op_type, input, output, attribute));
    }

    /// A name that no other tensor has: every tensor is either made by a node or a constant.
    fn fresh(&self) -> String {
        format!("t{}", self.graph.node.len() + self.graph.initializer.len())
    }
}

/// Size and padding of what a sliding window makes of a picture.
struct Frame {
    /// Rows and columns.
    size: [usize; 2],
    /// Top, left, bottom, right.
    pads: [usize; 4],
}

impl Frame {
    /// `SAME` keeps `ceil(size / stride)` and puts the odd pixel of padding at the end; `VALID` pads nothing.
    fn new(node: &Node, size: [usize; 2], window: [usize; 2], strides: [usize; 2]) -> Result<Self, ConvertError> {
        let mut frame = Self { size: [0; 2], pads: [0; 4] };
        for axis in 0..2 {
            let (size, window, stride) = (size[axis], window[axis], strides[axis]);
            frame.size[axis] = match node.text("padding") {
                SAME => size.div_ceil(stride),
                VALID if size >= window => (size - window) / stride + 1,
                VALID => return Err(ConvertError::new("has a window larger than its picture")),
                other => return Err(ConvertError::new(format!("padding {other:?} (base64) is not known"))),
            };
            let covered = (frame.size[axis].saturating_sub(1)) * stride + window;
            let padding = if node.text("padding") == SAME { covered.saturating_sub(size) } else { 0 };
            frame.pads[axis] = padding / 2;
            frame.pads[axis + 2] = padding - padding / 2;
        }
        Ok(frame)
    }
}

fn reference(node: &Node, idx: usize) -> Result<&str, ConvertError> {
    let input = node.input.get(idx).map(|input| node_name(input));
    input.ok_or_else(|| ConvertError::new(format!("has no operand {idx}")))
}

fn floats(weight: &Weight) -> Result<&[f32], ConvertError> {
    match &weight.values {
        Elements::Floats(values) => Ok(values),
        Elements::Integers(_) => Err(ConvertError::new("has integer weights")),
    }
}

fn four(shape: &[usize]) -> Result<[usize; 4], ConvertError> {
    shape.try_into().map_err(|_| ConvertError::new(format!("shape {shape:?} does not have four axes")))
}

/// Rows and columns out of a list for all four axes.
fn spatial(sizes: &[usize]) -> Result<[usize; 2], ConvertError> {
    match *sizes {
        [1, rows, columns, 1] if rows > 0 && columns > 0 => Ok([rows, columns]),
        _ => Err(ConvertError::new(format!("{sizes:?} is not [1, rows, columns, 1]"))),
    }
}

/// The elements of a tensor of that shape in another order of axes.
fn permuted(values: &[f32], shape: [usize; 4], order: [usize; 4]) -> Vec<f32> {
    let mut strides = [1; 4];
    for axis in (0..3).rev() {
        strides[axis] = strides[axis + 1] * shape[axis + 1];
    }
    let sides = order.map(|axis| shape[axis]);
    let steps = order.map(|axis| strides[axis]);
    let mut result = Vec::with_capacity(values.len());
    for first in 0..sides[0] {
        for second in 0..sides[1] {
            for third in 0..sides[2] {
                let start = first * steps[0] + second * steps[1] + third * steps[2];
                result.extend(values.iter().skip(start).step_by(steps[3]).take(sides[3]));
            }
        }
    }
    result
}

#[cfg(test)]
mod tests;
