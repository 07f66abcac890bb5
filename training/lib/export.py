"""A trained network as an ONNX file with weights in half precision, and the proof that it says the same."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from lib.faces import session
from lib.graph import rewrite

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
    # The exporter leaves the network as it found the wrapper: training.
    network.eval()
    finish(onnx.load(str(path)), path, description)


def finish(model: onnx.ModelProto, path: Path, description: str) -> None:
    """Writes a network as it runs fastest, with its weights in half precision and a line that says what it is."""
    rewrite(model)
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


def logits(path: Path, inputs: Iterable[np.ndarray]) -> np.ndarray:
    """What ONNX Runtime says of each input, one number each."""
    network = session(path)
    return np.array([network.run(None, {"input": tensor})[0].item() for tensor in inputs])


def slopes(side: int, offset: float = 127.0, scale: float = 128.0) -> np.ndarray:
    """A picture that needs no file, `[1, 3, side, side]`: red grows to the right, green downwards, blue with both."""
    ys, xs = np.mgrid[:side, :side]
    levels = np.stack([xs * 255 // (side - 1), ys * 255 // (side - 1), (xs * ys) % 256])
    return ((levels.astype(np.float32) - offset) / scale)[None]


def enter(repository: Path, model: str, path: Path, side: int, synthetic: float) -> None:
    """Writes what the network says of `slopes` where the program's test looks for it, and the digest into the manifest."""
    parity = repository / "tests" / "data" / f"{model}_parity.json"
    parity.write_text(json.dumps({"picture": "slopes", "side": side, "logit": synthetic}) + "\n")
    content = path.read_bytes()
    manifest = repository / "models" / "manifest.toml"
    text = manifest.read_text()
    start = text.index(f'id = "{model}"')
    entry = re.sub(r'sha256 = "[0-9a-f]+"', f'sha256 = "{hashlib.sha256(content).hexdigest()}"', text[start:], count=1)
    entry = re.sub(r"bytes = [0-9_]+", f"bytes = {len(content):_}", entry, count=1)
    manifest.write_text(text[:start] + entry)
    print(f"{path}: {len(content)} bytes")
