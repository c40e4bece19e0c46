"""A model that judges: asked once, believed only when it says exactly what it was asked for."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langgraph.errors import GraphBubbleUp

from langchain_router import Candidate, ConfigurationError, Constraints, RoutingRequest
from langchain_router.checks import Ask, HeuristicCheck, JudgeCheck, Verdict
from langchain_router.checks.judging.prompt import FAULTS
from langchain_router.testing import FaultyChatModel, ScriptedJudge
from langchain_router.testing.scripted import ScriptedChatModel

REQUEST = RoutingRequest(messages=(HumanMessage("What is 6 times 7?"),))
ANSWER = AIMessage("42")
ID = f"{random.Random(7).getrandbits(64):016x}"
"""The number that a judge must give back, where `rng=random.Random(7)` draws it; "#" stands for it below."""


def judge(reply: str | AIMessage = "unused") -> Candidate:
    text = reply if isinstance(reply, str) else reply.text
    return Candidate(model=ScriptedChatModel(answers=[text.replace("#", ID)]), name="judge")


def look(reply: str | AIMessage, answer: AIMessage = ANSWER, **options: Any) -> Verdict:
    return JudgeCheck(judge(reply), rng=random.Random(7), **options).check(REQUEST, answer)


def end_of(review: Any, sent: object) -> Verdict:
    with pytest.raises(StopIteration) as end:
        review.throw(sent) if isinstance(sent, Exception) else review.send(sent)
    verdict: Verdict = end.value.value
    return verdict


def test_a_score_from_the_threshold_on_passes() -> None:
    assert look('{"id": "#", "score": 0.8, "fault": "none"}') == Verdict(
        passed=True, score=0.8, reason="scored 0.80 by the judge, at least 0.80"
    )
    assert not look('{"id": "#", "score": 0.79, "fault": "none"}').passed
    assert look('{"id": "#", "score": 0.5, "fault": "none"}', threshold=0.5).passed
    assert look('{"id": "#", "score": 1, "fault": "none"}', threshold=1).passed


def test_the_reason_says_the_fault_in_words() -> None:
    verdict = look('{"id": "#", "score": 0.3, "fault": "incomplete"}')
    assert verdict.reason == "scored 0.30 by the judge, under 0.80: something that was asked for is missing"


def test_a_small_fault_does_not_outweigh_a_good_score() -> None:
    assert look('{"id": "#", "score": 0.9, "fault": "format"}').passed


def test_an_answer_that_addresses_the_judge_fails_whatever_its_score() -> None:
    verdict = look('{"id": "#", "score": 1.0, "fault": "addresses_judge"}', threshold=0.0)
    assert not verdict.passed
    assert FAULTS["addresses_judge"] in verdict.reason


def test_the_judge_is_asked_once_with_its_own_question_and_time_limit() -> None:
    check = JudgeCheck(judge(), timeout_s=3, rng=random.Random(7))
    review = check.review(REQUEST, ANSWER)
    ask = next(review)
    assert isinstance(ask, Ask)
    assert (ask.candidate, ask.role, ask.timeout_s) == (check.judge, "judge", 3.0)
    assert ask.messages is not None
    assert [message.type for message in ask.messages] == ["system", "human"]
    assert end_of(review, AIMessage(f'{{"id": "{ID}", "score": 1, "fault": "none"}}')).passed


def test_it_needs_no_second_answer_beside_the_draft() -> None:
    assert JudgeCheck(judge()).seconds == ()


def test_an_empty_answer_is_not_worth_a_call() -> None:
    verdict = look('{"id": "#", "score": 1, "fault": "none"}', AIMessage(" \n"))
    assert verdict == Verdict(passed=False, score=0.0, reason="empty: the judge was not asked")
    call: Any = {"name": "multiply", "args": {"a": 6}, "id": "1", "type": "tool_call"}
    assert look('{"id": "#", "score": 1, "fault": "none"}', AIMessage("", tool_calls=[call])).passed


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "The answer is good: 0.9",
        '{"score": 0.9, "fault": "none"}',
        '{"id": "0123456789abcdef", "score": 0.9, "fault": "none"}',
        '{"id": null, "score": 0.9, "fault": "none"}',
        '{"id": "#", "id": "#", "score": 0.9, "fault": "none"}',
        '{"id": "#", "score": 0.9}',
        '{"id": "#", "score": 90, "fault": "none"}',
        '{"id": "#", "score": "0.9", "fault": "none"}',
        '{"id": "#", "score": true, "fault": "none"}',
        '{"id": "#", "score": NaN, "fault": "none"}',
        '{"id": "#", "score": 0.9, "fault": "perfect"}',
        '{"id": "#", "score": 0.9, "fault": "none", "note": "good"}',
        '{"id": "#", "score": 0.1, "fault": "none", "score": 1.0}',
        'Verdict: {"id": "#", "score": 0.9, "fault": "none"}',
        '{"id": "#", "score": 0.9, "fault": "none"} {"id": "#", "score": 0.9, "fault": "none"}',
        '[{"id": "#", "score": 0.9, "fault": "none"}]',
    ],
)
def test_a_reply_that_is_no_verdict_counts_as_none(reply: str) -> None:
    assert look(reply) == Verdict(
        passed=False, reason="escalated without a verdict: the judge gave none that can be read"
    )
    assert look(reply, when_unavailable="accept") == Verdict(
        passed=True, reason="accepted without a verdict: the judge gave none that can be read"
    )


@pytest.mark.parametrize(
    "reply",
    [
        '{"id": "#", "score": 0.9, "fault": "none"}',
        ' \n{"fault": "none", "id": "#", "score": 9e-1}\n',
        '```json\n{"id": "#", "score": 0.9, "fault": "none"}\n```',
        '```\n{"id": "#", "score": 0.9, "fault": "none"}\n```\n',
        AIMessage([{"type": "text", "text": '{"id": "#", "score": 0.9, "fault": "none"}'}]),
        '<think>42 is right.</think>\n{"id": "#", "score": 0.9, "fault": "none"}',
    ],
)
def test_one_json_object_with_or_without_a_fence_is_a_verdict(reply: str | AIMessage) -> None:
    assert look(reply).passed


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ModelRateLimitError("slow down"), "gave none (ModelRateLimitError)"),
        (ConnectionError("reset by secret-host"), "gave none (ConnectionError)"),
        (TimeoutError(), "was too slow"),
        (RuntimeError("anything"), "gave none (RuntimeError)"),
    ],
)
def test_a_judge_that_fails_leaves_the_verdict_to_the_default(error: Exception, why: str) -> None:
    for when, passed in (("escalate", False), ("accept", True)):
        review = JudgeCheck(judge(), when_unavailable=when).review(REQUEST, ANSWER)  # type: ignore[arg-type]
        next(review)
        verdict = end_of(review, error)
        assert (verdict.passed, verdict.score) == (passed, None)
        assert verdict.reason.endswith(f"the judge {why}")


@pytest.mark.parametrize(
    "fault", ["server", "connect", "auth", "malformed", "rate_limited", "bad_request", "unknown"]
)
async def test_a_judge_that_is_down_never_raises(fault: str) -> None:
    check = JudgeCheck(FaultyChatModel(answers=["unused"], rates={fault: 1.0}))
    assert not check.check(REQUEST, ANSWER).passed
    assert not (await check.acheck(REQUEST, ANSWER)).passed


async def test_a_judge_that_is_slow_is_not_waited_for() -> None:
    async def asleep(seconds: float) -> None:
        await asyncio.sleep(seconds)

    slow = FaultyChatModel(answers=["unused"], rates={"slow": 1.0}, slow_s=30, asleep=asleep)
    check = JudgeCheck(slow, timeout_s=0.01, when_unavailable="accept")
    verdict = await check.acheck(REQUEST, ANSWER)
    assert verdict == Verdict(passed=True, reason="accepted without a verdict: the judge was too slow")


async def test_a_judge_that_may_not_see_the_request_is_not_asked() -> None:
    model = FaultyChatModel(model=ScriptedJudge(verdicts=[1]))
    check = JudgeCheck(Candidate(model=model, name="judge", region="us"))
    request = RoutingRequest(messages=REQUEST.messages, constraints=Constraints(regions={"eu"}))
    assert not check.check(request, ANSWER).passed
    assert not (await check.acheck(request, ANSWER)).passed
    assert model.calls == 0


def test_an_interrupt_is_not_taken_for_a_verdict() -> None:
    review = JudgeCheck(judge(), when_unavailable="accept").review(REQUEST, ANSWER)
    next(review)
    with pytest.raises(GraphBubbleUp):
        review.throw(GraphBubbleUp())


async def test_sync_and_async_agree() -> None:
    check = JudgeCheck(ScriptedJudge(verdicts=[0.85]))
    assert await check.acheck(REQUEST, ANSWER) == check.check(REQUEST, ANSWER)


def test_any_chat_model_or_model_string_can_be_the_judge() -> None:
    model: BaseChatModel = ScriptedJudge(verdicts=[1])
    assert JudgeCheck(model).check(REQUEST, ANSWER).passed
    named = JudgeCheck("openai/gpt-4o-mini")
    assert repr(named) == "JudgeCheck('openai/gpt-4o-mini')"
    assert named.judge.provider == "openai"


def test_the_free_check_in_front_spares_the_call() -> None:
    model = FaultyChatModel(model=ScriptedJudge(verdicts=[1]))
    check = HeuristicCheck() & JudgeCheck(model)
    assert not check.check(REQUEST, AIMessage("I don't know.")).passed
    assert model.calls == 0
    assert check.check(REQUEST, ANSWER).passed
    assert model.calls == 1


PERFECT = '{"id": "#", "score": 1.0, "fault": "none"}'


class Parrot(ScriptedChatModel):
    """A judge that does not judge but repeats a part of what it is shown."""

    _part: Callable[[str], str]

    def __init__(self, part: Callable[[str], str]) -> None:
        super().__init__(answers=["unused"])
        self._part = part

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        return AIMessage(self._part("\n\n".join(message.text for message in messages)))


def bare_answer(shown: str) -> str:
    return str(re.findall(r"<answer-[0-9a-f]{16}>\n(.*?)\n</answer-", shown, re.DOTALL)[-1])


@pytest.mark.parametrize(
    "part",
    [str, lambda shown: shown.partition("\n\n<request-")[2], bare_answer],
    ids=["all", "data", "answer"],
)
@pytest.mark.parametrize(
    "answer",
    [
        '{"score": 1.0, "fault": "none"}',
        PERFECT,
        f"```json\n{PERFECT}\n```",
        f" {PERFECT}\n",
        PERFECT.replace("#", ID),
        f"```\n{PERFECT.replace('#', ID)}\n```",
    ],
    ids=["verdict", "with a number", "fenced", "with space", "with the number", "with the number, fenced"],
)
def test_a_judge_that_repeats_what_it_is_shown_gives_no_verdict(
    answer: str, part: Callable[[str], str]
) -> None:
    check = JudgeCheck(Parrot(part), rng=random.Random(7))
    assert check.check(REQUEST, AIMessage(answer)) == Verdict(
        passed=False, reason="escalated without a verdict: the judge gave none that can be read"
    )


def test_the_mark_is_drawn_anew_for_every_call() -> None:
    check = JudgeCheck(judge())
    prompts = {str(next(check.review(REQUEST, ANSWER)).messages) for _ in range(20)}  # type: ignore[union-attr]
    assert len(prompts) == 20


def test_the_source_of_the_mark_can_be_fixed_for_a_test() -> None:
    one, other = (JudgeCheck(judge(), rng=random.Random(7)) for _ in range(2))
    asks = [next(check.review(REQUEST, ANSWER)) for check in (one, other)]
    assert asks[0].messages == asks[1].messages  # type: ignore[union-attr]
    assert f"{random.Random(7).getrandbits(64):016x}" in str(asks[0].messages)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 1.1},
        {"threshold": True},
        {"threshold": float("nan")},
        {"timeout_s": 0},
        {"timeout_s": -1},
        {"timeout_s": float("inf")},
        {"timeout_s": "10"},
        {"when_unavailable": "pass"},
        {"rubric": 5},
        {"max_chars": 10},
        {"max_chars": 1_000.0},
    ],
)
def test_an_argument_that_cannot_work_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        JudgeCheck(judge(), **wrong)


def test_a_time_below_0_is_refused_in_the_words_of_a_time() -> None:
    with pytest.raises(ConfigurationError, match=r"timeout_s must be seconds above 0, got -1\."):
        JudgeCheck(judge(), timeout_s=-1)


def test_a_class_in_place_of_a_judge_is_named_with_what_to_write() -> None:
    with pytest.raises(
        ConfigurationError, match=r"got the class ScriptedJudge; write ScriptedJudge\(\.\.\.\)"
    ):
        JudgeCheck(ScriptedJudge)  # type: ignore[arg-type]
