"""Outcomes that are not known of every request."""

from __future__ import annotations

import numpy as np
import pytest

from langchain_router.evaluation.offpolicy.observed import seen_factor
from langchain_router.evaluation.offpolicy.snips import snips
from tests.evaluation.offpolicy.worlds import World


def test_the_known_requests_of_an_arm_stand_for_all_of_it() -> None:
    rng = np.random.default_rng(1)
    arm = rng.integers(0, 3, 500)
    known = (rng.random(500) < np.array([0.1, 0.5, 1.0])[arm]).astype(np.float64)
    factor = seen_factor(known, arm)
    for one in range(3):
        assert factor[arm == one].sum() == pytest.approx((arm == one).sum())
    assert (factor[known == 0] == 0).all()


def test_what_says_half_as_much_counts_half() -> None:
    factor = seen_factor(np.array([1.0, 0.5]), np.array([0, 0]))
    assert factor[0] == 2 * factor[1]


def test_an_arm_of_which_nothing_is_known_counts_nothing() -> None:
    assert seen_factor(np.zeros(3), np.zeros(3, np.int64)).tolist() == [0, 0, 0]


def test_where_one_arm_is_judged_more_often_only_the_factor_finds_the_truth() -> None:
    world = World(judged=(0.9, 0.9, 0.1), is_random=True, floor=0.2)
    seen = world.traffic(40_000, np.random.default_rng(2))
    naive = seen.target[np.arange(40_000), seen.arm] / seen.propensity * seen.known
    truth = world.truth()
    found, wrong = snips(seen.weight, seen.outcome), snips(naive, seen.outcome)
    assert found.low < truth < found.high
    assert not wrong.low < truth < wrong.high
