"""Feedback on its way to a store, for those who must not wait for the disk."""

from __future__ import annotations

import atexit
import logging
import threading
import time
import weakref
from collections import deque
from typing import Any, Final

from langchain_router.exceptions import StoreBusyError, StoreFullError
from langchain_router.forks import give_lock
from langchain_router.outcomes.feedback import Feedback

_logger = logging.getLogger("langchain_router")

_AT_ONCE: Final = 500
_GATHER_S: Final = 0.02
_IDLE_S: Final = 1.0


class Outbox:
    """Takes feedback without waiting, and stores it in a thread, many pieces at once.

    Prefer the store's own `add_feedback` where you need to know that it was stored.

    Args:
        store: Where to.
        most: How many pieces may wait; what comes on top is dropped and counted.

    Attributes:
        stored: How many pieces were stored.
        dropped: How many were lost, since too many waited or the store failed.
    """

    def __init__(self, store: Any, *, most: int = 10_000) -> None:
        self.stored = 0
        self.dropped = 0
        self._store = store
        self._most = most
        self._waiting: deque[Feedback] = deque()
        self._lock: threading.Lock
        self._storing: threading.Lock
        give_lock(self, "_lock")
        give_lock(self, "_storing")
        self._thread: threading.Thread | None = None
        atexit.register(_at_exit, weakref.ref(self))

    def add(self, feedback: Feedback) -> None:
        """Take a piece in. Never raises, never waits for the store."""
        with self._lock:
            if len(self._waiting) >= self._most:
                self.dropped += 1
                return
            self._waiting.append(feedback)
            thread = self._thread
            if thread is not None and thread.is_alive():  # a fork has none of its parent's threads
                return
            # Not a `Worker`: that would be left behind together with the call that it was begun in.
            self._thread = threading.Thread(target=self._work, name="langchain-router-feedback", daemon=True)
            thread = self._thread
        try:
            thread.start()
        except RuntimeError:  # the process is ending; what waits is stored at its exit
            _logger.debug("feedback waits for the end of the process")

    def flush(self) -> int:
        """Store what waits; return how many pieces were lost so far. A store that is busy gets them later."""
        while self._store_some():
            pass
        return self.dropped

    def _work(self) -> None:
        """Store what comes, until nothing has come for a while."""
        idle_s = 0.0
        while True:
            time.sleep(_GATHER_S)
            idle_s = 0.0 if self._store_some() else idle_s + _GATHER_S
            if idle_s < _IDLE_S:
                continue
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return

    def _store_some(self) -> bool:
        """Store a batch; return whether there was anything."""
        with self._storing:
            with self._lock:
                batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            if not batch:
                return False
            try:
                self._store.add_feedback(*batch)
            except (StoreBusyError, StoreFullError):  # later, perhaps
                with self._lock:
                    self._waiting.extendleft(reversed(batch))
                return False
            except Exception as error:  # noqa: BLE001 - what was only inferred must not break anything
                self.dropped += len(batch)
                _logger.warning("%d pieces of feedback were lost (%s)", len(batch), type(error).__name__)
            else:
                self.stored += len(batch)
            return True


def _at_exit(outbox: weakref.ref[Outbox]) -> None:
    found = outbox()
    if found is not None:
        found.flush()
