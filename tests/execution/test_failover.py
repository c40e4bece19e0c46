"""Failover: the next candidate is asked at once, and what comes out when nobody can answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langgraph.errors import GraphInterrupt

from langchain_router import RouterError, RouterExhaustedError
from langchain_router.execution.drivers import adrive, drive
from langchain_router.execution.moves import Call
from langchain_router.execution.served import Served
from tests.execution.walks import World, decision, down, priced, seen


def run(*said: Any) -> tuple[Served, World]:
    """Serve a plan of as many candidates as there are words; each says its own, whenever it is asked."""
    world = World()
    names = "abcdef"[: len(said)]
    for name, word in zip(names, said, strict=True):
        world.says(name, word)
    return world.serve(*names), world


def failing(*said: Any) -> tuple[BaseException, World]:
    world = World()
    names = "abcdef"[: len(said)]
    for name, word in zip(names, said, strict=True):
        world.says(name, word)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - each test looks at what it is
        world.serve(*names)
    return caught.value, world


def test_the_first_candidate_answers_when_it_can() -> None:
    served, world = run("yes", "never asked")
    assert served.answer.text == "yes"
    assert world.called == ["a"]
    assert seen(served) == [("a", "answer", None)]


def test_failover_goes_down_the_plan_in_order_and_at_once() -> None:
    served, world = run(ModelRateLimitError("x"), ModelTimeoutError("y"), "third", "never asked")
    assert served.answer.text == "third"
    assert [(call.number, call.step.candidate.name) for call in world.calls] == [(1, "a"), (2, "b"), (3, "c")]
    assert seen(served) == [
        ("a", "answer", "rate_limited"),
        ("b", "answer", "timeout"),
        ("c", "answer", None),
    ]
    assert world.slept == []


def test_each_attempt_bears_its_own_latency() -> None:
    world = World()
    world.says("a", world.takes(2.0, down()))
    world.says("b", world.takes(0.5, "yes"))
    served = world.serve("a", "b")
    assert [attempt.latency_s for attempt in served.attempts] == [2.0, 0.5]
    assert world.outcome.latency_s == 2.5


@pytest.mark.parametrize("answer", ["", None, 0, []])
def test_an_answer_that_is_falsy_is_an_answer(answer: object) -> None:
    served = drive(World().walk(decision("a", "b")), lambda _: answer)
    assert served.answer == answer
    assert len(served.attempts) == 1


@pytest.mark.parametrize("before", [[], [ModelRateLimitError("x")]])
def test_a_bad_request_stops_the_walk_and_is_raised_as_it_is(before: list[Exception]) -> None:
    bad = ModelInvalidRequestError("no such option")
    error, world = failing(*before, bad, "never asked")
    assert error is bad
    assert len(world.calls) == len(before) + 1
    assert getattr(error, "__notes__", []) == ["langchain_router: 1 call(s) had failed before."] * len(before)


@pytest.mark.parametrize("bug", [KeyError("x"), ZeroDivisionError(), ValueError("x")])
def test_a_bug_surfaces_and_is_not_hidden_by_a_failover(bug: Exception) -> None:
    error, world = failing(bug, "never asked")
    assert error is bug
    assert world.called == ["a"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_model_whose_iterator_runs_dry_is_a_bug_and_no_answer(is_async: bool) -> None:
    world = World(is_async=is_async)
    world.says("a", StopIteration())
    with pytest.raises(RuntimeError):
        world.serve("a", "b")
    assert world.outcome.status == "error"


def test_when_everyone_fails_the_group_holds_every_error_in_order() -> None:
    errors = [ModelAuthenticationError("one"), ModelTimeoutError("two"), TimeoutError("three")]
    group, _ = failing(*errors)
    assert isinstance(group, RouterExhaustedError)
    assert list(group.exceptions) == errors
    assert [error.__notes__ for error in errors] == [
        ["langchain_router: attempt 1, candidate 'a', auth."],
        ["langchain_router: attempt 2, candidate 'b', timeout."],
        ["langchain_router: attempt 3, candidate 'c', timeout."],
    ]
    assert "All 3 calls of the plan failed: 'a' auth, 'b' timeout, 'c' timeout." in str(group)
    assert "add a candidate" in str(group)


@pytest.mark.parametrize("handled", [RouterError, ModelAPIError, ModelError, ExceptionGroup])
def test_the_group_is_caught_by_every_usual_handler(handled: type[Exception]) -> None:
    with pytest.raises(handled):
        run(ModelTimeoutError("x"), ModelAuthenticationError("y"))


def test_the_group_works_with_except_star() -> None:
    timed_out: list[Exception] = []
    with pytest.raises(ExceptionGroup) as rest:  # noqa: PT012 - the handler is what is tested
        try:
            run(ModelTimeoutError("x"), ModelAuthenticationError("y"))
        except* ModelTimeoutError as group:
            timed_out.extend(group.exceptions)
    assert [str(error) for error in timed_out] == ["x"]
    assert rest.value.subgroup(ModelAuthenticationError) is not None
    assert rest.value.subgroup(ModelTimeoutError) is None


def test_a_part_of_the_group_is_a_group_of_the_same_kind() -> None:
    group, _ = failing(ModelTimeoutError("x"), ModelAuthenticationError("y"))
    assert isinstance(group, RouterExhaustedError)
    part = group.subgroup(ModelTimeoutError)
    assert isinstance(part, RouterExhaustedError)
    assert part.message == group.message


def test_a_plan_of_one_raises_that_candidates_own_error() -> None:
    own = ModelTimeoutError("too slow")
    error, _ = failing(own)
    assert error is own
    assert own.__notes__ == ["langchain_router: attempt 1, candidate 'a', timeout."]


PASSING: list[BaseException] = [
    KeyboardInterrupt(),
    SystemExit(3),
    asyncio.CancelledError(),
    GraphInterrupt(),
]


@pytest.mark.parametrize("before", [[], [ModelRateLimitError("x")]])
@pytest.mark.parametrize("signal", PASSING, ids=lambda given: type(given).__name__)
def test_interrupts_and_cancellation_pass_straight_through(
    signal: BaseException, before: list[Exception]
) -> None:
    error, world = failing(*before, signal, "never asked")
    assert error is signal
    assert not getattr(error, "__notes__", [])
    assert len(world.calls) == len(before) + 1
    assert world.is_at_rest()


async def test_a_task_that_is_cancelled_while_a_call_runs_stops_there() -> None:
    world, started, called = World(), asyncio.Event(), []

    async def hang(call: Call) -> str:
        called.append(call.step.candidate.name)
        started.set()
        await asyncio.Event().wait()
        return "never"

    task = asyncio.create_task(adrive(world.walk(decision("a", "b")), hang))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert called == ["a"]
    assert world.outcome.status == "cancelled"
    assert world.is_at_rest()


def test_after_a_context_overflow_only_larger_or_unknown_windows_are_tried() -> None:
    windows = {"a": 8_000, "b": 4_000, "c": 8_000, "d": None, "e": 200_000}
    world = World()
    world.says("a", ContextOverflowError("too long"))
    world.says("d", ModelTimeoutError("down"))
    world.says("e", "from the largest")
    served = world.serve(*(priced(name, context_tokens=window) for name, window in windows.items()))
    assert served.answer.text == "from the largest"
    assert world.called == ["a", "d", "e"]


def test_a_context_overflow_that_nobody_larger_can_take_is_the_providers_own_error() -> None:
    world = World()
    world.says("a", ContextOverflowError("too long"))
    with pytest.raises(ContextOverflowError):
        world.serve(*(priced(name, context_tokens=8_000) for name in "ab"))
    assert world.called == ["a"]


def test_no_error_holds_what_was_asked() -> None:
    group, _ = failing(down(), ModelAuthenticationError("y"))
    assert isinstance(group, RouterExhaustedError)
    assert "six times seven" not in f"{group!r}{group}{[one.__notes__ for one in group.exceptions]}"
