"""A budget for second tries, so that a provider in trouble is not called to death."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from langchain_router.exceptions import ConfigurationError
from langchain_router.forks import give_lock

_ROUNDING = 1e-9  # five times 0.2 is a whole call


class RetryBudget:
    """Allows as many extra calls as a share of the requests, and a few where there are hardly any requests.

    Retries help against a fault that passes, and make an overload last: three tries each turn a provider at
    its limit into one at three times its limit, even after what started it is over. A limit of tries for each
    request does not prevent that; a limit for all requests together does.

    Each request brings `share` of an extra call, and each extra call takes one. Saved up is at most what the
    active requests brought, or one call, so good hours leave no hoard to burn when trouble starts. Where that
    gives nothing, `minimum` extra calls are allowed all the same in each `window_s`, as an advance on what
    later requests bring. So while every request fails, extra calls come to `share` of all requests, or to
    `minimum` in each `window_s` if that is more.

    The shape is that of Envoy's retry budget (20 % of the active requests, at least 3), kept as an account
    like that of Finagle and tower (requests pay in, retries draw out): a mere share of the active requests
    would let calls that fail fast be repeated any number of times within one slow call.

    Safe to share between threads and event loops; never waits.

    Args:
        share: Extra calls for each request, 0 to 1. 0 allows none at all.
        minimum: Extra calls always allowed in each `window_s`. Give 0 where the share must never be exceeded,
            as for hedges: then the first is allowed after `1 / share` requests.
        window_s: In seconds.
        clock: Monotonic seconds.

    Raises:
        ConfigurationError: A value is out of range.

    Example:
        >>> budget = RetryBudget(share=0.2, minimum=1)
        >>> budget.began()
        >>> budget.try_spend(), budget.try_spend()
        (True, False)
        >>> budget.ended()
    """

    def __init__(
        self,
        *,
        share: float = 0.2,
        minimum: int = 3,
        window_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not (_is_number(share) and 0 <= share <= 1):
            raise ConfigurationError(f"share must be from 0 to 1, got {share!r}.")
        if not (_is_number(minimum) and isinstance(minimum, int) and minimum >= 0):
            raise ConfigurationError(f"minimum must be a whole number, 0 or more, got {minimum!r}.")
        if not (_is_number(window_s) and 0 < window_s < math.inf):
            raise ConfigurationError(f"window_s must be seconds above 0, got {window_s!r}.")
        self._share = share
        self._minimum = minimum if share > 0 else 0
        self._window_s = window_s
        self._clock = clock
        self._lock: threading.Lock
        give_lock(self, "_lock")
        self._active = 0
        self._balance = 0.0  # below 0: an advance that later requests pay back
        self._spent_at: deque[float] = deque(maxlen=self._minimum)

    def began(self) -> None:
        """Count a request; say `ended` once when it is over, however it ends."""
        with self._lock:
            self._active += 1
            self._balance += self._share
            self._forget_savings()

    def ended(self) -> None:
        """Count a request that began as over.

        Raises:
            RuntimeError: None is active. That is a fault in the code that calls.
        """
        with self._lock:
            if self._active == 0:
                raise RuntimeError(
                    "A request ended that had not begun: a bug in langchain_router; please report it."
                )
            self._active -= 1
            self._forget_savings()

    def try_spend(self) -> bool:
        """Return whether one more extra call is allowed, and take it off the budget."""
        with self._lock:
            now = self._clock()
            if self._balance < 1 - _ROUNDING and not self._is_advance_left(now):
                return False
            self._balance = max(self._balance - 1, -float(self._minimum))
            self._spent_at.append(now)
            return True

    def _is_advance_left(self, now: float) -> bool:
        if len(self._spent_at) < self._minimum:
            return True
        return self._minimum > 0 and now - self._spent_at[0] >= self._window_s

    def _forget_savings(self) -> None:
        self._balance = min(self._balance, max(1.0, self._share * self._active))


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
