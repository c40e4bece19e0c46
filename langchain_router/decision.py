"""What the router decided, why, and what it would take to decide otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_router.candidates.candidate import Candidate
from langchain_router.checks.base import Check
from langchain_router.signals.types import ComplexityScore, IntentPrediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a plan: call this candidate, and take its answer if the check passes it.

    Attributes:
        candidate: Whom to call. The steps after it are taken when it fails.
        check: Whether its answer is good enough, else the plan goes on; None takes any answer.
    """

    candidate: Candidate
    check: Check | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """A candidate that may answer, with what is expected of it for this request.

    Attributes:
        name: The candidate's name.
        predicted_quality: 0..1, or None when unknown.
        estimated_cost_usd: Expected cost of one call in US dollars, or None when the price is unknown.
        latency_s: Typical time to a complete answer in seconds, or None when unknown.
        remark: Why the policy passed it over, in words; empty for the one chosen.
    """

    name: str
    predicted_quality: float | None
    estimated_cost_usd: float | None
    latency_s: float | None
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """The nearest complexity, on one side, at which another of the eligible would have been chosen.

    Attributes:
        complexity: Where the choice changes.
        candidate: Who would have been chosen on the other side of it.
        side: Whether the other side is below or above that complexity.
    """

    complexity: float
    candidate: str
    side: Literal["below", "above"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingDecision:
    """Which plan the router chose for a request. Holds no prompt text.

    Attributes:
        id: Join key for the answer, the trace and later feedback.
        plan: Steps in the order tried. The first is the choice; the rest is the failover order.
        reason: Why the first step was chosen, in words.
        intent: What kind of request it was taken for.
        complexity: How hard it was taken to be.
        estimated_cost_usd: Expected cost of the first step, or None when its price is unknown.
        confidence: Predicted quality of the first step, 0..1, or None when unknown.
        propensity: Probability with which the policy made this choice; 1.0 for a deterministic one.
        eligible: Every candidate that could have been chosen.
        excluded: For every other candidate, the reasons why it could not.
        policy: Name of the policy.
        policy_params: Its parameters, enough to build it again.
        flips: Where a different complexity would have changed the choice: at most one below, one above.
        expected_output_tokens: How long an answer was expected, in tokens.
        features: Of the request's text, where the quality model learns from them: small whole numbers.
    """

    id: str
    plan: tuple[Step, ...]
    reason: str
    intent: IntentPrediction
    complexity: ComplexityScore
    estimated_cost_usd: float | None
    confidence: float | None
    propensity: float
    eligible: tuple[Eligible, ...]
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    policy: str
    policy_params: Mapping[str, Any] = field(default_factory=dict)
    flips: tuple[Flip, ...] = ()
    expected_output_tokens: int = 0
    features: tuple[int, ...] = field(default=(), repr=False)

    @property
    def chosen(self) -> Candidate:
        """The candidate that is called first."""
        return self.plan[0].candidate

    @property
    def has_checks(self) -> bool:
        """Whether an answer is checked before it counts, so that several models may be asked."""
        return any(step.check is not None for step in self.plan)

    @property
    def arm(self) -> str:
        """What was chosen among: the plan up to the first answer that is taken as it is.

        Example:
            >>> from langchain_router import ChatRouter
            >>> ChatRouter.from_models("openai/gpt-4o-mini").decide("Hello").arm
            'openai/gpt-4o-mini'
        """
        return arm_of(
            (step.candidate.name, None if step.check is None else repr(step.check)) for step in self.plan
        )

    def explain(self) -> str:
        """Say in plain words what was chosen, what each other candidate lacked, and what would flip it.

        Example:
            >>> from langchain_router import ChatRouter
            >>> router = ChatRouter.from_models("openai/gpt-4o-mini", "openai/gpt-4o", quality=0.7)
            >>> print(router.decide("Say hello.").explain().splitlines()[0])
            Chose openai/gpt-4o-mini: the cheapest with predicted quality of at least 0.7.
        """
        from langchain_router.explanation import explain

        return explain(self)

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as JSON-serialisable data: what `response_metadata["router"]` carries."""
        return {
            "decision_id": self.id,
            "chosen": self.chosen.name,
            "plan": [step.candidate.name for step in self.plan],
            "checks": [None if step.check is None else repr(step.check) for step in self.plan],
            "reason": self.reason,
            "intent": self.intent.label,
            "intent_confidence": round(self.intent.confidence, 4),
            "intent_source": self.intent.source,
            "complexity": round(self.complexity.value, 4),
            "complexity_contributions": {
                name: round(value, 4) for name, value in self.complexity.contributions.items()
            },
            "estimated_cost_usd": _rounded(self.estimated_cost_usd, 9),
            "confidence": _rounded(self.confidence, 4),
            "propensity": self.propensity,
            "eligible": [
                {
                    "name": one.name,
                    "predicted_quality": _rounded(one.predicted_quality, 4),
                    "estimated_cost_usd": _rounded(one.estimated_cost_usd, 9),
                    "latency_s": one.latency_s,
                    "remark": one.remark,
                }
                for one in self.eligible
            ],
            "excluded": {name: list(reasons) for name, reasons in self.excluded.items()},
            "policy": self.policy,
            "policy_params": dict(self.policy_params),
            "flips": [
                {"complexity": round(flip.complexity, 4), "side": flip.side, "chosen": flip.candidate}
                for flip in self.flips
            ],
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def arm_of(plan: Iterable[tuple[str, str | None]]) -> str:
    """Name the arm that a plan is: its candidates, with their checks, up to the first that is not checked.

    Args:
        plan: Name of each step's candidate, with how its check shows itself, or None.

    Example:
        >>> arm_of([("flash", "HeuristicCheck()"), ("sonnet", None), ("opus", None)])
        'flash if HeuristicCheck(), else sonnet'
    """
    parts = []
    for name, check in plan:
        parts.append(name if check is None else f"{name} if {check}")
        if check is None:
            break
    return ", else ".join(parts)
