"""Which recorded models play the draft's, the second's and the premium model's part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from langchain_router.candidates.family import family
from langchain_router.evaluation.recorded import complete_rows, is_complete
from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.replay import ReplayRow

_DENSE_SHARE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """Who plays which part.

    Attributes:
        draft: The cheap model that answers first.
        second: The cheap model whose answer an agreement check compares.
        premium: The model that answers when the draft is not taken.
    """

    draft: str
    second: str
    premium: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a model did over a data set.

    Attributes:
        model: Its name.
        score: Mean score, 0..1.
        cost_usd: Mean cost of an answer, in US dollars.
    """

    model: str
    score: float
    cost_usd: float


def standings(rows: Sequence[ReplayRow]) -> list[Standing]:
    """Return how every model did that answered nearly all rows, the cheapest first."""
    models = sorted({model for row in rows for model in row.outcomes})
    found = []
    for model in models:
        outcomes = [row.outcomes[model] for row in rows if is_complete(row, model)]
        if outcomes and len(outcomes) >= _DENSE_SHARE * len(rows):
            found.append(
                Standing(
                    model=model,
                    score=fmean(outcome.score for outcome in outcomes),
                    cost_usd=fmean(outcome.cost_usd or 0.0 for outcome in outcomes),
                )
            )
    return sorted(found, key=lambda one: (one.cost_usd, one.model))


def choose_lineup(
    rows: Sequence[ReplayRow],
    *,
    draft: str | None = None,
    second: str | None = None,
    premium: str | None = None,
) -> Lineup:
    """Choose the models by one rule for every data set, so that no choice is made with its result in view.

    The premium model is the one with the best mean score, the cheaper one of equals. The draft's is the
    cheaper model with which a cascade would cost least if its check were perfect: its own cost, plus the
    premium model's for the share of requests that it gets wrong. The second is the next by the same measure
    that comes from another family, as kin share their errors. So the rule has no figure to tune, and knows
    nothing of any check.

    Args:
        rows: On which to compare them; not those that are reported on.
        draft: Takes this model instead.
        second: Likewise.
        premium: Likewise.

    Raises:
        ConfigurationError: A model given is not among those that answered nearly all rows, or there are
            fewer than three.
    """
    known = {one.model: one for one in standings(rows)}
    for given in (draft, second, premium):
        if given is not None and given not in known:
            raise ConfigurationError(f"No model {given!r} answered nearly all rows; {', '.join(known)} did.")
    if len(known) < 3:
        raise ConfigurationError("Fewer than three models answered nearly all rows.")
    best = premium or min(known.values(), key=lambda one: (-one.score, one.cost_usd)).model

    def cascade_usd(one: Standing) -> float:
        return one.cost_usd + (1 - one.score) * known[best].cost_usd

    ranked = sorted((one for one in known.values() if one.model != best), key=cascade_usd)
    cheaper = [one.model for one in ranked if one.cost_usd < known[best].cost_usd]
    first = draft or next((model for model in cheaper if model != second), None)
    others = [model for model in cheaper if model != first]
    kinless = [model for model in others if first is not None and family(model) != family(first)]
    other = second or next(iter([*kinless, *others]), None)
    if first is None or other is None or len({first, other, best}) < 3:
        raise ConfigurationError(
            f"No two further models are cheaper than {best!r}; name the draft's and the second yourself."
        )
    return Lineup(draft=first, second=other, premium=best)


def rows_of(rows: Sequence[ReplayRow], lineup: Lineup) -> tuple[ReplayRow, ...]:
    """Return the rows in which all three models answered."""
    return complete_rows(rows, (lineup.draft, lineup.second, lineup.premium))
