"""One picture to one observation: every picture is analysed in full, whatever the last one showed."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

import cv2
import numpy as np

import faces
import pictures
from faces import Detection, Mesh, NoChip, Quality, Roi
from models import Models
from pictures import PictureStats

# Change of the thumbnail in 8-bit levels from which the picture is another one: a cut, not a movement.
SCENE_CHANGE_LEVELS = 24.0
MAX_GAP_SECS = 2.0
MAX_TRACKED = 4
MIN_PRESENCE = 0.5
MIN_SAME_FACE = 0.3
MAX_CROSSING = 0.4
MAX_STEP = 0.6
MAX_GROWTH = 1.6
# How long a face that the mesh still sees is followed without the detector's word.
MAX_OVERLOOKED_SECS = 1.0
MAX_EMBEDDED = 2
MIN_EMBEDDED_PX = 32.0

T = TypeVar("T")
Stopwatch = Callable[[str], AbstractContextManager]
_NO_STOPWATCH: AbstractContextManager = nullcontext()


@dataclass
class FaceObservation:
    """What was measured on one face; parts that were not, or could not be, are None."""

    track: int
    box: np.ndarray
    quality: Quality
    pose: tuple[float, float] | None
    shape: np.ndarray | None
    embedding: np.ndarray | None = None
    # Logit of an attack, and the share of the wanted surroundings that the picture holds.
    presentation: tuple[float, float] | None = None
    deepfake: float | None = None


@dataclass
class Observation:
    """What one picture contributes."""

    at: float
    picture: PictureStats
    faces: list[FaceObservation]


@dataclass
class _Followed:
    track: int
    roi: Roi
    box: np.ndarray
    # When the detector saw it last.
    seen_at: float


@dataclass
class TrackState:
    """What is known of one camera from its pictures so far."""

    thumbnail: np.ndarray | None = None
    followed: list[_Followed] = field(default_factory=list)
    size: tuple[int, int] = (0, 0)
    last_at: float = float("-inf")
    next_track: int = 0


class Pipeline:
    """Measures pictures with one set of models; for one thread at a time."""

    def __init__(self, models: Models, stopwatch: Stopwatch = lambda _stage: _NO_STOPWATCH) -> None:
        cv2.setNumThreads(1)
        self._models = models
        self._detector = faces.Detector(models)
        self._mesher = faces.Mesher(models)
        self._stopwatch = stopwatch

    def analyse(self, state: TrackState, picture: np.ndarray, at: float) -> Observation:
        """Everything about one picture; `at` is its media time in seconds."""
        height, width = picture.shape[:2]
        with self._stopwatch("reduce, picture figures"):
            small = pictures.reduced(picture)
            thumbnail = pictures.thumbnail_of(small)
            stats = pictures.stats_of(thumbnail, state.thumbnail, width, height)
            state.thumbnail = thumbnail
        is_cut = stats.change_levels is None or stats.change_levels >= SCENE_CHANGE_LEVELS
        found = self._follow(state, picture, small, at, is_cut)
        found.sort(key=lambda each: -faces.area(each[1]))
        return Observation(at, stats, [self._measure(picture, rank, *each) for rank, each in enumerate(found)])

    def reference(self, data: bytes) -> np.ndarray | None:
        """The identity vector of the largest face of a photograph; None without a face."""
        picture = pictures.decode(data, 0, 0, 0, 0)
        found = self._follow(TrackState(), picture, pictures.reduced(picture), 0.0, True)
        return faces.embed(self._models, picture, max(found, key=lambda each: faces.area(each[1]))[2]) if found else None

    def _follow(
        self, state: TrackState, picture: np.ndarray, small: np.ndarray, at: float, is_cut: bool
    ) -> list[tuple[_Followed, np.ndarray, Mesh]]:
        """Finds faces and gives each the track of the face before it, as its box and its mesh."""
        size = picture.shape[:2]
        if is_cut or size != state.size or not 0 <= at - state.last_at <= MAX_GAP_SECS:
            state.followed = []
        state.size, state.last_at = size, at
        with self._stopwatch("detect"):
            detections = self._detector.find(picture, small)
        _associate(state, detections, at)
        found = []
        with self._stopwatch("mesh"):
            for each in state.followed:
                mesh = self._mesher.find(picture, each.roi)
                roi = faces.roi_of_mesh(mesh) if mesh is not None and mesh.presence >= MIN_PRESENCE else None
                if roi is None or not _is_step(each.box, box := faces.box_of_mesh(mesh)):
                    continue
                each.roi, each.box = roi, box
                found.append((each, box, mesh))
        # Of two faces on top of each other nobody can tell which is which.
        found = [each for each in found if all(each is other or faces.iou(each[1], other[1]) <= MAX_CROSSING for other in found)]
        state.followed = [each[0] for each in found]
        return found

    def _measure(self, picture: np.ndarray, rank: int, followed: _Followed, box: np.ndarray, mesh: Mesh) -> FaceObservation:
        height, width = picture.shape[:2]
        with self._stopwatch("quality"):
            quality = faces.quality_of(picture, box, mesh)
        with self._stopwatch("pose, shape"):
            face = FaceObservation(followed.track, box, quality, faces.pose_of(mesh, width, height), faces.shape_of(mesh))
        if rank < MAX_EMBEDDED and quality.face_height >= MIN_EMBEDDED_PX:
            with self._stopwatch("identity"):
                face.embedding = _optional(lambda: faces.embed(self._models, picture, mesh))
        if rank == 0:
            with self._stopwatch("presentation"):
                face.presentation = _optional(lambda: faces.check_presentation(self._models, picture, box))
            with self._stopwatch("deepfake"):
                face.deepfake = _optional(lambda: faces.check_deepfake(self._models, picture, mesh))
        return face


def _optional(step: Callable[[], T]) -> T | None:
    """A face that a step could not be done on lacks its answer; the picture goes on."""
    try:
        return step()
    except NoChip:
        return None


def _associate(state: TrackState, detections: list[Detection], at: float) -> None:
    """Gives each detection to the followed face that it overlaps most, and starts to follow the rest."""
    pairs = sorted(
        (
            (overlap, each, index)
            for each in state.followed
            for index, detection in enumerate(detections)
            if (overlap := faces.iou(each.box, detection.box)) >= MIN_SAME_FACE
        ),
        key=lambda pair: -pair[0],
    )
    taken, told = set(), set()
    for _, each, index in pairs:
        if index not in taken and each.track not in told:
            each.seen_at = at
            taken.add(index)
            told.add(each.track)
    state.followed = [each for each in state.followed if at - each.seen_at <= MAX_OVERLOOKED_SECS]
    for index, detection in enumerate(detections):
        is_apart = all(faces.iou(each.box, detection.box) <= MAX_CROSSING for each in state.followed)
        roi = faces.roi_of_box(detection.box)
        if index not in taken and is_apart and roi is not None and len(state.followed) < MAX_TRACKED:
            state.followed.append(_Followed(state.next_track, roi, detection.box, at))
            state.next_track += 1


def _is_step(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a face can have gone from one box to the other between two pictures."""
    sides = [max(box[2] - box[0], box[3] - box[1]) for box in (before, after)]
    step = np.hypot(*((before[:2] + before[2:] - after[:2] - after[2:]) / 2))
    return bool(step <= MAX_STEP * sides[0] and max(sides[1] / sides[0], sides[0] / sides[1]) <= MAX_GROWTH)
