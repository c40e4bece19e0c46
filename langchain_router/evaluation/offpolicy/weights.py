"""How much evidence weighted requests are, and what to do with weights that are too large."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def effective_sample(weight: Floats) -> float:
    """Return how many requests of equal weight would tell as much as these.

    The square of the sum over the sum of squares. Requests that the other policy would never have treated so
    weigh nothing and count for nothing; one of a huge weight outshouts the rest and counts for one.

    Source: Kish 1965, "Survey Sampling".

    Example:
        >>> effective_sample(np.array([1.0, 1.0, 1.0, 0.0]))
        3.0
        >>> round(effective_sample(np.array([1.0, 1.0, 1.0, 100.0])), 2)
        1.06
    """
    largest = float(weight.max(initial=0.0))
    if largest <= 0:
        return 0.0
    scaled = weight / largest
    return float(scaled.sum() ** 2 / (scaled @ scaled))


def usual_clip(count: int) -> float:
    """Return the largest weight that is used as it is: the square root of the number of requests.

    Larger ones come from choices that were very unlikely. Clipped so, the bias vanishes with more requests,
    and no single one decides.

    Source: Ionides 2008, "Truncated Importance Sampling".
    """
    return math.sqrt(max(count, 1))


def clipped(weight: Floats, most: float | None = None) -> Floats:
    """Return the weights, none above `most`, which is `usual_clip` where it is not given.

    Example:
        >>> clipped(np.array([0.5, 1.0, 2.0, 9.0])).tolist()
        [0.5, 1.0, 2.0, 2.0]
    """
    return np.minimum(weight, usual_clip(len(weight)) if most is None else most)
