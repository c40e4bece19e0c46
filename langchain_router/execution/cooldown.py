"""How long a provider wants to be left alone: the part of a breaker that obeys rate limits."""

from __future__ import annotations

import math
import random

from langchain_router.execution.breaker_config import BreakerConfig


class Cooldown:
    """Keeps the time that a provider named, or a time that doubles while limits repeat and none is named.

    Holds no lock and reads no clock: the breaker that owns it does.

    Attributes:
        until: When it is over, by the breaker's clock; minus infinity when there is none.
        number: One more with each limit. A call that began under a lower one says nothing of a later limit.
    """

    __slots__ = ("_config", "_repeats", "_rng", "_spread_s", "number", "until")

    def __init__(self, config: BreakerConfig, rng: random.Random) -> None:
        self._config = config
        self._rng = rng
        self._repeats = 0
        self._spread_s = 0.0
        self.until = -math.inf
        self.number = 0

    def begin(self, *, now: float, asked_s: float | None, began_under: int) -> float:
        """Cool from now on, and never shorter than before; return for how many seconds.

        Args:
            now: In seconds.
            asked_s: What the provider named, in seconds; None for nothing.
            began_under: The `number` when the call began that met the limit.
        """
        if began_under == self.number:
            self._repeats += 1  # of calls that were under way together only the first counts
        if asked_s is None:
            asked_s = self._config.rate_limit_s * 2.0 ** min(max(self._repeats - 1, 0), 64)
        seconds = min(asked_s, self._config.retry_after_cap_s)
        if now + seconds > self.until:
            self.until = now + seconds
            self._spread_s = seconds * self._config.jitter
        self.number += 1
        return seconds

    def later_s(self) -> float:
        """Return how long after the end one of those who wait for it may call, in seconds, at random."""
        return self._spread_s * self._rng.random()

    def answered(self, *, began_under: int) -> None:
        """Take note of an answer: to a call that began after the limit, it ends it."""
        if began_under == self.number:
            self.until = -math.inf
            self._repeats = 0
