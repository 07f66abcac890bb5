"""Proves that nothing but the manipulation tells the two pictures of a pair apart.

A small network is trained to tell them apart by what must not help it:

- `surroundings`: a blend and its genuine twin, with everything hidden that the blend may have changed;
- `degradation`: one genuine picture twice, made small, coded, blurred and noisy as a pair is, nothing hidden.

If it can, the pipeline leaves a trace that real forgeries do not have, and every figure of a detector trained on it is worth
less. Each must stay at an area under the curve of .50, within its interval over source videos and people; otherwise this ends
with status 1. The two are apart because a codec predicts blocks from their neighbours: after it, a change inside the mask is
seen outside as well, in a real forgery just as in a blend, and no margin around the mask is wide enough to hide that.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from deepfake.data import Batches, Pairs, Recipe, tensor
from deepfake.train import load_sets
from lib import augment, metrics

SIDE = 128
# How far interpolation carries a change, in pixels.
REACH = 3
HIDDEN_LEVEL = 127
# Makes the two pictures of a pair from one genuine face.
Pair = Callable[[np.random.Generator, Batches, int, int], list[np.ndarray]]


def network() -> nn.Module:
    """Four strided convolutions."""
    widths = (3, 24, 48, 96, 96)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(widths, widths[1:], strict=False):
        layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), nn.GroupNorm(8, n_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 1), nn.Flatten(0))


def surroundings(rng: np.random.Generator, batches: Batches, which: int, index: int) -> list[np.ndarray]:
    """A genuine and a blended picture with everything hidden that the blend may have changed."""
    blended = batches.blended(rng, which, index)
    pictures = [augment.resized(picture, SIDE) for picture in (blended.genuine, blended.fake)]
    mask = cv2.resize((blended.mask > 0).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) > 0
    mask = cv2.dilate(mask.astype(np.uint8), np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)) > 0
    return [np.where(mask[:, :, None], HIDDEN_LEVEL, picture).astype(np.uint8) for picture in pictures]


def degradation(rng: np.random.Generator, batches: Batches, which: int, index: int) -> list[np.ndarray]:
    """One genuine picture twice, through what a pair goes through."""
    picture = batches.pairs.pixels[which][index]
    return augment.Degradation().apply(rng, [picture, picture], SIDE)


def audit(sets: list, pair: Pair, steps: int, n_test: int) -> dict:
    """The area under the curve of the small network on held-back faces, with its interval."""
    train, held = Pairs(sets, "train"), Pairs(sets, "val")
    makers = [Batches(pairs, Recipe(side=SIDE), 11, 0) for pairs in (train, held)]
    torch.manual_seed(3)
    model = network()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    rng = np.random.default_rng(5)
    for step in range(steps):
        pictures = [picture for _ in range(24) for picture in pair(rng, makers[0], *train.genuine[rng.integers(len(train.genuine))])]
        labels = torch.tensor([0.0, 1.0] * 24)
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * 0.5 * (1 + np.cos(np.pi * step / steps))
        loss = F.binary_cross_entropy_with_logits(model(tensor(pictures)), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    model.eval()
    scores, groups = [], []
    for place in rng.choice(len(held.genuine), min(n_test, len(held.genuine)), replace=False):
        which, index = held.genuine[place]
        with torch.inference_mode():
            scores += model(tensor(pair(rng, makers[1], which, index))).tolist()
        groups += [f"{which} {sets[which].items[index].group}"] * 2
    labels = np.tile([0.0, 1.0], len(scores) // 2)
    low, high = metrics.auc_interval(np.array(scores), labels, np.array(groups))
    return {"audit": pair.__name__, "auc": round(metrics.auc(np.array(scores), labels), 4), "low": round(low, 4), "high": round(high, 4),
            "n": len(scores)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="JSON file for the figures")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--test", type=int, default=1200, help="held-back faces")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(2)
    sets = load_sets(args.data, args.models, args.cache)
    found = [audit(sets, pair, args.steps, args.test) for pair in (surroundings, degradation)]
    for figures in found:
        print(figures, flush=True)
    args.out.write_text(json.dumps(found) + "\n")
    if any(not figures["low"] <= 0.5 <= figures["high"] for figures in found):
        sys.exit("something else than the manipulation tells a pair apart: mend the pipeline before training on it")


if __name__ == "__main__":
    main()
