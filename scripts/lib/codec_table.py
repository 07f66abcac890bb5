"""Writes a table of how deepfake detection holds through a call's codec, from the reports in a folder."""

import json
import sys
from pathlib import Path

ROWS = [("deepfake", "as they are"), ("deepfake-8x4-1000", "1280x640, 1000 kbit/s"), ("deepfake-8x4-500", "1280x640, 500 kbit/s"),
        ("deepfake-4x2-500", "640x320, 500 kbit/s"), ("deepfake-4x2-300", "640x320, 300 kbit/s"),
        ("deepfake-4x2-150", "640x320, 150 kbit/s")]


def percent(shares: list[dict]) -> str:
    """The share of all, with its interval."""
    of_all = next(share for share in shares if share["of"] == "all")
    low, high = of_all["interval"]
    return f"{100 * of_all['share']:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def main() -> None:
    print("### Deepfake detection through a call\n")
    print("The same crops at 160 pixels, side by side in a picture that drifts, as H.264 at 15 pictures a second.\n")
    print("| picture | AUC | loss | EER | BPCER at llr 0 | APCER at llr 0 |\n|---|---|---|---|---|---|")
    first = None
    for name, title in ROWS:
        figures = json.loads((Path(sys.argv[1]) / name / "report.json").read_text())["shipped_calibration"]
        auc = figures["auc"]["value"]
        first = auc if first is None else first
        low, high = figures["auc"]["interval"]
        bpcer, apcer = percent(figures["bpcer_at_even_ratio"]), percent(figures["apcer_at_even_ratio"])
        eer = figures["eer"]["value"]
        print(f"| {title} | {auc:.4f} ({low:.4f} to {high:.4f}) | {first - auc:.4f} | {eer:.4f} | {bpcer} | {apcer} |")
    print()


if __name__ == "__main__":
    main()
