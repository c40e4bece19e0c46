"""What a check of an answer is, and how one that needs another model's word gets it.

A check is a generator: it yields an `Ask` where it needs to hear another model, and is sent that model's
message. So a check does no I/O of its own; whoever drives it does, sync or async, and counts the cost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from langchain_core.messages import AIMessage, BaseMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.checks.arguments import is_share, plain
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.wording import kind_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a check says of an answer.

    Attributes:
        passed: Whether the answer is good enough to be returned.
        score: How good it is, 0..1, or None where the check only says yes or no.
        reason: Why, in words; never a part of the prompt or the answer.

    Raises:
        ConfigurationError: A value is of the wrong type or out of range.
    """

    passed: bool
    score: float | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        passed, score = plain(self.passed), plain(self.score)
        if not isinstance(passed, bool):
            raise ConfigurationError(
                f"A Verdict's passed must be True or False, got {kind_of(passed)}. "
                "Write Verdict(passed=True, score=0.9, reason=...)."
            )
        if score is not None and not is_share(score):
            got = repr(score) if isinstance(score, (int, float)) else kind_of(score)
            raise ConfigurationError(f"A Verdict's score must be a number from 0 to 1 or None, got {got}.")
        if not isinstance(self.reason, str):
            raise ConfigurationError(f"A Verdict's reason must be a text, got {kind_of(self.reason)}.")
        object.__setattr__(self, "passed", passed)
        object.__setattr__(self, "score", score)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        score = None if self.score is None else round(self.score, 4)
        return {"passed": self.passed, "score": score, "reason": self.reason}


@runtime_checkable
class QualityCheck(Protocol):
    """Says whether an answer is good enough. The extension point: one method, or just a function."""

    def check(self, request: RoutingRequest, response: AIMessage) -> Verdict:
        """Judge the answer to the request."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A check needs another model's word.

    Attributes:
        candidate: Whom to ask.
        role: `"second"` for a second answer to the same request, `"judge"` for a question of the check's own.
        messages: The check's own question; None puts the request itself, as it was put to the draft's model.
        timeout_s: Longest wait, in seconds; None leaves it to the request's own deadlines.
    """

    candidate: Candidate = field(repr=False)
    role: Literal["second", "judge"]
    messages: tuple[BaseMessage, ...] | None = field(default=None, repr=False)
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A check of the user's own wants to be run; it may block, or be a coroutine function.

    Attributes:
        call: Runs it, and returns a `Verdict`, a bool or a score.
        acall: The same for an event loop, where there is one.
    """

    call: Callable[[], Any]
    acall: Callable[[], Awaitable[Any]] | None = None


Review = Generator[Ask | Run, Any, Verdict]
"""A check at work. Sent the message that answers an `Ask`, or what a `Run` returned; where the model asked
did not answer in time or at all, its error is thrown in, and the review goes on without its word."""


_BEGINNING = "langchain_router_beginning"


def beginning(message: AIMessage) -> AIMessage:
    """Return a message marked as the beginning of an answer that is still to come.

    For whoever checks the first tokens of a stream: an answer that has only begun is neither cut off nor
    too short.
    """
    return message.model_copy(update={"response_metadata": {**message.response_metadata, _BEGINNING: True}})


def is_beginning(message: AIMessage) -> bool:
    """Return whether a message is only the beginning of an answer.

    Example:
        >>> is_beginning(beginning(AIMessage("Once upon a"))), is_beginning(AIMessage("Once upon a"))
        (True, False)
    """
    return message.response_metadata.get(_BEGINNING) is True
