"""The two drivers do the same, whatever the plan and whatever comes of its moves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelTimeoutError,
)
from langchain_core.messages import HumanMessage
from langgraph.errors import GraphInterrupt
from tenacity import stop_after_attempt, wait_fixed

from langchain_router import MalformedResponseError
from langchain_router.checks.base import Check, as_check
from langchain_router.checks.check import Ask
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.drivers import adrive, drive
from langchain_router.execution.moves import Call, Reply
from langchain_router.execution.resilience import Hedging, Resilience
from langchain_router.execution.served import Served
from tests.execution.walks import Asking, World, decision, down, message, priced, told_to_wait

# --- any plan, any outcome: the same both ways ----------------------------------------------------

WORDS: dict[str, Callable[[], Any]] = {
    "yes": lambda: message("yes"),
    "no": lambda: message("no"),
    "down": lambda: down("down"),
    "wait": lambda: told_to_wait(3),
    "late": lambda: ModelTimeoutError("late"),
    "auth": lambda: ModelAuthenticationError("key"),
    "malformed": lambda: MalformedResponseError("junk"),
    "bad": lambda: ModelInvalidRequestError("no such option"),
    "bug": lambda: KeyError("bug"),
    "interrupt": lambda: GraphInterrupt(),
    "unusable": lambda: Reply(answer="{", message=message("{"), fault="it does not parse"),
}
COMMON = ["yes", "no", "down", "wait", "late", "malformed"]
word = st.one_of(st.sampled_from(COMMON), st.sampled_from(list(WORDS)))
CHECKS = ["none", "own", "async", "judge", "second", "beside", "both"]


@dataclass(frozen=True)
class Scenario:
    """Three candidates with their checks, what each says in turn, and whether slow calls are hedged."""

    checks: tuple[str, str]
    said: tuple[tuple[str, ...], ...]
    hedged: str  # "no", "fast" or "slow"
    most: int

    def check(self, kind: str) -> Check | None:
        judge = Asking(Ask(candidate=priced("d"), role="judge", messages=(HumanMessage("Right?"),)))
        second = Asking(Ask(candidate=priced("c"), role="second"), beside=kind in ("beside", "both"))

        async def own(_: Any, answer: Any) -> bool:
            return bool(answer.text == "yes")

        made: dict[str, Check | None] = {
            "none": None,
            "own": as_check(lambda _, answer: answer.text == "yes"),
            "async": as_check(own),
            "judge": judge,
            "second": second,
            "beside": second,
            "both": second | judge,
        }
        return made[kind]


scenarios = st.builds(
    Scenario,
    checks=st.tuples(st.sampled_from(CHECKS), st.sampled_from(CHECKS)),
    said=st.tuples(*[st.lists(word, min_size=1, max_size=3).map(tuple)] * 4),
    hedged=st.sampled_from(["no", "fast", "slow"]),
    most=st.integers(1, 5),
)


class Slow(World):
    """A world in which a call that is hedged answers only after the second has ended."""

    def __init__(self, how: Resilience, *, is_slow: bool, is_async: bool) -> None:
        super().__init__(how, is_async=is_async)
        self.is_slow = is_slow
        self.second_has_ended = threading.Event()

    def call(self, call: Call) -> Any:
        if self.is_slow and call.is_contested and call.role == "answer":
            self.second_has_ended.wait(1)
        try:
            return super().call(call)
        finally:
            if call.role == "hedge":
                self.second_has_ended.set()

    async def acall(self, call: Call) -> Any:
        if self.is_slow and call.is_contested and call.role == "answer":
            for _ in range(1_000):
                if self.second_has_ended.is_set():
                    break
                await asyncio.sleep(0.001)
        await asyncio.sleep(0)
        try:
            return super().call(call)
        finally:
            if call.role == "hedge":
                self.second_has_ended.set()


def told(result: Served | BaseException) -> tuple[object, ...]:
    """Everything that a caller can see of how a plan ended."""
    if isinstance(result, Served):
        return ("served", getattr(result.answer, "text", result.answer), result.served_by, result.attempts)
    notes = getattr(result, "__notes__", [])
    inner = result.exceptions if isinstance(result, BaseExceptionGroup) else ()
    return (type(result).__name__, str(result), notes, tuple(told(error) for error in inner))


def everything(scenario: Scenario, *, is_async: bool) -> tuple[object, ...]:
    """Walk a scenario; return all there is to see of it."""
    hedging = {"no": None, "fast": Hedging(after_s=30, share=1.0), "slow": Hedging(after_s=0.001, share=1.0)}
    how = Resilience(
        wait=wait_fixed(1),
        stop=stop_after_attempt(scenario.most),
        breaker=BreakerConfig(failures=2, jitter=0),
        retry_budget=1.0,
        hedging=hedging[scenario.hedged],
    )
    world = Slow(how, is_slow=scenario.hedged == "slow", is_async=is_async)
    for name, words in zip("abcd", scenario.said, strict=True):
        world.says(name, *(WORDS[one]() for one in words))
    first, second = map(scenario.check, scenario.checks)
    plan = decision(*[("a", first) if first else "a", ("b", second) if second else "b", "c"])
    try:
        came = told(world.drive(world.walk(plan)))
    except Exception as error:  # noqa: BLE001 - compared below
        came = told(error)
    assert world.is_at_rest()
    calls = sorted((call.number, call.step.candidate.name, call.role, call.timeout_s) for call in world.calls)
    begun = [one for one in calls if one[2] != "second"]  # a second that is given up may not have begun
    health = {name: {**state, "wait_s": None} for name, state in world.gates.snapshot().items()}
    return came, begun, world.slept, world.outcome, health


@settings(deadline=None, max_examples=300)
@given(scenarios)
def test_sync_and_async_drivers_do_the_same(scenario: Scenario) -> None:
    assert everything(scenario, is_async=False) == everything(scenario, is_async=True)


# --- a request is not lost ------------------------------------------------------------------------

SURVIVED = {"down", "wait", "late", "auth", "malformed"}


@settings(deadline=None)
@given(
    st.lists(
        st.lists(word.filter(lambda one: one not in ("no", "unusable")), min_size=1, max_size=2),
        min_size=1,
        max_size=5,
    )
)
def test_a_request_is_lost_only_when_no_candidate_could_have_served_it(said: list[list[str]]) -> None:
    world, names = World(), "abcde"[: len(said)]
    for name, words in zip(names, said, strict=True):
        world.says(name, *(WORDS[one]() for one in words))
    first = [words[0] for words in said]
    decisive = next((place for place, one in enumerate(first) if one not in SURVIVED), None)
    try:
        served = world.serve(*names)
    except Exception:  # noqa: BLE001 - only whether it is raised matters
        assert decisive is None or first[decisive] != "yes"
    else:
        if decisive is not None:
            assert served.served_by == names[decisive]
            assert world.called == list(names[: decisive + 1])
        else:
            assert world.called[: len(names)] == list(names), "everybody new before anybody again"
    assert len(world.calls) <= max(3, len(names))


@settings(deadline=None)
@given(
    said=st.lists(st.sampled_from(["yes", "no", *SURVIVED, "bad"]), min_size=2, max_size=5),
    busy=st.sets(st.integers(0, 4)),
    open_=st.sets(st.integers(0, 4)),
)
def test_a_draft_or_a_healthy_candidate_means_that_there_is_an_answer(
    said: list[str], busy: set[int], open_: set[int]
) -> None:
    world, names = World(), "abcde"[: len(said)]
    plan = []
    for place, (name, one) in enumerate(zip(names, said, strict=True)):
        world.says(name, WORDS[one]())
        candidate = priced(name, max_concurrency=1)
        if place in open_:
            world.failed_before(candidate, times=5)
        if place in busy and place not in open_:
            ticket = world.gates.admit(candidate)
            assert ticket is not None
            world.resilience  # noqa: B018
            free_at_the_first_sleep(world, ticket)
        check = as_check(lambda _, answer: answer.text == "yes") if place < len(said) - 1 else None
        plan.append((candidate, check) if check else candidate)
    try:
        served = world.serve(*plan)  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - only whether it is raised matters
        assert "yes" not in said or "bad" in said
        assert "no" not in said or "bad" in said
    else:
        assert served.answer.text in ("yes", "no")
    assert len(world.outcomes) == 1


def free_at_the_first_sleep(world: World, ticket: Any) -> None:
    sleep = world.sleep

    def sleep_and_free(seconds: float) -> None:
        sleep(seconds)
        ticket.neutral()

    world.sleep = sleep_and_free  # type: ignore[method-assign]


# --- each move ------------------------------------------------------------------------------------


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
