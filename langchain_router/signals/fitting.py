"""Fits linear models on sparse texts, with numpy alone and the same result every time.

There are far fewer prompts than buckets, and the best weights are a combination of the prompts (the
representer theorem; Schölkopf et al. 2001). So both fits look for one number per prompt and class, and all
they need of the prompts is how alike each two are: a matrix computed once, also for every fold of a
cross-validation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.signals.ngrams import BITS, Hashed

Floats = NDArray[np.float64]

_BLOCK: Final = 4_096
_FEW: Final = 32
_HISTORY: Final = 10
_STEPS_MOST: Final = 400
CLOSE: Final = 1e-3
"""Part of its first slope at which a fit stops: early, which holds weights small as `l2` does."""


def similarities(texts: Sequence[Hashed]) -> Floats:
    """Return the inner product of each two texts.

    Buckets that many texts share are multiplied as a table; of the others, far more, every pair of texts is
    added.
    """
    rows, places, values = _entries(texts)
    gram = np.zeros((len(texts), len(texts)))
    _, starts, counts = np.unique(places, return_index=True, return_counts=True)
    shared = np.flatnonzero(counts > _FEW)
    for at in range(0, len(shared), _BLOCK):
        block = shared[at : at + _BLOCK]
        table = np.zeros((len(texts), len(block)), np.float32)
        for column, one in enumerate(block):
            here = slice(starts[one], starts[one] + counts[one])
            table[rows[here], column] = values[here]
        gram += table @ table.T
    flat = gram.reshape(-1)
    for count in range(1, _FEW + 1):
        here = starts[counts == count][:, None] + np.arange(count)
        pairs = rows[here][:, :, None] * len(texts) + rows[here][:, None, :]
        np.add.at(flat, pairs.ravel(), (values[here][:, :, None] * values[here][:, None, :]).ravel())
    return gram


def weights_of(texts: Sequence[Hashed], shares: Floats) -> Floats:
    """Return the weights, buckets by classes, of which `shares` says how much of each text they hold."""
    weights = np.zeros((2**BITS, shares.shape[1]))
    for text, share in zip(texts, shares, strict=True):
        np.add.at(weights, text.places, text.values[:, None] * share)
    return weights


def softmax(scores: Floats) -> Floats:
    """Return probabilities, row by row."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    found: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return found


def fit_softmax(
    gram: Floats, targets: Floats, *, offsets: Floats, importance: Floats, l2: float, close: float = CLOSE
) -> Floats:
    """Fit a softmax regression on top of scores that are given; returns each text's share in the weights.

    Minimises the weighted log loss plus `l2 / 2` times the squared length of the weights, by L-BFGS (Nocedal
    & Wright 2006, algorithm 7.4) in the space of the texts.

    Args:
        gram: From `similarities`.
        targets: Texts by classes; each row sums to 1.
        offsets: Scores to start from, texts by classes.
        importance: How much each text counts; they sum to 1.
        l2: How strongly weights are held small.
        close: Part of its first slope at which it is done.
    """

    def slope(at: _Vector) -> tuple[float, Floats]:
        given = softmax(offsets + at.scores)
        lost = -float(importance @ np.log(np.maximum((given * targets).sum(axis=1), 1e-300)))
        return lost + l2 / 2 * at.times(at), importance[:, None] * (given - targets) + l2 * at.shares

    at = _Vector(np.zeros_like(targets), np.zeros_like(targets))
    value, shares = slope(at)
    uphill = _Vector(shares, gram @ shares)
    enough = close * math.sqrt(uphill.times(uphill))
    past: list[tuple[_Vector, _Vector]] = []
    for _ in range(_STEPS_MOST):
        if math.sqrt(max(0.0, uphill.times(uphill))) <= enough:
            break
        step = _downhill(uphill, past)
        moved = _searched(lambda point: slope(point)[0], at, value, step, step.times(uphill))
        if moved is None:
            break
        at = at.plus(moved)
        value, shares = slope(at)
        steeper = _Vector(shares, gram @ shares)
        turned, uphill = steeper.plus(uphill, -1.0), steeper
        if moved.times(turned) > 0:
            past = [*past[1 - _HISTORY :], (moved, turned)]
    return at.shares


def fit_ridge(gram: Floats, targets: Floats, *, importance: Floats, l2: float) -> Floats:
    """Fit a ridge regression; returns each text's share in the weights.

    Minimises the weighted squared error plus `l2` times the squared length of the weights.
    """
    return np.asarray(np.linalg.solve(gram + np.diag(l2 / importance), targets), np.float64)


@dataclass(frozen=True, slots=True)
class _Vector:
    """Weights, as the share of each text in them and as the scores that they give to each text."""

    shares: Floats
    scores: Floats

    def plus(self, other: _Vector, factor: float = 1.0) -> _Vector:
        return _Vector(self.shares + factor * other.shares, self.scores + factor * other.scores)

    def scaled(self, factor: float) -> _Vector:
        return _Vector(factor * self.shares, factor * self.scores)

    def times(self, other: _Vector) -> float:
        return float((self.shares * other.scores).sum())


def _downhill(uphill: _Vector, past: list[tuple[_Vector, _Vector]]) -> _Vector:
    """Return where to go: the slope, bent by how it turned along the last steps."""
    step, factors = uphill, []
    for moved, turned in reversed(past):
        factor = moved.times(step) / moved.times(turned)
        step = step.plus(turned, -factor)
        factors.append(factor)
    if past:
        moved, turned = past[-1]
        step = step.scaled(moved.times(turned) / turned.times(turned))
    for (moved, turned), factor in zip(past, reversed(factors), strict=True):
        step = step.plus(moved, factor - turned.times(step) / moved.times(turned))
    return step.scaled(-1.0)


def _searched(
    loss: Callable[[_Vector], float], at: _Vector, value: float, step: _Vector, drop: float
) -> _Vector | None:
    """Return the step, halved until it leads down enough; None where none does, which is at the bottom."""
    for halvings in range(30):
        moved = step.scaled(0.5**halvings)
        if loss(at.plus(moved)) <= value + 1e-4 * 0.5**halvings * drop:
            return moved
    return None


def _entries(texts: Sequence[Hashed]) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Return rows, buckets and values of all texts, by bucket and then by row, each pair once."""
    rows = np.repeat(np.arange(len(texts)), [len(text.places) for text in texts])
    keys = np.concatenate([text.places for text in texts]) * len(texts) + rows
    distinct, place = np.unique(keys, return_inverse=True)
    values = np.bincount(place, np.concatenate([text.values for text in texts])).astype(np.float64)
    return distinct % len(texts), distinct // len(texts), values
