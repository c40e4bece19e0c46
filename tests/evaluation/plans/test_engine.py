"""Policies and baselines on recorded answers: fitted and set on some rows, run on others."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from langchain_router import ConfigurationError
from langchain_router.evaluation.plans import engine
from langchain_router.evaluation.plans.engine import bench_folds, bench_suite
from langchain_router.evaluation.plans.names import named
from langchain_router.evaluation.plans.peers import Peer, Peers
from langchain_router.evaluation.plans.results import Figures, SuiteFigures
from langchain_router.testing.replay import ReplayOutcome, ReplayRow
from tests.evaluation.plans.made_rows import TWO, scored, sums, with_scores_turned

POLICIES = ["adaptive", "cascade", "cost"]
PRICES = {"a": 1.0, "c": 10.0}


@pytest.fixture(autouse=True)
def _no_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out LiteLLM, which takes seconds to load."""
    monkeypatch.setattr(engine, "find_peers", lambda: Peers(found=(), absent={}))


def of(suite: SuiteFigures, name: str) -> Figures:
    found = named(suite, name)
    assert found is not None
    return found


@functools.cache
def usual() -> SuiteFigures:
    return bench_suite("sums", sums(200), sums(160, seed=1), max_quality_loss=0.04, confidence=0.7)


@functools.cache
def crossed() -> SuiteFigures:
    return bench_folds("sums", sums(120), folds=3, max_quality_loss=0.04, confidence=0.7)


@pytest.fixture(params=[usual, crossed], ids=["fit and test", "folds"])
def suite(request: pytest.FixtureRequest) -> SuiteFigures:
    made: SuiteFigures = request.param()
    return made


# --- what is told -------------------------------------------------------------------------------


def test_a_suite_tells_what_it_is_from() -> None:
    found = usual()
    assert (found.name, found.fit_rows, found.test_rows, found.folds) == ("sums", 200, 160, 1)
    assert found.models == ("tiny", "mid", "large")
    assert found.best_single == "large"
    large = [row.outcomes["large"] for row in sums(160, seed=1)]
    assert found.best_single_score == pytest.approx(np.mean([one.score for one in large]))
    assert found.best_single_cost_usd == pytest.approx(1e-3)
    assert (crossed().fit_rows, crossed().test_rows, crossed().folds) == (80, 120, 3)


def test_every_policy_and_baseline_is_there(suite: SuiteFigures) -> None:
    assert [one.name for one in suite.policies] == POLICIES
    assert [one.name for one in suite.baselines] == [
        "best_single",
        "cheapest",
        "best_static",
        "random_mix",
        "prompt_length",
        "per_dataset_table",
        "oracle",
    ]


def test_the_best_single_model_is_what_all_is_beside(suite: SuiteFigures) -> None:
    best = of(suite, "best_single")
    assert (best.cost_saved, best.quality_lost, best.quality_lost_ci) == (0.0, 0.0, (0.0, 0.0))
    assert best.share_per_model == {"large": 1.0}
    ((cost, score),) = best.curve
    assert (cost, score) == pytest.approx((1.0, suite.best_single_score))


def test_the_oracle_loses_nothing_and_saves_most_of_the_choices_of_models(suite: SuiteFigures) -> None:
    oracle = of(suite, "oracle")
    assert oracle.quality_lost <= 0
    for one in suite.baselines:
        if one.quality_lost <= 0:
            assert one.cost_saved <= oracle.cost_saved + 1e-12


def test_shares_add_up_and_rates_are_shares(suite: SuiteFigures) -> None:
    for one in (*suite.policies, *suite.baselines):
        assert sum(one.share_per_model.values()) == pytest.approx(1.0)
        assert 0 <= one.escalation_rate <= 1
        assert one.quality_lost_ci[0] <= one.quality_lost <= one.quality_lost_ci[1]
        assert list(one.curve) == sorted(one.curve)
        assert (one.fit_cost_saved is None) == (one.name not in POLICIES)


def test_single_models_never_escalate(suite: SuiteFigures) -> None:
    for one in (of(suite, "cost"), *suite.baselines):
        assert one.escalation_rate == 0.0


def test_plans_save_more_than_models_and_keep_what_is_allowed_nearly() -> None:
    adaptive, models = of(usual(), "adaptive"), of(usual(), "cost")
    assert adaptive.cost_saved > 0.5
    assert adaptive.cost_saved > models.cost_saved
    assert adaptive.quality_lost < 0.08
    assert adaptive.escalation_rate > 0
    assert adaptive.fit_cost_saved == pytest.approx(adaptive.cost_saved, abs=0.15)


def test_the_figures_of_one_plan_for_all_follow_from_who_answered() -> None:
    """Each draft is paid for, and each escalation on top of it."""
    cascade = of(usual(), "cascade")
    draft, _, rest = cascade.operating_point.partition(", checked")
    beside = rest.partition(", else ")[0].removeprefix(" beside ").split(" and ") if rest else []
    prices = {"tiny": 1e-5, "mid": 2e-5, "large": 1e-3}
    first = sum(prices[one] for one in [draft, *filter(None, beside)])
    full = first + cascade.escalation_rate * prices["large"]
    assert cascade.cost_saved == pytest.approx(1 - full / 1e-3)
    assert cascade.share_per_model["large"] == pytest.approx(cascade.escalation_rate)


# --- nothing of the test rows moves the fit -----------------------------------------------------


def set_at(suite: SuiteFigures) -> list[tuple[Any, ...]]:
    return [
        (one.name, one.operating_point, one.fit_cost_saved, one.fit_quality_lost, one.cost_saved)
        for one in (*suite.policies, *suite.baselines)
        if one.name != "oracle"
    ]


def test_scores_of_the_test_rows_change_no_choice() -> None:
    fit, test = sums(80), sums(60, seed=1)
    before, after = (bench_suite("s", fit, rows) for rows in (test, with_scores_turned(test)))
    assert set_at(before) == set_at(after)
    assert of(before, "adaptive").share_per_model == of(after, "adaptive").share_per_model
    assert of(before, "cheapest").quality_lost == pytest.approx(-of(after, "cheapest").quality_lost)


def test_more_test_rows_change_no_operating_point() -> None:
    fit, test = sums(60, shown="nothing"), sums(60, seed=1, shown="nothing")
    few, many = (bench_suite("s", fit, rows) for rows in (test[:20], test))
    assert [one.operating_point for one in few.policies] == [one.operating_point for one in many.policies]
    assert [one.fit_quality_lost for one in few.policies] == [one.fit_quality_lost for one in many.policies]


def test_equal_prompts_stay_in_one_part() -> None:
    """Were a prompt fitted on and tested, its kind of lot would be foreseen."""
    rng = np.random.default_rng(0)
    words, rows = [f"word{number}" for number in range(200)], []
    for number in range(40):
        scores = {"a": float(rng.random() < 0.5), "c": 1.0}
        row = scored([scores], PRICES, prompt=" ".join(rng.choice(words, 6)))[0]
        rows += [replace(row, id=f"{number}-{copy}") for copy in range(4)]
    found = bench_folds("twins", rows, folds=4, max_quality_loss=0.02, confidence=0.5)
    assert of(found, "cost").apgr == pytest.approx(0.45, abs=0.15)


def test_each_row_is_tested_once_whatever_the_number_of_parts() -> None:
    rows = sums(60, shown="nothing")
    for folds in (2, 7):
        found = bench_folds("s", rows, folds=folds)
        assert found.test_rows == 60
        assert of(found, "cheapest").quality_lost == pytest.approx(
            np.mean([row.outcomes["large"].score - row.outcomes["tiny"].score for row in rows])
        )


def test_which_part_a_row_is_in_depends_on_its_prompt_alone() -> None:
    rows = sums(60, shown="nothing")
    forward, back = bench_folds("s", rows, folds=3), bench_folds("s", rows[::-1], folds=3)
    for one, other in zip(forward.policies, back.policies, strict=True):
        assert one.cost_saved == pytest.approx(other.cost_saved)
        assert one.quality_lost == pytest.approx(other.quality_lost)


def test_the_same_seed_gives_the_same_figures_and_another_moves_the_intervals_only() -> None:
    fit, test = sums(60, shown="nothing"), sums(60, seed=1, shown="nothing")
    ours, same, other = (bench_suite("s", fit, test, seed=seed) for seed in (3, 3, 4))
    assert ours == same
    intervals = [[one.quality_lost_ci for one in (*s.policies, *s.baselines)] for s in (ours, other)]
    assert intervals[0] != intervals[1]
    assert set_at(ours) == set_at(other)


# --- the figures are right ----------------------------------------------------------------------


def test_the_interval_of_the_quality_lost_covers_the_truth_as_often_as_it_says() -> None:
    skills = {"tiny": (0.8, 0.8, 1e-5), "large": (1.0, 1.0, 1e-3)}
    fit = sums(12, skills=skills, shown="nothing", hard=0.0)
    covered = 0
    for seed in range(1, 26):
        test = sums(60, seed=seed, skills=skills, shown="nothing", hard=0.0)
        low, high = of(bench_suite("s", fit, test), "cheapest").quality_lost_ci
        covered += low <= 0.2 <= high
    assert covered >= 21


def ranked(scores: Sequence[float], lengths: Sequence[int]) -> list[ReplayRow]:
    rows = scored([{"a": score, "c": 1.0} for score in scores], PRICES)
    return [replace(row, prompt="x" * length) for row, length in zip(rows, lengths, strict=True)]


def apgr_by_hand(order: Sequence[int], weak: Sequence[float]) -> float:
    """The mean over all numbers of calls to the better model of the gap that is recovered."""
    total = sum(1 - one for one in weak)
    shares = [sum(1 - weak[row] for row in order[:calls]) / total for calls in range(len(weak) + 1)]
    return float(np.mean(shares))


@pytest.mark.parametrize("turned", [False, True], ids=["long ones are hard", "short ones are hard"])
def test_apgr_of_two_models_is_the_mean_gap_recovered_over_all_shares_of_calls(turned: bool) -> None:
    weak = [float(n < 20) for n in range(50)]
    lengths = [50 - n if turned else 1 + n for n in range(50)]
    found = bench_suite("s", ranked(weak, lengths), ranked(weak, lengths))
    order = sorted(range(50), key=lambda row: -lengths[row])
    assert of(found, "prompt_length").apgr == pytest.approx(apgr_by_hand(order, weak))
    assert (of(found, "prompt_length").apgr or 0) > 0.6 or turned


def test_apgr_of_what_foresees_the_hard_prompts_is_high_whichever_model_is_dearer() -> None:
    for cheap, dear in ((0, 1), (1, 0)):
        usd = (1e-5, 1e-3)
        skills = {"weak": (1.0, 0.2, usd[cheap]), "strong": (1.0, 1.0, usd[dear])}
        fit, test = (sums(100, seed=seed, skills=skills, shown="nothing") for seed in (0, 1))
        found = bench_suite("s", fit, test)
        assert found.best_single == "strong"
        assert (of(found, "cost").apgr or 0) > 0.7


def test_there_is_no_apgr_of_three_models_or_where_there_is_no_gap(suite: SuiteFigures) -> None:
    assert all(one.apgr is None for one in (*suite.policies, *suite.baselines))
    level = scored([{"a": 1.0, "c": 1.0}] * 20, PRICES)
    assert of(bench_suite("s", level, level), "adaptive").apgr is None


def test_two_models_make_cascades_too() -> None:
    fit, test = sums(120, skills=TWO), sums(100, seed=1, skills=TWO)
    found = bench_suite("s", fit, test, max_quality_loss=0.05, confidence=0.6)
    assert of(found, "cascade").operating_point == "tiny, checked, else large"
    assert of(found, "adaptive").apgr == of(found, "cost").apgr is not None


def test_peers_are_shown_beside_and_set_on_the_fit_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    peers = Peers(found=(Peer(name="by_length", score=len),), absent={"other": "ImportError"})
    monkeypatch.setattr(engine, "find_peers", lambda: peers)
    weak = [float(n < 20) for n in range(50)]
    rows = ranked(weak, range(1, 51))
    found = bench_suite("s", rows, rows)
    peer, length = of(found, "by_length"), of(found, "prompt_length")
    assert replace(peer, name="prompt_length") == length


# --- rows that are sparse, level, free or few ---------------------------------------------------


def test_rows_that_lack_an_answer_are_neither_fitted_on_nor_tested() -> None:
    def sparse(rows: list[ReplayRow]) -> Iterator[ReplayRow]:
        for number, row in enumerate(rows):
            kept = {name: one for name, one in row.outcomes.items() if number % 4 or name != "large"}
            kept["rare"] = ReplayOutcome(score=1.0, cost_usd=1e-6)
            yield replace(
                row,
                outcomes=kept if number % 5 == 0 else {**kept, "rare": replace(kept["rare"], cost_usd=None)},
            )

    found = bench_suite("s", list(sparse(sums(80))), list(sparse(sums(40, seed=1))))
    assert found.models == ("tiny", "mid", "large")
    assert (found.fit_rows, found.test_rows) == (60, 30)


def test_without_texts_no_plan_has_a_check() -> None:
    found = bench_suite("s", sums(80, shown="nothing"), sums(60, seed=1, shown="nothing"))
    assert of(found, "adaptive").cost_saved == of(found, "cost").cost_saved
    assert of(found, "cascade").escalation_rate == 0.0


def test_a_model_that_is_best_and_cheapest_leaves_nothing_to_save() -> None:
    rows = scored([{"good": 1.0, "poor": float(n % 2)} for n in range(40)], {"good": 1e-5, "poor": 1e-3})
    found = bench_folds("s", rows, folds=2)
    for name in ("adaptive", "cascade", "cost", "best_static", "oracle", "prompt_length", "random_mix"):
        assert (of(found, name).cost_saved, of(found, name).quality_lost) == (0.0, 0.0)
        assert of(found, name).share_per_model == {"good": 1.0}


@pytest.mark.parametrize("scores", [(1.0, 1.0), (0.0, 0.0), (0.5, 0.5)])
def test_of_models_that_are_level_the_cheapest_is_taken(scores: tuple[float, float]) -> None:
    rows = scored([dict(zip("ac", scores, strict=True))] * 30, PRICES, prompt="Level {}")
    found = bench_folds("s", rows, folds=2, max_quality_loss=0.0)
    assert found.best_single == "a"
    assert {of(found, name).quality_lost for name in POLICIES} == {0.0}


def test_models_that_cost_nothing_save_nothing_and_break_nothing() -> None:
    rows = scored([{"a": float(n % 2), "c": 1.0} for n in range(40)], {"a": 0.0, "c": 0.0})
    found = bench_folds("s", rows, folds=2)
    for one in (*found.policies, *found.baselines):
        assert one.cost_saved == 0.0
        assert one.fit_cost_saved in {None, 0.0}


@pytest.mark.parametrize("rows", [5, 0])
def test_too_few_rows_to_test_on_are_refused(rows: int) -> None:
    with pytest.raises(ConfigurationError, match=f"small: only {rows} prompts hold an answer of every model"):
        bench_suite("small", sums(40), sums(rows, seed=1))


def test_rows_that_all_ask_the_same_are_refused() -> None:
    same = scored([{"a": 0.0, "c": 1.0}] * 40, PRICES, prompt="Always this")
    with pytest.raises(ConfigurationError, match="same: too few of its 40 prompts differ"):
        bench_folds("same", same)


def test_a_single_part_and_limits_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="folds must be 2 or more, got 1"):
        bench_folds("s", sums(40), folds=1)
    with pytest.raises(ConfigurationError, match="max_quality_loss"):
        bench_folds("s", sums(40), max_quality_loss=2.0)
    with pytest.raises(ConfigurationError, match="confidence"):
        bench_suite("s", sums(40), sums(40), confidence=0.2)


def test_how_far_a_benchmark_is_is_told() -> None:
    told: list[str] = []
    bench_folds("s", sums(40, skills=TWO), folds=2, progress=told.append)
    assert told[0] == "part 1 of 2, tiny: check 1 of 1"
    assert told[-1] == "part 2 of 2, running all on the test rows"
