"""The last layer: a logistic regression on the frozen network's features, drawn towards the fetched network's own answer."""

from dataclasses import dataclass

import numpy as np

from presentation.data import PORTRAITS, Face
from presentation.features import Features

# How much of the fetched network's own logit is kept; the rest is learned.
KEPT = 0.5
# Strength of the ridge, in pictures: features of these few sources must agree before one counts.
RIDGE = 1000.0
# A source of many pictures of few people counts as this many; portraits, which are no webcam pictures, as fewer.
MAX_OF_CELL, MAX_OF_PORTRAITS = 400, 40
CLASS_WEIGHT = 500.0
STEPS, TOLERANCE = 50, 1e-5


@dataclass(frozen=True)
class Head:
    """Attack logit = `features @ weights + bias + KEPT * fetched`."""

    weights: np.ndarray
    bias: float

    def logits(self, features: Features) -> np.ndarray:
        """One a face, higher = more likely an attack."""
        return features.values @ self.weights + self.bias + KEPT * features.fetched


def fit(faces: list[Face], versions: list[Features], rows: np.ndarray) -> Head:
    """The head that fits the faces of `rows` (bool) best, in all versions of their pictures."""
    labels = np.array([float(face.is_attack) for face in faces])[rows]
    importance = np.tile(weights(faces, rows), len(versions)) / len(versions)
    values = np.concatenate([version.values[rows] for version in versions]).astype(np.float64)
    offset = KEPT * np.concatenate([version.fetched[rows] for version in versions])
    targets = np.tile(labels, len(versions))
    mean, spread = values.mean(0), values.std(0) + 1e-3
    design = np.concatenate([(values - mean) / spread, np.ones((len(values), 1))], axis=1)
    ridge = np.eye(design.shape[1]) * RIDGE
    ridge[-1, -1] = 1e-6
    found = np.zeros(design.shape[1])

    def loss(at: np.ndarray) -> float:
        logits = design @ at + offset
        return float(importance @ (np.logaddexp(0, logits) - targets * logits) + at @ ridge @ at / 2)

    for _ in range(STEPS):
        share = 1 / (1 + np.exp(-(design @ found + offset)))
        gradient = design.T @ (importance * (share - targets)) + ridge @ found
        step = np.linalg.solve((design.T * (importance * share * (1 - share))) @ design + ridge, gradient)
        # Newton's step is too long where the offset alone is already sure.
        before = loss(found)
        while loss(found - step) > before and np.abs(step).max() > TOLERANCE:
            step /= 2
        found -= step
        if np.abs(step).max() < TOLERANCE:
            break
    else:
        raise RuntimeError(f"no end after {STEPS} steps of Newton's method")
    return Head((found[:-1] / spread).astype(np.float32), float(found[-1] - (mean / spread) @ found[:-1]))


def weights(faces: list[Face], rows: np.ndarray) -> np.ndarray:
    """What each face of `rows` counts: every class alike, and within a class no source much more than another."""
    cells = np.array([f"{face.source} {face.is_attack}" for face in faces])[rows]
    is_attack = np.array([face.is_attack for face in faces])[rows]
    found = np.zeros(len(cells))
    for cell in np.unique(cells):
        of_cell = cells == cell
        most = MAX_OF_PORTRAITS if cell.startswith(PORTRAITS) else MAX_OF_CELL
        found[of_cell] = min(of_cell.sum(), most) / of_cell.sum()
    for of_class in (is_attack, ~is_attack):
        found[of_class] *= CLASS_WEIGHT / found[of_class].sum()
    return found
