"""The plans that could be chosen on recorded answers, fitted, and what each would have come to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.checks.scoring.answered import Answered
from langchain_router.checks.scoring.columns import Columns
from langchain_router.checks.scoring.features import CLUES, SIZE, FeatureCache
from langchain_router.checks.scoring.gain import GainScorer
from langchain_router.checks.scoring.sparse import Rows
from langchain_router.evaluation.plans.progress import Progress
from langchain_router.evaluation.plans.table import Real, Table
from langchain_router.quality.ridge import Ridge

_MOST_DRAFTS: Final = 4
_SECONDS: Final = {0: 0, 1: 3, 2: 3, 3: 4}
"""By how many second answers a check compares with: from how many models these are taken."""
_MOST_LASTS: Final = 3
_CLOSE_TO_BEST: Final = 0.04
_CHEAP: Final = 0.7
_TOGETHER: Final = 0.5
_RATES: Final = (0.04, 0.08, 0.12, 0.17, 0.22, 0.28, 0.35, 0.42, 0.5, 0.6, 0.7, 0.82)

_CLUE_SCALE: Final = 0.2
_AGREEMENT_SCALE: Final = 0.8
_LEAST_SPREAD: Final = 0.02
_RARE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A plan: one model, or a draft with a fitted check and the model that answers when it does not pass.

    Attributes:
        draft: Column of the model that answers first; of the only one where nothing is checked.
        seconds: Columns of the models whose answers the check compares with.
        last: Column of the model that takes over; None where nothing is checked.
        most_gain: Escalated is what the scorer expects to gain more than this from, in score points.
        scorer: Says how much; None where nothing is checked.
    """

    draft: int
    seconds: tuple[int, ...] = ()
    last: int | None = None
    most_gain: float = 0.0
    scorer: GainScorer | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """What every arm came to on every prompt: a row for each prompt, a column for each arm.

    Attributes:
        scores: Of the answer returned.
        costs_usd: Of all calls, in US dollars: drafts, second answers and the last.
        escalated: Whether the first answer was not enough.
    """

    scores: Real
    costs_usd: Real
    escalated: NDArray[np.bool_]

    def of(self, arms: Sequence[int] | NDArray[np.int64]) -> Came:
        """Return the columns of some arms."""
        return Came(
            scores=self.scores[:, arms], costs_usd=self.costs_usd[:, arms], escalated=self.escalated[:, arms]
        )


def fit_arms(table: Table, *, cache: FeatureCache, progress: Progress) -> tuple[list[Arm], Came]:
    """Enumerate plans and fit their checks; return them with what they came to on the same rows.

    There each check judges every answer by a fit without it, so that what comes out is what to expect of
    other rows (but for the choices made with it in view).

    Args:
        table: The rows to fit on.
        cache: Features of the texts.
        progress: Is told how far this is.
    """
    arms = [Arm(draft=model) for model in range(len(table.models))]
    came = [alone(table, model) for model in range(len(table.models))]
    structures = list(_structures(table))
    for number, (draft, seconds, lasts) in enumerate(structures, 1):
        progress(f"{table.models[draft]}: check {number} of {len(structures)}")
        rows, columns = rows_of(table, draft, seconds, cache)
        scales = _scales(rows, columns)
        targets = np.stack([table.scores[:, last] - table.scores[:, draft] for last in lasts], axis=1)
        fit = Ridge(_dense(rows) * scales).fit(targets)
        for place, last in enumerate(lasts):
            gains = fit.left_out[:, place]
            scorer = GainScorer(
                columns=columns,
                weights=fit.weights[:, place] * scales,
                constant=float(fit.constants[place]),
            )
            for most_gain in sorted({float(one) for one in np.quantile(gains, [1 - r for r in _RATES])}):
                if 0 <= most_gain < 1:
                    arm = Arm(draft=draft, seconds=seconds, last=last, most_gain=most_gain, scorer=scorer)
                    arms.append(arm)
                    came.append(checked(table, arm, gains))
    return arms, joined(came)


def came_of(arms: Sequence[Arm], table: Table, *, cache: FeatureCache) -> Came:
    """Return what fitted arms come to on other rows."""
    known: dict[int, Real] = {}
    came = []
    for arm in arms:
        if arm.scorer is None:
            came.append(alone(table, arm.draft))
            continue
        if id(arm.scorer) not in known:
            rows, _ = rows_of(table, arm.draft, arm.seconds, cache)
            known[id(arm.scorer)] = rows.times(arm.scorer.weights.astype(np.float64)) + arm.scorer.constant
        came.append(checked(table, arm, known[id(arm.scorer)]))
    return joined(came)


def alone(table: Table, model: int) -> Came:
    """Return what a model comes to that answers alone."""
    return Came(
        scores=table.scores[:, [model]],
        costs_usd=table.costs_usd[:, [model]],
        escalated=np.zeros((len(table), 1), np.bool_),
    )


def checked(table: Table, arm: Arm, gains: Real) -> Came:
    """Return what an arm with a check comes to, where so much is expected to be gained by escalating."""
    assert arm.last is not None  # noqa: S101 - an arm with a scorer has one
    escalated = gains > arm.most_gain
    paid = table.costs_usd[:, [arm.draft, *arm.seconds]].sum(axis=1)
    return Came(
        scores=np.where(escalated, table.scores[:, arm.last], table.scores[:, arm.draft])[:, None],
        costs_usd=(paid + np.where(escalated, table.costs_usd[:, arm.last], 0.0))[:, None],
        escalated=escalated[:, None],
    )


def joined(came: Sequence[Came]) -> Came:
    """Return several as one, their arms side by side."""
    return Came(
        scores=np.concatenate([one.scores for one in came], axis=1),
        costs_usd=np.concatenate([one.costs_usd for one in came], axis=1),
        escalated=np.concatenate([one.escalated for one in came], axis=1),
    )


def rows_of(table: Table, draft: int, seconds: Sequence[int], cache: FeatureCache) -> tuple[Rows, Columns]:
    """Return the features of a model's answers, beside what others answered."""
    names = [table.models[one] for one in seconds]
    columns = Columns(seconds=tuple(sorted(names)) if len(names) > 1 else ())
    examples = [
        Answered(
            prompt=prompt,
            answer=table.answer(row, draft),
            seconds={name: table.answer(row, one) for name, one in zip(names, seconds, strict=True)},
        )
        for row, prompt in enumerate(table.prompts)
    ]
    return columns.rows(examples, cache), columns


def best_single(table: Table) -> int:
    """Return the model with the best mean score; of equals the cheaper."""
    scores = table.scores.mean(axis=0)
    return int(np.lexsort((table.costs_usd.mean(axis=0), -scores))[0])


def _structures(table: Table) -> Iterator[tuple[int, tuple[int, ...], list[int]]]:
    """Yield drafts, seconds, and who may take over, by rules that look at means only.

    Drafts are those with which a cascade would cost least if its check were perfect; seconds likewise, their
    errors counting for less; both only where the texts of all answers are known. Who takes over is the best
    model or one close to it.
    """
    scores, costs = table.scores.mean(axis=0), table.costs_usd.mean(axis=0)
    best = best_single(table)
    cheap = [model for model in table.answered if costs[model] < _CHEAP * costs[best] and model != best]
    lasts = sorted(
        (model for model in range(len(costs)) if scores[model] >= scores[best] - _CLOSE_TO_BEST),
        key=lambda model: (-scores[model], costs[model]),
    )[:_MOST_LASTS]
    drafts = sorted(cheap, key=lambda model: costs[model] + (1 - scores[model]) * costs[best])
    seconds = sorted(cheap, key=lambda model: costs[model] + 0.2 * (1 - scores[model]) * costs[best])
    for draft in drafts[:_MOST_DRAFTS]:
        others = [one for one in seconds if one != draft]
        groups = [group for size, most in _SECONDS.items() for group in combinations(others[:most], size)]
        for group in groups:
            together = costs[[draft, *group]].sum()
            takers = [last for last in lasts if last != draft and last not in group]
            if takers and (not group or together < _TOGETHER * costs[best]):
                yield draft, tuple(group), takers


def _scales(rows: Rows, columns: Columns) -> NDArray[np.float32]:
    """Return what each column is multiplied by, so that one pull to zero suits them all."""
    scales = np.full(columns.width, _AGREEMENT_SCALE, np.float32)
    clue = rows.columns < CLUES
    kinds, values = rows.columns[clue], rows.values[clue].astype(np.float64)
    mean = np.bincount(kinds, values, minlength=CLUES) / len(rows)
    square = np.bincount(kinds, values**2, minlength=CLUES) / len(rows)
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    scales[:CLUES] = np.where(spread > _LEAST_SPREAD, _CLUE_SCALE / np.maximum(spread, _LEAST_SPREAD), 0.0)
    seen_in = np.bincount(rows.columns, minlength=columns.width)[CLUES:SIZE]
    scales[CLUES:SIZE] = seen_in >= _RARE
    return scales


def _dense(rows: Rows) -> NDArray[np.float32]:
    table = np.zeros((len(rows), rows.width), np.float32)
    table[rows.row_of, rows.columns] = rows.values
    return table
