"""Puts trained weights into the program: models/deepfake.onnx, its entry in models/manifest.toml, and the proof of parity."""

import argparse
from pathlib import Path

import numpy as np
import torch

from deepfake.data import tensor
from deepfake.train import load_sets
from lib import augment
from lib.export import enter, export, logits, slopes
from lib.lite0 import Lite0

# Largest difference of a logit between PyTorch in single precision and the exported file, whose weights are halved.
MAX_DIFFERENCE = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True, help="folder that holds models/")
    parser.add_argument("--side", type=int, default=160)
    args = parser.parse_args()
    network = Lite0()
    network.load_state_dict(torch.load(args.weights, weights_only=True))
    network.eval()
    path = args.repository / "models" / "deepfake.onnx"
    export(network, args.side, path, "Deepfake detector of Bonafide; see models/deepfake.md")

    dfdc = load_sets(args.data, args.models, args.cache)[0]
    held = [index for index, item in enumerate(dfdc.items) if item.split == "val"][:200]
    batch = tensor([augment.resized(dfdc.pixels[index], args.side) for index in held])
    with torch.inference_mode():
        expected = network(batch).numpy()
        synthetic = network(torch.from_numpy(slopes(args.side))).item()
    difference = float(np.abs(expected - logits(path, batch.numpy()[:, None])).max())
    print(f"largest difference of a logit on {len(held)} held-back crops: {difference:.4f}")
    if difference > MAX_DIFFERENCE:
        raise SystemExit("the exported file does not say what the network says")
    enter(args.repository, "deepfake", path, args.side, round(synthetic, 5))


if __name__ == "__main__":
    main()
