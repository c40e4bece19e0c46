"""What the demo routes, whichever sort it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_router.candidates.candidate import Candidate
from langchain_router.testing import SimulatedProvider


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one call used, as the provider counted it."""

    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """One prompt answered.

    Attributes:
        candidate: Who answered.
        latency_s: How long it took, in seconds.
        cost_usd: What it cost, or None when nobody knows.
        modelled_premium_cost_usd: What the same tokens would have cost at the premium model.
        score: How good it was, 0..1, or None when nobody can say.
        escalations: How many drafts were not good enough before it.
        is_checked: Whether an answer was checked.
        decision_id: Of the router's decision.
    """

    candidate: str
    latency_s: float
    cost_usd: float | None
    modelled_premium_cost_usd: float | None
    score: float | None
    escalations: int = 0
    is_checked: bool = False
    decision_id: str | None = None


class Traffic(ABC):
    """Prompts, the candidates for them, and how good and how dear an answer turned out to be.

    Attributes:
        name: A word for it, for file names.
        title: One line that says what it is, simulated, recorded or real.
        notes: What a reader of the figures must know.
        prompts: In the order routed.
        candidates: Who may answer.
        quality: Threshold that suits the traffic, or None for the policy's own.
        premium: Name of the model that all is compared with, or None.
    """

    name: str
    title: str
    notes: Sequence[str]
    prompts: Sequence[str]
    candidates: Sequence[Candidate]
    quality: float | None = None
    premium: str | None = None

    @abstractmethod
    def score(self, candidate: str, prompt: str) -> float | None:
        """Return how good that candidate's answer was, 0..1; None when nobody can say."""

    @abstractmethod
    def cost_usd(self, candidate: str, prompt: str, usage: Usage) -> float | None:
        """Return what that answer cost, or None when nobody knows."""

    def close(self) -> None:  # noqa: B027 - most traffic has nothing to stop
        """Stop what serves the traffic."""


def loopback_options(provider: SimulatedProvider) -> dict[str, Any]:
    """Return the LiteLLM options that point at a simulated provider."""
    return {"api_base": provider.base_url, "api_key": "simulated", "timeout": 30}
