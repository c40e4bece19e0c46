"""Bayesian linear regression that is the same, bit for bit, in whatever order it met its data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.sums import HALF_LIFE_S, FadingSums, Real, Whole

INPUT_UNIT: Final = 128
"""Inputs are whole multiples of 1/128."""

TARGET_UNIT: Final = 1024
"""Targets are whole multiples of 1/1024."""

WEIGHT_UNIT: Final = 64
"""Weights are whole multiples of 1/64."""

_NOISE: Final = 0.15  # the variance of a success of which 82 % are seen
_NOISE_COUNT: Final = 8.0
_FIRST_ROOM: Final = 8


class ExactLinear:
    """A regression of its own for each key, on the same inputs, all read at once.

    What is kept are sums of whole numbers (of weight, input by input, and input by target), so that any
    order of learning and unlearning gives the same state; coefficients and their covariance are computed
    from the sums when they are first needed again. A key that was never learned predicts 0.

    The prior says how many observations it is worth, input by input: coefficient i starts at
    0 with variance noise / precision[i]. The noise is learned along, from a prior of 0.15 worth eight
    observations, and the uncertainty scales with it (the conjugate normal-inverse-gamma model).

    Args:
        precision: Of the prior, for each input, in observations; each above 0. A mapping gives keys their
            own, with `""` for all others.
        half_life_s: After how long an observation counts half, in seconds; None for never.
        most_keys: How many regressions are kept.

    Raises:
        ConfigurationError: A precision that is not above 0, or of another length than the others.

    Example:
        >>> model = ExactLinear([2.0, 4.0], half_life_s=None)
        >>> for _ in range(6):
        ...     model.learn("a", np.array([128, 0]), 1024)
        >>> means, deviations = model.predict(["a", "b"], np.array([128, 0]))
        >>> means.tolist()  # six observations of 1, against a prior of 0 that is worth two
        [0.75, 0.0]
    """

    def __init__(
        self,
        precision: Sequence[float] | Mapping[str, Sequence[float]],
        *,
        half_life_s: float | None = HALF_LIFE_S,
        most_keys: int = 64,
    ) -> None:
        given = precision if isinstance(precision, Mapping) else {"": precision}
        self._precision = {key: np.array(one, np.float64) for key, one in given.items()}
        size = len(self._precision[""])
        for key, one in self._precision.items():
            if one.shape != (size,) or not (np.isfinite(one) & (one > 0)).all():
                raise ConfigurationError(f"the prior precision of {key!r} must be {size} numbers above 0.")
        self.size = size
        self._most_keys = most_keys
        self._sums = FadingSums((size + 1, size + 1), half_life_s=half_life_s, most_keys=most_keys)
        self._reset()

    def learn(
        self,
        key: str,
        inputs: Whole,
        target: int,
        *,
        weight: int = WEIGHT_UNIT,
        at_s: float = 0,
        sign: int = 1,
    ) -> None:
        """Take an observation in, or take it back.

        Args:
            key: Whose.
            inputs: In 1/128.
            target: In 1/1024.
            weight: In 1/64.
            at_s: When it was made, in seconds since 1970.
            sign: 1 to learn, -1 to unlearn what was learned with the same arguments.
        """
        row = np.empty(self.size + 1, np.int64)
        row[:-1] = inputs
        row[-1] = target
        before = self._sums.newest, key in self._sums
        self._sums.add(key, np.outer(row, row * weight), at_s=at_s, sign=sign)
        if before != (self._sums.newest, True):  # others are older now, or had to make room
            self._stale.update(self._rows)
        if key in self._rows:
            self._stale.add(key)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever learned."""
        return self._sums.is_empty

    def predict(self, keys: Sequence[str], inputs: Whole) -> tuple[Real, Real]:
        """Return the expected target for each key, and how unsure that is, as a standard deviation.

        The deviation is of the expectation, not of single targets: it shrinks to 0 with enough data.

        Args:
            keys: Whose.
            inputs: In 1/128, the same for all.
        """
        self._refresh(keys)
        rows = [self._rows[key] for key in keys]
        real = inputs / INPUT_UNIT
        deviations = np.sqrt(np.maximum((self._covariance @ real) @ real, 0.0))
        return (self._means @ real)[rows], deviations[rows]

    def predict_rows(self, keys: Sequence[str], inputs: Sequence[Whole]) -> tuple[list[float], list[float]]:
        """Return what `predict` does, with inputs of their own for each key."""
        self._refresh(keys)
        real = np.stack(inputs) / INPUT_UNIT
        rows = [self._rows[key] for key in keys]
        means = np.einsum("kd,kd->k", self._means[rows], real)
        variances = [one @ self._covariance[row] @ one for row, one in zip(rows, real, strict=True)]
        return means.tolist(), np.sqrt(np.maximum(variances, 0.0)).tolist()

    def count(self, key: str) -> float:
        """Return how many observations count now, given that the first input is always 1."""
        self._refresh([key])
        return float(self._counts[self._rows[key]])

    def coefficients(self, key: str) -> tuple[Real, Real]:
        """Return the coefficients of a key and their covariance."""
        self._refresh([key])
        return self._means[self._rows[key]].copy(), self._covariance[self._rows[key]].copy()

    def clear(self) -> None:
        """Forget all."""
        self._sums.clear()
        self._reset()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learned, for `numpy.savez`."""
        held = self._sums.arrays()
        upper = np.triu_indices(self.size + 1)
        return {**held, "sums": held["sums"][:, upper[0], upper[1]]}  # they are symmetrical

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` returned, instead of its own.

        Raises:
            ValueError: It is not that.
        """
        half = arrays["sums"]
        upper = np.triu_indices(self.size + 1)
        if half.ndim != 2 or half.shape[1] != len(upper[0]) or half.dtype != np.int64:
            raise ValueError("sums of a regression on other inputs")
        full = np.zeros((len(half), self.size + 1, self.size + 1), np.int64)
        full[:, upper[0], upper[1]] = half
        full[:, upper[1], upper[0]] = half
        if (np.diagonal(full, axis1=1, axis2=2) < 0).any():
            raise ValueError("sums of squares below 0")
        self._sums.load({**arrays, "sums": full})
        self._reset()

    def _reset(self) -> None:
        self._rows: dict[str, int] = {}
        self._stale: set[str] = set()
        self._means: Real = np.zeros((0, self.size))
        self._covariance: Real = np.zeros((0, self.size, self.size))
        self._counts: Real = np.zeros(0)

    def _refresh(self, keys: Sequence[str]) -> None:
        new = [key for key in dict.fromkeys(keys) if key not in self._rows]
        if len(self._rows) + len(new) > 2 * self._most_keys:  # many were asked for and never learned
            self._reset()
            new = list(dict.fromkeys(keys))
        if new:
            self._make_room(new)
        if self._stale:
            for key in self._stale.intersection(keys):
                row = self._rows[key]
                self._means[row], self._covariance[row], self._counts[row] = self._posterior(key)
                self._stale.discard(key)

    def _make_room(self, new: Sequence[str]) -> None:
        self._rows.update({key: row for row, key in enumerate(new, len(self._rows))})
        self._stale.update(new)
        more = len(self._rows) - len(self._means)
        if more > 0:
            more = max(more, _FIRST_ROOM, len(self._means))
            room = np.zeros((more, self.size, self.size))
            self._means = np.concatenate((self._means, room[:, 0]))
            self._counts = np.concatenate((self._counts, room[:, 0, 0]))
            self._covariance = np.concatenate((self._covariance, room))

    def _posterior(self, key: str) -> tuple[Real, Real, float]:
        sums = self._sums.read(key) / WEIGHT_UNIT
        by_input = sums[:-1, -1] / (INPUT_UNIT * TARGET_UNIT)
        prior = self._precision.get(key, self._precision[""])
        precision = sums[:-1, :-1] / (INPUT_UNIT * INPUT_UNIT)
        count = max(float(precision[0, 0]), 0.0)
        precision[np.diag_indices(self.size)] += prior
        inverse = np.linalg.inv(precision)
        means = inverse @ by_input
        unexplained = float(sums[-1, -1]) / (TARGET_UNIT * TARGET_UNIT) - float(means @ by_input)
        noise = (_NOISE_COUNT * _NOISE + max(unexplained, 0.0)) / (_NOISE_COUNT + count)
        return means, noise * (inverse + inverse.T) / 2, count
