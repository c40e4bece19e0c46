"""Ridge regression: its predictions and left-out predictions are those of plain refits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from langchain_router.quality.ridge import PENALTIES, Ridge

Real = NDArray[np.float64]
SHAPES = [(30, 60), (60, 8), (12, 12)]
"""Wide, tall and square."""


def made(rows: int, columns: int, *, seed: int = 0, noise: float = 0.5) -> tuple[NDArray[np.float32], Real]:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(1.0, 1.0, (rows, columns)).astype(np.float32)
    truth = rng.normal(size=(columns, 2)) * np.array([1.0, 0.0])
    return inputs, inputs @ truth + 3.0 + noise * rng.normal(size=(rows, 2))


def solved(inputs: NDArray[np.float32], targets: Real, penalty: float) -> tuple[Real, Real]:
    """Weights and constants by the normal equations, the constant not shrunk."""
    wide = inputs.astype(np.float64)
    middle, mean = wide.mean(axis=0), targets.mean(axis=0)
    centred = wide - middle
    pull = penalty * np.eye(wide.shape[1])
    weights = np.linalg.solve(centred.T @ centred + pull, centred.T @ (targets - mean))
    return weights, mean - middle @ weights


def refitted_without_each(inputs: NDArray[np.float32], targets: Real, penalty: float) -> Real:
    found = np.zeros_like(targets)
    for row in range(len(inputs)):
        others = np.arange(len(inputs)) != row
        weights, constants = solved(inputs[others], targets[others], penalty)
        found[row] = inputs[row].astype(np.float64) @ weights + constants
    return found


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("penalty", [1.0, 30.0])
def test_what_it_predicts_is_what_a_direct_solution_predicts(rows: int, columns: int, penalty: float) -> None:
    inputs, targets = made(rows, columns)
    fresh, _ = made(20, columns, seed=1)
    weights, constants = solved(inputs, targets, penalty)
    predicted = Ridge(inputs).fit(targets, penalties=[penalty]).predict(fresh)
    np.testing.assert_allclose(predicted, fresh @ weights + constants, atol=2e-3)


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
@pytest.mark.parametrize("penalty", [1.0, 30.0])
def test_left_out_predictions_are_those_of_a_refit_without_the_row(
    rows: int, columns: int, penalty: float
) -> None:
    inputs, targets = made(rows, columns)
    fit = Ridge(inputs).fit(targets, penalties=[penalty])
    np.testing.assert_allclose(fit.left_out, refitted_without_each(inputs, targets, penalty), atol=5e-3)


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_rows_that_come_twice_and_columns_that_never_change_do_no_harm(rows: int, columns: int) -> None:
    inputs, targets = made(rows, columns)
    inputs[1::2], targets[1::2] = inputs[::2], targets[::2]
    inputs[:, 1] = 0.0
    fit = Ridge(inputs).fit(targets, penalties=[3.0])
    np.testing.assert_allclose(fit.left_out, refitted_without_each(inputs, targets, 3.0), atol=5e-3)
    np.testing.assert_allclose(fit.weights[1], 0.0, atol=1e-9)


@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_each_target_gets_the_penalty_of_the_least_left_out_error(rows: int, columns: int) -> None:
    inputs, targets = made(rows, columns, noise=2.0)
    ridge = Ridge(inputs)
    alone = [ridge.fit(targets, penalties=[one]) for one in PENALTIES]
    errors = np.array([((one.left_out - targets) ** 2).mean(axis=0) for one in alone])
    best = errors.argmin(axis=0)
    fit = ridge.fit(targets)
    for target, place in enumerate(best):
        np.testing.assert_array_equal(fit.left_out[:, target], alone[place].left_out[:, target])
        np.testing.assert_allclose(fit.weights[:, target], alone[place].weights[:, target], rtol=1e-5)
    assert best[0] < best[1], "what the inputs say nothing of is pulled harder"


def test_the_order_of_the_penalties_does_not_matter() -> None:
    inputs, targets = made(40, 10)
    forward, back = Ridge(inputs).fit(targets), Ridge(inputs).fit(targets, penalties=PENALTIES[::-1])
    np.testing.assert_array_equal(forward.left_out, back.left_out)


def test_what_is_explained_is_counted_on_left_out_rows() -> None:
    inputs, targets = made(60, 8)
    fit = Ridge(inputs).fit(targets)
    error = ((fit.left_out - targets) ** 2).mean(axis=0)
    np.testing.assert_allclose(fit.explained, 1 - error / targets.var(axis=0))
    assert fit.explained[0] > 0.9
    assert fit.explained[1] < 0.1, "noise is not explained, though a fit on all rows would seem to"


def test_several_targets_at_once_are_fitted_as_one_after_the_other() -> None:
    inputs, targets = made(25, 40)
    ridge = Ridge(inputs)
    together = ridge.fit(targets)
    for target in range(2):
        alone = ridge.fit(targets[:, [target]])
        np.testing.assert_allclose(together.left_out[:, [target]], alone.left_out, atol=1e-9)


@pytest.mark.parametrize("columns", [1, 50])
def test_inputs_that_say_nothing_leave_the_mean(columns: int) -> None:
    inputs, targets = np.full((20, columns), 2.0, np.float32), np.arange(40.0).reshape(20, 2)
    fit = Ridge(inputs).fit(targets)
    np.testing.assert_allclose(fit.predict(inputs), np.tile(targets.mean(axis=0), (20, 1)))
    others = (targets.sum(axis=0) - targets) / 19
    np.testing.assert_allclose(fit.left_out, others, atol=1e-6)


def test_a_target_that_never_changes_is_predicted_as_it_is() -> None:
    inputs, _ = made(30, 60)
    fit = Ridge(inputs).fit(np.full((30, 1), 0.7))
    np.testing.assert_allclose(fit.predict(inputs), 0.7, atol=1e-6)
    np.testing.assert_allclose(fit.left_out, 0.7, atol=1e-6)
