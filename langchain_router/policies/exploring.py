"""What the policies share that explore: arms, utility, lots, and the probability of every choice."""

from __future__ import annotations

import math
import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import RoutingDecision, Step
from langchain_router.exceptions import ConfigurationError
from langchain_router.forks import give_lock
from langchain_router.policies.arms import Arm, Arms, PlanGiven, expectations, relative_costs
from langchain_router.policies.context import Context
from langchain_router.quality.expectation import Expectation
from langchain_router.wording import shown

Real = NDArray[np.float64]

COST_WEIGHT = 0.1
"""How much success the price of the dearest is worth unless said otherwise: a tenth."""

_LEAST_PROPENSITY = 1e-6  # what was chosen was possible; so small a chance is not known any better


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which arm was chosen, and how.

    Attributes:
        index: Of the arm.
        propensity: Probability of this choice, 0..1.
        propensity_error: How far that may be off; 0 where it is exact.
        expected: For each arm, the success to expect, 0..1.
        reason: Why, in words.
        remarks: For each arm, what was believed or drawn, in words.
    """

    index: int
    propensity: float
    propensity_error: float
    expected: Sequence[float]
    reason: str
    remarks: Sequence[str]


class Lots:
    """Random numbers for one policy, safe from threads, and different in every process that is forked.

    Args:
        rng: A generator to draw from; it is not seeded anew after a fork.
        seed: Of a fresh generator; None takes the operating system's.

    Raises:
        ConfigurationError: Both are given, or one is not of its kind.
    """

    def __init__(self, rng: np.random.Generator | None, seed: int | None) -> None:
        if rng is not None and seed is not None:
            raise ConfigurationError("Give rng= or seed=, not both.")
        if rng is not None and not isinstance(rng, np.random.Generator):
            raise ConfigurationError(f"rng must be a numpy Generator, got {shown(rng)}.")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
            raise ConfigurationError(f"seed must be a whole number of 0 or more, got {shown(seed)}.")
        self._rng = np.random.default_rng(seed) if rng is None else rng
        self._is_fresh = rng is None and seed is None
        self._pid = os.getpid()
        self._lock: threading.Lock
        give_lock(self, "_lock")

    def __enter__(self) -> np.random.Generator:
        self._lock.acquire()
        if self._is_fresh and os.getpid() != self._pid:
            self._rng, self._pid = np.random.default_rng(), os.getpid()
        return self._rng

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class ExploringPolicy(ABC):
    """Choose the arm of the highest utility: success, less what its cost takes off.

    That is `cost_weight` times its cost as a share of the dearest's. What success is, and how it is explored,
    is the subclass's to say.

    Args:
        cost_weight: Success that the cost of the dearest arm is worth, 0 or more; 0 for quality at any price.
        plans: The arms, where they are not simply the candidates: names, or `(candidate, check)` pairs.
        rng: Draws the lots.
        seed: Of a fresh generator, instead.
    """

    name: str

    def __init__(
        self,
        *,
        cost_weight: float,
        plans: Sequence[PlanGiven] | None,
        rng: np.random.Generator | None,
        seed: int | None,
    ) -> None:
        self.cost_weight = number("cost_weight", cost_weight, high=math.inf)
        self._arms = Arms.given(plans)
        self._lots = Lots(rng, seed)

    def check_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Refuse plans that name a candidate which is not there."""
        self._arms.check_candidates(candidates)

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        """Choose an arm; on failure the other candidates follow, by what utility is expected of them."""
        arms = self._arms.among(candidates)
        expected = expectations(context, arms)
        penalty = self.cost_weight * np.array(relative_costs(expected))
        choice = self._choose(context, arms, expected, penalty)
        chosen = arms[choice.index]
        utility = np.array(choice.expected) - penalty
        others = self._others(arms, chosen, utility, candidates)
        remarks = {step.candidate.name: "the next step of the plan" for step in chosen.steps[1:]}
        for arm, remark in zip(arms, choice.remarks, strict=True):
            if len(arm.steps) == 1:
                remarks.setdefault(arm.name, remark)
        remarks.pop(chosen.steps[0].candidate.name, None)
        return context.decision(
            [*chosen.steps, *(Step(candidate=one) for one in others)],
            reason=choice.reason,
            policy=self.name,
            policy_params={
                **self._params(),
                "cost_weight": self.cost_weight,
                "plans": self._arms.as_params(),
                "propensity_error": choice.propensity_error,
            },
            remarks=remarks,
            propensity=min(max(choice.propensity, _LEAST_PROPENSITY), 1.0),
        )

    @abstractmethod
    def _choose(
        self, context: Context, arms: Sequence[Arm], expected: Sequence[Expectation], penalty: Real
    ) -> Choice:
        """Choose among the arms, given what the quality model expects, and what their cost takes off."""

    @abstractmethod
    def _params(self) -> dict[str, Any]:
        """Return the parameters of the subclass, as JSON-serialisable data."""

    @staticmethod
    def _others(
        arms: Sequence[Arm], chosen: Arm, utility: Real, candidates: Sequence[Candidate]
    ) -> list[Candidate]:
        """Return the candidates that the chosen arm does not call, in the order of the arms they open."""
        called = {step.candidate.name for step in chosen.steps}
        ranked = [arms[index] for index in np.argsort(-utility, kind="stable")]
        ordered = [step.candidate for arm in ranked for step in arm.steps]
        unique = {one.name: one for one in (*ordered, *candidates)}
        return [one for name, one in unique.items() if name not in called]

    def __repr__(self) -> str:
        params = {**self._params(), "cost_weight": self.cost_weight}
        shown_params = ", ".join(f"{name}={value!r}" for name, value in params.items())
        plans = "" if self._arms.cascades is None else f", plans={self._arms!r}"
        return f"{type(self).__name__}({shown_params}{plans})"


def best(utility: Real, penalty: Real) -> int:
    """Return the arm of the highest utility; of equals the one whose cost takes off less, then the first."""
    return int(np.lexsort((penalty, -utility))[0])


def number(what: str, value: float, *, high: float, low: float = 0.0) -> float:
    """Check a parameter.

    Raises:
        ConfigurationError: It is not a finite number within the bounds.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or not low <= value <= high:
        span = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
        raise ConfigurationError(f"{what} must be {span}, got {shown(value)}.")
    return float(value)
