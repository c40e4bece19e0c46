"""Layer 2, learned: how difficult a request is expected to be, from its words and counted signs."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from langchain_router.exceptions import ConfigurationError
from langchain_router.frozen import FrozenDict
from langchain_router.request import RoutingRequest
from langchain_router.signals.difficulty_signs import GROUP_OF, difficulty_signs
from langchain_router.signals.linear_weights import LinearWeights, load_weights, shipped_weights
from langchain_router.signals.ngrams import hashed
from langchain_router.signals.text import view
from langchain_router.signals.types import ComplexityScore, IntentPrediction

KIND: Final = "complexity"
SHIPPED: Final = "complexity.npz"

FURTHEST: Final = 3.0
"""Spreads from its mean beyond which a sign counts no more."""


class LearnedComplexityScorer:
    """Score complexity by weights learned from prompts whose authors judged how difficult they are.

    The score is a base plus a weighted sum of signs (length, numbers, formulas, code, conditions, ...) and of
    hashed words; contributions are given by group. The prompts were written so that difficulty does not
    follow length, which in traffic it does: what length adds was set beside them, in
    `training/train_complexity.py`. Turns, tools and an answer's schema are not in the prompts; they add what
    `HeuristicComplexityScorer` gives.

    It ranks prompts of one kind by difficulty somewhat better than their length does (`langchain-router
    bench-signals` measures it on yours), and costs a few tenths of a millisecond. Prefer
    `HeuristicComplexityScorer` where every part of the score must be read from a list of words. Neither knows
    which model will fail: prefer predicted quality once outcomes have been recorded.

    Args:
        weights: File of weights in this package's format; those shipped when None.

    Raises:
        ConfigurationError: The weights cannot be read.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> from langchain_router.signals.keyword_intent import KeywordIntentClassifier
        >>> def score(text):
        ...     request = RoutingRequest(messages=(HumanMessage(text),))
        ...     return LearnedComplexityScorer().score(request, KeywordIntentClassifier().classify(request))
        >>> score("hi").value < score("Prove that every prime above 2 is odd, without induction.").value
        True
    """

    def __init__(self, weights: str | os.PathLike[str] | LinearWeights | None = None) -> None:
        self._weights = _loaded(weights)
        signs: Mapping[str, tuple[float, float, float]] = self._weights.about["signs"]
        self._signs = {name: tuple(numbers) for name, numbers in signs.items()}
        self._base = float(self._weights.about["base"])

    @property
    def fingerprint(self) -> str:
        """Names the weights."""
        return self._weights.fingerprint

    @property
    def base(self) -> float:
        """Where every score starts; the contributions are added to it."""
        return self._base

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        """Say how difficult the request is expected to be. Never raises; bounded work.

        Args:
            request: The request.
            intent: What layer 1 said about it; each intent moves the score by its probability.

        Returns:
            A score whose contributions add up to its value minus `base`, before the cut to 0..1.
        """
        seen = view(request)
        parts = {"words": float(self._weights.scores(hashed(seen.window))[0])}
        found = difficulty_signs(seen, intent)
        for name, (mean, spread, weight) in self._signs.items():
            group = GROUP_OF.get(name, name)
            away = (found[name] - mean) / spread
            parts[group] = parts.get(group, 0.0) + weight * min(FURTHEST, max(-FURTHEST, away))
        ordered = sorted(parts.items(), key=lambda item: (-abs(item[1]), item[0]))
        return ComplexityScore(
            value=min(1.0, max(0.0, self._base + math.fsum(parts.values()))),
            contributions=FrozenDict((name, amount) for name, amount in ordered if amount),
            source="learned",
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to an .npz file.

        Raises:
            ConfigurationError: It cannot be written.
        """
        self._weights.save(path)


def _loaded(given: str | os.PathLike[str] | LinearWeights | None) -> LinearWeights:
    if given is None:
        return _shipped()
    found = given if isinstance(given, LinearWeights) else load_weights(given, kind=KIND, classes=1)
    signs = found.about.get("signs")
    if not isinstance(signs, Mapping) or not all(len(one) == 3 and one[1] > 0 for one in signs.values()):
        raise ConfigurationError("These weights lack the numbers of the signs. Train them anew.")
    return found


@cache
def _shipped() -> LinearWeights:
    return shipped_weights(SHIPPED, kind=KIND, classes=1)
