"""Sums of whole numbers that fade with time, and are the same in whatever order they were added to."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.exceptions import ConfigurationError

Whole = NDArray[np.int64]
Real = NDArray[np.float64]

HALF_LIFE_S: Final = 30 * 86_400.0
"""After how long what was learned counts half, in seconds, unless said otherwise."""

REMEMBERED: Final = 12
"""Half-lives after which what was learned is dropped; it would count less than a four-thousandth."""


class FadingSums:
    """One array of sums for each key, kept apart by the half-life in which its parts happened.

    Time is cut into periods of one half-life. Each period has its own exact sums, and what is read is their
    total, each halved once for every period that has begun since. So nothing is ever multiplied in place,
    and the same additions give the same bits in any order. A period that is 12 older than the newest seen is
    dropped, and an addition to it ignored, which comes to the same in any order too.

    The newest period is that of the newest addition, not of now: beliefs do not fade while nothing happens.
    It follows that a clock that runs years ahead would make all the rest look old.

    Args:
        shape: Of the array of each key.
        half_life_s: After how long an addition counts half, in seconds; None for never.
        most_keys: How many keys are kept: those that hash lowest, so that it does not matter which came
            first.

    Raises:
        ConfigurationError: A half-life or number of keys that is not above 0.

    Example:
        >>> sums = FadingSums((2,), half_life_s=10)
        >>> sums.add("a", np.array([8, 1]), at_s=5)
        >>> sums.add("a", np.array([1, 1]), at_s=15)
        >>> sums.read("a").tolist()  # the first is one half-life older
        [5.0, 1.5]
    """

    def __init__(
        self, shape: tuple[int, ...], *, half_life_s: float | None = HALF_LIFE_S, most_keys: int = 64
    ) -> None:
        if half_life_s is not None and (
            isinstance(half_life_s, bool)
            or not isinstance(half_life_s, (int, float))
            or not 0 < half_life_s < math.inf
        ):
            raise ConfigurationError(
                f"half_life_s must be a number of seconds above 0, or None for beliefs that do not fade, "
                f"got {half_life_s!r}."
            )
        if most_keys < 1:
            raise ConfigurationError(f"most_keys must be at least 1, got {most_keys!r}.")
        self.shape = shape
        self.half_life_s = half_life_s
        self._most_keys = most_keys
        self._newest = 0
        self._by_key: dict[str, dict[int, Whole]] = {}

    @property
    def newest(self) -> int:
        """The newest period that was added to."""
        return self._newest

    def add(self, key: str, what: Whole, *, at_s: float, sign: int = 1) -> None:
        """Add an array of whole numbers to a key's sums, or take it away again.

        Args:
            key: Whose sums.
            what: What to add, of `shape`.
            at_s: When it happened, in seconds since 1970.
            sign: 1 to add, -1 to take away.
        """
        period = 0 if self.half_life_s is None else math.floor(at_s / self.half_life_s)
        if period > self._newest:
            self._newest = period
            self._drop_old()
        # Even a key that has nothing to remember takes its room: which have one depends on no order.
        if not self._has_room(key) or period < self._newest - REMEMBERED:
            return
        periods = self._by_key[key]
        if period not in periods:
            periods[period] = np.zeros(self.shape, np.int64)
        if sign > 0:
            periods[period] += what
        else:
            periods[period] -= what

    def read(self, key: str) -> Real:
        """Return the sums of a key as they count now; zeros for a key never seen."""
        total: Real = np.zeros(self.shape)
        for period, sums in sorted(self._by_key.get(key, {}).items()):
            total += np.ldexp(sums.astype(np.float64), period - self._newest)
        return total

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever added."""
        return not self._by_key

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def keys(self) -> list[str]:
        """Return the keys that were added to."""
        return sorted(self._by_key)

    def clear(self) -> None:
        """Forget all sums."""
        self._by_key.clear()
        self._newest = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that there is to know, for `numpy.savez`: the same sums give the same arrays."""
        keys = self.keys()
        held = [
            (index, period, part)
            for index, key in enumerate(keys)
            for period, part in sorted(self._by_key[key].items())
            if part.any()  # what was added and taken away again is as if it had never been
        ]
        sums = [part for _, _, part in held]
        return {
            "keys": np.frombuffer(json.dumps(keys).encode(), np.uint8),
            "owners": np.array([index for index, _, _ in held], np.int64),
            "periods": np.array([period for _, period, _ in held], np.int64),
            "sums": np.stack(sums) if sums else np.zeros((0, *self.shape), np.int64),
            "newest": np.array(self._newest, np.int64),
        }

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over what `arrays` returned.

        Raises:
            ValueError: It is not that.
        """
        owners, periods, sums, newest = (arrays[name] for name in ("owners", "periods", "sums", "newest"))
        keys = json.loads(arrays["keys"].tobytes())
        are_whole = all(one.dtype == np.int64 for one in (owners, periods, sums, newest))
        if not are_whole or owners.ndim != 1 or periods.shape != owners.shape or newest.ndim:
            raise ValueError("sums of another kind")
        if sums.shape != (len(owners), *self.shape):
            raise ValueError(f"sums of the shape {sums.shape[1:]}, not {self.shape}")
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise ValueError("keys that are no texts")
        if len(set(keys)) < len(keys) or len(keys) > self._most_keys:
            raise ValueError("too many keys, or one of them twice")
        last = int(newest)
        by_key: dict[str, dict[int, Whole]] = {key: {} for key in keys}
        for owner, period, part in zip(owners.tolist(), periods.tolist(), sums, strict=True):
            if not 0 <= owner < len(keys) or not last - REMEMBERED <= period <= last:
                raise ValueError("sums of nobody, or of a time that cannot be")
            by_key[keys[owner]][period] = part.copy()
        self._by_key, self._newest = by_key, last

    def _drop_old(self) -> None:
        for periods in self._by_key.values():
            for period in [one for one in periods if one < self._newest - REMEMBERED]:
                del periods[period]

    def _has_room(self, key: str) -> bool:
        if key in self._by_key:
            return True
        self._by_key[key] = {}
        if len(self._by_key) > self._most_keys:
            del self._by_key[max(self._by_key, key=_rank)]
        return key in self._by_key


def _rank(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=8).digest()
