"""Checks run on recorded answers: who is asked, what it costs, and what cannot be had."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

from langchain_router.checks.agreement import AgreementCheck
from langchain_router.checks.base import Check, as_check
from langchain_router.checks.check import Ask, Review, Verdict
from langchain_router.evaluation.recorded import (
    NotRecordedError,
    Recorded,
    as_request,
    read_set,
    recorded_candidate,
    review_recorded,
)
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.testing.replay import ReplayOutcome, ReplayRow

ROW = ReplayRow(
    id="1",
    dataset="d",
    domain="",
    prompt="How many?",
    outcomes={
        "a": ReplayOutcome(score=1, response="48", cost_usd=1.0),
        "b": ReplayOutcome(score=1, response="The answer is 48.", cost_usd=2.0),
        "c": ReplayOutcome(score=0, response="I think 47", cost_usd=4.0),
    },
)


class AsksJudge(Check):
    """Passes when its judge cannot be had, so that a test can see that it was told."""

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        try:
            yield Ask(candidate=recorded_candidate("a"), role="judge", messages=())
        except NotRecordedError:
            return Verdict(passed=True, reason="no judge")
        return Verdict(passed=False)


def test_a_second_answer_is_the_recorded_one_and_its_cost_is_counted() -> None:
    agreeing = review_recorded(AgreementCheck(recorded_candidate("b")), ROW, "a", as_request(ROW))
    assert (agreeing.verdict.passed, agreeing.asked, agreeing.cost_usd) == (True, ("b",), 2.0)
    other = review_recorded(AgreementCheck(recorded_candidate("c")), ROW, "a", as_request(ROW))
    assert (other.verdict.passed, other.cost_usd) == (False, 4.0)


def test_a_second_answer_side_by_side_is_paid_for_even_when_a_check_before_it_fails() -> None:
    for side_by_side, cost_usd in ((True, 2.0), (False, 0.0)):
        check = as_check(lambda *_: False) & AgreementCheck(
            recorded_candidate("b"), side_by_side=side_by_side
        )
        found = review_recorded(check, ROW, "a", as_request(ROW))
        assert (found.verdict.passed, found.cost_usd) == (False, cost_usd)


def test_an_answer_that_is_asked_for_twice_is_paid_for_once() -> None:
    second = recorded_candidate("b")
    check = AgreementCheck(second) & AgreementCheck(second, kind="number")
    assert review_recorded(check, ROW, "a", as_request(ROW)).cost_usd == 2.0


def test_a_judge_and_a_model_without_a_recorded_answer_are_not_to_be_had() -> None:
    assert review_recorded(AsksJudge(), ROW, "a", as_request(ROW)).verdict.reason == "no judge"
    unknown = review_recorded(AgreementCheck(recorded_candidate("z")), ROW, "a", as_request(ROW))
    assert (unknown.verdict.passed, unknown.cost_usd) == (False, 0.0)
    assert "NotRecordedError" in unknown.verdict.reason


def test_a_recorded_model_is_never_called() -> None:
    with pytest.raises(NotRecordedError):
        recorded_candidate("a").chat_model().invoke("hi")


def test_the_split_depends_on_ids_alone_and_loses_no_row() -> None:
    rows = tuple(dataclasses.replace(ROW, id=str(i)) for i in range(500))
    development, others = Recorded(name="d", rows=rows).split()
    again, _ = Recorded(name="d", rows=rows[::-1]).split()
    assert {row.id for row in development.rows} == {row.id for row in again.rows}
    assert len(development.rows) + len(others.rows) == 500
    assert 100 < len(development.rows) < 200


def test_data_sets_can_be_pooled(folder: Path) -> None:
    assert len(read_set(folder, "sums+more").rows) == 240


def test_a_data_set_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.jsonl\.gz"):
        read_set(folder, "missing")
