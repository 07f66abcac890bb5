"""Asks whether the detector tells attacks by how a set was captured: its sharpness, its light, its bars.

Two tables, for the logits of heads that did not see the person. The first: how well each cue alone tells the classes of a
source, and how much of the detector's AUC is left among pairs of a genuine picture and an attack that are alike in that cue.
The second: the AUC when both classes are changed alike, so that the cue carries less, or nothing.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from lib import codec, metrics
from presentation import data, features, head
from presentation.train import folds_of

# Sources with enough pictures of both classes that are alike in most cues.
AUDITED = ("VinayBR03", "koropati")
# Pairs count as alike when they differ by less than this share of the cue's spread.
ALIKE = 0.25
ALIKE_LEAST = 200
GREY_LEVEL = 110.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    network, faces = features.Network(args.start), data.load(args.data, args.models)
    versions = features.plain_and_mirrored(network, faces)
    folds = folds_of(faces)
    heads = {fold: head.fit(faces, versions, folds != fold) for fold in np.unique(folds)}
    audited = np.array([face.source in AUDITED for face in faces])
    shown, parts = [face for face, kept in zip(faces, audited, strict=True) if kept], folds[audited]

    def logits(pairs: list[list[np.ndarray]]) -> np.ndarray:
        found, result = network.of(pairs), np.zeros(len(shown))
        for fold, trained in heads.items():
            result[parts == fold] = trained.logits(found[parts == fold])
        return result

    pairs = [data.views(face.picture, face.box) for face in shown]
    sources = np.array([face.source for face in shown])
    labels = np.array([float(face.is_attack) for face in shown])
    plain = logits(pairs)
    lines = ["| source | cue | AUC of the cue alone | AUC of the detector | the same among pictures alike in the cue | pairs |",
             "|---|---|---|---|---|---|"]
    for source in AUDITED:
        rows = sources == source
        for name, cue in CUES.items():
            values = np.array([cue(*pair) for pair, kept in zip(pairs, rows, strict=True) if kept])
            alone = metrics.auc(values, labels[rows])
            among, n = alike(plain[rows], labels[rows], values)
            left = f"{among:.3f}" if n >= ALIKE_LEAST else "too few"
            lines.append(f"| {source} | {name} | {max(alone, 1 - alone):.3f} | {metrics.auc(plain[rows], labels[rows]):.3f} | {left} | {n} |")
    lines += ["", "| both classes changed alike | " + " | ".join(f"AUC, {source}" for source in AUDITED) + " |",
              "|---|" + "---|" * len(AUDITED)]
    for name, change in CHANGES.items():
        changed = logits([[change(view) for view in pair] for pair in pairs])
        lines.append(f"| {name} | " + " | ".join(f"{metrics.auc(changed[sources == source], labels[sources == source]):.3f}"
                                                  for source in AUDITED) + " |")
    report = "\n".join(lines) + "\n"
    args.out.write_text(report)
    print(report)


def alike(logits: np.ndarray, labels: np.ndarray, cue: np.ndarray) -> tuple[float, int]:
    """The share of (genuine, attack) pairs alike in a cue in which the attack scores higher, and how many pairs there are."""
    genuine, attack = labels == 0, labels == 1
    near = np.abs(cue[genuine][:, None] - cue[attack][None]) < ALIKE * (cue.std() + 1e-9)
    higher = (logits[attack][None] > logits[genuine][:, None]) + 0.5 * (logits[attack][None] == logits[genuine][:, None])
    return (float(higher[near].mean()) if near.any() else 0.5), int(near.sum())


def grey(view: np.ndarray) -> np.ndarray:
    """A view in shades of grey, `[side, side]` of uint8."""
    return cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)


def at_level(view: np.ndarray) -> np.ndarray:
    """A view as bright as all others, and with as much contrast."""
    level, spread = grey(view).mean(), grey(view).std() + 1.0
    return np.clip((view.astype(np.float32) - level) * (45.0 / spread) + GREY_LEVEL, 0, 255).astype(np.uint8)


def bars(view: np.ndarray) -> np.ndarray:
    """A view with black bars at the sides."""
    changed = view.copy()
    changed[:, :12] = changed[:, -12:] = 0
    return changed


def colourless(view: np.ndarray) -> np.ndarray:
    """A view in shades of grey, as RGB."""
    return cv2.cvtColor(grey(view), cv2.COLOR_GRAY2RGB)


# Of the close view and the one with surroundings.
CUES = {
    "sharpness (spread of the Laplacian)": lambda close, wide: float(np.log1p(cv2.Laplacian(grey(close), cv2.CV_32F).var())),
    "brightness": lambda close, wide: float(grey(close).mean()),
    "contrast": lambda close, wide: float(grey(close).std()),
    "colour (mean saturation)": lambda close, wide: float(cv2.cvtColor(close, cv2.COLOR_RGB2HSV)[:, :, 1].mean()),
    "dark edges (share of nearly black)": lambda close, wide: float((grey(wide) < 8).mean()),
}
CHANGES = {
    "not at all": lambda view: view,
    "blur, sigma 1": lambda view: cv2.GaussianBlur(view, (0, 0), 1.0),
    "the same brightness and contrast": at_level,
    "no colour": colourless,
    "bars at the sides": bars,
    "H.264 at quantiser 32": lambda view: codec.h264([view], 32)[0],
}


if __name__ == "__main__":
    main()
