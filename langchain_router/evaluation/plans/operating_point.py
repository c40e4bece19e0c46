"""Where a policy is set: as cheap as can be, while the quality lost stays within what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.plans.arms import Came
from langchain_router.evaluation.plans.table import Real
from langchain_router.policies.fitted_plans import Rule, chosen_by

Single = NDArray[np.float32]

_SAFEST: Final = 0
_RESAMPLES: Final = 60
_SEEN_SHARE: Final = 0.368
_TIGHTEST: Final = -0.02
_TIGHTENINGS: Final = 33
_COST_WEIGHTS: Final = np.logspace(-3, 1, 90)
_SLACKS: Final = np.linspace(-0.08, 0.2, 57)
_FRONT_WEIGHTS: Final = np.logspace(-3, 1.2, 60)
_FRONT_LOSSES: Final = np.linspace(-0.02, 0.08, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """A rule with its dial, over some of the arms, and what it came to on the rows it may be set on.

    Attributes:
        rule: As `FittedPlans` takes it.
        dial: Of the rule; for a fixed arm its number among all.
        arms: Numbers of the arms it chooses among.
        cost_saved: Share of the reference's cost.
        quality_lost: In score points.
        standard_error: Of that.
    """

    rule: Rule
    dial: float
    arms: tuple[int, ...] = field(repr=False)
    cost_saved: float
    quality_lost: float
    standard_error: float

    def choose(self, expected: Expected, reference: int) -> NDArray[np.int64]:
        """Return the number of the arm chosen for each row."""
        if self.rule == "fixed":
            return np.full(len(expected.quality), int(self.dial), np.int64)
        columns = np.asarray(self.arms, np.int64)
        quality, cost = expected.quality[:, columns], expected.cost[:, columns]
        return columns[chosen_by(self.rule, self.dial, quality, cost, expected.quality[:, reference])]

    def __str__(self) -> str:
        if self.rule == "fixed":
            return "one plan for all"
        what = "slack" if self.rule == "slack" else "cost weight"
        return f"{what} {self.dial:.3f} among {len(self.arms)} plans"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is expected of every row and arm, by a fit without that row.

    Attributes:
        quality: Score.
        cost: Beside the reference's mean cost.
    """

    quality: Real = field(repr=False)
    cost: Real = field(repr=False)


def front(came: Came, reference: int) -> list[int]:
    """Return the arms on the cost/quality front of their means, and the cheapest for each loss."""
    scores, costs = came.scores.mean(axis=0), came.costs_usd.mean(axis=0)
    beside = costs / max(float(costs[reference]), 1e-12)
    found = {reference}
    found.update(int((scores - weight * beside).argmax()) for weight in _FRONT_WEIGHTS)
    for loss in _FRONT_LOSSES:
        enough = scores[reference] - scores <= loss
        if enough.any():
            found.add(int(np.where(enough, beside, np.inf).argmin()))
    return sorted(found)


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Every setting that may be chosen, with what it came to on each of the rows it may be set on.

    Attributes:
        points: The settings; the first takes the reference for all, and so loses nothing.
        lost: For each row and setting, the reference's score less its own.
        cost: For each row and setting, its cost beside the reference's mean cost.
    """

    points: tuple[OperatingPoint, ...] = field(repr=False)
    lost: Single = field(repr=False)
    cost: Single = field(repr=False)

    def within(self, limit: float) -> OperatingPoint:
        """Return the setting that saves most while its mean loss is at most the limit, 0 or more."""
        return self.points[self._cheapest(self.lost.mean(axis=0), self.cost.mean(axis=0), limit)]

    def confident_within(self, limit: float, *, confidence: float, seed: int = 0) -> OperatingPoint:
        """Return the setting that saves most while the loss to expect of other rows stays within the limit.

        Of many settings the one that looks best has been lucky, too. How lucky is seen by choosing on
        resamples of the rows and looking at the rows left out of each (the .632 estimator: Efron & Tibshirani
        1997, "Improvements on cross-validation", section 3). To that comes a one-sided normal margin, as many
        standard errors as the confidence asks for, and where hardly any loss was seen at least what so many
        rows without one allow for (Hanley & Lippman-Hand 1983, "If nothing goes wrong, is everything all
        right?"). So that all fits in, the setting is chosen with a tighter limit on the loss seen. The
        reference alone loses nothing, so there is always one.

        Args:
            limit: In score points, 0.02 for two.
            confidence: 0.5 to below 1.
            seed: Of the resampling.
        """
        z = NormalDist().inv_cdf(confidence)
        rows = len(self.lost)
        least_margin = 1 - (1 - confidence) ** (1 / rows)
        mean_lost, mean_cost = self.lost.mean(axis=0), self.cost.mean(axis=0)
        counts = np.random.default_rng(seed).multinomial(rows, np.full(rows, 1 / rows), _RESAMPLES)
        drawn = counts.astype(np.float32)
        left_out = (counts == 0).astype(np.float32)
        of_drawn = drawn @ self.lost / rows, drawn @ self.cost / rows
        of_others = left_out @ self.lost / np.maximum(left_out.sum(axis=1), 1)[:, None]
        for tighter in np.linspace(limit, min(_TIGHTEST, limit), _TIGHTENINGS).tolist():
            place = self._cheapest(mean_lost, mean_cost, tighter)
            chosen = [
                self._cheapest(lost, cost, tighter)
                for lost, cost in zip(of_drawn[0], of_drawn[1], strict=True)
            ]
            elsewhere = float(of_others[np.arange(_RESAMPLES), chosen].mean())
            expected = _SEEN_SHARE * float(mean_lost[place]) + (1 - _SEEN_SHARE) * elsewhere
            point = self.points[place]
            if expected + max(z * point.standard_error, least_margin) <= limit:
                return point
        return self.points[_SAFEST]

    def _cheapest(self, lost: Single, cost: Single, limit: float) -> int:
        """Return the number of the cheapest setting within a limit, or of the safest."""
        within = lost <= limit
        return int(np.where(within, cost, np.inf).argmin()) if within.any() else _SAFEST


def choices(
    came: Came,
    expected: Expected,
    reference: int,
    *,
    families: Iterable[Sequence[int]],
    fixed: Iterable[int],
) -> Choices:
    """Return every setting that may be chosen, with what it came to.

    Args:
        came: What the arms came to on the fit rows.
        expected: Of the same rows.
        reference: The best single model's arm.
        families: Sets of arms to choose among by what is expected of the prompt.
        fixed: Arms that may be taken for all prompts.
    """
    rows = np.arange(len(came.scores))
    baseline = came.scores[:, reference]
    full_cost = max(float(came.costs_usd[:, reference].mean()), 1e-12)
    costs_anything = bool(came.costs_usd[:, reference].any())
    found: list[OperatingPoint] = []
    lost: list[Single] = []
    cost: list[Single] = []
    seen: set[bytes] = set()
    for rule, dial, arms in _settings(families, {*fixed} - {reference}, reference):
        point = OperatingPoint(
            rule=rule, dial=dial, arms=arms, cost_saved=0.0, quality_lost=0.0, standard_error=0.0
        )
        chosen = point.choose(expected, reference)
        if chosen.tobytes() in seen:  # another setting that comes to the same
            continue
        seen.add(chosen.tobytes())
        lost.append((baseline - came.scores[rows, chosen]).astype(np.float32))
        cost.append((came.costs_usd[rows, chosen] / full_cost).astype(np.float32))
        found.append(
            replace(
                point,
                cost_saved=1 - float(cost[-1].mean()) if costs_anything else 0.0,
                quality_lost=float(lost[-1].mean()),
                standard_error=float(lost[-1].std()) / float(np.sqrt(len(rows))),
            )
        )
    return Choices(points=tuple(found), lost=np.stack(lost, axis=1), cost=np.stack(cost, axis=1))


def _settings(
    families: Iterable[Sequence[int]], fixed: Iterable[int], reference: int
) -> Iterator[tuple[Rule, float, tuple[int, ...]]]:
    yield "fixed", float(reference), (reference,)
    for arm in sorted(fixed):
        yield "fixed", float(arm), tuple(sorted({arm, reference}))
    for family in families:
        arms = tuple(sorted({*family, reference}))
        for weight in _COST_WEIGHTS.tolist():
            yield "cost_weight", weight, arms
        for slack in _SLACKS.tolist():
            yield "slack", slack, arms
