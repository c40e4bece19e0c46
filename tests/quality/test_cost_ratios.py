"""Ratios of actual to expected cost: shrunk, robust, exact."""

from __future__ import annotations

import pytest

from langchain_router.quality.cost_ratios import CostRatios

SURE = {"reasoning": 1.0}


def test_nothing_seen_is_the_prior() -> None:
    assert CostRatios().expect("a", SURE)[0] == 1.0
    assert CostRatios().expect("a", SURE, prior=3.0)[0] == 3.0


def test_an_intent_is_drawn_to_the_mean_of_all_and_that_to_the_prior() -> None:
    ratios = CostRatios(half_life_s=None)
    for _ in range(6):
        ratios.learn("a", "reasoning", 2.0)
        ratios.learn("a", "extraction", 1.0)
    overall = (6 * 2 + 6 * 1 + 4 * 1) / 16
    assert ratios.expect("a", SURE)[0] == pytest.approx((12 + 4 * overall) / 10)
    assert ratios.expect("a", {"translation": 1.0})[0] == pytest.approx(overall)
    both = {"reasoning": 0.5, "extraction": 0.5}
    assert ratios.expect("a", both)[0] == pytest.approx(
        ((12 + 4 * overall) / 10 + (6 + 4 * overall) / 10) / 2
    )


def test_one_absurd_bill_does_not_spoil_the_rest() -> None:
    ratios = CostRatios(half_life_s=None)
    for _ in range(100):
        ratios.learn("a", "reasoning", 1.0)
    ratios.learn("a", "reasoning", 1e9)
    assert ratios.expect("a", SURE)[0] < 2


@pytest.mark.parametrize("ratio", [float("nan"), float("inf"), -1.0])
def test_a_ratio_that_cannot_be_is_passed_over(ratio: float) -> None:
    ratios = CostRatios()
    ratios.learn("a", "reasoning", ratio)
    ratios.learn("a", "poetry", 2.0)
    assert ratios.expect("a", SURE)[0] == 1.0


def test_costs_that_vary_are_less_sure_than_those_that_do_not() -> None:
    steady, varying = CostRatios(half_life_s=None), CostRatios(half_life_s=None)
    for number in range(50):
        steady.learn("a", "reasoning", 1.0)
        varying.learn("a", "reasoning", 2.0 * (number % 2))
    assert varying.expect("a", SURE)[1] > 2 * steady.expect("a", SURE)[1] > 0
