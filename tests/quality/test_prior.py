"""Quality before any feedback: the figures, averaged over intents and bent by complexity."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router import INTENTS, Candidate, Intent, IntentPrediction
from langchain_router.quality.prior import PriorQuality, typical_quality

shares = st.floats(0, 1)
TYPICAL = 0.35


def sure(intent: Intent = "reasoning") -> IntentPrediction:
    return IntentPrediction(label=intent, probabilities={intent: 1.0}, source="test")


def model(quality: float | None = None, by_intent: Mapping[Intent, float] | None = None) -> Candidate:
    return Candidate(model="house/model", quality=quality, quality_by_intent=by_intent or {})


def predict(candidate: Candidate, complexity: float, intent: IntentPrediction | None = None) -> float:
    curve = PriorQuality().curve(candidate, intent or sure())
    assert curve is not None
    return curve(complexity)


@given(st.floats(0.01, 0.99))
def test_at_typical_complexity_the_prediction_is_the_figure_itself(quality: float) -> None:
    assert predict(model(quality), TYPICAL) == pytest.approx(quality)


def test_the_articles_fall_on_complex_reasoning_is_met() -> None:
    mini = model(0.78, {"reasoning": 0.70})
    assert predict(mini, 0.8) == pytest.approx(0.45, abs=0.01)


@given(shares, shares, shares)
def test_a_harder_request_is_never_predicted_to_go_better(quality: float, a: float, b: float) -> None:
    easy, hard = sorted((a, b))
    assert predict(model(quality), hard) <= predict(model(quality), easy)


@given(shares, shares, shares)
def test_a_better_model_is_never_predicted_to_do_worse(a: float, b: float, complexity: float) -> None:
    worse, better = sorted((a, b))
    assert predict(model(worse), complexity) <= predict(model(better), complexity)


@given(shares, st.floats(-5, 5))
def test_a_prediction_is_strictly_between_nothing_and_certainty(quality: float, complexity: float) -> None:
    assert 0 < predict(model(quality), complexity) < 1


def test_the_intents_figure_counts_and_the_overall_one_stands_in() -> None:
    candidate = model(0.8, {"reasoning": 0.5})
    assert predict(candidate, TYPICAL) == pytest.approx(0.5)
    assert predict(candidate, TYPICAL, sure("translation")) == pytest.approx(0.8)


def test_an_unsure_intent_averages_the_log_odds() -> None:
    candidate = model(None, {"reasoning": 0.5, "translation": 0.9})
    both = IntentPrediction(
        label="reasoning", probabilities={"reasoning": 0.5, "translation": 0.5}, source="test"
    )
    assert predict(candidate, TYPICAL, both) == pytest.approx(1 / (1 + math.exp(-0.5 * math.log(0.9 / 0.1))))


def test_an_unknown_quality_stays_unknown() -> None:
    assert PriorQuality().curve(model(), sure()) is None


def test_without_an_overall_figure_the_mean_of_the_intents_stands_in() -> None:
    candidate = model(None, {"reasoning": 0.6, "translation": 0.8})
    assert predict(candidate, TYPICAL, sure("reasoning")) == pytest.approx(0.6)
    assert predict(candidate, TYPICAL, sure("summarization")) == pytest.approx(0.7)


@given(st.floats(0.02, 0.98), shares)
def test_typical_quality_undoes_what_the_complexity_seen_did(quality: float, complexity: float) -> None:
    seen = predict(model(quality), complexity)
    if 0.01 <= seen <= 0.99:
        assert typical_quality(seen, complexity) == pytest.approx(quality, abs=1e-5)


@pytest.mark.parametrize("intent", INTENTS)
@pytest.mark.parametrize("complexity", [0.0, 0.5, 1.0])
def test_the_articles_dear_model_stays_ahead_of_its_cheap_one(intent: Intent, complexity: float) -> None:
    mini, full = (Candidate(model=f"openai/{name}").resolved() for name in ("gpt-4o-mini", "gpt-4o"))
    assert predict(mini, complexity, sure(intent)) < predict(full, complexity, sure(intent))
