"""Errors that a user sees: one tree, LangChain's classes, picklable, without prompt text."""

from __future__ import annotations

import inspect
import pickle

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelTimeoutError,
)

from langchain_router import (
    CircuitOpenError,
    ConfigurationError,
    DeadlineExceededError,
    MalformedResponseError,
    NoEligibleCandidateError,
    RouterError,
    RouterExhaustedError,
    StreamInterruptedError,
    TruncatedResponseError,
    exceptions,
)

INTERRUPTED = StreamInterruptedError(partial="the-canary-sings", candidate="small", decision_id="d1")
EVERY = [
    (ConfigurationError("write this instead"), ValueError),
    (NoEligibleCandidateError({"small": ["lacks image input"]}), ModelInvalidRequestError),
    (RouterExhaustedError("all failed", [ModelAPIError("down")]), ModelAPIError),
    (DeadlineExceededError("small", limit_s=1.5, what="first token"), ModelTimeoutError),
    (CircuitOpenError({"small": 12.0, "large": 30.0}), ModelAPIError),
    (MalformedResponseError("no choice"), ModelAPIError),
    (TruncatedResponseError("no finish reason"), ModelAPIError),
    (INTERRUPTED, ModelConnectionError),
]


def test_every_class_of_the_tree_is_tried_here() -> None:
    classes = {c for _, c in inspect.getmembers(exceptions, inspect.isclass) if issubclass(c, RouterError)}
    assert classes - {RouterError} == {type(error) for error, _ in EVERY}


@pytest.mark.parametrize(("error", "langchains"), EVERY, ids=lambda value: getattr(value, "__name__", ""))
def test_each_is_a_router_error_and_what_langchain_expects(
    error: Exception, langchains: type[Exception]
) -> None:
    assert isinstance(error, RouterError)
    assert isinstance(error, langchains)


@pytest.mark.parametrize("error", [error for error, _ in EVERY], ids=lambda error: type(error).__name__)
def test_each_survives_pickling(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is type(error)
    assert str(again) == str(error)


def test_a_pickled_error_keeps_what_it_knew() -> None:
    again = pickle.loads(pickle.dumps(INTERRUPTED))  # noqa: S301 - our own bytes
    assert (again.partial, again.candidate, again.decision_id) == ("the-canary-sings", "small", "d1")
    nobody = pickle.loads(pickle.dumps(NoEligibleCandidateError({"a": ["b"]})))  # noqa: S301 - our own bytes
    assert nobody.excluded == {"a": ("b",)}
    waiting = pickle.loads(pickle.dumps(CircuitOpenError({"a": 12.0, "b": 3.0})))  # noqa: S301 - our own bytes
    assert (waiting.retry_after_s, waiting.waits_s) == (3.0, {"a": 12.0, "b": 3.0})


def test_the_partial_answer_is_not_in_the_message() -> None:
    assert "the-canary-sings" not in str(INTERRUPTED) + repr(INTERRUPTED)


def test_a_group_can_be_split_by_the_kind_of_its_errors() -> None:
    group = RouterExhaustedError("all failed", [ModelAPIError("down"), ModelConnectionError("gone")])
    matched, rest = group.split(ModelConnectionError)
    assert isinstance(matched, RouterExhaustedError)
    assert isinstance(rest, RouterExhaustedError)
