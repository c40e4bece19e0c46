"""Situations for the policies that explore, in few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import HumanMessage

from langchain_router import Candidate, ComplexityScore, Intent, IntentPrediction, Price, RoutingRequest
from langchain_router.outcomes.lessons import Call, Ended, Label, Labelled, Situation
from langchain_router.policies.arms import Arm, Arms
from langchain_router.policies.context import Context
from langchain_router.quality.prior import PriorQuality, QualityModel

REQUEST = RoutingRequest(messages=(HumanMessage("Hi"),))


def model(name: str, usd: float | None = None, quality: float | None = None, **known: Any) -> Candidate:
    price = None if usd is None else Price.per_million(input_usd=usd, output_usd=usd)
    return Candidate(model=f"house/{name}", name=name, price=price, quality=quality, **known)


def context(intent: Intent = "reasoning", quality: QualityModel | None = None) -> Context:
    return Context(
        request=REQUEST,
        intent=IntentPrediction(label=intent, probabilities={intent: 1.0}, source="fixed"),
        complexity=ComplexityScore(value=0.35, source="fixed"),
        quality=quality or PriorQuality(),
    )


def arms(*candidates: Candidate) -> list[Arm]:
    return Arms().among(candidates)


def judged(
    name: str,
    score: float | None,
    *,
    old: float | None = None,
    intent: Intent = "reasoning",
    at_s: float = 0.0,
    weight: float = 1.0,
    served_by: str | None = None,
    plan: Sequence[tuple[str, str | None]] | None = None,
    arm: str | None = None,
) -> Labelled:
    """A lesson: the answer to a request of this intent is worth this much now, and was worth `old` before."""
    situation = Situation(
        decision_id="one",
        at_s=at_s,
        intent=intent,
        intent_probabilities={intent: 1.0},
        complexity=0.35,
        arm=arm or name,
        plan=tuple(plan or [(name, None)]),
        policy="thompson",
    )
    served = served_by or name
    call = Call(candidate=served, role="answer")
    ended = Ended(situation=situation, status="ok", served_by=served, calls=(call,), latency_s=1.0)

    def label(value: float | None) -> Label | None:
        return None if value is None else Label(score=value, weight=weight)

    return Labelled(ended=ended, old=label(old), new=label(score))
