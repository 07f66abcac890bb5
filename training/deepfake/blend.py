"""Fakes made of genuine faces: a face blended into itself, or parts of another face blended into it.

Self-blending follows the published description (Shiohara and Yamasaki, CVPR 2022), written anew. Parts of another person's
face (eyes, nose, mouth, all of it), aligned by its points and matched in colour, stand for face swaps and photomontage.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lib import faces

# Shares of the kinds of mask: whole face, face without forehead, parts.
WHOLE, LOWER = 0.55, 0.2
BLEND_RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)
PARTS = (faces.RIGHT_EYE, faces.LEFT_EYE, faces.NOSE, faces.MOUTH)
DONOR_CANDIDATES = 96


@dataclass
class Blend:
    """A genuine picture and a fake that differs from it only where `mask` `[side, side]` (0..1) is above zero."""

    genuine: np.ndarray
    fake: np.ndarray
    mask: np.ndarray


def self_blend(rng: np.random.Generator, picture: np.ndarray, points: np.ndarray) -> Blend:
    """A face blended into a changed copy of itself."""
    source, target = picture, picture
    changed = _change(rng, picture)
    if rng.random() < 0.5:
        source = changed
    else:
        target = changed
    mask = _mask(rng, picture.shape[0], points)
    source, mask = _jitter(rng, source, mask)
    return _composed(source, target, _soften(rng, mask) * rng.choice(BLEND_RATIOS))


def cross_blend(rng: np.random.Generator, picture: np.ndarray, points: np.ndarray, donor: np.ndarray,
                donor_points: np.ndarray) -> Blend:
    """Another person's face, or parts of it, blended into this one."""
    matrix = _affine(donor_points[faces.RIGID], points[faces.RIGID])
    side = picture.shape[0]
    warped = cv2.warpAffine(donor, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    mask = _mask(rng, side, points, whole=0.35, lower=0.15)
    # What the donor's picture does not reach cannot be given.
    reach = cv2.warpAffine(np.ones((side, side), np.float32), matrix, (side, side))
    mask = mask * (reach > 0.99)
    warped = _matched(warped, picture, mask, rng.uniform(0.5, 1.0))
    if rng.random() < 0.3:
        warped = _change(rng, warped)
    return _composed(warped, picture, _soften(rng, mask) * rng.choice((0.75, 1.0, 1.0)))


def nearest_donor(rng: np.random.Generator, points: np.ndarray, all_points: np.ndarray, usable: np.ndarray) -> int:
    """The face whose points lie most alike, of a random few."""
    candidates = rng.choice(usable, min(DONOR_CANDIDATES, len(usable)), replace=False)
    wanted = _normalised(points[faces.OVAL])
    distances = [np.abs(_normalised(all_points[index][faces.OVAL]) - wanted).mean() for index in candidates]
    # The face itself would be no donor.
    order = np.argsort(distances)
    return int(candidates[order[1] if distances[order[0]] < 1e-6 else order[0]])


def _normalised(points: np.ndarray) -> np.ndarray:
    centred = points - points.mean(0)
    return centred / (np.abs(centred).mean() + 1e-6)


def _composed(source: np.ndarray, target: np.ndarray, mask: np.ndarray) -> Blend:
    weight = mask[:, :, None].astype(np.float32)
    fake = source.astype(np.float32) * weight + target.astype(np.float32) * (1 - weight)
    return Blend(target, np.clip(np.round(fake), 0, 255).astype(np.uint8), mask)


def _change(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """Other colour, and either coarser or sharper: what a generator's output has against its surroundings."""
    result = picture.astype(np.float32)
    if rng.random() < 0.3:
        result += rng.uniform(-20, 20, 3)
    if rng.random() < 0.3:
        hsv = cv2.cvtColor(np.clip(result, 0, 255).astype(np.uint8), cv2.COLOR_RGB2HSV).astype(np.float32)
        hsv[:, :, 0] = (hsv[:, :, 0] + rng.uniform(-4, 4)) % 180
        hsv[:, :, 1] *= rng.uniform(0.8, 1.2)
        result = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    result = (result - 128) * rng.uniform(0.9, 1.1) + 128 + rng.uniform(-25.5, 25.5)
    result = np.clip(result, 0, 255).astype(np.uint8)
    side = picture.shape[0]
    draw = rng.random()
    if draw < 0.5:
        factor = float(rng.choice([2.0, 4.0])) if rng.random() < 0.5 else float(rng.uniform(1.3, 4.0))
        method = int(rng.choice([cv2.INTER_NEAREST, cv2.INTER_AREA]))
        small = cv2.resize(result, (round(side / factor), round(side / factor)), interpolation=method)
        return cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR)
    if draw < 0.65:
        return cv2.GaussianBlur(result, (0, 0), rng.uniform(0.5, 2.0))
    amount = rng.uniform(0.2, 0.5) * 2
    return cv2.addWeighted(result, 1 + amount, cv2.GaussianBlur(result, (0, 0), 1.0), -amount, 0)


def _mask(rng: np.random.Generator, side: int, points: np.ndarray, whole: float = WHOLE, lower: float = LOWER) -> np.ndarray:
    """Where to blend, hard-edged, `[side, side]`."""
    mask = np.zeros((side, side), np.float32)
    draw = rng.random()
    if draw < whole:
        outlines = [faces.OVAL]
    elif draw < whole + lower:
        outlines = [faces.LOWER_OVAL]
    else:
        chosen = rng.permutation(len(PARTS))[:int(rng.choice([1, 1, 2, 3]))]
        outlines = [PARTS[index] for index in chosen]
    for outline in outlines:
        hull = cv2.convexHull(np.round(points[outline]).astype(np.int32))
        cv2.fillConvexPoly(mask, hull, 1.0)
    # The outline of a swap never follows the face exactly.
    grid = rng.uniform(-1, 1, (2, 5, 5)).astype(np.float32) * side * rng.uniform(0.0, 0.05)
    shift = [cv2.resize(axis, (side, side), interpolation=cv2.INTER_CUBIC) for axis in grid]
    ys, xs = np.mgrid[:side, :side].astype(np.float32)
    return cv2.remap(mask, xs + shift[0], ys + shift[1], cv2.INTER_LINEAR)


def _jitter(rng: np.random.Generator, source: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moves and scales source and mask together by a few hundredths."""
    side = source.shape[0]
    scale = rng.uniform(0.95, 1 / 0.95)
    shift = rng.uniform([-0.03, -0.015], [0.03, 0.015]) * side
    centre = np.array([side / 2, side / 2])
    matrix = np.concatenate([np.eye(2) * scale, (centre * (1 - scale) + shift)[:, None]], axis=1)
    moved = cv2.warpAffine(source, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return moved, cv2.warpAffine(mask, matrix, (side, side), flags=cv2.INTER_LINEAR)


def _soften(rng: np.random.Generator, mask: np.ndarray) -> np.ndarray:
    """Blurs, keeps what stayed full, and blurs again, so that the soft edge lies within the outline."""
    side = mask.shape[0]
    first = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.006, 0.02) * side)
    inner = (first >= 0.98 * max(float(first.max()), 1e-6)).astype(np.float32)
    if inner.sum() < 16:
        inner = mask
    soft = cv2.GaussianBlur(inner, (0, 0), rng.uniform(0.006, 0.05) * side)
    soft /= max(float(soft.max()), 1e-6)
    soft[soft < 1e-3] = 0.0
    return soft


def _affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The affine map that brings points closest to others, in least squares."""
    lifted = np.concatenate([source, np.ones((len(source), 1), source.dtype)], axis=1)
    return np.linalg.lstsq(lifted, target, rcond=None)[0].T.astype(np.float64)


def _matched(source: np.ndarray, target: np.ndarray, mask: np.ndarray, strength: float) -> np.ndarray:
    """The source with the target's mean and spread of colour within the mask, as far as `strength` says."""
    inside = mask > 0.5
    if inside.sum() < 32:
        return source
    lab, wanted = (cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32) for picture in (source, target))
    mean, spread = lab[inside].mean(0), lab[inside].std(0) + 1e-3
    to_mean, to_spread = wanted[inside].mean(0), wanted[inside].std(0) + 1e-3
    moved = (lab - mean) * np.clip(to_spread / spread, 0.5, 2.0) + to_mean
    mixed = np.clip(lab + strength * (moved - lab), 0, 255).astype(np.uint8)
    return cv2.cvtColor(mixed, cv2.COLOR_LAB2RGB)
