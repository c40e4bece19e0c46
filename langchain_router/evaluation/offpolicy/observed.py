"""Outcomes that are not known of every request: how much those count of which they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.offpolicy.intervals import Floats


def seen_factor(known: Floats, arm: NDArray[np.int64]) -> Floats:
    """Return by what to multiply a request's weight, so that those of unknown outcome are made up for.

    Few answers are judged, and of one arm more than of another. Each that is stands for those of the same arm
    that are not: its factor is one over the share that is known. That is right as long as it does not depend
    on the outcome whether it becomes known, once the arm is given.

    Args:
        known: How well the outcome of each request is known, from 0 for not at all to 1.
        arm: What was chosen, as a number.

    Example:
        >>> seen_factor(np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1])).tolist()
        [2.0, 0.0, 1.0, 1.0]
    """
    factor = np.zeros(len(known))
    for one in np.unique(arm):
        here = arm == one
        share = float(known[here].mean())
        if share > 0:
            factor[here] = known[here] / share
    return factor


def without_luck_of_seeing(terms: Floats, factor: Floats, arm: NDArray[np.int64]) -> Floats:
    """Return terms of the same mean, less the part of their spread that `seen_factor` has already evened out.

    How many requests of an arm happen to be known varies, but the factor makes up for just that; an interval
    that counted it would be too wide.

    Source: Lunceford and Davidian 2004, "Stratification and weighting via the propensity score in estimation
    of causal treatment effects", on shares that are taken from the same requests.

    Args:
        terms: What each request adds to a mean, factor and all.
        factor: From `seen_factor`.
        arm: As given to it.
    """
    evened = terms.copy()
    for one in np.unique(arm):
        here = arm == one
        if factor[here].any():
            evened[here] -= terms[here].mean() * (factor[here] - 1)
    return evened
