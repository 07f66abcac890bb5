"""Pictures of faces, cut out once and kept as one array each of pixels, points and labels.

A face crop here is what the service cuts for the deepfake detector: a square without turning, centred on the mesh, whose side
is `CROP_SCALE` times the geometric mean of the mesh's width and height. The crops of DFDC are very nearly that already.
"""

import csv
import hashlib
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lib.faces import FaceFinder

SIDE = 224
CROP_SCALE = 1.03
# Crops of whole pictures are cut a little larger, so that training can vary their place and size.
LOOSE_SCALE = 1.18
MIN_PRESENCE = 0.5
CHUNK = 256


@dataclass(frozen=True)
class Item:
    """One picture: where it is, what it shows, and which pictures must stay on its side of a split."""

    path: str
    label: str
    source: str
    group: str
    split: str
    is_crop: bool


@dataclass
class Faces:
    """Crops `[n, 224, 224, 3]` RGB, points `[n, 468, 2]` in pixels of the crop, and the item behind each."""

    pixels: np.ndarray
    points: np.ndarray
    items: list[Item]


def dfdc(data: Path) -> list[Item]:
    """The DFDC crops: genuine and fake side by side, split by source video."""
    root = data / "deepfake" / "dfdc-faces"
    with (root / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [Item(str(root / row["path"]), row["label"], "dfdc", row["source_video"], row["split"], True) for row in rows]


def lfw(data: Path) -> list[Item]:
    """Portraits of LFW; every tenth person is held back."""
    paths = sorted((data / "faces" / "lfw").glob("*/*.*"))
    return [Item(str(path), "bona_fide", "lfw", path.parent.name, _split(path.parent.name), False) for path in paths]


def webcams(data: Path) -> list[Item]:
    """Genuine whole frames of the presentation sets."""
    root = data / "pad"
    with (root / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = {"VinayBR03", "koropati", "ahforoughi"}
    return [Item(str(root / row["path"]), "bona_fide", row["source"], row["source"], "train", False)
            for row in rows if row["label"] == "bona_fide" and row["source"] in wanted]


def _split(group: str) -> str:
    return "val" if hashlib.sha256(group.encode()).digest()[0] < 26 else "train"


def _measure(models: Path, items: list[Item]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    cv2.setNumThreads(1)
    finder = FaceFinder(models)
    pixels = np.zeros((len(items), SIDE, SIDE, 3), np.uint8)
    points = np.zeros((len(items), 468, 2), np.float32)
    usable = np.zeros(len(items), bool)
    for index, item in enumerate(items):
        picture = cv2.imread(item.path, cv2.IMREAD_COLOR)
        if picture is None:
            continue
        picture = np.ascontiguousarray(picture[:, :, ::-1])
        height, width = picture.shape[:2]
        box = np.array([0, 0, width, height], np.float32) if item.is_crop else finder.box(picture)
        if box is None:
            continue
        found, presence = finder.points(picture, box)
        # A crop is kept as it is, with or without good points; a picture without a sure face gives no crop.
        if item.is_crop:
            scale = SIDE / np.array([width, height], np.float32)
            pixels[index] = picture if (height, width) == (SIDE, SIDE) else cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            points[index] = found * scale if presence > MIN_PRESENCE else np.nan
            usable[index] = True
        elif presence > MIN_PRESENCE:
            pixels[index], points[index] = cut(picture, found, LOOSE_SCALE)
            usable[index] = True
    return pixels, points, usable


def cut(picture: np.ndarray, points: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The face crop of a picture and the points in it; outside the picture its edge is repeated."""
    extent = points.max(0) - points.min(0)
    side = scale * float(np.sqrt(extent[0] * extent[1]))
    corner = (points.max(0) + points.min(0)) / 2 - side / 2
    factor = SIDE / side
    shrink = max(1, int(1.0 / factor))
    if shrink > 1:
        picture = cv2.resize(picture, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        corner, factor = corner / shrink, factor * shrink
    matrix = np.array([[factor, 0, -corner[0] * factor], [0, factor, -corner[1] * factor]])
    crop = cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return crop, ((points / shrink if shrink > 1 else points) - corner) * factor


def load(folder: Path, models: Path, items: list[Item], name: str, workers: int = 2) -> Faces:
    """The crops of these items: from the folder where they were kept, or measured and kept there now."""
    key = hashlib.sha256(json.dumps([item.__dict__ for item in items], sort_keys=True).encode()).hexdigest()[:16]
    stem = folder / f"{name}-{key}"
    files = [stem.with_suffix(f".{part}.npy") for part in ("pixels", "points", "usable")]
    if not all(file.exists() for file in files):
        folder.mkdir(parents=True, exist_ok=True)
        chunks = [items[start:start + CHUNK] for start in range(0, len(items), CHUNK)]
        with ProcessPoolExecutor(workers) as pool:
            parts = list(pool.map(_measure, [models] * len(chunks), chunks))
        for file, arrays in zip(files, zip(*parts, strict=True), strict=True):
            with file.with_suffix(".part").open("wb") as out:
                np.save(out, np.concatenate(arrays))
            file.with_suffix(".part").rename(file)
    pixels, points, usable = (np.load(file, mmap_mode="r") for file in files)
    keep = np.flatnonzero(usable)
    if len(keep) == len(items):
        return Faces(pixels, np.asarray(points), items)
    return Faces(pixels[keep], points[keep], [items[index] for index in keep])
