"""What the benchmark of policies found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How a policy or a baseline did on the test rows of a suite.

    Attributes:
        name: Of the policy, e.g. `"adaptive"`, or of the baseline, e.g. `"oracle"`.
        cost_saved: Share of the best single model's cost that was saved; below 0 where it cost more.
        quality_lost: Mean score of the best single model less this one's, in score points (0.02 is 2 points).
        quality_lost_ci: 95 % interval of that, from resampling the test rows.
        escalation_rate: Share of requests that a first answer was not enough for.
        share_per_model: By model, the share of requests whose answer was its.
        curve: Points of the cost/quality curve, by cost: mean cost as a share of the best single model's, and
            mean score. A single point for what has no dial.
        apgr: Where there are two models only, the mean share of the quality gap between them that is
            recovered over all shares of calls to the better one (Ong et al. 2024, "RouteLLM", section
            3.2); else None.
        operating_point: In words, where it was set on the fit rows.
        fit_cost_saved: What the fit rows promised, each predicted by what was fitted without it; None where
            nothing was fitted.
        fit_quality_lost: Likewise.
    """

    name: str
    cost_saved: float
    quality_lost: float
    quality_lost_ci: tuple[float, float]
    escalation_rate: float
    share_per_model: Mapping[str, float]
    curve: tuple[tuple[float, float], ...] = field(repr=False)
    apgr: float | None = None
    operating_point: str = ""
    fit_cost_saved: float | None = None
    fit_quality_lost: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFigures:
    """How all did on one suite.

    Attributes:
        name: Of the suite.
        fit_rows: How many prompts everything was fitted and set on, on average over folds.
        test_rows: How many prompts the figures are from.
        folds: In how many parts the rows were split, each tested on what was fitted on the others; 1 where
            fit and test rows were given.
        models: All of them, the cheapest first.
        best_single: The model that did best on the fit rows: the reference.
        best_single_score: Its mean score on the test rows.
        best_single_cost_usd: Its mean cost of an answer there, in US dollars.
        policies: What can be used.
        baselines: What they are held against.
    """

    name: str
    fit_rows: int
    test_rows: int
    folds: int
    models: tuple[str, ...]
    best_single: str
    best_single_score: float
    best_single_cost_usd: float
    policies: tuple[Figures, ...]
    baselines: tuple[Figures, ...]


def as_json(figures: Figures) -> dict[str, Any]:
    """Return figures as JSON-serialisable data."""
    return {
        "name": figures.name,
        "cost_saved": round(figures.cost_saved, 6),
        "quality_lost": round(figures.quality_lost, 6),
        "quality_lost_ci": [round(one, 6) for one in figures.quality_lost_ci],
        "escalation_rate": round(figures.escalation_rate, 6),
        "share_per_model": {name: round(share, 6) for name, share in figures.share_per_model.items()},
        "apgr": None if figures.apgr is None else round(figures.apgr, 6),
        "curve": [[round(cost, 6), round(quality, 6)] for cost, quality in figures.curve],
        "operating_point": figures.operating_point,
        "fit_cost_saved": None if figures.fit_cost_saved is None else round(figures.fit_cost_saved, 6),
        "fit_quality_lost": None if figures.fit_quality_lost is None else round(figures.fit_quality_lost, 6),
    }
