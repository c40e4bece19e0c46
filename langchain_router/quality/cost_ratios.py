"""How what calls really cost compares with what was expected."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langchain_router.quality.sums import HALF_LIFE_S, FadingSums
from langchain_router.signals.types import INTENTS

_UNIT: Final = 1024
_LARGEST: Final = 64.0
_PRIOR_COUNT: Final = 4.0
_PRIOR_DEVIATION: Final = 0.5
_MOST_READ: Final = 1_000
_PLACE: Final = {label: place for place, label in enumerate(INTENTS)}


class _Seen(NamedTuple):
    calls: float
    total: float
    squares: float
    by_intent: Mapping[Any, tuple[float, float]]


class CostRatios:
    """The mean ratio of actual to expected cost, for each key and intent.

    That of an intent is drawn towards the key's over all intents, and that towards a prior, each worth four
    observations. Ratios over 64 count as 64, so that one bill cannot spoil all the others.

    Args:
        half_life_s: After how long an observation counts half, in seconds; None for never.
        most_keys: How many keys are kept.

    Example:
        >>> ratios = CostRatios(half_life_s=None)
        >>> for _ in range(12):
        ...     ratios.learn("mini", "reasoning", 2.0)
        >>> round(ratios.expect("mini", {"reasoning": 1.0})[0], 2), ratios.expect("max", {})[0]
        (1.94, 1.0)
    """

    def __init__(self, *, half_life_s: float | None = HALF_LIFE_S, most_keys: int = 64) -> None:
        self._sums = FadingSums((len(INTENTS), 3), half_life_s=half_life_s, most_keys=most_keys)
        self._read: dict[str, _Seen] = {}

    def learn(self, key: str, intent: str, ratio: float, *, at_s: float = 0) -> None:
        """Take in what a call cost, divided by what it was expected to cost."""
        if intent not in _PLACE or not math.isfinite(ratio) or ratio < 0:
            return
        whole = round(_UNIT * min(ratio, _LARGEST))
        seen = np.zeros(self._sums.shape, np.int64)
        seen[_PLACE[intent]] = 1, whole, whole * whole
        self._sums.add(key, seen, at_s=at_s)
        self._read.clear()

    def expect(
        self, key: str, intent_probabilities: Mapping[Any, float], *, prior: float = 1.0
    ) -> tuple[float, float]:
        """Return the ratio to expect, and the standard deviation of that expectation.

        Args:
            key: Whose.
            intent_probabilities: By label.
            prior: What to expect before anything was seen.
        """
        seen = self._seen_of(key)
        count = seen.calls + _PRIOR_COUNT
        overall = (seen.total + _PRIOR_COUNT * prior) / count
        spread = prior * prior + _PRIOR_DEVIATION * _PRIOR_DEVIATION
        variance = (seen.squares + _PRIOR_COUNT * spread) / count - overall * overall
        known = told = drawn = 0.0
        like_this = _PRIOR_COUNT
        for label, chance in intent_probabilities.items():
            by_count, by_total = seen.by_intent.get(label, (0.0, 0.0))
            known += chance
            told += chance * by_total / (by_count + _PRIOR_COUNT)
            drawn += chance * _PRIOR_COUNT / (by_count + _PRIOR_COUNT)
            like_this += chance * by_count
        ratio = (told + drawn * overall) / known if known else overall
        return ratio, math.sqrt(max(variance, 0.0) / like_this)

    def clear(self) -> None:
        """Forget all."""
        self._sums.clear()
        self._read.clear()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learned, for `numpy.savez`."""
        return self._sums.arrays()

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` returned.

        Raises:
            ValueError: It is not that.
        """
        if (arrays["sums"] < 0).any():
            raise ValueError("counts below 0")
        self._sums.load(arrays)
        self._read.clear()

    def _seen_of(self, key: str) -> _Seen:
        if key not in self._read:
            if len(self._read) > _MOST_READ:
                self._read.clear()
            sums = self._sums.read(key) / (1.0, _UNIT, _UNIT * _UNIT)
            count, total, squares = sums.sum(axis=0).tolist()
            by_intent = {
                label: (float(sums[place, 0]), float(sums[place, 1])) for label, place in _PLACE.items()
            }
            self._read[key] = _Seen(count, total, squares, by_intent)
        return self._read[key]
