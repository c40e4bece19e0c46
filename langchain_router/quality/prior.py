"""Predicted quality before any feedback: the catalogue's figures, bent by complexity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from statistics import fmean
from typing import Protocol

from langchain_router.candidates.candidate import Candidate
from langchain_router.signals.types import Intent, IntentPrediction

_TYPICAL_COMPLEXITY = 0.35
_DISCRIMINATION = 2.3
_FLOOR = 0.01
_MOST_KEPT = 1_000


QualityCurve = Callable[[float], float]
"""Expected quality, 0..1, as a function of complexity, 0..1. It must not rise with complexity: decisions
report the complexity at which they would flip, and find it by bisection."""


class QualityModel(Protocol):
    """Says how well a candidate is expected to answer."""

    def curve(self, candidate: Candidate, intent: IntentPrediction) -> QualityCurve | None:
        """Return the expected quality by complexity, or None when nothing is known of this candidate."""
        ...


class PriorQuality:
    """Quality from the candidate's own figures, by item response theory.

    A candidate's ability at an intent is the log-odds of its quality figure, averaged over the predicted
    intents by their probabilities. A request that is harder than typical lowers the log-odds in proportion:

        log-odds(success) = ability(candidate, intent) - 2.3 * (complexity - 0.35)

    which is the one-parameter (Rasch) model with complexity as the item's difficulty (Rasch 1960, ch. 5).
    The slope is set so that a model of 0.70 at reasoning falls to 0.45 on a complex (0.8) request, the
    fall that the project's seed article reports for a model of 0.78 overall.

    Prefer a learned model as soon as there is feedback; this is where it starts from.

    Example:
        >>> from langchain_router.signals.types import IntentPrediction
        >>> sure = IntentPrediction(label="reasoning", probabilities={"reasoning": 1.0}, source="example")
        >>> mini = Candidate(model="any/model", quality=0.78, quality_by_intent={"reasoning": 0.70})
        >>> round(PriorQuality().curve(mini, sure)(0.8), 2)
        0.45
    """

    def __init__(self) -> None:
        self._abilities: dict[int, tuple[Candidate, Mapping[Intent, float], float | None]] = {}

    def curve(self, candidate: Candidate, intent: IntentPrediction) -> QualityCurve | None:
        """Return the expected quality by complexity, or None when the candidate states no quality.

        Intents for which it states none count as its overall figure, or as the mean of those it states.
        """
        known = self._abilities.get(id(candidate))
        if known is None or known[0] is not candidate:
            known = candidate, *_abilities_of(candidate)
            if len(self._abilities) < _MOST_KEPT:
                self._abilities[id(candidate)] = known
        _, by_intent, overall = known
        if overall is None:
            return None
        ability = 0.0
        for label, probability in intent.probabilities.items():
            ability += probability * by_intent.get(label, overall)
        shift = ability + _DISCRIMINATION * _TYPICAL_COMPLEXITY
        return lambda complexity: 1 / (1 + math.exp(_DISCRIMINATION * complexity - shift))


def _abilities_of(candidate: Candidate) -> tuple[Mapping[Intent, float], float | None]:
    """Return a candidate's log-odds by intent, and at other intents: None when it states no quality."""
    stated = candidate.quality_by_intent
    overall = candidate.quality
    if overall is None:
        if not stated:
            return {}, None
        overall = fmean(stated.values())
    return {label: _log_odds(share) for label, share in stated.items()}, _log_odds(overall)


def typical_quality(observed: float, mean_complexity: float) -> float:
    """Return the quality figure of a model seen on requests that were not of typical complexity.

    Args:
        observed: Share of requests answered well, 0..1.
        mean_complexity: Their mean complexity, 0..1.

    Example:
        >>> typical_quality(0.9, 0.35)  # typical already
        0.9
        >>> typical_quality(0.9, 0.10) < 0.9  # seen on easy requests only
        True
    """
    log_odds = _log_odds(observed) + _DISCRIMINATION * (mean_complexity - _TYPICAL_COMPLEXITY)
    return round(1 / (1 + math.exp(-log_odds)), 6)


def _log_odds(share: float) -> float:
    bounded = min(max(share, _FLOOR), 1 - _FLOOR)
    return math.log(bounded / (1 - bounded))
