"""What the plan machine wants done, and what it is told back.

The machine only says; a driver does. Every move is answered with what came of it, or with an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage

from langchain_router.checks.check import Run
from langchain_router.decision import Step
from langchain_router.outcomes.records import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Call this step.

    Attributes:
        step: The step of the plan; for a second opinion or a judge, a step of its own.
        number: Its place among the attempts of the request, from 1; calls of checks are numbered too.
        role: What the call is for. Only an `"answer"` may be shown while it arrives.
        timeout_s: Seconds until it is given up: to the whole answer, or to the first token of a live stream.
        decided_s: Seconds until an answer that is read on before it is shown is given up, as a tool call is.
        messages: What to ask instead of the request itself, or None.
        is_contested: Whether another call may win over this one, so that nothing of it may be shown before.
    """

    step: Step
    number: int
    role: Role = "answer"
    timeout_s: float | None = None
    decided_s: float | None = None
    messages: tuple[BaseMessage, ...] | None = field(default=None, repr=False)
    is_contested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SideBySide:
    """Make these calls at once. Where the first fails, the others are given up.

    Answered with one `Reply` or exception for each call.
    """

    calls: tuple[Call, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """Make a call, and a second where the first is slow; who answers first wins, the other is given up.

    Answered with a `Reply`, an exception, or None (given up, or never begun) for each of the two.

    Attributes:
        first: The call.
        second: The one that hedges it.
        after_s: How long the first is waited for alone, in seconds.
        may_begin: Asked once, just before the second is made: whether it may be. If so, it must be made.
    """

    first: Call
    second: Call
    after_s: float
    may_begin: Callable[[], bool] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCheck:
    """Run a check of the user's own, which may block. Answered with what it returns.

    Attributes:
        run: What to run.
        timeout_s: Seconds until it is given up, with a `TimeoutError`, or None.
    """

    run: Run
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep:
    """Wait so many seconds."""

    seconds: float


Move = Call | SideBySide | Hedge | RunCheck | Sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a call came to.

    Attributes:
        answer: What the caller of the router gets of it; the machine does not look into it.
        message: The model's message, where it is complete: checks look at it, and it bears the usage.
        is_complete: Whether nothing is still to come; a live stream has only begun.
        is_streamed: Whether it came as a stream: then silence about how it ended says something.
        fault: Why the answer cannot do whatever a check says of it, e.g. that it does not parse; or None.
    """

    answer: Any = field(repr=False)
    message: AIMessage | None = field(default=None, repr=False)
    is_complete: bool = True
    is_streamed: bool = False
    fault: str | None = None


Came = Sequence[Reply | Exception | None]
"""What came of several calls, in their order."""


def as_reply(came: Any) -> Reply:
    """Return what a call returned as a reply; a message is looked at by checks, other answers are not."""
    if isinstance(came, Reply):
        return came
    return Reply(answer=came, message=came if isinstance(came, AIMessage) else None)
