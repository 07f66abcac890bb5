//! ONNX files for one input, made to take several at once.
//!
//! The first side of inputs and outputs is left open, and every `Reshape` to a constant shape that begins with one input takes
//! what its own input has. Everything else in the networks used here works on each row of a batch by itself.

use std::collections::{HashMap, HashSet};

use prost::Message as _;

use super::ConvertError;
use super::edit::{INITIALIZER, INPUT, NODE, OUTPUT, VALUE_INFO, decoded, fields, put, with_graph};
use super::onnx::{Attribute, Node, Tensor, ValueInfo};

/// In the shape of a `Reshape`: as large as needed.
const WHAT_IS_LEFT: i64 = -1;
/// In the shape of a `Reshape`: as large as that side of its input.
const AS_IN_THE_INPUT: i64 = 0;

/// Opens the first side of a model's tensors.
///
/// # Errors
/// When the bytes are not an ONNX file.
pub(super) fn open(model: &[u8]) -> Result<Vec<u8>, ConvertError> {
    with_graph(model, open_graph)
}

fn open_graph(graph: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let fields = fields(graph)?;
    let mut shapes = HashMap::new();
    let mut nodes = Vec::new();
    for field in &fields {
        match (field.number, field.content) {
            (NODE, Some(content)) => {
                let node = decoded::<Node>(content)?;
                let constant = node.attribute.iter().find_map(Attribute::tensor).and_then(Tensor::as_integers);
                if let ("Constant", [output], Some(values)) = (node.op_type.as_str(), node.output.as_slice(), constant)
                {
                    shapes.insert(output.clone(), values);
                }
                nodes.push(node);
            }
            (INITIALIZER, Some(content)) => {
                let constant = decoded::<Tensor>(content)?;
                shapes.extend(constant.as_integers().map(|values| (constant.name, values)));
            }
            _ => {}
        }
    }
    let opened = |node: &Node| {
        let [_, shape] = node.input.as_slice() else { return None };
        (node.op_type == "Reshape").then(|| opened_shape(shapes.get(shape)?)).flatten()
    };
    let kept_nodes = nodes.iter().filter(|node| opened(node).is_none());
    let kept: HashSet<&String> = kept_nodes.flat_map(|node| &node.input).collect();
    let replaced: HashSet<&String> =
        nodes.iter().filter(|node| opened(node).is_some()).filter_map(|node| node.input.get(1)).collect();
    // A constant that nothing reads any more would be a warning at every start.
    let is_left_over = |name: &String| replaced.contains(name) && !kept.contains(name);
    let mut result = Vec::with_capacity(graph.len());
    let mut in_order = nodes.iter();
    for field in &fields {
        match (field.number, field.content) {
            (NODE, Some(_)) => {
                let Some(node) = in_order.next() else { continue };
                if node.op_type == "Constant" && node.output.iter().any(is_left_over) {
                    continue;
                }
                let Some(shape) = opened(node) else {
                    result.extend_from_slice(field.whole);
                    continue;
                };
                let mut node = node.clone();
                let name = format!("{}/batch_shape", node.output.concat());
                put(&mut result, INITIALIZER, &Tensor::integers(&name, &shape).encode_to_vec());
                if let Some(input) = node.input.get_mut(1) {
                    *input = name;
                }
                put(&mut result, NODE, &node.encode_to_vec());
            }
            (INITIALIZER, Some(content)) if is_left_over(&decoded::<Tensor>(content)?.name) => {}
            (INPUT | OUTPUT, Some(content)) => {
                let mut tensor = decoded::<ValueInfo>(content)?;
                tensor.open_first_side();
                put(&mut result, field.number, &tensor.encode_to_vec());
            }
            // What is stated of the values in between is of one input.
            (VALUE_INFO, _) => {}
            _ => result.extend_from_slice(field.whole),
        }
    }
    Ok(result)
}

/// The shape for any number of inputs; `None` when it is that already.
fn opened_shape(shape: &[i64]) -> Option<Vec<i64>> {
    let (1, rest) = shape.split_first().map(|(first, rest)| (*first, rest))? else { return None };
    let first = if rest.contains(&WHAT_IS_LEFT) { AS_IN_THE_INPUT } else { WHAT_IS_LEFT };
    Some([&[first], rest].concat())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::super::edit::{GRAPH, fields};
    use super::super::onnx::{Graph, Node, Tensor, ValueInfo};
    use super::open;

    fn reshape(shape: &str, output: &str) -> Node {
        Node::new("Reshape", vec!["x".to_owned(), shape.to_owned()], output.to_owned(), Vec::new())
    }

    fn opened(graph: Graph) -> Graph {
        let model = open(&graph.into_file()).expect("an ONNX file");
        let fields = fields(&model).expect("fields");
        let graph = fields.iter().find(|field| field.number == GRAPH).expect("graph");
        Graph::decode(graph.content.expect("content")).expect("decode")
    }

    #[test]
    fn shapes_of_one_input_take_any_number() {
        let graph = opened(Graph {
            node: vec![reshape("row", "a"), reshape("flat", "b"), reshape("other", "c")],
            initializer: vec![
                Tensor::integers("row", &[1, 512]),
                Tensor::integers("flat", &[1, -1]),
                Tensor::integers("other", &[-1, 2]),
            ],
            input: vec![ValueInfo::floats("x", &[1, 3, 8, 8])],
            ..Graph::default()
        });
        let shapes: Vec<_> = graph.initializer.iter().map(|shape| shape.as_integers().expect("integers")).collect();
        assert_eq!(shapes, [vec![-1, 512], vec![0, -1], vec![-1, 2]]);
        let read: Vec<_> = graph.node.iter().map(|node| node.input[1].as_str()).collect();
        assert_eq!(read, ["a/batch_shape", "b/batch_shape", "other"]);
        let mut open = ValueInfo::floats("x", &[1, 3, 8, 8]);
        open.open_first_side();
        assert_eq!(graph.input, [open]);
    }

    #[test]
    fn a_constant_that_others_read_stays() {
        let other = Node::new("Add", vec!["y".to_owned(), "row".to_owned()], "z".to_owned(), Vec::new());
        let graph = opened(Graph {
            node: vec![reshape("row", "a"), other],
            initializer: vec![Tensor::integers("row", &[1, 512])],
            ..Graph::default()
        });
        let names: Vec<_> = graph.initializer.iter().map(|constant| constant.name.as_str()).collect();
        assert_eq!(names.len(), 2);
        assert!(names.contains(&"row") && names.contains(&"a/batch_shape"));
    }

    #[test]
    fn damaged_files_are_refused() {
        let file = Graph { node: vec![reshape("row", "a")], ..Graph::default() }.into_file();
        assert!(open(file.get(..file.len() - 3).expect("longer")).is_err());
        assert!(open(&[0xff; 16]).is_err());
    }
}
