"""Every error this package raises.

RouterError
├── ConfigurationError(ValueError)                 a fault in how the router was built or called
├── NoEligibleCandidateError(ModelInvalidRequestError)   constraints excluded every candidate
├── RouterExhaustedError(ModelAPIError, ExceptionGroup)  every attempt of the plan failed
└── MalformedResponseError(ModelAPIError)          a provider answered 200 with something unreadable

Each class also inherits the `langchain_core.exceptions` class that LangChain's own retry and fallback
handlers understand. Messages name what failed, with which value, and what to do next; they never hold
prompt text, headers or keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from langchain_core.exceptions import ModelAPIError, ModelInvalidRequestError


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


class MalformedResponseError(RouterError, ModelAPIError):
    """A provider answered with success, but the body could not be read as an answer."""
