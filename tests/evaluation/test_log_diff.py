"""The recorded requests that another policy would treat differently."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_router import Candidate, ChatRouter, Price
from langchain_router.checks import HeuristicCheck
from langchain_router.evaluation.log_diff import log_diff
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.store import OutcomeStore, open_store
from langchain_router.policies import CascadePolicy
from langchain_router.testing.scripted import ScriptedChatModel
from tests.evaluation.logged_traffic import NOW_S, log_cascade, log_traffic
from tests.outcomes.makers import request


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OutcomeStore]:
    opened = open_store(None if request.param == "memory" else tmp_path / "router.db")
    yield opened
    opened.close()


def _routed(store: OutcomeStore, policy: str = "threshold") -> ChatRouter:
    prices = {"small": 0.1, "large": 3.0}
    return ChatRouter(
        candidates=[
            Candidate(
                model=ScriptedChatModel(answers=["done"]),
                name=name,
                price=Price.per_million(input_usd=usd, output_usd=usd),
            )
            for name, usd in prices.items()
        ],
        policy=policy,
        store=store,
    )


def test_requests_that_a_router_wrote_are_listed_with_where_they_would_go_and_at_what_cost(
    store: OutcomeStore,
) -> None:
    router = _routed(store)
    asked = ["Hello!", "Thanks.", "What is a good name for a cat?"]
    decided = [router.invoke(one).response_metadata["router"] for one in asked]
    router.flush()
    assert {one["chosen"] for one in decided} == {"small"}
    found = log_diff(store, "recorded", "single:large")
    assert found.requests == 3
    assert [one.decision_id for one in found.moved] == [one["decision_id"] for one in reversed(decided)]
    costs = [{one["name"]: one["estimated_cost_usd"] for one in each["eligible"]} for each in decided]
    for moved, usd in zip(found.moved, reversed(costs), strict=True):
        assert (moved.from_arm, moved.to_arm) == ("small", "large")
        assert moved.change_usd == pytest.approx(usd["large"] - usd["small"], abs=1e-8)
    assert found.to_usd - found.from_usd == pytest.approx(
        sum(usd["large"] - usd["small"] for usd in costs), abs=1e-8
    )
    told = json.loads(json.dumps(found.to_dict()))
    assert told["moved"][0]["intent"] == decided[-1]["intent"]
    assert told["policies"] == ["recorded", "SinglePolicy('large')"]


def test_nothing_moves_from_a_policy_to_itself(store: OutcomeStore) -> None:
    _log(store)
    assert log_diff(store, "single:large", "single:large").moved == ()
    assert log_diff(store, "recorded", "recorded").moved == ()


def test_requests_that_stay_are_in_the_sums_and_not_in_the_list(store: OutcomeStore) -> None:
    _log(store)
    found = log_diff(store, "recorded", "single:large")
    assert 0 < len(found.moved) < found.requests == 50
    assert found.to_usd == pytest.approx(50 * 0.01)
    assert found.from_usd == pytest.approx(found.to_usd - 0.009 * len(found.moved))


def test_only_requests_since_then_are_listed_newest_first(store: OutcomeStore) -> None:
    _log(store)
    found = log_diff(store, "single:small", "single:large", since_s=600, wall_clock=lambda: NOW_S)
    assert [one.decision_id for one in found.moved] == [f"d{number}" for number in range(49, 38, -1)]


def test_a_plan_with_a_check_costs_what_all_its_steps_are_expected_to(store: OutcomeStore) -> None:
    log_cascade(store, "one")
    store.flush()
    found = log_diff(store, "recorded", "single:large")
    (moved,) = found.moved
    assert moved.from_arm == "small if HeuristicCheck(), else large"
    assert moved.from_usd is not None
    assert moved.from_usd > 0.001
    back = log_diff(store, "single:large", CascadePolicy([("small", HeuristicCheck()), ("large", None)]))
    assert back.moved[0].to_arm.startswith("small if HeuristicCheck(")


def test_a_policy_that_draws_lots_does_what_it_does_most_likely(store: OutcomeStore) -> None:
    _log(store)
    found = log_diff(store, "single:small", "epsilon_greedy:epsilon=0.2,cost_weight=1")
    assert "most likely" in found.remarks[0]
    assert found == log_diff(store, "single:small", "epsilon_greedy:epsilon=0.2,cost_weight=1")


def test_requests_whose_cost_is_not_known_of_both_are_listed_and_counted_apart(store: OutcomeStore) -> None:
    request(store)  # to a large model of unknown price
    store.flush()
    found = log_diff(store, "single:small", "single:large")
    assert found.moved[0].change_usd is None
    assert (found.unknown, found.from_usd, found.to_usd) == (1, 0, 0)


def test_an_empty_store_and_an_unknown_candidate_are_refused(store: OutcomeStore) -> None:
    with pytest.raises(ConfigurationError, match="holds no request"):
        log_diff(store, "recorded", "threshold")
    _log(store)
    with pytest.raises(ConfigurationError, match="Did you mean 'large'"):
        log_diff(store, "recorded", "single:larg")


def _log(store: OutcomeStore) -> None:
    log_traffic(store, 50)
