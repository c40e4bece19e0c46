"""Outcomes as data: what they sum up, what they leave open, and that they hold no text."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router.checks.check import Verdict
from langchain_router.execution.errors import ErrorKind
from langchain_router.outcomes.records import Attempt, Outcome


def outcome(*attempts: Attempt, **known: Any) -> Outcome:
    given: dict[str, Any] = {"decision_id": "d", "status": "ok", "served_by": "a", "latency_s": 1.0, **known}
    return Outcome(attempts=attempts, **given)


def cost(usd: float | None) -> Attempt:
    return Attempt(candidate="a", latency_s=0.5, cost_usd=usd)


def test_the_cost_is_that_of_all_calls_together() -> None:
    assert outcome(cost(0.25), cost(0.5), cost(0.0)).cost_usd == 0.75


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=5))
def test_an_unknown_cost_makes_the_whole_unknown_and_never_zero(costs: list[float | None]) -> None:
    total = outcome(*map(cost, costs)).cost_usd
    if None in costs:
        assert total is None
    else:
        assert total == sum(one for one in costs if one is not None)


def test_what_is_known_of_the_cost_is_said_though_a_part_is_unknown() -> None:
    told = outcome(cost(0.25), cost(None), cost(0.5))
    assert (told.cost_usd, told.known_cost_usd) == (None, 0.75)
    assert (told.to_dict()["cost_usd"], told.to_dict()["known_cost_usd"]) == (None, 0.75)


def test_nobody_called_is_nothing_spent() -> None:
    assert outcome().cost_usd == 0


def test_as_data_it_can_be_written_as_json_and_read_again() -> None:
    draft = Attempt(
        candidate="a",
        latency_s=0.123456,
        role="draft",
        verdict=Verdict(passed=False, score=0.123456, reason="too short"),
        input_tokens=10,
        output_tokens=20,
        cost_usd=0.001,
    )
    failed = Attempt(
        candidate="b", latency_s=1, error_kind=ErrorKind.TIMEOUT, cost_usd=0.0005, estimated=True
    )
    given = outcome(draft, failed, first_token_s=0.33333).to_dict()
    assert json.loads(json.dumps(given)) == {
        "decision_id": "d",
        "status": "ok",
        "passed": False,
        "served_by": "a",
        "latency_s": 1.0,
        "first_token_s": 0.3333,
        "cost_usd": 0.0015,
        "known_cost_usd": 0.0015,
        "attempts": [
            {
                "candidate": "a",
                "role": "draft",
                "latency_s": 0.1235,
                "error_kind": None,
                "input_tokens": 10,
                "output_tokens": 20,
                "cost_usd": 0.001,
                "verdict": {"passed": False, "score": 0.1235, "reason": "too short"},
            },
            {
                "candidate": "b",
                "role": "answer",
                "latency_s": 1,
                "error_kind": "timeout",
                "input_tokens": None,
                "output_tokens": None,
                "cost_usd": 0.0005,
                "estimated": True,
            },
        ],
    }


def test_what_is_not_known_is_null_in_the_data() -> None:
    given = outcome(cost(None), served_by=None, status="error").to_dict()
    assert (given["cost_usd"], given["served_by"], given["first_token_s"]) == (None, None, None)
    assert given["attempts"][0]["cost_usd"] is None


def test_records_cannot_be_changed() -> None:
    for record in (cost(1.0), outcome()):
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.latency_s = 0.0  # type: ignore[misc]
