"""What really went wrong in a call of LiteLLM's, read from the chain of causes: from classes, never words.

LiteLLM calls an answer that it cannot read a lost connection, a bad request or a server's error, depending on
the provider, and hides what went wrong in a stream behind an error of its own. What lies behind is in
`__cause__`, `__context__` or `original_exception`.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Literal

os.environ.setdefault(
    "LITELLM_LOCAL_MODEL_COST_MAP", "True"
)  # else the import fetches the map over the network

import litellm.exceptions as litellm_errors
import openai
from langchain_core.exceptions import ModelConnectionError, ModelError, ModelInvalidRequestError

__all__ = ["UNREADABLE", "Chain", "Stage", "What", "library_of", "litellm_errors"]

Stage = Literal["building", "asked", "streaming"]
"""How far a call had come: its request was being built, had been sent, or its stream was being read."""

UNREADABLE = (
    ValueError,  # of JSON, of pydantic, of a wrong encoding
    LookupError,
    TypeError,
    AttributeError,
    openai.APIResponseValidationError,
)
"""What parsers raise when an answer is not what they expect."""


class What(Enum):
    """What an error tells of a call."""

    STATUS = "the provider answered with an error's status"
    TIMEOUT = "it was too slow"
    CONNECT = "the connection failed"
    REPORTED = "the provider reported an error in an answer that began with success"
    UNREADABLE = "a parser failed"
    ENDED = "the stream was over"
    NOTICED = "LiteLLM alone saw something wrong"
    OTHER = "something else"


class Chain:
    """What an error's causes tell; the nearest that tells anything decides.

    Attributes:
        what: What happened.
        cause: The error that tells it.
        told: LiteLLM's own error, out of the wrapper that it puts around those of streams.
        is_answered: Whether the provider is known to have answered with success.
    """

    def __init__(self, error: BaseException, outer: BaseException | None = None) -> None:
        self.what, self.cause, self.told = What.NOTICED, None, error
        self.is_answered = False
        for one in _causes(error, outer):
            if isinstance(one, litellm_errors.MidStreamFallbackError) and one.original_exception:
                self.told = one.original_exception
            self.is_answered |= getattr(one, "status_code", None) == 200 or _was_reading(one)
            what = _told_by(one)
            if what is None:
                continue
            if what not in {What.REPORTED, What.OTHER} or library_of(one) == "openai":
                self.what, self.cause = what, one
                return
            if self.what is What.NOTICED:  # a weak sign: what lies behind it may tell more
                self.what = what

    @property
    def status(self) -> int:
        """The status that the provider sent."""
        return int(getattr(self.cause, "response").status_code)  # noqa: B009 - two libraries' errors

    def is_unreadable(self, kind: type[ModelError], stage: Stage) -> bool:
        """Return whether a request that was sent has got an answer nobody can read.

        LiteLLM finds some answers empty or odd without any parser failing. In a stream it calls such a thing
        a lost connection, though no connection failed; anything else may be the provider's own report.
        """
        if self.what is not What.NOTICED:
            return self.what is What.UNREADABLE
        if stage == "streaming":
            return self.is_answered or kind is ModelConnectionError
        return self.is_answered or kind is not ModelInvalidRequestError


def _told_by(one: BaseException) -> What | None:
    is_openai = library_of(one) == "openai"  # LiteLLM's classes inherit from OpenAI's, and say less
    if _is_httpx(one, "HTTPStatusError") or (is_openai and isinstance(one, openai.APIStatusError)):
        return What.STATUS
    if _is_httpx(one, "TimeoutException") or isinstance(one, (TimeoutError, litellm_errors.Timeout)):
        return What.TIMEOUT
    if is_openai and isinstance(one, openai.APITimeoutError):
        return What.TIMEOUT
    if _is_httpx(one, "TransportError") or isinstance(one, ConnectionError) or library_of(one) == "aiohttp":
        return What.CONNECT
    if is_openai and isinstance(one, openai.APIConnectionError):
        return What.CONNECT
    if isinstance(one, UNREADABLE) or _has_class(one, "DecodingError", "ParserError"):
        return What.UNREADABLE
    if isinstance(one, (StopIteration, StopAsyncIteration)):
        return What.ENDED
    if type(one) is Exception or (is_openai and isinstance(one, openai.APIError)):
        return What.REPORTED
    return None if library_of(one) == "litellm" else What.OTHER


def _was_reading(one: BaseException) -> bool:
    """Return whether an error came up in the method by which LiteLLM's providers read answers."""
    trace = one.__traceback__
    while trace is not None:
        if "transform_response" in trace.tb_frame.f_code.co_name:
            return True
        trace = trace.tb_next
    return False


def _is_httpx(one: BaseException, name: str) -> bool:
    """Return whether an error is of that class of httpx, or of httpx2, which OpenAI's client may use."""
    return any(cls.__name__ == name and cls.__module__.startswith("httpx") for cls in type(one).__mro__)


def _has_class(one: BaseException, *names: str) -> bool:
    return any(cls.__name__ in names for cls in type(one).__mro__)


def _causes(error: BaseException, outer: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what lies behind it, the nearest first."""
    queue, seen = deque([error]), {id(outer)}
    while queue and len(seen) < _MOST_CAUSES:
        one = queue.popleft()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        behind = (getattr(one, "original_exception", None), one.__cause__, one.__context__)
        queue.extend(cause for cause in behind if isinstance(cause, BaseException))


def library_of(error: BaseException) -> str:
    """Return the name of the library that an error's class comes from."""
    return type(error).__module__.partition(".")[0]


_MOST_CAUSES = 25
