"""What there is to learn from a request: facts without text, as policies and quality models take them.

The log is a sequence of lessons. What is learned from them depends on which there are, not on their order,
so that late feedback, several processes and a replay of the log all come to the same beliefs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from langchain_router.outcomes.records import Outcome, Role, Status
from langchain_router.signals.types import Intent


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a decision was made on, and what was decided.

    Attributes:
        decision_id: Whose it is.
        at_s: When it was decided, in seconds since 1970.
        intent: Layer 1's label.
        intent_probabilities: By label.
        complexity: Layer 2's score, 0..1.
        features: Of the text, as the quality model's feature map gives them: small whole numbers, -127..127.
        arm: The plan that was chosen, as `RoutingDecision.arm` names it.
        plan: Name of each step's candidate, with how its check shows itself, or None.
        policy: Name of the policy.
        propensity: Probability of this choice.
        expected_cost_usd: By candidate, what one call was expected to cost; None where the price is unknown.
    """

    decision_id: str
    at_s: float
    intent: Intent
    intent_probabilities: Mapping[Intent, float]
    complexity: float
    features: tuple[int, ...] = field(default=(), repr=False)
    arm: str
    plan: tuple[tuple[str, str | None], ...]
    policy: str
    propensity: float = 1.0
    expected_cost_usd: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a request, as far as there is something to learn from it.

    Attributes:
        candidate: Who was called.
        role: What for.
        passed: What its check said, or None where none looked at it.
        failed: Whether it failed.
        cost_usd: What it cost, or None when unknown.
        estimated: Whether that is an estimate.
    """

    candidate: str
    role: Role
    passed: bool | None = None
    failed: bool = False
    cost_usd: float | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A request has ended: what its calls cost, and what their checks said. At most once for a decision.

    Attributes:
        situation: Of its decision.
        status: How it ended.
        served_by: Whose answer was returned, or None.
        calls: In order.
        latency_s: From the decision to the end, in seconds.
    """

    situation: Situation
    status: Status
    served_by: str | None
    calls: tuple[Call, ...]
    latency_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """How good an answer was, by all that is known of it so far.

    Attributes:
        score: 0..1.
        weight: How much that counts, 0..1.
    """

    score: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What is known of how good an answer was has changed, by feedback that came or was taken back.

    Unlearn `old`, learn `new`; either may be None. All the changes of one decision add up to its last label,
    in whatever order they are met.

    Attributes:
        ended: What the request came to; only of requests that were answered is there a label.
        old: The label until now.
        new: The label from now on.
    """

    ended: Ended
    old: Label | None
    new: Label | None


Lesson = Ended | Labelled


def ended_of(situation: Situation, outcome: Outcome) -> Ended:
    """Return what there is to learn from what a request came to."""
    return Ended(
        situation=situation,
        status=outcome.status,
        served_by=outcome.served_by,
        calls=tuple(
            Call(
                candidate=one.candidate,
                role=one.role,
                passed=None if one.verdict is None else one.verdict.passed,
                failed=one.error_kind is not None,
                cost_usd=one.cost_usd,
                estimated=one.estimated,
            )
            for one in outcome.attempts
        ),
        latency_s=outcome.latency_s,
    )


class Learner(Protocol):
    """A policy or quality model that learns. Safe from threads; `learn` takes well under a millisecond.

    What it believes is the same in whatever order it met the lessons, bit for bit: sums of whole numbers, or
    of binary fractions with few bits, not running averages.
    """

    @property
    def fingerprint(self) -> str:
        """Names what it is and its parameters; a saved state is only for a learner of the same."""
        ...

    def learn(self, lesson: Lesson) -> None:
        """Take a lesson in."""
        ...

    def state(self) -> bytes:
        """Return what it has learned; no pickle."""
        ...

    def load(self, state: bytes) -> None:
        """Take over what another of the same fingerprint has learned, instead of its own.

        Raises:
            ValueError: It is not such a state.
        """
        ...

    def forget(self) -> None:
        """Forget all that was learned."""
        ...
