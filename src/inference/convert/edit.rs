//! ONNX files edited field by field: what is not changed is copied as it is.

use super::ConvertError;

/// `ModelProto.graph`.
pub(super) const GRAPH: u64 = 7;

/// `GraphProto.node`.
pub(super) const NODE: u64 = 1;

/// `GraphProto.initializer`.
pub(super) const INITIALIZER: u64 = 5;

/// `GraphProto.input`.
pub(super) const INPUT: u64 = 11;

/// `GraphProto.output`.
pub(super) const OUTPUT: u64 = 12;

/// `GraphProto.value_info`.
pub(super) const VALUE_INFO: u64 = 13;

/// Wire type of a length and that many bytes.
const LENGTH_DELIMITED: u64 = 2;

/// One field of a message.
pub(super) struct Field<'a> {
    pub(super) number: u64,
    /// Tag, length and content.
    pub(super) whole: &'a [u8],
    /// The content, if it is length-delimited.
    pub(super) content: Option<&'a [u8]>,
}

/// Replaces the graph of a model.
///
/// # Errors
/// When the bytes are not an ONNX file, and those of `change`.
pub(super) fn with_graph(
    model: &[u8],
    change: impl Fn(&[u8]) -> Result<Vec<u8>, ConvertError>,
) -> Result<Vec<u8>, ConvertError> {
    let mut result = Vec::with_capacity(model.len());
    for field in fields(model)? {
        match field.content {
            Some(graph) if field.number == GRAPH => put(&mut result, GRAPH, &change(graph)?),
            _ => result.extend_from_slice(field.whole),
        }
    }
    Ok(result)
}

/// Reads a message.
///
/// # Errors
/// When it is damaged.
pub(super) fn decoded<M: prost::Message + Default>(content: &[u8]) -> Result<M, ConvertError> {
    M::decode(content).map_err(|error| ConvertError::new(error.to_string()))
}

/// Cuts a message into its fields.
pub(super) fn fields(mut bytes: &[u8]) -> Result<Vec<Field<'_>>, ConvertError> {
    let damaged = || ConvertError::new("is not an ONNX file");
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let start = bytes;
        let tag = varint(&mut bytes).ok_or_else(damaged)?;
        let (number, wire_type) = (tag >> 3, tag & 7);
        let n_bytes = match wire_type {
            0 => varint(&mut bytes).map(|_| 0),
            1 => Some(8),
            LENGTH_DELIMITED => varint(&mut bytes),
            5 => Some(4),
            _ => None,
        };
        let n_bytes = n_bytes.and_then(|n_bytes| usize::try_from(n_bytes).ok()).ok_or_else(damaged)?;
        let (content, rest) = bytes.split_at_checked(n_bytes).ok_or_else(damaged)?;
        bytes = rest;
        let (whole, _) = start.split_at_checked(start.len() - rest.len()).ok_or_else(damaged)?;
        fields.push(Field { number, whole, content: (wire_type == LENGTH_DELIMITED).then_some(content) });
    }
    Ok(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    prost::encoding::decode_varint(bytes).ok()
}

/// Writes a length-delimited field.
pub(super) fn put(result: &mut Vec<u8>, number: u64, content: &[u8]) {
    prost::encoding::encode_varint(number << 3 | LENGTH_DELIMITED, result);
    prost::encoding::encode_varint(content.len() as u64, result);
    result.extend_from_slice(content);
}
