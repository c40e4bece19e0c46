"""Requests and feedback, as short as tests want them."""

from __future__ import annotations

from typing import Any

from langchain_router.checks.check import Verdict
from langchain_router.execution.errors import ErrorKind
from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.lessons import Label, Labelled, Situation
from langchain_router.outcomes.records import Attempt, Outcome
from langchain_router.outcomes.store import OutcomeStore

START_S = 1_700_000_000.0
ASKED = Asked(prompt_hmac="0f", prompt_chars=12, messages=1, tools=0)


class WallClock:
    """Seconds since 1970 that move when they are told to."""

    def __init__(self) -> None:
        self.now = START_S

    def __call__(self) -> float:
        return self.now


def situation(decision_id: str = "d1", **changes: Any) -> Situation:
    values: dict[str, Any] = {
        "decision_id": decision_id,
        "at_s": START_S + 0.1,
        "intent": "code_review",
        "intent_probabilities": {"code_review": 0.7, "reasoning": 0.1 + 0.2},
        "complexity": 1 / 3,
        "features": (1, -127, 0, 127),
        "arm": "small>large",
        "plan": (("small", "HeuristicCheck()"), ("large", None)),
        "policy": "CascadePolicy",
        "propensity": 0.1,
        "expected_cost_usd": {"small": 0.001, "large": None},
        **changes,
    }
    return Situation(**values)


def outcome(decision_id: str = "d1", **changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "decision_id": decision_id,
        "status": "ok",
        "served_by": "large",
        "latency_s": 0.7,
        "attempts": (
            Attempt(
                candidate="small",
                latency_s=0.2,
                role="draft",
                verdict=Verdict(passed=False, score=0.25),
                input_tokens=10,
                output_tokens=5,
                cost_usd=0.1 + 0.2,
            ),
            Attempt(candidate="large", latency_s=0.1, error_kind=ErrorKind.SERVER, cost_usd=0.0),
            Attempt(candidate="large", latency_s=0.4, estimated=True),
        ),
        **changes,
    }
    return Outcome(**values)


def request(store: OutcomeStore, decision_id: str = "d1", **changes: Any) -> None:
    """Store a request that was answered."""
    store.decided(situation(decision_id), ASKED)
    store.ended(outcome(decision_id, **changes), message_id=f"message-of-{decision_id}")


def said(score: float, decision_id: str = "d1", **changes: Any) -> Feedback:
    return Feedback(decision_id=decision_id, score=score, **changes)


def label_changes(store: OutcomeStore) -> list[tuple[str, Label | None, Label | None]]:
    store.flush()
    return [
        (lesson.ended.situation.decision_id, lesson.old, lesson.new)
        for _, lesson in store.lessons()
        if isinstance(lesson, Labelled)
    ]
