"""Where a policy is set: what each setting came to, and the cheapest that keeps the limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from langchain_router.evaluation.plans.arms import Came
from langchain_router.evaluation.plans.operating_point import (
    Expected,
    OperatingPoint,
    choices,
    front,
)

REFERENCE = 1


def came(scores: list[list[float]], costs: list[float]) -> Came:
    made = np.array(scores)
    return Came(
        scores=made,
        costs_usd=np.tile(np.array(costs), (len(made), 1)),
        escalated=np.zeros(made.shape, np.bool_),
    )


def expected(of: Came) -> Expected:
    """Foresees everything."""
    return Expected(quality=of.scores.copy(), cost=of.costs_usd / of.costs_usd[:, REFERENCE].mean())


TWO = came([[1.0, 1.0]] * 6 + [[0.0, 1.0]] * 4, [1.0, 10.0])


def rare(rows: int, wrong: int) -> Came:
    """A cheap model that is wrong on some rows, and one that never is."""
    return came([[0.0, 1.0]] * wrong + [[1.0, 1.0]] * (rows - wrong), [1.0, 10.0])


def test_every_setting_tells_what_it_came_to() -> None:
    found = choices(TWO, expected(TWO), REFERENCE, families=(), fixed=(0, 1))
    cheap, best = (next(one for one in found.points if one.dial == dial) for dial in (0.0, 1.0))
    assert (cheap.cost_saved, cheap.quality_lost) == pytest.approx((0.9, 0.4))
    assert cheap.standard_error == pytest.approx(np.sqrt(0.4 * 0.6 / 10))
    assert (best.cost_saved, best.quality_lost, best.standard_error) == (0.0, 0.0, 0.0)
    assert found.points[0] is best


def test_choosing_by_the_prompt_saves_where_nothing_is_lost() -> None:
    best = choices(TWO, expected(TWO), REFERENCE, families=[(0, 1)], fixed=()).within(0.0)
    assert best.rule != "fixed"
    assert best.cost_saved == pytest.approx(0.6 * 0.9)
    assert best.choose(expected(TWO), REFERENCE).tolist() == [0] * 6 + [1] * 4


@pytest.mark.parametrize("rule", ["slack", "cost_weight", "fixed"])
def test_what_a_setting_says_it_came_to_is_what_its_choice_comes_to(rule: str) -> None:
    rng = np.random.default_rng(0)
    made = came(rng.random((50, 4)).tolist(), [1.0, 10.0, 3.0, 5.0])
    blurred = Expected(quality=made.scores + rng.normal(0, 0.3, (50, 4)), cost=made.costs_usd / 10.0)
    found = choices(made, blurred, REFERENCE, families=[(0, 2), (3,)], fixed=(0, 2))
    some = [(place, one) for place, one in enumerate(found.points) if one.rule == rule]
    assert some
    assert all(REFERENCE in one.arms for _, one in some), "the reference may always be taken"
    for place, one in some:
        chosen = one.choose(blurred, REFERENCE)
        assert set(chosen.tolist()) <= set(one.arms)
        lost = made.scores[:, REFERENCE] - made.scores[np.arange(50), chosen]
        cost = made.costs_usd[np.arange(50), chosen] / 10.0
        np.testing.assert_allclose(found.lost[:, place], lost, atol=1e-6)
        np.testing.assert_allclose(found.cost[:, place], cost, atol=1e-6)
        assert one.quality_lost == pytest.approx(lost.mean(), abs=1e-6)
        assert one.standard_error == pytest.approx(lost.std() / np.sqrt(50), rel=1e-4)
        assert one.cost_saved == pytest.approx(1 - cost.mean(), abs=1e-6)


def test_settings_that_choose_the_same_for_every_row_are_kept_once() -> None:
    found = choices(TWO, expected(TWO), REFERENCE, families=[(0, 1), (0,)], fixed=(0, 1))
    kept = {one.choose(expected(TWO), REFERENCE).tobytes() for one in found.points}
    assert len(kept) == len(found.points)


def test_arms_of_which_nothing_is_expected_are_no_hindrance() -> None:
    made = came([[1.0, 1.0, 1.0]] * 10, [1.0, 10.0, 0.1])
    known = expected(made)
    known.quality[:, 2] = known.cost[:, 2] = np.nan
    found = choices(made, known, REFERENCE, families=[(0, 1)], fixed=(0,))
    assert found.within(0.0).cost_saved == pytest.approx(0.9)


@pytest.mark.parametrize(("limit", "saved"), [(0.0, 0.5), (0.09, 0.5), (0.11, 0.8), (0.5, 0.9)])
def test_the_setting_that_saves_most_within_the_limit_is_taken(limit: float, saved: float) -> None:
    rows = [[1.0, 1.0, 1.0, 1.0]] * 6 + [[0.0, 1.0, 1.0, 1.0]] * 3 + [[0.0, 1.0, 0.0, 1.0]]
    made = came(rows, [1.0, 10.0, 2.0, 5.0])
    found = choices(made, expected(made), REFERENCE, families=(), fixed=range(4))
    assert found.within(limit).cost_saved == pytest.approx(saved)


def test_a_better_model_than_the_reference_may_be_taken_too() -> None:
    made = came([[1.0, 0.0]] * 5 + [[1.0, 1.0]] * 5, [1.0, 10.0])
    found = choices(made, expected(made), REFERENCE, families=(), fixed=(0,))
    assert found.confident_within(0.0, confidence=0.95).quality_lost == pytest.approx(-0.5)


@pytest.mark.parametrize(("confidence", "wrong", "saved"), [(0.5, 4, 0.9), (0.99, 4, 0.0), (0.99, 0, 0.9)])
def test_the_surer_one_wants_to_be_the_less_may_be_lost(confidence: float, wrong: int, saved: float) -> None:
    made = rare(200, wrong)  # four wrong of 200 lose 2 points, give or take one
    found = choices(made, expected(made), REFERENCE, families=(), fixed=(0,))
    limit = 0.025
    assert found.within(limit).cost_saved == pytest.approx(0.9)
    assert found.confident_within(limit, confidence=confidence).cost_saved == pytest.approx(saved)


@pytest.mark.parametrize("limit", [0.0, 0.02, 0.05, 0.2])
def test_what_is_taken_keeps_the_limit_with_the_margin_on_the_rows_it_was_set_on(limit: float) -> None:
    rng = np.random.default_rng(2)
    made = came((rng.random((120, 3)) < [0.8, 0.95, 0.9]).astype(float).tolist(), [1.0, 10.0, 4.0])
    blurred = Expected(quality=made.scores + rng.normal(0, 0.8, (120, 3)), cost=made.costs_usd / 10)
    found = choices(made, blurred, REFERENCE, families=[(0, 1, 2)], fixed=(0, 2))
    saved = np.inf
    for confidence in (0.5, 0.8, 0.95):
        taken = found.confident_within(limit, confidence=confidence)
        assert taken.quality_lost <= limit
        assert taken.cost_saved <= saved
        saved = taken.cost_saved
    assert found.confident_within(limit, confidence=0.5).cost_saved <= found.within(limit).cost_saved


def test_luck_in_choosing_among_many_is_not_taken_for_skill() -> None:
    """Arms that all lose as much as is allowed, by lot, on many of which fewer losses are seen."""
    limit, violated = 0.05, 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        arms = (rng.random((150, 60)) >= 0.08).astype(float)
        made = came(
            np.concatenate([arms[:, :1], np.ones((150, 1)), arms[:, 1:]], axis=1).tolist(),
            [1.0, 10.0] + [1.0] * 59,
        )
        found = choices(made, expected(made), REFERENCE, families=(), fixed=range(61))
        assert found.within(limit).cost_saved == pytest.approx(0.9), "some look good enough"
        violated += found.confident_within(limit, confidence=0.9).cost_saved > 0.5
    assert violated <= 6, "0.1 of the runs, and a margin for chance"


def test_the_same_seed_sets_alike() -> None:
    rng = np.random.default_rng(1)
    made = came(rng.random((60, 3)).tolist(), [1.0, 10.0, 3.0])
    found = choices(made, expected(made), REFERENCE, families=[(0, 1, 2)], fixed=())
    assert found.confident_within(0.1, confidence=0.9) == found.confident_within(0.1, confidence=0.9)


def test_where_all_else_loses_too_much_or_costs_more_the_reference_is_taken() -> None:
    worse = came([[0.0, 1.0, 1.0]] * 10, [1.0, 10.0, 20.0])
    found = choices(worse, expected(worse), REFERENCE, families=[(0, 1, 2)], fixed=(0, 2))
    best = found.confident_within(0.02, confidence=0.9)
    assert (best.cost_saved, best.quality_lost) == (0.0, 0.0)
    assert set(best.choose(expected(worse), REFERENCE).tolist()) == {REFERENCE}


def test_beside_a_reference_that_is_free_nothing_is_saved() -> None:
    free = came([[0.0, 1.0]] * 10, [0.0, 0.0])
    known = Expected(quality=free.scores, cost=free.costs_usd)
    found = choices(free, known, REFERENCE, families=[(0, 1)], fixed=(0,))
    assert {one.cost_saved for one in found.points} == {0.0}


def test_the_front_holds_the_reference_and_what_saves_most_for_each_loss() -> None:
    made = came([[0.5, 1.0, 0.97, 0.97, 0.2, 1.0]], [1.0, 10.0, 4.0, 6.0, 2.0, 30.0])
    assert front(made, REFERENCE) == [0, 1, 2]


def test_the_front_of_arms_that_are_all_alike_is_the_reference_and_the_first() -> None:
    assert front(came([[1.0] * 4] * 3, [2.0] * 4), 2) == [0, 2]


def test_a_setting_is_told_in_words() -> None:
    chosen = OperatingPoint(
        rule="slack", dial=0.015, arms=(0, 1, 4), cost_saved=0.0, quality_lost=0.0, standard_error=0.0
    )
    assert str(chosen) == "slack 0.015 among 3 plans"
    assert str(replace(chosen, rule="cost_weight")) == "cost weight 0.015 among 3 plans"
    assert str(replace(chosen, rule="fixed")) == "one plan for all"
