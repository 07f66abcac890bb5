"""Faces with their surroundings from the presentation sets, as the service cuts them."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from lib import people
from lib.faces import FaceFinder

SIDE = 128
# The two views of a face: so many times the detector's box, shifted back inside the picture.
CLOSE, SURROUNDINGS = 1.0, 2.7
SOURCES = ("VinayBR03", "koropati", "ahforoughi", "Apfol", "ShubhamLala")
# Portraits of LFW are a bona fide source beside them: those of people whose names begin with these letters; the others are
# left for evaluation.
PORTRAITS, PORTRAIT_INITIALS = "lfw", "ABC"
# Pictures are kept no larger than this, which no crop of a face fills more finely.
MAX_KEPT_SIDE = 640

@dataclass(frozen=True)
class Face:
    """One picture of a presentation set with the detector's box `x0 y0 x1 y1` and who it seems to be."""

    path: str
    source: str
    is_attack: bool
    picture: np.ndarray
    box: np.ndarray
    person: str

def load(data: Path, models: Path) -> list[Face]:
    """All pictures of the sets, and the portraits, in which the detector finds a face."""
    finder, embedder = FaceFinder(models), people.Embedder(models)
    with (data / "pad" / "manifest.csv").open(newline="") as file:
        rows = [row | {"path": f"pad/{row['path']}"} for row in csv.DictReader(file)]
    rows += [{"path": str(path.relative_to(data)), "source": PORTRAITS, "label": "bona_fide"}
             for path in sorted((data / "faces" / "lfw").glob(f"[{PORTRAIT_INITIALS}]*/*"))]
    found, vectors = [], []
    for row in rows:
        picture = cv2.imread(str(data / row["path"]), cv2.IMREAD_COLOR)
        if picture is None:
            continue
        picture = np.ascontiguousarray(picture[:, :, ::-1])
        box = finder.box(picture)
        if box is None:
            continue
        vectors.append(embedder.vector(picture, finder.points(picture, box)[0]))
        shrink = min(1.0, MAX_KEPT_SIDE / max(picture.shape[:2]))
        if shrink < 1.0:
            picture = cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        found.append((row, picture, box * shrink))
    persons = people.among(np.stack(vectors), [row["source"] for row, _, _ in found])
    return [Face(row["path"], row["source"], row["label"] == "attack", picture, box, person)
            for (row, picture, box), person in zip(found, persons, strict=True)]

def views(picture: np.ndarray, box: np.ndarray) -> list[np.ndarray]:
    """The close view and the one with surroundings, as the service cuts them."""
    return [crop(picture, window(picture, box, scale)) for scale in (CLOSE, SURROUNDINGS)]

def window(picture: np.ndarray, box: np.ndarray, scale: float) -> np.ndarray:
    """A crop `x0 y0 x1 y1` of so many times the box: reduced until it fits, shifted back inside."""
    height, width = picture.shape[:2]
    size = box[2:] - box[:2]
    last = np.array([width - 1, height - 1], np.float32)
    half = size * min(scale, *(last / size)) / 2
    middle = (box[:2] + box[2:]) / 2
    middle = np.minimum(np.maximum(middle, half), last - half)
    return np.concatenate([middle - half, middle + half])

def crop(picture: np.ndarray, rect: np.ndarray) -> np.ndarray:
    """A rectangle of a picture at the network's side."""
    left, top = np.maximum(np.floor(rect[:2]), 0).astype(int)
    width, height = np.maximum(np.floor(rect[2:] - rect[:2]), 1).astype(int)
    return cv2.resize(picture[top:top + height, left:left + width], (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)

def tensor(pictures: list[np.ndarray]) -> np.ndarray:
    """RGB pictures as the network takes them: blue first, 0..255."""
    return np.ascontiguousarray(np.stack(pictures)[:, :, :, ::-1].transpose(0, 3, 1, 2), dtype=np.float32)
