"""What the service knows as messages of `proto/bonafide/v1`; the modules of the contract are those that `run` compiled."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from bonafide.v1 import live_service_pb2 as live
from bonafide.v1 import session_service_pb2 as session
from bonafide.v1 import types_pb2 as types
from google.protobuf.duration_pb2 import Duration
from google.rpc.status_pb2 import Status

import pictures
from decisions import Score, Segment
from models import NAMES

SERVER = "python-peer"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
NANOS = 1_000_000_000


def duration(secs: float) -> Duration:
    """Seconds for the wire."""
    return Duration(seconds=(nanos := round(secs * NANOS)) // NANOS, nanos=nanos % NANOS)


def secs(value: Duration) -> float:
    """Seconds of a duration."""
    return value.seconds + value.nanos / NANOS


def versions(models: Path, policy: str) -> live.Versions:
    """What a score can be repeated with."""
    digests = {name: hashlib.sha256((models / f"{name}.onnx").read_bytes()).hexdigest() for name in NAMES}
    return live.Versions(
        server=SERVER, policy=policy, models=[f"models/{name}@{digest}" for name, digest in digests.items()], provider="cpu"
    )


def accepted_formats() -> list[int]:
    """The formats that are decoded here."""
    return [*(kind for kind in pictures.STILLS if kind), *pictures.RAW, *pictures.PLANAR]


def score(participant: str, made: Score, policy: str) -> types.Score:
    """A score for the wire."""
    message = types.Score(
        participant_id=participant,
        level=made.level + 1,
        signals=[types.Signal(name=name, llr=llr, usable_ratio=usable) for name, llr, usable in made.signals],
        usable_face_time=duration(made.usable_face_secs),
        window_start=duration(made.start),
        window_end=duration(made.end),
        policy=policy,
        engine=SERVER,
        reasons=[types.Reason(code=code, values=values) for code, values in made.reasons.items()],
    )
    if made.authenticity is not None:
        message.authenticity, message.authenticity_low, message.authenticity_high = made.authenticity
    return message


def segment(session_name: str, found: Segment) -> types.Segment:
    """A segment for the wire."""
    return types.Segment(
        name=f"{session_name}/segments/{found.number}",
        participant_id=found.participant,
        start=duration(found.start),
        end=duration(found.end),
        level=found.level + 1,
        state=types.SEGMENT_STATE_OPEN if found.is_open else types.SEGMENT_STATE_CLOSED,
    )


def sample_error(code: int, problem: str, track_id: str, sequence: int) -> live.AnalyzeStreamResponse:
    """One sample that could not be used."""
    error = live.SampleError(status=Status(code=code, message=problem), track_id=track_id, sequence=sequence)
    return live.AnalyzeStreamResponse(sample_error=error)


def worst(scores: Iterable[types.Score]) -> int:
    """The worst level of several scores; INCONCLUSIVE without any."""
    return max((made.level for made in scores), default=types.LEVEL_INCONCLUSIVE)


__all__ = ["accepted_formats", "duration", "live", "sample_error", "score", "secs", "segment", "session", "types", "versions", "worst"]
