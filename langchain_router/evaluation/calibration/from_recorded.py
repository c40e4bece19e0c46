"""Calibrates on recorded answers, where every model's score is known for every request."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np

from langchain_router.evaluation.calibration.calibrate import SLACKS, calibrate
from langchain_router.evaluation.calibration.found import Found
from langchain_router.evaluation.calibration.recorded_routing import Routed, routed_plans
from langchain_router.evaluation.recorded import as_request
from langchain_router.exceptions import ConfigurationError
from langchain_router.signals import default_intent_classifier
from langchain_router.signals.types import INTENTS, IntentClassifier
from langchain_router.testing.replay import ReplayRow

_PARTS: Final = 1 << 32

Routing = Callable[[Sequence[ReplayRow], Sequence[ReplayRow], Sequence[float]], Routed]
"""Fits on the first rows, and routes the second with every threshold."""


def calibrate_recorded(
    rows: Iterable[ReplayRow],
    *,
    thresholds: Sequence[float] = SLACKS,
    fit_share: float = 0.5,
    classifier: IntentClassifier | None = None,
    route: Routing = routed_plans,
    wall_clock: Callable[[], float] = time.time,
    **options: Any,
) -> Found:
    """Split recorded requests, fit plans on the one part, and certify slacks for them on the other.

    Which part a request belongs to depends on a hash of its prompt alone, so that the same prompt is never
    in both; of several rows of one prompt the first counts, since they are no independent samples.

    Args:
        rows: From `read_replay`.
        thresholds: Slacks, ascending.
        fit_share: Share of the prompts to fit on, above 0 and below 1.
        classifier: Says which intent a request has; use the one your router has. By default the
            router's default.
        route: Fits and routes.
        wall_clock: Seconds since 1970.
        **options: As `calibrate` takes them: `max_quality_loss`, `confidence`, `method`, `together`.

    Raises:
        ConfigurationError: There are too few rows, or a value is out of range.
    """
    if isinstance(fit_share, bool) or not isinstance(fit_share, (int, float)) or not 0 < fit_share < 1:
        raise ConfigurationError(f"fit_share must be above 0 and below 1, got {fit_share!r}.")
    once: dict[str, ReplayRow] = {}
    count = 0
    for row in rows:
        count += 1
        once.setdefault(row.prompt, row)
    parts: tuple[list[ReplayRow], list[ReplayRow]] = ([], [])
    for row in once.values():
        parts[_place(row.prompt) >= fit_share].append(row)
    routed = route(parts[0], parts[1], thresholds)
    classifier = default_intent_classifier() if classifier is None else classifier
    labels = np.array([classifier.classify(as_request(row)).label for row in routed.rows])
    losses = routed.reference_scores[:, None] - routed.scores
    of = {intent: labels == intent for intent in INTENTS if (labels == intent).any()}
    calibration = calibrate(
        {intent: losses[members] for intent, members in of.items()},
        thresholds,
        scores={intent: routed.scores[members] for intent, members in of.items()},
        reference=f"always asking {routed.reference}",
        policy=routed.plans.fingerprint,
        data_fingerprint=_fingerprint(once.values()),
        wall_clock=wall_clock,
        **options,
    )
    saved = {}
    for intent, one in calibration.certificates.items():
        column = int(np.argmin(np.abs(np.asarray(thresholds) - one.threshold)))
        spent = float(routed.costs_usd[of[intent], column].sum())
        saved[intent] = 1 - spent / (float(routed.reference_costs_usd[of[intent]].sum()) or 1.0)
    notes = [f"Intents are those that {type(classifier).__name__} says."]
    left_out = len(once) - routed.fitted - len(routed.rows)
    if left_out:
        notes.append(
            f"{left_out} requests were left out: not every model's score and cost is known for them."
        )
    if count > len(once):
        notes.append(f"{count - len(once)} rows repeat a prompt and were left out.")
    return Found(
        calibration=calibration,
        saved=saved,
        fitted=routed.fitted,
        calibrated=len(routed.rows),
        plans=routed.plans,
        notes=tuple(notes),
    )


def _place(prompt: str) -> float:
    """Return where a prompt's hash lies between 0 and 1."""
    made = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(made[:4], "big") / _PARTS


def _fingerprint(rows: Iterable[ReplayRow]) -> str:
    """Return a fingerprint of the requests with their scores and costs, in whatever order they came."""
    each = []
    for row in rows:
        told = sorted((name, one.score, one.cost_usd) for name, one in row.outcomes.items())
        each.append(hashlib.sha256(repr((row.prompt, told)).encode("utf-8", "surrogatepass")).digest())
    return hashlib.sha256(b"".join(sorted(each))).hexdigest()[:16]
