"""What a small network of our own makes of the same two views: the alternative to a layer on the fetched network.

Five strided convolutions that both views share, and one layer on what they find, trained from nothing with the same weights of
sources and the same held-back sources and people; printed as the table of `train.py`.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from presentation import data, features
from presentation.head import weights
from presentation.train import folds_of, table

EPOCHS, BATCH, RATE, SEED = 5, 48, 2e-3, 1
WIDTHS = (3, 24, 48, 64, 96, 128)


class Small(nn.Module):
    """Both views `[n, 2, 3, side, side]` to an attack logit `[n]`."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in zip(WIDTHS, WIDTHS[1:], strict=False):
            layers += [nn.Conv2d(n_in, n_out, 3, 2, 1), nn.GroupNorm(8, n_out), nn.ReLU()]
        self.convolutions = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.last = nn.Linear(2 * WIDTHS[-1], 1)

    def forward(self, views: torch.Tensor) -> torch.Tensor:
        found = self.convolutions(views.flatten(0, 1)).reshape(len(views), -1)
        return self.last(F.dropout(found, 0.3, self.training)).flatten()


def held_out(faces: list[data.Face], views: torch.Tensor, parts: np.ndarray) -> np.ndarray:
    """The attack logit of every face by a network that saw nothing of its part."""
    labels = torch.tensor([float(face.is_attack) for face in faces])
    logits = np.zeros(len(faces))
    for part in np.unique(parts):
        held = parts == part
        network = fit(views[~held], labels[~held], torch.tensor(weights(faces, ~held), dtype=torch.float32))
        with torch.inference_mode():
            logits[held] = torch.cat([network(batch) for batch in views[held].split(256)]).numpy()
    return logits


def fit(views: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor) -> Small:
    """A network trained on views, mirrored at random, every picture drawn as often as it weighs."""
    torch.manual_seed(SEED)
    network = Small()
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.02)
    steps = EPOCHS * len(views) // BATCH
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
        rows = torch.multinomial(weight, BATCH)
        batch = views[rows]
        mirrored = torch.rand(BATCH) < 0.5
        batch[mirrored] = batch[mirrored].flip(-1)
        # Light that differs says nothing.
        batch = batch * torch.empty(BATCH, 1, 1, 1, 1).uniform_(0.7, 1.3) + torch.empty(BATCH, 1, 1, 1, 1).uniform_(-0.2, 0.2)
        loss = F.binary_cross_entropy_with_logits(network(batch), labels[rows])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True, help="the fetched network, for comparison")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(2)
    faces = data.load(args.data, args.models)
    pairs = [data.views(face.picture, face.box) for face in faces]
    fetched = features.Network(args.start).of(pairs).fetched
    views = (torch.from_numpy(np.stack([data.tensor(pair) for pair in pairs])) - 127.0) / 128.0
    by_source = held_out(faces, views, np.array([face.source for face in faces]))
    print(table(faces, fetched, by_source, held_out(faces, views, folds_of(faces))))


if __name__ == "__main__":
    main()
