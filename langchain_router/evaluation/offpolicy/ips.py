"""Inverse propensity scoring: every outcome weighted by how much likelier the other policy makes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.offpolicy.intervals import CONFIDENCE, Estimate, Floats, mean_of
from langchain_router.evaluation.offpolicy.observed import without_luck_of_seeing
from langchain_router.evaluation.offpolicy.weights import clipped, effective_sample


def ips(
    weight: Floats,
    outcome: Floats,
    *,
    clip: float | None = None,
    most: float | None = None,
    seen: tuple[Floats, NDArray[np.int64]] | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return the mean of weighted outcomes.

    The plainest estimate: right on average whatever the outcomes depend on, as long as the weights are right
    and none is clipped, and the most uncertain. Prefer `snips`, or `doubly_robust` where something is known
    of the outcomes beforehand; this one is the check on both.

    Clipping takes something off, never adds. The interval therefore reaches up further by what was clipped
    off, times the largest outcome there can be: the outer interval of Bottou et al.

    Sources: Horvitz and Thompson 1952; Ionides 2008, "Truncated Importance Sampling"; Bottou et al. 2013,
    "Counterfactual Reasoning and Learning Systems".

    Args:
        weight: Of each request, 0 or more.
        outcome: Of each request, 0 or more; what it is where the weight is 0 does not matter.
        clip: The largest weight that is used as it is; by default the square root of their number.
        most: The largest outcome there can be; by default the largest seen.
        seen: Where not every outcome is known: the factors from `seen_factor`, which must be in the weights,
            and what was chosen. Without it the interval is wider than it need be.
        confidence: How often the interval shall hold the truth, 0..1.

    Example:
        >>> ips(np.array([2.0, 0.0, 2.0, 0.0]), np.array([1.0, 0.0, 0.5, 1.0])).value
        0.75
    """
    used = clipped(weight, clip)
    terms = used * outcome if seen is None else without_luck_of_seeing(used * outcome, *seen)
    found = mean_of(terms, effective=effective_sample(used), confidence=confidence)
    lost = float((weight - used).mean())
    if not lost:
        return found
    largest = float(outcome.max(initial=0.0)) if most is None else most
    return Estimate(
        value=found.value,
        low=found.low,
        high=found.high + lost * largest,
        effective_sample=found.effective_sample,
    )
