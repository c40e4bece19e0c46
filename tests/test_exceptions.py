"""Errors that a user sees: one tree, LangChain's classes, picklable, without prompt text."""

from __future__ import annotations

import inspect
import pickle
import traceback
from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelTimeoutError,
)
from langchain_core.language_models import FakeListChatModel

from langchain_router import (
    Candidate,
    ChatRouter,
    CircuitOpenError,
    ConfigurationError,
    DeadlineExceededError,
    InsufficientEvidenceError,
    MalformedResponseError,
    NoEligibleCandidateError,
    RouterError,
    RouterExhaustedError,
    StreamInterruptedError,
    TruncatedResponseError,
    exceptions,
)
from langchain_router.exceptions import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreSchemaError,
)
from langchain_router.execution.limit import ConcurrencyLimit

INTERRUPTED = StreamInterruptedError(partial="the-canary-sings", candidate="small", decision_id="d1")
EVERY = [
    (ConfigurationError("write this instead"), ValueError),
    (NoEligibleCandidateError({"small": ["lacks image input"]}), ModelInvalidRequestError),
    (RouterExhaustedError("all failed", [ModelAPIError("down")]), ModelAPIError),
    (DeadlineExceededError("small", limit_s=1.5, what="first token"), ModelTimeoutError),
    (CircuitOpenError({"small": 12.0, "large": 0.0}, slots={"small": None, "large": 2}), ModelAPIError),
    (MalformedResponseError("no choice"), ModelAPIError),
    (TruncatedResponseError("no finish reason"), ModelAPIError),
    (INTERRUPTED, ModelConnectionError),
    (InsufficientEvidenceError("too few", effective_sample=12.5), RouterError),
    (StoreError("sqlite:///router.db", "could not be written."), RouterError),
    (StoreBusyError("sqlite:///router.db", "is locked."), RouterError),
    (StoreFullError("sqlite:///router.db", "is full."), RouterError),
    (StoreCorruptError("sqlite:///router.db", "is damaged."), RouterError),
    (StoreSchemaError("sqlite:///router.db", "is of a newer version."), RouterError),
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


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (
            CircuitOpenError({"a": 12.0, "b": 3.0}, slots={"a": 2}),
            "'a' is left alone for another 12 s, 'b' is left alone for another 3 s. Try again in 3 s, or",
        ),
        (
            CircuitOpenError({"a": 12.0, "b": 0.0}, slots={"a": None, "b": 2}),
            "'b' has no free slot (max_concurrency 2). Try again in a moment, raise max_concurrency, or",
        ),
        (CircuitOpenError({"a": 0.0}), "'a' was busy. Try again in a moment, or add a"),
        (CircuitOpenError({}), "no candidate is left. Try again in a moment, or add a"),
    ],
)
def test_who_may_not_be_called_is_said_with_the_reason(error: Exception, says: str) -> None:
    assert says in str(error)


# --- tracebacks -----------------------------------------------------------------------------------


class Down(FakeListChatModel):
    def _call(self, *_: Any, **__: Any) -> str:
        try:
            raise OSError("cable cut")
        except OSError as error:
            raise ModelAPIError("no answer") from error


def test_a_traceback_shows_each_error_once_with_its_cause_and_not_the_routers_own_frames() -> None:
    candidates = [Candidate(model=Down(responses=[""]), name=name) for name in "abc"]
    with pytest.raises(RouterExhaustedError) as caught:
        ChatRouter(candidates=candidates).invoke("Hello")
    shown = "".join(traceback.format_exception(caught.value))
    whole, _, members = shown.partition("+---------------- 1 ---")
    assert whole.count("no answer") == 0, "the last error is not the context"
    assert members.count("ModelAPIError: no answer") == 3
    assert members.count("cable cut") == 2 * 3, "the line that raised it, and its words"
    assert members.count("attempt 2, candidate 'b', server") == 1
    assert "langchain_router/execution" not in members
    assert "in _call" in members


def test_an_error_that_only_the_router_has_a_part_in_keeps_the_frame_that_raised_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        ConcurrencyLimit(0)
    error = caught.value
    assert error.__traceback__ is not None
    error.__traceback__ = error.__traceback__.tb_next  # as from within the router
    RouterExhaustedError("x", [error])
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)] == ["__init__"]
