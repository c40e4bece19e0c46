"""How fast policies learn: their utility beside that of choices that do not learn, over many seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from langchain_router.evaluation.bandit import (
    Floats,
    Traffic,
    order,
    run_policy,
    static_choice,
    table_choice,
)
from langchain_router.evaluation.curve import Interval
from langchain_router.policies import CostPolicy, Policy
from langchain_router.policies.epsilon_greedy import EpsilonGreedyPolicy
from langchain_router.policies.lin_thompson import LinThompsonPolicy
from langchain_router.policies.thompson import ThompsonPolicy

SUCCESS_AT = 0.85
_SUCCESS_STEP = 1e-9
_LAST_SHARE = 0.25
_CURVE_POINTS = 60
_Z = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How a choice did that does not learn: means over all prompts.

    Attributes:
        name: What it is called in reports.
        models: Which models it uses, where that is one.
        score: 0..1.
        success: Share of answers of a score of at least 0.85.
        cost_usd: Of a request.
        utility: Score less weighted cost.
    """

    name: str
    models: str
    score: float
    success: float
    cost_usd: float
    utility: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """How a policy did: means over seeds, with 95 % intervals that tell of the lots and the order alone.

    Attributes:
        name: Of the policy.
        score: Mean over all requests, those of the first tries included.
        success: Share of answers of a score of at least 0.85.
        cost_usd: Of a request.
        utility: Score less weighted cost.
        gain: Utility beyond the best single model's, over all requests.
        last_gain: The same over the last quarter of the requests.
        ahead_from: For each seed, from which request on its total utility was ahead of the best single
            model's for good; None when it was not at the end.
        curve: Moving mean of the gain for each seed: a row of points each.
        requests: After how many requests each point of the curve is.
    """

    name: str
    score: Interval
    success: Interval
    cost_usd: Interval
    utility: Interval
    gain: Interval
    last_gain: Interval
    ahead_from: tuple[int | None, ...]
    curve: tuple[tuple[float, ...], ...] = field(repr=False)
    requests: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLearned:
    """How every policy did on a data set.

    Attributes:
        name: The data set.
        prompts: How many prompts it has.
        models: How many models.
        complete: Share of prompts times models that were recorded.
        intents: How many prompts of each intent there are.
        baselines: What does not learn.
        policies: What does.
    """

    name: str
    prompts: int
    models: int
    complete: float
    intents: dict[str, int]
    baselines: tuple[Baseline, ...]
    policies: tuple[Learned, ...]

    @property
    def best_single(self) -> Baseline:
        """The best single model."""
        return next(one for one in self.baselines if one.name == BEST_SINGLE)


BEST_SINGLE = "best single"


def contenders(cost_weight: float) -> dict[str, Callable[[int], Policy]]:
    """Return what makes each policy for a seed, by name; all with their default parameters."""
    return {
        "thompson": lambda seed: ThompsonPolicy(cost_weight=cost_weight, seed=seed),
        "lin_thompson": lambda seed: LinThompsonPolicy(cost_weight=cost_weight, seed=seed),
        "epsilon_greedy": lambda seed: EpsilonGreedyPolicy(cost_weight=cost_weight, seed=seed),
        "cost": lambda _: CostPolicy(),
    }


def bench_learning(
    traffic: Traffic,
    *,
    cost_weight: float,
    seeds: int,
    passes: int = 1,
    progress: Callable[[str], None] = lambda _: None,
) -> SetLearned:
    """Measure every policy on a data set.

    Args:
        traffic: From `as_traffic`.
        cost_weight: Utility that the mean cost of the dearest model is worth.
        seeds: How many orders of the prompts, with lots of their own.
        passes: How often all prompts are asked.
        progress: Told what is being measured.
    """
    utility = traffic.utility(cost_weight)
    single = static_choice(utility)
    policies = []
    for name, make in contenders(cost_weight).items():
        chosen = []
        for seed in range(seeds):
            progress(f"{traffic.name}: {name}, seed {seed + 1} of {seeds}")
            chosen.append(run_policy(traffic, make, seed=seed, passes=passes))
        orders = [order(traffic, seed, passes) for seed in range(seeds)]
        policies.append(_learned(name, traffic, utility, single, np.stack(orders), np.stack(chosen)))
    labels = [prompt.intent.label for prompt in traffic.prompts]
    return SetLearned(
        name=traffic.name,
        prompts=len(traffic.prompts),
        models=len(traffic.candidates),
        complete=float(np.mean(~np.isnan(utility))),
        intents={label: labels.count(label) for label in sorted(set(labels))},
        baselines=_baselines(traffic, utility, labels),
        policies=tuple(policies),
    )


def ahead_from(gains: Floats) -> int | None:
    """Return from which request on the sum of gains is above 0 for good; None when it is not at the end.

    Example:
        >>> ahead_from(np.array([1.0, -2.0, 0.5, 1.0, 0.0])), ahead_from(np.array([1.0, -1.0]))
        (4, None)
    """
    behind = np.flatnonzero(np.cumsum(gains) <= 0)
    first = int(behind[-1]) + 2 if len(behind) else 1
    return first if first <= len(gains) else None


def over_seeds(values: Sequence[float] | Floats) -> Interval:
    """Return the mean with its 95 % interval by Student's t.

    Example:
        >>> found = over_seeds([1.0, 2.0, 3.0, 4.0])
        >>> found.value, round(found.high - found.value, 2)
        (2.5, 2.04)
    """
    count = len(values)
    mean = float(np.mean(values))
    if count < 2:
        return Interval(value=mean, low=-math.inf, high=math.inf)
    half = _student(count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return Interval(value=mean, low=mean - half, high=mean + half)


def _student(freedom: int) -> float:
    """Return the 97.5 % quantile of Student's t, by Cornish and Fisher's expansion."""
    z, n = _Z, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def _baselines(traffic: Traffic, utility: Floats, labels: Sequence[str]) -> tuple[Baseline, ...]:
    rows = np.arange(len(utility))
    success = _success(traffic.score)
    ranked = np.argsort(-np.nanmean(traffic.cost_usd, axis=0))
    dearest = np.where(np.isnan(utility), -np.inf, -np.argsort(ranked).astype(float)).argmax(axis=1)
    choices = {
        BEST_SINGLE: static_choice(utility),
        "best quality": static_choice(traffic.score),
        "always the dearest": dearest,
        "table by intent": table_choice(utility, labels),
        "oracle": np.nanargmax(utility, axis=1),
    }
    found = [
        Baseline(
            name="random",
            models="",
            score=float(np.nanmean(traffic.score, axis=1).mean()),
            success=float(np.nanmean(success, axis=1).mean()),
            cost_usd=float(np.nanmean(traffic.cost_usd, axis=1).mean()),
            utility=float(np.nanmean(utility, axis=1).mean()),
        )
    ]
    for name, chosen in choices.items():
        most = int(np.bincount(chosen).argmax())
        is_one = name in (BEST_SINGLE, "best quality", "always the dearest")
        found.append(
            Baseline(
                name=name,
                models=traffic.candidates[most].name if is_one else "",
                score=float(traffic.score[rows, chosen].mean()),
                success=float(success[rows, chosen].mean()),
                cost_usd=float(traffic.cost_usd[rows, chosen].mean()),
                utility=float(utility[rows, chosen].mean()),
            )
        )
    return tuple(found)


def _learned(name: str, traffic: Traffic, utility: Floats, single: Any, orders: Any, chosen: Any) -> Learned:
    gains = utility[orders, chosen] - utility[orders, single[orders]]
    requests = gains.shape[1]
    window = max(1, requests // 10)
    sums = np.concatenate([np.zeros((len(gains), 1)), np.cumsum(gains, axis=1)], axis=1)
    points = np.unique(np.linspace(window, requests, _CURVE_POINTS).astype(int))
    curve = (sums[:, points] - sums[:, points - window]) / window
    last = gains[:, requests - max(1, int(requests * _LAST_SHARE)) :]
    return Learned(
        name=name,
        score=over_seeds(traffic.score[orders, chosen].mean(axis=1)),
        success=over_seeds(_success(traffic.score)[orders, chosen].mean(axis=1)),
        cost_usd=over_seeds(traffic.cost_usd[orders, chosen].mean(axis=1)),
        utility=over_seeds(utility[orders, chosen].mean(axis=1)),
        gain=over_seeds(gains.mean(axis=1)),
        last_gain=over_seeds(last.mean(axis=1)),
        ahead_from=tuple(ahead_from(one) for one in gains),
        curve=tuple(tuple(one) for one in curve.tolist()),
        requests=tuple(points.tolist()),
    )


def _success(score: Floats) -> Floats:
    return np.where(np.isnan(score), np.nan, score >= SUCCESS_AT - _SUCCESS_STEP)
