"""The plan machine: who is tried, in which order, and what comes out."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
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

from langchain_router import (
    Candidate,
    ComplexityScore,
    IntentPrediction,
    RouterError,
    RouterExhaustedError,
    RoutingDecision,
)
from langchain_router.decision import Step
from langchain_router.execution.plan import Attempt, Call, Served, adrive, drive, walk

Outcome = str | BaseException


def decision(*names: str) -> RoutingDecision:
    return RoutingDecision(
        id="d",
        plan=tuple(Step(candidate=Candidate(model=f"house/{name}", name=name)) for name in names),
        reason="scripted",
        intent=IntentPrediction(label="reasoning", probabilities={"reasoning": 1.0}, source="scripted"),
        complexity=ComplexityScore(value=0.5),
        estimated_cost_usd=None,
        confidence=None,
        propensity=1.0,
        eligible=(),
        policy="scripted",
    )


class Script:
    """Answers calls from a list and remembers who was called."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[tuple[int, str]] = []

    def __call__(self, call: Call) -> str:
        self.calls.append((call.number, call.step.candidate.name))
        outcome = self.outcomes[call.number - 1]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def acall(self, call: Call) -> str:
        await asyncio.sleep(0)
        return self(call)


def ticking() -> Callable[[], float]:
    ticks = itertools.count()
    return lambda: float(next(ticks))


def run(*outcomes: Outcome) -> tuple[Served[str], Script]:
    script = Script(outcomes)
    names = "abcdef"[: len(outcomes)]
    return drive(walk(decision(*names), clock=ticking()), script), script


def failing(*outcomes: Outcome) -> tuple[BaseException, Script]:
    script = Script(outcomes)
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - each test looks at what it is
        drive(walk(decision(*"abcdef"[: len(outcomes)]), clock=ticking()), script)
    return caught.value, script


def test_the_first_candidate_answers_when_it_can() -> None:
    served, script = run("yes", "never asked")
    assert served.answer == "yes"
    assert script.calls == [(1, "a")]
    assert served.attempts == (Attempt(candidate="a", latency_s=1.0),)


def test_failover_goes_down_the_plan_in_order() -> None:
    served, script = run(ModelRateLimitError("x"), ModelTimeoutError("y"), "third", "never asked")
    assert served.answer == "third"
    assert script.calls == [(1, "a"), (2, "b"), (3, "c")]
    assert [(a.candidate, a.error_kind) for a in served.attempts] == [
        ("a", "rate_limited"),
        ("b", "timeout"),
        ("c", None),
    ]
    assert [a.latency_s for a in served.attempts] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("answer", ["", None, 0, []])
def test_an_answer_that_is_falsy_is_an_answer(answer: object) -> None:
    served = drive(walk(decision("a", "b")), lambda _: answer)
    assert served.answer == answer
    assert len(served.attempts) == 1


def test_a_bad_request_stops_the_walk_and_is_raised_as_it_is() -> None:
    bad = ModelInvalidRequestError("no such option")
    error, script = failing(bad, "never asked")
    assert error is bad
    assert not getattr(error, "__notes__", [])
    assert script.calls == [(1, "a")]


def test_a_bad_request_after_a_failover_is_raised_as_it_is() -> None:
    bad = ModelInvalidRequestError("no such option")
    error, script = failing(ModelRateLimitError("x"), bad, "never asked")
    assert error is bad
    assert [name for _, name in script.calls] == ["a", "b"]


@pytest.mark.parametrize("bug", [KeyError("x"), ZeroDivisionError(), ValueError("x")])
def test_a_bug_surfaces_and_is_not_hidden_by_a_failover(bug: Exception) -> None:
    error, script = failing(bug, "never asked")
    assert error is bug
    assert len(script.calls) == 1


def test_when_everyone_fails_the_group_holds_every_error_in_order() -> None:
    errors = [ModelRateLimitError("one"), ModelTimeoutError("two"), ConnectionError("three")]
    group, _ = failing(*errors)
    assert isinstance(group, RouterExhaustedError)
    assert list(group.exceptions) == errors
    assert [error.__notes__ for error in errors] == [
        ["langchain_router: attempt 1, candidate 'a', rate_limited."],
        ["langchain_router: attempt 2, candidate 'b', timeout."],
        ["langchain_router: attempt 3, candidate 'c', connect."],
    ]
    assert "All 3 candidates of the plan failed: 'a' rate_limited, 'b' timeout, 'c' connect." in str(group)
    assert "add a candidate" in str(group)


def test_the_group_is_caught_by_every_usual_handler() -> None:
    for handled in (RouterError, ModelAPIError, ModelError, ExceptionGroup):
        with pytest.raises(handled):
            run(ModelRateLimitError("x"), ModelAuthenticationError("y"))


def test_the_group_works_with_except_star() -> None:
    limited: list[Exception] = []
    with pytest.raises(ExceptionGroup) as rest:  # noqa: PT012 - the handler is what is tested
        try:
            run(ModelRateLimitError("x"), ModelAuthenticationError("y"))
        except* ModelRateLimitError as group:
            limited.extend(group.exceptions)
    assert [str(error) for error in limited] == ["x"]
    assert rest.value.subgroup(ModelAuthenticationError) is not None
    assert rest.value.subgroup(ModelRateLimitError) is None


def test_a_part_of_the_group_is_a_group_of_the_same_kind() -> None:
    group, _ = failing(ModelRateLimitError("x"), ModelAuthenticationError("y"))
    assert isinstance(group, RouterExhaustedError)
    part = group.subgroup(ModelRateLimitError)
    assert isinstance(part, RouterExhaustedError)
    assert part.message == group.message


def test_a_plan_of_one_raises_that_candidates_own_error() -> None:
    own = ModelRateLimitError("slow down")
    error, _ = failing(own)
    assert error is own
    assert own.__notes__ == ["langchain_router: attempt 1, candidate 'a', rate_limited."]


PASSING: list[BaseException] = [
    KeyboardInterrupt(),
    SystemExit(3),
    asyncio.CancelledError(),
    GraphInterrupt(),
]


@pytest.mark.parametrize("signal", PASSING, ids=lambda given: type(given).__name__)
def test_interrupts_and_cancellation_pass_straight_through(signal: BaseException) -> None:
    for outcomes in ((signal, "never asked"), (ModelRateLimitError("x"), signal, "never asked")):
        error, script = failing(*outcomes)
        assert error is signal
        assert not getattr(error, "__notes__", [])
        assert len(script.calls) == len(outcomes) - 1


async def test_a_task_that_is_cancelled_while_a_call_runs_stops_there() -> None:
    started = asyncio.Event()
    called: list[str] = []

    async def hang(call: Call) -> str:
        called.append(call.step.candidate.name)
        started.set()
        await asyncio.Event().wait()
        return "never"

    task = asyncio.create_task(adrive(walk(decision("a", "b")), hang))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert called == ["a"]


SCRIPTED = st.sampled_from(
    ["ok", "rate_limited", "timeout", "auth", "bad_request", "bug", "interrupt", "malformed", "status"]
)


def outcome(word: str, number: int) -> Outcome:
    class Overloaded(Exception):  # noqa: N818 - as clients name theirs
        status_code = 529

    made: dict[str, Callable[[], Outcome]] = {
        "ok": lambda: f"answer {number}",
        "rate_limited": lambda: ModelRateLimitError(str(number)),
        "timeout": lambda: TimeoutError(str(number)),
        "auth": lambda: ModelAuthenticationError(str(number)),
        "bad_request": lambda: ModelInvalidRequestError(str(number)),
        "bug": lambda: KeyError(str(number)),
        "interrupt": lambda: GraphInterrupt(),
        "malformed": lambda: ModelAPIError(str(number)),
        "status": lambda: Overloaded(str(number)),
    }
    return made[word]()


def told(result: Served[str] | BaseException) -> tuple[object, ...]:
    """Everything that a caller can see of how a plan ended."""
    if isinstance(result, Served):
        return ("served", result.answer, result.attempts)
    notes = getattr(result, "__notes__", [])
    inner = result.exceptions if isinstance(result, BaseExceptionGroup) else ()
    return (type(result).__name__, str(result), notes, tuple(told(error) for error in inner))


@given(st.lists(SCRIPTED, min_size=1, max_size=5))
def test_sync_and_async_drivers_do_the_same(words: list[str]) -> None:
    names = "abcdef"[: len(words)]
    sync, async_ = (Script([outcome(word, i) for i, word in enumerate(words)]) for _ in range(2))

    def one_way() -> tuple[object, ...]:
        try:
            return told(drive(walk(decision(*names), clock=ticking()), sync))
        except Exception as error:  # noqa: BLE001 - compared below
            return told(error)

    async def other_way() -> tuple[object, ...]:
        try:
            return told(await adrive(walk(decision(*names), clock=ticking()), async_.acall))
        except Exception as error:  # noqa: BLE001 - compared below
            return told(error)

    assert one_way() == asyncio.run(other_way())
    assert sync.calls == async_.calls


@given(st.lists(SCRIPTED, min_size=1, max_size=5))
def test_a_request_is_lost_only_when_no_candidate_could_have_served_it(words: list[str]) -> None:
    script = Script([outcome(word, i) for i, word in enumerate(words)])
    survivable = {"rate_limited", "timeout", "auth", "malformed", "status"}
    decisive = next((i for i, word in enumerate(words) if word not in survivable), None)
    try:
        served = drive(walk(decision(*"abcdef"[: len(words)])), script)
    except Exception:  # noqa: BLE001 - only whether it is raised matters
        assert decisive is None or words[decisive] != "ok"
    else:
        assert decisive is not None
        assert served.answer == f"answer {decisive}"
    assert len(script.calls) == (len(words) if decisive is None else decisive + 1)


def test_after_a_context_overflow_only_larger_or_unknown_windows_are_tried() -> None:
    windows = {"a": 8_000, "b": 4_000, "c": 8_000, "d": None, "e": 200_000}
    steps = tuple(
        Step(candidate=Candidate(model=f"house/{name}", name=name, context_tokens=window))
        for name, window in windows.items()
    )
    script = Script([ContextOverflowError("too long"), ModelAPIError("down"), "from the largest"])
    served = drive(walk(replace(decision("a"), plan=steps), clock=ticking()), script)
    assert served.answer == "from the largest"
    assert [name for _, name in script.calls] == ["a", "d", "e"]


def test_a_context_overflow_that_nobody_larger_can_take_is_the_providers_own_error() -> None:
    steps = tuple(
        Step(candidate=Candidate(model=f"house/{name}", name=name, context_tokens=8_000)) for name in "ab"
    )
    with pytest.raises(ContextOverflowError):
        drive(walk(replace(decision("a"), plan=steps)), Script([ContextOverflowError("too long")]))
