"""Writes SIMULATED traffic into a store, as a router would, and knows what any policy would have come to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from langchain_router.checks.check import Verdict
from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.lessons import Situation
from langchain_router.outcomes.records import Attempt, Outcome
from langchain_router.outcomes.store import OutcomeStore

NOW_S = 1_700_000_000.0
COSTS_USD = {"small": 0.001, "large": 0.01}

_ASKED = Asked(prompt_hmac="0f", prompt_chars=12, messages=1, tools=0)


def quality(arm: str, hardness: float) -> float:
    """How often an arm answers well."""
    return 0.95 if arm == "large" else 0.9 - 0.7 * hardness


def log_traffic(
    store: OutcomeStore,
    count: int,
    *,
    seed: int = 1,
    large: Callable[[float], float] = lambda hardness: 0.2 + 0.6 * hardness,
    judged: float = 1.0,
    lost: float = 0.0,
    certain: bool = False,
    every_s: float = 60.0,
) -> None:
    """Write requests whose hardness is their complexity.

    Args:
        store: Where to.
        count: How many; the last is decided at `NOW_S`.
        seed: Of everything.
        large: Probability of the large model, by hardness.
        judged: Share of answers that are judged.
        lost: Share of requests to the small model that nobody answers.
        certain: Whether the small model is always chosen, and said to be.
        every_s: Seconds between requests.
    """
    rng = np.random.default_rng(seed)
    said = []
    for number in range(count):
        hardness = float(rng.random())
        chance = 0.0 if certain else large(hardness)
        arm = "large" if rng.random() < chance else "small"
        one = f"d{number}"
        store.decided(
            Situation(
                decision_id=one,
                at_s=NOW_S - every_s * (count - 1 - number),
                intent="reasoning",
                intent_probabilities={"reasoning": 1.0},
                complexity=hardness,
                features=tuple(rng.integers(-9, 9, 40).tolist()),
                arm=arm,
                plan=((arm, None), ("small" if arm == "large" else "large", None)),
                policy="simulated",
                propensity=chance if arm == "large" else 1 - chance,
                expected_cost_usd=COSTS_USD,
            ),
            _ASKED,
        )
        is_lost = arm == "small" and rng.random() < lost
        store.ended(
            Outcome(
                decision_id=one,
                status="error" if is_lost else "ok",
                served_by=None if is_lost else arm,
                latency_s=1.0,
                attempts=(
                    Attempt(candidate=arm, latency_s=1.0, cost_usd=COSTS_USD[arm] * (0.5 + rng.random())),
                ),
            )
        )
        if not is_lost and rng.random() < judged:
            score = float(rng.random() < quality(arm, hardness))
            said.append(Feedback(decision_id=one, score=score))
        if number % 500 == 499:
            store.flush()
    store.flush()
    store.add_feedback(*said)


def log_cascade(store: OutcomeStore, decision_id: str) -> None:
    """Write a request that a cascade answered with its second tier."""
    store.decided(
        Situation(
            decision_id=decision_id,
            at_s=NOW_S,
            intent="conversation",
            intent_probabilities={"conversation": 1.0},
            complexity=0.2,
            arm="small if HeuristicCheck(), else large",
            plan=(("small", "HeuristicCheck()"), ("large", None)),
            policy="cascade",
            expected_cost_usd=COSTS_USD,
        ),
        _ASKED,
    )
    draft = Attempt(
        candidate="small",
        latency_s=1.0,
        role="draft",
        cost_usd=0.001,
        verdict=Verdict(passed=False, score=0.0),
    )
    store.ended(
        Outcome(
            decision_id=decision_id,
            status="ok",
            served_by="large",
            latency_s=2.0,
            attempts=(draft, Attempt(candidate="large", latency_s=1.0, cost_usd=0.01)),
        )
    )
