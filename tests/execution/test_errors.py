"""What an error means: the table."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    LangChainException,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
    OutputParserException,
)
from langgraph.errors import GraphBubbleUp, GraphInterrupt, GraphRecursionError

from langchain_router.exceptions import (
    ConfigurationError,
    MalformedResponseError,
    NoEligibleCandidateError,
    RouterExhaustedError,
    StreamInterruptedError,
)
from langchain_router.execution.errors import ErrorKind, another_may_serve, error_kind


def with_status(status: Any, error: Exception | None = None) -> Exception:
    error = error or RuntimeError("from a provider")
    error.status_code = status  # type: ignore[attr-defined]
    return error


def with_code(code: str, error: Exception) -> Exception:
    error.code = code  # type: ignore[attr-defined]
    return error


def from_httpx(status: int) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://127.0.0.1/v1")
    return httpx.HTTPStatusError("no", request=request, response=httpx.Response(status, request=request))


class APIConnectionError(Exception):
    """As in the clients of OpenAI, Anthropic and others, which are generated alike."""


class APITimeoutError(APIConnectionError):
    pass


TABLE: list[tuple[BaseException, str]] = [
    # LangChain's classes
    (ModelRateLimitError("x"), "rate_limited"),
    (ModelTimeoutError("x"), "timeout"),
    (ModelConnectionError("x"), "connect"),
    (ModelAuthenticationError("x"), "auth"),
    (ModelPermissionDeniedError("x"), "auth"),
    (ModelNotFoundError("x"), "not_found"),
    (ModelInvalidRequestError("x"), "bad_request"),
    (ContextOverflowError("x"), "context_overflow"),
    (ModelAPIError("x"), "server"),
    (ModelError("x"), "server"),
    # ours
    (MalformedResponseError("x"), "malformed"),
    (RouterExhaustedError("x", [ModelRateLimitError("y")]), "server"),
    (NoEligibleCandidateError({"a": ["b"]}), "not_found"),
    (StreamInterruptedError(partial="x", candidate="a", decision_id="d"), "interrupted"),
    (ConfigurationError("x"), "unknown"),
    # HTTP status
    (with_status(400), "bad_request"),
    (with_status(401), "auth"),
    (with_status(402), "auth"),
    (with_status(403), "auth"),
    (with_status(404), "not_found"),
    (with_status(408), "timeout"),
    (with_status(413), "context_overflow"),
    (with_status(422), "bad_request"),
    (with_status(429), "rate_limited"),
    (with_status(500), "server"),
    (with_status(502), "server"),
    (with_status(503), "server"),
    (with_status(504), "timeout"),
    (with_status(529), "server"),
    (with_status(200), "unknown"),
    (with_status("429"), "unknown"),
    (from_httpx(429), "rate_limited"),
    (from_httpx(503), "server"),
    (from_httpx(400), "bad_request"),
    (with_status(429, ModelAPIError("x")), "rate_limited"),
    (with_status(500, ModelRateLimitError("x")), "rate_limited"),
    # a code tells more than a class or a status
    (with_code("context_length_exceeded", ModelInvalidRequestError("x")), "context_overflow"),
    (with_code("context_length_exceeded", with_status(400)), "context_overflow"),
    (with_code("invalid_image", ModelInvalidRequestError("x")), "bad_request"),
    # the connection
    (TimeoutError(), "timeout"),
    (ConnectionError(), "connect"),
    (ConnectionResetError(), "connect"),
    (ConnectionRefusedError(), "connect"),
    (BrokenPipeError(), "connect"),
    (httpx.ConnectError("x"), "connect"),
    (httpx.RemoteProtocolError("x"), "connect"),
    (httpx.ReadTimeout("x"), "timeout"),
    (httpx.ConnectTimeout("x"), "timeout"),
    (APIConnectionError(), "connect"),
    (APITimeoutError(), "timeout"),
    (json.JSONDecodeError("x", "y", 0), "malformed"),
    # what must always pass through
    (GraphBubbleUp(), "control_flow"),
    (GraphInterrupt(), "control_flow"),
    (KeyboardInterrupt(), "control_flow"),
    (SystemExit(), "control_flow"),
    (GeneratorExit(), "control_flow"),
    (asyncio.CancelledError(), "control_flow"),
    # not a provider's: a bug, a callback, a parser
    (KeyError("x"), "unknown"),
    (ZeroDivisionError(), "unknown"),
    (ValueError("x"), "unknown"),
    (OutputParserException("x"), "unknown"),
    (LangChainException("x"), "unknown"),
    (GraphRecursionError("x"), "unknown"),
    (FileNotFoundError("x"), "unknown"),
]

SERVED_BY_ANOTHER = {
    "rate_limited": True,
    "server": True,
    "connect": True,
    "timeout": True,
    "auth": True,
    "not_found": True,
    "unsupported": True,
    "context_overflow": True,
    "malformed": True,
    "bad_request": False,
    "interrupted": False,
    "control_flow": False,
    "unknown": False,
}


@pytest.mark.parametrize(("error", "kind"), TABLE, ids=lambda given: getattr(type(given), "__name__", ""))
def test_every_error_has_its_kind(error: BaseException, kind: str) -> None:
    assert error_kind(error) == kind


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_says_whether_another_candidate_may_serve(kind: ErrorKind) -> None:
    assert another_may_serve(kind) is SERVED_BY_ANOTHER[kind]


def test_every_model_error_class_of_langchain_is_in_the_table() -> None:
    known = {ModelError, *ModelError.__subclasses__()}
    mine = {cls for cls in known if cls.__module__ == "langchain_core.exceptions"}
    assert mine <= {type(error) for error, _ in TABLE}


def test_a_subclass_of_a_partner_package_is_what_its_base_is() -> None:
    class OpenAIContextOverflowError(ModelInvalidRequestError, ContextOverflowError):
        pass

    class SlowConnectionError(ModelAPIError, ModelTimeoutError):
        pass

    assert error_kind(OpenAIContextOverflowError("x")) == "context_overflow"
    assert error_kind(SlowConnectionError("x")) == "timeout"


@pytest.mark.parametrize(
    "words",
    ["rate limit exceeded", "429 Too Many Requests", "context_length_exceeded", "timeout", "connection"],
)
def test_the_words_of_a_message_are_never_looked_at(words: str) -> None:
    assert error_kind(RuntimeError(words)) == "unknown"


def test_only_langgraphs_own_class_is_taken_for_its_control_flow() -> None:
    impostor = type("GraphBubbleUp", (Exception,), {"__module__": "elsewhere"})
    assert error_kind(impostor()) == "unknown"


def test_an_attribute_that_is_something_else_does_no_harm() -> None:
    error = RuntimeError("x")
    error.code = ["context_length_exceeded"]  # type: ignore[attr-defined]
    error.status_code = None  # type: ignore[attr-defined]
    error.response = "text"  # type: ignore[attr-defined]
    assert error_kind(error) == "unknown"
