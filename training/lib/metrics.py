"""Figures of a detector on labelled scores; the service's own evaluation is the one that counts."""

import numpy as np


def auc(scores: np.ndarray, labels: np.ndarray) -> float:
    """Share of (genuine, attack) pairs in which the attack scores higher; ties count half."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    _, inverse, counts = np.unique(ordered, return_inverse=True, return_counts=True)
    means = np.bincount(inverse, np.arange(1, len(scores) + 1)) / counts
    ranks[order] = means[inverse]
    n_attacks = int(labels.sum())
    n_genuine = len(labels) - n_attacks
    return float((ranks[labels == 1].sum() - n_attacks * (n_attacks + 1) / 2) / (n_attacks * n_genuine))


def auc_interval(scores: np.ndarray, labels: np.ndarray, groups: np.ndarray, n: int = 400, seed: int = 1) -> tuple[float, float]:
    """95 % bootstrap interval of the AUC over groups (source videos or people)."""
    rng = np.random.default_rng(seed)
    _, index = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(index == group) for group in range(index.max() + 1)]
    values = []
    for _ in range(n):
        rows = np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))])
        if 0 < labels[rows].sum() < len(rows):
            values.append(auc(scores[rows], labels[rows]))
    return float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))


def eer(scores: np.ndarray, labels: np.ndarray) -> float:
    """The error rate at the threshold where both are alike."""
    thresholds = np.unique(scores)
    attacks, genuine = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    missed = np.searchsorted(attacks, thresholds) / len(attacks)
    alarms = 1 - np.searchsorted(genuine, thresholds) / len(genuine)
    place = np.abs(missed - alarms).argmin()
    return float((missed[place] + alarms[place]) / 2)
