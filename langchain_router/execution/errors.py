"""What an error means for the request: who may still serve it, and what it says of the candidate."""

from __future__ import annotations

import asyncio
import errno
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

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
    RouterExhaustedError,
    StreamInterruptedError,
    TruncatedResponseError,
)
from langchain_router.execution.error_names import kind_by_name, telling_kind
from langchain_router.execution.kinds import (
    ErrorKind,
    another_may_serve,
    counts_for_breaker,
    least_hopeful,
    most_hopeful,
    same_may_serve,
)
from langchain_router.execution.retry_after import told_retry_after_s

__all__ = [
    "ErrorKind",
    "another_may_serve",
    "counts_for_breaker",
    "error_kind",
    "retry_after_s",
    "same_may_serve",
]

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

# Of the network, where Python has no class for them. Any other number is one of this machine: a full disk, a
# file too many.
_OF_THE_NETWORK: Final = frozenset(
    {
        errno.EADDRNOTAVAIL,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.ENOBUFS,
        errno.ENOTCONN,
        errno.EPROTO,
        None,  # asyncio's, of a host with several addresses
    }
)


def error_kind(error: BaseException) -> ErrorKind:
    """Classify an error raised by a candidate's call.

    LangChain's `ModelError` classes and the standard library's connection and timeout errors decide first,
    then the HTTP status where the clients of OpenAI, Anthropic, LiteLLM, httpx, requests, botocore, aiohttp
    and Google put it, then the class names by which these and gRPC tell a failed connection.
    Only classes, codes and numbers are looked at, never the words of a message.

    A `RouterExhaustedError` is that of its errors after which the router that raised it may soonest serve:
    they are of candidates tried one after another. Any other group is its worst: all of it had to go well.

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
    if isinstance(error, ExceptionGroup):
        chosen = most_hopeful if isinstance(error, RouterExhaustedError) else least_hopeful
        return chosen(error_kind(one) for one in error.exceptions)
    code = _code(error)
    telling = (_BY_CODE.get(code) if isinstance(code, str) else None) or telling_kind(error)
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
    if type(error) is OSError:
        is_remote = error.errno in _OF_THE_NETWORK and error.filename is None
        return ErrorKind.CONNECT if is_remote else ErrorKind.UNKNOWN
    return kind_by_name(error) or ErrorKind.UNKNOWN


def retry_after_s(error: BaseException, *, now: Callable[[], float] = time.time) -> float | None:
    """Return after how many seconds whoever raised an error wants to be asked again, if it says so.

    A router whose candidates all failed may be asked again when the first of them may: after the shortest
    time that one of those names which may serve again, and nobody knows when where one of them names none.
    The parts of any other group must all go well, so the longest counts.

    Args:
        error: What the call raised.
        now: Seconds since the epoch; only for HTTP dates.

    Example:
        >>> limited = ModelRateLimitError("slow down")
        >>> limited.litellm_response_headers = {"Retry-After": "30"}
        >>> retry_after_s(RouterExhaustedError("all failed", [limited, ModelAuthenticationError("no key")]))
        30.0
    """
    if not isinstance(error, ExceptionGroup):
        return told_retry_after_s(error, now=now)
    is_router = isinstance(error, RouterExhaustedError)
    told = [
        retry_after_s(one, now=now)
        for one in error.exceptions
        if not is_router or same_may_serve(error_kind(one))
    ]
    known = [one for one in told if one is not None]
    if is_router:
        return min(known) if known and len(known) == len(told) else None
    return max(known, default=None)


def _by_status(error: Exception) -> ErrorKind | None:
    status = _status(error)
    if status is None or not 400 <= status <= 599:
        return None
    return _BY_STATUS.get(status, ErrorKind.SERVER)


def _status(error: Exception) -> int | None:
    """Return the HTTP status that an error bears, in the places where the providers' clients put it."""
    response = getattr(error, "response", None)
    found = [getattr(error, "status_code", None), getattr(response, "status_code", None)]
    if isinstance(response, Mapping):  # botocore
        metadata = response.get("ResponseMetadata")
        found.append(metadata.get("HTTPStatusCode") if isinstance(metadata, Mapping) else None)
    found += [getattr(error, "status", None), _code(error)]  # aiohttp, google
    return next(
        (status for status in found if isinstance(status, int) and not isinstance(status, bool)), None
    )


def _code(error: Exception) -> Any:
    """Return an error's code; not of aiohttp's, which warn when they are asked for more than the status."""
    return None if isinstance(getattr(error, "status", None), int) else getattr(error, "code", None)


def _is_control_flow(error: BaseException) -> bool:
    """Recognise LangGraph's interrupts without importing LangGraph."""
    return any(
        cls.__name__ == "GraphBubbleUp" and cls.__module__.startswith("langgraph")
        for cls in type(error).__mro__
    )
