"""What an error means for the request: who may still serve it, and what it says of the candidate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

import langchain_core.exceptions as langchain_errors
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from langchain_router.exceptions import (
    CircuitOpenError,
    MalformedResponseError,
    NoEligibleCandidateError,
    StreamInterruptedError,
    TruncatedResponseError,
)
from langchain_router.execution.retry_after import retry_after_s

__all__ = [
    "ErrorKind",
    "another_may_serve",
    "counts_for_breaker",
    "error_kind",
    "retry_after_s",
    "same_may_serve",
]


class ErrorKind(StrEnum):
    """Kinds of failure, as far as the router's next move depends on them."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER = "server"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    UNSUPPORTED = "unsupported"
    BAD_REQUEST = "bad_request"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    CONTROL_FLOW = "control_flow"
    UNKNOWN = "unknown"


_FINAL = frozenset(
    {
        ErrorKind.BAD_REQUEST,
        ErrorKind.REFUSED,
        ErrorKind.INTERRUPTED,
        ErrorKind.CANCELLED,
        ErrorKind.CONTROL_FLOW,
        ErrorKind.UNKNOWN,
    }
)
_PASSING = frozenset(
    {
        ErrorKind.RATE_LIMITED,
        ErrorKind.OVERLOADED,
        ErrorKind.SERVER,
        ErrorKind.CONNECT,
        ErrorKind.MALFORMED,
        ErrorKind.TRUNCATED,
    }
)
_LASTING = frozenset({ErrorKind.AUTH, ErrorKind.NOT_FOUND})
_ILL = _PASSING | {ErrorKind.TIMEOUT, ErrorKind.INTERRUPTED}

# The most telling class first: some errors belong to several.
_BY_CLASS: tuple[tuple[type[BaseException], ErrorKind], ...] = (
    (StreamInterruptedError, ErrorKind.INTERRUPTED),
    # These two come from a router that is itself a candidate: it cannot take this request, or not now.
    (NoEligibleCandidateError, ErrorKind.UNSUPPORTED),
    (CircuitOpenError, ErrorKind.OVERLOADED),
    (ContextOverflowError, ErrorKind.CONTEXT_OVERFLOW),
    (ModelRateLimitError, ErrorKind.RATE_LIMITED),
    (ModelTimeoutError, ErrorKind.TIMEOUT),
    (ModelConnectionError, ErrorKind.CONNECT),
    (ModelAuthenticationError, ErrorKind.AUTH),
    (ModelPermissionDeniedError, ErrorKind.AUTH),
    (ModelNotFoundError, ErrorKind.NOT_FOUND),
    (ModelInvalidRequestError, ErrorKind.BAD_REQUEST),
    (TruncatedResponseError, ErrorKind.TRUNCATED),
    (MalformedResponseError, ErrorKind.MALFORMED),
    (ModelAPIError, ErrorKind.SERVER),
    (TimeoutError, ErrorKind.TIMEOUT),
    (ConnectionError, ErrorKind.CONNECT),
    (json.JSONDecodeError, ErrorKind.MALFORMED),
)
if hasattr(langchain_errors, "ModelRefusalError"):  # since langchain-core 1.7.5
    _BY_CLASS = ((langchain_errors.ModelRefusalError, ErrorKind.REFUSED), *_BY_CLASS)

_BY_STATUS = {
    400: ErrorKind.BAD_REQUEST,
    401: ErrorKind.AUTH,
    402: ErrorKind.AUTH,
    403: ErrorKind.AUTH,
    404: ErrorKind.NOT_FOUND,
    408: ErrorKind.TIMEOUT,
    413: ErrorKind.CONTEXT_OVERFLOW,
    422: ErrorKind.BAD_REQUEST,
    429: ErrorKind.RATE_LIMITED,
    503: ErrorKind.OVERLOADED,
    504: ErrorKind.TIMEOUT,
    529: ErrorKind.OVERLOADED,  # Anthropic's
}

# OpenAI's and Azure's; a code tells more than the class or status that comes with it.
_BY_CODE = {
    "context_length_exceeded": ErrorKind.CONTEXT_OVERFLOW,
    "content_filter": ErrorKind.REFUSED,
    "content_policy_violation": ErrorKind.REFUSED,
}

# LiteLLM's and OpenAI's; they tell more than LangChain's classes that they may also have.
_BY_TELLING_NAME = {
    "UnsupportedParamsError": ErrorKind.UNSUPPORTED,
    "ContentPolicyViolationError": ErrorKind.REFUSED,
    "ContentFilterFinishReasonError": ErrorKind.REFUSED,
}

# Of httpx, requests and botocore, and of the clients of OpenAI, Anthropic, Groq and others made alike.
_BY_NAME = {
    "TimeoutException": ErrorKind.TIMEOUT,
    "Timeout": ErrorKind.TIMEOUT,
    "ReadTimeoutError": ErrorKind.TIMEOUT,
    "ConnectTimeoutError": ErrorKind.TIMEOUT,
    "APITimeoutError": ErrorKind.TIMEOUT,
    "TransportError": ErrorKind.CONNECT,
    "ConnectionError": ErrorKind.CONNECT,
    "HTTPClientError": ErrorKind.CONNECT,
    "APIConnectionError": ErrorKind.CONNECT,
    "APIError": ErrorKind.SERVER,
    "SSLError": ErrorKind.CONNECT,
    "gaierror": ErrorKind.CONNECT,
    "APIResponseValidationError": ErrorKind.MALFORMED,
}


def error_kind(error: BaseException) -> ErrorKind:
    """Classify an error raised by a candidate's call.

    LangChain's `ModelError` classes and the standard library's connection and timeout errors decide first,
    then the HTTP status where the clients of OpenAI, Anthropic, LiteLLM, httpx, requests, botocore and Google
    put it, then the class names by which these tell a failed connection.
    Only classes, codes and numbers are looked at, never the words of a message.

    Example:
        >>> error_kind(ModelRateLimitError("slow down"))
        <ErrorKind.RATE_LIMITED: 'rate_limited'>
        >>> error_kind(ZeroDivisionError())
        <ErrorKind.UNKNOWN: 'unknown'>
    """
    if isinstance(error, asyncio.CancelledError):
        return ErrorKind.CANCELLED
    if not isinstance(error, Exception) or _is_control_flow(error):
        return ErrorKind.CONTROL_FLOW
    code = getattr(error, "code", None)
    by_code = _BY_CODE.get(code) if isinstance(code, str) else None
    telling = by_code or _by_name(error, _BY_TELLING_NAME)
    if telling is not None:
        return telling
    by_class = next((kind for cls, kind in _BY_CLASS if isinstance(error, cls)), None)
    if by_class is not None and by_class is not ErrorKind.SERVER:
        return by_class
    by_status = _by_status(error)
    if by_status is not None:
        return by_status
    if by_class is not None or isinstance(error, ModelError):
        return ErrorKind.SERVER
    return _by_name(error, _BY_NAME) or ErrorKind.UNKNOWN


def another_may_serve(kind: ErrorKind) -> bool:
    """Return whether a failure of this kind leaves hope in another candidate.

    A caller's own bad request fails the same way everywhere, what one model refused is not shopped around,
    and an error that is not a provider's (a fault in a callback, a bug) must surface rather than be hidden
    by a failover.
    """
    return kind not in _FINAL


def same_may_serve(kind: ErrorKind) -> bool:
    """Return whether the same candidate may well answer when it is asked once more, soon.

    Not after a timeout: the time is gone, and the next call would likely take as long.
    Prefer `another_may_serve` to choose whom to ask next; this one is for when nobody else is left, or a
    retry costs less than the next candidate does.
    """
    return kind in _PASSING


def counts_for_breaker(kind: ErrorKind) -> Literal["no", "yes", "at once"]:
    """Return what a failure of this kind says of the candidate's health.

    Returns:
        `"yes"` for one mark against it, `"at once"` when the next call would fail just the same (a wrong key,
        a model that is not there), `"no"` when the request, the caller or nobody is to blame.
    """
    if kind in _LASTING:
        return "at once"
    return "yes" if kind in _ILL else "no"


def _by_status(error: Exception) -> ErrorKind | None:
    status = _status(error)
    if status is None or not 400 <= status <= 599:
        return None
    return _BY_STATUS.get(status, ErrorKind.SERVER)


def _by_name(error: Exception, kinds: Mapping[str, ErrorKind]) -> ErrorKind | None:
    return next((kinds[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in kinds), None)


def _status(error: Exception) -> int | None:
    """Return the HTTP status that an error bears, in the places where the providers' clients put it."""
    response = getattr(error, "response", None)
    found = [getattr(error, "status_code", None), getattr(response, "status_code", None)]
    if isinstance(response, Mapping):  # botocore
        metadata = response.get("ResponseMetadata")
        found.append(metadata.get("HTTPStatusCode") if isinstance(metadata, Mapping) else None)
    found.append(getattr(error, "code", None))  # google
    return next(
        (status for status in found if isinstance(status, int) and not isinstance(status, bool)), None
    )


def _is_control_flow(error: BaseException) -> bool:
    """Recognise LangGraph's interrupts without importing LangGraph."""
    return any(
        cls.__name__ == "GraphBubbleUp" and cls.__module__.startswith("langgraph")
        for cls in type(error).__mro__
    )
