"""Waits for the parts of a stream, each within a limit."""

from __future__ import annotations

import _thread
import asyncio
import contextlib
import queue
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any, Final, NamedTuple

from langchain_router.exceptions import DeadlineExceededError
from langchain_router.execution.workers import AbandonedError, Worker

END: Final = object()
"""What comes when there are no more parts."""


class Wait(NamedTuple):
    """How long to wait for a part.

    Attributes:
        seconds: So long; None for as long as it takes.
        what: What is late after that, for the error.
        limit_s: The limit that it misses then, in seconds.
    """

    seconds: float | None
    what: str = "end"
    limit_s: float = 0.0


class TimedParts:
    """The parts of a blocking stream.

    Where there are limits the stream runs in a thread of its own, one part at a time and never ahead; else
    in the caller's. Prefer `next_within` for an async stream.

    Args:
        make: Makes the stream.
        candidate: Whose it is, for the error.
        is_limited: Whether any part has a limit.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], *, candidate: str, is_limited: bool) -> None:
        self._make = make
        self._candidate = candidate
        self._parts: Iterator[Any] | None = None
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._came: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._worker = Worker(self._serve, on_done=self._wake) if is_limited else None
        self._is_closed = False
        self._then: Callable[[], None] | None = None

    def next(self, wait: Callable[[], Wait]) -> Any:
        """Return the next part, or `END`.

        Args:
            wait: Says how long to wait, once the part is asked for.

        Raises:
            DeadlineExceededError: It did not come in time.
        """
        if self._worker is None:
            self._parts = self._parts or iter(self._make())
            return next(self._parts, END)
        self._wanted.put(True)
        how = wait()
        try:
            part, error = self._came.get(timeout=how.seconds)
        except queue.Empty:
            self._abandon(self._worker)
            raise _late(self._candidate, how) from None
        except BaseException:  # an interrupt from the keyboard, perhaps
            self._abandon(self._worker)
            raise
        if error is not None:
            raise error
        return part

    def close(self) -> None:
        """End the stream and the thread."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._worker is not None:
            self._wanted.put(False)
            self._worker.wait()
        else:
            _close(self._parts)

    def leave(self, then: Callable[[], None]) -> None:
        """End the stream, then do `then`, both in another thread, without waiting.

        Takes no lock and runs nobody's code here: the garbage collector may call it in a thread that holds
        the very lock that the ending needs. Hence a bare thread: `threading.Thread` takes a lock to start.
        """
        if self._is_closed:
            return
        self._is_closed, self._then = True, then
        if self._worker is not None:
            self._wanted.put(False)
        else:
            with contextlib.suppress(RuntimeError):  # the interpreter is shutting down
                _thread.start_new_thread(self._end, (self._parts,))

    def _abandon(self, worker: Worker[None]) -> None:
        self._is_closed = True
        worker.abandon()
        self._wanted.put(False)  # in case the client beneath swallows the interruption

    def _wake(self) -> None:
        """Wake whoever waits for a part: the thread was left behind together with the one that waits."""
        self._came.put((None, AbandonedError()))

    def _serve(self) -> None:
        parts: Iterator[Any] | None = None
        try:
            while self._wanted.get():
                try:
                    parts = parts or iter(self._make())
                    self._came.put((next(parts, END), None))
                except Exception as error:  # noqa: BLE001 - raised where the part is asked for
                    self._came.put((None, error))
        finally:
            self._end(parts)

    def _end(self, parts: Iterator[Any] | None) -> None:
        try:
            _close(parts)
        finally:
            if self._then is not None:
                self._then()


async def next_within(parts: AsyncGenerator[Any, None], how: Wait, *, candidate: str) -> Any:
    """Return the next part of an async stream, or `END`.

    Raises:
        DeadlineExceededError: It did not come in time.
    """
    try:
        async with asyncio.timeout(how.seconds) as limit:
            return await anext(parts, END)
    except TimeoutError:
        if limit.expired():
            raise _late(candidate, how) from None
        raise


def _late(candidate: str, how: Wait) -> DeadlineExceededError:
    return DeadlineExceededError(candidate, limit_s=how.limit_s, what=how.what)


def _close(parts: Iterator[Any] | None) -> None:
    close = getattr(parts, "close", None)
    if close is not None:
        close()
