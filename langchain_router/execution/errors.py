"""What an error means for the request: might another candidate still serve it?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

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
    MalformedResponseError,
    NoEligibleCandidateError,
    StreamInterruptedError,
)


class ErrorKind(StrEnum):
    """Kinds of failure, as far as the router's next move depends on them."""

    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    UNSUPPORTED = "unsupported"
    BAD_REQUEST = "bad_request"
    CONTEXT_OVERFLOW = "context_overflow"
    MALFORMED = "malformed"
    INTERRUPTED = "interrupted"
    CONTROL_FLOW = "control_flow"
    UNKNOWN = "unknown"


_FINAL = frozenset({ErrorKind.BAD_REQUEST, ErrorKind.INTERRUPTED, ErrorKind.CONTROL_FLOW, ErrorKind.UNKNOWN})

# The most telling class first: some errors belong to several.
_BY_CLASS: tuple[tuple[type[BaseException], ErrorKind], ...] = (
    (StreamInterruptedError, ErrorKind.INTERRUPTED),
    (NoEligibleCandidateError, ErrorKind.NOT_FOUND),  # of a router that is itself a candidate
    (ContextOverflowError, ErrorKind.CONTEXT_OVERFLOW),
    (ModelRateLimitError, ErrorKind.RATE_LIMITED),
    (ModelTimeoutError, ErrorKind.TIMEOUT),
    (ModelConnectionError, ErrorKind.CONNECT),
    (ModelAuthenticationError, ErrorKind.AUTH),
    (ModelPermissionDeniedError, ErrorKind.AUTH),
    (ModelNotFoundError, ErrorKind.NOT_FOUND),
    (ModelInvalidRequestError, ErrorKind.BAD_REQUEST),
    (MalformedResponseError, ErrorKind.MALFORMED),
    (ModelAPIError, ErrorKind.SERVER),
    (TimeoutError, ErrorKind.TIMEOUT),
    (ConnectionError, ErrorKind.CONNECT),
    (json.JSONDecodeError, ErrorKind.MALFORMED),
)

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
    504: ErrorKind.TIMEOUT,
}

# Of httpx, requests and botocore, and of the clients of OpenAI, Anthropic, Groq and others made alike.
_BY_CLASS_NAME = {
    "TimeoutException": ErrorKind.TIMEOUT,
    "Timeout": ErrorKind.TIMEOUT,
    "ReadTimeoutError": ErrorKind.TIMEOUT,
    "ConnectTimeoutError": ErrorKind.TIMEOUT,
    "APITimeoutError": ErrorKind.TIMEOUT,
    "TransportError": ErrorKind.CONNECT,
    "ConnectionError": ErrorKind.CONNECT,
    "HTTPClientError": ErrorKind.CONNECT,
    "APIConnectionError": ErrorKind.CONNECT,
    "SSLError": ErrorKind.CONNECT,
    "gaierror": ErrorKind.CONNECT,
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
    if not isinstance(error, Exception) or _is_control_flow(error):
        return ErrorKind.CONTROL_FLOW
    if getattr(error, "code", None) == "context_length_exceeded":
        return ErrorKind.CONTEXT_OVERFLOW
    if any(cls.__name__ == "UnsupportedParamsError" for cls in type(error).__mro__):
        return ErrorKind.UNSUPPORTED  # LiteLLM: this model does not take the parameter; another may
    by_class = next((kind for cls, kind in _BY_CLASS if isinstance(error, cls)), None)
    if by_class is not None and by_class is not ErrorKind.SERVER:
        return by_class
    by_status = _by_status(error)
    if by_status is not None:
        return by_status
    if by_class is not None or isinstance(error, ModelError):
        return ErrorKind.SERVER
    named = (_BY_CLASS_NAME.get(cls.__name__) for cls in type(error).__mro__)
    return next((kind for kind in named if kind), ErrorKind.UNKNOWN)


def another_may_serve(kind: ErrorKind) -> bool:
    """Return whether a failure of this kind leaves hope in another candidate.

    A caller's own bad request fails the same way everywhere, and an error that is not a provider's
    (a fault in a callback, a bug) must surface rather than be hidden by a failover.
    """
    return kind not in _FINAL


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
