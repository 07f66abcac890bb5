"""Trains the deepfake detector; goes on where it was cut off.

Writes into the run's folder: `checkpoint.pt` (everything that is needed to go on), `log.csv` (one line an epoch), `best.pt`
(averaged weights of the best epoch on the held-back source videos).
"""

import argparse
import csv
import json
import time
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader

from deepfake.data import Batches, Pairs, Recipe, tensor
from lib import augment, cache, codec, metrics
from lib.lite0 import Lite0, pretrained

MODES = {"both": (11, 5), "supervised": (16, 0), "blended": (0, 16)}
WARM_UP = 0.05
AVERAGING = 0.998
CHECKPOINT_SECS = 60
LABEL_SMOOTHING = 0.05


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with deepfake/, faces/ and pad/")
    parser.add_argument("--models", type=Path, required=True, help="folder that `bonafide models fetch` filled")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the crops")
    parser.add_argument("--out", type=Path, required=True, help="folder of this run")
    parser.add_argument("--mode", choices=MODES, default="both")
    parser.add_argument("--no-codec", action="store_true", help="train without H.264")
    parser.add_argument("--side", type=int, default=160, help="side of the network's input in pixels")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--share", type=float, default=1.0, help="share of each epoch's batches, for ablations")
    parser.add_argument("--rate", type=float, default=2e-4, help="highest learning rate")
    parser.add_argument("--start", type=Path, help="weights to start from instead of ImageNet's")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args()


def main() -> None:
    args = arguments()
    # OpenCV's threads do not survive the fork of a loader.
    cv2.setNumThreads(1)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    sets = load_sets(args.data, args.models, args.cache)
    dfdc_pairs, blended_pairs = MODES[args.mode]
    recipe = Recipe(side=args.side, dfdc_pairs=dfdc_pairs, blended_pairs=blended_pairs, codec=not args.no_codec)
    (args.out / "recipe.json").write_text(json.dumps(asdict(recipe) | {"seed": args.seed, "epochs": args.epochs, "rate": args.rate}) + "\n")
    pairs = Pairs(sets, "train")
    probe = Probe(sets, args.side)

    network = pretrained()
    if args.start:
        network.load_state_dict(torch.load(args.start, weights_only=True))
    network = network.to(memory_format=torch.channels_last)
    average = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = torch.optim.AdamW(network.parameters(), lr=args.rate, weight_decay=0.02)
    epoch, first, step, best = 0, 0, 0, 0.0
    checkpoint = args.out / "checkpoint.pt"
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(saved["network"])
        optimiser.load_state_dict(saved["optimiser"])
        average = saved["average"]
        epoch, first, step, best = saved["epoch"], saved["first"], saved["step"], saved["best"]
        print(f"going on at epoch {epoch}, batch {first}", flush=True)

    def save() -> None:
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "average": average,
                 "epoch": epoch, "first": first, "step": step, "best": best}
        torch.save(state, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").rename(checkpoint)

    per_epoch = int(len(Batches(pairs, recipe, args.seed, 0)) * args.share)
    total = per_epoch * args.epochs
    saved_at = time.monotonic()
    while epoch < args.epochs:
        batches = Batches(pairs, recipe, args.seed, epoch, first)
        batches.n_batches = per_epoch
        began, losses = time.monotonic(), []
        network.train()
        loader = DataLoader(batches, batch_size=None, num_workers=args.workers, prefetch_factor=4, persistent_workers=False)
        for pictures, labels in loader:
            for group in optimiser.param_groups:
                group["lr"] = args.rate * schedule(step / total)
            targets = labels * (1 - LABEL_SMOOTHING) + LABEL_SMOOTHING / 2
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = network(pictures)
            loss = F.binary_cross_entropy_with_logits(logits.float(), targets)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            step += 1
            first += 1
            share = min(AVERAGING, (1 + step) / (10 + step))
            with torch.no_grad():
                for name, value in network.state_dict().items():
                    average[name].lerp_(value, 1 - share)
            losses.append(loss.item())
            if len(losses) % 50 == 0:
                rate = len(losses) * len(labels) / (time.monotonic() - began)
                print(f"epoch {epoch} batch {first}/{per_epoch} loss {np.mean(losses[-50:]):.4f} {rate:.0f} pictures/s", flush=True)
            if time.monotonic() - saved_at > CHECKPOINT_SECS:
                save()
                saved_at = time.monotonic()
        held = Lite0()
        held.load_state_dict(average)
        row = {"epoch": epoch, "loss": round(float(np.mean(losses)), 4), "secs": round(time.monotonic() - began)} | probe.measure(held)
        print(row, flush=True)
        with (args.out / "log.csv").open("a", newline="") as file:
            writer = csv.DictWriter(file, row.keys())
            if file.tell() == 0:
                writer.writeheader()
            writer.writerow(row)
        reached = row["auc"] + row["auc_blended"] if args.mode != "supervised" else row["auc"]
        if reached >= best:
            best = reached
            torch.save(average, args.out / "best.pt")
        epoch, first = epoch + 1, 0
        save()
        saved_at = time.monotonic()
    torch.save(average, args.out / "last.pt")


def load_sets(data: Path, models: Path, folder: Path) -> list[cache.Faces]:
    """DFDC, LFW and genuine webcam frames as crops."""
    return [cache.load(folder, models, items(data), name)
            for name, items in (("dfdc", cache.dfdc), ("lfw", cache.lfw), ("webcams", cache.webcams))]


def schedule(progress: float) -> float:
    """Linear warm-up, then a half cosine to nearly nothing."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * (progress - WARM_UP) / (1 - WARM_UP))))


class Probe:
    """Held-back pictures: DFDC as they are and through a call's codec, and blends of held-back genuine faces."""

    def __init__(self, sets: list[cache.Faces], side: int) -> None:
        self.side = side
        dfdc = sets[0]
        held = [index for index, item in enumerate(dfdc.items) if item.split == "val"]
        self.labels = np.array([float(dfdc.items[index].label == "deepfake") for index in held])
        self.pictures = [augment.resized(dfdc.pixels[index], side) for index in held]
        self.coded = []
        for start in range(0, len(held), 64):
            small = [augment.resized(dfdc.pixels[index], 128) for index in held[start:start + 64]]
            self.coded += [augment.resized(picture, side) for picture in codec.h264(small, 34)]
        pairs = Pairs(sets, "val")
        rng = np.random.default_rng(7)
        batches = Batches(pairs, Recipe(side=side), 7, 0)
        self.blends = []
        for place in rng.choice(len(pairs.genuine), 500, replace=False):
            blended = batches.blended(rng, *pairs.genuine[place])
            self.blends += [augment.resized(blended.genuine, side), augment.resized(blended.fake, side)]

    def measure(self, network: Lite0) -> dict[str, float]:
        """Areas under the curve."""
        plain, coded = scores(network, self.pictures), scores(network, self.coded)
        blended = scores(network, self.blends)
        return {"auc": round(metrics.auc(plain, self.labels), 4), "eer": round(metrics.eer(plain, self.labels), 4),
                "auc_coded": round(metrics.auc(coded, self.labels), 4),
                "auc_blended": round(metrics.auc(blended, np.tile([0.0, 1.0], len(blended) // 2)), 4)}


def scores(network: torch.nn.Module, pictures: list[np.ndarray], batch: int = 64) -> np.ndarray:
    """The logit of every picture, higher = more likely a deepfake."""
    network.eval().to(memory_format=torch.channels_last)
    with torch.inference_mode():
        return np.concatenate([network(tensor(pictures[start:start + batch])).float().numpy() for start in range(0, len(pictures), batch)])


if __name__ == "__main__":
    main()
