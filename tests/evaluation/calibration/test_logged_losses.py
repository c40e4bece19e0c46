"""What a log proves of answers that it does not hold. All logs are simulated, so that the truth is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from langchain_router.evaluation.calibration.calibrate import calibrate
from langchain_router.evaluation.calibration.logged_losses import Judged, cautious_band, cautious_losses
from langchain_router.exceptions import ConfigurationError

ARMS = np.array(["small", "large"])
THRESHOLDS = np.linspace(0.0, 1.0, 11)
QUALITY = np.array([0.75, 0.85])
ALLOWED = 0.04
"""Each threshold sends that share of requests to `small`, each of which loses 0.1: allowed is up to 0.4."""


def log_of(n: int, rng: np.random.Generator, chance_of_small: Any = 0.5) -> tuple[list[Judged], Any, Any]:
    """A log of choices by lot, with what every threshold and the reference would have chosen."""
    chance = np.broadcast_to(chance_of_small, n)
    small = rng.random(n) < chance
    scores = rng.random(n) < np.where(small, QUALITY[0], QUALITY[1])
    judged = [
        Judged(arm="small" if one else "large", propensity=float(p if one else 1 - p), score=float(score))
        for one, p, score in zip(small, chance, scores, strict=True)
    ]
    place = rng.random(n)[:, None]
    return judged, ARMS[(place >= THRESHOLDS).astype(int)], np.full(n, "large")


def mean_losses(most_weight: float, chance_of_small: Any, n: int = 200_000) -> Any:
    seen, routed, reference = log_of(n, np.random.default_rng(1), chance_of_small)
    return cautious_losses(seen, routed, reference, most_weight=most_weight).mean(axis=0)


def test_where_both_arms_had_their_chance_the_mean_is_the_quality_lost() -> None:
    assert mean_losses(10.0, 0.3) == pytest.approx(0.1 * THRESHOLDS, abs=0.01)


@pytest.mark.parametrize("chance_of_small", [0.02, 0.98, 0.0, 1.0])
def test_what_the_log_seldom_or_never_shows_counts_against_routing(chance_of_small: float) -> None:
    losses = mean_losses(5.0, chance_of_small)
    assert losses[0] == 0.0
    assert (losses[1:] > 0.15 * THRESHOLDS[1:]).all()  # 0.1 is true


def test_losses_stay_within_the_bounds_that_the_largest_weight_gives() -> None:
    rng = np.random.default_rng(2)
    seen, routed, reference = log_of(5_000, rng, rng.random(5_000) * 0.98 + 0.01)
    losses = cautious_losses(seen, routed, reference, most_weight=8.0)
    assert losses.min() >= -7.0
    assert losses.max() <= 1.0


def test_simulated_certificates_from_logs_are_wrong_no_more_often_than_they_say() -> None:
    rng = np.random.default_rng(3)
    runs, n, confidence, wrong, useful = 150, 5_000, 0.9, 0, 0
    for _ in range(runs):
        seen, routed, reference = log_of(n, rng, rng.choice([0.2, 0.5, 0.8], size=n))
        found = calibrate(
            {"reasoning": cautious_losses(seen, routed, reference, most_weight=5.0)},
            THRESHOLDS,
            max_quality_loss=ALLOWED,
            confidence=confidence,
            lowest_loss=-4.0,
            in_order=True,
            method="betting",
        ).threshold_for("reasoning")
        wrong += found is not None and 0.1 * found > ALLOWED + 1e-9
        useful += found is not None and found > 0
    assert wrong / runs <= 1 - confidence + 3 * math.sqrt(0.09 / runs)
    assert useful / runs > 0.5


def test_a_policy_that_learned_while_it_was_logged_is_judged_no_more_mildly() -> None:
    rng = np.random.default_rng(4)
    runs, n, confidence, wrong = 100, 1_500, 0.9, 0
    for _ in range(runs):
        chance, seen, won = 0.5, [], {"small": [1, 2], "large": [1, 2]}
        for _ in range(n):
            rates = {name: good / of for name, (good, of) in won.items()}
            chance = 0.7 if rates["small"] > rates["large"] else 0.3
            arm = "small" if rng.random() < chance else "large"
            score = float(rng.random() < (QUALITY[0] if arm == "small" else QUALITY[1]))
            won[arm][0] += int(score)
            won[arm][1] += 1
            seen.append(Judged(arm=arm, propensity=chance if arm == "small" else 1 - chance, score=score))
        routed = np.full((n, 1), "small")  # loses 0.1
        losses = cautious_losses(seen, routed, np.full(n, "large"), most_weight=4.0)
        found = calibrate(
            {"reasoning": losses},
            [1.0],
            max_quality_loss=0.09,
            confidence=confidence,
            lowest_loss=-3.0,
            in_order=True,
            method="betting",
        )
        wrong += bool(found.certificates)
    assert wrong / runs <= 1 - confidence + 3 * math.sqrt(0.09 / runs)


def test_the_band_of_a_log_holds_the_mean_score_of_what_a_threshold_returns() -> None:
    rng = np.random.default_rng(5)
    widths = []
    for chance in (0.5, 0.02):  # the second is cut by the largest weight
        seen, routed, _ = log_of(4_000, rng, chance)
        low, high = cautious_band(seen, routed[:, 10], most_weight=5.0, doubt=0.05)
        assert low <= QUALITY[0] <= high
        widths.append(high - low)
    assert widths[0] < 0.2 < widths[1]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"most_weight": 1.0}, "most_weight"),
        ({"routed": np.array([["a"]] * 3)}, "shapes"),
        ({"judged": [Judged(arm="a", propensity=0.0, score=1.0)] * 2}, "propensity"),
        ({"judged": [Judged(arm="a", propensity=0.5, score=1.5)] * 2}, "score"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {
        "judged": [Judged(arm="a", propensity=0.5, score=1.0)] * 2,
        "routed": np.array([["a"], ["b"]]),
        "reference": np.array(["a", "a"]),
        "most_weight": 5.0,
        **changes,
    }
    with pytest.raises(ConfigurationError, match=said):
        cautious_losses(**given)
