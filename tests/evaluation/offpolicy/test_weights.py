"""Weights: how much evidence they are."""

from __future__ import annotations

import numpy as np
import pytest

from langchain_router.evaluation.offpolicy.weights import clipped, effective_sample


def test_the_effective_sample_is_that_of_the_variance_of_a_weighted_mean() -> None:
    rng = np.random.default_rng(2)
    weight = rng.exponential(size=200)
    means = rng.normal(size=(20_000, 200)) @ weight / weight.sum()
    assert effective_sample(weight) == pytest.approx(1 / means.var(), rel=0.03)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_effective_sample_is_the_same_at_any_scale(scale: float) -> None:
    assert effective_sample(scale * np.array([1.0, 2.0, 3.0])) == pytest.approx(36 / 14)


def test_nothing_weighs_nothing() -> None:
    assert effective_sample(np.zeros(5)) == effective_sample(np.zeros(0)) == 0


def test_weights_are_clipped_at_the_square_root_of_their_number_unless_said_otherwise() -> None:
    weight = np.array([1.0] * 99 + [50.0])
    assert clipped(weight).max() == 10
    assert clipped(weight, 60.0).max() == 50
