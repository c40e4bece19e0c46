"""The p-values beside independent implementations, and how often they are small by chance."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from langchain_router.evaluation.calibration.p_values import (
    betting,
    binomial_cdf,
    divergence,
    hoeffding_bentkus,
    samples_needed,
)


@pytest.mark.parametrize("n", [1, 7, 400, 30_000])
@pytest.mark.parametrize("chance", [0.01, 0.51, 0.97])
def test_the_binomial_distribution_is_that_of_scipy(n: int, chance: float) -> None:
    for most in {-1, 0, n // 3, int(n * chance), n - 1, n, n + 1}:
        assert binomial_cdf(most, n, chance) == pytest.approx(
            stats.binom.cdf(most, n, chance), rel=1e-8, abs=1e-300
        )


def test_hoeffding_bentkus_is_that_of_mapie() -> None:
    methods = pytest.importorskip("mapie.risk_control.methods")
    for n, allowed in product((5, 100, 3_000, 20_000), (0.02, 0.1, 0.51)):
        means = np.array([share * allowed for share in (0.0, 0.3, 0.9, 0.99, 0.999)])
        theirs = methods.compute_hoeffding_bentkus_p_value(means, n, allowed)[:, 0]
        ours = [hoeffding_bentkus(float(mean), n, allowed) for mean in means]
        assert ours == pytest.approx(np.minimum(theirs, 1.0), rel=1e-8)


def test_hoeffding_bentkus_is_the_smaller_of_its_two_bounds() -> None:
    mean, n, allowed = 0.04, 500, 0.08
    bentkus = math.e * stats.binom.cdf(math.ceil(n * mean), n, allowed)
    hoeffding = math.exp(-n * stats.entropy([mean, 1 - mean], [allowed, 1 - allowed]))
    assert divergence(mean, allowed) == pytest.approx(stats.entropy([mean, 1 - mean], [allowed, 1 - allowed]))
    assert hoeffding_bentkus(mean, n, allowed) == pytest.approx(min(bentkus, hoeffding))
    assert hoeffding_bentkus(allowed, n, allowed) == hoeffding_bentkus(0.0, 0, allowed) == 1.0


def bet_by_hand(losses: list[float], allowed: float, level: float) -> float:
    """The same wealth, loss after loss as the paper writes it, with no array in sight."""
    wealth, most = 1.0, 1.0
    seen, squared = [0.5], [0.25]
    for loss in losses:
        mean, variance = sum(seen) / len(seen), sum(squared) / len(squared)
        stake = min(math.sqrt(2 * math.log(1 / level) / (len(losses) * variance)), 0.75 / (1 - allowed))
        wealth *= 1 + stake * (allowed - loss)
        most = max(most, wealth)
        seen.append(loss)
        squared.append((loss - mean) ** 2)
    return 1 / most


def test_betting_is_what_is_won_by_hand() -> None:
    rng = np.random.default_rng(5)
    for _ in range(5):
        losses = rng.beta(2, 3, size=300)
        assert betting(losses, 0.45, 0.05) == pytest.approx(bet_by_hand(losses.tolist(), 0.45, 0.05))
    assert betting(np.ones(50), 0.4, 0.05) == betting(np.zeros(0), 0.4, 0.05) == 1.0


@pytest.mark.parametrize(
    ("values", "chances"),
    [((0.0, 1.0), (0.49, 0.51)), ((0.0, 0.5, 1.0), (0.04, 0.9, 0.06)), ((0.4, 0.5, 1.0), (0.1, 0.84, 0.06))],
    ids=["coin", "seldom", "skewed"],
)
def test_at_a_mean_that_is_just_not_allowed_small_p_values_are_no_more_frequent_than_they_say(
    values: tuple[float, ...], chances: tuple[float, ...]
) -> None:
    allowed = float(np.dot(values, chances))
    level, n, runs = 0.1, 400, 3_000
    drawn = np.random.default_rng(3).choice(values, size=(runs, n), p=chances)
    most = level + 3 * math.sqrt(level * (1 - level) / runs)
    assert np.mean([betting(one, allowed, level) <= level for one in drawn]) <= most
    assert np.mean([hoeffding_bentkus(float(one.mean()), n, allowed) <= level for one in drawn]) <= most


@pytest.mark.parametrize(("seldom", "mean"), [(0.02, 0.0), (0.1, 0.01), (0.3, -0.02)])
def test_with_the_samples_said_to_be_needed_most_runs_certify(seldom: float, mean: float) -> None:
    allowed, level, runs = 0.515, 0.05, 200
    n = samples_needed((1 + mean) / 2, (seldom - mean**2) / 4, allowed, level)
    better, worse = (seldom - mean) / 2, (seldom + mean) / 2
    drawn = np.random.default_rng(8).choice((0.0, 0.5, 1.0), size=(runs, n), p=(better, 1 - seldom, worse))
    certified = np.mean([betting(one, allowed, level) <= level for one in drawn])
    assert 0.7 < certified <= 0.99
    assert np.mean([betting(one[: n // 4], allowed, level) <= level for one in drawn]) < 0.5


def test_the_numbers_of_requests_in_the_docs_are_those_that_are_needed() -> None:
    page = (Path(__file__).parents[3] / "docs" / "calibration.md").read_text(encoding="utf-8")
    for loss, count in ((0.0, 11_000), (0.01, 44_000)):
        assert hoeffding_bentkus((1 + loss) / 2, round(1.02 * count), 0.51) <= 0.05
        assert hoeffding_bentkus((1 + loss) / 2, round(0.98 * count), 0.51) > 0.05
        assert f"{count:,}" in page
    for seldom, loss, count in ((0.0, 0.0, 294), (0.1, 0.0, 2_541), (0.1, 0.01, 9_566)):
        assert samples_needed((1 + loss) / 2, (seldom - loss**2) / 4, 0.51, 0.05) == count
        assert f"{count:,}" in page
