"""The errors of OpenAI's API: status, type, code and body, as clients tell them apart."""

from __future__ import annotations

import json
from typing import NamedTuple


class _Kind(NamedTuple):
    type: str
    code: str | None
    message: str
    param: str | None = None


_BY_STATUS = {
    400: _Kind("invalid_request_error", None, "The request was rejected as invalid."),
    401: _Kind("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: _Kind("invalid_request_error", "insufficient_permissions", "You may not use this model."),
    404: _Kind("invalid_request_error", "model_not_found", "The model does not exist.", "model"),
    408: _Kind("timeout", "request_timeout", "The request took too long and was given up."),
    409: _Kind("invalid_request_error", "conflict", "The resource was changed by another request."),
    422: _Kind("invalid_request_error", None, "The request was well-formed but could not be processed."),
    429: _Kind("requests", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    500: _Kind("server_error", None, "The server had an error while processing your request."),
    502: _Kind("server_error", "bad_gateway", "The upstream server gave no valid answer."),
    503: _Kind("server_error", "service_unavailable", "The model is overloaded. Please try again later."),
    504: _Kind("timeout", "gateway_timeout", "The upstream server gave no answer in time."),
}
_BY_CODE = {
    "context_length_exceeded": _Kind(
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is exceeded by your messages. Please reduce their length.",
        "messages",
    ),
    "content_policy_violation": _Kind(
        "invalid_request_error",
        "content_policy_violation",
        "Your request was rejected as a result of our safety system.",
    ),
    "insufficient_quota": _Kind(
        "insufficient_quota", "insufficient_quota", "You exceeded your current quota. Check your plan."
    ),
}


class ApiError(Exception):
    """An answer that is an error; raised anywhere in the provider and sent as its HTTP response.

    Args:
        status: HTTP status, 400 to 599.
        message: What the client reads; None takes the usual sentence for the status or code.
        code: OpenAI's machine-readable code; None takes the status's usual one.
        param: The request's field at fault.
        retry_after_s: Sent as `Retry-After` (as it is, fractions too, so that tests need not wait a second)
            and as `retry-after-ms`.

    Example:
        >>> ApiError(429, retry_after_s=2).headers
        {'retry-after': '2', 'retry-after-ms': '2000'}
    """

    def __init__(
        self,
        status: int,
        message: str | None = None,
        *,
        code: str | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        usual = _BY_STATUS.get(status, _BY_STATUS[500 if status >= 500 else 400])
        kind = _BY_CODE.get(code or "", usual)
        super().__init__(message or kind.message)
        self.status = status
        error = {
            "message": message or kind.message,
            "type": kind.type,
            "param": param or kind.param,
            "code": code or (kind.code if message is None else None),
        }
        self.body = json.dumps({"error": error}).encode()
        self.headers: dict[str, str] = {}
        if retry_after_s is not None:
            self.headers["retry-after"] = f"{retry_after_s:g}"
            self.headers["retry-after-ms"] = f"{retry_after_s * 1000:.0f}"
