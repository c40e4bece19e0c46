"""What a plan came to: statuses, a live stream's end, and one report for each request."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langgraph.errors import GraphInterrupt

from langchain_router import (
    CircuitOpenError,
    RouterExhaustedError,
    StreamInterruptedError,
    TruncatedResponseError,
)
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.moves import Reply
from langchain_router.execution.resilience import Resilience
from langchain_router.execution.served import Served, status_of_answer, status_of_error
from tests.execution.walks import World, asking, decision, down, message, priced, told_to_wait, unpriced


def finished(reason: str | None, **known: Any) -> Any:
    return message(response_metadata={} if reason is None else {"finish_reason": reason}, **known)


# --- statuses -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("stop", "ok"),
        ("tool_calls", "ok"),
        ("length", "truncated"),
        ("max_tokens", "truncated"),
        ("content_filter", "refused"),
        ("SAFETY", "refused"),
        ("something_new", "ok"),
    ],
)
@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_answer_ended_as_its_finish_reason_says(reason: str, status: str, is_streamed: bool) -> None:
    assert status_of_answer(finished(reason), is_streamed=is_streamed) == status


def test_only_of_a_stream_does_silence_about_its_end_mean_that_nobody_knows() -> None:
    assert status_of_answer(finished(None)) == "ok"
    assert status_of_answer(None) == "ok"
    assert status_of_answer(finished(None), is_streamed=True) == "unknown"
    assert status_of_answer(None, is_streamed=True) == "unknown"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ModelTimeoutError("x"), "timeout"),
        (ModelRateLimitError("x"), "error"),
        (KeyError("x"), "error"),
        (TruncatedResponseError("x"), "truncated"),
        (StreamInterruptedError(partial="x", candidate="a", decision_id="d"), "truncated"),
        (CircuitOpenError({"a": 1.0}), "error"),
        (RouterExhaustedError("x", [ModelTimeoutError("x"), ModelTimeoutError("y")]), "timeout"),
        (RouterExhaustedError("x", [ModelTimeoutError("x"), down()]), "error"),
        (KeyboardInterrupt(), "cancelled"),
        (GeneratorExit(), "cancelled"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_a_request_that_ended_with_an_error_has_a_status(error: BaseException, status: str) -> None:
    assert status_of_error(error) == status


# --- live streams ---------------------------------------------------------------------------------


def live(world: World | None = None, candidate: Any = None) -> tuple[Served, World]:
    world = world or World(Resilience(breaker=BreakerConfig(failures=1, jitter=0)))
    world.says("a", world.takes(1, Reply(answer="begun", is_complete=False, is_streamed=True)))
    return world.serve(candidate or priced("a", max_concurrency=1), is_live=True), world


def test_a_live_answer_is_reported_when_it_is_finished_and_keeps_its_place_until_then() -> None:
    served, world = live()
    assert world.outcomes == []
    assert not world.is_at_rest()
    world.clock.now += 3
    outcome = served.finish(finished("stop"), first_token_s=1.0)
    assert world.outcomes == [outcome]
    assert served.outcome is outcome
    assert (outcome.status, outcome.served_by, outcome.first_token_s, outcome.latency_s) == (
        "ok",
        "a",
        1.0,
        4,
    )
    (attempt,) = outcome.attempts
    assert (attempt.input_tokens, attempt.output_tokens, attempt.latency_s) == (10, 100, 1)
    assert attempt.cost_usd == pytest.approx(110e-6)
    assert world.is_at_rest()


def test_only_the_first_end_of_a_stream_counts() -> None:
    served, world = live()
    first = served.finish(finished("stop"))
    assert served.finish(None, KeyError("late")) is first
    assert len(world.outcomes) == 1


@pytest.mark.parametrize(
    ("error", "status", "kind", "counts"),
    [
        (GeneratorExit(), "cancelled", "cancelled", False),
        (KeyboardInterrupt(), "cancelled", "cancelled", False),
        (ConnectionResetError(), "truncated", "connect", True),
        (ModelTimeoutError("silence"), "timeout", "timeout", True),
        (GraphInterrupt(), "error", "control_flow", False),
        (KeyError("a bug in a callback"), "truncated", "unknown", False),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, BaseException) else "",
)
def test_a_stream_that_breaks_off_is_told_to_breaker_and_outcome(
    error: BaseException, status: str, kind: str, counts: bool
) -> None:
    served, world = live()
    outcome = served.finish(finished(None, tokens=None), error)
    assert (outcome.status, outcome.attempts[0].error_kind) == (status, kind)
    assert (world.gates.reason_against(priced("a")) is not None) == counts
    assert world.is_at_rest()


def test_a_nested_routers_broken_stream_counts_as_what_broke_it() -> None:
    served, world = live()
    error = StreamInterruptedError(partial="x", candidate="a", decision_id="d")
    error.__cause__ = told_to_wait(20)
    outcome = served.finish(None, error)
    assert outcome.status == "truncated"
    assert world.gates.is_cooling(priced("a"))
    assert world.gates.wait_s(priced("a")) == pytest.approx(20)


def test_what_a_broken_stream_cost_is_estimated_from_its_prompt() -> None:
    served, _ = live()
    (attempt,) = served.finish(finished(None, tokens=None), GeneratorExit()).attempts
    assert attempt.estimated
    assert attempt.cost_usd == pytest.approx(asking().prompt_tokens * 1e-6)


def test_what_a_broken_stream_cost_is_known_when_its_usage_had_arrived() -> None:
    served, _ = live()
    (attempt,) = served.finish(finished(None), GeneratorExit()).attempts
    assert not attempt.estimated
    assert attempt.cost_usd == pytest.approx(110e-6)


@pytest.mark.parametrize("candidate", [priced("a"), unpriced("a")])
def test_a_stream_without_usage_has_an_unknown_cost_and_no_zero(candidate: Any) -> None:
    served, _ = live(candidate=candidate)
    outcome = served.finish(finished("stop", tokens=None))
    assert (outcome.cost_usd, outcome.attempts[0].input_tokens) == (None, None)


# --- one report for each request ------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "yes",
        down(),
        ModelTimeoutError("x"),
        ModelAuthenticationError("x"),
        ModelInvalidRequestError("x"),
        KeyError("x"),
        KeyboardInterrupt(),
        GraphInterrupt(),
        Reply(answer=None),
    ],
    ids=lambda given: type(given).__name__,
)
@pytest.mark.parametrize("is_async", [False, True])
def test_there_is_exactly_one_report_whatever_happens(said: Any, is_async: bool) -> None:
    world = World(is_async=is_async)
    world.says("a", said)
    try:
        world.serve("a")
    except BaseException as error:  # noqa: BLE001 - whether it is reported is what matters
        assert error is said or isinstance(error, RouterExhaustedError)  # noqa: PT017
    assert world.outcome.decision_id == "d"
    assert world.is_at_rest()


def test_a_report_that_is_interrupted_is_not_made_twice() -> None:
    world, told = World(), []

    def report(outcome: Any) -> None:
        told.append(outcome)
        raise KeyboardInterrupt

    world.says("a", "yes")
    with pytest.raises(KeyboardInterrupt):
        world.serve("a", report=report)
    assert len(told) == 1
    assert world.is_at_rest()


def test_a_walk_that_is_never_begun_is_not_reported_and_one_that_is_dropped_is() -> None:
    world = World()
    never = world.walk(decision("a"))
    never.close()
    assert world.outcomes == []
    dropped = world.walk(decision("a"))
    next(dropped)
    del dropped
    assert world.outcome.status == "cancelled"
    assert world.is_at_rest()
