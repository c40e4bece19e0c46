"""What the first two layers say about a request: its intent and its complexity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, get_args, runtime_checkable

from langchain_router.request import RoutingRequest

Intent = Literal[
    "code_generation",
    "code_review",
    "summarization",
    "classification",
    "extraction",
    "reasoning",
    "translation",
    "formatting",
    "conversation",
]
"""The nine kinds of request that the router tells apart."""

INTENTS: tuple[Intent, ...] = get_args(Intent)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentPrediction:
    """What kind of request this is, with how sure the classifier is.

    Attributes:
        label: The most probable intent.
        probabilities: One probability for each of the nine intents; they sum to 1.
        source: Which classifier said so, e.g. `"keywords"` or `"llm"`.
        evidence: What the classifier saw, by name and never as prompt text, e.g. `("verb:translate",)`.
    """

    label: Intent
    probabilities: Mapping[Intent, float]
    source: str
    evidence: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """Probability of the label, 0..1."""
        return self.probabilities[self.label]


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplexityScore:
    """How hard the request is, and what moved the score.

    Attributes:
        value: 0 (trivial) to 1 (extremely complex).
        contributions: By feature name, how much it added to (or took from) the base score, largest first.
        source: Which scorer said so.
    """

    value: float
    contributions: Mapping[str, float] = field(default_factory=dict)
    source: str = "heuristic"


@runtime_checkable
class IntentClassifier(Protocol):
    """Layer 1. A classifier that needs I/O may also offer `async def aclassify(request)`.

    `classify` must not raise for anything a prompt can hold, and its work must be bounded
    whatever the prompt's length.
    """

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        """Say which of the nine intents the request has."""
        ...


@runtime_checkable
class ComplexityScorer(Protocol):
    """Layer 2. Same promises as `IntentClassifier`."""

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        """Say how hard the request is."""
        ...
