"""From rows to what is loaded: predictions of left-out rows, operating points, and the plans themselves."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from langchain_router import ConfigurationError
from langchain_router.checks.scoring.features import FeatureCache
from langchain_router.evaluation.plans.arms import came_of
from langchain_router.evaluation.plans.fitting import Family, Fitting, fit_all, fit_plans
from langchain_router.evaluation.plans.table import dense_table
from langchain_router.policies.fitted_plans import FittedPlans
from langchain_router.quality.prompt_inputs import prompt_inputs
from langchain_router.quality.ridge import Ridge
from tests.evaluation.plans.made_rows import scored, sums

OTHERS = dense_table(sums(80, seed=1))


@functools.cache
def fitting() -> Fitting:
    return fit_all(dense_table(sums(200)))


def test_the_reference_is_the_best_single_model_and_every_model_is_predicted() -> None:
    found = fitting()
    assert found.table.models[found.reference] == "large"
    assert set(found.models) <= set(found.predicted)
    assert set(found.predicted) <= set(range(len(found.arms)))


def test_what_is_expected_of_the_fit_rows_is_what_a_fit_without_each_row_expects() -> None:
    rows = sums(40)
    found = fit_all(dense_table(rows))
    inputs, scores = prompt_inputs(found.table.prompts), found.came.scores
    for row in range(0, 40, 13):
        others = np.arange(40) != row
        for model in found.models:
            predicted = {
                float(
                    Ridge(inputs[others])
                    .fit(scores[others][:, [model]], penalties=[penalty])
                    .predict(inputs[[row]])[0, 0]
                )
                for penalty in (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1e3, 1e5)
            }
            nearest = min(abs(one - found.expected.quality[row, model]) for one in predicted)
            assert nearest < 1e-3


def test_costs_are_beside_the_mean_cost_of_the_reference() -> None:
    found = fitting()
    cost = found.expected_of(OTHERS).cost
    assert cost[:, found.reference] == pytest.approx(np.ones(len(OTHERS)), abs=1e-4)
    assert cost[:, 0] == pytest.approx(np.full(len(OTHERS), 0.01), abs=1e-4)


def test_of_other_rows_the_hard_ones_are_expected_to_go_worse() -> None:
    quality = fitting().expected_of(OTHERS).quality
    hard = np.array([row.domain == "hard" for row in OTHERS.rows])
    assert quality[hard, 0].max() < quality[~hard, 0].min()


def test_what_is_not_predicted_is_never_chosen() -> None:
    found = fitting()
    unknown = np.isnan(found.expected.quality).all(axis=0)
    assert set(np.flatnonzero(~unknown).tolist()) == set(found.predicted)
    families: tuple[Family, ...] = ("adaptive", "cascade", "cost")
    for family in families:
        for one in found.choices(family).points[::29]:
            assert set(one.choose(found.expected, found.reference).tolist()) <= set(found.predicted)


def test_each_family_has_its_own_settings() -> None:
    found = fitting()
    rules = {
        family: {one.rule for one in found.choices(family).points}
        for family in ("adaptive", "cascade", "cost")
    }
    assert rules == {
        "adaptive": {"fixed", "slack", "cost_weight"},
        "cascade": {"fixed"},
        "cost": {"fixed", "slack", "cost_weight"},
    }
    assert all(set(one.arms) <= set(found.models) for one in found.choices("cost").points)


def test_choosing_among_all_plans_saves_at_least_as_much_as_either_part_alone() -> None:
    found = fitting()
    saved = {
        family: found.choices(family).within(0.02).cost_saved for family in ("adaptive", "cascade", "cost")
    }
    assert saved["adaptive"] >= max(saved["cascade"], saved["cost"]) > 0.2


@pytest.mark.parametrize("rule", ["fixed", "slack", "cost_weight"])
def test_the_plans_choose_and_expect_as_the_operating_point_does(rule: str) -> None:
    found = fitting()
    expected = found.expected_of(OTHERS)
    among = [one for one in found.choices("adaptive").points if one.rule == rule]
    kinds = set()
    for point in among[:: max(1, len(among) // 6)]:
        plans = found.plans(point)
        quality, cost = plans.predict(OTHERS.prompts)
        chosen = [plans.arms[place] for place in plans.choose(quality, cost)]
        wanted = [found.arms[arm] for arm in point.choose(expected, found.reference)]
        for ours, theirs in zip(chosen, wanted, strict=True):
            assert ours.draft == OTHERS.models[theirs.draft]
            assert ours.seconds == tuple(OTHERS.models[one] for one in theirs.seconds)
            assert ours.last == (None if theirs.last is None else OTHERS.models[theirs.last])
            assert (ours.most_gain, ours.scorer) == (theirs.most_gain, theirs.scorer)
            kinds.add(ours.models)
        if rule != "fixed":
            np.testing.assert_allclose(quality, expected.quality[:, point.arms], atol=1e-5)
            np.testing.assert_allclose(cost, expected.cost[:, point.arms], atol=1e-5)
        assert plans.arms[plans.reference].models == ("large",)
        assert plans.evidence["fit_rows"] == len(found.table.once_each())
        assert plans.evidence["fit_quality_lost"] == point.quality_lost
    assert len(kinds) > 1


def test_what_is_expected_of_one_plan_for_all_is_its_mean_on_the_fit_rows() -> None:
    found = fitting()
    point = max(found.choices("cascade").points, key=lambda one: one.cost_saved)
    plans = found.plans(point)
    quality, cost = plans.predict(["anything"])
    arm = int(point.dial)
    assert quality[0, int(plans.dial)] == pytest.approx(found.came.scores[:, arm].mean())
    assert cost[0, int(plans.dial)] == pytest.approx(1 - point.cost_saved)


def test_plans_fitted_saved_and_loaded_save_and_keep_quality_on_other_rows(tmp_path: Path) -> None:
    told: list[str] = []
    made = fit_plans(sums(200), max_quality_loss=0.03, confidence=0.8, progress=told.append)
    made.save(tmp_path / "plans.npz")
    plans = FittedPlans.load(tmp_path / "plans.npz")
    chosen = plans.choose(*plans.predict(OTHERS.prompts))
    columns = {model: place for place, model in enumerate(OTHERS.models)}
    found = fitting()
    same = {
        (
            columns[arm.draft],
            tuple(columns[one] for one in arm.seconds),
            None if arm.last is None else columns[arm.last],
            arm.most_gain,
        ): place
        for place, arm in enumerate(plans.arms)
    }
    places = {
        same[key]: number
        for number, arm in enumerate(found.arms)
        if (key := (arm.draft, arm.seconds, arm.last, arm.most_gain)) in same
    }
    arms = [found.arms[places[place]] for place in range(len(plans.arms))]
    came = came_of(arms, OTHERS, cache=FeatureCache())
    rows = np.arange(len(OTHERS))
    full = OTHERS.costs_usd[:, 2].mean()
    assert came.costs_usd[rows, chosen].mean() < 0.7 * full
    assert came.scores[rows, chosen].mean() > OTHERS.scores[:, 2].mean() - 0.08
    assert told[-1].startswith("predicting ")


def test_the_same_rows_give_the_same_plans() -> None:
    rows = sums(60)
    assert fit_plans(rows).fingerprint == fit_plans(list(rows)).fingerprint


def test_a_model_that_is_best_and_cheapest_is_always_taken() -> None:
    rows = scored([{"good": 1.0, "poor": float(n % 2)} for n in range(40)], {"good": 1e-5, "poor": 1e-3})
    plans = fit_plans(rows)
    chosen = plans.choose(*plans.predict(["Prompt 5", "another"]))
    assert {plans.arms[place].models for place in chosen} == {("good",)}


def test_of_models_that_are_equally_good_the_cheapest_is_always_taken() -> None:
    rows = scored([{"a": 0.5, "b": 0.5, "c": 0.5}] * 30, {"a": 3.0, "b": 1.0, "c": 2.0})
    plans = fit_plans(rows, max_quality_loss=0.0)
    chosen = plans.choose(*plans.predict(["Prompt 5", "another"]))
    assert {plans.arms[place].models for place in chosen} == {("b",)}


@pytest.mark.parametrize(
    "limits",
    [
        {"max_quality_loss": -0.01},
        {"max_quality_loss": 1.0},
        {"max_quality_loss": float("nan")},
        {"confidence": 0.49},
        {"confidence": 1.0},
    ],
)
def test_limits_out_of_range_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(limits))):
        fit_plans(sums(20), **limits)
