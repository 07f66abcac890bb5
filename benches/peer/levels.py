"""Compares verdicts on recordings: this pipeline and decisions beside what `bonafide score --json` printed.

    python levels.py --models DIR --policy FILE --rust FILE.jsonl [--fps HZ]

The recordings are those that the file names. Ends with 1 when a level differs.
"""

import argparse
import json
import sys
from pathlib import Path

import cv2

from decisions import Level, Participant, Policy, Score
from models import Models
from pipeline import Pipeline, TrackState


def judge(pipeline: Pipeline, policy: Policy, path: Path, fps: float) -> tuple[Score | None, int]:
    """The score of one recording and the number of pictures behind it."""
    recording = cv2.VideoCapture(str(path))
    participant, state = Participant(policy, "candidate"), TrackState()
    n_pictures, due = 0, float("-inf")
    while True:
        is_read, picture = recording.read()
        if not is_read:
            break
        at = recording.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if fps and at < due:
            continue
        # As `bonafide stream --fps` thins pictures.
        due = at + 0.9 / fps if fps else at
        n_pictures += 1
        participant.observe(pipeline.analyse(state, picture, at))
        participant.rescore()
    return participant.rescore(is_last=True)[0], n_pictures


def ratios(signals: dict[str, float | None]) -> str:
    """All log-likelihood ratios in one cell."""
    return " ".join("–" if signals.get(name) is None else f"{signals[name]:+.1f}" for name in signals)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--policy", type=Path, required=True)
    parser.add_argument("--rust", type=Path, required=True, help="what `bonafide score --json` printed")
    parser.add_argument("--fps", type=float, default=0.0, help="pictures a second [default: all]")
    arguments = parser.parse_args()
    pipeline, policy = Pipeline(Models(arguments.models)), Policy(arguments.policy)
    n_equal = n_all = 0
    print("| recording | Bonafide | peer | Bonafide's ratios | peer's | pictures |\n|---|---|---|---|---|---|")
    for line in arguments.rust.read_text().splitlines():
        said = json.loads(line)
        expected, path = said["participants"][0], Path(said["path"])
        found, n_pictures = judge(pipeline, policy, path, arguments.fps)
        level = found.level if found is not None else Level.INCONCLUSIVE
        values = [expected["authenticity"], found.authenticity and found.authenticity[0] if found is not None else None]
        numbers = ["" if value is None else f" {value:.3f}" for value in values]
        sides = [
            ratios({signal["name"]: signal["llr"] for signal in expected["signals"]}),
            ratios({name: llr for name, llr, _ in found.signals} if found is not None else {}),
        ]
        is_equal = level.name == expected["level"]
        n_all, n_equal = n_all + 1, n_equal + is_equal
        mark = "" if is_equal else " **differs**"
        row = f"| {path.stem} | {expected['level']}{numbers[0]} | {level.name}{numbers[1]}{mark} | {sides[0]} | {sides[1]} | {n_pictures} |"
        print(row, flush=True)
    print(f"\n{n_equal} of {n_all} levels are equal")
    sys.exit(n_equal != n_all)


if __name__ == "__main__":
    main()
