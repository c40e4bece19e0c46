"""A figure with the interval that the truth lies in, and how much evidence it rests on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.exceptions import ConfigurationError
from langchain_router.wording import shown

Floats = NDArray[np.float64]

CONFIDENCE: Final = 0.95

_FEWEST: Final = 4.0
"""With fewer effective requests than these an interval has no end: nothing can be said."""

_STRAIGHT: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean with its interval.

    Attributes:
        value: The estimate.
        low: Lower end of the interval.
        high: Upper end.
        effective_sample: How many requests of equal weight would tell as much.
    """

    value: float
    low: float
    high: float
    effective_sample: float

    @property
    def side(self) -> int:
        """1 when the whole interval lies above zero, -1 when below, 0 when zero may be the truth."""
        return int(self.low > 0) - int(self.high < 0)

    def within(self, low: float, high: float) -> Estimate:
        """Return the same for a figure that cannot lie elsewhere, such as a mean of scores."""

        def bounded(value: float) -> float:
            return min(max(value, low), high)

        return Estimate(
            value=bounded(self.value),
            low=bounded(self.low),
            high=bounded(self.high),
            effective_sample=self.effective_sample,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data; an end that is not known is None."""
        return {
            "value": self.value,
            "low": self.low if math.isfinite(self.low) else None,
            "high": self.high if math.isfinite(self.high) else None,
            "effective_sample": round(self.effective_sample, 1),
        }


def mean_of(terms: Floats, *, effective: float, confidence: float = CONFIDENCE) -> Estimate:
    """Return the mean of one term for each request, with its interval.

    Args:
        terms: What each request adds.
        effective: How many requests of equal weight would tell as much.
        confidence: How often the interval shall hold the truth, 0..1.

    Example:
        >>> found = mean_of(np.array([0.0, 1.0] * 50), effective=100)
        >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
        (0.5, 0.4, 0.6)
    """
    mean = float(terms.mean())
    count = len(terms)
    if count < 2:
        return around(mean, np.full(1, math.inf), effective=effective, confidence=confidence)
    return around(
        mean, (terms - mean) / math.sqrt(count * (count - 1)), effective=effective, confidence=confidence
    )


def around(value: float, errors: Floats, *, effective: float, confidence: float = CONFIDENCE) -> Estimate:
    """Return an estimate with its interval, from the error that each request may have brought into it.

    The standard error is the root of the sum of their squares. The interval is Student's, with as many
    degrees of freedom as there are effective requests less one, and bent to the side where errors are rare
    but large: where nearly all answers are good, a few bad ones may just not have come up.

    Source: Hall 1992, "On the Removal of Skewness by Transformation".

    Args:
        value: The estimate.
        errors: Of each request.
        effective: How many requests of equal weight would tell as much.
        confidence: How often the interval shall hold the truth, 0..1.
    """
    quantile = student_quantile(max(effective, _FEWEST) - 1, confidence)
    error = math.sqrt(float(errors @ errors))
    if effective < _FEWEST or not math.isfinite(error):
        return Estimate(value=value, low=-math.inf, high=math.inf, effective_sample=effective)
    skewness = float((errors**3).sum()) / error**3 if error else 0.0
    return Estimate(
        value=value,
        low=value - error * _bent(quantile, skewness),
        high=value - error * _bent(-quantile, skewness),
        effective_sample=effective,
    )


def _bent(quantile: float, skewness: float) -> float:
    """Return how many standard errors to go, where the mean itself is skewed so much."""
    if abs(skewness) < _STRAIGHT:
        return quantile
    return 3 / skewness * (math.cbrt(1 + skewness * (quantile - skewness / 6)) - 1)


def student_quantile(degrees: float, confidence: float = CONFIDENCE) -> float:
    """Return how many standard errors the two-sided interval of Student's distribution reaches.

    By the expansion around the normal quantile of Abramowitz and Stegun 1964, formula 26.7.5, which is
    within a thousandth from five degrees of freedom on.

    Args:
        degrees: Of freedom, 3 or more; need not be whole.
        confidence: How much the interval holds, above 0 and below 1.

    Raises:
        ConfigurationError: A confidence that is no such number.

    Example:
        >>> round(student_quantile(30), 3), round(student_quantile(1e9), 3)
        (2.042, 1.96)
    """
    is_number = isinstance(confidence, (int, float)) and not isinstance(confidence, bool)
    if not is_number or not 0 < confidence < 1:
        raise ConfigurationError(
            f"confidence must be above 0 and below 1, such as 0.95, got {shown(confidence)}."
        )
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    corrections = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
    return z + sum(one / degrees**power for power, one in enumerate(corrections, start=1))
