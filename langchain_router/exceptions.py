"""Every error this package raises.

RouterError
├── ConfigurationError(ValueError)                 a fault in how the router was built or called
├── NoEligibleCandidateError(ModelInvalidRequestError)   constraints excluded every candidate
├── RouterExhaustedError(ModelAPIError, ExceptionGroup)  every attempt of the plan failed
├── DeadlineExceededError(ModelTimeoutError)       a call took longer than it may
├── CircuitOpenError(ModelAPIError)                everybody is left alone for now, so nobody was called
├── MalformedResponseError(ModelAPIError)          a provider answered 200 with something unreadable
│   └── TruncatedResponseError                     an answer ended without saying that it was finished
└── StreamInterruptedError(ModelConnectionError)   an answer broke off after its first token

Each class also inherits the `langchain_core.exceptions` class that LangChain's own retry and fallback
handlers understand. Messages name what failed, with which value, and what to do next; they never hold
prompt text, headers or keys.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Self

from langchain_core.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelTimeoutError,
)


class RouterError(Exception):
    """Base class of every error raised by `langchain_router`."""


class ConfigurationError(RouterError, ValueError):
    """The router was built or called with something that cannot work; the message says what to write."""


class NoEligibleCandidateError(RouterError, ModelInvalidRequestError):
    """The constraints of this request excluded every candidate.

    Attributes:
        excluded: For each candidate's name, the reasons why it may not answer.
    """

    def __init__(self, excluded: Mapping[str, Sequence[str]]) -> None:
        self.excluded = {name: tuple(reasons) for name, reasons in excluded.items()}
        listed = ", ".join(f"{name!r} {'; '.join(reasons)}" for name, reasons in self.excluded.items())
        super().__init__(
            f"No candidate can take this request: {listed}. "
            "Add a candidate that fits, or relax the constraint named."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the reasons when pickled."""
        return type(self), (self.excluded,)


class RouterExhaustedError(RouterError, ModelAPIError, ExceptionGroup[Exception]):
    """Every attempt of the plan failed; holds each attempt's error, in the order tried.

    `except* ModelRateLimitError` and `except RouterError` both work on it.
    """

    def __new__(cls, message: str, exceptions: Sequence[Exception]) -> Self:
        """Build the group; a group cannot be empty."""
        return super().__new__(cls, message, exceptions)

    def derive(self, excs: Sequence[Exception]) -> RouterExhaustedError:  # type: ignore[override]
        """Return a group of the same kind, as `split` and `subgroup` need."""
        return RouterExhaustedError(self.message, excs)


class DeadlineExceededError(RouterError, ModelTimeoutError):
    """A call took longer than the router allows it: to its answer, its first token or its next chunk.

    Attributes:
        candidate: Who was too slow.
        limit_s: The limit, in seconds.
    """

    def __init__(self, candidate: str, *, limit_s: float, what: str) -> None:
        self.candidate = candidate
        self.limit_s = limit_s
        self.what = what
        super().__init__(
            f"{candidate!r} gave no {what} within {limit_s:.3g} s. "
            "Set other limits with Resilience(deadlines=Deadlines(...)), or add a faster candidate."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the figures when pickled."""
        made = functools.partial(type(self), self.candidate, limit_s=self.limit_s, what=self.what)
        return made, ()


class CircuitOpenError(RouterError, ModelAPIError):
    """Every candidate that could take the request is left alone for now, so nobody was called.

    Attributes:
        waits_s: For each candidate's name, after how many seconds it may be called again.
        retry_after_s: The shortest of these.
    """

    def __init__(self, waits_s: Mapping[str, float]) -> None:
        self.waits_s = dict(waits_s)
        self.retry_after_s = min(self.waits_s.values(), default=0.0)
        listed = ", ".join(f"{name!r} for another {wait_s:.3g} s" for name, wait_s in self.waits_s.items())
        super().__init__(
            f"Nobody may be called now: {listed or 'no candidate is left'}. "
            f"Try again in {self.retry_after_s:.3g} s, or add a candidate at another provider."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the waits when pickled."""
        return type(self), (self.waits_s,)


class MalformedResponseError(RouterError, ModelAPIError):
    """A provider answered with success, but the body could not be read as an answer."""


class TruncatedResponseError(MalformedResponseError):
    """An answer ended without a finish reason: nobody can say that it is whole."""


class StreamInterruptedError(RouterError, ModelConnectionError):
    """An answer broke off after its first token had gone out, so no other candidate was asked.

    Two models' tokens are never mixed into one answer. The provider's own error is the cause.

    Attributes:
        partial: The text that had arrived. It is not part of the message.
        candidate: Who broke off.
        decision_id: The decision that chose it.
    """

    def __init__(self, *, partial: str, candidate: str, decision_id: str) -> None:
        self.partial = partial
        self.candidate = candidate
        self.decision_id = decision_id
        super().__init__(
            f"{candidate!r} broke off after {len(partial)} characters of its answer "
            f"(decision {decision_id}). "
            "What had arrived is in .partial; ask again, or continue from it."
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the partial answer when pickled."""
        made = functools.partial(
            type(self), partial=self.partial, candidate=self.candidate, decision_id=self.decision_id
        )
        return made, ()
