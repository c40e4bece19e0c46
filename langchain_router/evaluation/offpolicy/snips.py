"""Self-normalised inverse propensity scoring: a weighted mean."""

from __future__ import annotations

import math

import numpy as np

from langchain_router.evaluation.offpolicy.intervals import CONFIDENCE, Estimate, Floats, around
from langchain_router.evaluation.offpolicy.weights import clipped, effective_sample


def snips(
    weight: Floats, outcome: Floats, *, clip: float | None = None, confidence: float = CONFIDENCE
) -> Estimate:
    """Return the weighted mean of outcomes.

    Stays within the outcomes seen, and does not move when all outcomes are moved together, which `ips` does
    by its luck with the weights. Slightly biased, by one part in the number of requests. Prefer
    `doubly_robust` where something is known of the outcomes beforehand.

    The interval comes from the linearised error of a ratio, where each request is measured against the mean
    of the others, so that it does not shrink when a few of them carry most of the weight.

    Sources: Swaminathan and Joachims 2015, "The Self-Normalized Estimator for Counterfactual
    Learning"; for the interval, Owen 2013, "Monte Carlo theory, methods and examples", section 9.2, and
    MacKinnon and White 1985 for measuring each against the others.

    Args:
        weight: Of each request, 0 or more.
        outcome: Of each request; what it is where the weight is 0 does not matter.
        clip: The largest weight that is used as it is; by default the square root of their number.
        confidence: How often the interval shall hold the truth, 0..1.

    Example:
        >>> snips(np.array([3.0, 0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.5, 1.0]), clip=9).value
        0.875
    """
    used = clipped(weight, clip)
    total = float(used.sum())
    effective = effective_sample(used)
    if total <= 0:
        return Estimate(value=math.nan, low=-math.inf, high=math.inf, effective_sample=0.0)
    share = used / total
    value = float(share @ outcome)
    alone = share >= 1
    errors = np.where(alone, math.inf, share * (outcome - value) / np.where(alone, 1.0, 1 - share))
    return around(value, errors, effective=effective, confidence=confidence)
