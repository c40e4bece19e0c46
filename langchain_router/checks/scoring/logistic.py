"""Logistic regression with labels that may lie between no and yes, on rows of mostly zeros."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from langchain_router.checks.scoring.sparse import Floats, Rows

_KEPT_STEPS = 8
_ARMIJO = 1e-4
_MOST_HALVINGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What a regression found.

    Attributes:
        weights: Of the columns.
        intercept: Added to every row's product.
    """

    weights: Floats = field(repr=False)
    intercept: float

    def scores(self, rows: Rows) -> Floats:
        """Return each row's log-odds."""
        return rows.times(self.weights) + self.intercept


def fit_logistic(
    rows: Rows,
    labels: Floats,
    counts: Floats,
    *,
    penalty: float,
    start: Fit | None = None,
    iterations: int = 40,
    tolerance: float = 1e-4,
) -> Fit:
    """Return the weights of least mean log loss plus half the penalty times their squares.

    By L-BFGS (Nocedal & Wright 2006, "Numerical Optimization", algorithm 7.5) with halving steps.

    Args:
        rows: At least one.
        labels: 0..1 each.
        counts: How much each row counts, at least one of them above 0.
        penalty: On the squares of the weights; the intercept is free.
        start: Where to begin, for a series of penalties.
        iterations: At most so many.
        tolerance: Stop when no slope is larger than this share of the steepest at the outset.

    Example:
        >>> from langchain_router.checks.scoring.sparse import make_rows
        >>> rows = make_rows([([0], [1.0]), ([0], [-1.0])] * 20, 1)
        >>> found = fit_logistic(rows, np.array([1.0, 0.0] * 20), np.ones(40), penalty=0.1)
        >>> bool(found.weights[0] > 1)
        True
    """
    share = counts / counts.sum()
    mean = float(np.clip(share @ labels, 1e-6, 1 - 1e-6))
    at = np.zeros(rows.width + 1)
    at[-1] = np.log(mean / (1 - mean))
    if start is not None:
        at = np.append(start.weights, start.intercept)

    def loss(at: Floats) -> tuple[float, Floats]:
        z = rows.times(at[:-1]) + at[-1]
        residuals = share * (sigmoid(z) - labels)
        slopes = np.append(rows.turned_times(residuals) + penalty * at[:-1], residuals.sum())
        value = float(share @ (np.logaddexp(0.0, z) - labels * z) + 0.5 * penalty * (at[:-1] @ at[:-1]))
        return value, slopes

    found = _lowest(loss, at, iterations=iterations, tolerance=tolerance)
    return Fit(weights=found[:-1], intercept=float(found[-1]))


def sigmoid(z: Floats) -> Floats:
    """Return the probabilities of log-odds."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)))


def _lowest(
    loss: Callable[[Floats], tuple[float, Floats]], at: Floats, *, iterations: int, tolerance: float
) -> Floats:
    value, slopes = loss(at)
    enough = tolerance * max(float(np.abs(slopes).max()), 1e-3)
    steps: list[tuple[Floats, Floats, float]] = []
    for _ in range(iterations):
        if np.abs(slopes).max() <= enough:
            break
        direction = -_bent(slopes, steps)
        downhill = float(direction @ slopes)
        if downhill >= 0:
            break
        length = 1.0 if steps else min(1.0, 1.0 / float(np.abs(slopes).sum()))
        for _ in range(_MOST_HALVINGS):
            there = at + length * direction
            new_value, new_slopes = loss(there)
            if new_value <= value + _ARMIJO * length * downhill:
                break
            length *= 0.5
        else:
            break
        moved, turned = there - at, new_slopes - slopes
        curvature = float(moved @ turned)
        if curvature > 1e-12:
            steps = [*steps[-_KEPT_STEPS + 1 :], (moved, turned, curvature)]
        at, value, slopes = there, new_value, new_slopes
    return at


def _bent(slopes: Floats, steps: list[tuple[Floats, Floats, float]]) -> Floats:
    """Return the slopes bent by what the last steps tell of the curvature (the two-loop recursion)."""
    bent = slopes.copy()
    shares = []
    for moved, turned, curvature in reversed(steps):
        share = float(moved @ bent) / curvature
        bent -= share * turned
        shares.append(share)
    if steps:
        _, turned, curvature = steps[-1]
        bent *= curvature / float(turned @ turned)
    for (moved, turned, curvature), share in zip(steps, reversed(shares), strict=True):
        bent += (share - float(turned @ bent) / curvature) * moved
    return bent
