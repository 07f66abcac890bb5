"""A trained network as an ONNX file with weights in half precision, and the proof that it says the same."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
# Weights of fewer elements stay in single precision: biases, and scalars that operators want as they are.
LEAST_HALVED = 256


def export(network: torch.nn.Module, side: int, path: Path, description: str) -> None:
    """Writes `input` [1, 3, side, side] to `logit` [1, 1]."""

    class OneLogit(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.network(x).reshape(1, 1)

    network.eval().to(memory_format=torch.contiguous_format)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.onnx.export(OneLogit(), (torch.zeros(1, 3, side, side),), str(path), input_names=["input"],
                      output_names=["logit"], opset_version=OPSET, dynamo=False, do_constant_folding=True)
    model = onnx.load(str(path))
    halve(model)
    model.producer_name, model.producer_version, model.doc_string = "bonafide training", "", description
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString(deterministic=True))


def halve(model: onnx.ModelProto) -> None:
    """Stores large weights as float16, with a cast before their use; ONNX Runtime undoes it once, when it loads them."""
    casts = []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < LEAST_HALVED:
            continue
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), name + "_half")
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [name + "_half"], [name], name=name + "_cast", to=TensorProto.FLOAT))
    for place, cast in enumerate(casts):
        model.graph.node.insert(place, cast)


def logits(path: Path, batch: np.ndarray) -> np.ndarray:
    """What ONNX Runtime says of pictures `[n, 3, side, side]`."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return np.array([session.run(None, {"input": picture[None]})[0].item() for picture in batch])


def slopes(side: int) -> np.ndarray:
    """A picture that needs no file, `[1, 3, side, side]`: red grows to the right, green downwards, blue with both."""
    ys, xs = np.mgrid[:side, :side]
    levels = np.stack([xs * 255 // (side - 1), ys * 255 // (side - 1), (xs * ys) % 256])
    return ((levels.astype(np.float32) - 127.0) / 128.0)[None]
