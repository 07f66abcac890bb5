"""Changes that say nothing about authenticity, drawn once and applied alike to every picture of a group.

A cue that only one class shows is a cue that a detector learns; so whatever is not the manipulation itself is the same for
the genuine and the fake picture of a pair.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lib import codec

CODED_SIDES = (96, 112, 128, 144, 160, 192, 224)


@dataclass(frozen=True)
class Degradation:
    """How often a group is made small, coded, blurred or noisy, as probabilities."""

    small: float = 0.5
    h264: float = 0.35
    jpeg: float = 0.15
    blur: float = 0.08
    noise: float = 0.1

    def apply(self, rng: np.random.Generator, pictures: list[np.ndarray], side: int) -> list[np.ndarray]:
        """RGB pictures, square, to `side`: through a small face, a codec, blur and noise.

        A codec leaves on the first of two pictures other traces than on the second, so their order is drawn as well.
        """
        order = rng.permutation(len(pictures))
        changed = self._in_order(rng, [pictures[place] for place in order], side)
        return [changed[place] for place in np.argsort(order)]

    def _in_order(self, rng: np.random.Generator, pictures: list[np.ndarray], side: int) -> list[np.ndarray]:
        small = int(rng.choice(CODED_SIDES)) if rng.random() < self.small else side
        pictures = [resized(picture, small) for picture in pictures]
        if rng.random() < self.blur:
            sigma = float(rng.uniform(0.3, 1.4))
            pictures = [cv2.GaussianBlur(picture, (0, 0), sigma) for picture in pictures]
        if rng.random() < self.noise:
            strength = float(rng.uniform(1.0, 7.0))
            pictures = [np.clip(picture + rng.normal(0, strength, picture.shape), 0, 255).astype(np.uint8) for picture in pictures]
        draw = rng.random()
        if draw < self.h264:
            shift = (int(rng.integers(-2, 3)), int(rng.integers(-2, 3)))
            pictures = codec.h264(pictures, int(rng.integers(20, 41)), shift)
        elif draw < self.h264 + self.jpeg:
            quality = int(rng.integers(30, 96))
            pictures = [codec.jpeg(picture, quality) for picture in pictures]
        return pictures if small == side else [resized(picture, side) for picture in pictures]


def resized(picture: np.ndarray, side: int) -> np.ndarray:
    """A square picture at another side."""
    # Averaging is many times slower and only matters where much is thrown away.
    method = cv2.INTER_AREA if picture.shape[0] > 1.6 * side else cv2.INTER_LINEAR
    return cv2.resize(picture, (side, side), interpolation=method)


def window(rng: np.random.Generator, shape: int, least: float, most: float) -> np.ndarray:
    """A random rectangle `x0 y0 x1 y1` inside a square, its sides between two shares of it and nearly alike."""
    size = rng.uniform(least, most)
    sides = np.clip(size * rng.uniform(0.95, 1.05, 2), least, 1.0) * shape
    corner = rng.uniform(0, 1, 2) * (shape - sides)
    return np.concatenate([corner, corner + sides])


def crop(picture: np.ndarray, rect: np.ndarray) -> np.ndarray:
    """The rectangle of a picture, in whole pixels."""
    x0, y0, x1, y1 = np.round(rect).astype(int)
    return picture[y0:y1, x0:x1]


def colours(rng: np.random.Generator, pictures: list[np.ndarray]) -> list[np.ndarray]:
    """Other light, other camera: one table a channel for all pictures; sometimes grey."""
    tables = np.tile(np.arange(256, dtype=np.float32)[:, None], (1, 3))
    if rng.random() < 0.5:
        gain, bias = rng.uniform(0.7, 1.3), rng.uniform(-25, 25)
        tables = (tables - 128) * gain + 128 + bias
    if rng.random() < 0.3:
        tables = tables + rng.uniform(-18, 18, 3)
    if rng.random() < 0.3:
        tables = 255 * (np.clip(tables, 0, 255) / 255) ** rng.uniform(0.6, 1.6)
    table = np.clip(tables, 0, 255).astype(np.uint8)[:, None, :]
    pictures = [cv2.LUT(np.ascontiguousarray(picture), table) for picture in pictures]
    if rng.random() < 0.3:
        share = rng.uniform(0.0, 1.0) if rng.random() < 0.7 else 0.0
        pictures = [_less_colour(picture, share) for picture in pictures]
    return pictures


def _less_colour(picture: np.ndarray, share: float) -> np.ndarray:
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(picture, share, grey, 1 - share, 0)


def erase(rng: np.random.Generator, pictures: list[np.ndarray]) -> list[np.ndarray]:
    """A grey patch over the same part of every picture, so that no one part of the face decides."""
    side = pictures[0].shape[0]
    height, width = (rng.uniform(0.15, 0.45, 2) * side).astype(int)
    top, left = int(rng.integers(0, side - height)), int(rng.integers(0, side - width))
    level = int(rng.integers(0, 256))
    copies = [picture.copy() for picture in pictures]
    for picture in copies:
        picture[top:top + height, left:left + width] = level
    return copies
