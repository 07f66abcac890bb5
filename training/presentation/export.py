"""Puts the trained head into the program: models/presentation.onnx, its entry in models/manifest.toml, and the proof of parity."""

import argparse
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lib.export import enter, finish, logits, slopes
from presentation import data
from presentation.features import CLASSES, FEATURES, N_FEATURES, Network
from presentation.head import KEPT, Head

# Largest difference of a logit between the head on features in single precision and the exported file.
MAX_DIFFERENCE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="the fetched network, whose graph is kept")
    parser.add_argument("--weights", type=Path, required=True, help="head.npz")
    parser.add_argument("--repository", type=Path, required=True, help="folder that holds models/")
    args = parser.parse_args()
    saved = np.load(args.weights)
    head = Head(saved["weights"], float(saved["bias"]))
    path = args.repository / "models" / "presentation.onnx"
    finish(joined(onnx.load(str(args.start)), head), path, "Presentation-attack detector of Bonafide; see models/presentation.md")

    faces = data.load(args.data, args.models)[::20]
    pairs = [data.views(face.picture, face.box) for face in faces]
    # A face as large as the picture: what the program's test shows it.
    synthetic = slopes(data.SIDE, 0.0, 1.0)[0].transpose(1, 2, 0).astype(np.uint8)
    pairs.append(data.views(synthetic, np.array([0, 0, data.SIDE, data.SIDE], np.float32)))
    expected = head.logits(Network(args.start).of(pairs))
    difference = float(np.abs(expected - logits(path, [data.tensor(pair) for pair in pairs])).max())
    print(f"largest difference of a logit on {len(pairs)} pictures: {difference:.4f}")
    if difference > MAX_DIFFERENCE:
        raise SystemExit("the exported file does not say what the head says")
    enter(args.repository, "presentation", path, data.SIDE, round(float(expected[-1]), 5))


def joined(model: onnx.ModelProto, head: Head) -> onnx.ModelProto:
    """The fetched network on both views at once, `[2, 3, side, side]`, with the head behind it: `logit` `[1, 1]`."""
    graph = model.graph
    graph.input[0].type.tensor_type.shape.dim[0].Clear()
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("logit", TensorProto.FLOAT, [1, 1]))
    # Operators as the fetched network's opset, 9, has them.
    constants = {
        "head_weights": head.weights.reshape(-1, 1).astype(np.float32),
        "head_bias": np.array([[head.bias]], np.float32),
        "head_kept": np.array([[KEPT / 2]], np.float32),
        "head_row": np.array([1, 2 * N_FEATURES], np.int64),
        "head_views": np.array([1, 2], np.int64),
        "head_ones": np.ones((2, 1), np.float32),
    }
    graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in constants.items())
    graph.node.extend([
        helper.make_node("Reshape", [FEATURES, "head_row"], ["head_features"]),
        helper.make_node("MatMul", ["head_features", "head_weights"], ["head_learned"]),
        helper.make_node("Slice", [CLASSES], ["head_bona_fide"], axes=[1], starts=[0], ends=[1]),
        helper.make_node("Slice", [CLASSES], ["head_attacks"], axes=[1], starts=[1], ends=[3]),
        helper.make_node("ReduceLogSumExp", ["head_attacks"], ["head_attack"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["head_attack", "head_bona_fide"], ["head_fetched"]),
        helper.make_node("Reshape", ["head_fetched", "head_views"], ["head_both"]),
        helper.make_node("MatMul", ["head_both", "head_ones"], ["head_sum"]),
        helper.make_node("Mul", ["head_sum", "head_kept"], ["head_offset"]),
        helper.make_node("Add", ["head_learned", "head_offset"], ["head_total"]),
        helper.make_node("Add", ["head_total", "head_bias"], ["logit"]),
    ])
    return model


if __name__ == "__main__":
    main()
