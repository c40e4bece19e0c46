"""Retries: a candidate is asked again only when nobody new is left, after a wait, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import ModelAuthenticationError, ModelRateLimitError, ModelTimeoutError
from tenacity import stop_after_attempt, stop_never, wait_fixed

from langchain_router import (
    MalformedResponseError,
    RouterExhaustedError,
    TruncatedResponseError,
)
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.resilience import Deadlines, Resilience
from tests.execution.walks import REJECTS, World, decision, down, priced, told_to_wait

PLAIN = BreakerConfig(jitter=0)


def world_of(**how: Any) -> World:
    return World(Resilience(**{"wait": wait_fixed(1), "breaker": PLAIN, "retry_budget": 1.0, **how}))


def failing(world: World, *plan: Any) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each test looks at what it is
        world.serve(*plan)
    return caught.value


def test_a_lone_candidate_that_fails_in_passing_is_asked_again_after_a_wait() -> None:
    world = world_of()
    world.says("a", down(), down(), "at last")
    assert world.serve("a").answer.text == "at last"
    assert world.called == ["a", "a", "a"]
    assert world.slept == [1, 1]


def test_by_default_three_calls_are_made_and_no_more() -> None:
    world = world_of()
    world.says("a", down())
    error = failing(world, "a")
    assert isinstance(error, RouterExhaustedError)
    assert world.called == ["a", "a", "a"]


def test_by_default_every_candidate_is_called_where_there_are_more_than_three() -> None:
    world = world_of()
    for name in "abcde":
        world.says(name, down())
    failing(world, *"abcde")
    assert world.called == list("abcde")


def test_nobody_is_asked_again_while_somebody_new_is_left() -> None:
    world = world_of()
    world.says("a", down(), "second time")
    world.says("b", down())
    assert world.serve("a", "b").answer.text == "second time"
    assert world.called == ["a", "b", "a"]
    assert world.slept == [1]


def test_a_call_is_kept_for_one_that_was_busy_when_its_turn_came() -> None:
    world = world_of(wait=wait_fixed(0.005))
    for name in "bc":
        world.says(name, down())
    world.says("a", "here I am")
    busy = priced("a", max_concurrency=1)
    ticket = world.gates.admit(busy)
    assert ticket is not None
    machine = world.walk(decision(busy, "b", "c"))
    sleep = world.sleep

    def sleep_and_free(seconds: float) -> None:
        sleep(seconds)
        if len(world.slept) == 3:
            ticket.succeeded()

    world.sleep = sleep_and_free  # type: ignore[method-assign]
    assert world.drive(machine).served_by == "a"
    assert world.called == ["b", "c", "a"]


@pytest.mark.parametrize(
    "error", [ModelAuthenticationError("key"), ModelTimeoutError("late")], ids=lambda one: type(one).__name__
)
def test_what_would_fail_the_same_way_again_is_not_repeated(error: Exception) -> None:
    world = world_of()
    world.says("a", error)
    assert failing(world, "a") is error
    assert world.called == ["a"]


@pytest.mark.parametrize("error", [MalformedResponseError("junk"), TruncatedResponseError("half")])
def test_an_unreadable_answer_is_asked_for_once_more_only(error: Exception) -> None:
    world = world_of(stop=stop_never)
    world.says("a", error)
    failing(world, "a")
    assert world.called == ["a", "a"]


def test_retries_come_out_of_a_budget_that_all_requests_share() -> None:
    world = world_of(retry_budget=0.2, breaker=None)
    world.says("a", down())
    for _ in range(20):
        failing(world, "a")
    retries = len(world.calls) - 20
    assert 3 <= retries <= 20 * 0.2 + 3


def test_without_a_budget_nobody_is_asked_twice() -> None:
    world = world_of(retry_budget=0.0)
    world.says("a", down())
    failing(world, "a")
    assert world.called == ["a"]


def test_a_retry_that_would_come_after_the_deadline_is_not_waited_for() -> None:
    world = world_of(wait=wait_fixed(30), deadlines=Deadlines(total_s=20))
    error = down()
    world.says("a", error)
    assert failing(world, "a") is error
    assert world.slept == []


def test_a_draft_in_hand_does_not_keep_a_better_tier_that_failed_in_passing_from_being_asked_again() -> None:
    world = world_of()
    world.says("a", "cheap")
    world.says("b", down(), "good")
    assert world.serve(("a", REJECTS), "b").served_by == "b"


# --- what the provider says -----------------------------------------------------------------------


@pytest.mark.parametrize("breaker", [PLAIN, None])
def test_retry_after_is_waited_for_and_goes_before_the_own_wait(breaker: BreakerConfig | None) -> None:
    world = world_of(breaker=breaker)
    world.says("a", told_to_wait(7), "at last")
    assert world.serve("a").answer.text == "at last"
    assert world.slept == [pytest.approx(7)]


def test_a_server_that_is_overloaded_may_say_so_too() -> None:
    class Overloaded(Exception):  # noqa: N818 - as clients name theirs
        status_code = 503
        headers = {"Retry-After": "4"}  # noqa: RUF012

    world = world_of()
    world.says("a", Overloaded(), "at last")
    world.serve("a")
    assert world.slept == [pytest.approx(4)]


@pytest.mark.parametrize("breaker", [PLAIN, None])
@pytest.mark.parametrize("seconds", [61, 1e9])
def test_a_provider_that_wants_longer_than_the_cap_is_not_waited_for(
    breaker: BreakerConfig | None, seconds: float
) -> None:
    world = world_of(breaker=breaker)
    error = told_to_wait(seconds)
    world.says("a", error)
    assert failing(world, "a") is error
    assert world.slept == []
    assert world.called == ["a"]


def test_a_provider_that_wants_longer_than_the_deadline_is_not_waited_for() -> None:
    world = world_of(deadlines=Deadlines(total_s=20))
    error = told_to_wait(30)
    world.says("a", error)
    assert failing(world, "a") is error
    assert world.slept == []


def test_of_several_the_one_that_may_be_asked_soonest_is() -> None:
    world = world_of()
    world.says("a", told_to_wait(30), "later")
    world.says("b", told_to_wait(5), "sooner")
    assert world.serve("a", "b").served_by == "b"
    assert world.slept == [pytest.approx(5)]


def test_with_a_draft_in_hand_no_rate_limit_is_waited_for() -> None:
    world = world_of()
    world.says("a", "cheap")
    world.says("b", told_to_wait(5), "good")
    assert world.serve(("a", REJECTS), "b").served_by == "a"
    assert world.slept == []


def test_nobody_is_called_before_the_time_that_its_provider_named() -> None:
    world = world_of()
    world.says("a", told_to_wait(30))
    world.says("b", "here")
    world.serve("a", "b")
    for _ in range(10):
        world.clock.now += 2
        world.serve("a", "b")
    assert world.called.count("a") == 1
    world.clock.now += 11
    world.says("a", "well again")
    assert world.serve("a", "b").served_by == "a"


# --- stop -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 4])
def test_stop_goes_before_the_default(most: int) -> None:
    world = world_of(stop=stop_after_attempt(most))
    world.says("a", ModelRateLimitError("x"), ModelRateLimitError("x"), ModelRateLimitError("x"), "fourth")
    if most == 4:
        assert world.serve("a").answer.text == "fourth"
    else:
        failing(world, "a")
    assert len(world.calls) == most


def test_a_lone_failure_is_raised_as_it_is_and_several_as_a_group() -> None:
    world = world_of(stop=stop_after_attempt(2))
    first, second = down("first"), down("second")
    world.says("a", first, second)
    error = failing(world, "a")
    assert isinstance(error, RouterExhaustedError)
    assert error.exceptions == (first, second)
    assert "'a' server, 'a' server" in str(error)
