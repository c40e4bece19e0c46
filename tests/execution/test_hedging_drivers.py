"""Two calls that race: what the drivers do with the one that loses."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Generator
from typing import Any

import pytest
from langchain_core.exceptions import ModelTimeoutError

from langchain_router import RouterExhaustedError
from langchain_router.execution.drivers import adrive, drive
from langchain_router.execution.moves import Call
from langchain_router.execution.resilience import Hedging, Resilience
from tests.execution.walks import World, decision, down, message, needs_interruption, seen


def world_of(after_s: float) -> World:
    return World(Resilience(hedging=Hedging(after_s=after_s, share=1.0), stop=lambda _: True))


class Racing:
    """Calls that answer when they are let, and say when they were given up."""

    def __init__(self, **outcomes: Any) -> None:
        self.outcomes = outcomes
        self.begun: list[str] = []
        self.given_up: list[str] = []
        self.second_has_begun = threading.Event()
        self.loser_has_ended = threading.Event()

    def begin(self, call: Call) -> Generator[None, None, None]:
        """Note a call; each step is a moment to wait before its outcome."""
        self.begun.append(call.step.candidate.name)
        if call.role == "hedge":
            self.second_has_begun.set()
        what = self.outcomes[call.step.candidate.name]
        try:
            while what == "hangs" or ("after the second" in str(what) and not self.second_has_begun.is_set()):
                yield
        except BaseException:
            self.given_up.append(call.step.candidate.name)
            self.loser_has_ended.set()
            raise

    def outcome(self, call: Call) -> Any:
        what = self.outcomes[call.step.candidate.name]
        if isinstance(what, Exception):
            raise what
        return message(what)

    def __call__(self, call: Call) -> Any:
        moments = self.begin(call)
        for _ in moments:
            try:
                time.sleep(0.001)
            except BaseException as error:  # noqa: BLE001 - given to where it is noted
                moments.throw(error)
        return self.outcome(call)

    async def acall(self, call: Call) -> Any:
        moments = self.begin(call)
        for _ in moments:
            try:
                await asyncio.sleep(0.001)
            except BaseException as error:  # noqa: BLE001 - given to where it is noted
                moments.throw(error)
        return self.outcome(call)


def race(is_async: bool, *, after_s: float = 0.002, **outcomes: Any) -> tuple[Racing, World, Any]:
    world = world_of(after_s)
    racing, machine = Racing(**outcomes), world.walk(decision("a", "b"))
    try:
        if is_async:
            came: Any = asyncio.run(adrive(machine, racing.acall))
        else:
            came = drive(machine, racing)
    except Exception as error:  # noqa: BLE001 - each test looks at what it is
        came = error
    return racing, world, came


both_drivers = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


@both_drivers
@needs_interruption
def test_a_slow_first_is_given_up_when_the_second_answers(is_async: bool) -> None:
    racing, world, served = race(is_async, a="hangs", b="quick")
    assert (served.answer.text, served.served_by) == ("quick", "b")
    assert racing.loser_has_ended.wait(1)
    assert racing.given_up == ["a"]
    assert seen(world.outcome) == [("a", "answer", "cancelled"), ("b", "hedge", None)]


@both_drivers
@needs_interruption
def test_a_slow_second_is_given_up_when_the_first_answers(is_async: bool) -> None:
    racing, world, served = race(is_async, a="after the second", b="hangs")
    assert served.served_by == "a"
    assert racing.loser_has_ended.wait(1)
    assert racing.given_up == ["b"]
    assert seen(world.outcome) == [("a", "answer", None), ("b", "hedge", "cancelled")]


@both_drivers
def test_a_first_that_answers_in_time_is_never_hedged(is_async: bool) -> None:
    racing, _, served = race(is_async, after_s=5.0, a="quick", b="never asked")
    assert served.served_by == "a"
    assert racing.begun == ["a"]


@both_drivers
def test_a_second_that_fails_leaves_the_first_its_time(is_async: bool) -> None:
    racing, world, served = race(is_async, a="after the second", b=down())
    assert served.served_by == "a"
    assert racing.given_up == []
    assert world.outcome.attempts[0].error_kind is None


@both_drivers
def test_both_failing_raises_both(is_async: bool) -> None:
    first, second = ModelTimeoutError("after the second"), down("at once")
    racing, world, group = race(is_async, a=first, b=second)
    assert racing.begun == ["a", "b"]
    assert isinstance(group, RouterExhaustedError)
    assert list(group.exceptions) == [first, second]
    assert seen(world.outcome) == [("a", "answer", "timeout"), ("b", "hedge", "server")]
