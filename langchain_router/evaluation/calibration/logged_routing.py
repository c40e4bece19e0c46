"""Which plan each threshold would have chosen for logged decisions, by what earlier ones taught."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from langchain_router.evaluation.calibration.logged_losses import Names
from langchain_router.evaluation.calibration.p_values import Real
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.lessons import Situation
from langchain_router.policies.fitted_plans import chosen_by
from langchain_router.quality.features import UNIT
from langchain_router.quality.ridge import Ridge
from langchain_router.signals.types import INTENTS

_LEAST_CHOSEN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A decision of a log whose answer was judged.

    Attributes:
        situation: What was decided on what.
        score: How good the answer was, 0..1.
        cost_usd: What all its calls cost, in US dollars, or None where that is not known.
    """

    situation: Situation
    score: float
    cost_usd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedLog:
    """Logged decisions as every threshold would have made them.

    Attributes:
        routed: Arm, for each decision and threshold.
        costs_usd: What that arm costs on average, likewise; in US dollars.
        reference: The arm that quality is compared with: the best single one of the decisions fitted on.
        reference_cost_usd: What that costs on average.
        policy: What routed, by name and parameters.
    """

    routed: Names = field(repr=False)
    costs_usd: Real = field(repr=False)
    reference: str
    reference_cost_usd: float
    policy: str


def routed_arms(
    fit: Sequence[Entry], calibrate: Sequence[Entry], thresholds: Sequence[float] | Real
) -> RoutedLog:
    """Fit on earlier decisions, and say what every threshold would have chosen for later ones.

    Arms are those that were chosen, judged and billed at least 20 times among the earlier decisions. An arm
    one of whose models was not eligible for a request is not chosen for it; where that is so of the
    reference, it counts as perfect there.

    Args:
        fit: To learn from.
        calibrate: To route.
        thresholds: Slacks, ascending.

    Raises:
        ConfigurationError: Fewer than two arms are known well enough.
    """
    chosen = [entry.situation.arm for entry in fit if entry.cost_usd is not None]
    arms = sorted({name for name in chosen if chosen.count(name) >= _LEAST_CHOSEN})
    if len(arms) < 2:
        raise ConfigurationError(
            f"{len(arms)} arms were chosen, judged and billed at least {_LEAST_CHOSEN} times in the "
            "earlier half of the log; two are needed to have a choice. Let a policy explore, such as "
            "EpsilonGreedyPolicy or ThompsonPolicy, and have its answers judged."
        )
    targets = np.array([[_of_arm(entry, name) for name in arms] for entry in fit])
    billed = np.array([[_of_arm(entry, name, entry.cost_usd) for name in arms] for entry in fit])
    costs = np.nanmean(billed, axis=0)
    best = int(np.lexsort((costs, -_weighted_means(fit, targets)))[0])
    width = max(len(entry.situation.features) for entry in (*fit, *calibrate))
    predicted = _predicted(_inputs(fit, width), targets, _inputs(calibrate, width))
    models = {entry.situation.arm: {name for name, _ in entry.situation.plan} for entry in fit}
    able = np.array(
        [[models[name] <= set(entry.situation.expected_cost_usd) for name in arms] for entry in calibrate]
    )
    predicted = np.where(able, predicted, -np.inf)
    bar = np.where(able[:, best], predicted[:, best], predicted.max(axis=1))
    table = np.broadcast_to(costs, predicted.shape)
    index = np.stack([chosen_by("slack", float(one), predicted, table, bar) for one in thresholds], axis=1)
    return RoutedLog(
        routed=np.array(arms)[index],
        costs_usd=costs[index],
        reference=arms[best],
        reference_cost_usd=float(costs[best]),
        policy=f"slack over ridge(stored features), fitted on {len(fit)} decisions",
    )


def _predicted(inputs: Real, targets: Real, others: Real) -> Real:
    """Return what each arm is expected to score on others, by a fit on the decisions that chose it."""
    columns = []
    for target in targets.T:
        seen = np.isfinite(target)
        fit = Ridge(inputs[seen].astype(np.float32)).fit(target[seen, None])
        columns.append(fit.predict(others.astype(np.float32))[:, 0])
    return np.clip(np.stack(columns, axis=1), 0.0, 1.0)


def _of_arm(entry: Entry, arm: str, value: float | None = None) -> float:
    """Return what is known of an arm from a decision: NaN where another was chosen."""
    if entry.situation.arm != arm:
        return np.nan
    return entry.score if value is None else value


def _weighted_means(fit: Sequence[Entry], targets: Real) -> Real:
    """Return each arm's mean score with the requests that it was not chosen for weighed in."""
    weights = 1 / np.array([max(entry.situation.propensity, 0.01) for entry in fit])[:, None]
    seen = np.isfinite(targets)
    means: Real = np.where(seen, targets * weights, 0.0).sum(axis=0) / np.where(seen, weights, 0.0).sum(
        axis=0
    )
    return means


def _inputs(entries: Sequence[Entry], width: int) -> Real:
    inputs = np.zeros((len(entries), width + 1 + len(INTENTS)))
    for row, entry in zip(inputs, entries, strict=True):
        one = entry.situation
        row[: len(one.features)] = np.array(one.features, dtype=np.float64) / UNIT
        row[width] = one.complexity
        row[width + 1 + INTENTS.index(one.intent)] = 1.0
    return inputs
