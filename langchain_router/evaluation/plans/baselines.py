"""What a policy is held against: choices that look at no answer, and at little or nothing of the prompt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from langchain_router.evaluation.plans.arms import best_single
from langchain_router.evaluation.plans.table import Real, Table

_SHARES: Final = np.linspace(0.0, 1.0, 51)
_WEIGHTS: Final = np.logspace(-3, 1, 40)


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """A choice as shares: of each test prompt, how often each model answers it.

    Attributes:
        shares: A row for each prompt, a column for each model.
        words: Where it was set.
    """

    shares: Real = field(repr=False)
    words: str = ""

    def scores(self, table: Table) -> Real:
        """Return the expected score of each prompt."""
        expected: Real = (self.shares * table.scores).sum(axis=1)
        return expected

    def costs_usd(self, table: Table) -> Real:
        """Return the expected cost of each prompt, in US dollars."""
        expected: Real = (self.shares * table.costs_usd).sum(axis=1)
        return expected


Baseline = Callable[[Table, Table, float], Mixed]
"""Takes the fit rows, the test rows and the quality that may be lost; sets itself on the first alone."""


def cheapest(fit: Table, test: Table, max_quality_loss: float) -> Mixed:  # noqa: ARG001 - one shape for all
    """Take the cheapest model, whatever is lost."""
    return _one(test, int(fit.costs_usd.mean(axis=0).argmin()))


def single(fit: Table, test: Table, max_quality_loss: float) -> Mixed:  # noqa: ARG001 - likewise
    """Take the best single model: the reference."""
    return _one(test, best_single(fit))


def best_static(fit: Table, test: Table, max_quality_loss: float) -> Mixed:
    """Take the cheapest model that loses no more than allowed on the fit rows."""
    scores, costs = fit.scores.mean(axis=0), fit.costs_usd.mean(axis=0)
    enough = scores >= scores[best_single(fit)] - max_quality_loss
    return _one(test, int(np.where(enough, costs, np.inf).argmin()))


def random_mix(fit: Table, test: Table, max_quality_loss: float) -> Mixed:
    """Give a random share of the prompts to a cheaper model, the one with which that saves most."""
    scores, costs = fit.scores.mean(axis=0), fit.costs_usd.mean(axis=0)
    best = best_single(fit)
    gap = np.maximum(scores[best] - scores, 1e-9)
    share = np.minimum(1.0, max_quality_loss / gap)
    other = int((share * (costs[best] - costs)).argmax())
    mixed = _one(test, best).shares
    mixed[:, best] -= share[other]
    mixed[:, other] += share[other]
    return Mixed(shares=mixed, words=f"{share[other]:.0%} to {fit.models[other]}")


def by_score(measure: Callable[[Table], Real]) -> Baseline:
    """Return a baseline that gives the prompts of the highest score to the best model, others to another.

    Args:
        measure: Gives each prompt a number, such as its length.
    """

    def choose(fit: Table, test: Table, max_quality_loss: float) -> Mixed:
        best, known = best_single(fit), measure(fit)
        cuts = [-np.inf, *np.quantile(known, _SHARES[1:-1]).tolist(), np.inf]
        base = fit.scores[:, best].mean() - max_quality_loss
        found = (0, best, np.inf)
        for place, cut in enumerate(cuts):
            to_other = (known < cut)[:, None]
            quality = np.where(to_other, fit.scores, fit.scores[:, [best]]).mean(axis=0)
            cost = np.where(to_other, fit.costs_usd, fit.costs_usd[:, [best]]).mean(axis=0)
            other = int(np.where(quality >= base, cost, np.inf).argmin())
            if quality[other] >= base and cost[other] < found[2]:
                found = (place, other, float(cost[other]))
        place, other, _ = found
        to_other = measure(test) < cuts[place]
        mixed = np.zeros_like(test.scores)
        mixed[:, best] += ~to_other
        mixed[:, other] += to_other
        return Mixed(shares=mixed, words=f"{_SHARES[place]:.0%} to {fit.models[other]}")

    return choose


def prompt_length(table: Table) -> Real:
    """Return the length of each prompt, in characters."""
    return np.array([len(prompt) for prompt in table.prompts], np.float64)


def per_dataset_table(fit: Table, test: Table, max_quality_loss: float) -> Mixed:
    """Take, for each kind of prompt that the rows are labelled with, the model that was best for its cost."""
    best = best_single(fit)
    full = max(float(fit.costs_usd[:, best].mean()), 1e-12)
    kinds: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(fit.rows):
        kinds[f"{row.dataset}/{row.domain}"].append(place)
    means = {
        kind: (fit.scores[places].mean(axis=0), fit.costs_usd[places].mean(axis=0) / full)
        for kind, places in kinds.items()
    }
    base = fit.scores[:, best].mean() - max_quality_loss
    chosen, least = dict.fromkeys(kinds, best), float(fit.costs_usd[:, best].sum())
    for weight in _WEIGHTS:
        tried = {kind: int((scores - weight * costs).argmax()) for kind, (scores, costs) in means.items()}
        total = sum(fit.scores[places, tried[kind]].sum() for kind, places in kinds.items())
        cost = sum(fit.costs_usd[places, tried[kind]].sum() for kind, places in kinds.items())
        if total / len(fit) >= base and cost < least:
            chosen, least = tried, float(cost)
    mixed = np.zeros_like(test.scores)
    for place, row in enumerate(test.rows):
        mixed[place, chosen.get(f"{row.dataset}/{row.domain}", best)] = 1.0
    return Mixed(shares=mixed, words=f"{len(kinds)} kinds")


def oracle(fit: Table, test: Table, max_quality_loss: float) -> Mixed:  # noqa: ARG001 - likewise
    """Take for each prompt the cheapest model that does no worse than the reference, as known afterwards."""
    enough = test.scores >= test.scores[:, [best_single(fit)]]
    chosen = np.where(enough, test.costs_usd, np.inf).argmin(axis=1)
    mixed = np.zeros_like(test.scores)
    mixed[np.arange(len(test)), chosen] = 1.0
    return Mixed(shares=mixed)


BASELINES: dict[str, Baseline] = {
    "best_single": single,
    "cheapest": cheapest,
    "best_static": best_static,
    "random_mix": random_mix,
    "prompt_length": by_score(prompt_length),
    "per_dataset_table": per_dataset_table,
    "oracle": oracle,
}
"""By name, in the order they are shown in."""


def _one(test: Table, model: int) -> Mixed:
    shares = np.zeros_like(test.scores)
    shares[:, model] = 1.0
    return Mixed(shares=shares, words=test.models[model])
