"""How likely a policy is to choose each plan, asked from outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from langchain_router import Candidate
from langchain_router.checks import HeuristicCheck
from langchain_router.decision import RoutingDecision, Step
from langchain_router.evaluation.recorded import recorded_candidate
from langchain_router.evaluation.whatif_chances import Chooser
from langchain_router.policies import Context, EpsilonGreedyPolicy, ThompsonPolicy
from langchain_router.policies.chances import beta_chance
from langchain_router.quality.prior import PriorQuality
from langchain_router.request import RoutingRequest
from langchain_router.signals.types import ComplexityScore, IntentPrediction

CONTEXT = Context(
    request=RoutingRequest(messages=()),
    intent=IntentPrediction(label="reasoning", probabilities={"reasoning": 1.0}, source="test"),
    complexity=ComplexityScore(value=0.3),
    quality=PriorQuality(),
)
ABLE = [recorded_candidate(name) for name in ("a", "b", "c")]


class Fickle:
    """Draws lots, and says of each choice what it is told to."""

    def __init__(self, chances: Sequence[float], *, tells: bool) -> None:
        self._chances = np.array(chances)
        self._tells = tells
        self._rng = np.random.default_rng(1)
        self.asked = 0

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        self.asked += 1
        index = int(self._rng.choice(len(candidates), p=self._chances))
        return context.decision(
            [candidates[index]],
            reason="",
            policy="fickle",
            policy_params={},
            propensity=float(self._chances[index]) if self._tells else 1.0,
        )


def test_a_policy_that_is_certain_is_asked_little() -> None:
    fickle = Fickle([1.0, 0.0, 0.0], tells=True)
    chooser = Chooser(fickle)
    for _ in range(100):
        assert chooser.chances(CONTEXT, ABLE) == {(("a", None),): 1.0}
    assert fickle.asked <= 200
    assert chooser.remarks == ()


def test_chances_that_are_told_are_taken_from_the_decisions() -> None:
    found = Chooser(Fickle([0.5, 0.3, 0.2], tells=True)).chances(CONTEXT, ABLE)
    assert {plan[0][0]: chance for plan, chance in found.items()} == pytest.approx(
        {"a": 0.5, "b": 0.3, "c": 0.2}
    )


def test_chances_that_are_not_told_are_counted_and_that_is_said() -> None:
    chooser = Chooser(Fickle([0.5, 0.3, 0.2], tells=False))
    found = chooser.chances(CONTEXT, ABLE)
    assert {plan[0][0]: chance for plan, chance in found.items()} == pytest.approx(
        {"a": 0.5, "b": 0.3, "c": 0.2}, abs=0.12
    )
    assert "does not tell" in chooser.remarks[0]


def test_the_chances_of_thompson_sampling_are_exact_even_of_what_is_hardly_ever_drawn() -> None:
    able = [
        Candidate(model=one.model, name=one.name, quality=quality)
        for one, quality in zip(ABLE, (0.99, 0.01), strict=False)
    ]
    policy = ThompsonPolicy(seed=1, cost_weight=0.0, prior_strength=20.0)
    found = Chooser(policy).chances(CONTEXT, able)
    alpha, beta = np.array([[1 + 20 * 0.99, 1 + 20 * 0.01], [1 + 20 * 0.01, 1 + 20 * 0.99]])
    stated = {index: beta_chance(index, alpha, beta, np.zeros(2)) for index in (0, 1)}
    assert found.get((("b", None),), 0.0) == pytest.approx(stated[1], abs=0.02)
    assert sum(found.values()) == pytest.approx(1)


def test_the_chances_of_epsilon_greedy_are_found_whole() -> None:
    found = Chooser(EpsilonGreedyPolicy(epsilon=0.3, seed=1)).chances(CONTEXT, ABLE)
    assert sorted(found.values()) == pytest.approx([0.1, 0.1, 0.8])


def test_plans_end_with_the_first_answer_that_is_taken_as_it_is_and_say_whom_their_checks_ask() -> None:
    class Cascading:
        def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
            first, *others = candidates
            return context.decision(
                [Step(candidate=first, check=HeuristicCheck()), *others],
                reason="",
                policy="cascading",
                policy_params={},
            )

    chooser = Chooser(Cascading())
    check = repr(HeuristicCheck())
    assert chooser.chances(CONTEXT, ABLE) == {(("a", check), ("b", None)): 1.0}
    assert chooser.asks == {("a", check): ()}
