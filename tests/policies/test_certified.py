"""Fitted plans go as far as was certified for the intent and cite that; elsewhere they give up nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import (
    AdaptivePolicy,
    Candidate,
    ConfigurationError,
    Constraints,
    Intent,
    IntentPrediction,
    Price,
    Router,
    RoutingDecision,
    RoutingRequest,
)
from langchain_router.evaluation.calibration.calibration import Calibration
from langchain_router.evaluation.calibration.certificate import Certificate
from langchain_router.outcomes.store import open_store
from langchain_router.policies.fitted_plans import FittedArm, FittedPlans
from langchain_router.quality.prompt_inputs import SIZE
from tests.evaluation.calibration.test_certificate import CERTIFICATE
from tests.outcomes.makers import said

NAMES = ("small", "middle", "large")
SCORES = np.array([0.6, 0.8, 0.9])


def plans(**changes: Any) -> FittedPlans:
    """Three models whose score and cost are the same whatever the prompt."""
    values: dict[str, Any] = {
        "arms": tuple(FittedArm(draft=name) for name in NAMES),
        "reference": 2,
        "quality_weights": np.zeros((SIZE, 3), np.float32),
        "quality_constants": SCORES,
        "cost_weights": np.zeros((SIZE, 3), np.float32),
        "cost_constants": np.array([0.1, 0.5, 1.0]),
        "rule": "slack",
        "dial": 0.0,
        **changes,
    }
    return FittedPlans(**values)


def calibration(of: FittedPlans, **slacks: float) -> Calibration:
    made = {}
    for intent, slack in slacks.items():
        known: Any = intent
        made[known] = replace(CERTIFICATE, intent=known, threshold=slack, policy=of.fingerprint)
    return Calibration(certificates=made)


class Says:
    """A classifier whose answer is known in advance."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        return IntentPrediction(label=self.intent, probabilities={self.intent: 1.0}, source="fixed")


def router(policy: AdaptivePolicy, intent: Intent = "reasoning", **options: Any) -> Router:
    candidates = [
        Candidate(
            model=f"{name}/model",
            name=name,
            provider=name,
            price=Price.per_million(input_usd=n, output_usd=n),
        )
        for n, name in enumerate(NAMES, start=1)
    ]
    return Router(candidates, policy=policy, intent_classifier=Says(intent), **options)


def decided(policy: AdaptivePolicy, intent: Intent = "reasoning", **request: Any) -> RoutingDecision:
    return router(policy, intent).decide(RoutingRequest(messages=(HumanMessage("Hello"),), **request))


@pytest.mark.parametrize(("slack", "chosen"), [(0.0, "large"), (0.11, "middle"), (0.4, "small")])
def test_as_much_predicted_quality_is_given_up_as_is_certified_for_the_intent(
    slack: float, chosen: str
) -> None:
    policy = AdaptivePolicy(plans(), calibration=calibration(plans(), reasoning=slack))
    decision = decided(policy)
    assert decision.chosen.name == chosen
    assert decision.policy_params["dial"] == slack
    assert Certificate.from_dict(decision.policy_params["certificate"]).threshold == slack
    assert f"Certified: for reasoning, slack {slack:g} loses at most 0.02" in decision.explain()


def test_nothing_is_given_up_and_nothing_cited_for_an_intent_without_a_certificate() -> None:
    policy = AdaptivePolicy(plans(), calibration=calibration(plans(), reasoning=0.4))
    decision = decided(policy, "translation")
    assert decision.chosen.name == "large"
    assert decision.policy_params["certificate"] is None
    assert "Certified" not in decision.explain()


def test_nothing_is_cited_where_a_plan_may_not_be_chosen() -> None:
    given = plans()
    policy = AdaptivePolicy(given, calibration=calibration(given, reasoning=0.4))
    decision = decided(policy, constraints=Constraints(providers={"middle", "large"}))
    assert decision.chosen.name == "large"
    assert "Certified" not in decision.explain()


def test_plans_and_calibration_are_read_from_files(tmp_path: Path) -> None:
    plans().save(tmp_path / "plans.npz")
    calibration(plans(), reasoning=0.11).save(tmp_path / "calibration.json")
    policy = AdaptivePolicy(tmp_path / "plans.npz", calibration=tmp_path / "calibration.json")
    assert decided(policy).chosen.name == "middle"
    assert "certified for reasoning" in repr(policy)


def test_a_calibration_of_other_plans_or_without_plans_is_refused() -> None:
    others = plans(quality_constants=SCORES - 0.01)
    with pytest.raises(ConfigurationError, match="not about these plans"):
        AdaptivePolicy(plans(), calibration=calibration(others, reasoning=0.1))
    with pytest.raises(ConfigurationError, match="about fitted plans"):
        AdaptivePolicy(calibration=calibration(plans(), reasoning=0.1))
    with pytest.raises(ConfigurationError, match="calibration must be"):
        AdaptivePolicy(plans(), calibration=0.1)  # type: ignore[arg-type]


def test_the_routers_health_tells_of_certificates_that_feedback_no_longer_fits() -> None:
    policy = AdaptivePolicy(plans(), calibration=calibration(plans(), reasoning=0.11))
    store = open_store()
    routed = router(policy, store=store)
    assert routed.health()["calibration"]["stale"] == []
    request = RoutingRequest(messages=(HumanMessage("Hello"),))
    for _ in range(60):
        decision = routed.decide(request)
        routed.serve(decision, request, lambda _: AIMessage("Hi"))
        store.add_feedback(said(0.0, decision.id))
    assert routed.learning is not None
    routed.learning.catch_up()
    found = routed.health()["calibration"]
    assert found["stale"] == ["reasoning"]
    assert "recalibrate" in found["advice"]["reasoning"]


def test_health_says_nothing_of_certificates_where_there_are_none() -> None:
    assert "calibration" not in router(AdaptivePolicy(plans()), store=open_store()).health()
    policy = AdaptivePolicy(plans(), calibration=calibration(plans(), reasoning=0.11))
    assert "calibration" not in router(policy).health()  # nothing is heard without a store
