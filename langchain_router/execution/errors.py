"""What an error means for the request: might another candidate still serve it?"""

from __future__ import annotations

import json
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

from langchain_router.exceptions import MalformedResponseError


class ErrorKind(StrEnum):
    """Kinds of failure, as far as the router's next move depends on them."""

    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    CONNECT = "connect"
    TIMEOUT = "timeout"
    AUTH = "auth"
    NOT_FOUND = "not_found"
    BAD_REQUEST = "bad_request"
    CONTEXT_OVERFLOW = "context_overflow"
    MALFORMED = "malformed"
    CONTROL_FLOW = "control_flow"
    UNKNOWN = "unknown"


_FINAL = frozenset({ErrorKind.BAD_REQUEST, ErrorKind.CONTROL_FLOW, ErrorKind.UNKNOWN})

# The most telling class first: some errors belong to several.
_BY_CLASS: tuple[tuple[type[BaseException], ErrorKind], ...] = (
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


def error_kind(error: BaseException) -> ErrorKind:
    """Classify an error raised by a candidate's call.

    LangChain's `ModelError` classes decide first, then a `status_code` attribute (OpenAI, Anthropic,
    LiteLLM and httpx errors bear one), then the standard library's connection and timeout errors. Only
    classes, codes and numbers are looked at, never the words of a message.

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
    by_class = next((kind for cls, kind in _BY_CLASS if isinstance(error, cls)), None)
    if by_class is not None and by_class is not ErrorKind.SERVER:
        return by_class
    status = getattr(error, "status_code", None)
    if isinstance(status, int) and status in _BY_STATUS:
        return _BY_STATUS[status]
    if isinstance(status, int) and status >= 500:
        return ErrorKind.SERVER
    if by_class is not None or isinstance(error, ModelError):
        return ErrorKind.SERVER
    return ErrorKind.UNKNOWN


def another_may_serve(kind: ErrorKind) -> bool:
    """Return whether a failure of this kind leaves hope in another candidate.

    A caller's own bad request fails the same way everywhere, and an error that is not a provider's
    (a fault in a callback, a bug) must surface rather than be hidden by a failover.
    """
    return kind not in _FINAL


def _is_control_flow(error: BaseException) -> bool:
    """Recognise LangGraph's interrupts without importing LangGraph."""
    return any(
        cls.__name__ == "GraphBubbleUp" and cls.__module__.startswith("langgraph")
        for cls in type(error).__mro__
    )
