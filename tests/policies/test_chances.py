"""The chance of being the best, beside exact integrals and frequencies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from langchain_router.policies.chances import CHANCE_ERROR, beta_chance, normal_chance


def exact(index: int, draws: list[stats.rv_frozen], penalty: np.ndarray) -> float:
    """Average the others' distribution functions over 20,000 quantiles of the arm's own."""
    quantiles = (np.arange(20_000) + 0.5) / 20_000
    values = draws[index].ppf(quantiles) - penalty[index]
    product = np.ones_like(values)
    for other, one in enumerate(draws):
        if other != index:
            product *= one.cdf(values + penalty[other])
    return float(product.mean())


@pytest.mark.parametrize("seed", range(40))
def test_beta_chances_are_those_of_the_exact_integral(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arms = int(rng.integers(2, 9))
    seen = 10 ** rng.uniform(0, 6, arms)  # from one observation to a million
    rate = rng.beta(2, 1, arms) if seed % 2 else np.clip(rng.normal(0.9, 0.01, arms), 0, 1)
    alpha, beta, penalty = 1 + seen * rate, 1 + seen * (1 - rate), rng.uniform(0, 0.2, arms)
    draws = [stats.beta(a, b) for a, b in zip(alpha, beta, strict=True)]
    for index in range(arms):
        found = beta_chance(index, alpha, beta, penalty)
        assert found == pytest.approx(exact(index, draws, penalty), abs=CHANCE_ERROR)


@pytest.mark.parametrize("seed", range(40))
def test_normal_chances_are_those_of_the_exact_integral(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arms = int(rng.integers(2, 9))
    deviation = 10 ** rng.uniform(-5, -0.3, arms)
    mean = 0.5 + deviation * rng.normal(size=arms)
    draws = [stats.norm(m, s) for m, s in zip(mean, deviation, strict=True)]
    for index in range(arms):
        found = normal_chance(index, mean, deviation)
        assert found == pytest.approx(exact(index, draws, np.zeros(arms)), abs=CHANCE_ERROR)


def test_of_two_arms_the_chance_is_the_beta_integral() -> None:
    first, second = stats.beta(13, 5), stats.beta(4, 2)
    integral, _ = integrate.quad(lambda x: first.pdf(x) * second.cdf(x - 0.05), 0, 1)
    found = beta_chance(0, np.array([13.0, 4.0]), np.array([5.0, 2.0]), np.array([0.05, 0.0]))
    assert found == pytest.approx(integral, abs=1e-4)


def test_one_arm_alone_is_certain_and_one_far_behind_has_no_chance() -> None:
    assert beta_chance(0, np.array([3.0]), np.array([1.0]), np.zeros(1)) == pytest.approx(1.0)
    alpha, beta = np.array([9_000.0, 1_000.0]), np.array([1_000.0, 9_000.0])
    assert beta_chance(0, alpha, beta, np.zeros(2)) == pytest.approx(1.0)
    assert beta_chance(1, alpha, beta, np.zeros(2)) == pytest.approx(0.0)


def test_arms_that_are_known_for_certain_are_compared_by_what_is_known() -> None:
    assert normal_chance(1, np.array([0.5, 0.6]), np.zeros(2)) == pytest.approx(1.0)
    assert normal_chance(0, np.array([0.5, 0.5]), np.zeros(2)) == pytest.approx(0.5)
