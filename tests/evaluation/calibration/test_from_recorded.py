"""Recorded answers are split so that nothing is certified on what was learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from langchain_router import AdaptivePolicy, Candidate, IntentPrediction, Router, RoutingRequest
from langchain_router.evaluation.calibration.calibration import Calibration
from langchain_router.evaluation.calibration.from_recorded import calibrate_recorded
from langchain_router.evaluation.calibration.recorded_routing import Routed, routed_plans
from langchain_router.evaluation.recorded import as_request
from langchain_router.exceptions import ConfigurationError
from langchain_router.signals import default_intent_classifier
from langchain_router.signals.types import INTENTS, Intent
from langchain_router.testing.replay import ReplayOutcome, ReplayRow
from tests.evaluation.calibration.test_certificate import CERTIFICATE


def rows(count: int, *, seed: int = 0) -> list[ReplayRow]:
    """Easy and hard questions: the small model answers the easy ones as well as the large one does."""
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        is_hard = i % 3 == 0
        words = "Prove the theorem about primes" if is_hard else "Name the capital of a country"
        chances = {"small": (0.3 if is_hard else 0.9, 1e-5), "large": (0.9, 1e-3)}
        outcomes = {
            name: ReplayOutcome(score=float(rng.random() < chance), cost_usd=usd)
            for name, (chance, usd) in chances.items()
        }
        made.append(
            ReplayRow(id=str(i), dataset="d", domain="", prompt=f"{words}, number {i}", outcomes=outcomes)
        )
    return made


class OneIntent:
    """Takes every request for reasoning, whose number is even, or for extraction."""

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        label: Intent = "reasoning" if request.messages[0].text[-1] in "02468" else "extraction"
        return IntentPrediction(
            label=label, probabilities={one: float(one == label) for one in INTENTS}, source="test"
        )


class AlwaysReasoning:
    """Takes every request for reasoning."""

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        return IntentPrediction(label="reasoning", probabilities={"reasoning": 1.0}, source="test")


def test_each_intent_is_certified_or_refused_with_what_it_saves() -> None:
    found = calibrate_recorded(rows(1_600), max_quality_loss=0.1, classifier=OneIntent())
    assert set(found.calibration.certificates) == {"reasoning", "extraction"}
    assert found.fitted + found.calibrated == 1_600
    for intent, one in found.calibration.certificates.items():
        assert one.reference == "always asking large"
        assert one.observed_loss < 0.1
        assert 0.3 < found.saved[intent] < 0.9
    told = "\n".join(found.lines())
    assert "OneIntent" in told
    assert "Certified: for reasoning, slack" in told
    few = calibrate_recorded(rows(200), max_quality_loss=0.02, classifier=OneIntent())
    assert set(few.calibration.refusals) == {"reasoning", "extraction"}
    assert "more are needed" in "\n".join(few.lines())


def test_what_is_certified_holds_on_fresh_requests_of_the_same_kind() -> None:
    fitted: list[ReplayRow] = []

    def watched(fit: Sequence[ReplayRow], others: Sequence[ReplayRow], slacks: Sequence[float]) -> Routed:
        fitted.extend(fit)
        return routed_plans(fit, others, slacks)

    found = calibrate_recorded(rows(1_600), max_quality_loss=0.1, classifier=OneIntent(), route=watched)
    slack = found.calibration.certificates["reasoning"].threshold
    fresh = routed_plans(fitted, rows(4_000, seed=1), [slack])
    assert (fresh.reference_scores - fresh.scores[:, 0]).mean() <= 0.1


def test_no_prompt_is_fitted_on_and_calibrated_on_and_none_counts_twice() -> None:
    seen: list[set[str]] = []

    def watched(fit: Sequence[ReplayRow], others: Sequence[ReplayRow], slacks: Sequence[float]) -> Routed:
        seen.extend({row.prompt for row in part} for part in (fit, others))
        assert len(others) == len(seen[1])
        return routed_plans(fit, others, slacks)

    twice = [*rows(600), *(replace(row, id=f"again {row.id}") for row in rows(600))]
    found = calibrate_recorded(twice, classifier=OneIntent(), route=watched)
    assert not seen[0] & seen[1]
    calibrate_recorded([replace(row, id="another") for row in rows(600)], route=watched)
    assert seen[2:] == seen[:2]  # the prompt decides, under whatever id
    assert 200 < len(seen[0]) < 400
    assert any("600 rows repeat a prompt" in note for note in found.notes)


def test_the_fingerprint_is_that_of_the_outcomes_in_whatever_order_they_came() -> None:
    def fingerprint(given: list[ReplayRow]) -> str:
        found = calibrate_recorded(given, max_quality_loss=0.3, classifier=OneIntent())
        return found.calibration.certificates["reasoning"].data_fingerprint

    one = rows(600)
    assert fingerprint(one) == fingerprint(one[::-1])
    assert fingerprint(one) != fingerprint(rows(600, seed=2))


def test_requests_without_every_models_outcome_are_left_out_and_told() -> None:
    some = [
        replace(row, outcomes={"large": row.outcomes["large"]}) if i % 10 == 0 else row
        for i, row in enumerate(rows(1_000))
    ]
    found = calibrate_recorded(some, classifier=OneIntent())
    assert found.fitted + found.calibrated == 900
    assert any("were left out" in note for note in found.notes)


@pytest.mark.parametrize(
    "given", [[], rows(3), [replace(r, outcomes={"a": r.outcomes["small"]}) for r in rows(90)]]
)
def test_too_few_rows_or_models_are_refused(given: list[ReplayRow]) -> None:
    with pytest.raises(ConfigurationError, match="prompts no two models"):
        calibrate_recorded(given)
    with pytest.raises(ConfigurationError, match="fit_share"):
        calibrate_recorded(given, fit_share=1.0)


def test_what_is_calibrated_on_moves_nothing_that_was_fitted() -> None:
    fit, others = rows(200), rows(100, seed=3)
    turned = [
        replace(row, outcomes={name: replace(one, score=1 - one.score) for name, one in row.outcomes.items()})
        for row in others
    ]
    first, second = (routed_plans(fit, given, [0.0, 0.1]) for given in (others, turned))
    assert first.plans.fingerprint == second.plans.fingerprint
    assert first.reference == second.reference == "large"
    assert np.array_equal(first.costs_usd, second.costs_usd)
    assert np.allclose(first.scores, 1 - second.scores)


def test_certificates_are_about_the_plans_that_are_saved() -> None:
    found = calibrate_recorded(rows(600), max_quality_loss=0.3, classifier=OneIntent())
    assert found.plans is not None
    assert {one.policy for one in found.calibration.certificates.values()} == {found.plans.fingerprint}
    assert (found.plans.rule, found.plans.dial) == ("slack", 0.0)


def test_rows_that_nobody_else_answered_cannot_be_calibrated_on() -> None:
    alone = [replace(row, outcomes={"small": row.outcomes["small"]}) for row in rows(20, seed=5)]
    with pytest.raises(ConfigurationError, match="None of 20 rows"):
        routed_plans(rows(60), alone, [0.0])


def test_intents_are_those_of_the_routers_own_classifier() -> None:
    found = calibrate_recorded(rows(200))
    assert type(default_intent_classifier()).__name__ in "\n".join(found.notes)


def test_the_policy_chooses_what_was_measured_at_every_slack() -> None:
    slacks = [round(0.1 * step, 1) for step in range(11)]
    routed = routed_plans(rows(200), rows(30, seed=3), slacks)
    candidates = [Candidate(model=f"house/{name}", name=name) for name in ("small", "large")]
    for column, slack in enumerate(slacks):
        one = replace(CERTIFICATE, threshold=slack, policy=routed.plans.fingerprint)
        policy = AdaptivePolicy(routed.plans, calibration=Calibration(certificates={"reasoning": one}))
        router = Router(candidates, policy=policy, intent_classifier=AlwaysReasoning())
        chosen = [router.decide(as_request(row)).chosen.name for row in routed.rows]
        spent = [row.outcomes[name].cost_usd for row, name in zip(routed.rows, chosen, strict=True)]
        assert spent == routed.costs_usd[:, column].tolist()
    assert len({tuple(column) for column in routed.costs_usd.T.tolist()}) > 2
