"""The model of outcomes: what it foresees, and that it never saw what it foresees."""

from __future__ import annotations

import numpy as np

from langchain_router.evaluation.offpolicy.reward_model import cross_fitted
from tests.evaluation.offpolicy.worlds import ARMS, World


def test_a_request_has_no_part_in_what_is_expected_of_it() -> None:
    seen = World().traffic(100, np.random.default_rng(1))
    fold = np.arange(100) % 5
    changed = seen.outcome.copy()
    changed[fold == 2] = 1 - changed[fold == 2]
    before, after = (
        cross_fitted(seen.features, seen.arm, one, seen.known, fold=fold, arms=ARMS)
        for one in (seen.outcome, changed)
    )
    assert (before[fold == 2] == after[fold == 2]).all()
    assert (before[fold != 2] != after[fold != 2]).any()


def test_it_learns_how_arms_differ_with_the_request() -> None:
    world = World(floor=0.2)
    seen = world.traffic(3_000, np.random.default_rng(2))
    fold = np.arange(3_000) % 5
    expected = cross_fitted(seen.features, seen.arm, seen.outcome, seen.known, fold=fold, arms=ARMS)
    assert np.abs(expected - world.quality(seen.features[:, 0])).mean() < 0.05


def test_it_stays_within_what_was_seen_and_takes_no_notice_of_the_unknown() -> None:
    seen = World(judged=(0.5, 0.5, 0.5)).traffic(200, np.random.default_rng(3))
    fold = np.arange(200) % 5
    wild = np.where(seen.known > 0, seen.outcome, 1e9)
    expected = cross_fitted(1e6 * seen.features, seen.arm, wild, seen.known, fold=fold, arms=ARMS)
    assert expected.min() >= 0
    assert expected.max() <= 1


def test_a_hint_of_what_each_arm_costs_is_used() -> None:
    rng = np.random.default_rng(4)
    size = rng.random(500)
    hint = np.column_stack([size, 10 * size])
    arm = rng.integers(0, 2, 500)
    cost = 1.5 * hint[np.arange(500), arm]
    known, fold = np.ones(500), np.arange(500) % 5
    nothing = np.zeros((500, 1))
    errors = [
        np.abs(cross_fitted(nothing, arm, cost, known, fold=fold, arms=2, hint=one) - 1.5 * hint).mean()
        for one in (hint, None)
    ]
    assert errors[0] < 0.2 * errors[1]


def test_where_nothing_is_known_nothing_is_expected() -> None:
    nothing = np.zeros(10)
    expected = cross_fitted(
        np.ones((10, 2)), np.zeros(10, np.int64), nothing, nothing, fold=np.arange(10) % 5, arms=2
    )
    assert (expected == 0).all()
