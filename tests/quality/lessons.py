"""Lessons for tests, in few words."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_router import Candidate, Intent
from langchain_router.decision import arm_of
from langchain_router.outcomes.lessons import Call, Ended, Label, Labelled, Situation

CHECK = "HeuristicCheck()"
DAY_S = 86_400.0


def candidates(**quality: float | None) -> list[Candidate]:
    return [Candidate(model="house/model", name=name, quality=one) for name, one in quality.items()]


def situation(
    *plan: tuple[str, str | None],
    intent: Intent = "reasoning",
    probabilities: Mapping[Intent, float] | None = None,
    complexity: float = 0.35,
    features: tuple[int, ...] = (),
    at_s: float = 0.0,
    cost_usd: Mapping[str, float | None] | None = None,
) -> Situation:
    return Situation(
        decision_id="one",
        at_s=at_s,
        intent=intent,
        intent_probabilities=probabilities or {intent: 1.0},
        complexity=complexity,
        features=features,
        arm=arm_of(plan),
        plan=plan,
        policy="test",
        expected_cost_usd=cost_usd or {},
    )


def ended(asked: Situation, *calls: Call) -> Ended:
    made = calls or (Call(candidate=asked.plan[0][0], role="answer"),)
    return Ended(situation=asked, status="ok", served_by=made[-1].candidate, calls=made, latency_s=1.0)


def judged(asked: Situation, score: float, *calls: Call, weight: float = 1.0) -> Labelled:
    return Labelled(ended=ended(asked, *calls), old=None, new=Label(score=score, weight=weight))
