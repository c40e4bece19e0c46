"""What a decision says of itself: the plan, the explanation, and what goes into traces."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, SystemMessage

from langchain_router import (
    Candidate,
    ChatRouter,
    ComplexityScore,
    CostPolicy,
    IntentPrediction,
    Policy,
    Price,
    Router,
    RoutingDecision,
    RoutingRequest,
    ThresholdPolicy,
)
from langchain_router.policies import Context

CANARY = "CANARY-9d41"
TOOL = {
    "type": "function",
    "function": {"name": CANARY, "description": CANARY, "parameters": {"type": "object", "properties": {}}},
}
POLICIES = [CostPolicy(0.7), CostPolicy(objective={"cost": 1, "latency": 2}), ThresholdPolicy()]


def model(name: str, usd: float | None, quality: float | None, **known: Any) -> Candidate:
    price = None if usd is None else Price.per_million(input_usd=usd, output_usd=usd)
    return Candidate(model=f"house/{name}", name=name, price=price, quality=quality, **known)


CHEAP = model("cheap", 1, 0.70, latency_s=0.5)
DEAR = model("dear", 20, 0.95, latency_s=2.0)
UNKNOWN = model("unknown", None, None)
ABROAD = model("abroad", 0.1, 0.99, region="us")


class Fixed:
    def __init__(self, complexity: float = 0.35) -> None:
        self.complexity = complexity

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        return IntentPrediction(label="reasoning", probabilities={"reasoning": 1.0}, source="fixed")

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        return ComplexityScore(
            value=self.complexity, contributions={"length": 0.2, "steps": -0.3, "dust": 0.001}, source="fixed"
        )


def decide(
    candidates: Sequence[Candidate] = (CHEAP, DEAR, UNKNOWN, ABROAD),
    policy: Policy | None = None,
    complexity: float = 0.35,
) -> RoutingDecision:
    fixed = Fixed(complexity)
    router = ChatRouter(
        candidates=candidates,
        policy=policy or CostPolicy(0.65),
        intent_classifier=fixed,
        complexity_scorer=fixed,
    )
    return router.decide("Hi")


def abroad_excluded(policy: Policy | None = None) -> RoutingDecision:
    at_home = [model(c.name, None, c.quality, region="eu", latency_s=c.latency_s) for c in (CHEAP, DEAR)]
    router = ChatRouter(candidates=[*at_home, ABROAD], policy=policy or CostPolicy(0.65))
    return router.decide("Hi", regions={"eu"})


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_the_tail_of_a_plan_is_every_other_eligible_candidate(policy: Policy) -> None:
    decision = decide(policy=policy)
    names = [step.candidate.name for step in decision.plan]
    assert sorted(names) == ["abroad", "cheap", "dear", "unknown"]
    assert [one.name for one in decision.eligible] == names
    assert decision.chosen is decision.plan[0].candidate


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_a_candidate_that_is_not_eligible_is_never_in_the_plan(policy: Policy) -> None:
    decision = abroad_excluded(policy)
    assert "abroad" not in [step.candidate.name for step in decision.plan]
    assert set(decision.excluded) == {"abroad"}


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_a_deterministic_choice_has_propensity_one(policy: Policy) -> None:
    assert decide(policy=policy).propensity == 1.0
    assert decide(policy=policy).to_dict()["propensity"] == 1.0


def test_expectations_belong_to_the_candidate_chosen_and_unknown_is_none() -> None:
    decision = decide()
    assert decision.chosen.name == "abroad"
    assert decision.confidence == pytest.approx(0.99)
    assert decision.estimated_cost_usd == decision.eligible[0].estimated_cost_usd
    alone = decide([UNKNOWN])
    assert (alone.confidence, alone.estimated_cost_usd) == (None, None)


def test_every_decision_has_an_id_of_its_own() -> None:
    ids = {decide().id for _ in range(50)}
    assert len(ids) == 50
    assert all(UUID(one).version == 7 for one in ids)


# --- in words ---------------------------------------------------------------------------------------------


def test_the_explanation_names_the_choice_and_what_each_other_candidate_lacked() -> None:
    text = decide([CHEAP, DEAR, UNKNOWN]).explain()
    assert text.splitlines()[0] == ("Chose cheap: the cheapest with predicted quality of at least 0.65.")
    assert re.search(
        r"^  Not dear: good enough, but ranked behind on cost \(quality 0\.950, about \$0\.",
        text,
        re.MULTILINE,
    )
    assert "  Not unknown: its quality is unknown (unknown quality, unknown price)." in text
    assert "  If it fails: dear, then unknown." in text


def test_the_explanation_gives_the_reason_against_those_not_eligible() -> None:
    assert "  Not eligible abroad: is at region 'us', and only eu is allowed." in abroad_excluded().explain()


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_every_candidate_is_named_in_the_explanation(policy: Policy) -> None:
    for decision in (decide(policy=policy), abroad_excluded(policy)):
        text = decision.explain()
        assert text.startswith(f"Chose {decision.chosen.name}: {decision.reason}.")
        others = [one.name for one in decision.eligible[1:]]
        assert all(f"  Not {name}: " in text for name in others)
        assert all(f"  Not eligible {name}: " in text for name in decision.excluded)


def test_the_explanation_tells_the_request_and_what_moved_its_complexity_most() -> None:
    line = decide().explain().splitlines()[1]
    assert line == (
        "  Request: reasoning (100% sure, by fixed), complexity 0.35 (moved by steps -0.30, length +0.20)."
    )


def test_the_explanation_tells_how_far_away_the_choice_would_flip() -> None:
    decision = decide([CHEAP, DEAR])
    (flip,) = decision.flips
    assert (flip.side, flip.candidate) == ("above", "dear")
    away = flip.complexity - 0.35
    assert (
        f"Would flip to dear above complexity {flip.complexity:.3f} ({away:.3f} away)." in decision.explain()
    )


def test_a_choice_without_alternative_says_so() -> None:
    text = decide([CHEAP]).explain()
    assert "No other complexity would have changed the choice." in text
    assert "If it fails" not in text


def test_a_policy_of_ones_own_needs_to_give_no_remarks() -> None:
    class Last:
        def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
            return context.decision(
                list(reversed(candidates)),
                reason="it is last",
                policy="last",
                policy_params={},
                propensity=0.5,
            )

    decision = decide([CHEAP, DEAR], policy=Last())
    assert decision.explain().startswith("Chose dear: it is last.")
    assert "  Not cheap: ranked lower (" in decision.explain()
    assert decision.to_dict()["propensity"] == 0.5


# --- as data ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_a_decision_is_json(policy: Policy) -> None:
    for decision in (decide(policy=policy), abroad_excluded(policy)):
        data = decision.to_dict()
        assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_the_data_tells_the_whole_decision() -> None:
    data = abroad_excluded(CostPolicy(0.65)).to_dict()
    assert data["chosen"] == data["plan"][0] == data["eligible"][0]["name"]
    assert data["excluded"] == {"abroad": ["is at region 'us', and only eu is allowed"]}
    assert data["policy"] == "cost"
    assert data["policy_params"] == {"quality": 0.65, "fallback": None, "objective": "cost"}
    assert set(data) == {
        *(
            "decision_id",
            "chosen",
            "plan",
            "checks",
            "reason",
            "intent",
            "intent_confidence",
            "intent_source",
        ),
        *("complexity", "complexity_contributions", "estimated_cost_usd", "confidence", "propensity"),
        *("eligible", "excluded", "policy", "policy_params", "flips"),
    }


def test_flips_in_the_data_have_a_side() -> None:
    (flip,) = decide([CHEAP, DEAR]).to_dict()["flips"]
    assert (flip["side"], flip["chosen"]) == ("above", "dear")
    assert 0.35 <= flip["complexity"] <= 1


@given(st.text(max_size=100))
def test_no_prompt_text_gets_into_a_decision(filler: str) -> None:
    router = ChatRouter(candidates=[CHEAP, DEAR, ABROAD], policy=CostPolicy(0.65))
    said = f"{filler} {CANARY} Prove it step by step. {CANARY}"
    able = router.decide(
        [SystemMessage(CANARY), HumanMessage([{"type": "text", "text": said}])],
        {"configurable": {"thread_id": CANARY}, "metadata": {"note": CANARY}},
        response_format=None,
        stop=[CANARY],
    )
    for shown in (json.dumps(able.to_dict()), able.explain(), repr(able), str(able)):
        assert CANARY not in shown


def test_tools_and_schemas_do_not_get_into_a_decision_either() -> None:
    able = frozenset({"tool_calling", "structured_output"})
    one = model("able", 1, 0.9, capabilities=able)
    decision = ChatRouter(candidates=[one, CHEAP]).decide(
        "Hi",
        tools=[TOOL],
        response_format={"type": "json_schema", "json_schema": {"name": CANARY, "schema": {"title": CANARY}}},
    )
    assert list(decision.excluded) == ["cheap"]
    for shown in (json.dumps(decision.to_dict()), decision.explain(), repr(decision)):
        assert CANARY not in shown


def test_a_decision_shows_no_keys() -> None:
    keyed = Candidate(model="house/x", options={"api_key": "sk-very-secret"}, quality=0.9)
    decision = ChatRouter(candidates=[keyed]).decide("Hi")
    for shown in (json.dumps(decision.to_dict()), decision.explain(), repr(decision)):
        assert "sk-very-secret" not in shown


def test_a_decision_without_langchain_is_the_same() -> None:
    fixed = Fixed()
    router = Router([CHEAP, DEAR], policy=CostPolicy(0.65), intent_classifier=fixed, complexity_scorer=fixed)
    plain = router.decide(RoutingRequest(messages=(HumanMessage("Hi"),))).to_dict()
    assert {**plain, "decision_id": ""} == {**decide([CHEAP, DEAR]).to_dict(), "decision_id": ""}
