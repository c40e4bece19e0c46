"""Thresholds certified on stores: what was judged and left to chance, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from langchain_router.evaluation.calibration.from_log import calibrate_log
from langchain_router.exceptions import ConfigurationError, InsufficientEvidenceError
from langchain_router.outcomes.records import Attempt
from langchain_router.outcomes.store import OutcomeStore, open_store
from langchain_router.outcomes.storing.memory_store import MemoryStore
from tests.outcomes.makers import ASKED, START_S, outcome, said, situation

COSTS = {"small": 0.001, "large": 0.01}


def logged(
    store: OutcomeStore,
    count: int,
    *,
    chance_of_small: float = 0.5,
    score_of_small: float = 0.9,
    weight: float = 1.0,
    **changes: Any,
) -> OutcomeStore:
    """Judged decisions between two models, of which `large` always scores 0.9."""
    rng = np.random.default_rng(7)
    for number in range(count):
        arm = "small" if rng.random() < chance_of_small else "large"
        chance = chance_of_small if arm == "small" else 1 - chance_of_small
        decision_id = f"d{number:05}"
        values: dict[str, Any] = {
            "arm": arm,
            "plan": ((arm, None),),
            "propensity": chance,
            "policy": "epsilon_greedy",
            "expected_cost_usd": COSTS,
            "at_s": START_S + number,
            **changes,
        }
        store.decided(situation(decision_id, **values), ASKED)
        attempt = Attempt(candidate=arm, latency_s=0.1, cost_usd=COSTS[arm])
        store.ended(outcome(decision_id, served_by=arm, attempts=(attempt,)))
        mean = score_of_small if arm == "small" else 0.9
        store.add_feedback(said(float(rng.random() < mean), decision_id, weight=weight))
    return store


def memory() -> OutcomeStore:
    return MemoryStore(most_decisions=10_000)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_cheaper_model_that_is_as_good_is_certified_from_choices_by_lot(kind: str, tmp_path: Path) -> None:
    store = memory() if kind == "memory" else open_store(f"sqlite:///{tmp_path / 'router.db'}")
    count, allowed = (6_000, 0.1) if kind == "memory" else (200, 0.7)
    try:
        found = calibrate_log(logged(store, count), max_quality_loss=allowed)
    finally:
        store.close()
    certificate = found.calibration.certificates["code_review"]
    assert (certificate.basis, certificate.method) == ("logged", "betting")
    assert certificate.n == count // 2
    assert certificate.reference in {"always choosing small", "always choosing large"}
    assert certificate.band is not None
    assert certificate.band[0] <= 0.9 <= certificate.band[1]
    told = "\n".join(found.lines())
    assert f"Of {count} requests {count} were judged, of which {count} were decided by lot" in told
    assert "does not depend on which plan gave it" in told


def test_a_cheaper_model_that_is_far_worse_is_not_chosen_beyond_what_is_allowed() -> None:
    found = calibrate_log(logged(memory(), 4_000, score_of_small=0.3), max_quality_loss=0.1)
    certificate = found.calibration.certificates["code_review"]
    assert certificate.reference == "always choosing large"
    assert certificate.threshold < 0.7  # the models differ by 0.6
    assert found.saved["code_review"] == pytest.approx(0.0)


def test_a_log_of_choices_that_were_certain_is_refused_with_what_would_be_needed() -> None:
    store = logged(memory(), 300, propensity=1.0)
    with pytest.raises(InsufficientEvidenceError, match=r"all 300 judged .*EpsilonGreedyPolicy.* \d+ judged"):
        calibrate_log(store)


@pytest.mark.parametrize(
    ("make", "said_of"),
    [
        (lambda: logged(memory(), 30), "only 30 answers"),
        (lambda: logged(memory(), 100, weight=0.5), "only 0 answers"),
    ],
    ids=["few", "inferred"],
)
def test_a_log_of_too_few_judgements_is_refused(make: Callable[[], OutcomeStore], said_of: str) -> None:
    with pytest.raises(InsufficientEvidenceError, match=said_of):
        calibrate_log(make())


def test_too_few_for_the_loss_allowed_are_refused_with_how_many_more() -> None:
    found = calibrate_log(logged(memory(), 200), max_quality_loss=0.01)
    assert not found.calibration.certificates
    refusal = found.calibration.refusals["code_review"]
    assert refusal.n == 100
    assert (refusal.still_needed or 0) > 100


def test_a_log_in_which_one_arm_only_was_chosen_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="1 arms"):
        calibrate_log(logged(memory(), 300, chance_of_small=0.001))


def test_a_probability_that_is_known_up_to_an_error_weighs_less() -> None:
    found = [
        calibrate_log(logged(memory(), 1_000, score_of_small=0.7, policy=policy), max_quality_loss=0.6)
        for policy in ("epsilon_greedy", "thompson")
    ]
    exact, drawn = (one.calibration.certificates["code_review"] for one in found)
    assert exact.threshold == drawn.threshold == 1.0
    assert exact.observed_loss < drawn.observed_loss < exact.observed_loss + 0.01
