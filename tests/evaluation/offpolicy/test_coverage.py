"""Intervals of 95 % hold the truth in 93 to 97 % of logs of SIMULATED traffic, whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from langchain_router.evaluation.offpolicy.doubly_robust import doubly_robust
from langchain_router.evaluation.offpolicy.ips import ips
from langchain_router.evaluation.offpolicy.snips import snips
from tests.evaluation.offpolicy.worlds import World

_RUNS = 1_000
_REQUESTS = 400


@pytest.fixture(
    scope="module",
    params=[World(), World(is_random=True, grades=True, judged=(0.5, 0.7, 0.9)), World(slope=0.0)],
    ids=["certain", "lots-judged-in-part", "mostly-good"],
)
def covered(request: pytest.FixtureRequest) -> dict[str, float]:
    """For each estimator, the share of 1,000 logs in which its interval holds the truth."""
    world: World = request.param
    truth = world.truth()
    rng = np.random.default_rng(2_026)
    held = dict.fromkeys(("ips", "snips", "doubly_robust"), 0)
    for _ in range(_RUNS):
        seen = world.traffic(_REQUESTS, rng)
        expected, of_policy = seen.expectations()
        for name, found in (
            ("ips", ips(seen.weight, seen.outcome, most=1.0, seen=(seen.factor, seen.arm))),
            ("snips", snips(seen.weight, seen.outcome)),
            (
                "doubly_robust",
                doubly_robust(seen.weight, seen.outcome, expected=expected, expected_of_policy=of_policy),
            ),
        ):
            held[name] += found.low <= truth <= found.high
    return {name: count / _RUNS for name, count in held.items()}


@pytest.mark.parametrize("estimator", ["ips", "snips", "doubly_robust"])
def test_intervals_hold_the_truth_as_often_as_they_say(covered: dict[str, float], estimator: str) -> None:
    assert 0.93 <= covered[estimator] <= 0.97
