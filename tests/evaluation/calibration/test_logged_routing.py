"""What a log teaches of arms is what routes later decisions, among those whose models were there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from langchain_router.evaluation.calibration.logged_routing import Entry, routed_arms
from tests.outcomes.makers import situation

COSTS = {"small": 0.001, "middle": 0.005, "large": 0.01}


def entry(arm: str, score: float, **changes: Any) -> Entry:
    values = {
        "arm": arm,
        "plan": ((arm, None),),
        "propensity": 1 / 3,
        "expected_cost_usd": COSTS,
        "features": (0, 0, 0, 0),
        **changes,
    }
    return Entry(situation=situation(**values), score=score, cost_usd=COSTS[arm])


def taught(count: int = 90) -> list[Entry]:
    """Large is always right; middle nine times in ten; small where the first feature is set."""
    made = []
    for i in range(count):
        is_easy = (i // 3) % 2 == 0
        arm = ("small", "middle", "large")[i % 3]
        score = {"small": float(is_easy), "middle": 0.9, "large": 1.0}[arm]
        made.append(entry(arm, score, features=(127 if is_easy else 0, 0, 0, 0)))
    return made


def test_the_cheapest_within_the_slack_of_the_best_single_arm_is_chosen() -> None:
    easy, hard = (entry("large", 1.0, features=(one, 0, 0, 0)) for one in (127, 0))
    found = routed_arms(taught(), [easy, hard], [0.0, 0.3, 1.0])
    assert found.reference == "large"
    assert found.routed[1].tolist() == ["large", "middle", "small"]
    assert found.routed[0].tolist()[1:] == ["small", "small"]
    assert found.costs_usd[1] == pytest.approx([0.01, 0.005, 0.001])


def test_an_arm_whose_model_was_not_there_is_not_chosen_and_the_best_of_the_others_sets_the_bar() -> None:
    without = {name: cost for name, cost in COSTS.items() if name != "large"}
    only = {"large": COSTS["large"]}
    later = [entry("middle", 0.9, expected_cost_usd=without), entry("large", 1.0, expected_cost_usd=only)]
    found = routed_arms(taught(), later, [0.0, 0.3, 1.0])
    assert found.routed[0].tolist()[::2] == ["middle", "small"]
    assert np.unique(found.routed[1]).tolist() == ["large"]
