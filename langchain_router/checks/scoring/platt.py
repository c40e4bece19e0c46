"""Turns scores into probabilities that can be taken at their word."""

from __future__ import annotations

import numpy as np

from langchain_router.checks.scoring.logistic import sigmoid
from langchain_router.checks.scoring.sparse import Floats

_STEPS = 30
_TRUST = 4.0  # how many examples the identity is worth


def fit_platt(scores: Floats, labels: Floats, counts: Floats) -> tuple[float, float]:
    """Return slope and shift such that `sigmoid(slope * score + shift)` is a probability.

    Platt (1999), "Probabilistic outputs for support vector machines", by Newton steps; drawn towards leaving
    the scores as they are, which is worth four examples, in place of his smoothed labels.

    Args:
        scores: Log-odds, of rows on which they were not fitted.
        labels: 0..1 each.
        counts: How much each row counts.

    Example:
        >>> scores = np.repeat([-4.0, 4.0], 100)  # too sure: a quarter is otherwise
        >>> labels = np.tile([0.0, 0.0, 0.0, 1.0], 50)
        >>> labels[100:] = 1 - labels[100:]
        >>> slope, _ = fit_platt(scores, labels, np.ones(200))
        >>> round(slope, 1)
        0.3
    """
    at = np.array([1.0, 0.0])
    table = np.column_stack((scores, np.ones(len(scores))))
    home = at.copy()
    for _ in range(_STEPS):
        chance = sigmoid(table @ at)
        slopes = table.T @ (counts * (chance - labels)) + _TRUST * (at - home)
        bend = (table * (counts * chance * (1 - chance))[:, None]).T @ table + _TRUST * np.eye(2)
        step = np.linalg.solve(bend, slopes)
        at = at - np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-8:
            break
    return max(float(at[0]), 0.05), float(at[1])
