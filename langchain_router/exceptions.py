"""Every error this package raises.

RouterError
├── ConfigurationError(ValueError)                 a fault in how the router was built or called
├── NoEligibleCandidateError(ModelInvalidRequestError)   constraints excluded every candidate
├── RouterExhaustedError(ModelAPIError, ExceptionGroup)  every attempt of the plan failed
├── DeadlineExceededError(ModelTimeoutError)       a call took longer than it may
├── CircuitOpenError(ModelAPIError)                everybody is left alone for now, so nobody was called
├── MalformedResponseError(ModelAPIError)          a provider answered 200 with something unreadable
│   └── TruncatedResponseError                     an answer ended without saying that it was finished
├── StreamInterruptedError(ModelConnectionError)   an answer broke off after its first token
├── InsufficientEvidenceError                      what is recorded does not say what was asked
└── StoreError                                     what was to be stored or read could not be
    ├── StoreBusyError                             another process holds the store, or its server is away
    ├── StoreFullError                             there is no room left
    └── StoreCorruptError                          a file is damaged, or not a store
        └── StoreSchemaError                       a store of a newer version of this package

Each class also inherits the `langchain_core.exceptions` class that LangChain's own retry and fallback
handlers understand. Messages name what failed, with which value, and what to do next; they never hold
prompt text, headers or keys.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from types import TracebackType
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

    `except* ModelRateLimitError` and `except RouterError` both work on it. Its traceback is short: those of
    its errors begin where the router called the model, and the last is not shown again as the context.
    """

    def __new__(cls, message: str, exceptions: Sequence[Exception]) -> Self:
        """Build the group; a group cannot be empty."""
        made = super().__new__(cls, message, exceptions)
        made.__suppress_context__ = True
        for error in exceptions:
            error.__traceback__ = _outside(error.__traceback__)
        return made

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
        waits_s: For each candidate's name, after how many seconds it may be called again; 0 for one that is
            busy: nobody knows when a slot falls free.
        slots: How many calls at once a candidate takes, for those that are limited.
        retry_after_s: The shortest wait.
    """

    def __init__(self, waits_s: Mapping[str, float], slots: Mapping[str, int | None] | None = None) -> None:
        self.waits_s = dict(waits_s)
        self.slots = {name: most for name, most in (slots or {}).items() if most is not None}
        self.retry_after_s = min(self.waits_s.values(), default=0.0)
        listed = ", ".join(f"{name!r} {self._why(name)}" for name in self.waits_s) or "no candidate is left"
        when = f"in {self.retry_after_s:.3g} s" if self.retry_after_s else "in a moment"
        is_busy = any(not wait_s and name in self.slots for name, wait_s in self.waits_s.items())
        more = ", raise max_concurrency" if is_busy else ""
        super().__init__(
            f"Nobody may be called now: {listed}. "
            f"Try again {when}{more}, or add a candidate at another provider."
        )

    def _why(self, name: str) -> str:
        wait_s = self.waits_s[name]
        if wait_s:
            return f"is left alone for another {wait_s:.3g} s"
        most = self.slots.get(name)
        return "was busy" if most is None else f"has no free slot (max_concurrency {most})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the waits when pickled."""
        return type(self), (self.waits_s, self.slots)


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


class InsufficientEvidenceError(RouterError):
    """The recorded requests do not say what was asked; the message says what is missing and how to get it.

    Attributes:
        effective_sample: How many requests of equal weight would tell as much, or None where that is not
            what is missing.
    """

    def __init__(self, message: str, *, effective_sample: float | None = None) -> None:
        self.effective_sample = effective_sample
        super().__init__(message)


class StoreError(RouterError):
    """Something could not be stored or read. Requests go on all the same.

    Attributes:
        url: Which store, without its password.
    """

    def __init__(self, url: str, why: str) -> None:
        self.url = url
        self.why = why
        super().__init__(f"The store {url} {why}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the parts when pickled."""
        return type(self), (self.url, self.why)


class StoreBusyError(StoreError):
    """Another process holds the store, or its server does not answer; later it may work."""


class StoreFullError(StoreError):
    """There is no room left in the store."""


class StoreCorruptError(StoreError):
    """A file is damaged, or not a store of this package. It was left as it is."""


class StoreSchemaError(StoreCorruptError):
    """A store that a newer version of this package has written. It was left as it is."""


def _outside(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the first frame on that is not the router's own, or its last frame."""
    while traceback is not None and traceback.tb_next is not None:
        if str(traceback.tb_frame.f_globals.get("__name__")).partition(".")[0] != "langchain_router":
            break
        traceback = traceback.tb_next
    return traceback
