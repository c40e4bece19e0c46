"""Learn then test: the cheapest threshold of which it is proved that quality holds."""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.calibration.calibration import Calibration, Refusal
from langchain_router.evaluation.calibration.certificate import Basis, Certificate, Method, number, one_of
from langchain_router.evaluation.calibration.p_values import (
    Real,
    betting,
    divergence,
    hoeffding_bentkus,
    samples_needed,
)
from langchain_router.exceptions import ConfigurationError
from langchain_router.experiments.confidence import mean_interval
from langchain_router.signals.types import INTENTS, Intent
from langchain_router.wording import shown

SLACKS: Final = tuple(round(0.01 * step, 2) for step in (*range(31), *range(35, 101, 5)))
"""The thresholds that are tried unless others are given: slack from 0 to 0.3 by 0.01, then to 1 by 0.05."""

_ROUNDING: Final = 1e-9
_LEAST_SHARE: Final = 0.25  # of the loss allowed, that is assumed to be to spare when samples are estimated


def calibrate(
    losses: Mapping[Intent, NDArray[np.floating]],
    thresholds: Sequence[float] | NDArray[np.floating] = SLACKS,
    *,
    max_quality_loss: float = 0.02,
    confidence: float = 0.95,
    method: Method | Literal["auto"] = "auto",
    together: bool = False,
    lowest_loss: float = -1.0,
    in_order: bool = False,
    scores: Mapping[Intent, NDArray[np.floating]] | None = None,
    reference: str = "the best predicted",
    policy: str = "unnamed",
    basis: Basis = "recorded",
    data_fingerprint: str | None = None,
    wall_clock: Callable[[], float] = time.time,
) -> Calibration:
    """For each intent, find the cheapest threshold whose mean loss is proved to be within what is allowed.

    Thresholds are tested one after another from the safest on, each at the full level, and the first that
    cannot be certified ends it: that is why so many may be tried for no more doubt than one. The policy and
    the thresholds must have been settled before, on other rows than these, and each row must be a
    request of its own: two rows of one prompt are no two samples.

    Source: Angelopoulos, Bates, Candès, Jordan, Lei 2021, "Learn then Test: Calibrating Predictive Algorithms
    to Achieve Risk Control", sections 2 and 3 (fixed-sequence testing).

    Args:
        losses: By intent, one row for each request and one column for each threshold: the score of the
            reference less the score returned, from -1 (or `lowest_loss`) to 1.
        thresholds: In ascending order, from the safest to the cheapest.
        max_quality_loss: Mean loss that is allowed, in score points; above 0 and below 1.
        confidence: In each certificate; above 0.5 and below 1.
        method: `"hoeffding-bentkus"`, `"betting"`, or `"auto"`. Hoeffding-Bentkus takes no note of how
            little losses vary and needs tens of thousands of requests at 2 points, betting a few thousand.
            `"auto"` takes the first where n alone says that it could certify a threshold that loses half of
            what is allowed, else the second: it never looks at the losses to choose.
        together: Whether the confidence is for all the certificates at once (Bonferroni) instead of each.
        lowest_loss: The least that a loss can be; below -1 where losses are weighted.
        in_order: Whether the rows are bet on in the order given, as those of a log of a policy that
            learned must be. Otherwise in an order drawn once for all, so that sorted rows do no harm.
        scores: By intent, the score returned for each row and threshold, in the shape of the losses: gives
            the certificates their band.
        reference: What quality is compared with, in words.
        policy: Which policy was measured.
        basis: What was measured.
        data_fingerprint: Of what was measured; of the losses unless given.
        wall_clock: Seconds since 1970.

    Raises:
        ConfigurationError: A value is out of range, or arrays do not fit.

    Example:
        >>> losses = np.zeros((2000, 3))
        >>> losses[::9, 2] = 1.0  # the third threshold loses a ninth
        >>> found = calibrate({"reasoning": losses}, [0.0, 0.1, 0.2])
        >>> found.threshold_for("reasoning"), found.certificates["reasoning"].method
        (0.1, 'betting')
    """
    grid = _checked_thresholds(thresholds)
    allowed = number("max_quality_loss", max_quality_loss)
    if not 0 < allowed < 1:
        raise ConfigurationError(
            f"max_quality_loss must be above 0 and below 1, got {allowed!r}. "
            "That nothing at all is lost cannot be proved of a finite number of requests."
        )
    sure = number("confidence", confidence)
    if not 0.5 < sure < 1:
        raise ConfigurationError(f"confidence must be above 0.5 and below 1, got {sure!r}.")
    lowest = number("lowest_loss", lowest_loss)
    if not lowest <= 0:
        raise ConfigurationError(f"lowest_loss must be 0 or less, got {lowest!r}.")
    one_of("method", method, ("auto", *get_args(Method)))
    tables = {intent: _checked_losses(intent, table, len(grid), lowest) for intent, table in losses.items()}
    test = _Test(
        allowed=allowed,
        level=(1 - sure) / (len(tables) if together else 1),
        lowest=lowest,
        method=method,
        in_order=in_order,
    )
    certificates: dict[Intent, Certificate] = {}
    refusals: dict[Intent, Refusal] = {}
    for intent, table in tables.items():
        last = test.last_certified(table)
        if last is None:
            refusals[intent] = test.refusal(intent, table)
            continue
        certificates[intent] = Certificate(
            intent=intent,
            threshold=float(grid[last]),
            n=len(table),
            risk_bound=allowed,
            confidence=sure,
            together=len(tables) if together else 1,
            method=test.method_for(len(table)),
            basis=basis,
            observed_loss=float(table[:, last].mean()),
            band=_band(intent, scores, table.shape, last, sure),
            reference=reference,
            policy=policy,
            date=dt.datetime.fromtimestamp(wall_clock(), dt.UTC).isoformat(timespec="seconds"),
            data_fingerprint=data_fingerprint or _fingerprint(grid, table),
        )
    return Calibration(certificates=certificates, refusals=refusals)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """What every intent is tested with; losses are taken to 0..1 here."""

    allowed: float
    level: float
    lowest: float
    method: Method | Literal["auto"]
    in_order: bool

    @property
    def limit(self) -> float:
        """The loss allowed, in 0..1."""
        return self.scaled(self.allowed)

    def scaled(self, loss: float) -> float:
        return (loss - self.lowest) / (1 - self.lowest)

    def method_for(self, n: int) -> Method:
        """Return the method, by how many requests there are and nothing else."""
        if self.method != "auto":
            return self.method
        could = hoeffding_bentkus(self.scaled(self.allowed / 2), n, self.limit) <= self.level
        return "hoeffding-bentkus" if could else "betting"

    def last_certified(self, table: Real) -> int | None:
        """Return the last threshold before the first that fails its test; None where that is the first."""
        n = len(table)
        method = self.method_for(n)
        order = np.arange(n) if self.in_order else np.random.default_rng(0).permutation(n)
        for column in range(table.shape[1]):
            losses = (table[order, column] - self.lowest) / (1 - self.lowest)
            if method == "betting":
                p_value = betting(losses, self.limit, self.level)
            else:
                p_value = hoeffding_bentkus(float(losses.mean()) if n else 0.0, n, self.limit)
            if p_value > self.level:
                return column - 1 if column else None
        return int(table.shape[1]) - 1

    def refusal(self, intent: Intent, table: Real) -> Refusal:
        """Say why not even the safest threshold could be certified."""
        safest = table[:, 0]
        n = len(safest)
        # One more, which varies as much as losses can, so that a handful that are alike promise little.
        spread = (
            (safest.var() * n + (1 - self.lowest) ** 2 / 4) / (n + 1) if n else (1 - self.lowest) ** 2 / 4
        )
        mean = float(safest.mean()) if n else 0.0
        if n and mean - 2 * math.sqrt(spread / n) >= self.allowed:
            return Refusal(
                intent=intent,
                n=n,
                still_needed=None,
                observed_loss=mean,
                reason=f"even the safest threshold lost {mean:.4f} on average, more than {self.allowed:g} is "
                "allowed; more requests will not change that. Choose better models or allow more loss",
            )
        spare = self.allowed - min(max(mean, -self.allowed), (1 - _LEAST_SHARE) * self.allowed)
        needed = self._needed(spare, spread)
        still = max(1, needed - n)
        seen = f", which lost {mean:.4f} on average" if n else ""
        return Refusal(
            intent=intent,
            n=n,
            still_needed=still,
            observed_loss=mean if n else None,
            reason=f"{n} requests are too few to certify the safest threshold{seen}: "
            f"about {still} more are needed",
        )

    def _needed(self, spare: float, spread: float) -> int:
        if self.method == "hoeffding-bentkus":
            return math.ceil(
                math.log(1 / self.level) / divergence(self.limit - self._width(spare), self.limit)
            )
        variance = spread / (1 - self.lowest) ** 2
        return samples_needed(self.limit - self._width(spare), variance, self.limit, self.level)

    def _width(self, spare: float) -> float:
        return min(spare / (1 - self.lowest), self.limit)


def _checked_thresholds(given: Sequence[float] | NDArray[np.floating]) -> Real:
    try:
        grid = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ConfigurationError(f"thresholds must be numbers, got {shown(given):.80}.") from None
    if grid.ndim != 1 or not len(grid) or not np.isfinite(grid).all() or (np.diff(grid) <= 0).any():
        raise ConfigurationError("thresholds must be finite numbers in ascending order, at least one.")
    return grid


def _checked_losses(intent: Intent, given: NDArray[np.floating], columns: int, lowest: float) -> Real:
    one_of("an intent in losses", intent, INTENTS)
    table = np.asarray(given, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != columns:
        raise ConfigurationError(
            f"losses[{intent!r}] must have a row for each request and {columns} columns, one for each "
            f"threshold; its shape is {table.shape}."
        )
    if not ((table >= lowest - _ROUNDING) & (table <= 1 + _ROUNDING)).all():
        raise ConfigurationError(f"losses[{intent!r}] must be from {lowest:g} to 1 and hold no NaN.")
    return np.clip(table, lowest, 1.0)


def _band(
    intent: Intent,
    scores: Mapping[Intent, NDArray[np.floating]] | None,
    shape: tuple[int, ...],
    column: int,
    confidence: float,
) -> tuple[float, float] | None:
    """Return where the mean score lies; half the doubt is left for what it is compared with."""
    if scores is None or intent not in scores:
        return None
    returned = np.asarray(scores[intent], dtype=np.float64)
    if returned.shape != shape or not ((returned >= 0) & (returned <= 1)).all():
        raise ConfigurationError(f"scores[{intent!r}] must be from 0 to 1 and of the losses' shape.")
    return mean_interval(float(returned[:, column].sum()), len(returned), confidence=(1 + confidence) / 2)


def _fingerprint(grid: Real, table: Real) -> str:
    made = hashlib.sha256(np.ascontiguousarray(grid).tobytes())
    made.update(np.ascontiguousarray(table).tobytes())
    return made.hexdigest()[:16]
