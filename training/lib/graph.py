"""Networks written so that ONNX Runtime runs them faster on a CPU; they say the same, but for rounding."""

import numpy as np
import onnx
import onnx.shape_inference
import onnx.utils
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

# Channels that one vector register holds, the widest there is: depthwise convolutions of another number are slow, and want
# their picture in another order than the rest.
LANES = 16
# Fewer channels than this are not worth widening.
LEAST_WIDENED = 8


def rewrite(model: onnx.ModelProto) -> None:
    """Applies everything of this file, in place."""
    fold_pads(model)
    align_channels(model.graph)
    split_prelus(model.graph)


def align_channels(graph: onnx.GraphProto) -> None:
    """Adds channels of zeros between convolutions until there is a multiple of `LANES`."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    widened: set[str] = set()

    def widen(name: str, axis: int) -> None:
        values = numpy_helper.to_array(constants[name])
        missing = [(0, -values.shape[each] % LANES if each == axis else 0) for each in range(values.ndim)]
        constants[name].CopyFrom(numpy_helper.from_array(np.pad(values, missing), name))

    for node in graph.node:
        takes = bool(node.input) and node.input[0] in widened
        if node.op_type == "Conv" and n_groups(node) == 1:
            if takes:
                widen(node.input[1], 1)
            n_channels = constants[node.input[1]].dims[0]
            if n_channels % LANES and n_channels >= LEAST_WIDENED and ends_in_convolutions(graph, node.output[0]):
                for name in node.input[1:]:
                    widen(name, 0)
                widened.add(node.output[0])
        elif takes:
            for name in node.input[1:]:
                widen(name, 0)
            if group := attribute(node, "group"):
                group.i += -group.i % LANES
            widened.add(node.output[0])


def ends_in_convolutions(graph: onnx.GraphProto, value: str) -> bool:
    """Whether all that is made of a value, channel by channel, goes into convolutions over all channels."""
    users = [node for node in graph.node if value in node.input]
    return bool(users) and all(
        (node.op_type == "Conv" and n_groups(node) == 1)
        or (node.op_type in ("PRelu", "Relu", "Conv") and ends_in_convolutions(graph, node.output[0]))
        for node in users)


def n_groups(convolution: onnx.NodeProto) -> int:
    """In how many groups a convolution takes its channels."""
    group = attribute(convolution, "group")
    return group.i if group else 1


def attribute(node: onnx.NodeProto, name: str) -> onnx.AttributeProto | None:
    """An attribute of a node, if it is set."""
    return next((each for each in node.attribute if each.name == name), None)


def split_prelus(graph: onnx.GraphProto) -> None:
    """`PRelu(x)` as `slope * x + (1 - slope) * relu(x)`, each product a depthwise convolution of one pixel.

    ONNX Runtime's kernel for `PRelu` is slow, and wants its picture in another order than the convolutions before and after it.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        value, slope = node.input
        slopes = numpy_helper.to_array(constants[slope]).astype(np.float32)
        n_channels = slopes.size
        if slopes.shape[-2:] != (1, 1):
            raise ValueError(f"{slope} is not one slope a channel: {slopes.shape}")
        slopes = slopes.reshape(n_channels, 1, 1, 1)
        name = node.output[0]
        graph.initializer.extend(numpy_helper.from_array(values, f"{name}_{part}") for part, values in
                                 (("slope", slopes), ("rest", 1.0 - slopes)))
        nodes += [
            helper.make_node("Relu", [value], [f"{name}_positive"]),
            helper.make_node("Conv", [f"{name}_positive", f"{name}_rest"], [f"{name}_bent"], group=n_channels, kernel_shape=[1, 1]),
            helper.make_node("Conv", [value, f"{name}_slope"], [f"{name}_straight"], group=n_channels, kernel_shape=[1, 1]),
            helper.make_node("Add", [f"{name}_bent", f"{name}_straight"], [name]),
        ]
    replace(graph, nodes)


def fold_pads(model: onnx.ModelProto) -> None:
    """A border of zeros before convolutions becomes part of them, uneven as it may be."""
    graph, extractor = model.graph, onnx.utils.Extractor(onnx.shape_inference.infer_shapes(model))

    def value(name: str) -> np.ndarray:
        return ReferenceEvaluator(extractor.extract_model([], [name])).run(None, {})[0]

    nodes = []
    for node in graph.node:
        users = [user for user in graph.node if node.output and node.output[0] in user.input]
        if node.op_type != "Pad" or any(user.op_type != "Conv" for user in users):
            nodes.append(node)
            continue
        border = value(node.input[1]).tolist()
        mode = attribute(node, "mode")
        has_value = len(node.input) > 2 and node.input[2] and value(node.input[2]).any()
        if (mode and mode.s != b"constant") or has_value or any(border[axis] for axis in (0, 1, 4, 5)):
            raise ValueError(f"{node.name} is no border of zeros: {border}")
        for user in users:
            pads = attribute(user, "pads")
            if pads is None:
                pads = user.attribute.add()
                pads.CopyFrom(helper.make_attribute("pads", [0, 0, 0, 0]))
            pads.ints[:] = [old + new for old, new in zip(pads.ints, border[2:4] + border[6:8], strict=True)]
            user.input[0] = node.input[0]
    replace(graph, nodes)


def replace(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Sets the nodes, and drops nodes and constants whose results nobody reads any more."""
    read, kept = {output.name for output in graph.output}, []
    for node in reversed(nodes):
        if read.intersection(node.output):
            read.update(node.input)
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
    del graph.node[:]
    graph.node.extend(reversed(kept))
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in read]:
        graph.initializer.remove(tensor)
