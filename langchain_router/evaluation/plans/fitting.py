"""Fits plans on recorded answers and sets them: from rows to what `AdaptivePolicy` loads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from langchain_router.checks.scoring.features import FeatureCache
from langchain_router.evaluation.plans.arms import Arm, Came, best_single, fit_arms
from langchain_router.evaluation.plans.operating_point import (
    Choices,
    Expected,
    OperatingPoint,
    choices,
    front,
)
from langchain_router.evaluation.plans.progress import Progress, silent
from langchain_router.evaluation.plans.table import Real, Table, dense_table
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.fitted_plans import FittedArm, FittedPlans
from langchain_router.quality.prompt_inputs import prompt_inputs
from langchain_router.quality.ridge import Ridge, RidgeFit
from langchain_router.testing.replay import ReplayRow

_FLOOR: Final = 0.2
"""Share of a plan's mean cost that it is expected to cost at least."""

Family = Literal["adaptive", "cascade", "cost"]


@dataclass(frozen=True, kw_only=True)
class Fitting:
    """All that was fitted on some rows; operating points are set on it.

    Attributes:
        table: The rows.
        arms: The plans.
        came: What they came to on these rows, each check judging answers it was not fitted on.
        reference: The best single model.
        quality: Predicts the scores of the arms in `predicted` from the prompt.
        cost: Predicts their costs, beside the reference's mean cost.
        cost_floors: The least that is expected of each: on odd prompts a regression goes astray.
        predicted: Numbers of these arms.
    """

    table: Table = field(repr=False)
    arms: tuple[Arm, ...] = field(repr=False)
    came: Came = field(repr=False)
    reference: int
    quality: RidgeFit = field(repr=False)
    cost: RidgeFit = field(repr=False)
    cost_floors: Real = field(repr=False)
    predicted: tuple[int, ...]

    @property
    def models(self) -> range:
        """Numbers of the arms that are single models."""
        return range(len(self.table.models))

    @cached_property
    def expected(self) -> Expected:
        """What is expected of each row and arm by fits without that row; NaN of arms not predicted."""
        return self._spread(self.quality.left_out, self.cost.left_out)

    def expected_of(self, table: Table) -> Expected:
        """Return what is expected of other rows."""
        inputs = prompt_inputs(table.prompts)
        return self._spread(self.quality.predict(inputs), self.cost.predict(inputs))

    def choices(self, family: Family) -> Choices:
        """Return the settings of a family of policies.

        Args:
            family: `"adaptive"` chooses among all plans by the prompt, or takes one for all; `"cascade"`
                takes one plan for all; `"cost"` chooses among single models by the prompt, or takes one.
        """
        models = tuple(self.models)
        fixed = models if family == "cost" else self.predicted
        families = {"adaptive": (models, self.predicted), "cost": (models,), "cascade": ()}[family]
        return choices(self.came, self.expected, self.reference, families=families, fixed=fixed)

    def _spread(self, quality: Real, cost: Real) -> Expected:
        shape = (len(quality), len(self.arms))
        spread = Expected(quality=np.full(shape, np.nan), cost=np.full(shape, np.nan))
        spread.quality[:, self.predicted] = quality
        spread.cost[:, self.predicted] = np.maximum(cost, self.cost_floors)
        return spread

    def plans(self, point: OperatingPoint) -> FittedPlans:
        """Return what to load: the arms of an operating point with what predicts them."""
        if point.rule == "fixed":  # others are wanted for when its models fail
            point = replace(point, arms=tuple(sorted({*point.arms, *self.models})))
        kept = [self.predicted.index(arm) for arm in point.arms]
        quality, cost = _pick(self.quality, kept), _pick(self.cost, kept)
        if point.rule == "fixed":  # taken whatever the prompt says: what is expected of it is the mean
            came = self.came.of(list(point.arms))
            full_cost = self.came.costs_usd[:, self.reference].mean()
            quality = 0 * quality[0], came.scores.mean(axis=0)
            cost = 0 * cost[0], came.costs_usd.mean(axis=0) / max(float(full_cost), 1e-12)
        names = self.table.models
        arms = tuple(
            FittedArm(
                draft=names[arm.draft],
                seconds=tuple(names[one] for one in arm.seconds),
                last=None if arm.last is None else names[arm.last],
                most_gain=arm.most_gain,
                scorer=arm.scorer,
            )
            for arm in (self.arms[number] for number in point.arms)
        )
        return FittedPlans(
            arms=arms,
            reference=point.arms.index(self.reference),
            quality_weights=quality[0],
            quality_constants=quality[1],
            cost_weights=cost[0],
            cost_constants=cost[1],
            cost_floors=self.cost_floors[kept],
            rule=point.rule,
            dial=float(point.arms.index(int(point.dial))) if point.rule == "fixed" else point.dial,
            evidence={
                "fit_rows": float(len(self.table)),
                "fit_cost_saved": point.cost_saved,
                "fit_quality_lost": point.quality_lost,
                "standard_error": point.standard_error,
            },
        )


def _pick(fit: RidgeFit, kept: Sequence[int]) -> tuple[NDArray[np.float32], Real]:
    return fit.weights[:, kept], fit.constants[kept]


def fit_all(table: Table, *, cache: FeatureCache | None = None, progress: Progress = silent) -> Fitting:
    """Fit the checks of all plans, and what predicts each plan on the front from the prompt.

    A prompt that comes several times counts once.
    """
    table = table.once_each()
    arms, came = fit_arms(table, cache=FeatureCache() if cache is None else cache, progress=progress)
    reference = best_single(table)
    predicted = sorted({*range(len(table.models)), *front(came, reference)})
    progress(f"predicting {len(predicted)} plans from the prompt")
    ridge = Ridge(prompt_inputs(table.prompts))
    kept = came.of(predicted)
    full_cost = max(float(came.costs_usd[:, reference].mean()), 1e-12)
    return Fitting(
        table=table,
        arms=tuple(arms),
        came=came,
        reference=reference,
        quality=ridge.fit(kept.scores),
        cost=ridge.fit(kept.costs_usd / full_cost),
        cost_floors=_FLOOR * kept.costs_usd.mean(axis=0) / full_cost,
        predicted=tuple(predicted),
    )


def fit_plans(
    rows: Sequence[ReplayRow],
    *,
    max_quality_loss: float = 0.02,
    confidence: float = 0.9,
    progress: Progress = silent,
) -> FittedPlans:
    """Fit plans on recorded answers, and set them to save most at no more than so much quality lost.

    Args:
        rows: From `read_replay`: prompts with the scores, costs and answers of several models. Some hundreds
            at least, of the traffic that is to be routed.
        max_quality_loss: Most that may be lost beside the best single model, in score points: 0.02 for two.
        confidence: How sure that is to be, 0.5 to below 1.
        progress: Is told how far it is.

    Raises:
        ConfigurationError: A value is out of range, or no two models answered enough of the same prompts.

    Example:
        >>> from langchain_router.testing.replay import read_replay
        >>> plans = fit_plans(read_replay("answers.jsonl"), max_quality_loss=0.02)  # doctest: +SKIP
        >>> plans.save("plans.npz")  # doctest: +SKIP
    """
    check_limits(max_quality_loss, confidence)
    fitting = fit_all(dense_table(rows), progress=progress)
    return fitting.plans(
        fitting.choices("adaptive").confident_within(max_quality_loss, confidence=confidence)
    )


def check_limits(max_quality_loss: float, confidence: float) -> None:
    """Refuse limits that are out of range.

    Raises:
        ConfigurationError: Says which, and what it may be.
    """
    if not 0 <= max_quality_loss < 1:
        raise ConfigurationError(
            f"max_quality_loss is in score points, 0 to below 1 (0.02 for two); got {max_quality_loss!r}."
        )
    if not 0.5 <= confidence < 1:
        raise ConfigurationError(f"confidence must be 0.5 to below 1, got {confidence!r}.")
