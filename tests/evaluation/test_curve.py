"""The figures against what they stand for: simulated cascades, brute force, and known truths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router.evaluation.curve import (
    Interval,
    Trial,
    auc,
    escalation_curve,
    measure,
    reject_lowest,
)

ROWS = 400


def trial(**given: Any) -> Trial:
    """A draft that is right in three of four cases, a premium model that is right in nineteen of twenty."""
    rng = np.random.default_rng(7)
    values: dict[str, Any] = {
        "draft": (rng.random(ROWS) < 0.75).astype(float),
        "premium": (rng.random(ROWS) < 0.95).astype(float),
        "draft_usd": rng.uniform(0.5, 1.5, ROWS),
        "check_usd": np.zeros(ROWS),
        "premium_usd": rng.uniform(10, 30, ROWS),
        "prompt": np.arange(ROWS),
    }
    values |= given
    values.setdefault("score", rng.random(len(values["draft"])))
    values.setdefault("escalated", (values["score"] < 0.3).astype(float))
    return Trial(**values)


def test_a_perfect_check_gains_and_a_random_one_does_not() -> None:
    base = trial()
    perfect = measure(trial(score=base.draft, escalated=1 - base.draft))
    assert perfect.gain_at_rate.side == perfect.gain_at_cost.side == perfect.area.side == 1
    assert perfect.auc_right == 1.0
    chance = measure(base)
    assert chance.gain_at_rate.side == chance.area.side == 0
    assert abs(chance.auc_right - 0.5) < 0.06


def test_a_check_that_prefers_wrong_answers_is_worse_than_random() -> None:
    base = trial()
    inverted = measure(trial(score=1 - base.draft, escalated=base.draft))
    assert inverted.gain_at_rate.side == inverted.gain_at_cost.side == inverted.area.side == -1
    assert inverted.auc_right == 0.0


def test_random_escalation_is_what_simulated_random_cascades_come_to() -> None:
    base = trial()
    rng = np.random.default_rng(1)
    rate = float(base.escalated.mean())
    drawn = rng.random((4_000, ROWS)) < rate
    simulated = np.where(drawn, base.premium, base.draft).mean()
    found = measure(base)
    assert found.quality - found.gain_at_rate.value / 100 == pytest.approx(simulated, abs=0.002)


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_escalating_a_share_whatever_the_answer_gains_nothing_at_its_own_rate_or_cost(rate: float) -> None:
    base = trial(draft_usd=np.ones(ROWS), premium_usd=np.full(ROWS, 20.0), escalated=np.full(ROWS, rate))
    found = measure(base)
    for gain in (found.gain_at_rate, found.gain_at_cost):
        assert gain.value == pytest.approx(0, abs=1e-9)
        assert gain.side == 0


def test_paying_for_a_second_answer_counts_at_equal_cost_but_not_at_equal_rate() -> None:
    base = trial()
    free = measure(trial(score=base.draft, escalated=1 - base.draft))
    paid = measure(trial(score=base.draft, escalated=1 - base.draft, check_usd=np.full(ROWS, 4.0)))
    assert paid.gain_at_rate == free.gain_at_rate
    assert paid.gain_at_cost.value < free.gain_at_cost.value
    assert paid.saved.value == pytest.approx(free.saved.value - 4.0 / base.premium_usd.mean())


def test_a_check_that_costs_more_than_it_is_worth_is_worse_than_random_at_equal_cost() -> None:
    found = measure(trial(check_usd=np.full(ROWS, 12.0)))
    assert found.gain_at_cost.side == -1
    assert found.gain_at_rate.side == 0


def test_a_coin_before_the_draft_is_harder_to_beat_than_a_random_cascade() -> None:
    found = measure(trial(draft_usd=np.full(ROWS, 8.0)))
    assert found.gain_over_coin.value < found.gain_at_cost.value


def test_the_area_is_the_mean_gain_over_all_escalation_rates() -> None:
    base = trial(score=np.round(np.random.default_rng(3).random(ROWS) * 4) / 4)
    share, _, quality = escalation_curve(base)
    rates = np.linspace(0, 1, 20_001)
    random = base.draft.mean() + rates * (base.premium - base.draft).mean()
    gain = np.interp(rates, share, quality) - random
    assert measure(base).area.value == pytest.approx(100 * gain.mean(), abs=1e-3)


def test_the_curve_breaks_ties_as_random_order_would_on_average() -> None:
    base = trial(score=np.zeros(ROWS))
    share, cost, quality = escalation_curve(base)
    assert share.tolist() == [0.0, 1.0]
    assert quality.tolist() == pytest.approx([base.draft.mean(), base.premium.mean()])
    assert cost.tolist() == pytest.approx(
        [base.draft_usd.mean(), base.draft_usd.mean() + base.premium_usd.mean()]
    )


def test_the_curve_of_a_yes_or_no_passes_through_its_own_figures() -> None:
    base = trial()
    verdict = trial(score=1 - base.escalated)
    share, cost, quality = escalation_curve(verdict)
    found = measure(verdict)
    assert (share[1], cost[1], quality[1]) == pytest.approx((found.escalated, found.cost_usd, found.quality))


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Each data set is drawn from the same truth; a score that says nothing gains nothing."""
    rng = np.random.default_rng(11)
    misses = 0
    for _ in range(200):
        draft, premium = (rng.random(120) < 0.7).astype(float), (rng.random(120) < 0.9).astype(float)
        ones = np.ones(120)
        drawn = trial(
            draft=draft,
            premium=premium,
            draft_usd=ones,
            check_usd=0 * ones,
            premium_usd=20 * ones,
            prompt=np.arange(120),
            score=rng.random(120),
        )
        misses += measure(drawn, resamples=200).gain_at_rate.side != 0
    assert misses <= 24  # 5 % of 200 are 10, and small samples miss a little oftener


def test_rows_of_one_prompt_are_resampled_together() -> None:
    apart = measure(trial())
    together = measure(trial(prompt=np.arange(ROWS) // 40))
    assert together.gain_at_rate.value == apart.gain_at_rate.value
    assert together.versus_premium != apart.versus_premium


def test_the_same_seed_gives_the_same_intervals() -> None:
    assert measure(trial(), seed=3) == measure(trial(), seed=3)
    assert measure(trial(), seed=3) != measure(trial(), seed=4)


def test_models_that_cost_nothing_do_not_break_the_figures() -> None:
    zeros = np.zeros(ROWS)
    found = measure(trial(draft_usd=zeros, premium_usd=zeros))
    assert np.isfinite(found.gain_at_cost.value)
    assert np.isfinite(found.gain_over_coin.value)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans()), min_size=1, max_size=30))
def test_auc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[float, bool]]) -> None:
    score, right = np.array([s for s, _ in pairs]), np.array([r for _, r in pairs])
    wins = [(a > b) + (a == b) / 2 for a in score[right] for b in score[~right]]
    found = auc(score, right)
    assert found == pytest.approx(np.mean(wins)) if wins else np.isnan(found)


@given(st.lists(st.sampled_from([0.1, 0.2, 0.7]), min_size=1, max_size=30), st.floats(0, 1))
def test_the_lowest_scored_share_is_rejected_exactly(scores: list[float], share: float) -> None:
    rejected = reject_lowest(np.array(scores), share)
    assert rejected.sum() == pytest.approx(share * len(scores))
    assert all(
        a >= b
        for a, x in zip(rejected, scores, strict=True)
        for b, y in zip(rejected, scores, strict=True)
        if x < y
    )


@pytest.mark.parametrize(("low", "high", "side"), [(0.1, 2, 1), (-1, 2, 0), (-2, -0.1, -1), (0, 0, 0)])
def test_an_interval_lies_on_a_side_of_zero_or_on_neither(low: float, high: float, side: int) -> None:
    assert Interval(value=0.0, low=low, high=high).side == side
