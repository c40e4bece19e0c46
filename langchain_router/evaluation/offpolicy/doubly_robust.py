"""Doubly robust: what a model expects of the other policy, corrected by what was seen."""

from __future__ import annotations

from langchain_router.evaluation.offpolicy.intervals import CONFIDENCE, Estimate, Floats, mean_of
from langchain_router.evaluation.offpolicy.weights import clipped, effective_sample


def dr_terms(
    weight: Floats,
    outcome: Floats,
    *,
    expected: Floats,
    expected_of_policy: Floats,
    clip: float | None = None,
) -> Floats:
    """Return what each request adds to the doubly robust mean.

    Their mean is the estimate. The terms of two policies on the same requests may be subtracted, request by
    request, for the difference between both with its own interval.

    Args:
        weight: Of each request, 0 or more.
        outcome: Of each request; what it is where the weight is 0 does not matter.
        expected: What a model that has not seen this request expects of what was chosen for it.
        expected_of_policy: What it expects of what the other policy would choose: its mean over the choices
            by their probabilities.
        clip: The largest weight that is used as it is; by default the square root of their number. Where it
            clips, the model's word counts for more.
    """
    terms: Floats = expected_of_policy + clipped(weight, clip) * (outcome - expected)
    return terms


def doubly_robust(
    weight: Floats,
    outcome: Floats,
    *,
    expected: Floats,
    expected_of_policy: Floats,
    clip: float | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """Return what a model expects of the other policy, corrected by the weighted errors that it made.

    Right on average when the weights are right, however wrong the model; and more certain than `ips` and
    `snips` in so far as the model foresees the outcomes. `cross_fitted` makes such expectations.

    Sources: Dudík, Langford and Li 2011, "Doubly Robust Policy Evaluation and Learning"; for expectations of
    models that have not seen the request, Chernozhukov et al. 2018, "Double/debiased machine learning".

    Args:
        weight: As for `dr_terms`, like the next three.
        outcome: Of each request.
        expected: Of what was chosen.
        expected_of_policy: Of what the other policy would choose.
        clip: The largest weight that is used as it is.
        confidence: How often the interval shall hold the truth, 0..1.

    Example:
        >>> import numpy as np
        >>> doubly_robust(
        ...     np.array([2.0, 0.0, 2.0, 0.0]), np.array([1.0, 0.0, 0.5, 1.0]),
        ...     expected=np.full(4, 0.5), expected_of_policy=np.full(4, 0.5),
        ... ).value
        0.75
    """
    terms = dr_terms(weight, outcome, expected=expected, expected_of_policy=expected_of_policy, clip=clip)
    return mean_of(terms, effective=effective_sample(clipped(weight, clip)), confidence=confidence)
