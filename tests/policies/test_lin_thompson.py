"""Thompson sampling on the quality model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from scipy import stats

from langchain_router import Candidate, IntentPrediction, LinThompsonPolicy, Router
from langchain_router.policies import make_policy
from langchain_router.quality.expectation import Expectation, PlanNames
from langchain_router.quality.learned import LearnedQuality
from langchain_router.quality.prior import QualityCurve
from tests.policies.exploring import REQUEST, context, judged, model

CHEAP, DEAR = model("cheap", 1), model("dear", 10)


class Believes:
    """A quality model with beliefs known in advance."""

    def __init__(self, **beliefs: tuple[float, float]) -> None:
        self.beliefs = beliefs

    def curve(self, candidate: Candidate, intent: IntentPrediction) -> QualityCurve | None:
        return lambda _: self.beliefs[candidate.name][0]

    def expect(self, plans: Sequence[PlanNames], **_: object) -> list[Expectation]:
        beliefs = [self.beliefs[plan[0][0]] for plan in plans]
        return [Expectation(success=m, success_sd=s, cost_usd=None, cost_sd=None) for m, s in beliefs]


class Breaks(Believes):
    """A quality model that fails when it is asked for plans."""

    def expect(self, plans: Sequence[PlanNames], **_: object) -> list[Expectation]:
        raise RuntimeError("broken")


def test_what_is_certain_is_chosen_for_certain() -> None:
    asked = context(quality=Believes(cheap=(0.5, 0.0), dear=(0.7, 0.0)))
    decision = LinThompsonPolicy(seed=1).select(asked, [CHEAP, DEAR])
    assert (decision.chosen.name, decision.propensity) == ("dear", 1.0)
    assert decision.policy_params["propensity_error"] == 0


def test_the_frequencies_of_choices_are_the_propensities_stated() -> None:
    asked = context(quality=Believes(cheap=(0.7, 0.1), dear=(0.75, 0.05), new=(0.5, 0.3)))
    able = [CHEAP, DEAR, model("new", 5)]
    policy = LinThompsonPolicy(seed=2)
    counts: Counter[str] = Counter()
    stated: dict[str, float] = {}
    for _ in range(20_000):
        decision = policy.select(asked, able)
        counts[decision.chosen.name] += 1
        stated[decision.chosen.name] = decision.propensity
    assert sum(stated.values()) == pytest.approx(1, abs=0.002)
    expected = [20_000 * stated[one.name] / sum(stated.values()) for one in able]
    assert stats.chisquare([counts[one.name] for one in able], expected).pvalue > 0.001


def test_a_narrower_spread_explores_less() -> None:
    asked = context(quality=Believes(cheap=(0.8, 0.1), dear=(0.7, 0.1)))

    def seldom(spread: float) -> int:
        policy = LinThompsonPolicy(spread=spread, cost_weight=0, seed=3)
        return sum(policy.select(asked, [CHEAP, DEAR]).chosen.name == "dear" for _ in range(300))

    assert seldom(1.0) > seldom(0.3) > seldom(0.0) == 0


def test_it_learns_from_what_the_quality_model_learns() -> None:
    quality = LearnedQuality([CHEAP, DEAR])
    policy = LinThompsonPolicy(cost_weight=0, seed=4)
    for _ in range(60):
        quality.learn(judged("cheap", 0.0))
        quality.learn(judged("dear", 1.0))
    decision = Router([CHEAP, DEAR], policy=policy, quality=quality).decide(REQUEST)
    assert decision.chosen.name == "dear"
    assert decision.propensity > 0.9
    assert decision.reason.startswith("the best draw, a quality of ")


def test_a_model_that_says_nothing_of_how_sure_it_is_is_taken_at_its_word() -> None:
    decision = LinThompsonPolicy(seed=1).select(
        context(), [model("bad", quality=0.5), model("good", quality=0.9)]
    )
    assert (decision.chosen.name, decision.propensity) == ("good", 1.0)


def test_a_broken_quality_model_does_not_lose_the_request(caplog: pytest.LogCaptureFixture) -> None:
    asked = context(quality=Breaks(cheap=(0.5, 0.1), dear=(0.9, 0.1)))
    assert LinThompsonPolicy(seed=1).select(asked, [CHEAP, DEAR]).chosen.name == "dear"
    assert "quality model failed (RuntimeError)" in caplog.text


def test_it_is_chosen_by_its_name_and_shows_what_builds_it_again() -> None:
    policy = make_policy("lin_thompson", quality=None)
    assert isinstance(policy, LinThompsonPolicy)
    assert repr(eval(repr(policy))) == repr(policy)  # noqa: S307 - its own repr
