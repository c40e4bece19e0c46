"""Deadlines: how long each call may take, and that the request ends when its time is over."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import ModelTimeoutError

from langchain_router import DeadlineExceededError, RouterExhaustedError
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.moves import Reply
from langchain_router.execution.resilience import Deadlines, Resilience
from tests.execution.walks import REJECTS, World, down, message

LIMITS = Deadlines(total_s=100, attempt_s=30, first_token_s=10, between_chunks_s=5)


def world_of(deadlines: Deadlines = LIMITS) -> World:
    world = World(
        Resilience(deadlines=deadlines, wait=lambda _: 0.0, breaker=BreakerConfig(jitter=0), retry_budget=1.0)
    )
    for name, said in (("a", "cheap"), ("b", "better"), ("c", "good")):
        world.says(name, said)
    return world


def late(name: str = "a") -> DeadlineExceededError:
    return DeadlineExceededError(name, limit_s=1, what="answer")


def test_a_whole_answer_has_the_time_of_an_attempt() -> None:
    world = world_of()
    world.serve("a")
    assert [call.timeout_s for call in world.calls] == [30]


def test_a_stream_that_is_shown_has_the_time_to_its_first_token() -> None:
    world = world_of()
    world.says("a", Reply(answer="begun", is_complete=False))
    world.serve("a", is_live=True)
    assert [call.timeout_s for call in world.calls] == [10]


def test_a_draft_is_not_shown_and_has_the_time_of_an_attempt() -> None:
    world = world_of()
    world.serve(("a", REJECTS), "c", is_live=True)
    assert [call.timeout_s for call in world.calls] == [30, 10]


def test_no_call_has_more_time_than_is_left_of_the_request() -> None:
    world = world_of()
    world.says("a", world.takes(85, down()))
    world.serve("a", "b")
    assert [call.timeout_s for call in world.calls] == [30, 15]


def test_with_all_limits_off_calls_have_no_limit() -> None:
    world = world_of(Deadlines(total_s=None, attempt_s=None, first_token_s=None, between_chunks_s=None))
    world.says("a", world.takes(1e6, down()))
    world.serve("a", "b")
    assert [call.timeout_s for call in world.calls] == [None, None]


def test_a_call_that_ran_into_its_limit_is_followed_by_the_next() -> None:
    world = world_of()
    world.says("a", world.takes(30, late()))
    assert world.serve("a", "b").served_by == "b"
    assert world.outcome.attempts[0].error_kind == "timeout"
    assert world.outcome.latency_s == 30


@pytest.mark.parametrize("plan", [("a", "b"), ("a",)])
def test_when_the_time_of_the_request_is_over_nobody_else_is_called(plan: Any) -> None:
    world, error = world_of(), late()
    world.says("a", world.takes(100, error))
    with pytest.raises(DeadlineExceededError) as caught:
        world.serve(*plan)
    assert caught.value is error
    assert world.called == ["a"]
    assert world.outcome.status == "timeout"


def test_several_that_were_too_slow_are_a_timeout_in_the_outcome() -> None:
    world = world_of()
    world.says("a", world.takes(60, late()))
    world.says("b", world.takes(60, ModelTimeoutError("late")))
    with pytest.raises(RouterExhaustedError):
        world.serve("a", "b", "c")
    assert world.called == ["a", "b"]
    assert world.outcome.status == "timeout"


def test_a_slow_candidate_is_left_alone_after_a_while() -> None:
    world = world_of()
    world.says("a", late())
    for _ in range(8):
        world.serve("a", "b")
    assert world.called.count("a") == 5


def test_the_error_says_who_was_too_slow_and_what_to_do() -> None:
    error = late("gpt")
    assert (error.candidate, error.limit_s) == ("gpt", 1)
    assert "'gpt' gave no answer within 1 s" in str(error)
    assert "Deadlines(" in str(error)


def test_what_is_left_counts_on_while_a_live_answer_is_read() -> None:
    world = world_of()
    world.says("a", world.takes(20, Reply(answer="begun", is_complete=False)))
    served = world.serve("a", is_live=True)
    assert (served.left_s(), served.elapsed_s()) == (80, 20)
    world.clock.now += 85
    assert served.left_s() < 0
    served.finish(message("x"))
