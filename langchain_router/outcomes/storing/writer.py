"""A bounded queue and the one thread that empties it into the store: whoever queues a row never waits."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.lessons import Situation
from langchain_router.outcomes.records import Outcome

MOST_QUEUED: Final = 2_048
_IDLE_S: Final = 5.0
_LINGER_S: Final = 0.01
_PAUSE_S: Final = 0.1


class Decided(NamedTuple):
    """A decision that is about to be acted on."""

    situation: Situation
    asked: Asked


class Done(NamedTuple):
    """What came of it, at which time, and the id of the message that was returned."""

    outcome: Outcome
    at_s: float
    message_id: str | None


class Linked(NamedTuple):
    """A run by whose id feedback may come."""

    decision_id: str
    run_id: str


Row = Decided | Done | Linked


class Writer:
    """Keeps rows until they are written, oldest first, and has them written soon.

    Rows stay in the queue until they are in the store; so the bound holds for those under way, too, and a row
    is lost only where the queue was full, which is counted. The thread starts with the first row, ends when
    there was none for a while, and is started again.

    Args:
        write: Writes the oldest rows and says `done`; returns how many. Raises `StoreError` for "try again".
        on_trouble: Told of an error for which rows have to wait.
        on_start: Called when the thread starts, in this process or one forked from it.
        most: Most rows that are kept.

    Attributes:
        dropped: Rows that were not taken in, because the queue was full or closed.
    """

    def __init__(
        self,
        write: Callable[[], int],
        *,
        on_trouble: Callable[[Exception], None],
        on_start: Callable[[], None],
        most: int = MOST_QUEUED,
    ) -> None:
        self._write = write
        self._on_trouble = on_trouble
        self._on_start = on_start
        self._most = most
        self.reset()

    def reset(self) -> None:
        """Start anew and empty: in a process that was just forked, whose parent writes its own rows."""
        self.dropped = 0
        self._rows: deque[Row] = deque()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_closed(self) -> bool:
        """Whether it takes no rows any more."""
        return self._is_closed

    def put(self, row: Row) -> bool:
        """Queue a row; return False where it had to be dropped."""
        with self._lock:
            if len(self._rows) >= self._most or self._is_closed:
                self.dropped += 1
                return False
            self._rows.append(row)
            if not self._wake.is_set():
                self._wake.set()
            if self._thread is not None:
                return True
            self._thread = threading.Thread(target=self._run, name="langchain-router-store", daemon=True)
            try:
                self._on_start()
                self._thread.start()
            except RuntimeError:  # the interpreter is ending; what is queued is written at its exit
                self._thread = None
        return True

    def first(self, count: int) -> list[Row]:
        """Return the oldest rows; they stay queued."""
        with self._lock:
            return [row for row, _ in zip(self._rows, range(count), strict=False)]

    def done(self, count: int) -> None:
        """Take the oldest rows out: they are in the store, or never will be."""
        with self._lock:
            there = min(count, len(self._rows))
            for _ in range(there):
                self._rows.popleft()
            self.dropped -= count - there  # given up while they were being written: they were not lost

    def pending(self) -> list[Row]:
        """Return all rows that wait."""
        with self._lock:
            return list(self._rows)

    def close(self) -> None:
        """Take no more rows, and let the thread end."""
        with self._lock:
            self._is_closed = True
        self._wake.set()

    def give_up(self) -> int:
        """Drop what is queued, counted like all that is dropped; return how many rows that were."""
        with self._lock:
            count = len(self._rows)
            self._rows.clear()
            self.dropped += count
            return count

    def _run(self) -> None:
        while True:
            has_woken = self._wake.wait(_IDLE_S)
            self._wake.clear()
            if self._is_over(is_idle=not has_woken):
                return
            time.sleep(_LINGER_S)  # so that rows are written together: a commit for each costs more
            self._empty()

    def _empty(self) -> None:
        while self._rows and not self._is_closed:
            try:
                self._write()
            except Exception as error:  # noqa: BLE001 - the rows wait, and nobody else is held up
                self._on_trouble(error)
                time.sleep(_PAUSE_S)

    def _is_over(self, *, is_idle: bool) -> bool:
        """Say whether the thread ends; the next row then starts another."""
        with self._lock:
            is_over = self._is_closed or (is_idle and not self._rows)
            if is_over:
                self._thread = None
            return is_over
