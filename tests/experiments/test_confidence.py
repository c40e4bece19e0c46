"""Intervals that hold at every look, beside the ordinary ones that do not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats

from langchain_router.exceptions import ConfigurationError
from langchain_router.experiments.confidence import log_wealth, mean_interval


def test_what_is_gained_against_a_mean_is_the_beta_binomial_mixture() -> None:
    for total, n, mean, prior in (
        (7, 20, 0.6, (1.0, 1.0)),
        (450, 500, 0.85, (0.5, 2.0)),
        (0, 3, 0.4, (1.0, 1.0)),
    ):
        mixed = special.betaln(total + prior[0], n - total + prior[1]) - special.betaln(*prior)
        alone = stats.binom.logpmf(total, n, mean) - math.log(special.comb(n, total))
        assert log_wealth(total, n, mean, prior) == pytest.approx(mixed - alone)


def test_both_ends_are_where_the_bets_have_gained_what_rules_a_mean_out() -> None:
    low, high = mean_interval(31.5, 40, confidence=0.9)
    for end in (low, high):
        assert log_wealth(31.5, 40, end) == pytest.approx(math.log(10))
    assert mean_interval(0, 5)[0] == 0.0
    assert mean_interval(5, 5)[1] == 1.0


@pytest.mark.parametrize("kind", ["coin", "between"])
def test_simulated_intervals_hold_the_mean_at_every_look_as_often_as_they_say(kind: str) -> None:
    rng = np.random.default_rng(21)
    runs, most, mean, confidence = 1_000, 1_000, 0.8, 0.9
    drawn = rng.random((runs, most)) < mean if kind == "coin" else rng.beta(4, 1, size=(runs, most))
    totals = np.cumsum(drawn, axis=1)
    looks = np.unique(np.geomspace(1, most, 60).astype(int))
    # The mean is outside the interval where the bets against it have gained enough: much faster to compute.
    missed = np.zeros(runs, dtype=bool)
    missed_ordinary = np.zeros(runs, dtype=bool)
    for n in looks:
        total = totals[:, n - 1]
        gained = (
            special.betaln(total + 1, n - total + 1) - total * np.log(mean) - (n - total) * np.log1p(-mean)
        )
        missed |= gained >= math.log(1 / (1 - confidence))
        error = np.std(drawn[:, :n], axis=1, ddof=0) / np.sqrt(n)
        missed_ordinary |= (n >= 30) & (abs(total / n - mean) > stats.norm.ppf(0.95) * error)
    assert np.mean(missed) <= 1 - confidence + 3 * math.sqrt(0.09 / runs)
    assert np.mean(missed_ordinary) > 0.2  # an interval for one look, looked at all the time
    low, high = mean_interval(float(totals[0, -1]), most, confidence=confidence)
    assert high - low < 0.12


@pytest.mark.parametrize(
    ("total", "n", "confidence"), [(2, 1, 0.9), (-1, 5, 0.9), (math.nan, 5, 0.9), (1, 5, 1.0), (1, 5, 95)]
)
def test_what_cannot_be_is_refused(total: float, n: int, confidence: float) -> None:
    with pytest.raises(ConfigurationError, match="total"):
        mean_interval(total, n, confidence=confidence)
