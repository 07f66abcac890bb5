"""CPU time of a picture that is analysed in full, without gRPC, by stage; and of the models' runs alone.

    benches/peer/run frame [--rounds N] [--frames N]

The picture is a JPEG with one face: a photograph in the middle of grey, as benches/frame.rs makes it. CPU time is that of the
process over all threads. Every round measures whole pictures of each size, and the bare runs with what the last picture gave
the models, in the same rotation; a figure is the median over the rounds, so that what is compared was measured side by side.
"""

import argparse
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

import pictures
from decisions import Participant, Policy
from models import Models
from pipeline import Pipeline, TrackState

SIZES = ((1280, 720), (640, 480))
GREY = 128
JPEG_QUALITY = 90
FRAME_SECS = 1 / 30
WARM_UP = 5


class RecordingModels(Models):
    """Models that count their runs' time, and keep their inputs while asked to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.spent = 0.0
        self.kept: list[tuple[str, np.ndarray]] | None = None

    def run(self, name: str, tensor: np.ndarray) -> list[np.ndarray]:
        """As in the service, with a stopwatch."""
        if self.kept is not None:
            self.kept.append((name, tensor.copy()))
        began = time.process_time()
        outputs = super().run(name, tensor)
        self.spent += time.process_time() - began
        return outputs


class Stages:
    """CPU time of each stage, and within it of the models."""

    def __init__(self, models: RecordingModels) -> None:
        self._models = models
        self.totals: dict[str, float] = defaultdict(float)
        self.of_models: dict[str, float] = defaultdict(float)

    @contextmanager
    def watch(self, stage: str) -> Iterator[None]:
        """Adds what passes within."""
        before, began = self._models.spent, time.process_time()
        yield
        self.totals[stage] += time.process_time() - began
        self.of_models[stage] += self._models.spent - before


def jpeg_of(photograph: np.ndarray, width: int, height: int) -> bytes:
    """The photograph in the middle of grey, its top edge at the picture's."""
    picture = np.full((height, width, 3), GREY, np.uint8)
    rows, left = min(photograph.shape[0], height), (width - photograph.shape[1]) // 2
    picture[:rows, left : left + photograph.shape[1]] = photograph[:rows]
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


class Camera:
    """One track that shows the same picture again and again."""

    def __init__(self, models: RecordingModels, policy: Policy, jpeg: bytes) -> None:
        self._models, self._jpeg = models, jpeg
        self.stages = Stages(models)
        self._plain = Pipeline(models)
        self._watched = Pipeline(models, self.stages.watch)
        self._state, self._participant, self._at = TrackState(), Participant(policy, "candidate"), 0.0

    def _analyse(self, pipeline: Pipeline) -> None:
        self._at += FRAME_SECS
        with self.stages.watch("decode"):
            picture = pictures.decode(self._jpeg, pictures.JPEG, 0, 0, 0)
        observation = pipeline.analyse(self._state, picture, self._at)
        assert observation.faces and observation.faces[0].deepfake is not None, "the photograph shows a face"
        with self.stages.watch("decisions"):
            self._participant.observe(observation)
            self._participant.rescore()

    def whole(self, count: int) -> float:
        """Seconds of CPU time a picture, without stopwatches within the pipeline."""
        began = time.process_time()
        for _ in range(count):
            self._analyse(self._plain)
        return (time.process_time() - began) / count

    def by_stage(self, count: int) -> tuple[dict[str, float], dict[str, float]]:
        """Seconds of CPU time of each stage a picture, and of the models within it."""
        self.stages.totals.clear()
        self.stages.of_models.clear()
        for _ in range(count):
            self._analyse(self._watched)
        return tuple({stage: value / count for stage, value in side.items()} for side in (self.stages.totals, self.stages.of_models))

    def inputs(self) -> list[tuple[str, np.ndarray]]:
        """What the models are given for one picture, in order."""
        self._models.kept = []
        self._analyse(self._plain)
        kept, self._models.kept = self._models.kept, None
        return kept


def bare(models: Models, inputs: list[tuple[str, np.ndarray]], count: int) -> float:
    """Seconds of CPU time of the models' runs of one picture, and nothing else."""
    runs = [(models.sessions[name], {models.sessions[name].get_inputs()[0].name: tensor}) for name, tensor in inputs]
    began = time.process_time()
    for _ in range(count):
        for session, feed in runs:
            session.run(None, feed)
    return (time.process_time() - began) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--policy", type=Path, required=True)
    media = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bonafide" / "media"
    parser.add_argument("--photograph", type=Path, default=media / "astronaut.png", help="a picture with one face")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--frames", type=int, default=20, help="pictures of each size and kind a round")
    arguments = parser.parse_args()
    photograph = cv2.imread(str(arguments.photograph))
    if photograph is None:
        parser.error(f"cannot read {arguments.photograph}: scripts/setup fetches it")
    models, policy = RecordingModels(arguments.models), Policy(arguments.policy)
    cameras = {size: Camera(models, policy, jpeg_of(photograph, *size)) for size in SIZES}
    for camera in cameras.values():
        camera.whole(WARM_UP)
    inputs = {size: camera.inputs() for size, camera in cameras.items()}
    wholes, bares, stages = defaultdict(list), defaultdict(list), defaultdict(list)
    for _ in range(arguments.rounds):
        for size, camera in cameras.items():
            wholes[size].append(camera.whole(arguments.frames))
            bares[size].append(bare(models, inputs[size], arguments.frames))
            stages[size].append(camera.by_stage(arguments.frames))

    print(f"ONNX Runtime {onnxruntime.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}; load average", end=" ")
    print(" ".join(f"{load:.1f}" for load in os.getloadavg()), end=f"; {arguments.rounds} rounds of {arguments.frames} pictures\n\n")
    print(
        "| ms of CPU time |"
        + "".join(f" {width}x{height} | of it models |" for width, height in SIZES)
        + "\n|---|"
        + "---|---|" * len(SIZES)
    )
    for stage in stages[SIZES[0]][0][0]:
        cells = [1000 * statistics.median(round_[side].get(stage, 0.0) for round_ in stages[size]) for size in SIZES for side in (0, 1)]
        print(f"| {stage} |" + "".join(f" {cell:.2f} |" for cell in cells))
    rows = {
        "**whole picture**": wholes,
        "models alone, same inputs, same rotation": bares,
    }
    for name, values in rows.items():
        print(f"| {name} |" + "".join(f" {1000 * statistics.median(values[size]):.2f} | |" for size in SIZES))
    ratios = {size: [whole / alone for whole, alone in zip(wholes[size], bares[size], strict=True)] for size in SIZES}
    print(
        "| whole over models alone, median and range of the rounds |"
        + "".join(f" {statistics.median(ratios[size]):.2f} ({min(ratios[size]):.2f} to {max(ratios[size]):.2f}) | |" for size in SIZES)
    )


if __name__ == "__main__":
    main()
