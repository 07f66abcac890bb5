"""Proves that blends differ from their genuine twins inside the mask only.

A small network is trained to tell fake from genuine by the pixels outside the mask alone. If it can, the pipeline leaves a
trace that real forgeries do not have, and every figure of a detector trained on it is worth less. It must stay at an area
under the curve of .50, within its interval over source videos and people; otherwise this ends with status 1.
"""

import argparse
import json
import sys
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
# How far a change reaches: interpolation without a codec, blocks, their filter and prediction with one.
REACH_PLAIN, REACH_CODED = 3, 26
HIDDEN_LEVEL = 127


def network() -> nn.Module:
    """Four strided convolutions."""
    widths = (3, 24, 48, 96, 96)
    layers: list[nn.Module] = []
    for n_in, n_out in zip(widths, widths[1:], strict=False):
        layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), nn.GroupNorm(8, n_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], 1), nn.Flatten(0))


def hidden(rng: np.random.Generator, batches: Batches, pairs: Pairs, place: int, coded: bool) -> list[np.ndarray]:
    """A genuine and a fake picture with everything hidden that the blend may have changed."""
    which, index = pairs.genuine[place]
    blended = batches.blended(rng, which, index)
    degradation = augment.Degradation() if coded else augment.Degradation(small=0.0, h264=0.0, jpeg=0.0, blur=0.0, noise=0.0)
    pictures = degradation.apply(rng, [blended.genuine, blended.fake], SIDE)
    mask = cv2.resize((blended.mask > 0).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR) > 0
    reach = REACH_CODED if coded else REACH_PLAIN
    mask = cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    return [np.where(mask[:, :, None], HIDDEN_LEVEL, picture).astype(np.uint8) for picture in pictures]


def audit(sets: list, coded: bool, steps: int, n_test: int) -> dict:
    """The area under the curve of the small network on held-back faces, with its interval."""
    train, held = Pairs(sets, "train"), Pairs(sets, "val")
    makers = [Batches(pairs, Recipe(side=SIDE), 11, 0) for pairs in (train, held)]
    torch.manual_seed(3)
    model = network()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    rng = np.random.default_rng(5)
    for step in range(steps):
        pictures = [picture for _ in range(24) for picture in hidden(rng, makers[0], train, int(rng.integers(len(train.genuine))), coded)]
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
            scores += model(tensor(hidden(rng, makers[1], held, int(place), coded))).tolist()
        groups += [f"{which} {sets[which].items[index].group}"] * 2
    labels = np.tile([0.0, 1.0], len(scores) // 2)
    low, high = metrics.auc_interval(np.array(scores), labels, np.array(groups))
    return {"coded": coded, "auc": round(metrics.auc(np.array(scores), labels), 4), "low": round(low, 4), "high": round(high, 4),
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
    found = [audit(sets, coded, args.steps, args.test) for coded in (False, True)]
    for figures in found:
        print(figures, flush=True)
    args.out.write_text(json.dumps(found) + "\n")
    if any(not figures["low"] <= 0.5 <= figures["high"] for figures in found):
        sys.exit("the surroundings of a blend tell it from its genuine twin: mend the pipeline before training on it")


if __name__ == "__main__":
    main()
