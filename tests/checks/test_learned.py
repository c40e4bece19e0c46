"""A scorer that somebody fitted, and what it may return."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import GraphBubbleUp

from langchain_router import Candidate, ConfigurationError, RoutingRequest
from langchain_router.checks import AnswerScorer, HeuristicCheck, LearnedCheck, Run, Verdict
from langchain_router.testing import FaultyChatModel
from langchain_router.testing.scripted import ScriptedChatModel

REQUEST = RoutingRequest(messages=(HumanMessage("What is 6 times 7?"),))
ANSWER = AIMessage("42")


class Always:
    """Returns, or raises, what it was made with."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def probability(
        self, request: RoutingRequest, response: AIMessage, seconds: Mapping[str, AIMessage]
    ) -> float:
        if isinstance(self.value, Exception):
            raise self.value
        return self.value  # type: ignore[no-any-return]


class ShareThatAgrees:
    """The share of second answers that say the same; a scorer written by hand."""

    def probability(
        self, request: RoutingRequest, response: AIMessage, seconds: Mapping[str, AIMessage]
    ) -> float:
        same = sum(other.text == response.text for other in seconds.values())
        return same / len(seconds) if seconds else 0.5


def look(value: Any, threshold: float = 0.8) -> Verdict:
    return LearnedCheck(Always(value), threshold).check(REQUEST, ANSWER)


def test_a_probability_from_the_threshold_on_passes() -> None:
    assert look(0.8) == Verdict(
        passed=True, score=0.8, reason="taken to be right with probability 0.80, at least 0.80"
    )
    assert look(0.79) == Verdict(
        passed=False, score=0.79, reason="taken to be right with probability 0.79, under 0.80"
    )
    assert look(0.3, threshold=0.3).passed


@pytest.mark.parametrize("value", [1, np.float32(0.9), np.float64(0.9), np.array(0.9)])
def test_any_number_will_do(value: Any) -> None:
    assert look(value).passed


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.01, 1.01, 85, np.float32("nan")])
def test_what_is_no_probability_fails_with_its_value(value: float) -> None:
    verdict = look(value, threshold=0.0)
    assert (verdict.passed, verdict.score) == (False, None)
    assert verdict.reason.endswith("which is no probability")


@pytest.mark.parametrize("value", [None, True, "0.9", [0.9]])
def test_what_is_no_number_fails_with_its_type(value: Any) -> None:
    assert look(value, threshold=0.0).reason == f"the scorer gave no probability but a {type(value).__name__}"


def test_a_scorer_that_raises_does_not_lose_the_request(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="langchain_router"):
        verdict = look(KeyError("a word of the answer"))
    assert verdict == Verdict(passed=False, reason="the scorer raised KeyError")
    assert len(caplog.records) == 1
    assert "a word" not in caplog.text


def test_an_interrupt_passes_through() -> None:
    with pytest.raises(GraphBubbleUp):
        look(GraphBubbleUp())
    for check in (LearnedCheck(Always(1)), LearnedCheck(Always(1), seconds=[second("42", name="a")])):
        review = check.review(REQUEST, ANSWER)
        next(review)
        with pytest.raises(GraphBubbleUp):
            review.throw(GraphBubbleUp())


def test_the_scorer_is_run_where_it_may_block() -> None:
    review = LearnedCheck(Always(0.9)).review(REQUEST, ANSWER)
    wanted = next(review)
    assert isinstance(wanted, Run)
    with pytest.raises(StopIteration) as end:
        review.send(wanted.call())
    assert end.value.value.passed


def second(*answers: str, name: str) -> Candidate:
    return Candidate(model=ScriptedChatModel(answers=answers), name=name)


async def test_it_compares_with_second_answers() -> None:
    check = LearnedCheck(ShareThatAgrees(), 0.6, seconds=[second("42", name="a"), second("48", name="b")])
    assert [ask.candidate.name for ask in check.seconds] == ["a", "b"]
    assert check.check(REQUEST, ANSWER).score == 0.5
    assert await check.acheck(REQUEST, ANSWER) == check.check(REQUEST, ANSWER)


def test_a_second_model_that_gives_no_answer_is_left_out() -> None:
    down = Candidate(model=FaultyChatModel(answers=["42"], rates={"server": 1.0}), name="down")
    check = LearnedCheck(ShareThatAgrees(), 0.6, seconds=[down, second("42", name="up")])
    assert check.check(REQUEST, ANSWER).score == 1.0
    alone = LearnedCheck(ShareThatAgrees(), 0.6, seconds=[down])
    assert alone.check(REQUEST, ANSWER).score == 0.5


def test_it_joins_with_other_checks() -> None:
    check = HeuristicCheck() & LearnedCheck(Always(0.9), 0.8)
    assert repr(check) == "HeuristicCheck() & LearnedCheck(Always, 0.8)"
    assert check.check(REQUEST, ANSWER).score == 0.9


def test_a_scorer_is_known_by_its_method() -> None:
    assert isinstance(Always(0.9), AnswerScorer)
    with pytest.raises(ConfigurationError, match=r"must have a method probability.*got 0.9"):
        LearnedCheck(0.9)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"write ShareThatAgrees\(\.\.\.\)"):
        LearnedCheck(ShareThatAgrees)  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, True, "0.8", float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: Any) -> None:
    with pytest.raises(ConfigurationError, match="threshold must be from 0 to 1"):
        LearnedCheck(Always(0.9), threshold)


def test_seconds_are_a_list() -> None:
    with pytest.raises(ConfigurationError, match="seconds must be a list of models"):
        LearnedCheck(Always(0.9), seconds="openai/gpt-4o-mini")
