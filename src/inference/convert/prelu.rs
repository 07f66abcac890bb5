//! `PRelu` in ONNX files, written so that ONNX Runtime runs it faster.
//!
//! With one slope a channel, `PRelu(x)` is `slope * x + (1 - slope) * relu(x)`, and each product is a 1x1 depthwise convolution.
//! ONNX Runtime's own kernel for `PRelu` takes two thirds of the time of the networks used here and forces a change of memory
//! order before and after it; this form stays in the order of the convolutions. The results differ by rounding only.

use std::collections::{HashMap, HashSet};

use prost::Message as _;

use super::ConvertError;
use super::edit::{INITIALIZER, NODE, decoded, fields, put, with_graph};
use super::onnx::{Attribute, Node, Tensor};

/// Rewrites every `PRelu` whose slopes are a constant with one value a channel.
///
/// # Errors
/// When the bytes are not an ONNX file, or a `PRelu` has other slopes.
pub(super) fn split(model: &[u8]) -> Result<Vec<u8>, ConvertError> {
    with_graph(model, split_graph)
}

fn split_graph(graph: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let fields = fields(graph)?;
    let mut constants = HashMap::new();
    let mut slope_names = HashSet::new();
    let mut other_names = HashSet::new();
    for field in &fields {
        match (field.number, field.content) {
            (NODE, Some(content)) => {
                let node = decoded::<Node>(content)?;
                let n_data = if node.op_type == "PRelu" { 1 } else { node.input.len() };
                slope_names.extend(node.input.iter().skip(n_data).cloned());
                other_names.extend(node.input.into_iter().take(n_data));
            }
            (INITIALIZER, Some(content)) => {
                let constant = decoded::<Tensor>(content)?;
                constants.insert(constant.name.clone(), constant);
            }
            _ => {}
        }
    }
    let mut result = Vec::with_capacity(graph.len());
    let mut added = Vec::new();
    for field in &fields {
        match (field.number, field.content) {
            (NODE, Some(content)) => {
                let node = decoded::<Node>(content)?;
                if node.op_type != "PRelu" {
                    result.extend_from_slice(field.whole);
                    continue;
                }
                let (nodes, factors) = split_node(&node, &constants)?;
                for node in &nodes {
                    put(&mut result, NODE, &node.encode_to_vec());
                }
                added.extend(factors);
            }
            (INITIALIZER, Some(content)) => {
                // A constant that nothing reads any more would be a warning at every start.
                let name = decoded::<Tensor>(content)?.name;
                if !slope_names.contains(&name) || other_names.contains(&name) {
                    result.extend_from_slice(field.whole);
                }
            }
            _ => result.extend_from_slice(field.whole),
        }
    }
    for constant in &added {
        put(&mut result, INITIALIZER, &constant.encode_to_vec());
    }
    Ok(result)
}

fn split_node(node: &Node, constants: &HashMap<String, Tensor>) -> Result<([Node; 4], [Tensor; 2]), ConvertError> {
    let ([value, slope], [output]) = (node.input.as_slice(), node.output.as_slice()) else {
        return Err(ConvertError::new("a PRelu does not have two inputs and one output"));
    };
    let slopes = constants.get(slope).and_then(Tensor::one_a_channel);
    let slopes = slopes.ok_or_else(|| ConvertError::new(format!("{slope:?} is not one constant slope a channel")))?;
    let complements: Vec<f32> = slopes.iter().map(|slope| 1.0 - slope).collect();
    let n_channels = slopes.len();
    let name = |part: &str| format!("{output}/{part}");
    let scale = |input: String, factors: &str, output: String| {
        let groups = Attribute::int("group", i64::try_from(n_channels).unwrap_or(i64::MAX));
        Node::new("Conv", vec![input, name(factors)], output, vec![groups, Attribute::ints("kernel_shape", &[1, 1])])
    };
    let nodes = [
        Node::new("Relu", vec![value.clone()], name("relu"), Vec::new()),
        scale(value.clone(), "slope", name("linear")),
        scale(name("relu"), "complement", name("rectified")),
        Node::new("Add", vec![name("rectified"), name("linear")], output.clone(), Vec::new()),
    ];
    let factors = |part: &str, values: &[f32]| Tensor::floats(&name(part), &[n_channels, 1, 1, 1], values);
    Ok((nodes, [factors("slope", &slopes), factors("complement", &complements)]))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::super::edit::{GRAPH, fields};
    use super::super::onnx::{Graph, Node, Tensor};
    use super::split;

    fn model(slopes: &Tensor) -> Vec<u8> {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        let node = vec![
            Node::new("PRelu", names(["x", "slopes"]), "y".to_owned(), Vec::new()),
            Node::new("Add", names(["y", "other"]), "z".to_owned(), Vec::new()),
        ];
        let initializer = vec![slopes.clone(), Tensor::floats("other", &[1], &[1.0])];
        Graph { node, initializer, ..Graph::default() }.into_file()
    }

    fn graph(model: &[u8]) -> Graph {
        let fields = fields(model).expect("fields");
        let graph = fields.iter().find(|field| field.number == GRAPH).expect("graph");
        Graph::decode(graph.content.expect("content")).expect("decode")
    }

    #[test]
    fn one_operator_becomes_four_and_its_slopes_two_constants() {
        let graph = graph(&split(&model(&Tensor::floats("slopes", &[2, 1, 1], &[0.25, -0.5]))).expect("split"));
        let operators: Vec<_> = graph.node.iter().map(|node| node.op_type.as_str()).collect();
        assert_eq!(operators, ["Relu", "Conv", "Conv", "Add", "Add"]);
        let expected = [
            Tensor::floats("other", &[1], &[1.0]),
            Tensor::floats("y/slope", &[2, 1, 1, 1], &[0.25, -0.5]),
            Tensor::floats("y/complement", &[2, 1, 1, 1], &[0.75, 1.5]),
        ];
        assert_eq!(graph.initializer, expected);
    }

    #[test]
    fn file_without_the_operator_is_left_as_it_is() {
        let file = Graph { initializer: vec![Tensor::floats("c", &[1], &[1.0])], ..Graph::default() }.into_file();
        assert_eq!(split(&file), Ok(file));
    }

    #[test]
    fn other_slopes_and_damaged_files_are_refused() {
        assert!(split(&model(&Tensor::floats("slopes", &[2], &[0.25, -0.5]))).is_err());
        assert!(split(&model(&Tensor::floats("else", &[2, 1, 1], &[0.25, -0.5]))).is_err());
        let file = model(&Tensor::floats("slopes", &[2, 1, 1], &[0.25, -0.5]));
        assert!(split(file.get(..file.len() - 3).expect("longer")).is_err());
        assert!(split(&[0xff; 16]).is_err());
    }
}
