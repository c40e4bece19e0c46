"""A limit on how many calls to one candidate are under way at once."""

from __future__ import annotations

import threading

from langchain_router.exceptions import ConfigurationError
from langchain_router.forks import give_lock


class ConcurrencyLimit:
    """Lets at most so many calls be under way, so that one slow candidate cannot hold every caller.

    Never waits: who gets no place goes elsewhere or asks again. That, and why no `Semaphore` is used, is for
    threads and any number of event loops to share it.

    Args:
        most: Most calls at once, 1 or more. None for no limit; then nothing is counted either.

    Raises:
        ConfigurationError: `most` is not a whole number above 0.

    Example:
        >>> limit = ConcurrencyLimit(1)
        >>> limit.try_acquire(), limit.try_acquire()
        (True, False)
        >>> limit.release()
        >>> limit.in_flight
        0
    """

    __slots__ = ("__weakref__", "_in_flight", "_lock", "_most")

    def __init__(self, most: int | None) -> None:
        is_count = isinstance(most, int) and not isinstance(most, bool) and most >= 1
        if not (most is None or is_count):
            raise ConfigurationError(
                f"A concurrency limit must be a whole number above 0, got {most!r}. None means no limit."
            )
        self._most = most
        self._in_flight = 0
        self._lock: threading.Lock
        give_lock(self, "_lock")

    @property
    def in_flight(self) -> int | None:
        """Calls under way; None where there is no limit, because nobody counts."""
        return None if self._most is None else self._in_flight

    @property
    def is_full(self) -> bool:
        """Whether there is no place now."""
        return self._most is not None and self._in_flight >= self._most

    def try_acquire(self) -> bool:
        """Take a place if there is one; then `release` it exactly once, however the call ends."""
        if self._most is None:
            return True
        with self._lock:
            if self._in_flight >= self._most:
                return False
            self._in_flight += 1
            return True

    def release(self) -> None:
        """Give a place back.

        Raises:
            RuntimeError: Nobody holds one. That is a fault in the code that calls, and would let more calls
                through than the limit allows.
        """
        if self._most is None:
            return
        with self._lock:
            if self._in_flight == 0:
                raise RuntimeError(
                    "A place was released that nobody held: a bug in langchain_router; please report it."
                )
            self._in_flight -= 1
