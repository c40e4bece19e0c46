"""Checks as the machine runs them: what they ask for, what they are told, and what becomes of broken ones."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import GraphInterrupt

from langchain_router import CircuitOpenError, JudgeCheck
from langchain_router.checks.base import Check, as_check
from langchain_router.checks.check import Ask, Review, Verdict
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.moves import Call
from langchain_router.execution.resilience import Deadlines, Resilience
from langchain_router.request import RoutingRequest
from tests.execution.walks import QUESTION, Asking, World, as_step, asking, down, priced, seen, unpriced


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    world = World(is_async=request.param)
    world.says("a", "draft")
    world.says("b", "final")
    return world


# --- checks of the user's own ---------------------------------------------------------------------


def test_a_function_is_run_with_request_and_answer(world: World) -> None:
    seen_by_check: list[tuple[RoutingRequest, AIMessage]] = []

    def check(request: RoutingRequest, response: AIMessage) -> bool:
        seen_by_check.append((request, response))
        return False

    request = asking()
    assert world.serve(("a", as_check(check)), "b", request=request).served_by == "b"
    assert [(asked, said.text) for asked, said in seen_by_check] == [(request, "draft")]


@pytest.mark.parametrize("passes", [False, True])
def test_a_coroutine_function_is_awaited_whichever_driver_runs(world: World, passes: bool) -> None:
    async def check(_: RoutingRequest, __: AIMessage) -> float:
        await asyncio.sleep(0)
        return 0.9 if passes else 0.1

    served = world.serve(("a", as_check(check)), "b")
    assert served.served_by == ("a" if passes else "b")
    assert served.attempts[0].verdict is not None
    assert served.attempts[0].verdict.score == (0.9 if passes else 0.1)


def test_a_function_that_blocks_does_not_block_the_event_loop() -> None:
    world = World(is_async=True)
    world.says("a", "draft")
    ran_in: list[threading.Thread] = []

    def check(_: RoutingRequest, __: AIMessage) -> bool:
        ran_in.append(threading.current_thread())
        return True

    world.serve(("a", as_check(check)), "b")
    assert ran_in != [threading.main_thread()]


class Broken(Check):
    """Does what it is told instead of judging."""

    name = "broken"

    def __init__(self, does: Any) -> None:
        self.does = does

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        yield from ()
        if isinstance(self.does, BaseException):
            raise self.does
        returned: Verdict = self.does
        return returned


def raising(_: RoutingRequest, response: AIMessage) -> bool:
    raise ValueError(f"cannot judge {response.text}")


BROKEN = {
    "raises": Broken(ValueError(QUESTION)),
    "a function raises": as_check(raising),
    "returns no verdict": Broken(True),
    "says nothing": Broken(None),
    "a function returns junk": as_check(lambda _, __: "fine"),
}


@pytest.mark.parametrize("check", BROKEN.values(), ids=BROKEN.keys())
def test_a_check_that_breaks_counts_as_not_passed(
    world: World, check: Check, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="langchain_router"):
        served = world.serve(("a", check), "b")
    assert served.served_by == "b"
    verdict = served.attempts[0].verdict
    assert verdict is not None
    assert not verdict.passed
    assert "raised" in verdict.reason
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    for text in (caplog.text, verdict.reason):
        assert "draft" not in text
        assert QUESTION not in text


@pytest.mark.parametrize("signal", [GraphInterrupt(), KeyboardInterrupt()], ids=lambda one: repr(one))
def test_an_interrupt_in_a_check_passes_straight_through(world: World, signal: BaseException) -> None:
    with pytest.raises(type(signal)):
        world.serve(("a", Broken(signal)), "b")
    assert world.called == ["a"]
    assert len(world.outcomes) == 1


# --- judges ---------------------------------------------------------------------------------------


def judge(candidate: Any = None, **ask: Any) -> Asking:
    question = (HumanMessage("Is it right?"),)
    return Asking(Ask(candidate=candidate or priced("judge"), role="judge", messages=question, **ask))


@pytest.mark.parametrize("word", ["yes", "no"])
def test_a_judge_is_asked_its_own_question_and_heard(world: World, word: str) -> None:
    world.says("judge", word)
    check = judge()
    served = world.serve(("a", check), "b")
    assert served.served_by == ("a" if word == "yes" else "b")
    call = world.calls[1]
    assert call.messages is not None
    assert [one.text for one in call.messages] == ["Is it right?"]
    assert (call.role, call.step.check, call.number) == ("judge", None, 2)
    assert [one.text for one in check.heard if isinstance(one, AIMessage)] == [word]


def test_every_call_is_in_the_outcome_with_its_role_and_cost(world: World) -> None:
    world.says("judge", "no")
    world.serve(("a", judge()), "b")
    assert seen(world.outcome) == [("a", "draft", None), ("judge", "judge", None), ("b", "answer", None)]
    assert [one.cost_usd for one in world.outcome.attempts] == [pytest.approx(110e-6)] * 3
    assert world.outcome.cost_usd == pytest.approx(330e-6)
    assert world.outcome.attempts[0].verdict is not None


def test_a_judges_calls_do_not_count_as_attempts_at_the_answer(world: World) -> None:
    world.says("judge", "no")
    for name in "bc":
        world.says(name, "draft")
    world.says("d", "final")
    assert world.serve(("a", judge()), ("b", judge()), ("c", judge()), "d").served_by == "d"
    assert [call.number for call in world.calls] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("own_s", "left_s", "expected_s"), [(5.0, 100.0, 5.0), (50.0, 7.0, 7.0), (None, 7.0, 7.0)]
)
def test_a_judge_has_the_checks_time_but_no_more_than_is_left(
    own_s: float | None, left_s: float, expected_s: float
) -> None:
    world = World(Resilience(deadlines=Deadlines(total_s=100.0)))
    world.says("a", world.takes(100.0 - left_s, "draft"))
    world.says("judge", "yes")
    world.serve(("a", judge(timeout_s=own_s)), "b")
    assert world.calls[1].timeout_s == expected_s


@pytest.mark.parametrize("said", [down(), TimeoutError(), ValueError("odd")], ids=lambda one: repr(one))
@pytest.mark.parametrize("without", [False, True])
def test_what_keeps_a_judge_from_answering_is_thrown_into_the_check(
    world: World, said: Exception, without: bool
) -> None:
    world.says("judge", said)
    check = judge()
    check.without = without
    assert world.serve(("a", check), "b").served_by == ("a" if without else "b")
    assert check.heard == [said]
    assert world.outcome.status == "ok"


@pytest.mark.parametrize(
    ("constraints", "candidate"),
    [
        ({"providers": {"openai"}}, priced("judge", provider="elsewhere")),
        ({"providers": {"openai"}}, priced("judge")),
        ({"regions": {"eu"}}, priced("judge", region="us")),
        ({"tags": {"hipaa"}}, priced("judge")),
        ({"max_cost_usd": 0.0005}, priced("judge", 100.0)),
        ({"max_cost_usd": 0.0005}, unpriced("judge")),
    ],
)
def test_a_judge_that_may_not_see_the_request_is_not_asked(
    world: World, constraints: dict[str, Any], candidate: Any
) -> None:
    check = judge(candidate)
    drafter = priced("a", provider="openai", region="eu", tags={"hipaa"})
    world.serve((drafter, check), "b", request=asking(**constraints))
    assert "judge" not in world.called
    (reason,) = map(str, check.heard)
    assert "'judge' was not asked" in reason
    assert QUESTION not in reason


def test_a_judge_that_is_left_alone_is_not_asked(world: World) -> None:
    world.failed_before("judge", times=5)
    check = judge()
    world.serve(("a", check), "b")
    assert "judge" not in world.called
    (error,) = check.heard
    assert isinstance(error, CircuitOpenError)
    assert error.retry_after_s == 30.0


def test_a_judge_that_keeps_failing_is_left_alone_like_any_candidate() -> None:
    world = World(Resilience(breaker=BreakerConfig(failures=2, jitter=0)))
    world.says("a", "draft")
    world.says("b", "final")
    world.says("judge", down())
    for _ in range(4):
        world.serve(("a", judge()), "b")
    assert world.called.count("judge") == 2


@pytest.mark.parametrize("signal", [GraphInterrupt(), KeyboardInterrupt()], ids=lambda one: repr(one))
def test_an_interrupt_while_a_judge_is_asked_passes_the_check_by(world: World, signal: BaseException) -> None:
    world.says("judge", signal)
    check = judge()
    with pytest.raises(type(signal)):
        world.serve(("a", check), "b")
    assert check.heard == []
    assert world.is_at_rest()


def test_the_judge_check_that_ships_is_driven_by_the_machine(world: World) -> None:
    number = f"{random.Random(7).getrandbits(64):016x}"
    world.says("judge", f'{{"id": "{number}", "score": 0.3, "fault": "wrong"}}')
    served = world.serve(("a", JudgeCheck(priced("judge"), timeout_s=4, rng=random.Random(7))), "b")
    assert served.served_by == "b"
    assert served.attempts[0].verdict is not None
    assert served.attempts[0].verdict.score == 0.3
    assert world.calls[1].timeout_s == 4


def test_two_checks_joined_run_in_order_and_the_second_only_when_needed(world: World) -> None:
    world.says("judge", "yes")
    check = as_check(lambda _, response: response.text == "draft") & judge()
    assert world.serve(("a", check), "b").served_by == "a"
    world.says("a", "other")
    world.calls.clear()
    assert world.serve(("a", check), "b").served_by == "b"
    assert world.called == ["a", "b"]


def test_a_call_never_prints_what_is_asked() -> None:
    call = Call(step=as_step("a"), number=1, messages=(HumanMessage(QUESTION),))
    assert QUESTION not in repr(call)
