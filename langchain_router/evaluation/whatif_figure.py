"""One figure of a what-if: by three estimators, beside what was recorded."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.offpolicy.doubly_robust import doubly_robust, dr_terms
from langchain_router.evaluation.offpolicy.intervals import Estimate, Floats, mean_of
from langchain_router.evaluation.offpolicy.ips import ips
from langchain_router.evaluation.offpolicy.observed import seen_factor
from langchain_router.evaluation.offpolicy.reward_model import cross_fitted
from langchain_router.evaluation.offpolicy.snips import snips
from langchain_router.evaluation.offpolicy.weights import effective_sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What was chosen for each recorded request, and what another policy would have chosen.

    Attributes:
        names: Of the arms, first those that were recorded.
        seen: How many of them were.
        arm: What was chosen, by its place among the names.
        propensity: With which probability.
        target: The other policy's probabilities, one row a request and one column an arm.
    """

    names: tuple[str, ...]
    seen: int
    arm: NDArray[np.int64] = field(repr=False)
    propensity: Floats = field(repr=False)
    target: Floats = field(repr=False)

    @property
    def of_recorded(self) -> Floats:
        """The other policy's probability of what was chosen."""
        return self.target[np.arange(len(self.arm)), self.arm]

    @property
    def weight(self) -> Floats:
        """How much likelier the other policy makes what was chosen."""
        return self.of_recorded / self.propensity

    def shares(self) -> dict[str, tuple[float, float]]:
        """Return each arm's share of the requests: recorded, and under the other policy."""
        recorded = np.bincount(self.arm, minlength=len(self.names)) / len(self.arm)
        other = self.target.mean(axis=0)
        return {name: (float(recorded[place]), float(other[place])) for place, name in enumerate(self.names)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """One kind of outcome of every recorded request.

    Attributes:
        what: `"cost"` or `"quality"`.
        value: The outcome; 0 where it is not known.
        known: How well it is known, 0..1.
        stratum: Requests of the same number stand for each other where outcomes are not known.
        most: The largest that it can be; None where there is no limit.
        hint: What was expected of each recorded arm, if anything.
    """

    what: str
    value: Floats = field(repr=False)
    known: Floats = field(repr=False)
    stratum: NDArray[np.int64] = field(repr=False)
    most: float | None
    hint: Floats | None = field(repr=False)

    @property
    def factor(self) -> Floats:
        """By what to multiply weights, so that requests of unknown outcome are made up for."""
        return seen_factor(self.known, self.stratum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Cost or quality of the other policy, and of the recorded one.

    Attributes:
        recorded: What the recorded policy came to.
        doubly_robust: What the other one would have: the estimate to go by.
        snips: By a weighted mean, and
        ips: by inverse propensities: plainer, so that the three can be compared.
        difference: The other policy's less the recorded one's, on the same requests.
        known: Of how many requests the outcome is known.
        effective_sample: How many requests of equal weight would tell as much of the other policy.
    """

    recorded: Estimate
    doubly_robust: Estimate
    snips: Estimate
    ips: Estimate
    difference: Estimate
    known: int
    effective_sample: float

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        estimates = {
            name: getattr(self, name).to_dict()
            for name in ("recorded", "doubly_robust", "snips", "ips", "difference")
        }
        return {**estimates, "known": self.known, "effective_sample": round(self.effective_sample, 1)}


def figure(
    policies: Policies,
    outcomes: Outcomes,
    *,
    features: Floats,
    fold: NDArray[np.int64],
    confidence: float,
) -> Figure:
    """Return one figure of both policies.

    Args:
        policies: What was chosen, and what would be.
        outcomes: What came of it.
        features: Of each request, for the model of outcomes.
        fold: Which part each request belongs to: the model of a part has not seen it.
        confidence: Of the intervals, 0..1.
    """
    arms = policies.seen
    each = cross_fitted(
        features,
        policies.arm,
        outcomes.value,
        outcomes.known,
        fold=fold,
        arms=arms,
        hint=outcomes.hint,
    )
    expected = each[np.arange(len(each)), policies.arm]
    reached = policies.target[:, :arms]
    mass = reached.sum(axis=1)
    # What was never recorded is taken to be like the policy's other choices, or like all arms.
    of_policy = np.where(mass > 0, (each * reached).sum(axis=1) / np.maximum(mass, 1e-12), each.mean(axis=1))
    factor = outcomes.factor
    weight = policies.weight * factor
    own = dr_terms(factor, outcomes.value, expected=expected, expected_of_policy=expected)
    other = dr_terms(weight, outcomes.value, expected=expected, expected_of_policy=of_policy)
    effective = effective_sample(weight)
    high = math.inf if outcomes.most is None else outcomes.most
    return Figure(
        recorded=mean_of(own, effective=effective_sample(factor), confidence=confidence).within(0.0, high),
        doubly_robust=doubly_robust(
            weight,
            outcomes.value,
            expected=expected,
            expected_of_policy=of_policy,
            confidence=confidence,
        ).within(0.0, high),
        snips=snips(weight, outcomes.value, confidence=confidence).within(0.0, high),
        ips=ips(
            weight,
            outcomes.value,
            most=outcomes.most,
            seen=(factor, outcomes.stratum),
            confidence=confidence,
        ).within(0.0, high),
        difference=mean_of(other - own, effective=effective, confidence=confidence),
        known=int((outcomes.known > 0).sum()),
        effective_sample=effective,
    )
