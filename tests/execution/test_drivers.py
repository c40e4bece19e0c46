"""What the drivers do for each move."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
)
from tenacity import wait_fixed

from langchain_router.checks.base import as_check
from langchain_router.checks.check import Ask
from langchain_router.execution.drivers import adrive, drive
from langchain_router.execution.moves import Call
from langchain_router.execution.resilience import Deadlines, Hedging, Resilience
from tests.execution.walks import Asking, World, decision, message, priced

WHO: contextvars.ContextVar[str] = contextvars.ContextVar("WHO", default="nobody")


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_a_check_runs_in_the_context_of_the_caller(is_async: bool) -> None:
    heard: list[str] = []
    world = World(is_async=is_async)
    world.says("a", "draft")

    def check(_: Any, __: Any) -> bool:
        heard.append(WHO.get())
        return True

    token = WHO.set("the caller")
    try:
        world.serve(("a", as_check(check)), "b")
    finally:
        WHO.reset(token)
    assert heard == ["the caller"]


def test_without_deadlines_a_check_runs_in_the_callers_own_thread() -> None:
    ran_in: list[threading.Thread] = []
    world = World(Resilience(deadlines=Deadlines(total_s=None, attempt_s=None)))
    world.says("a", "draft")

    def check(_: Any, __: Any) -> bool:
        ran_in.append(threading.current_thread())
        return True

    world.serve(("a", as_check(check)), "b")
    assert ran_in == [threading.current_thread()]


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("is_coroutine", [False, True], ids=["function", "coroutine"])
def test_a_check_that_hangs_is_given_up_within_the_deadline(is_async: bool, is_coroutine: bool) -> None:
    world = World(Resilience(deadlines=Deadlines(attempt_s=0.05)), is_async=is_async)
    world.says("a", "draft")
    world.says("b", "final")
    ended = threading.Event()

    def hangs(_: Any, __: Any) -> bool:
        return ended.wait(30)

    async def ahangs(_: Any, __: Any) -> bool:
        while not ended.is_set():  # noqa: ASYNC110 - the event is a thread's
            await asyncio.sleep(0.001)
        return True

    try:
        served = world.serve(("a", as_check(ahangs if is_coroutine else hangs)), "b")
    finally:
        ended.set()
    assert served.served_by == "b"
    verdict = world.outcome.attempts[0].verdict
    assert verdict is not None
    assert not verdict.passed
    assert "was too slow" in verdict.reason


async def test_a_hedge_that_won_does_not_wait_for_a_loser_that_takes_its_time_to_go() -> None:
    world = World(Resilience(hedging=Hedging(after_s=0.001, share=1.0)))
    may_go, is_gone = asyncio.Event(), asyncio.Event()

    async def call(one: Call) -> Any:
        if one.step.candidate.name == "b":
            return message("quick")
        try:
            await asyncio.Event().wait()
        finally:
            await may_go.wait()  # a client that closes its connection slowly
            is_gone.set()

    async with asyncio.timeout(5):
        served = await adrive(world.walk(decision("a", "b")), call)
        assert (served.served_by, is_gone.is_set()) == ("b", False)
        may_go.set()
        await is_gone.wait()


async def test_the_async_driver_awaits_calls_and_sleeps() -> None:
    world, order = World(Resilience(wait=wait_fixed(1), retry_budget=1.0)), []
    world.says("a", ModelAPIError("down"), "yes")

    async def call(one: Call) -> Any:
        order.append("call")
        return await world.acall(one)

    async def sleep(seconds: float) -> None:
        order.append(f"sleep {seconds:g}")

    await adrive(world.walk(decision("a")), call, sleep=sleep)
    assert order == ["call", "sleep 1", "call"]


async def test_side_by_side_calls_of_a_cancelled_task_are_all_gone_when_it_is() -> None:
    world, under_way, started = World(), set[str](), asyncio.Event()

    async def hang(call: Call) -> Any:
        name = call.step.candidate.name
        under_way.add(name)
        if len(under_way) == 2:
            started.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # closing a connection takes a moment
            under_way.discard(name)

    second = Asking(Ask(candidate=priced("b"), role="second"), beside=True)
    task = asyncio.create_task(adrive(world.walk(decision(("a", second), "c")), hang))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert under_way == set()
    assert world.outcome.status == "cancelled"
    assert world.is_at_rest()


def test_a_side_by_side_call_that_a_bug_ends_surfaces_like_any_other() -> None:
    world = World()
    world.says("a", KeyError("bug"))
    world.says("b", "yes")
    second = Asking(Ask(candidate=priced("b"), role="second"), beside=True)
    with pytest.raises(KeyError):
        drive(world.walk(decision(("a", second), "c")), world.call)
    assert world.is_at_rest()
