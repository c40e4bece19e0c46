"""A user's own check, and looking at an answer without a router."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
import time
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import GraphBubbleUp

from langchain_router import (
    Candidate,
    CascadePolicy,
    ConfigurationError,
    Constraints,
    NoEligibleCandidateError,
    RoutingRequest,
)
from langchain_router.checks import (
    Ask,
    Check,
    HeuristicCheck,
    JudgeCheck,
    OwnCheck,
    Review,
    Verdict,
    as_check,
)
from langchain_router.exceptions import DeadlineExceededError
from langchain_router.testing import FaultyChatModel, ScriptedJudge
from langchain_router.testing.scripted import ScriptedChatModel

REQUEST = RoutingRequest(messages=(HumanMessage("How many legs has a spider?"),))
ANSWER = AIMessage("Eight.")


class AsksOnce(Check):
    """Asks one model, and says what came of it."""

    name = "asks_once"

    def __init__(self, model: Any, *, timeout_s: float | None = None, **place: Any) -> None:
        candidate = Candidate(model=model, name="other", **place)
        self.ask = Ask(candidate=candidate, role="second", timeout_s=timeout_s)

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        try:
            said = yield self.ask
        except Exception as error:  # noqa: BLE001
            return Verdict(passed=False, reason=type(error).__name__)
        return Verdict(passed=said.text == response.text, reason="compared")


async def is_long(_: RoutingRequest, response: AIMessage) -> bool:
    await asyncio.sleep(0)
    return len(response.text) > 3


class OwnCheckObject:
    """Has a method, as `QualityCheck` asks for."""

    def check(self, request: RoutingRequest, response: AIMessage) -> Verdict:
        return Verdict(passed=True, score=0.7, reason="by the object")


class TwoWays(OwnCheckObject):
    async def acheck(self, request: RoutingRequest, response: AIMessage) -> Verdict:
        return Verdict(passed=False, score=0.1, reason="by the coroutine")


class OnlyAwaited:
    async def check(self, request: RoutingRequest, response: AIMessage) -> float:
        return 0.9


class TakesOne:
    def check(self, response: AIMessage) -> bool:
        return bool(response.text)


def test_a_function_that_returns_a_bool_is_a_check() -> None:
    check = as_check(lambda _, response: response.text == "Eight.")
    assert check.check(REQUEST, ANSWER).passed
    assert not check.check(REQUEST, AIMessage("Six.")).passed


@pytest.mark.parametrize(("score", "passed"), [(0, False), (0.49, False), (0.5, True), (1, True)])
def test_a_function_that_returns_a_score_passes_from_one_half_on(score: float, passed: bool) -> None:
    verdict = as_check(lambda *_: score).check(REQUEST, ANSWER)
    assert (verdict.passed, verdict.score) == (passed, score)


def test_a_function_may_return_a_verdict_of_its_own() -> None:
    mine = Verdict(passed=False, score=0.9, reason="I say so")
    assert as_check(lambda *_: mine).check(REQUEST, ANSWER) is mine


@pytest.mark.parametrize("value", [np.bool_(True), np.float32(0.75), np.float64(0.75), np.int64(1)])
def test_numbers_of_numpy_count_as_plain_ones(value: Any) -> None:
    assert as_check(lambda *_: value).check(REQUEST, ANSWER).passed


@pytest.mark.parametrize("value", ["yes", None, [True], {}])
def test_anything_else_is_refused_without_being_shown(value: Any) -> None:
    kinds = {str: "a text", type(None): "None", list: "a list", dict: "a dict"}
    expected = (
        rf"returned {kinds[type(value)]}\. Let it return True or False, a score from 0 to 1, or a Verdict"
    )
    with pytest.raises(ConfigurationError, match=expected) as caught:
        as_check(lambda *_: value).check(REQUEST, ANSWER)
    assert "yes" not in str(caught.value)


@pytest.mark.parametrize("value", [-0.1, 1.1, 100, float("nan"), float("inf")])
def test_a_score_out_of_range_is_refused_with_its_value(value: float) -> None:
    with pytest.raises(ConfigurationError, match=rf"returned {value!r}\. Let it return .* from 0 to 1"):
        as_check(lambda *_: value).check(REQUEST, ANSWER)


@pytest.mark.parametrize(
    "given",
    [
        lambda response: True,  # noqa: ARG005
        lambda: True,
        lambda request, response, third: True,  # noqa: ARG005
        functools.partial(lambda request, response: True, 1),  # noqa: ARG005
        TakesOne(),
    ],
)
def test_a_check_that_does_not_take_request_and_response_is_refused_when_it_is_built(given: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"called with a request and a response, which .* does not take"
    ):
        CascadePolicy([("cheap", given), ("dear", None)])
    with pytest.raises(ConfigurationError, match=r"def is_good\(request, response\)"):
        HeuristicCheck() & given


def test_a_check_may_take_more_that_has_defaults() -> None:
    check = as_check(lambda _, response, least=3: len(response.text) > least)
    assert check.check(REQUEST, ANSWER).passed


def test_a_function_is_called_by_its_own_name_and_a_lambda_by_its_line() -> None:
    def says_eight(_: RoutingRequest, response: AIMessage) -> float:
        return 1.0 if response.text == "Eight." else 0.25

    assert as_check(says_eight).check(REQUEST, ANSWER).reason == "scored 1.00 by says_eight, at least 0.50"
    assert (
        as_check(says_eight).check(REQUEST, AIMessage("6")).reason == "scored 0.25 by says_eight, under 0.50"
    )
    assert as_check(functools.partial(says_eight)).name == "says_eight"
    nameless = lambda *_: 0.9  # noqa: E731
    line = nameless.__code__.co_firstlineno
    reason = as_check(nameless).check(REQUEST, ANSWER).reason
    assert reason == f"scored 0.90 by the lambda of line {line}, at least 0.50"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"passed": "x"}, r"passed must be True or False, got a text\. Write Verdict\(passed=True"),
        ({"passed": None}, "passed must be True or False, got None"),
        ({"passed": 1}, "passed must be True or False, got an int"),
        ({"passed": True, "score": 7}, "score must be a number from 0 to 1 or None, got 7"),
        ({"passed": True, "score": float("nan")}, "score must be a number from 0 to 1 or None, got nan"),
        ({"passed": True, "score": True}, "score must be a number from 0 to 1 or None"),
        ({"passed": True, "score": "x"}, "score must be a number from 0 to 1 or None, got a text"),
        ({"passed": True, "reason": 3}, "reason must be a text, got an int"),
    ],
)
def test_a_verdict_that_cannot_be_one_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Verdict(**wrong)


def test_a_verdict_of_numpys_values_is_one_of_plain_values() -> None:
    verdict = Verdict(passed=np.bool_(True), score=np.float64(0.5))  # type: ignore[arg-type]
    assert (type(verdict.passed), type(verdict.score)) == (bool, float)
    assert json.dumps(verdict.to_dict()) == '{"passed": true, "score": 0.5, "reason": ""}'


@pytest.mark.parametrize("given", [is_long, functools.partial(is_long), lambda *both: is_long(*both)])
async def test_a_coroutine_function_is_a_check_in_sync_and_async_code(given: Any) -> None:
    check = as_check(given)
    assert (await check.acheck(REQUEST, ANSWER)).passed
    assert not (await check.acheck(REQUEST, AIMessage("6"))).passed
    assert check.check(REQUEST, ANSWER).passed, "even where a loop is running, as in a notebook"
    assert (await asyncio.to_thread(check.check, REQUEST, ANSWER)).passed


async def test_a_coroutine_function_runs_in_the_callers_event_loop() -> None:
    loops = []

    async def check(*_: object) -> bool:
        loops.append(asyncio.get_running_loop())
        return True

    await as_check(check).acheck(REQUEST, ANSWER)
    assert loops == [asyncio.get_running_loop()]


async def test_an_object_with_a_method_is_a_check() -> None:
    check = as_check(OwnCheckObject())
    assert check.check(REQUEST, ANSWER).score == 0.7
    assert (await check.acheck(REQUEST, ANSWER)).score == 0.7
    assert check.name == "OwnCheckObject"


async def test_acheck_is_awaited_where_there_is_an_event_loop() -> None:
    check = as_check(TwoWays())
    assert check.check(REQUEST, ANSWER).reason == "by the object"
    assert (await check.acheck(REQUEST, ANSWER)).reason == "by the coroutine"


async def test_a_method_that_is_a_coroutine_is_awaited() -> None:
    check = as_check(OnlyAwaited())
    assert (await check.acheck(REQUEST, ANSWER)).score == 0.9
    assert check.check(REQUEST, ANSWER).score == 0.9


async def test_a_blocking_function_does_not_block_the_event_loop() -> None:
    def slow(*_: object) -> bool:
        released.wait(5)
        return True

    released = threading.Event()
    looking = asyncio.create_task(as_check(slow).acheck(REQUEST, ANSWER))
    await asyncio.sleep(0)
    released.set()
    assert (await looking).passed


def test_a_check_is_its_own_check() -> None:
    check = HeuristicCheck()
    assert as_check(check) is check


@pytest.mark.parametrize("given", [None, 0.8, "judge", HeuristicCheck, OwnCheckObject])
def test_what_is_no_check_is_refused_with_what_to_write(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="A check must be a check"):
        as_check(given)
    if isinstance(given, type):
        with pytest.raises(
            ConfigurationError, match=rf"got the class {given.__name__}; write {given.__name__}\(\.\.\.\)"
        ):
            as_check(given)


def test_a_function_that_raises_is_not_hushed_up() -> None:
    def broken(*_: object) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        as_check(broken).check(REQUEST, ANSWER)


def test_its_repr_names_the_function() -> None:
    assert repr(as_check(is_long)) == "OwnCheck(is_long)"
    assert isinstance(as_check(is_long), OwnCheck)


async def test_a_model_that_a_check_asks_is_called() -> None:
    check = AsksOnce(ScriptedChatModel(answers=["Eight."]))
    assert check.check(REQUEST, ANSWER).passed
    assert (await check.acheck(REQUEST, ANSWER)).passed


async def test_a_model_that_fails_is_thrown_into_the_review() -> None:
    check = AsksOnce(FaultyChatModel(answers=["Eight."], rates={"server": 1.0}))
    assert check.check(REQUEST, ANSWER).reason == "ModelAPIError"
    assert (await check.acheck(REQUEST, ANSWER)).reason == "ModelAPIError"


async def test_a_model_that_is_too_slow_is_not_waited_for() -> None:
    def hang(_: float) -> None:
        for _ in range(500):
            time.sleep(0.01)

    model = FaultyChatModel(answers=["Eight."], rates={"slow": 1.0}, slow_s=5.0, sleep=hang)
    check = AsksOnce(model, timeout_s=0.02)
    began = time.monotonic()
    assert check.check(REQUEST, ANSWER).reason == DeadlineExceededError.__name__
    assert (await check.acheck(REQUEST, ANSWER)).reason == DeadlineExceededError.__name__
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("constraints", [{"providers": {"openai"}}, {"regions": {"eu"}}, {"tags": {"hipaa"}}])
async def test_a_model_that_may_not_see_the_request_is_not_called(constraints: dict[str, Any]) -> None:
    model = FaultyChatModel(answers=["Eight."])
    check = AsksOnce(model, provider="elsewhere", region="us")
    request = RoutingRequest(messages=REQUEST.messages, constraints=Constraints(**constraints))
    assert check.check(request, ANSWER).reason == NoEligibleCandidateError.__name__
    assert (await check.acheck(request, ANSWER)).reason == NoEligibleCandidateError.__name__
    assert model.calls == 0


async def test_a_model_that_cannot_read_the_request_is_not_put_it() -> None:
    image: Any = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]
    request = RoutingRequest(messages=(HumanMessage(image),))
    model = FaultyChatModel(answers=["Eight."])
    check = AsksOnce(model, capabilities=frozenset())
    assert check.check(request, ANSWER).reason == NoEligibleCandidateError.__name__
    assert (await check.acheck(request, ANSWER)).reason == NoEligibleCandidateError.__name__
    assert model.calls == 0
    judge = JudgeCheck(Candidate(model=ScriptedJudge(verdicts=[1]), name="judge", capabilities=frozenset()))
    assert judge.check(request, ANSWER).passed, "a judge gets a text of its own"


async def test_an_interrupt_passes_through_every_check() -> None:
    check = AsksOnce(FaultyChatModel(answers=["Eight."], rates={"control_flow": 1.0}))
    with pytest.raises(GraphBubbleUp):
        check.check(REQUEST, ANSWER)
    with pytest.raises(GraphBubbleUp):
        await check.acheck(REQUEST, ANSWER)
