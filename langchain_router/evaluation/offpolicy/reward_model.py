"""What to expect of every arm for every request, said by models that have not seen that request."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.offpolicy.intervals import Floats

FOLDS = 5
"""Into how many parts requests are divided: each is foreseen by a model of the others."""

_SHRINKAGE = 10.0  # observations that a slope must outweigh to be half believed
_ARM_SHRINKAGE = 5.0
_SMALLEST_SPREAD = 1e-12


def cross_fitted(
    features: Floats,
    arm: NDArray[np.int64],
    outcome: Floats,
    known: Floats,
    *,
    fold: NDArray[np.int64],
    arms: int,
    hint: Floats | None = None,
) -> Floats:
    """Return the expected outcome of each request under each arm, one row a request and one column an arm.

    A ridge regression over all arms on the features, with a level for each arm, and one for each arm on what
    that leaves. What is expected stays within what was seen. It need not be right: `doubly_robust` corrects
    it. A fold is foreseen by the models of all other folds.

    Args:
        features: Of each request, one row each.
        arm: What was chosen, as a number below `arms`.
        outcome: Of each request; what it is where it is not known does not matter.
        known: How well the outcome is known, from 0 for not at all to 1.
        fold: Which part each request belongs to.
        arms: How many there are.
        hint: What somebody expects of each arm, such as a price; another feature, which depends on the arm.

    Source: Hoerl and Kennard 1970, "Ridge Regression".
    """
    predicted = np.zeros((len(features), arms))
    for part in np.unique(fold):
        held_out = fold == part
        fitted = np.logical_and(~held_out, known > 0)
        predicted[held_out] = _fit_and_predict(
            features, arm, outcome, known, fitted=fitted, wanted=held_out, arms=arms, hint=hint
        )
    return predicted


def _fit_and_predict(
    features: Floats,
    arm: NDArray[np.int64],
    outcome: Floats,
    known: Floats,
    *,
    fitted: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
    arms: int,
    hint: Floats | None,
) -> Floats:
    if not fitted.any():
        return np.zeros((int(wanted.sum()), arms))
    target, weight, chosen = outcome[fitted], known[fitted], arm[fitted]
    level = float(target @ weight / weight.sum())
    scale = _Scale(features[fitted])
    rows = scale(features[fitted])
    hints = None if hint is None else _Scale(hint[fitted, chosen][:, None])
    own = rows if hints is None else np.column_stack([rows, hints(hint[fitted, chosen][:, None])])  # type: ignore[index]
    pooled = np.column_stack([own, np.eye(arms)[chosen]])
    penalty = np.r_[np.full(own.shape[1], _SHRINKAGE), np.full(arms, _ARM_SHRINKAGE)]
    slopes = _ridge(pooled, target - level, weight, penalty)
    left: Floats = target - level - pooled @ slopes
    found = np.empty((int(wanted.sum()), arms))
    there = scale(features[wanted])
    for one in range(arms):
        mine = there if hints is None else np.column_stack([there, hints(hint[wanted, one][:, None])])  # type: ignore[index]
        found[:, one] = level + mine @ slopes[: mine.shape[1]] + slopes[mine.shape[1] + one]
        here = chosen == one
        if here.any():
            with_level = np.column_stack([own[here], np.ones(int(here.sum()))])
            of_arm = np.r_[np.full(own.shape[1], 2 * _SHRINKAGE), _ARM_SHRINKAGE]
            more = _ridge(with_level, left[here], weight[here], of_arm)
            found[:, one] += mine @ more[:-1] + more[-1]
    return np.clip(found, target.min(), target.max())


def _ridge(rows: Floats, target: Floats, weight: Floats, penalty: Floats) -> Floats:
    weighted = rows * weight[:, None]
    solved: Floats = np.asarray(
        np.linalg.solve(weighted.T @ rows + np.diag(penalty), weighted.T @ target), np.float64
    )
    return solved


class _Scale:
    """Brings columns to a mean of 0 and a deviation of 1; those that never change, to 0."""

    def __init__(self, rows: Floats) -> None:
        self._mean: Floats = rows.mean(axis=0)
        spread: Floats = rows.std(axis=0)
        self._inverse: Floats = np.where(
            spread > _SMALLEST_SPREAD, 1 / np.maximum(spread, _SMALLEST_SPREAD), 0.0
        )

    def __call__(self, rows: Floats) -> Floats:
        scaled: Floats = (rows - self._mean) * self._inverse
        return np.clip(scaled, -5.0, 5.0)
