"""The two drivers do the same, whatever the plan and whatever comes of its moves."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage
from tenacity import stop_after_attempt, wait_fixed

from langchain_router.checks.base import Check, as_check
from langchain_router.checks.check import Ask
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.moves import Call, Hedge
from langchain_router.execution.plan import Machine
from langchain_router.execution.resilience import Hedging, Resilience
from langchain_router.execution.served import Served
from tests.execution.walks import WORDS, Asking, World, decision, down, priced

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
    """A world in which a call that is hedged hangs until it is given up, or fails when its second has.

    Were it to answer then, it would be a race whether the second had failed or was given up.
    """

    def __init__(self, how: Resilience, *, is_slow: bool, is_async: bool) -> None:
        super().__init__(how, is_async=is_async)
        self.is_slow = is_slow
        self.is_alone = threading.Event()
        self.has_second = False
        self.words: dict[str, tuple[str, ...]] = {}

    def watched(self, machine: Machine) -> Machine:
        """The same machine; a first whose second does not begin is told so."""
        came, error = None, None
        while True:
            try:
                move = machine.send(came) if error is None else machine.throw(error)
            except StopIteration as end:
                served: Served = end.value
                return served
            if isinstance(move, Hedge):
                move = replace(move, may_begin=functools.partial(self.may_begin, move.may_begin))
            came, error = None, None
            try:
                came = yield move
            except BaseException as caught:  # noqa: BLE001 - the machine decides what to do with it
                error = caught

    def may_begin(self, may_begin: Callable[[], bool]) -> bool:
        self.is_alone.clear()
        self.has_second = may_begin()
        if not self.has_second:
            self.is_alone.set()
        return self.has_second

    def hangs(self, call: Call) -> bool:
        return self.is_slow and call.is_contested and call.role != "hedge" and not self.is_alone.is_set()

    def call(self, call: Call) -> Any:
        while self.hangs(call):
            time.sleep(0.0005)
        return self.said(call)

    async def acall(self, call: Call) -> Any:
        await asyncio.sleep(0)
        while self.hangs(call):  # noqa: ASYNC110 - what it waits for is set in this thread
            await asyncio.sleep(0.0005)
        return self.said(call)

    def said(self, call: Call) -> Any:
        """Say what the number of the call stands for: whether one that is given up had begun is a race."""
        words = self.words[call.step.candidate.name]
        said = WORDS[words[(call.number - 1) % len(words)]]()
        self.calls.append(call)
        if self.is_slow and call.is_contested and call.role != "hedge" and self.has_second:
            said = down("as its second")
        if not isinstance(said, Exception):
            return said
        if call.role == "hedge":
            self.is_alone.set()
        raise said


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
    world.words = dict(zip("abcd", scenario.said, strict=True))
    first, second = map(scenario.check, scenario.checks)
    plan = decision(*[("a", first) if first else "a", ("b", second) if second else "b", "c"])
    try:
        came = told(world.drive(world.watched(world.walk(plan))))
    except Exception as error:  # noqa: BLE001 - compared below
        came = told(error)
    world.is_alone.set()  # ends what hangs on, should it be interrupted late
    assert world.is_at_rest()
    calls = sorted((call.number, call.step.candidate.name, call.role, call.timeout_s) for call in world.calls)
    begun = [one for one in calls if one[2] != "second"]  # a second that is given up may not have begun
    health = {name: {**state, "wait_s": None} for name, state in world.gates.snapshot().items()}
    return came, begun, world.slept, world.outcome, health


@settings(deadline=None, max_examples=300)
@given(scenarios)
def test_sync_and_async_drivers_do_the_same(scenario: Scenario) -> None:
    assert everything(scenario, is_async=False) == everything(scenario, is_async=True)
