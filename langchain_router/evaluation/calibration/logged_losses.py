"""What a log proves of answers that it does not hold: cautious losses of routing otherwise.

In a log only the answer that was given is judged. What another plan would have answered shows only where a
policy sometimes took that plan by lot, with a probability that was recorded. Whatever the log does not tell
counts against routing here: an unseen answer of the plan routed to as worthless, an unseen one of the
reference as perfect. So the mean of these losses is never below the true one, and no certificate rests on
what was not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.calibration.p_values import Real
from langchain_router.exceptions import ConfigurationError
from langchain_router.experiments.confidence import mean_interval

Names = NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A decision whose answer was judged.

    Attributes:
        arm: What was chosen.
        propensity: With which probability, above 0 and at most 1.
        score: How good the answer was, 0..1.
    """

    arm: str
    propensity: float
    score: float


def cautious_losses(judged: Sequence[Judged], routed: Names, reference: Names, *, most_weight: float) -> Real:
    """Return losses whose mean is at least the mean quality that routing loses against the reference.

    Where both choose the same arm the loss is 0, whatever was seen. Elsewhere it is 1, less the weight (one
    over the propensity) times the score where the routed arm was taken, or times what the score lacks where
    the reference's was. Without the limit on weights its mean is exactly the quality lost where both arms
    had a chance to be taken; with it, and where an arm had none, it is above. So losses are from
    1 - `most_weight` to 1, whatever the propensities.

    Source: importance weighting (Horvitz and Thompson 1952) with clipped weights (Ionides 2008, "Truncated
    Importance Sampling"), the direction of each clip chosen so that it can only raise the loss, as in the
    pessimistic estimates of Bottou et al. 2013, "Counterfactual Reasoning and Learning Systems", section 4.

    Args:
        judged: Decisions, in the order of time.
        routed: Arm that each threshold would have chosen, for each decision and threshold.
        reference: Arm that the reference would have chosen, for each decision.
        most_weight: Largest weight, above 1. Set it before the scores are looked at.

    Raises:
        ConfigurationError: A value is out of range, or arrays do not fit.

    Example:
        >>> seen = [Judged(arm=arm, propensity=0.5, score=s) for arm, s in (("small", 0.75), ("large", 1.0))]
        >>> routed = np.array([["large", "small"], ["large", "small"]])
        >>> cautious_losses(seen, routed, np.array(["large", "large"]), most_weight=4.0).tolist()
        [[0.0, -0.5], [0.0, 1.0]]
    """
    if not most_weight > 1:
        raise ConfigurationError(f"most_weight must be above 1, got {most_weight!r}.")
    if routed.ndim != 2 or len(routed) != len(judged) or reference.shape != (len(judged),):
        raise ConfigurationError(
            f"routed must have a row and reference an arm for each of the {len(judged)} decisions; their "
            f"shapes are {routed.shape} and {reference.shape}."
        )
    if not all(0 < one.propensity <= 1 and 0 <= one.score <= 1 for one in judged):
        raise ConfigurationError("a propensity must be above 0 and at most 1, and a score from 0 to 1.")
    arms = np.array([one.arm for one in judged])
    scores = np.array([one.score for one in judged], dtype=np.float64)
    weights = np.minimum(1 / np.array([one.propensity for one in judged], dtype=np.float64), most_weight)
    seen_reference = np.where(arms == reference, weights * (1 - scores), 0.0)[:, None]
    seen_routed = np.where(arms[:, None] == routed, (weights * scores)[:, None], 0.0)
    losses: Real = np.where(routed == reference[:, None], 0.0, 1.0 - seen_reference - seen_routed)
    return losses


def cautious_band(
    judged: Sequence[Judged], routed: Names, *, most_weight: float, doubt: float
) -> tuple[float, float]:
    """Return where the mean score of what a threshold returns lies; wide, and valid as the losses are.

    Args:
        judged: Decisions.
        routed: Arm that the threshold would have chosen, for each.
        most_weight: Largest weight, above 1.
        doubt: Probability, at most, that it lies elsewhere.
    """
    lows = []
    for is_good in (True, False):
        total = sum(
            min(1 / one.propensity, most_weight) * (one.score if is_good else 1 - one.score) / most_weight
            for one, arm in zip(judged, routed, strict=True)
            if one.arm == arm
        )
        low, _ = mean_interval(min(total, len(judged)), len(judged), confidence=1 - doubt / 2)
        lows.append(min(low * most_weight, 1.0))
    return (lows[0], 1 - lows[1]) if lows[0] <= 1 - lows[1] else (0.0, 1.0)
