"""A cascade's quality and cost beside those of random escalation, with intervals.

Random escalation needs no simulation, as its expectation is exact: where a share `p` of the requests goes on
to the premium model whatever the draft says, quality is `(1 - p) * draft + p * premium` and cost is
`draft + p * premium`, in means over all rows. Intervals are 95 % percentile intervals of a paired bootstrap
over prompts: each resample draws whole prompts, and check and random are computed on the same draw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

RIGHT_FROM = 0.5
"""From which score on an answer counts as right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A check's verdicts over a data set; every array holds one value a row.

    Attributes:
        draft: Scores of the draft's model, 0..1.
        premium: Scores of the premium model.
        draft_usd: What the drafts cost.
        check_usd: What the check's own calls cost.
        premium_usd: What the premium model's answers cost.
        escalated: Probability that the row is escalated: 0 or 1, or between where ties are broken at random.
        score: The check's score, the higher the better.
        prompt: A number for each prompt; rows with the same one are resampled together.
    """

    draft: Floats = field(repr=False)
    premium: Floats = field(repr=False)
    draft_usd: Floats = field(repr=False)
    check_usd: Floats = field(repr=False)
    premium_usd: Floats = field(repr=False)
    escalated: Floats = field(repr=False)
    score: Floats = field(repr=False)
    prompt: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def side(self) -> int:
        """1 when the whole interval lies above zero, -1 when below, 0 when zero may be the truth."""
        return int(self.low > 0) - int(self.high < 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a cascade with this check comes to. Qualities are points: hundredths of the score.

    Attributes:
        rows: How many rows it was measured on.
        escalated: Share of requests that went on to the premium model.
        cost_usd: Mean cost of a request, all calls counted.
        saved: Share of the cost of always asking the premium model that it saves; below zero it costs more.
        quality: Mean score.
        versus_premium: Quality less the premium model's.
        versus_draft: Quality less the draft model's.
        gain_at_rate: Quality less that of a random cascade that escalates as many requests.
        gain_at_cost: Quality less that of a random cascade that costs as much.
        gain_over_coin: Quality less that of tossing a coin between both models, at the same cost, before
            either is asked. No draft is paid for in vain then, so this is the harder thing to beat.
        area: Mean of `gain_at_rate` over all escalation rates, when rows are escalated by the check's score.
        auc_right: Probability that a right draft is scored above a wrong one; 0.5 says nothing.
        auc_enough: The same for drafts that the premium model does not better, against those it does.
    """

    rows: int
    escalated: float
    cost_usd: float
    saved: Interval
    quality: float
    versus_premium: Interval
    versus_draft: Interval
    gain_at_rate: Interval
    gain_at_cost: Interval
    gain_over_coin: Interval
    area: Interval
    auc_right: float
    auc_enough: float


def measure(trial: Trial, *, resamples: int = 1_000, seed: int = 0) -> Measured:
    """Return a cascade's figures.

    Args:
        trial: The verdicts, at least one row.
        resamples: How many bootstrap resamples the intervals rest on.
        seed: Of the resampling.
    """
    weights = _prompt_weights(trial.prompt, resamples, seed)
    found = _figures(trial, weights)
    area = _area(trial, weights)
    right = trial.draft >= RIGHT_FROM
    return Measured(
        rows=len(trial.draft),
        escalated=float(found["escalated"][0]),
        cost_usd=float(found["cost_usd"][0]),
        quality=float(found["quality"][0]),
        saved=_interval(found["saved"]),
        versus_premium=_interval(100 * found["versus_premium"]),
        versus_draft=_interval(100 * found["versus_draft"]),
        gain_at_rate=_interval(100 * found["gain_at_rate"]),
        gain_at_cost=_interval(100 * found["gain_at_cost"]),
        gain_over_coin=_interval(100 * found["gain_over_coin"]),
        area=_interval(100 * area),
        auc_right=auc(trial.score, right),
        auc_enough=auc(trial.score, trial.premium <= trial.draft),
    )


def escalation_curve(trial: Trial) -> tuple[Floats, Floats, Floats]:
    """Return the curve along which ever more rows are escalated, the lowest scored first.

    Rows of equal score lie on a straight line, which is the expectation of breaking ties at random.

    Returns:
        Escalated share, mean cost in USD and mean quality at each corner of the curve.
    """
    corners, order = _levels(trial.score)
    ends = np.r_[corners[1:], len(order)] - 1

    def running(values: Floats) -> Floats:
        summed: Floats = np.r_[0.0, np.cumsum(values[order])[ends]]
        return summed / len(order)

    cost = (trial.draft_usd + trial.check_usd).mean() + running(trial.premium_usd)
    quality = trial.draft.mean() + running(trial.premium - trial.draft)
    return running(np.ones(len(order))), cost, quality


def reject_lowest(score: Floats, share: float) -> Floats:
    """Return each row's probability of being escalated when the lowest scored share of rows is.

    Example:
        >>> reject_lowest(np.array([0.1, 0.5, 0.5, 0.9]), 0.5)
        array([1. , 0.5, 0.5, 0. ])
    """
    levels, level, counts = np.unique(score, return_inverse=True, return_counts=True)
    below = np.r_[0, np.cumsum(counts)[:-1]]
    chance = np.clip((share * len(score) - below) / counts, 0.0, 1.0)
    return np.asarray(chance[level.reshape(-1)] if len(levels) else score, dtype=np.float64)


def auc(score: Floats, positive: NDArray[np.bool_]) -> float:
    """Return the probability that a positive row is scored above a negative one, ties counting half.

    Returns:
        NaN where there are no positive or no negative rows.

    Example:
        >>> auc(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
        0.875
    """
    _, level, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[level.reshape(-1)]
    positives = int(positive.sum())
    negatives = len(score) - positives
    if not positives or not negatives:
        return float("nan")
    wins = ranks[positive].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def _prompt_weights(prompt: NDArray[np.int64], resamples: int, seed: int) -> Floats:
    """Return how often each row counts: as it is in the first line, resampled in the others."""
    distinct, index = np.unique(prompt, return_inverse=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(distinct), np.full(len(distinct), 1 / len(distinct)), size=resamples
    )
    weights: Floats = np.vstack([np.ones(len(distinct)), drawn])[:, index.reshape(-1)].astype(np.float64)
    return weights


def _figures(trial: Trial, weights: Floats) -> dict[str, Floats]:
    e = trial.escalated
    cost_usd = trial.draft_usd + trial.check_usd + e * trial.premium_usd
    columns = (
        trial.draft,
        trial.premium,
        trial.draft_usd,
        trial.premium_usd,
        e,
        cost_usd,
        (1 - e) * trial.draft + e * trial.premium,
    )
    means = (weights @ np.column_stack(columns)) / weights.sum(axis=1, keepdims=True)
    draft, premium, draft_usd, premium_usd, rate, cost, quality = means.T

    def mixed(share: Floats) -> Floats:
        return np.asarray((1 - share) * draft + share * premium)

    with np.errstate(divide="ignore", invalid="ignore"):
        at_cost = np.nan_to_num(np.clip((cost - draft_usd) / premium_usd, 0.0, 1.0))
        by_coin = np.nan_to_num(np.clip((cost - draft_usd) / (premium_usd - draft_usd), 0.0, 1.0))
        saved = 1 - cost / premium_usd
    return {
        "escalated": rate,
        "cost_usd": cost,
        "saved": saved,
        "quality": quality,
        "versus_premium": quality - premium,
        "versus_draft": quality - draft,
        "gain_at_rate": quality - mixed(rate),
        "gain_at_cost": quality - mixed(at_cost),
        "gain_over_coin": quality - mixed(by_coin),
    }


def _area(trial: Trial, weights: Floats) -> Floats:
    """Return the area between the escalation curve and the random line, for every line of weights."""
    corners, order = _levels(trial.score)
    mass = np.add.reduceat(weights[:, order], corners, axis=1)
    excess = np.add.reduceat(weights[:, order] * (trial.premium - trial.draft)[order], corners, axis=1)
    total = weights.sum(axis=1)
    reached = np.cumsum(excess, axis=1)
    middle = reached - excess / 2
    return np.asarray(((mass * middle).sum(axis=1) / total - reached[:, -1] / 2) / total)


def _levels(score: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each level of equal scores begins in sorted order, and that order."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    return np.r_[0, np.flatnonzero(np.diff(ordered)) + 1], order


def _interval(values: Floats) -> Interval:
    low, high = np.quantile(values[1:], [0.025, 0.975]) if len(values) > 1 else (values[0], values[0])
    return Interval(value=float(values[0]), low=float(low), high=float(high))
