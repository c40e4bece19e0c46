"""What the drivers do for each move."""

from __future__ import annotations

import asyncio
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
from langchain_router.execution.resilience import Resilience
from tests.execution.walks import Asking, World, decision, priced


def test_the_sync_driver_runs_a_check_in_the_callers_own_thread() -> None:
    ran_in: list[threading.Thread] = []
    world = World()
    world.says("a", "draft")

    def check(_: Any, __: Any) -> bool:
        ran_in.append(threading.current_thread())
        return True

    world.serve(("a", as_check(check)), "b")
    assert ran_in == [threading.current_thread()]


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
