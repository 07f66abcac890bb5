"""Trains the presentation-attack detector, and measures it on sources and people held back.

Writes into the folder: `head.npz`, trained on everything; `held_out.csv` with, for every picture, the bona fide logit of a
head that saw no picture of its source (`source`) and of one that did not see its person (`person`); `report.md`.
"""

import argparse
import csv
import hashlib
from pathlib import Path

import cv2
import numpy as np

from lib import metrics
from presentation import features, head
from presentation.data import PORTRAITS, SOURCES, Face, load

FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with pad/ and faces/")
    parser.add_argument("--models", type=Path, required=True, help="folder that `bonafide models fetch` filled")
    parser.add_argument("--start", type=Path, required=True, help="the fetched network")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    faces = load(args.data, args.models)
    versions = features.plain_and_mirrored(features.Network(args.start), faces)

    by_source = held_out(faces, versions, np.array([face.source for face in faces]))
    by_person = held_out(faces, versions, folds_of(faces))
    with (args.out / "held_out.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "source", "person"])
        for face, source, person in zip(faces, by_source, by_person, strict=True):
            writer.writerow([face.path, f"{-source:.3f}", f"{-person:.3f}"])
    trained = head.fit(faces, versions, np.ones(len(faces), bool))
    np.savez(args.out / "head.npz", weights=trained.weights, bias=trained.bias)
    report = table(faces, versions[0].fetched, by_source, by_person)
    (args.out / "report.md").write_text(report)
    print(report)


def folds_of(faces: list[Face]) -> np.ndarray:
    """One of a few parts for every face, the same for all of a person."""
    return np.array([hashlib.sha256(face.person.encode()).digest()[0] % FOLDS for face in faces])


def held_out(faces: list[Face], versions: list[features.Features], parts: np.ndarray) -> np.ndarray:
    """The attack logit of every face by a head that saw nothing of its part."""
    logits = np.zeros(len(faces))
    for part in np.unique(parts):
        held = parts == part
        logits[held] = head.fit(faces, versions, ~held).logits(versions[0][held])
    return logits


def table(faces: list[Face], fetched: np.ndarray, by_source: np.ndarray, by_person: np.ndarray) -> str:
    """Markdown: each source with the fetched network, held back, and with its people held back."""
    lines = ["| source | pictures | fetched network: AUC | source held back: AUC (95 % over people) | APCER | BPCER | "
             "people held back: AUC | APCER | BPCER |", "|---|---|---|---|---|---|---|---|---|"]
    for source in SOURCES:
        rows = np.array([face.source == source for face in faces])
        labels = np.array([float(face.is_attack) for face in faces])[rows]
        people = np.array([face.person for face in faces])[rows]
        low, high = metrics.auc_interval(by_source[rows], labels, people)
        unseen, seen = (f"{metrics.auc(logits[rows], labels):.3f}" for logits in (by_source, by_person))
        lines.append(f"| {source} | {rows.sum()} | {metrics.auc(fetched[rows], labels):.3f} | {unseen} ({low:.3f} to {high:.3f}) | "
                     f"{errors(by_source[rows], labels)} | {seen} | {errors(by_person[rows], labels)} |")
    rows = np.array([face.source == PORTRAITS for face in faces])
    lines.append(f"| portraits, bona fide only | {rows.sum()} | – | – | – | {100 * (by_source[rows] >= 0).mean():.1f} % | – | – | "
                 f"{100 * (by_person[rows] >= 0).mean():.1f} % |")
    return "\n".join(lines) + "\n"


def errors(logits: np.ndarray, labels: np.ndarray) -> str:
    """APCER and BPCER at logit 0, as two cells."""
    return f"{100 * (logits[labels == 1] < 0).mean():.1f} % | {100 * (logits[labels == 0] >= 0).mean():.1f} %"


if __name__ == "__main__":
    main()
