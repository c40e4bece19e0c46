"""Intervals: how far they reach, and when they have no end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from langchain_router.evaluation.offpolicy.intervals import mean_of, student_quantile
from langchain_router.exceptions import ConfigurationError


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("degrees", [10.0, 30.0, 99.5, 1e6])
def test_quantiles_are_those_of_scipy(degrees: float, confidence: float) -> None:
    oracle = stats.t.ppf((1 + confidence) / 2, degrees)
    assert student_quantile(degrees, confidence) == pytest.approx(oracle, abs=1e-3)


def test_the_mean_of_equal_weights_has_the_interval_of_scipy() -> None:
    half = np.random.default_rng(1).random(20)
    terms = np.r_[0.5 + half, 0.5 - half]
    found = mean_of(terms, effective=40)
    oracle = stats.t.interval(0.95, 39, loc=terms.mean(), scale=stats.sem(terms))
    assert (found.low, found.high) == pytest.approx(oracle, abs=1e-4)


def test_with_next_to_no_evidence_an_interval_has_no_end() -> None:
    found = mean_of(np.array([0.4, 0.5, 0.6]), effective=3)
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert found.to_dict()["low"] is None
    assert found.side == 0


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, "0.95", True])
def test_a_confidence_is_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ConfigurationError, match=r"such as 0\.95"):
        student_quantile(10, confidence)


def test_where_errors_are_rare_but_large_the_interval_reaches_further_to_their_side() -> None:
    terms = np.array([1.0] * 97 + [0.0] * 3)
    found = mean_of(terms, effective=100)
    assert found.value - found.low > 1.3 * (found.high - found.value)
    other = mean_of(1 - terms, effective=100)
    assert (1 - other.high, 1 - other.low) == pytest.approx((found.low, found.high))


def test_the_bent_interval_holds_the_truth_more_often_than_the_straight_one() -> None:
    rng = np.random.default_rng(3)
    held = np.zeros(2)
    for _ in range(2_000):
        terms = (rng.random(150) < 0.95).astype(np.float64)
        found = mean_of(terms, effective=150)
        reach = student_quantile(149) * terms.std(ddof=1) / math.sqrt(150)
        held += found.low <= 0.95 <= found.high, abs(terms.mean() - 0.95) <= reach
    assert held[0] / 2_000 >= 0.94 > held[1] / 2_000
