"""What each threshold would have returned for recorded requests, by plans fitted on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from langchain_router.checks.scoring.features import FeatureCache
from langchain_router.evaluation.calibration.p_values import Real
from langchain_router.evaluation.plans.arms import came_of
from langchain_router.evaluation.plans.fitting import Fitting, fit_all
from langchain_router.evaluation.plans.operating_point import OperatingPoint
from langchain_router.evaluation.plans.table import dense_table
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.fitted_plans import FittedPlans
from langchain_router.testing.replay import ReplayRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    """Recorded requests as routed with every threshold.

    Attributes:
        plans: What routed them.
        fitted: How many requests those were fitted on.
        rows: The requests for which all scores are known.
        scores: Of what was returned, for each row and threshold.
        costs_usd: Of all that was called for it, likewise; in US dollars.
        reference: The model that quality is compared with: the best single one of the rows fitted on.
        reference_scores: Of its answers.
        reference_costs_usd: Likewise.
    """

    plans: FittedPlans
    fitted: int
    rows: tuple[ReplayRow, ...] = field(repr=False)
    scores: Real = field(repr=False)
    costs_usd: Real = field(repr=False)
    reference: str
    reference_scores: Real = field(repr=False)
    reference_costs_usd: Real = field(repr=False)


def routed_plans(
    fit_rows: Sequence[ReplayRow], calibrate_rows: Sequence[ReplayRow], thresholds: Sequence[float] | Real
) -> Routed:
    """Fit plans on some rows, route others with every threshold, and look up what came of it.

    Everything is chosen on the rows fitted on alone: the models, the reference, the plans with their checks,
    and what predicts them. A threshold is a slack: the cheapest plan whose expected score is at least the
    reference's less the slack. The choice is made by the very plans that are saved, as `AdaptivePolicy` makes
    it, so that what is measured is what will run.

    Args:
        fit_rows: To learn from.
        calibrate_rows: To route; no prompt may be among the others.
        thresholds: Slacks, ascending.

    Raises:
        ConfigurationError: There are too few rows, or fewer than two models with scores and costs.
    """
    table = dense_table(fit_rows)
    routed = table.of(calibrate_rows)
    if not len(routed):
        raise ConfigurationError(
            f"None of {len(calibrate_rows)} rows to calibrate on holds scores and costs of all of "
            f"{', '.join(table.models)}. Give files with more prompts, or in which more models answered each."
        )
    cache = FeatureCache()
    fitting = fit_all(table, cache=cache)
    plans = _unset(fitting)
    came = came_of([fitting.arms[number] for number in fitting.predicted], routed, cache=cache)
    quality, cost = plans.predict(routed.prompts)
    chosen = np.stack([plans.choose(quality, cost, slack=float(one)) for one in thresholds], axis=1)
    return Routed(
        plans=plans,
        fitted=len(table),
        rows=routed.rows,
        scores=np.take_along_axis(came.scores, chosen, axis=1),
        costs_usd=np.take_along_axis(came.costs_usd, chosen, axis=1),
        reference=plans.arms[plans.reference].draft,
        reference_scores=came.scores[:, plans.reference],
        reference_costs_usd=came.costs_usd[:, plans.reference],
    )


def _unset(fitting: Fitting) -> FittedPlans:
    """Return all plans with no slack: how much there may be is for the certificates to say."""
    point = OperatingPoint(
        rule="slack",
        dial=0.0,
        arms=fitting.predicted,
        cost_saved=0.0,
        quality_lost=0.0,
        standard_error=0.0,
    )
    came, rows = fitting.came, np.arange(len(fitting.table))
    chosen = point.choose(fitting.expected, fitting.reference)
    lost = came.scores[:, fitting.reference] - came.scores[rows, chosen]
    full_cost = float(came.costs_usd[:, fitting.reference].sum())
    known = replace(
        point,
        cost_saved=1 - float(came.costs_usd[rows, chosen].sum()) / full_cost if full_cost else 0.0,
        quality_lost=float(lost.mean()),
        standard_error=float(lost.std() / np.sqrt(len(rows))),
    )
    return fitting.plans(known)
