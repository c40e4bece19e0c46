"""Stores, and requests that were made some time ago, for the rows on learning."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from langchain_router import Candidate, Price
from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.lessons import Situation
from langchain_router.outcomes.records import Attempt, Outcome
from langchain_router.outcomes.store import OutcomeStore, open_store
from langchain_router.outcomes.storing.memory_store import MemoryStore
from langchain_router.signals.types import Intent

NOON_S = 1_767_268_800.0
NAMES = ("small", "large")
ASKED = Asked(prompt_hmac="0" * 64, prompt_chars=5, messages=1, tools=0)


def stores() -> Iterator[tuple[str, Any]]:
    yield "memory", MemoryStore(most_decisions=20_000, wall_clock=lambda: NOON_S)
    with tempfile.TemporaryDirectory(prefix="scorecard-") as folder:
        path = Path(folder) / "router.db"
        yield "SQLite", open_store(f"sqlite:///{path}", wall_clock=lambda: NOON_S)


def candidates() -> list[Candidate]:
    prices = {"small": 0.1, "large": 5.0}
    return [
        Candidate(
            model=f"openai/{name}",
            name=name,
            quality=0.8,
            context_tokens=100_000,
            price=Price.per_million(input_usd=prices[name], output_usd=prices[name]),
        )
        for name in NAMES
    ]


def situation(
    id_: str,
    name: str,
    *,
    intent: Intent = "reasoning",
    complexity: float = 0.35,
    at_s: float = NOON_S,
) -> Situation:
    return Situation(
        decision_id=id_,
        at_s=at_s,
        intent=intent,
        intent_probabilities={intent: 1.0},
        complexity=complexity,
        arm=name,
        plan=((name, None),),
        policy="cost",
        expected_cost_usd={name: 0.001},
    )


def outcome(id_: str, name: str) -> Outcome:
    attempt = Attempt(candidate=name, latency_s=1.0, cost_usd=0.0012)
    return Outcome(decision_id=id_, status="ok", served_by=name, latency_s=1.0, attempts=(attempt,))


def served(store: OutcomeStore, id_: str, name: str = "small") -> None:
    store.decided(situation(id_, name), ASKED)
    store.ended(outcome(id_, name))
