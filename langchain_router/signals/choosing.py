"""Chooses how strongly a classifier is held, and calibrates it, on prompts held out from each fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.signals.fitting import Floats, fit_softmax, softmax

_TEMPERATURES: Final = np.geomspace(0.25, 4.0, 121)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Prompts with labels, as what a fit needs of them.

    Attributes:
        gram: How alike each two are, from `similarities`.
        told: Log-probabilities of the keywords, prompts by intents.
        truth: The intent of each, by its number.
        importance: How much each counts; they sum to 1.
        folds: In which part each is held out.
    """

    gram: Floats
    told: Floats
    truth: NDArray[np.intp]
    importance: Floats
    folds: NDArray[np.intp]

    def fit(self, choice: Choice, rows: NDArray[np.intp] | None = None) -> Floats:
        """Return the share of each of these rows (all, when None) in the weights."""
        rows = np.arange(len(self.truth)) if rows is None else rows
        return fit_softmax(
            self.gram[np.ix_(rows, rows)],
            np.eye(self.told.shape[1])[self.truth[rows]],
            offsets=choice.keywords * self.told[rows],
            importance=self.importance[rows] / self.importance[rows].sum(),
            l2=choice.l2,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A way to fit.

    Attributes:
        keywords: How much the keywords' log-probabilities count.
        l2: How strongly weights are held small.
    """

    keywords: float
    l2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What cross-validation says of a choice.

    Attributes:
        choice: What was tried.
        temperature: What to divide the scores by.
        log_loss: On held-out prompts, at that temperature.
        macro_f1: On held-out prompts.
    """

    choice: Choice
    temperature: float
    log_loss: float
    macro_f1: float


def try_all(data: Labelled, *, keywords: Iterable[float], l2: Iterable[float]) -> list[Tried]:
    """Cross-validate every pair; the first in the list is the one with the least log loss.

    Example:
        >>> gram = np.kron(np.eye(2), np.ones((4, 4)))  # two kinds of texts, four of each
        >>> data = Labelled(
        ...     gram=gram, told=np.zeros((8, 2)), truth=np.repeat([0, 1], 4),
        ...     importance=np.full(8, 1 / 8), folds=np.arange(8) % 2)
        >>> [tried.macro_f1 for tried in try_all(data, keywords=[0.0], l2=[0.01])]
        [1.0]
    """
    tried = [_tried(data, Choice(keywords=share, l2=held)) for share, held in product(keywords, l2)]
    return sorted(tried, key=lambda one: one.log_loss)


def macro_f1(truth: NDArray[np.intp], said: NDArray[np.intp]) -> float:
    """Return the mean F1 of the classes that occur in `truth`."""
    found = []
    for one in np.unique(truth):
        right = int(((truth == one) & (said == one)).sum())
        found.append(2 * right / (int((truth == one).sum()) + int((said == one).sum())))
    return float(np.mean(found))


def log_loss(scores: Floats, truth: NDArray[np.intp], importance: Floats) -> float:
    """Return the weighted mean of minus the log-probability of what is true."""
    given = softmax(scores)[np.arange(len(truth)), truth]
    return float(-(importance @ np.log(np.maximum(given, 1e-12))) / importance.sum())


def _tried(data: Labelled, choice: Choice) -> Tried:
    scores = held_out(data, choice)
    losses = [log_loss(scores / one, data.truth, data.importance) for one in _TEMPERATURES]
    best = int(np.argmin(losses))
    return Tried(
        choice=choice,
        temperature=round(float(_TEMPERATURES[best]), 3),
        log_loss=losses[best],
        macro_f1=macro_f1(data.truth, scores.argmax(axis=1)),
    )


def held_out(data: Labelled, choice: Choice) -> Floats:
    """Return each prompt's scores by weights that it had no share in.

    The temperature is chosen on these (Guo et al. 2017, "On Calibration of Modern Neural Networks", section
    4.2).
    """
    scores = choice.keywords * data.told
    for fold in np.unique(data.folds):
        out, rest = np.flatnonzero(data.folds == fold), np.flatnonzero(data.folds != fold)
        scores[out] += data.gram[np.ix_(out, rest)] @ data.fit(choice, rest)
    return scores
