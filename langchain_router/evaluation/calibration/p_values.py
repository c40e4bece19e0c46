"""How surprising the losses seen would be if the mean loss were above what is allowed.

A p-value here is small with no more than its own probability when the true mean is above the limit: at most
5 in 100 data sets bring a p-value of 0.05 or less. Both methods hold for any distribution of losses in 0..1
and any number of them; nothing is approximated.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]

_MOST_STAKE: Final = 0.75  # of the wealth that one loss of 1 may take
_FIRST_MEAN: Final = 0.5
_FIRST_VARIANCE: Final = 0.25  # the largest that losses in 0..1 can have


def hoeffding_bentkus(mean: float, n: int, allowed: float) -> float:
    """Return the p-value of a mean loss above what is allowed, by how many there were and their mean alone.

    The smaller of Hoeffding's and Bentkus's. Takes no note of how much the losses vary, so that losses which
    are nearly all equal count no more than a coin's; `betting` does.

    Source: Bates, Angelopoulos, Lei, Malik, Jordan 2021, "Distribution-Free, Risk-Controlling Prediction
    Sets", section 3.1; Angelopoulos, Bates, Candès, Jordan, Lei 2021, "Learn then Test", proposition 6.

    Args:
        mean: Of the losses, 0..1.
        n: How many there were.
        allowed: The largest mean loss that is allowed, above 0 and below 1.

    Example:
        >>> round(hoeffding_bentkus(0.1, 100, 0.2), 4)
        0.0155
    """
    if n == 0 or mean >= allowed:
        return 1.0
    hoeffding = math.exp(-n * divergence(mean, allowed))
    bentkus = math.e * binomial_cdf(math.ceil(n * mean), n, allowed)
    return min(hoeffding, bentkus, 1.0)


def betting(losses: Real, allowed: float, level: float) -> float:
    """Return the p-value of a mean loss above what is allowed, by betting against it, loss after loss.

    Somebody who bets that losses are below what is allowed cannot expect to gain if their mean is above; the
    p-value is one over the most wealth that was reached. The bets follow the mean variance so far, so the
    less losses vary, the fewer are needed. Stakes depend on what came before, never on what comes, and the
    p-value on the order: that must not have been chosen by the losses.

    Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", section
    4; as used for testing in Bates et al. 2021, proposition 5. Valid also where each loss has a mean above
    the limit given those before it, as in a log whose policy was learning.

    Args:
        losses: 0..1 each, in the order in which they are bet on.
        allowed: The largest mean loss that is allowed, above 0 and below 1.
        level: The p-value that is hoped for; it sizes the bets, and the p-value is valid whatever it is.

    Example:
        >>> betting(np.full(400, 0.5), 0.51, 0.05) < 0.05  # no variance: 400 are enough
        True
        >>> hoeffding_bentkus(0.5, 400, 0.51) < 0.05
        False
    """
    n = len(losses)
    if n == 0:
        return 1.0
    counted = np.arange(n) + 1.0  # those before each, and one that is made up
    means = (_FIRST_MEAN + np.cumsum(losses) - losses) / counted
    squares = (losses - means) ** 2
    variances = (_FIRST_VARIANCE + np.cumsum(squares) - squares) / counted
    stakes = np.sqrt(2 * math.log(1 / level) / (n * np.maximum(variances, 1e-12)))
    stakes = np.minimum(stakes, _MOST_STAKE / (1 - allowed))
    wealth = np.cumsum(np.log1p(stakes * (allowed - losses)))
    return math.exp(-max(0.0, float(wealth.max())))


def divergence(mean: float, other: float) -> float:
    """Return the Kullback-Leibler divergence of a coin with one mean from a coin with another.

    Example:
        >>> divergence(0.5, 0.5)
        0.0
    """
    heads = mean * math.log(mean / other) if mean > 0 else 0.0
    tails = (1 - mean) * math.log((1 - mean) / (1 - other)) if mean < 1 else 0.0
    return max(0.0, heads + tails)


def binomial_cdf(most: int, n: int, chance: float) -> float:
    """Return the probability of at most so many successes in n trials, each with the same chance.

    Example:
        >>> round(binomial_cdf(1, 2, 0.5), 3)
        0.75
    """
    if most < 0:
        return 0.0
    if most >= n:
        return 1.0
    factorials = np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, n + 1)))))
    successes = np.arange(most + 1)
    logs = factorials[n] - factorials[successes] - factorials[n - successes]
    logs = logs + successes * math.log(chance) + (n - successes) * math.log1p(-chance)
    largest = float(logs.max())
    return min(1.0, math.exp(largest) * float(np.exp(logs - largest).sum()))


def samples_needed(mean: float, variance: float, allowed: float, level: float) -> int:
    """Return about how many losses like these `betting` needs to certify, in four of five cases.

    Args:
        mean: Of the losses, 0..1, and below what is allowed.
        variance: Of the losses.
        allowed: The largest mean loss that is allowed.
        level: The p-value that is needed.

    Example:
        >>> samples_needed(0.5, 0.0225, 0.51, 0.05)  # losses with a deviation of 0.15
        2316
    """
    gap = allowed - mean
    to_vary = 2 * variance / gap**2
    to_bet = (1 - allowed) / (_MOST_STAKE * gap)  # however little they vary, stakes have a limit
    return math.ceil(_SURELY * math.log(1 / level) * (to_vary + to_bet))


_SURELY: Final = 1.5  # simulated: with the bare sum two of three certify, with half as many again five of six
