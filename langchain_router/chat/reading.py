"""Reads a model's stream: up to where the answer is decided on, then to its end, within the deadlines."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_router.chat.parts import Look, look_at, merged
from langchain_router.chat.replies import check_is_finished, fault_of, message_in, unusable
from langchain_router.chat.timed_parts import END, TimedParts, Wait, next_within
from langchain_router.exceptions import MalformedResponseError
from langchain_router.execution.moves import Reply
from langchain_router.request import estimate_tokens

Until = Literal["shown", "enough", "end"]
"""How far to read before the answer is decided on: to the first part that shows something, to so many
tokens, or to the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read one stream.

    Attributes:
        candidate: Whose stream it is.
        until: How far to read before it is decided on.
        tokens: How many are enough.
        whole_if_used: Read to the end what a program reads: tool calls and structured output. A tool call
            that follows text which has gone out is held back until it is whole.
        first_token_s: Seconds to the first part that shows something, or None; for `until="shown"`.
        decided_s: Seconds to where it is decided on, or None; after the first token, where that has a limit.
        between_s: Seconds between parts, or None.
    """

    candidate: str
    until: Until = "shown"
    tokens: int = 0
    whole_if_used: bool = False
    first_token_s: float | None = None
    decided_s: float | None = None
    between_s: float | None = None

    @property
    def is_limited(self) -> bool:
        """Whether any part of it has a limit in time."""
        return any(limit is not None for limit in (self.first_token_s, self.decided_s, self.between_s))

    def look_at(self, part: Any) -> Look:
        """Look at a part of such a stream."""
        return look_at(part)

    def fault_of(self, parts: list[Any]) -> str | None:
        """Say why a program cannot use what these parts hold, or None."""
        return fault_of(merged(parts))


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
            does what it is given. Of a sync stream only.
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


def begin(make: Callable[[], Iterator[Any]], reading: Reading) -> Begun:
    """Read a stream as far as `reading` says.

    Args:
        make: Makes the stream.
        reading: How to read it.

    Raises:
        MalformedResponseError: It ended without an answer.
        DeadlineExceededError: It took too long.
    """
    parts = TimedParts(make, candidate=reading.candidate, is_limited=reading.is_limited)
    seen = _Seen(reading)
    try:
        while not seen.is_enough and (part := parts.next(seen.wait)) is not END:
            seen.take(part)
        seen.check()
    except BaseException:
        parts.close()
        raise

    def read_on(left_s: Callable[[], float]) -> Iterator[Any]:
        rest = _Rest(seen)
        while (part := parts.next(lambda: rest.wait(left_s()))) is not END:
            if rest.goes_out(part):
                yield part
        yield from rest.held_back()

    return Begun(reading, seen.held, not seen.is_enough, read_on, parts.close, parts.leave)


async def abegin(parts: AsyncGenerator[Any, None], reading: Reading) -> Begun:
    """Read a stream as `begin` does."""
    seen, name = _Seen(reading), reading.candidate
    try:
        while (
            not seen.is_enough and (part := await next_within(parts, seen.wait(), candidate=name)) is not END
        ):
            seen.take(part)
        seen.check()
    except BaseException:
        await parts.aclose()
        raise

    async def read_on(left_s: Callable[[], float]) -> AsyncGenerator[Any, None]:
        rest = _Rest(seen)
        while (part := await next_within(parts, rest.wait(left_s()), candidate=name)) is not END:
            if rest.goes_out(part):
                yield part
        for part in rest.held_back():
            yield part

    return Begun(reading, seen.held, not seen.is_enough, read_on, parts.aclose)


class _Seen:
    """The parts read so far, and what they come to: kept up with each, as adding up anew is quadratic."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.held: list[Any] = []
        self.answers = self.says_how_it_ended = False
        self._shows = self._is_used = False
        self._tokens = 0
        self._started_s = time.monotonic()

    @property
    def is_enough(self) -> bool:
        """Whether it will do to decide."""
        reading = self.reading
        if reading.until == "end" or not self._shows or (reading.whole_if_used and self._is_used):
            return False
        return reading.until == "shown" or self._tokens >= reading.tokens

    def take(self, part: Any) -> None:
        """Take a part in."""
        self.held.append(part)
        look = self.note(part)
        self._shows = self._shows or look.shows
        self._is_used = self._is_used or look.is_used
        self._tokens += estimate_tokens(look.text)

    def note(self, part: Any) -> Look:
        """Note of a part whether the stream holds an answer, without keeping it."""
        look = self.reading.look_at(part)
        self.answers = self.answers or look.answers
        self.says_how_it_ended = self.says_how_it_ended or look.says_how_it_ended
        return look

    def wait(self) -> Wait:
        """Say how long the next part may take."""
        reading, is_silent = self.reading, self.reading.until == "shown" and not self._shows
        what, limit_s = ("first token", reading.first_token_s) if is_silent else ("answer", reading.decided_s)
        left_s = float("inf") if limit_s is None else self._started_s + limit_s - time.monotonic()
        if self.held and reading.between_s is not None and reading.between_s < left_s:
            return Wait(reading.between_s, "further chunk", reading.between_s)
        return Wait(None) if limit_s is None else Wait(max(left_s, 0.0), what, limit_s)

    def check(self) -> None:
        """Refuse a stream that has ended without an answer, or too early.

        Raises:
            MalformedResponseError: It holds no answer.
            TruncatedResponseError: It does not say how it ended, though its provider always does.
        """
        if self.is_enough:
            return  # it goes on
        if not self.held:
            raise MalformedResponseError(f"{self.reading.candidate!r} ended its stream without a chunk.")
        message = message_in(merged(self.held))
        if message is not None:
            check_is_finished(message, self.reading.candidate)
        self.check_answers()

    def check_answers(self) -> None:
        """Refuse an ended stream that holds no answer: reasoning alone is none.

        Raises:
            MalformedResponseError: As said.
        """
        if not self.answers and not self.says_how_it_ended:
            raise MalformedResponseError(f"{self.reading.candidate!r} ended its stream without an answer.")


class _Rest:
    """The parts of a stream that come after it was decided on."""

    def __init__(self, seen: _Seen) -> None:
        self._seen = seen
        self._reading = seen.reading
        self._held_back: list[Any] = []

    def wait(self, left_s: float) -> Wait:
        """Say how long the next part may take, with so many seconds left of the request."""
        between_s = self._reading.between_s
        if between_s is not None and between_s < left_s:
            return Wait(between_s, "further chunk", between_s)
        if left_s == float("inf"):
            return Wait(None)
        left_s = max(left_s, 0.0)
        return Wait(left_s, "end within the request's deadline, that is", left_s)

    def goes_out(self, part: Any) -> bool:
        """Return whether a part goes out at once; else it is held back."""
        if self._held_back:
            self._held_back.append(part)
            return False
        if self._seen.answers and not self._reading.whole_if_used:
            return True
        if self._seen.note(part).is_used and self._reading.whole_if_used:
            self._held_back.append(part)
            return False
        return True

    def held_back(self) -> list[Any]:
        """Return, at the end, the parts held back.

        Raises:
            MalformedResponseError: A program cannot use them, or the stream held reasoning and no answer.
        """
        self._seen.check_answers()
        fault = self._reading.fault_of(self._held_back) if self._held_back else None
        if fault is not None:
            raise unusable(self._reading.candidate, fault)
        return self._held_back
