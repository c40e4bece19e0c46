"""Intervals for a mean that may be looked at as often as one likes, and acted on at any moment.

An ordinary 95 % interval holds for one look. Who looks every day and acts on the first surprise is wrong far
more often; these hold at all times at once.
"""

from __future__ import annotations

import math
from typing import Final

from langchain_router.exceptions import ConfigurationError

_BISECTIONS: Final = 60


def mean_interval(
    total: float, n: int, *, confidence: float = 0.95, prior: tuple[float, float] = (1.0, 1.0)
) -> tuple[float, float]:
    """Return an interval that holds the mean of numbers in 0..1 at every time, with the confidence stated.

    It follows from how many there were and their sum, so that the order in which they came does not matter.
    It is as narrow as can be for what is mostly 0 or 1, as feedback is, and wider than needed for numbers
    that vary less. A bet on every mean that there may be is laid out by a beta distribution, and a mean is
    ruled out when the bets against it have gained 1 / (1 - confidence).

    Source: Howard, Ramdas, McAuliffe, Sekhon 2021, "Time-uniform, nonparametric, nonasymptotic confidence
    sequences" (beta-binomial mixture); that it holds for any numbers in 0..1 follows from the convexity of
    the likelihood ratio in the number.

    Args:
        total: Sum of the numbers.
        n: How many there were.
        confidence: That the mean is in it at all times, above 0 and below 1.
        prior: Of the beta distribution that lays out the bets; anything above 0 is valid, and what is close
            to the truth narrows the interval.

    Raises:
        ConfigurationError: A value is out of range.

    Example:
        >>> [round(end, 2) for end in mean_interval(90, 100)]
        [0.77, 0.97]
        >>> mean_interval(0, 0)
        (0.0, 1.0)
    """
    if n < 0 or not 0 <= total <= n or not 0 < confidence < 1 or min(prior) <= 0:
        raise ConfigurationError(
            f"total must be from 0 to n, confidence above 0 and below 1, and the prior above 0; got "
            f"total {total!r}, n {n!r}, confidence {confidence!r}, prior {prior!r}."
        )
    most = math.log(1 / (1 - confidence))
    if n == 0:
        return 0.0, 1.0
    return _end(total, n, prior, most, 0.0), _end(total, n, prior, most, 1.0)


def log_wealth(total: float, n: int, mean: float, prior: tuple[float, float] = (1.0, 1.0)) -> float:
    """Return the logarithm of what bets against a mean have gained: evidence against it, at any time.

    Args:
        total: Sum of numbers in 0..1.
        n: How many there were.
        mean: What is bet against, 0..1.
        prior: Of the beta distribution that lays out the bets.

    Example:
        >>> log_wealth(90, 100, 0.5) > math.log(20)
        True
    """
    misses = n - total
    if (total > 0 and mean <= 0) or (misses > 0 and mean >= 1):
        return math.inf
    gained = _log_beta(prior[0] + total, prior[1] + misses) - _log_beta(*prior)
    at_mean = total * math.log(mean) if total > 0 else 0.0
    at_mean += misses * math.log1p(-mean) if misses > 0 else 0.0
    return gained - at_mean


def _end(total: float, n: int, prior: tuple[float, float], most: float, bound: float) -> float:
    """Return the end of the interval on one side, rounded outwards by bisection."""
    if log_wealth(total, n, bound, prior) < most:
        return bound
    inside, outside = total / n, bound
    for _ in range(_BISECTIONS):
        middle = (inside + outside) / 2
        if log_wealth(total, n, middle, prior) < most:
            inside = middle
        else:
            outside = middle
    return outside


def _log_beta(one: float, other: float) -> float:
    return math.lgamma(one) + math.lgamma(other) - math.lgamma(one + other)
