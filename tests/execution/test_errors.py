"""What an error means: the table."""

from __future__ import annotations

import asyncio
import errno
import http.client
import json
import shutil
import socket
import ssl
import urllib.error
from email.message import Message
from typing import Any

import httpx
import langchain_core.exceptions as langchain_errors
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
    CircuitOpenError,
    ConfigurationError,
    DeadlineExceededError,
    MalformedResponseError,
    NoEligibleCandidateError,
    RouterExhaustedError,
    StreamInterruptedError,
    TruncatedResponseError,
)
from langchain_router.execution.errors import (
    ErrorKind,
    another_may_serve,
    counts_for_breaker,
    error_kind,
    same_may_serve,
)


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


class UnsupportedParamsError(ModelInvalidRequestError):
    """As in LiteLLM."""


class ContentPolicyViolationError(ModelInvalidRequestError):
    """As in LiteLLM."""


class ContentFilterFinishReasonError(Exception):
    """As in OpenAI's client."""


class APIResponseValidationError(Exception):
    """As in the clients of OpenAI and others."""


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
    (TruncatedResponseError("x"), "truncated"),
    (DeadlineExceededError("a", limit_s=1, what="answer"), "timeout"),
    (RouterExhaustedError("x", [ModelRateLimitError("y")]), "rate_limited"),
    (CircuitOpenError({"a": 3}), "overloaded"),
    (NoEligibleCandidateError({"a": ["b"]}), "unsupported"),
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
    (with_status(503), "overloaded"),
    (with_status(504), "timeout"),
    (with_status(529), "overloaded"),
    (with_status(200), "unknown"),
    (with_status("429"), "unknown"),
    (from_httpx(429), "rate_limited"),
    (from_httpx(502), "server"),
    (from_httpx(503), "overloaded"),
    (from_httpx(400), "bad_request"),
    (with_status(429, ModelAPIError("x")), "rate_limited"),
    (with_status(503, ModelAPIError("x")), "overloaded"),
    (with_status(500, ModelAPIError("x")), "server"),
    (with_status(500, MalformedResponseError("x")), "malformed"),
    (with_status(500, ModelRateLimitError("x")), "rate_limited"),
    # a code tells more than a class or a status
    (with_code("context_length_exceeded", ModelInvalidRequestError("x")), "context_overflow"),
    (with_code("context_length_exceeded", with_status(400)), "context_overflow"),
    (with_code("content_filter", with_status(400)), "refused"),
    (with_code("content_policy_violation", ModelInvalidRequestError("x")), "refused"),
    (with_code("invalid_image", ModelInvalidRequestError("x")), "bad_request"),
    # some names tell more than LangChain's classes
    (UnsupportedParamsError("x"), "unsupported"),
    (ContentPolicyViolationError("x"), "refused"),
    (ContentFilterFinishReasonError("x"), "refused"),
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
    (APIResponseValidationError("x"), "malformed"),
    # what must always pass through
    (GraphBubbleUp(), "control_flow"),
    (GraphInterrupt(), "control_flow"),
    (KeyboardInterrupt(), "control_flow"),
    (SystemExit(), "control_flow"),
    (GeneratorExit(), "control_flow"),
    # given up by whoever called
    (asyncio.CancelledError(), "cancelled"),
    # not a provider's: a bug, a callback, a parser
    (KeyError("x"), "unknown"),
    (ZeroDivisionError(), "unknown"),
    (ValueError("x"), "unknown"),
    (OutputParserException("x"), "unknown"),
    (LangChainException("x"), "unknown"),
    (GraphRecursionError("x"), "unknown"),
    (FileNotFoundError("x"), "unknown"),
    (PermissionError(errno.EACCES, "x"), "unknown"),
    (IsADirectoryError("x"), "unknown"),
    (OSError(errno.ENOSPC, "x"), "unknown"),
    (OSError(errno.EMFILE, "x"), "unknown"),
    (OSError(errno.EHOSTUNREACH, "x", "a-file"), "unknown"),
    (shutil.Error("x"), "unknown"),
    # the network, as the operating system and the standard library tell it
    (OSError(errno.EHOSTUNREACH, "No route to host"), "connect"),
    (OSError(errno.ENETUNREACH, "Network is unreachable"), "connect"),
    (OSError("Multiple exceptions: ..."), "connect"),  # as asyncio's, of a host with several addresses
    (socket.gaierror(-2, "Name or service not known"), "connect"),
    (socket.herror(1, "Unknown host"), "connect"),
    (ssl.SSLError("x"), "connect"),
    (ssl.SSLCertVerificationError("x"), "connect"),
    (http.client.IncompleteRead(b""), "connect"),
    (http.client.BadStatusLine("x"), "connect"),
    (http.client.RemoteDisconnected("x"), "connect"),
    (urllib.error.URLError("x"), "connect"),
    (urllib.error.HTTPError("http://127.0.0.1", 429, "x", Message(), None), "rate_limited"),
    (asyncio.IncompleteReadError(b"", 3), "connect"),
]


if hasattr(langchain_errors, "ModelRefusalError"):  # since langchain-core 1.7.5
    TABLE.append((langchain_errors.ModelRefusalError("x"), "refused"))

# kind: may the same serve, may another, does it count for the breaker
CONSEQUENCES = {
    "rate_limited": (True, True, "yes"),
    "overloaded": (True, True, "yes"),
    "server": (True, True, "yes"),
    "connect": (True, True, "yes"),
    "malformed": (True, True, "yes"),
    "truncated": (True, True, "yes"),
    "timeout": (False, True, "yes"),
    "auth": (False, True, "at once"),
    "not_found": (False, True, "at once"),
    "unsupported": (False, True, "no"),
    "context_overflow": (False, True, "no"),
    "interrupted": (False, False, "yes"),
    "bad_request": (False, False, "no"),
    "refused": (False, False, "no"),
    "cancelled": (False, False, "no"),
    "control_flow": (False, False, "no"),
    "unknown": (False, False, "no"),
}


@pytest.mark.parametrize(("error", "kind"), TABLE, ids=lambda given: getattr(type(given), "__name__", ""))
def test_every_error_has_its_kind(error: BaseException, kind: str) -> None:
    assert error_kind(error) == kind


# --- groups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ([ModelAuthenticationError("x"), ModelAuthenticationError("y")], "auth"),
        ([ModelAuthenticationError("x"), ModelRateLimitError("y")], "rate_limited"),
        ([ModelRateLimitError("x"), ModelAPIError("y")], "server"),
        ([ModelTimeoutError("x"), RouterExhaustedError("y", [ModelRateLimitError("z")])], "rate_limited"),
        ([ContextOverflowError("x"), NoEligibleCandidateError({"a": ["b"]})], "unsupported"),
    ],
)
def test_a_router_of_whom_nobody_answered_is_the_failure_that_passes_soonest(
    members: list[Exception], kind: str
) -> None:
    assert error_kind(RouterExhaustedError("x", members)) == kind
    assert error_kind(RouterExhaustedError("x", members[::-1])) == kind


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ([OSError(errno.EHOSTUNREACH, "x"), ConnectionRefusedError()], "connect"),
        ([ConnectionResetError(), ModelAuthenticationError("x")], "auth"),
        ([ConnectionResetError(), ZeroDivisionError()], "unknown"),
        ([ConnectionResetError(), GraphInterrupt()], "control_flow"),
    ],
)
def test_any_other_group_is_its_worst_so_that_no_bug_is_hidden(members: list[Exception], kind: str) -> None:
    assert error_kind(ExceptionGroup("x", members)) == kind


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_says_who_may_still_serve_and_what_it_says_of_the_candidate(kind: ErrorKind) -> None:
    found = (same_may_serve(kind), another_may_serve(kind), counts_for_breaker(kind))
    assert found == CONSEQUENCES[kind]


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
