"""Recorded answers as tables: a row for each prompt, a column for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.replay import ReplayRow

Real = NDArray[np.float64]

_ROWS_SHARES: Final = (0.5, 0.2)
_LEAST_ROWS: Final = 10


@dataclass(frozen=True, kw_only=True)
class Table:
    """Prompts that all of some models answered, at a known cost.

    Attributes:
        models: The columns, the cheapest first.
        rows: The prompts.
    """

    models: tuple[str, ...]
    rows: tuple[ReplayRow, ...] = field(repr=False)

    @cached_property
    def scores(self) -> Real:
        """Score of each prompt and model, 0..1."""
        return np.array([[row.outcomes[name].score for name in self.models] for row in self.rows], np.float64)

    @cached_property
    def costs_usd(self) -> Real:
        """Cost of each answer, in US dollars."""
        costs = [[row.outcomes[name].cost_usd or 0.0 for name in self.models] for row in self.rows]
        return np.array(costs, np.float64)

    @cached_property
    def prompts(self) -> tuple[str, ...]:
        """Text of each prompt."""
        return tuple(row.prompt for row in self.rows)

    @cached_property
    def answered(self) -> tuple[int, ...]:
        """The models of which the text of every answer is known."""
        return tuple(
            model
            for model, name in enumerate(self.models)
            if all(row.outcomes[name].response is not None for row in self.rows)
        )

    def once_each(self) -> Table:
        """Return the table with each prompt once, as it first comes.

        A row that stands twice would be predicted by its twin, and count twice as evidence.
        """
        first: dict[str, ReplayRow] = {}
        for row in self.rows:
            first.setdefault(row.prompt, row)
        return Table(models=self.models, rows=tuple(first.values()))

    def answer(self, row: int, model: int) -> str:
        """Return the text of an answer."""
        return self.rows[row].outcomes[self.models[model]].response or ""

    def of(self, rows: Sequence[ReplayRow]) -> Table:
        """Return the table of other rows, with the same columns; rows that lack one are left out."""
        return Table(models=self.models, rows=_complete(rows, self.models))

    def __len__(self) -> int:
        """Return how many prompts there are."""
        return len(self.rows)


def dense_table(rows: Sequence[ReplayRow]) -> Table:
    """Return a table of the rows with as many models as have enough of them in common.

    Models are taken in the order of how many prompts they answered, as long as at least half of the rows hold
    answers of all of them, or a fifth where no two models have half of them in common. The others, and the
    rows that lack one, are left out.

    Raises:
        ConfigurationError: No two models have ten prompts in common.
    """
    answered = {
        name: sum(_is_known(row, name) for row in rows) for name in {n for r in rows for n in r.outcomes}
    }
    kept: list[str] = []
    for share in _ROWS_SHARES:
        kept = []
        for name in sorted(answered, key=lambda name: (-answered[name], name)):
            if len(_complete(rows, [*kept, name])) >= max(_LEAST_ROWS, share * len(rows)):
                kept.append(name)
        if len(kept) > 1:
            break
    else:
        raise ConfigurationError(
            f"Of {len(rows)} prompts no two models answered the same {_LEAST_ROWS} at a known cost, or a "
            "fifth if that is more; give files in which the same models answered the same prompts."
        )
    found = _complete(rows, kept)
    cost = {name: sum(row.outcomes[name].cost_usd or 0.0 for row in found) for name in kept}
    return Table(models=tuple(sorted(kept, key=lambda name: (cost[name], name))), rows=found)


def _complete(rows: Sequence[ReplayRow], models: Sequence[str]) -> tuple[ReplayRow, ...]:
    return tuple(row for row in rows if all(_is_known(row, name) for name in models))


def _is_known(row: ReplayRow, model: str) -> bool:
    outcome = row.outcomes.get(model)
    return outcome is not None and outcome.cost_usd is not None
