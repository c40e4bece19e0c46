"""The three estimators against everything that can happen, and against other implementations."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from coba.environments.filters import OpeRewards
from scipy import optimize

from langchain_router.evaluation.offpolicy.doubly_robust import doubly_robust, dr_terms
from langchain_router.evaluation.offpolicy.intervals import Floats
from langchain_router.evaluation.offpolicy.ips import ips
from langchain_router.evaluation.offpolicy.snips import snips
from tests.evaluation.offpolicy.worlds import World

_CHANCES = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.6, 0.2, 0.2]])  # three requests, three arms
_OTHER = np.array([[1.0, 0.0, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
_REWARD = np.array([[0.9, 0.4, 0.1], [0.3, 0.8, 0.5], [0.2, 0.6, 1.0]])
_TRUTH = float((_OTHER * _REWARD).sum(axis=1).mean())
_WRONG = np.array([[0.1, 0.9, 0.9], [0.7, 0.0, 0.2], [0.9, 0.1, 0.3]])  # a model that errs everywhere


def _over_all_logs(estimate: str) -> float:
    """Return the mean of an estimate over every log that there can be, by its probability."""
    total = 0.0
    rows = np.arange(3)
    for arms in itertools.product(range(3), repeat=3):
        arm = np.array(arms)
        weight = _OTHER[rows, arm] / _CHANCES[rows, arm]
        outcome = _REWARD[rows, arm]
        if estimate == "ips":
            found = ips(weight, outcome, clip=math.inf)
        else:
            found = doubly_robust(
                weight,
                outcome,
                expected=_WRONG[rows, arm],
                expected_of_policy=(_OTHER * _WRONG).sum(axis=1),
                clip=math.inf,
            )
        total += float(_CHANCES[rows, arm].prod()) * found.value
    return total


@pytest.mark.parametrize("estimate", ["ips", "doubly robust"])
def test_over_every_log_there_can_be_the_mean_is_the_truth(estimate: str) -> None:
    assert _over_all_logs(estimate) == pytest.approx(_TRUTH, abs=1e-12)


def test_ips_is_what_coba_makes_of_the_same_log() -> None:
    seen = World(is_random=True).traffic(300, np.random.default_rng(3))
    interactions = [
        {"context": None, "action": arm, "reward": reward, "probability": propensity}
        for arm, reward, propensity in zip(
            seen.arm.tolist(), seen.outcome.tolist(), seen.propensity.tolist(), strict=True
        )
    ]
    rewards = [one["rewards"] for one in OpeRewards("IPS").filter(interactions)]
    oracle = np.mean(
        [
            sum(chance * of(arm) for arm, chance in enumerate(chances))
            for of, chances in zip(rewards, seen.target.tolist(), strict=True)
        ]
    )
    assert ips(seen.weight, seen.outcome, clip=math.inf).value == pytest.approx(oracle, abs=1e-12)


def test_snips_is_the_level_of_least_weighted_squares() -> None:
    seen = World().traffic(200, np.random.default_rng(4))
    root = np.sqrt(seen.weight)
    oracle = optimize.least_squares(lambda level: root * (seen.outcome - level), x0=[0.1], xtol=1e-15).x[0]
    assert snips(seen.weight, seen.outcome, clip=math.inf).value == pytest.approx(oracle, abs=1e-6)


def test_the_interval_of_snips_is_that_of_leaving_one_out() -> None:
    seen = World().traffic(200, np.random.default_rng(5))
    weight, outcome = seen.weight, seen.outcome
    whole = float(np.average(outcome, weights=weight))
    without = [
        float(np.average(np.delete(outcome, one), weights=np.delete(weight, one))) for one in range(200)
    ]
    error = math.sqrt(sum((value - whole) ** 2 for value in without))
    found = snips(weight, outcome, clip=math.inf)
    assert (found.high - found.low) / 2 == pytest.approx(error * 1.98, rel=0.02)


def test_doubly_robust_without_a_model_is_ips() -> None:
    seen = World().traffic(200, np.random.default_rng(6))
    nothing = np.zeros(200)
    plain = ips(seen.weight, seen.outcome)
    assert doubly_robust(
        seen.weight, seen.outcome, expected=nothing, expected_of_policy=nothing
    ) == pytest.approx(plain)


def test_a_good_model_makes_doubly_robust_more_certain() -> None:
    seen = World(grades=True).traffic(2_000, np.random.default_rng(7))
    expected, of_policy = seen.expectations()
    found = doubly_robust(seen.weight, seen.outcome, expected=expected, expected_of_policy=of_policy)
    plain = ips(seen.weight, seen.outcome)
    assert found.high - found.low < 0.8 * (plain.high - plain.low)


def test_the_recorded_policy_is_worth_what_it_came_to() -> None:
    outcome = np.random.default_rng(8).random(100)
    model = np.full(100, 0.3)
    ones = np.ones(100)
    for found in (
        ips(ones, outcome),
        snips(ones, outcome),
        doubly_robust(ones, outcome, expected=model, expected_of_policy=model),
    ):
        assert found.value == pytest.approx(outcome.mean())
    assert dr_terms(ones, outcome, expected=model, expected_of_policy=model) == pytest.approx(outcome)


def test_what_clipping_took_off_widens_the_interval_of_ips_upwards() -> None:
    weight: Floats = np.array([0.5] * 99 + [50.0])
    outcome = np.ones(100)
    clipped, whole = ips(weight, outcome, most=1.0), ips(weight, outcome, clip=100.0)
    assert clipped.value < whole.value
    assert clipped.high >= whole.value
    assert clipped.high == pytest.approx(ips(np.minimum(weight, 10.0), outcome, clip=10.0).high + 0.4)


def test_one_weight_alone_says_nothing() -> None:
    found = snips(np.array([0.0, 2.0, 0.0]), np.array([1.0, 0.5, 1.0]))
    assert found.value == 0.5
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert math.isnan(snips(np.zeros(3), np.ones(3)).value)


def test_the_mean_of_what_was_recorded_says_nothing_of_another_policy() -> None:
    world = World()
    seen = world.traffic(2_000, np.random.default_rng(9))
    ones = np.ones(2_000)
    recorded, other = snips(ones, seen.outcome), snips(seen.weight, seen.outcome)
    assert other.low < world.truth() < other.high
    assert not recorded.low < world.truth() < recorded.high
