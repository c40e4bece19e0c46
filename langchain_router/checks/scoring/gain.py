"""A scorer fitted on what the next tier would have made better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from langchain_core.messages import AIMessage
from numpy.typing import NDArray

from langchain_router.checks.scoring.answered import Answered
from langchain_router.checks.scoring.columns import Columns
from langchain_router.checks.scoring.features import FeatureCache
from langchain_router.checks.scoring.sparse import Floats
from langchain_router.request import RoutingRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class GainScorer:
    """Says how probable it is that a dearer model's answer would be no better than this one.

    An `AnswerScorer` for `LearnedCheck`: one less the expected gain of escalating, where a gain is the dearer
    model's score less this one's. Where both models fail on the same requests this escalates less than
    `FittedScorer` does, which asks whether an answer is right, and it saves more for the same quality; but
    what it says holds for this draft and this next tier only.

    Attributes:
        columns: Of an answer's features.
        weights: Of each column, by which the expected gain grows.
        constant: The gain expected of an answer that shows nothing.
    """

    columns: Columns
    weights: NDArray[np.float32] = field(repr=False)
    constant: float

    def probability(
        self, request: RoutingRequest, response: AIMessage, seconds: Mapping[str, AIMessage]
    ) -> float:
        """Return the probability, 0..1, that escalating would gain nothing."""
        one = Answered(prompt=request, answer=response, seconds=seconds)
        gain = float(self.gains([one], FeatureCache())[0])
        return min(max(1.0 - gain, 0.0), 1.0)

    def gains(self, examples: Sequence[Answered], cache: FeatureCache) -> Floats:
        """Return the expected gain of escalating each answer, in score points; below 0 for a loss."""
        return self.columns.rows(examples, cache).times(self.weights.astype(np.float64)) + self.constant
