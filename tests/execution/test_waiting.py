"""Who may not be called now is passed over; as the last that is left it is waited for or called."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import ModelTimeoutError
from tenacity import wait_fixed

from langchain_router import (
    CircuitOpenError,
)
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.moves import Sleep
from langchain_router.execution.resilience import Deadlines, Resilience
from tests.execution.walks import REJECTS, ByHand, World, decision, priced

PLAIN = BreakerConfig(jitter=0)


def world_of(**how: Any) -> World:
    return World(Resilience(**{"wait": wait_fixed(1), "breaker": PLAIN, "retry_budget": 1.0, **how}))


def failing(world: World, *plan: Any) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each test looks at what it is
        world.serve(*plan)
    return caught.value


def test_an_open_breaker_is_passed_over() -> None:
    world = world_of()
    world.failed_before("a", times=5)
    world.says("b", "here")
    assert world.serve("a", "b").served_by == "b"
    assert world.called == ["b"]


def test_an_open_breaker_is_called_all_the_same_as_the_last_hope() -> None:
    world = world_of()
    world.failed_before("a", times=5)
    world.says("a", "well again")
    world.says("b", ModelTimeoutError("late"))
    assert world.serve("a", "b").served_by == "a"
    assert world.called == ["b", "a"]
    assert world.slept == []
    assert world.gates.reason_against(priced("a")) is None


def test_with_a_draft_in_hand_an_open_breaker_is_left_alone() -> None:
    world = world_of()
    world.failed_before("b", times=5)
    world.says("a", "cheap")
    assert world.serve(("a", REJECTS), "b").served_by == "a"
    assert world.called == ["a"]


def test_a_lone_candidate_that_cools_is_waited_for() -> None:
    world = world_of()
    world.failed_before("a", ErrorKind.RATE_LIMITED, 12.0)
    world.says("a", "well again")
    assert world.serve("a").answer.text == "well again"
    assert world.slept == [pytest.approx(12)]


def test_those_who_wait_for_the_same_time_call_one_after_another_and_none_before_it() -> None:
    world = world_of(breaker=BreakerConfig())
    world.failed_before("a", ErrorKind.RATE_LIMITED, 30.0)
    waits_s = []
    for _ in range(50):
        move = ByHand(world.walk(decision("a"))).move
        assert isinstance(move, Sleep)
        waits_s.append(move.seconds)
    assert all(30 <= wait_s <= 33 for wait_s in waits_s)
    assert len({round(wait_s, 2) for wait_s in waits_s}) > 30
    assert world.gates.retry_after_s(priced("a")) == pytest.approx(30), "who need not wait may call at once"


def test_where_nobody_can_be_called_in_time_the_error_says_when() -> None:
    world = world_of(deadlines=Deadlines(total_s=10))
    world.failed_before("a", ErrorKind.RATE_LIMITED, 12.0)
    world.failed_before("b", ErrorKind.RATE_LIMITED, 40.0)
    error = failing(world, "a", "b")
    assert isinstance(error, CircuitOpenError)
    assert error.retry_after_s == pytest.approx(12)
    assert error.waits_s == {"a": pytest.approx(12), "b": pytest.approx(40)}
    assert world.calls == []
    assert world.outcome.status == "error"


def test_a_busy_candidate_spills_over_to_the_next() -> None:
    world = world_of()
    busy = priced("a", max_concurrency=1)
    assert world.gates.admit(busy) is not None
    world.says("b", "free")
    assert world.serve(busy, "b").served_by == "b"
    assert world.slept == []


def test_where_there_is_no_next_a_busy_candidate_is_waited_for() -> None:
    world = world_of()
    busy = priced("a", max_concurrency=1)
    ticket = world.gates.admit(busy)
    assert ticket is not None
    world.says("a", "my turn")
    machine = world.walk(decision(busy))
    sleep = world.sleep

    def sleep_and_free(seconds: float) -> None:
        sleep(seconds)
        if sum(world.slept) > 0.1:
            ticket.succeeded()

    world.sleep = sleep_and_free  # type: ignore[method-assign]
    assert world.drive(machine).answer.text == "my turn"
    assert max(world.slept) <= 0.05
    assert world.outcome.cost_usd is not None


def test_a_candidate_that_stays_busy_until_the_deadline_is_no_endless_wait() -> None:
    world = world_of(deadlines=Deadlines(total_s=2))
    busy = priced("a", max_concurrency=1)
    assert world.gates.admit(busy) is not None
    error = failing(world, busy)
    assert isinstance(error, CircuitOpenError)
    assert "no free slot (max_concurrency 1)" in str(error)
    assert sum(world.slept) == pytest.approx(2, abs=0.05)


def test_waiting_for_a_place_takes_one_call_from_the_retry_budget_however_often_it_looks() -> None:
    world = World(Resilience(wait=wait_fixed(1), breaker=PLAIN, retry_budget=0.2))
    busy = priced("a", max_concurrency=1)
    world.failed_before(busy, times=5)
    ticket = world.gates.force(busy)
    assert ticket is not None
    world.says("a", "at last")
    world.says("b", ModelTimeoutError("late"))
    machine = world.walk(decision("b", busy))
    sleep = world.sleep

    def sleep_and_free(seconds: float) -> None:
        sleep(seconds)
        if len(world.slept) > 10:
            ticket.neutral()

    world.sleep = sleep_and_free  # type: ignore[method-assign]
    assert world.drive(machine).served_by == "a"
    spendable = 0
    while world.gates.may_retry():
        spendable += 1
    assert spendable == 2, "three in a window, less the one"
