"""Fits a scorer on answers whose worth is known: how strongly, and how its scores become probabilities."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.checks.scoring.answered import Answered
from langchain_router.checks.scoring.columns import AGREEMENT_START, Columns, columns_for
from langchain_router.checks.scoring.features import CLUES, SIZE, FeatureCache
from langchain_router.checks.scoring.fitted import FittedScorer
from langchain_router.checks.scoring.logistic import Fit, fit_logistic
from langchain_router.checks.scoring.platt import fit_platt
from langchain_router.checks.scoring.sparse import Floats, Rows
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.signals.text import view

_STRENGTHS: Final = (300.0, 100.0, 30.0, 10.0, 3.0)
_WORDS: Final = (0.5, 2.0)
_CLUE_SCALE: Final = 0.3
_OWN_SCALE: Final = 0.2
_LEAST_SPREAD: Final = 0.02
_RARE: Final = 2  # a word that one prompt or answer alone holds says nothing of others
_MOST_CHOSEN_ON: Final = 4_000
_SMALL: Final = 1_000
_FOLDS: Final = 4
_ITERATIONS: Final = 40
_CLOSE: Final = 1e-3
_ROUGH: Final = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """Examples as a regression takes them.

    Attributes:
        rows: Their features.
        labels: Their scores.
        counts: Their weights.
        fold: Of each, by its prompt: answers to one prompt are never on both sides.
    """

    rows: Rows = field(repr=False)
    labels: Floats = field(repr=False)
    counts: Floats = field(repr=False)
    fold: NDArray[np.int64] = field(repr=False)

    def pick(self, chosen: NDArray[np.int64]) -> _Table:
        return _Table(
            rows=self.rows.pick(chosen),
            labels=self.labels[chosen],
            counts=self.counts[chosen],
            fold=self.fold[chosen],
        )


def fit_scorer(
    examples: Iterable[Answered],
    *,
    strengths: Sequence[float] = _STRENGTHS,
    words: Sequence[float] = _WORDS,
    cache: FeatureCache | None = None,
) -> FittedScorer:
    """Fit a scorer on answers whose worth is known.

    A logistic regression on the clues of a careful reader, on hashed words of prompt and answer, on the
    agreement with second answers where the examples hold any, and on which model answered where there are
    several. How strongly its weights are drawn to zero, and how much words count beside clues, is chosen on
    folds of the examples, split by prompt; on those folds its scores are calibrated, too (Platt scaling).
    The same examples give the same scorer.

    Fit it on answers to requests as they come, from the model whose drafts it is to judge; some hundreds are
    needed for it to be of use. Two thousand examples take some two seconds, and reading them three more.

    Args:
        examples: Answers with their scores.
        strengths: From which the pull to zero is chosen, as a count of examples; the strongest first.
        words: From which the weight of words beside clues is chosen, 0 for no words.
        cache: For those who fit on the same texts many times.

    Raises:
        ConfigurationError: There are no examples, or one has no score.

    Example:
        >>> good = [Answered(prompt=f"{n} + 1?", answer=f"{n} + 1 = {n + 1}", score=1) for n in range(40)]
        >>> bad = [Answered(prompt=f"{n} + 1?", answer=f"{n} + 1 = {n + 3}", score=0) for n in range(40)]
        >>> scorer = fit_scorer(good + bad)
        >>> asked = [Answered(prompt="70 + 1?", answer=f"70 + 1 = {told}") for told in (71, 73)]
        >>> [bool(one > 0.5) for one in scorer.probabilities(asked)]
        [True, False]
    """
    given = list(examples)
    labels = np.array([np.nan if one.score is None else one.score for one in given], dtype=np.float64)
    if not given or np.isnan(labels).any():
        what = "an example without a score" if given else "no examples"
        raise ConfigurationError(f"A scorer is fitted on answers with scores, got {what}.")
    if not strengths or not words or min(strengths) <= 0 or min(words) < 0:
        raise ConfigurationError(
            "strengths must be numbers above 0 and words numbers from 0 on, one or more."
        )
    columns = columns_for(given)
    table = _Table(
        rows=columns.rows(given, FeatureCache() if cache is None else cache),
        labels=labels,
        counts=np.array([one.weight for one in given], dtype=np.float64),
        fold=np.array([_fold(one.prompt) for one in given], dtype=np.int64),
    )
    trial = table if len(given) <= _MOST_CHOSEN_ON else table.pick(_some_of(table))
    best = _chosen(_Trials(table=trial, columns=columns), words, sorted(strengths, reverse=True))
    slope, shift = fit_platt(best.scores, best.labels, best.counts) if len(best.scores) else (1.0, 0.0)
    scales = _scales(table.rows, columns, best.words)
    fit = _fit(table, table.rows.scaled(scales), best.strength)
    weights = np.zeros(columns.width)
    weights[scales != 0] = slope * fit.weights * scales[scales != 0]
    return FittedScorer(
        columns=columns,
        weights=weights,
        intercept=slope * fit.intercept + shift,
        examples=len(given),
    )


def _fold(prompt: RoutingRequest | str) -> int:
    text = prompt if isinstance(prompt, str) else view(prompt).window
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[0] % _FOLDS


def _some_of(table: _Table) -> NDArray[np.int64]:
    """Return examples spread evenly over all, as many as choosing needs."""
    return np.unique(np.linspace(0, len(table.labels) - 1, _MOST_CHOSEN_ON).astype(np.int64))


def _scales(rows: Rows, columns: Columns, words: float) -> Floats:
    """Return what each column is multiplied by, so that one strength of pull suits them all."""
    scales = np.zeros(columns.width)
    clue = rows.columns < CLUES
    kinds, values = rows.columns[clue], rows.values[clue].astype(np.float64)
    mean = np.bincount(kinds, values, minlength=CLUES) / len(rows)
    square = np.bincount(kinds, values**2, minlength=CLUES) / len(rows)
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    told = np.where(spread > _LEAST_SPREAD, 1 / np.maximum(spread, _LEAST_SPREAD), 0.0)
    scales[:CLUES] = _CLUE_SCALE * told
    seen_in = np.bincount(rows.columns, minlength=columns.width)[CLUES:SIZE]
    scales[CLUES:SIZE] = words * (seen_in >= _RARE)
    scales[AGREEMENT_START : columns.drafts_start] = 1.0
    for at in range(len(columns.drafts)):
        start = columns.drafts_start + at * (1 + CLUES)
        scales[start] = 1.0
        scales[start + 1 : start + 1 + CLUES] = _OWN_SCALE * told
    return scales


def _fit(
    table: _Table, scaled: Rows, strength: float, *, start: Fit | None = None, tolerance: float = _CLOSE
) -> Fit:
    return fit_logistic(
        scaled,
        table.labels,
        table.counts,
        penalty=strength / table.counts.sum(),
        start=start,
        iterations=_ITERATIONS,
        tolerance=tolerance,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """How well a choice did on rows that it was not fitted on.

    Attributes:
        words: Weight of words beside clues.
        strength: Of the pull to zero.
        loss: Log loss, summed.
        scores: Log-odds that it gave.
        labels: What was right.
        counts: How much each row counts.
    """

    words: float
    strength: float
    loss: float
    scores: Floats = field(repr=False)
    labels: Floats = field(repr=False)
    counts: Floats = field(repr=False)


class _Trials:
    """Tries choices out on folds of the examples."""

    def __init__(self, *, table: _Table, columns: Columns) -> None:
        self._columns = columns
        self._few = len(table.labels) <= _SMALL
        self._sides: list[tuple[_Table, _Table]] = []
        for fold in range(_FOLDS):
            inside = table.fold == fold
            if inside.any() and not inside.all():
                sides = np.flatnonzero(~inside), np.flatnonzero(inside)
                self._sides.append((table.pick(sides[0]), table.pick(sides[1])))

    def quick(self, words: float, strengths: Sequence[float]) -> list[_Trial]:
        """Try strengths out on one fold, or on all where there are few examples."""
        return self._path(words, strengths, self._sides if self._few else self._sides[:1])

    def whole(self, trial: _Trial) -> _Trial:
        """Return a trial as it comes to on all folds."""
        return trial if self._few else self._path(trial.words, [trial.strength], self._sides)[0]

    def _path(
        self, words: float, strengths: Sequence[float], sides: Sequence[tuple[_Table, _Table]]
    ) -> list[_Trial]:
        """Try strengths out, each from where the one before, which is stronger, came to."""
        scores: dict[float, list[Floats]] = {strength: [] for strength in strengths}
        for others, held_out in sides:
            scales = _scales(others.rows, self._columns, words)
            inside, outside = others.rows.scaled(scales), held_out.rows.scaled(scales)
            fit: Fit | None = None
            for strength in strengths:
                fit = _fit(others, inside, strength, start=fit, tolerance=_ROUGH)
                scores[strength].append(fit.scores(outside))
        labels = _joined([held_out.labels for _, held_out in sides])
        counts = _joined([held_out.counts for _, held_out in sides])
        found = []
        for strength, told in scores.items():
            z = _joined(told)
            loss = float(counts @ (np.logaddexp(0.0, z) - labels * z))
            found.append(
                _Trial(words=words, strength=strength, loss=loss, scores=z, labels=labels, counts=counts)
            )
        return found


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate([np.zeros(0), *parts])


def _chosen(trials: _Trials, words: Sequence[float], strengths: Sequence[float]) -> _Trial:
    """Return the choice of least log loss: the strength with words at their heaviest, then their weight."""
    ranked = sorted(words, reverse=True)
    found = trials.quick(ranked[0], strengths)
    best = min(found, key=lambda one: one.loss)
    for share in ranked[1:]:
        found += trials.quick(share, [best.strength])
    return trials.whole(min(found, key=lambda one: one.loss))
