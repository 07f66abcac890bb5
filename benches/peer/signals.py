"""Faces over time to measurements: what `src/signals` does, as far as verdicts need it.

A signal takes observations in order of media time and answers for any stretch of it with a statistic, higher = more like bona
fide, or with none where its quality gate let too little through. All times are seconds of the media clock.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from pipeline import FaceObservation, Observation
from pictures import PictureStats

MAX_BLOCKS = 21_600


@dataclass(frozen=True)
class Measurement:
    """What one signal says of one stretch of time."""

    signal: str
    statistic: float | None
    standard_error: float | None
    usable_ratio: float
    is_alarm: bool = False


class BlockSeries:
    """Means of a value over blocks of one second, so that correlated pictures do not count as independent."""

    def __init__(self) -> None:
        self._indices: list[int] = []
        self._sums: list[float] = []
        self._counts: list[int] = []

    def push(self, at: float, value: float) -> None:
        """Adds a value; not finite or older than the newest block: left out."""
        index = int(at // 1.0)
        if not np.isfinite(value) or (self._indices and self._indices[-1] > index):
            return
        if not self._indices or self._indices[-1] < index:
            if len(self._indices) == MAX_BLOCKS:
                del self._indices[0], self._sums[0], self._counts[0]
            self._indices.append(index)
            self._sums.append(0.0)
            self._counts.append(0)
        self._sums[-1] += value
        self._counts[-1] += 1

    def means(self, start: float, end: float) -> np.ndarray:
        """The blocks that begin within the stretch, oldest first."""
        within = slice(bisect_left(self._indices, int(start // 1.0)), bisect_right(self._indices, int(end // 1.0)))
        return np.array(self._sums[within]) / np.array(self._counts[within])

    def usable_ratio(self, start: float, end: float) -> float:
        """Share of the stretch's blocks that hold a value."""
        return min(len(self.means(start, end)) / max(np.ceil(end - start), 1.0), 1.0)


def summary(values: np.ndarray) -> tuple[float, float | None]:
    """Mean, and its standard error widened for the correlation of neighbours."""
    mean, count = float(values.mean()), len(values)
    if count < 2:
        return mean, None
    off = values - mean
    squares = float((off**2).sum())
    correlation = float((off[:-1] * off[1:]).sum()) / squares if squares > 0 else 0.0
    correlation = min(max(correlation, 0.3), 0.9)
    n_effective = max(count * (1 - correlation) / (1 + correlation), 1.0)
    return mean, (squares / (count - 1) / n_effective) ** 0.5


def quality_problem(face: FaceObservation) -> str | None:
    """Why a face cannot be measured; None when it can."""
    quality = face.quality
    if not quality.face_height >= 56.0:
        return "quality.face_too_small"
    if not quality.exposure >= 0.10:
        return "quality.too_dark"
    if not quality.exposure <= 0.93:
        return "quality.too_bright"
    if not quality.outside_ratio <= 0.25:
        return "quality.face_cut_off"
    if face.pose is not None and not abs(face.pose[0]) <= 60.0:
        return "quality.turned_away"
    return None if quality.sharpness >= 4.0 else "quality.blurred"


def _is_framed(face: FaceObservation, max_yaw: float) -> bool:
    quality = face.quality
    return quality.outside_ratio <= 0.1 and quality.clipped_ratio <= 0.5 and (face.pose is None or abs(face.pose[0]) <= max_yaw)


def _is_copy(picture: PictureStats) -> bool:
    return picture.change_levels is not None and picture.change_levels < 0.01


class Identity:
    """The same person through the session, and the person of the reference image."""

    SAME, DIFFERENT, NEW_PERSON, ALIKE = 0.41, 0.36, 0.5, 0.28
    CONFIRM_SECS, CONFIRM_ALIKE_SECS = 0.8, 1.8
    MAX_PERSONS, MAX_TEMPLATE = 8, 64

    def __init__(self) -> None:
        self.reference: np.ndarray | None = None
        self.changes: list[tuple[float, float]] = []
        # Template and number of embeddings behind it; the first is the person that the session began with.
        self._persons: list[tuple[np.ndarray, int]] = []
        self._similarities = BlockSeries()
        # Since when, who, and the highest similarity to anybody known.
        self._stranger: tuple[float, np.ndarray, float] | None = None
        self._current = 0

    def observe(self, observation: Observation, face: FaceObservation | None) -> None:
        """Compares the face with the persons seen so far."""
        if face is None or face.embedding is None:
            return
        quality = face.quality
        is_good = quality.face_height >= 48.0 and quality.sharpness >= 6.0 and quality.outside_ratio <= 0.1
        if is_good and 0.08 <= quality.exposure <= 0.95 and (face.pose is None or abs(face.pose[0]) <= 35.0):
            self._take(observation.at, face.embedding)

    def _take(self, at: float, embedding: np.ndarray) -> None:
        if not self._persons:
            self._persons.append((embedding, 1))
            return
        similarities = [float(template @ embedding) for template, _ in self._persons]
        self._similarities.push(at, similarities[0])
        who = int(np.argmax(similarities))
        if similarities[who] >= self.SAME:
            self._recognise(who, at, embedding)
        elif similarities[who] < self.DIFFERENT:
            self._suspect(at, embedding, similarities[who])

    def _recognise(self, who: int, at: float, embedding: np.ndarray) -> None:
        self._stranger = None
        if who != self._current:
            self._note_change(who, at)
        template, count = self._persons[who]
        if count < self.MAX_TEMPLATE:
            mean = template * count + embedding
            self._persons[who] = (mean / np.linalg.norm(mean), count + 1)

    def _suspect(self, at: float, embedding: np.ndarray, nearest: float) -> None:
        if self._stranger is None or float(self._stranger[1] @ embedding) < self.NEW_PERSON:
            self._stranger = (at, embedding, nearest)
            return
        since, first, nearest_before = self._stranger
        self._stranger = (since, first, max(nearest, nearest_before))
        needed = self.CONFIRM_ALIKE_SECS if self._stranger[2] >= self.ALIKE else self.CONFIRM_SECS
        if at - since < needed:
            return
        if len(self._persons) == 1 and self._persons[0][1] < 3:
            # Who was hardly seen may have been a bad picture.
            self._persons, self._similarities, self._stranger = [(embedding, 1)], BlockSeries(), None
        elif len(self._persons) < self.MAX_PERSONS:
            self._persons.append((embedding, 1))
            self._stranger = None
            self._note_change(len(self._persons) - 1, since)

    def _note_change(self, who: int, at: float) -> None:
        similarity = float(self._persons[self._current][0] @ self._persons[who][0])
        self._current = who
        if len(self.changes) < 32:
            self.changes.append((at, similarity))

    def measure(self, start: float, end: float) -> Measurement:
        """The worst similarity to the first person that lasted three seconds."""
        means = self._similarities.means(start, end)
        usable = self._similarities.usable_ratio(start, end)
        if len(means) < 2:
            return Measurement("identity", None, None, usable)
        length = min(3, len(means))
        runs = np.lib.stride_tricks.sliding_window_view(means, length)
        worst = runs[runs.mean(1).argmin()]
        statistic, error = float(worst.mean()), max((float(worst.var(ddof=1)) / length) ** 0.5, 0.03)
        changes = [similarity for at, similarity in self.changes if start <= at <= end]
        if self.reference is not None:
            statistic = min(statistic, float(self.reference @ self._persons[0][0]))
        return Measurement("identity", min([statistic, *changes]), error, usable, bool(changes))


class _Logits:
    """The mean bona fide logit of a model over at least a few seconds."""

    def __init__(self, name: str, min_blocks: int, max_logit: float) -> None:
        self._name, self._min_blocks, self._max_logit = name, min_blocks, max_logit
        self._series = BlockSeries()

    def push(self, at: float, attack_logit: float, trust: float = 1.0) -> None:
        self._series.push(at, min(max(-attack_logit, -self._max_logit), self._max_logit) * trust)

    def measure(self, start: float, end: float) -> Measurement:
        means, usable = self._series.means(start, end), self._series.usable_ratio(start, end)
        if len(means) < self._min_blocks:
            return Measurement(self._name, None, None, usable)
        return Measurement(self._name, *summary(means), usable)


class Presentation(_Logits):
    """Photograph or screen: five seconds at least, believed as far as the picture shows surroundings."""

    def __init__(self) -> None:
        super().__init__("presentation", 5, 10.0)

    def observe(self, observation: Observation, face: FaceObservation | None) -> None:
        """Takes the model's answer where the face can be judged."""
        if face is None or face.presentation is None or not face.quality.face_height >= 56.0:
            return
        logit, context = face.presentation
        if context >= 0.15 and _is_framed(face, 40.0):
            self.push(observation.at, logit, 0.26 + 0.74 * min(max((context - 0.4) / 0.2, 0.0), 1.0))


class Deepfake(_Logits):
    """Swapped, reenacted or blended faces: three seconds at least."""

    def __init__(self) -> None:
        super().__init__("deepfake", 3, 8.0)

    def observe(self, observation: Observation, face: FaceObservation | None) -> None:
        """Takes the model's answer where the face can be judged."""
        if face is None or face.deepfake is None:
            return
        if face.quality.face_height >= 72.0 and face.quality.exposure >= 0.08 and _is_framed(face, 55.0):
            self.push(observation.at, face.deepfake)


class Motion:
    """Movement within the face in chunks of two seconds, in natural-log units of typical movement."""

    TYPICAL = np.array([0.12, 0.12, 0.15, 0.06, 0.05])
    CHUNK_SECS, MAX_GAP_SECS, MIN_FRAMES, MAX_FRAMES, MIN_CHUNKS = 2.0, 0.5, 8, 120, 4
    # The calibration is fitted on 15 pictures a second at most; a median of three of 30 would let more noise through.
    MIN_STEP_SECS = 0.05

    def __init__(self) -> None:
        self._start = self._last = float("-inf")
        self._frames: list[np.ndarray] = []
        self._chunks: list[tuple[float, float]] = []

    def observe(self, observation: Observation, face: FaceObservation | None) -> None:
        """Adds one frame to the chunk."""
        if face is None or face.shape is None or face.pose is None or not face.quality.face_height >= 64.0:
            return
        if max(abs(face.pose[0]), abs(face.pose[1])) > 30.0:
            return
        at = observation.at
        if not 0 <= at - self._last <= self.MAX_GAP_SECS:
            self._frames, self._start = [], at
        elif at - self._last < self.MIN_STEP_SECS:
            return
        self._last = at
        if len(self._frames) < self.MAX_FRAMES:
            self._frames.append(face.shape)
        if at - self._start >= self.CHUNK_SECS:
            if len(self._frames) >= self.MIN_FRAMES:
                del self._chunks[: -MAX_BLOCKS // 2]
                self._chunks.append((self._start, float(np.log(max(self._movement(), 1e-3)))))
            self._frames, self._start = [], at

    def _movement(self) -> float:
        """Root mean square of range over typical range; a median of three, so that one wrong landmark is no movement."""
        frames = np.array(self._frames)
        smooth = np.median(np.lib.stride_tricks.sliding_window_view(frames, 3, axis=0), axis=2)
        return float(np.sqrt(np.mean((np.ptp(smooth, axis=0) / self.TYPICAL) ** 2)))

    def measure(self, start: float, end: float) -> Measurement:
        """The upper quantile of the chunks: who listens stands still for a while, a photograph for ever."""
        movements = np.array([movement for at, movement in self._chunks if start <= at <= end])
        usable = min(len(movements) * self.CHUNK_SECS / max(end - start, self.CHUNK_SECS), 1.0)
        if len(movements) < self.MIN_CHUNKS:
            return Measurement("motion", None, None, usable)
        error = 1.4 * (float(movements.var(ddof=1)) / len(movements)) ** 0.5
        return Measurement("motion", float(np.quantile(movements, 0.8)), error, usable)


class Presence:
    """Seconds with the candidate's face, and how many of them could be measured."""

    MAX_GAP_SECS, FROZEN_SECS = 2.0, 2.0

    def __init__(self) -> None:
        self.usable_face_secs = 0.0
        self.last_problem: str | None = None
        self._present = BlockSeries()
        self._last: float | None = None
        self._same_since: float | None = None

    def observe(self, observation: Observation, face: FaceObservation | None) -> None:
        """Books the time since the picture before."""
        at, picture, last = observation.at, observation.picture, self._last
        self._last = at
        self.last_problem = None if face is None else quality_problem(face)
        if not _is_copy(picture):
            self._same_since = None
        elif self._same_since is None:
            self._same_since = at if last is None else last
        if last is None or not 0 < at - last <= self.MAX_GAP_SECS:
            return
        is_frozen = self._same_since is not None and at - self._same_since >= self.FROZEN_SECS
        is_black = picture.mean_luma < 0.06 and picture.luma_deviation < 0.03
        is_present = face is not None and not is_frozen and not is_black
        self.usable_face_secs += at - last if is_present and self.last_problem is None else 0.0
        self._present.push(at, float(is_present))

    def measure(self, start: float, end: float) -> Measurement:
        """The share of time with a face."""
        means, usable = self._present.means(start, end), self._present.usable_ratio(start, end)
        return Measurement("presence", *(summary(means) if len(means) else (None, None)), usable)


class Stream:
    """Loops, repeated pictures and virtual cameras."""

    VIRTUAL_CAMERAS = (
        "obs virtual", "obs-camera", "manycam", "xsplit", "snap camera", "e2esoft", "vcam", "virtual cam", "v4l2loopback",
        "dummy video device", "deepfacelive", "deep-live-cam", "swapface", "avatarify", "mmhmm", "camtwist", "akvcam", "splitcam",
        "fake_device", ".y4m",
    )  # fmt: skip
    MAX_REMEMBERED, MAX_COMPARED, MIN_PERIOD_SECS, MIN_RUN, MIN_DISTINCT = 3_600, 48, 2.0, 8, 5
    ALLOWED_DUPLICATES, PENALTY = 0.6, 0.25

    def __init__(self) -> None:
        self._is_virtual = False
        self._looped, self._duplicated = BlockSeries(), BlockSeries()
        self._times: list[float] = []
        self._places: dict[tuple[int, int, int], list[int]] = {}
        self._runs: dict[int, tuple[int, int]] = {}
        self._last: tuple[int, int, int] | None = None

    def claim_device(self, label: str) -> None:
        """Takes what the capturing side says of its device."""
        self._is_virtual = any(known in label.lower() for known in self.VIRTUAL_CAMERAS)

    def observe(self, observation: Observation, _face: FaceObservation | None) -> None:
        """Looks whether the picture was there before, and those before it as well."""
        picture = observation.picture
        self._duplicated.push(observation.at, float(_is_copy(picture)))
        self._looped.push(observation.at, float(self._is_repeat(observation.at, picture)))

    def _is_repeat(self, at: float, picture: PictureStats) -> bool:
        mark = (round(picture.mean_luma * 8160), round(picture.luma_deviation * 8160), picture.average_hash)
        is_new, self._last = mark != self._last, mark
        place, places = len(self._times), self._places.setdefault(mark, [])
        runs, is_found = {}, False
        for earlier in reversed(places[-self.MAX_COMPARED :]):
            if at - self._times[earlier] < self.MIN_PERIOD_SECS or place - earlier > self.MAX_REMEMBERED:
                continue
            length, distinct = self._runs.get(place - earlier, (0, 0))
            runs[place - earlier] = (length + 1, distinct + is_new)
            is_found |= length + 1 >= self.MIN_RUN and distinct + is_new >= self.MIN_DISTINCT
        self._runs = runs
        self._times.append(at)
        places.append(place)
        return is_found

    def measure(self, start: float, end: float) -> Measurement:
        """The share of time that looks like a camera's."""
        looped, duplicated = self._looped.means(start, end), self._duplicated.means(start, end)
        usable = self._looped.usable_ratio(start, end)
        if len(looped) < 3:
            return Measurement("stream", None, None, usable)
        (loop_mean, loop_error), (copy_mean, copy_error) = summary(looped), summary(duplicated)
        excess = max((copy_mean - self.ALLOWED_DUPLICATES) / (1 - self.ALLOWED_DUPLICATES), 0.0)
        statistic = 1.0 - max(loop_mean, excess) - (self.PENALTY if self._is_virtual else 0.0)
        return Measurement("stream", statistic, max(loop_error or 0.0, copy_error or 0.0), usable)
