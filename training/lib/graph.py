"""An ONNX network as a PyTorch module, so that it can be trained further; as many operators as the networks here use."""

from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn


class Graph(nn.Module):
    """Runs the nodes of an ONNX file in order; its float weights are parameters, by the names of the file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        graph = onnx.load(str(path)).graph
        self.weights = nn.ParameterDict()
        self.constants: dict[str, np.ndarray] = {}
        for tensor in graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.dtype == np.float32 and "running" not in tensor.name:
                self.weights[key(tensor.name)] = nn.Parameter(torch.tensor(values))
            elif values.dtype == np.float32:
                self.register_buffer(key(tensor.name), torch.tensor(values))
            else:
                self.constants[tensor.name] = values
        self.nodes = [(node.op_type, list(node.input), node.output[0],
                       {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}) for node in graph.node]
        self.entry, self.exit = graph.input[0].name, graph.output[0].name

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {self.entry: x}

        def value(name: str) -> torch.Tensor:
            if name in values:
                return values[name]
            own = key(name)
            return self.weights[own] if own in self.weights else getattr(self, own)

        for kind, inputs, output, attributes in self.nodes:
            if kind in ("Shape", "Constant", "Gather", "Unsqueeze", "Concat"):
                # They only work out the batch size for the Reshape below.
                continue
            values[output] = _run(kind, [value(name) for name in (inputs[:1] if kind == "Reshape" else inputs)], attributes)
        return values[self.exit]


def key(name: str) -> str:
    """A name of the file as PyTorch allows it."""
    return "t_" + name.replace(".", "_")


def _run(kind: str, x: list[torch.Tensor], attributes: dict) -> torch.Tensor:
    match kind:
        case "Conv":
            top, left, bottom, right = attributes["pads"]
            if (top, left) != (bottom, right):
                raise ValueError("uneven padding")
            return F.conv2d(x[0], x[1], x[2] if len(x) > 2 else None, attributes["strides"], (top, left),
                            attributes["dilations"], attributes["group"])
        case "PRelu":
            return F.prelu(x[0], x[1].reshape(-1))
        case "Add":
            return x[0] + x[1]
        case "Mul":
            return x[0] * x[1]
        case "Relu":
            return F.relu(x[0])
        case "Sigmoid":
            return torch.sigmoid(x[0])
        case "GlobalAveragePool":
            return x[0].mean((2, 3), keepdim=True)
        case "Reshape":
            return x[0].flatten(1)
        case "MatMul":
            return x[0] @ x[1]
        case "BatchNormalization":
            # Running figures stay as they were: a batch here is no sample of what they were taken over.
            return F.batch_norm(x[0], x[3], x[4], x[1], x[2], False, 0.0, attributes["epsilon"])
        case _:
            raise ValueError(f"operator {kind} is not known")
