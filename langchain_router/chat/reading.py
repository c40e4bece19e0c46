"""Reads a model's stream: up to where the answer is decided on, then to its end, within the deadlines."""

from __future__ import annotations

import asyncio
import queue
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from langchain_router.chat.parts import is_used, merged, shows, text_of
from langchain_router.chat.replies import check_is_finished, fault_of, message_in
from langchain_router.exceptions import DeadlineExceededError, MalformedResponseError
from langchain_router.execution.moves import Reply
from langchain_router.execution.workers import AbandonedError, Worker
from langchain_router.finish import finish_of
from langchain_router.request import estimate_tokens

Until = Literal["shown", "enough", "end"]
"""How far to read before the answer is decided on: to the first part that shows something, to so many
tokens, or to the end."""

_END: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read one stream.

    Attributes:
        candidate: Whose stream it is.
        until: How far to read before it is decided on.
        tokens: How many are enough.
        whole_if_used: Read to the end what a program reads: tool calls and structured output.
        first_token_s: Seconds to the first token, or None; where it is read to the end, to the end.
        between_s: Seconds between parts, or None.
    """

    candidate: str
    until: Until = "shown"
    tokens: int = 0
    whole_if_used: bool = False
    first_token_s: float | None = None
    between_s: float | None = None

    def is_far_enough(self, held: list[Any]) -> bool:
        """Return whether what was read will do to decide."""
        if not shows(held[-1]) and self.until != "end":
            return False
        if self.until == "end" or (self.whole_if_used and any(is_used(part) for part in held)):
            return False
        return self.until == "shown" or sum(estimate_tokens(text_of(part)) for part in held) >= self.tokens

    def late(self, what: str, limit_s: float) -> DeadlineExceededError:
        """Return the error for a stream that is too slow."""
        return DeadlineExceededError(self.candidate, limit_s=limit_s, what=what)


@dataclass(slots=True)
class Begun:
    """A stream that was read as far as needed to decide on it.

    Attributes:
        reading: How it is read.
        held: The parts read so far.
        has_ended: Whether these are all.
        read_on: Yields the other parts, within the deadlines; takes what tells the request's seconds left.
        close: Ends the stream, and the call behind it.
        leave: Does so without waiting, from wherever a stream that nobody reads any more is noticed, and then
            does what it is given. Of a sync stream with deadlines only.
    """

    reading: Reading
    held: list[Any]
    has_ended: bool
    read_on: Callable[[Callable[[], float]], Any] = field(repr=False)
    close: Callable[[], Any] = field(repr=False)
    leave: Callable[[Callable[[], None]], None] = field(repr=False, default=lambda then: None)  # noqa: ARG005

    def reply(self) -> Reply:
        """Return it as a reply: complete, or one that has only begun."""
        whole = merged(self.held)
        return Reply(
            answer=self,
            message=message_in(whole),
            is_complete=self.has_ended,
            is_streamed=True,
            fault=fault_of(whole),
        )


# --- sync ----------------------------------------------------------------------------------------


def begin(make: Callable[[], Iterator[Any]], reading: Reading) -> Begun:
    """Read a stream as far as `reading` says.

    Args:
        make: Makes the stream.
        reading: How to read it.

    Raises:
        MalformedResponseError: It ended without anything.
        DeadlineExceededError: It took too long.
    """
    parts = _Parts(make, is_limited=reading.first_token_s is not None or reading.between_s is not None)
    held: list[Any] = []
    ends_s = None if reading.first_token_s is None else time.monotonic() + reading.first_token_s
    try:
        while not held or not reading.is_far_enough(held):
            part = parts.next(lambda: _limit(reading, ends_s, begun=bool(held)))
            if part is _END:
                break
            held.append(part)
        has_ended = not held or not reading.is_far_enough(held)
        if has_ended:
            _check_whole(held, reading.candidate)
    except BaseException:
        parts.close()
        raise

    def read_on(left_s: Callable[[], float]) -> Iterator[Any]:
        while (part := parts.next(lambda: _gap(reading, left_s()))) is not _END:
            yield part

    return Begun(reading, held, has_ended, read_on, parts.close, parts.leave)


class _Parts:
    """The parts of a blocking stream, each waited for within a limit.

    Where there are limits the stream runs in a thread of its own, one part at a time and never ahead.
    """

    def __init__(self, make: Callable[[], Iterator[Any]], *, is_limited: bool) -> None:
        self._make = make
        self._parts: Iterator[Any] | None = None
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._came: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._worker = Worker(self._serve, on_done=self._wake) if is_limited else None
        self._is_closed = False
        self._then: Callable[[], None] | None = None

    def next(self, limit: Callable[[], tuple[float | None, DeadlineExceededError]]) -> Any:
        """Return the next part, or `_END`."""
        if self._worker is None:
            self._parts = self._parts or iter(self._make())
            return next(self._parts, _END)
        self._wanted.put(True)
        seconds, late = limit()
        try:
            part, error = self._came.get(timeout=seconds)
        except queue.Empty:
            self._abandon(self._worker)
            raise late from None
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

    def _abandon(self, worker: Worker[None]) -> None:
        self._is_closed = True
        worker.abandon()
        self._wanted.put(False)  # in case the client beneath swallows the interruption

    def leave(self, then: Callable[[], None]) -> None:
        """End the stream in its thread, then do `then`. Takes no lock: the garbage collector may call it."""
        if not self._is_closed:
            self._is_closed, self._then = True, then
            self._wanted.put(False)

    def _wake(self) -> None:
        """Wake whoever waits for a part: the thread was left behind together with the one that waits."""
        self._came.put((None, AbandonedError()))

    def _serve(self) -> None:
        parts: Iterator[Any] | None = None
        try:
            while self._wanted.get():
                try:
                    parts = parts or iter(self._make())
                    self._came.put((next(parts, _END), None))
                except Exception as error:  # noqa: BLE001 - raised where the part is asked for
                    self._came.put((None, error))
        finally:
            _close(parts)
            if self._then is not None:
                self._then()


def _close(parts: Iterator[Any] | None) -> None:
    close = getattr(parts, "close", None)
    if close is not None:
        close()


# --- async ---------------------------------------------------------------------------------------


async def abegin(parts: AsyncGenerator[Any, None], reading: Reading) -> Begun:
    """Read a stream as `begin` does."""
    held: list[Any] = []
    ends_s = None if reading.first_token_s is None else time.monotonic() + reading.first_token_s
    try:
        while not held or not reading.is_far_enough(held):
            part = await _anext(parts, *_limit(reading, ends_s, begun=bool(held)))
            if part is _END:
                break
            held.append(part)
        has_ended = not held or not reading.is_far_enough(held)
        if has_ended:
            _check_whole(held, reading.candidate)
    except BaseException:
        await parts.aclose()
        raise

    async def read_on(left_s: Callable[[], float]) -> AsyncGenerator[Any, None]:
        while (part := await _anext(parts, *_gap(reading, left_s()))) is not _END:
            yield part

    return Begun(reading, held, has_ended, read_on, parts.aclose)


async def _anext(parts: AsyncGenerator[Any, None], seconds: float | None, late: DeadlineExceededError) -> Any:
    try:
        async with asyncio.timeout(seconds) as limit:
            return await anext(parts, _END)
    except TimeoutError:
        if limit.expired():
            raise late from None
        raise


# --- what both share -----------------------------------------------------------------------------


def _limit(
    reading: Reading, ends_s: float | None, *, begun: bool
) -> tuple[float | None, DeadlineExceededError]:
    """Return how long the next part may take, and the error for when it takes longer."""
    what = "answer" if reading.until == "end" else "first token"
    left_s = None if ends_s is None else max(ends_s - time.monotonic(), 0.0)
    if begun and reading.between_s is not None and (left_s is None or reading.between_s < left_s):
        return reading.between_s, reading.late("further chunk", reading.between_s)
    return left_s, reading.late(what, reading.first_token_s or 0.0)


def _gap(reading: Reading, left_s: float) -> tuple[float | None, DeadlineExceededError]:
    if reading.between_s is not None and reading.between_s < left_s:
        return reading.between_s, reading.late("further chunk", reading.between_s)
    if left_s == float("inf"):
        return None, reading.late("end", 0.0)
    return max(left_s, 0.0), reading.late("end within the request's deadline, that is", max(left_s, 0.0))


def _check_whole(held: list[Any], candidate: str) -> None:
    if not held:
        raise MalformedResponseError(f"{candidate!r} ended its stream without a chunk.")
    message = message_in(merged(held))
    if message is None:
        return
    check_is_finished(message, candidate)
    if finish_of(message) is None and not any(shows(part) for part in held):
        raise MalformedResponseError(f"{candidate!r} ended its stream without an answer.")
