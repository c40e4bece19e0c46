"""Simulated requests whose true loss at every threshold is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

THRESHOLDS = np.linspace(0.0, 0.3, 31)
ALLOWED = 0.05
TRUE_LOSS = THRESHOLDS**1.5  # 0 at the safest, 0.164 at the cheapest; 0.05 between the 14th and the 15th


def simulated_losses(n: int, rng: np.random.Generator) -> Real:
    """Losses of -1, 0 and 1, alike at neighbouring thresholds as those of one request are."""
    drawn = rng.random(n)[:, None]
    worse, better = 0.05 + TRUE_LOSS, 0.05
    return np.where(drawn < worse, 1.0, np.where(drawn > 1 - better, -1.0, 0.0))


def true_loss(threshold: float) -> float:
    return float(TRUE_LOSS[np.argmin(np.abs(THRESHOLDS - threshold))])


def naive_threshold(losses: Real) -> float | None:
    """The cheapest threshold whose observed loss is within what is allowed, without any proof."""
    within = np.flatnonzero(losses.mean(axis=0) <= ALLOWED)
    return float(THRESHOLDS[within[-1]]) if len(within) else None
