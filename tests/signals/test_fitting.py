"""The two fits, held against scipy and against what they promise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from langchain_router.signals.fitting import fit_ridge, fit_softmax, similarities, softmax, weights_of
from langchain_router.signals.ngrams import BITS, Hashed, hashed

TEXTS = [hashed(f"{verb} {noun}") for verb in ("sort", "translate", "why") for noun in ("it", "this", "ox")]


def dense(texts: Sequence[Hashed] = TEXTS) -> np.ndarray:
    rows = np.zeros((len(texts), 2**BITS))
    for row, text in zip(rows, texts, strict=True):
        np.add.at(row, text.places, text.values)
    return rows


def test_similarities_are_the_inner_products_of_the_texts() -> None:
    many = [hashed(f"what of {word} and {word[::-1]}") for word in map("{:06}".format, range(40))]
    many += [hashed(f"{chr(97 + i % 26) * (i % 7 + 2)} what of {i % 5}") for i in range(40)]
    rows = dense(many)
    assert similarities(many) == pytest.approx(rows @ rows.T, abs=1e-5)


def test_the_softmax_fit_reaches_the_minimum_that_scipy_finds() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, 3))
    targets = np.eye(3)[rng.integers(0, 3, 12)]
    offsets = rng.normal(size=(12, 3))
    importance = rng.random(12)
    importance /= importance.sum()
    l2 = 0.05

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(3, 3)
        told = log_softmax(offsets + rows @ weights, axis=1)
        return float(-(importance * (targets * told).sum(axis=1)).sum() + l2 / 2 * (weights**2).sum())

    oracle = minimize(loss, np.zeros(9), method="BFGS", options={"gtol": 1e-10})
    shares = fit_softmax(rows @ rows.T, targets, offsets=offsets, importance=importance, l2=l2, close=1e-9)
    assert rows.T @ shares == pytest.approx(oracle.x.reshape(3, 3), abs=1e-4)


def test_the_ridge_fit_solves_its_normal_equations() -> None:
    rng = np.random.default_rng(1)
    rows, targets = rng.normal(size=(20, 4)), rng.normal(size=(20, 1))
    importance = rng.random(20) + 0.1
    shares = fit_ridge(rows @ rows.T, targets, importance=importance, l2=0.3)
    normal = np.linalg.solve(
        rows.T @ (importance[:, None] * rows) + 0.3 * np.eye(4), rows.T @ (importance[:, None] * targets)
    )
    assert rows.T @ shares == pytest.approx(normal, abs=1e-9)


def test_weights_give_the_scores_that_the_fit_saw() -> None:
    shares = np.random.default_rng(2).normal(size=(len(TEXTS), 2))
    weights = weights_of(TEXTS, shares)
    assert dense() @ weights == pytest.approx(similarities(TEXTS) @ shares, abs=1e-4)


def test_a_fit_is_the_same_every_time() -> None:
    gram = similarities(TEXTS)
    targets = np.eye(3)[np.repeat(np.arange(3), 3)]
    found = [
        fit_softmax(gram, targets, offsets=np.zeros((9, 3)), importance=np.full(9, 1 / 9), l2=1e-3)
        for _ in range(2)
    ]
    assert (found[0] == found[1]).all()
    assert (softmax(gram @ found[0]).argmax(axis=1) == np.repeat(np.arange(3), 3)).all()
