"""Ridge regression of many targets on the same inputs, with the error of each row when it is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Single = NDArray[np.float32]

PENALTIES: Final = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e5)
"""From which the pull to zero is chosen; the last is as good as knowing the mean only."""

_TINY: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class RidgeFit:
    """What a regression found for some targets.

    Attributes:
        weights: Of every input, a column for each target.
        constants: Of each target.
        left_out: For each row and target, what is predicted by a regression on all other rows.
        explained: Of each target, the share of its variance that the left-out predictions explain.
    """

    weights: Single = field(repr=False)
    constants: Real = field(repr=False)
    left_out: Real = field(repr=False)
    explained: Real

    def predict(self, inputs: Single) -> Real:
        """Return a prediction for each row and target."""
        predicted: Real = (inputs @ self.weights).astype(np.float64) + self.constants
        return predicted


class Ridge:
    """Fits many targets on the same inputs; the inputs are decomposed once.

    The pull to zero is chosen for each target by the error of left-out rows, which for a ridge regression
    follows from one fit on all (Allen 1974, "The relationship between variable selection and data
    augmentation", the PRESS statistic). The constant is not shrunk.

    Args:
        inputs: One row for each observation, at least two.

    Example:
        >>> inputs = np.array([[0.0], [1.0], [2.0], [3.0]], np.float32)
        >>> fit = Ridge(inputs).fit(2 * inputs.astype(np.float64), penalties=[1e-3])
        >>> round(float(fit.predict(np.array([[10.0]], np.float32))[0, 0]), 1)
        20.0
    """

    def __init__(self, inputs: Single) -> None:
        self._mean = inputs.mean(axis=0)
        self._inputs = inputs - self._mean
        rows, columns = inputs.shape
        self._is_wide = rows <= columns
        if self._is_wide:
            gram = (self._inputs @ self._inputs.T).astype(np.float64)
            squares, vectors = np.linalg.eigh(gram)
            self._left: Real = vectors
            self._squares: Real = np.maximum(squares, _TINY * max(float(squares[-1]), _TINY))
        else:  # in single precision: half the time, and exact enough for a pull of 1 and more
            squares, vectors = np.linalg.eigh(self._inputs.T @ self._inputs)
            kept = squares > _TINY * max(float(squares[-1]), _TINY)
            self._right = vectors[:, kept]
            self._squares = squares[kept].astype(np.float64)
            self._left = ((self._inputs @ self._right) / np.sqrt(squares[kept])).astype(np.float64)
        self._leverages = self._left**2

    def fit(self, targets: Real, *, penalties: Sequence[float] = PENALTIES) -> RidgeFit:
        """Fit each column of the targets.

        Args:
            targets: One row for each of the inputs, one column for each target.
            penalties: Pulls to choose from.
        """
        rows, count = targets.shape
        mean = targets.mean(axis=0)
        wanted = targets - mean
        along = self._left.T @ wanted
        least = np.full(count, np.inf)
        left_out, coefficients = np.zeros_like(wanted), np.zeros_like(along)
        for penalty in penalties:
            kept = self._squares / (self._squares + penalty)
            leverage = self._leverages @ kept + 1 / rows
            errors = (wanted - self._left @ (kept[:, None] * along)) / np.maximum(1 - leverage, _TINY)[
                :, None
            ]
            squared = (errors**2).mean(axis=0)
            better = squared < least
            left_out[:, better] = (wanted - errors)[:, better]
            coefficients[:, better] = (kept / np.sqrt(self._squares))[:, None] * along[:, better]
            least = np.where(better, squared, least)
        weights = self._weights(coefficients)
        spread = np.maximum((wanted**2).mean(axis=0), _TINY**2)
        return RidgeFit(
            weights=weights,
            constants=mean - (self._mean @ weights).astype(np.float64),
            left_out=left_out + mean,
            explained=1 - least / spread,
        )

    def _weights(self, coefficients: Real) -> Single:
        if self._is_wide:
            dual = self._left @ (coefficients / np.sqrt(self._squares)[:, None])
            weights: Single = self._inputs.T @ dual.astype(np.float32)
        else:
            weights = self._right @ coefficients.astype(np.float32)
        return weights
