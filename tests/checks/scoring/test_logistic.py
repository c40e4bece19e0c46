"""The regression and its tables, held against dense ones and another's optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from langchain_router.checks.scoring.logistic import fit_logistic, sigmoid
from langchain_router.checks.scoring.platt import fit_platt
from langchain_router.checks.scoring.sparse import Floats, Rows, make_rows

RNG = np.random.default_rng(0)


def some_rows(count: int, width: int) -> tuple[Rows, Floats]:
    dense = RNG.normal(size=(count, width)) * (RNG.random((count, width)) < 0.3)
    dense[0] = 0
    return make_rows([(np.flatnonzero(row), row[row != 0]) for row in dense], width), dense


def test_products_are_those_of_the_dense_table() -> None:
    rows, dense = some_rows(30, 12)
    weights, residuals = RNG.normal(size=12), RNG.normal(size=30)
    assert rows.times(weights) == pytest.approx(dense @ weights, abs=1e-5)
    assert rows.turned_times(residuals) == pytest.approx(dense.T @ residuals, abs=1e-5)
    chosen = np.array([7, 0, 3])
    assert rows.pick(chosen).times(weights) == pytest.approx((dense @ weights)[chosen], abs=1e-5)


def test_scaling_takes_columns_of_scale_zero_out() -> None:
    rows, dense = some_rows(30, 12)
    scales = np.array([0.0, 2.0, 0.0, *RNG.random(9)])
    kept = dense[:, scales != 0] * scales[scales != 0]
    scaled = rows.scaled(scales)
    assert scaled.width == 10
    assert scaled.times(np.ones(10)) == pytest.approx(kept.sum(axis=1), abs=1e-5)
    assert scaled.turned_times(np.ones(30)) == pytest.approx(kept.sum(axis=0), abs=1e-5)


def test_no_rows_make_an_empty_table() -> None:
    assert len(make_rows([], 3)) == 0


def test_it_finds_what_another_optimiser_finds_with_labels_between_no_and_yes() -> None:
    rows, dense = some_rows(200, 15)
    labels, counts = RNG.random(200), RNG.random(200) + 0.1
    share = counts / counts.sum()

    def loss(at: Floats) -> float:
        z = dense @ at[:-1] + at[-1]
        return float(share @ (np.logaddexp(0, z) - labels * z) + 0.025 * at[:-1] @ at[:-1])

    theirs = minimize(loss, np.zeros(16), method="BFGS", options={"gtol": 1e-8})
    ours = fit_logistic(rows, labels, counts, penalty=0.05, iterations=200, tolerance=1e-6)
    assert loss(np.append(ours.weights, ours.intercept)) == pytest.approx(theirs.fun, abs=1e-6)
    assert ours.weights == pytest.approx(theirs.x[:-1], abs=2e-3)


def test_probabilities_that_are_too_sure_are_drawn_in() -> None:
    truth = RNG.normal(size=4_000)
    labels = (RNG.random(4_000) < sigmoid(truth)).astype(float)
    slope, shift = fit_platt(3 * truth + 1, labels, np.ones(4_000))
    assert slope == pytest.approx(1 / 3, abs=0.04)
    assert shift == pytest.approx(-1 / 3, abs=0.1)


def test_a_handful_of_rows_hardly_moves_the_calibration_and_it_never_turns_round() -> None:
    scores = np.array([-1.0, 1.0])
    assert fit_platt(scores, np.array([0.0, 1.0]), np.ones(2))[0] == pytest.approx(1.0, abs=0.3)
    assert fit_platt(np.repeat(scores, 500), np.repeat([1.0, 0.0], 500), np.ones(1_000))[0] > 0
