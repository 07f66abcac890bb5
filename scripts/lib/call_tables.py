"""Writes the tables of how sessions, verification and deepfake detection hold through a call's codec, from a folder of reports.

Usage: call_tables.py OUT session|verification|deepfake
"""

import json
import sys
from collections import Counter
from pathlib import Path

SESSION = [("session", "as they are"), ("session-720-1000", "720 lines, 1000 kbit/s"), ("session-480-500", "480 lines, 500 kbit/s"),
           ("session-360-300", "360 lines, 300 kbit/s"), ("session-360-150", "360 lines, 150 kbit/s")]
VERIFICATION = [("verification", "as they are"), ("verification-300", "480x480 pixels of a call at 300 kbit/s, four faces in them"),
                ("verification-150", "the same at 150 kbit/s"), ("verification-125", "half as wide"),
                ("verification-90", "a third as wide")]
DEEPFAKE = [("deepfake", "as they are"), ("deepfake-8x4-1000", "1280x640, 1000 kbit/s"), ("deepfake-8x4-500", "1280x640, 500 kbit/s"),
            ("deepfake-4x2-500", "640x320, 500 kbit/s"), ("deepfake-4x2-300", "640x320, 300 kbit/s"),
            ("deepfake-4x2-150", "640x320, 150 kbit/s")]
LEVELS = ("INCONCLUSIVE", "CLEAR", "SUSPICIOUS", "ALERT")


def report(folder: Path, name: str) -> dict:
    """One evaluation's figures."""
    return json.loads((folder / name / "report.json").read_text())


def percent(shares: list[dict]) -> str:
    """The share of all, with its interval."""
    of_all = next(share for share in shares if share["of"] == "all")
    low, high = of_all["interval"]
    return f"{100 * of_all['share']:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def session(folder: Path) -> None:
    """Levels by class."""
    print("### Sessions through a call\n")
    print("The same recordings coded once more as H.264, and made smaller where they have more lines. Each cell: bona fide, attacks.\n")
    print(f"| picture | {' | '.join(LEVELS)} | AUC of sessions with a verdict |\n|---|{'---|' * len(LEVELS)}---|")
    for name, title in SESSION:
        found = report(folder, name)
        counts = {True: Counter(), False: Counter()}
        for recording in found["recordings"]:
            counts[recording["label"] == "bona_fide"][recording["level"] or "INCONCLUSIVE"] += 1
        cells = " | ".join(f"{counts[True][level]}, {counts[False][level]}" for level in LEVELS)
        auc = found["figures"]["auc"]["value"]
        print(f"| {title} | {cells} | {'–' if auc is None else f'{auc:.3f}'} |")
    print()


def verification(folder: Path) -> None:
    """Errors at fixed false match rates."""
    print("### Verification through a call, and of small faces\n")
    print("The same pictures of 250x250 with faces of some 110 pixels, changed; thresholds are those of each row's own pairs.\n")
    print("| pictures | not assessable | AUC | equal error rate | TAR at FMR 1e-2 | 1e-3 | 1e-4 |\n|---|---|---|---|---|---|---|")
    for name, title in VERIFICATION:
        found = report(folder, name)
        rates = {rate["false_match_rate"]: rate["true_accept_rate"] for rate in found["true_accept_rates"]}
        cells = " | ".join(f"{rates[rate]:.4f}" for rate in (1e-2, 1e-3, 1e-4))
        print(f"| {title} | {100 * found['non_response_rate']:.1f} % | {found['auc']:.4f} | {found['eer']:.4f} | {cells} |")
    print()


def deepfake(folder: Path) -> None:
    """What the codec costs."""
    print("### Deepfake detection through a call\n")
    print("The same crops at 160 pixels, side by side in a picture that drifts, as H.264 at 15 pictures a second.\n")
    print("| picture | AUC | loss | EER | BPCER at llr 0 | APCER at llr 0 |\n|---|---|---|---|---|---|")
    first = None
    for name, title in DEEPFAKE:
        figures = report(folder, name)["shipped_calibration"]
        auc = figures["auc"]["value"]
        first = auc if first is None else first
        low, high = figures["auc"]["interval"]
        bpcer, apcer = percent(figures["bpcer_at_even_ratio"]), percent(figures["apcer_at_even_ratio"])
        eer = figures["eer"]["value"]
        print(f"| {title} | {auc:.4f} ({low:.4f} to {high:.4f}) | {first - auc:.4f} | {eer:.4f} | {bpcer} | {apcer} |")
    print()


if __name__ == "__main__":
    {"session": session, "verification": verification, "deepfake": deepfake}[sys.argv[2]](Path(sys.argv[1]))
