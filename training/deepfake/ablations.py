"""Collects the ablation runs of a folder into one table, printed as Markdown."""

import csv
import json
import sys
from pathlib import Path


def main() -> None:
    print("| run | input | AUC, DFDC held back | through H.264 | blends held back |\n|---|---|---|---|---|")
    for folder in sorted(Path(sys.argv[1]).glob("ablate-*")):
        log = folder / "log.csv"
        if not log.exists():
            continue
        with log.open(newline="") as file:
            last = list(csv.DictReader(file))[-1]
        side = json.loads((folder / "recipe.json").read_text())["side"]
        print(f"| {folder.name.removeprefix('ablate-')} | {side} | {last['auc']} | {last['auc_coded']} | {last['auc_blended']} |")


if __name__ == "__main__":
    main()
