"""Aims are reached, not reached, or not measured in full."""

from __future__ import annotations

import pytest

from langchain_router.evaluation.plans.aims import aims_of, aims_of_signals
from langchain_router.evaluation.plans.suites import USUAL
from tests.evaluation.plans.made_up import suite, with_adaptive


@pytest.mark.parametrize(
    ("saved", "lost", "reached"),
    [(0.74, 0.02, True), (0.739, 0.02, False), (0.9, 0.0201, False)],
)
def test_savings_count_only_where_quality_held(saved: float, lost: float, reached: bool) -> None:
    suites = [with_adaptive(suite(name), cost_saved=saved, quality_lost=lost) for name in USUAL]
    aim = aims_of(suites)[0]
    assert aim.reached is reached
    assert f"{saved:.1%} saved, {100 * lost:+.2f} points lost, over 13 suites of the aim" in aim.figure


def test_an_aim_over_suites_is_not_reached_on_some_of_them() -> None:
    good = [with_adaptive(suite(name), cost_saved=0.9) for name in USUAL[:12]]
    aim = aims_of([*good, suite("my_own")])[0]
    assert (aim.reached, aim.verdict) == (None, "not measured in full")
    assert "over 12 suites of the aim" in aim.figure


def test_suites_that_lose_too_much_are_counted_though_the_mean_holds() -> None:
    suites = [with_adaptive(suite(name), quality_lost=0.05 if name == USUAL[0] else 0.0) for name in USUAL]
    assert "more than 2 points on 1 of them" in aims_of(suites)[0].figure


def test_apgr_is_that_of_the_adaptive_policy() -> None:
    suites = [
        with_adaptive(suite("routellm_gsm8k"), apgr=0.71),
        with_adaptive(suite("routellm_mmlu"), apgr=0.699),
    ]
    assert [(one.reached, one.figure) for one in aims_of(suites)[1:]] == [
        (True, "adaptive 0.710"),
        (False, "adaptive 0.699"),
    ]
    assert [one.measured for one in aims_of([suite("sums")])[1:]] == [False, False]


def test_complexity_must_rank_better_than_length_on_every_source_that_counts() -> None:
    def source(n: int, spearman: float | None, length: float) -> dict[str, object]:
        return {"source": "x", "n": n, "spearman": spearman, "spearman_length": length}

    ranked = [source(50, 0.4, 0.2), source(40, 0.36, 0.37), source(5, -1.0, 1.0), source(50, None, 0.1)]
    mean, above = aims_of_signals({"intent": [], "difficulty": ranked})
    assert (mean.reached, mean.figure) == (True, "0.380 over 2 sources of at least 30 prompts")
    assert (above.reached, above.figure) == (False, "above it on 1 of 2 sources")
    assert aims_of_signals({}) == ()
