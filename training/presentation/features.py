"""What the fetched network says of a face before its own last layers; the network itself stays as it is."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from lib.faces import session
from presentation import data
from presentation.data import Face

# The output of its pooled, flattened last block, and what it makes of it.
FEATURES, CLASSES = "578", "output"
N_FEATURES = 512


@dataclass(frozen=True)
class Features:
    """Of `n` faces: `values` `[n, 1024]`, the close view before the surroundings; `fetched` `[n]`, the network's own attack
    logit, mean of both views."""

    values: np.ndarray
    fetched: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Features":
        return Features(self.values[rows], self.fetched[rows])


class Network:
    """The fetched network with its features laid open."""

    def __init__(self, start: Path) -> None:
        model = onnx.load(str(start))
        model.graph.output.append(helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, ["N", N_FEATURES]))
        self.session = session(model.SerializeToString())

    def of(self, pairs: list[list[np.ndarray]]) -> Features:
        """Of both views of each face."""
        values, fetched = [], []
        for pair in pairs:
            answers = [self.session.run([FEATURES, CLASSES], {"input": data.tensor([view])}) for view in pair]
            values.append(np.concatenate([features[0] for features, _ in answers]))
            fetched.append(np.mean([np.logaddexp(classes[0, 1], classes[0, 2]) - classes[0, 0] for _, classes in answers]))
        return Features(np.stack(values).astype(np.float32), np.array(fetched, np.float32))


def plain_and_mirrored(network: Network, faces: list[Face]) -> list[Features]:
    """Of the faces as they are, and of their mirror images."""
    pairs = [data.views(face.picture, face.box) for face in faces]
    return [network.of(pairs), network.of([[view[:, ::-1] for view in pair] for pair in pairs])]
