"""What a policy may look at, and how it says what it chose."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from langchain_core.utils.uuid import uuid7

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import Eligible, Flip, RoutingDecision, Step
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.answer_tokens import expected_answer_tokens
from langchain_router.quality.prior import QualityCurve, QualityModel
from langchain_router.request import RoutingRequest
from langchain_router.signals.types import ComplexityScore, IntentPrediction

_logger = logging.getLogger("langchain_router")


class Policy(Protocol):
    """Layer 3: chooses a plan among the candidates that may answer.

    A policy whose parameters name candidates may also offer `check_candidates(candidates)`, which the
    router calls once when it is built and which raises `ConfigurationError`. One whose plans have checks may
    offer `step_for(candidate=...)`: how a candidate that is left alone now is called when all others fail;
    without it such a candidate has no check.
    """

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        """Choose among the eligible candidates, of which there is at least one.

        Return `context.decision(...)`; its first candidate is called first and the rest, in order, when
        the ones before it fail.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request with its signals and what is expected of each candidate.

    Attributes:
        request: What is asked and allowed.
        intent: Layer 1's prediction.
        complexity: Layer 2's score.
        quality: Predicts how well a candidate answers.
        excluded: For each candidate that may not answer, why not.
        curves: What `quality` said of each candidate, kept while this request is decided.
        features: Of the text, as the quality model takes them.
        usual_answer_tokens: How long the answers asked for usually are, all together, in tokens.
    """

    request: RoutingRequest
    intent: IntentPrediction
    complexity: ComplexityScore
    quality: QualityModel
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    curves: dict[str, QualityCurve | None] = field(default_factory=dict, repr=False, compare=False)
    usual_answer_tokens: int = field(init=False, default=0)
    features: tuple[int, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        usual = expected_answer_tokens(self.request, self.intent) * self.request.answers
        object.__setattr__(self, "usual_answer_tokens", usual)

    def predicted_quality(self, candidate: Candidate, complexity: float | None = None) -> float | None:
        """Return the expected quality, 0..1, at the request's complexity or at another; None when unknown."""
        try:
            if candidate.name not in self.curves:
                self.curves[candidate.name] = self.quality.curve(candidate, self.intent)
            curve = self.curves[candidate.name]
            if curve is None:
                return None
            predicted = float(curve(self.complexity.value if complexity is None else complexity))
            return predicted if math.isfinite(predicted) else None
        except Exception as error:  # noqa: BLE001 - a broken quality model must not lose the request
            _logger.warning("quality model failed (%s); the quality is unknown", type(error).__name__)
            self.curves[candidate.name] = None
            return None

    def estimated_cost_usd(self, candidate: Candidate) -> float | None:
        """Return the expected cost of one call in US dollars, or None when the price is unknown."""
        if candidate.price is None:
            return None
        return candidate.price.cost_usd(
            input_tokens=self.request.prompt_tokens, output_tokens=self.usual_answer_tokens
        )

    def with_excluded(self, excluded: Mapping[str, tuple[str, ...]]) -> Context:
        """Return the same context, knowing who may not answer and why."""
        return replace(self, excluded=excluded) if excluded else self

    def decision(
        self,
        plan: Sequence[Candidate | Step],
        *,
        reason: str,
        policy: str,
        policy_params: Mapping[str, Any],
        remarks: Mapping[str, str] | None = None,
        propensity: float = 1.0,
        flips: tuple[Flip, ...] = (),
    ) -> RoutingDecision:
        """Build the decision for a plan.

        Args:
            plan: Candidates in the order to try, or steps with checks; the first is the choice.
            reason: Why the first was chosen, in words.
            policy: Name of the policy.
            policy_params: Its parameters as JSON-serialisable values.
            remarks: By candidate name, why it was passed over.
            propensity: Probability of this choice, 0..1.
            flips: Where another complexity would have changed the choice.
        """
        steps = tuple(Step(candidate=one) if isinstance(one, Candidate) else one for one in plan)
        stray = next((one for one in steps if not isinstance(one, Step)), None)
        if stray is not None or not steps:
            raise ConfigurationError(
                f"a plan is a list of candidates or steps, at least one; {policy!r} gave "
                f"{'none' if stray is None else repr(stray)}."
            )
        remarks = remarks or {}
        expected = tuple(
            Eligible(
                name=step.candidate.name,
                predicted_quality=self.predicted_quality(step.candidate),
                estimated_cost_usd=self.estimated_cost_usd(step.candidate),
                latency_s=step.candidate.latency_s,
                remark=remarks.get(step.candidate.name, ""),
            )
            for step in steps
        )
        return RoutingDecision(
            id=str(uuid7()),
            plan=steps,
            reason=reason,
            intent=self.intent,
            complexity=self.complexity,
            estimated_cost_usd=expected[0].estimated_cost_usd,
            confidence=expected[0].predicted_quality,
            propensity=propensity,
            eligible=expected,
            excluded=self.excluded,
            policy=policy,
            policy_params=policy_params,
            flips=flips,
            expected_output_tokens=self.usual_answer_tokens,
            features=self.features,
        )
