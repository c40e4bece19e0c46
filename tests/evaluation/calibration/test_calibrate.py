"""Thresholds are certified only as far as the losses prove, and seldom too far. All losses are simulated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from langchain_router.evaluation.calibration.calibrate import calibrate
from langchain_router.evaluation.calibration.p_values import hoeffding_bentkus
from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.types import INTENTS
from tests.evaluation.calibration.losses import (
    ALLOWED,
    THRESHOLDS,
    naive_threshold,
    simulated_losses,
    true_loss,
)

RUNS = 1_000
CONFIDENCE = 0.9


def certified(losses: Any, **options: Any) -> float | None:
    values: dict[str, Any] = {"max_quality_loss": ALLOWED, "confidence": CONFIDENCE, **options}
    return calibrate({"reasoning": losses}, THRESHOLDS, **values).threshold_for("reasoning")


@pytest.mark.parametrize(("method", "n"), [("betting", 2_000), ("hoeffding-bentkus", 12_000)])
def test_simulated_certificates_are_wrong_no_more_often_than_they_say_and_naive_thresholds_far_more(
    method: str, n: int
) -> None:
    rng = np.random.default_rng(11)
    runs = RUNS if method == "betting" else 100
    wrong = wrong_naive = far = 0
    for _ in range(runs):
        losses = simulated_losses(n, rng)
        found, naive = certified(losses, method=method), naive_threshold(losses)
        wrong += found is not None and true_loss(found) > ALLOWED
        wrong_naive += naive is not None and true_loss(naive) > ALLOWED
        far += found is not None and true_loss(found) > ALLOWED / 3
    print(f"{method}: {wrong / runs:.1%} of certificates wrong, {wrong_naive / runs:.1%} naive ones")
    assert wrong / runs <= 1 - CONFIDENCE + 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / runs)
    assert wrong_naive / runs > 0.2
    assert far / runs > 0.8  # and they are no empty promise


def test_a_simulated_log_of_nine_intents_certified_together_seldom_holds_any_that_is_wrong() -> None:
    rng = np.random.default_rng(12)
    runs, wrong = 100, 0
    for _ in range(runs):
        losses = {intent: simulated_losses(800, rng) for intent in INTENTS}
        found = calibrate(losses, THRESHOLDS, max_quality_loss=ALLOWED, confidence=CONFIDENCE, together=True)
        assert all(one.together == len(INTENTS) for one in found.certificates.values())
        wrong += any(true_loss(one.threshold) > ALLOWED for one in found.certificates.values())
    assert wrong / runs <= 1 - CONFIDENCE + 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / runs)


def test_thresholds_are_tested_in_a_fixed_sequence_as_mapie_does() -> None:
    control = pytest.importorskip("mapie.risk_control")
    rng = np.random.default_rng(4)
    for _ in range(10):
        losses = simulated_losses(9_000, rng)
        scaled, limit = (losses + 1) / 2, (ALLOWED + 1) / 2
        p_values = np.array([hoeffding_bentkus(float(one.mean()), len(one), limit) for one in scaled.T])
        rejected = control.FWERFixedSequenceTesting(n_starts=1).run(p_values, 1 - CONFIDENCE)
        expected = THRESHOLDS[max(rejected)] if len(rejected) else None
        assert certified(losses, method="hoeffding-bentkus") == expected


def test_what_comes_after_the_first_threshold_that_fails_is_not_looked_at() -> None:
    losses = np.zeros((1_000, 31))
    losses[:, 5] = 1.0
    assert certified(losses) == THRESHOLDS[4]


def test_rows_that_come_sorted_by_their_loss_certify_no_more_than_in_any_other_order() -> None:
    good_first = np.sort(simulated_losses(2_000, np.random.default_rng(2)), axis=0)
    assert certified(good_first, in_order=True) == THRESHOLDS[-1]  # what would go wrong
    found = certified(good_first)
    assert found is not None
    assert true_loss(found) <= ALLOWED


def test_the_method_is_chosen_by_the_number_of_requests_and_never_by_their_losses() -> None:
    rng = np.random.default_rng(6)
    for n, method in ((2_000, "betting"), (20_000, "hoeffding-bentkus")):
        for losses in (simulated_losses(n, rng), np.zeros((n, 31))):
            found = calibrate(
                {"reasoning": losses}, THRESHOLDS, max_quality_loss=ALLOWED, confidence=CONFIDENCE
            )
            assert found.certificates["reasoning"].method == method


def test_too_few_requests_are_refused_with_how_many_are_needed_and_those_are_enough() -> None:
    rng = np.random.default_rng(7)
    few = simulated_losses(60, rng)
    refused = calibrate({"reasoning": few}, THRESHOLDS, max_quality_loss=ALLOWED, confidence=CONFIDENCE)
    assert refused.threshold_for("reasoning") is None
    refusal = refused.refusals["reasoning"]
    assert refusal.n == 60
    assert refusal.still_needed is not None
    assert str(refusal.still_needed) in refusal.reason
    enough = [certified(np.vstack([few, simulated_losses(refusal.still_needed, rng)])) for _ in range(20)]
    assert sum(one is not None for one in enough) >= 15


def test_without_any_request_the_number_needed_is_that_for_the_worst_that_there_can_be() -> None:
    found = calibrate({"reasoning": np.zeros((0, 31))}, THRESHOLDS)
    assert found.refusals["reasoning"].observed_loss is None
    assert (found.refusals["reasoning"].still_needed or 0) > 10_000


def test_a_loss_that_is_plainly_too_large_is_refused_without_a_number() -> None:
    found = calibrate({"reasoning": np.full((500, 31), 0.2)}, THRESHOLDS)
    assert found.refusals["reasoning"].still_needed is None
    assert "0.2000" in found.refusals["reasoning"].reason


def test_a_certificate_says_what_it_rests_on() -> None:
    losses = simulated_losses(3_000, np.random.default_rng(1))
    scores = np.full(losses.shape, 0.8)
    found = calibrate(
        {"extraction": losses},
        THRESHOLDS,
        max_quality_loss=ALLOWED,
        scores={"extraction": scores},
        reference="large",
        policy="adaptive(v1)",
        wall_clock=lambda: 1_800_000_000.5,
    ).certificates["extraction"]
    column = int(np.argmin(np.abs(THRESHOLDS - found.threshold)))
    assert (found.n, found.risk_bound, found.confidence, found.together) == (3_000, ALLOWED, 0.95, 1)
    assert found.observed_loss == pytest.approx(float(losses[:, column].mean()))
    assert (found.date, found.at_s) == ("2027-01-15T08:00:00+00:00", 1_800_000_000.0)
    assert found.band is not None
    assert found.band[0] < 0.8 < found.band[1]
    assert (found.reference, found.policy) == ("large", "adaptive(v1)")
    other = calibrate({"extraction": losses[::-1]}, THRESHOLDS, max_quality_loss=ALLOWED)
    assert other.certificates["extraction"].data_fingerprint != found.data_fingerprint


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"max_quality_loss": 0.0}, "max_quality_loss"),
        ({"confidence": 95}, "confidence"),
        ({"method": "guess"}, "method"),
        ({"lowest_loss": 0.5}, "lowest_loss"),
        ({"thresholds": [0.1, 0.1]}, "ascending"),
        ({"thresholds": []}, "ascending"),
        ({"losses": {"reasoning": np.zeros((5, 2))}}, "2 columns|3 columns|columns"),
        ({"losses": {"reasoning": np.full((5, 3), np.nan)}}, "NaN"),
        ({"losses": {"reasoning": np.full((5, 3), -1.5)}}, "from -1 to 1"),
        ({"losses": {"poetry": np.zeros((5, 3))}}, "poetry"),
        ({"scores": {"reasoning": np.zeros((400, 1))}}, "scores"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"losses": {"reasoning": np.zeros((400, 3))}, "thresholds": [0.0, 0.1, 0.2]}
    with pytest.raises(ConfigurationError, match=said):
        calibrate(**{**given, **changes})
