"""Measurements to verdicts: the policy's calibrations, the mixture over kinds of attack, levels and stretches.

The formulas are those of `src/scoring`; every number comes from `config/policy.toml`.
"""

import math
import tomllib
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path

import faces
from pipeline import FaceObservation, Observation
from signals import Deepfake, Identity, Measurement, Motion, Presence, Presentation, Stream

# Half width of the interval in standard errors, and the least standard error of a session's log-odds.
INTERVAL, MIN_STANDARD_ERROR = 1.96, 0.5
FAMILIES = {
    "identity": "identity",
    "presentation": "presentation",
    "deepfake": "manipulation",
    "motion": "still",
    "presence": "stream",
    "stream": "stream",
}
SEEN_BY = {
    "substitution": ("identity",),
    "replay": ("presentation",),
    "photograph": ("presentation", "still"),
    "face_swap": ("manipulation",),
    "injected_still": ("still",),
    "injected_video": ("stream",),
}


class Level(IntEnum):
    """The verdict, mildest first; the wire counts from 1."""

    INCONCLUSIVE = 0
    CLEAR = 1
    SUSPICIOUS = 2
    ALERT = 3


class Policy:
    """The numbers of a policy file."""

    def __init__(self, path: Path) -> None:
        self.numbers = tomllib.loads(path.read_text())
        self.name = f"policies/{self.numbers['id']}@{self.numbers['version']}"
        prior = self.numbers["prior_authenticity"]
        self.prior_log_odds = math.log(prior / (1 - prior))

    def calibrate(self, measurement: Measurement) -> tuple[float, float] | None:
        """Log-likelihood ratio of a measurement, positive = bona fide, and its standard error, both weighted."""
        signal = self.numbers["signals"].get(measurement.signal)
        statistic = measurement.statistic
        if signal is None or signal["weight"] <= 0 or statistic is None or not math.isfinite(statistic):
            return None
        line = signal["calibration"]

        def apply(value: float) -> float:
            return min(max(line["offset"] + line["slope"] * value, line["llr_min"]), line["llr_max"])

        error = measurement.standard_error or 0.0
        llr = apply(statistic)
        spread = math.hypot((apply(statistic + error) - apply(statistic - error)) / 2, line["standard_error"])
        alarm = signal.get("alarm")
        if measurement.is_alarm and alarm is not None and alarm["llr"] < llr:
            llr, spread = alarm["llr"], alarm["standard_error"]
        return signal["weight"] * llr, signal["weight"] * spread

    def fuse(self, families: dict[str, tuple[float, float]]) -> tuple[float, float]:
        """The mixture over kinds of attack; a family that was not measured says nothing."""
        shares = self.numbers["attack_shares"]
        likelihoods = {
            kind: shares[kind] * math.exp(-sum(families.get(family, (0.0, 0.0))[0] for family in seen)) for kind, seen in SEEN_BY.items()
        }
        total = shares["unseen"] + sum(likelihoods.values())
        variance = 0.0
        for family, (_, error) in families.items():
            share = sum(likelihoods[kind] for kind, seen in SEEN_BY.items() if family in seen) / total
            variance += (share * error) ** 2
        return -math.log(total), math.sqrt(variance)

    def level(self, value: float, low: float) -> Level:
        """The level of an estimate; an interval that reaches below `suspicious_below` is not CLEAR."""
        levels = self.numbers["levels"]
        if value < levels["alert_below"]:
            return Level.ALERT
        if value < levels["suspicious_below"]:
            return Level.SUSPICIOUS
        return Level.CLEAR if value >= levels["clear_from"] and low >= levels["suspicious_below"] else Level.INCONCLUSIVE


@dataclass(frozen=True)
class Score:
    """What is said of one participant."""

    level: Level
    # Estimate, lower and upper end of its interval; None when the level is INCONCLUSIVE.
    authenticity: tuple[float, float, float] | None
    # Name, ratio or None, usable share.
    signals: list[tuple[str, float | None, float]]
    # Codes with their numbers.
    reasons: dict[str, dict[str, float]]
    usable_face_secs: float
    start: float
    end: float


def score(policy: Policy, measurements: list[Measurement], usable_secs: float, needed_secs: float, problem: str | None) -> Score:
    """Weighs all signals on the prior's log-odds, or abstains."""
    ratios = {measurement.signal: policy.calibrate(measurement) for measurement in measurements}
    families: dict[str, tuple[float, float]] = {}
    for name, ratio in ratios.items():
        if ratio is not None:
            llr, error = families.get(FAMILIES[name], (0.0, 0.0))
            families[FAMILIES[name]] = (llr + ratio[0], math.hypot(error, ratio[1]))
    reasons: dict[str, dict[str, float]] = {}
    if not usable_secs >= needed_secs:
        reasons["evidence.too_little_face_time"] = {"usable_face_secs": usable_secs, "secs_needed": needed_secs}
        reasons |= {problem: {}} if problem else {}
    if len(families) < (needed := policy.numbers["evidence"]["min_families"]):
        reasons["evidence.too_few_signals"] = {"families": len(families), "families_needed": needed}
    not_seen: dict[str, dict[str, float]] = {} if "identity" in families else {"evidence.no_identity": {}}
    if "presentation" not in families and "still" not in families:
        not_seen["evidence.no_liveness"] = {}
    llr, error = policy.fuse(families)
    log_odds, half = policy.prior_log_odds + llr, INTERVAL * math.hypot(error, MIN_STANDARD_ERROR)
    value, low, high = (1 / (1 + math.exp(-odds)) for odds in (log_odds, log_odds - half, log_odds + half))
    level = Level.INCONCLUSIVE if reasons else policy.level(value, low)
    if level == Level.CLEAR and not_seen:
        level = Level.INCONCLUSIVE
    if level == Level.INCONCLUSIVE:
        undecided = {"authenticity": value, "authenticity_low": low, "authenticity_high": high}
        reasons = reasons | not_seen or {"score.undecided": undecided}
    signals = [(each.signal, ratio and ratio[0], each.usable_ratio) for each, ratio in zip(measurements, ratios.values(), strict=True)]
    return Score(level, None if level == Level.INCONCLUSIVE else (value, low, high), signals, reasons, usable_secs, 0.0, 0.0)


@dataclass
class Segment:
    """A stretch worth a reviewer's look."""

    number: int
    participant: str
    start: float
    end: float
    level: Level
    is_open: bool = True


@dataclass
class _Candidate:
    """Follows the candidate's face: the largest near the middle, kept while it is there."""

    KEEP_SECS, TAKE_OVER_AREA, TAKE_OVER_SECS = 1.0, 2.5, 2.0
    current: tuple[int, float] | None = None
    rival: tuple[int, float] | None = None

    def choose(self, observation: Observation) -> FaceObservation | None:
        found, at = observation.faces, observation.at
        if not found:
            return None
        middle = max(observation.picture.width / 2, 1.0)
        best = max(found, key=lambda face: faces.area(face.box) * (1 - 0.5 * min(abs((face.box[0] + face.box[2]) / 2 / middle - 1), 1.0)))
        followed = next((face for face in found if self.current is not None and face.track == self.current[0]), None)
        chosen = best
        if followed is not None:
            chosen = best if self._takes_over(at, followed, best) else followed
        elif self.current is not None and at - self.current[1] < self.KEEP_SECS:
            beside = [face for face in found if face is not best]
            if any(faces.area(face.box) * self.TAKE_OVER_AREA > faces.area(best.box) for face in beside):
                return None
        self.current = (chosen.track, at)
        return chosen

    def _takes_over(self, at: float, followed: FaceObservation, best: FaceObservation) -> bool:
        if best is followed or faces.area(best.box) <= faces.area(followed.box) * self.TAKE_OVER_AREA:
            self.rival = None
            return False
        if self.rival is None or self.rival[0] != best.track:
            self.rival = (best.track, at)
        return at - self.rival[1] >= self.TAKE_OVER_SECS


@dataclass
class Participant:
    """One participant: the signals that watch, and the score that follows once a second of media time."""

    policy: Policy
    name: str
    latest: Score | None = None
    segments: list[Segment] = field(default_factory=list)
    identity: Identity = field(default_factory=Identity)
    presence: Presence = field(default_factory=Presence)
    stream: Stream = field(default_factory=Stream)

    def __post_init__(self) -> None:
        self._signals = [self.identity, Presentation(), Deepfake(), Motion(), self.presence, self.stream]
        self._candidate = _Candidate()
        self._first: float | None = None
        self._last = self._scored_at = float("-inf")
        self._n_changes = 0
        self._usable: list[tuple[float, float]] = []
        self._suspicious_since: float | None = None
        self._last_suspicious = float("-inf")
        self._worst: tuple[Level, tuple[float, float, float], float, float] | None = None

    @property
    def is_open(self) -> bool:
        """Whether more is wanted: nothing is decided, or something is suspicious."""
        return self.latest is None or self.latest.level != Level.CLEAR or self._has_open_segment()

    def observe(self, observation: Observation) -> None:
        """Takes one picture; one whose media time went back is left out."""
        if observation.at < self._last:
            return
        self._first = observation.at if self._first is None else self._first
        self._last = observation.at
        face = self._candidate.choose(observation)
        for signal in self._signals:
            signal.observe(observation, face)

    def rescore(self, *, is_last: bool = False) -> tuple[Score | None, Segment | None]:
        """The new score, when one is due, and the segment that changed with it."""
        sampling, at = self.policy.numbers["sampling"], self._last
        is_due = at - self._scored_at >= sampling["score_interval_secs"] or len(self.identity.changes) > self._n_changes
        if self._first is None or not (is_due or is_last):
            return None, None
        self._scored_at, self._n_changes = at, len(self.identity.changes)
        segment = self._rescore_window(at - sampling["window_secs"], at)
        if is_last and self._has_open_segment():
            segment = self.segments[-1]
            segment.is_open = False
        self.latest = self._score(self._first, at, self.presence.usable_face_secs, "min_usable_face_secs")
        # A session is as authentic as its worst stretch.
        if self._worst is not None and (self.latest.authenticity is None or self._worst[1][0] < self.latest.authenticity[0]):
            level, authenticity, start, end = self._worst
            reasons = {"segment.worst": {"start_secs": start, "end_secs": end}}
            self.latest = replace(self.latest, level=max(self.latest.level, level), authenticity=authenticity, reasons=reasons)
        return self.latest, segment

    def _score(self, start: float, end: float, usable_secs: float, needed: str) -> Score:
        measurements = [signal.measure(start, end) for signal in self._signals]
        needed_secs = self.policy.numbers["evidence"][needed]
        made = score(self.policy, measurements, usable_secs, needed_secs, self.presence.last_problem)
        return replace(made, start=start, end=end)

    def _rescore_window(self, start: float, end: float) -> Segment | None:
        """Scores the last seconds, and opens, extends or closes a segment."""
        sampling = self.policy.numbers["sampling"]
        self._usable.append((end, self.presence.usable_face_secs))
        while len(self._usable) > 1 and self._usable[1][0] <= start:
            del self._usable[0]
        before = self._usable[0][1] if self._usable[0][0] <= start else 0.0
        window = self._score(start, end, self.presence.usable_face_secs - before, "min_window_face_secs")
        changes = [at for at, _ in self.identity.changes if start <= at <= end]
        if window.level < Level.SUSPICIOUS or window.authenticity is None:
            self._suspicious_since = None
            if self._has_open_segment() and end - self._last_suspicious >= sampling["close_after_secs"]:
                self.segments[-1].is_open = False
                return self.segments[-1]
            return None
        self._last_suspicious = end
        self._suspicious_since = end if self._suspicious_since is None else self._suspicious_since
        is_held = changes or window.level == Level.ALERT or end - self._suspicious_since >= sampling["open_after_secs"]
        if not (self._has_open_segment() or is_held):
            return None
        onset = changes[0] if changes else max(start, self._first)
        if self._worst is None or window.authenticity[0] < self._worst[1][0]:
            self._worst = (window.level, window.authenticity, onset, end)
        if self._has_open_segment():
            segment = self.segments[-1]
            segment.end, segment.level = end, max(segment.level, window.level)
            return segment
        if self.segments:
            onset = max(onset, self.segments[-1].end)
        self.segments.append(Segment(len(self.segments) + 1, self.name, onset, end, window.level))
        return self.segments[-1]

    def _has_open_segment(self) -> bool:
        return bool(self.segments) and self.segments[-1].is_open
