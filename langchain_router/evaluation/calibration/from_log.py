"""Calibrates on a log with feedback, where only the answer given is judged."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from langchain_router.evaluation.calibration.calibrate import SLACKS, calibrate
from langchain_router.evaluation.calibration.calibration import Calibration
from langchain_router.evaluation.calibration.certificate import Certificate
from langchain_router.evaluation.calibration.found import Found
from langchain_router.evaluation.calibration.logged_losses import Judged, cautious_band, cautious_losses
from langchain_router.evaluation.calibration.logged_routing import Entry, RoutedLog, routed_arms
from langchain_router.evaluation.calibration.watch import COUNTS_FULLY
from langchain_router.evaluation.whatif_log import read_log
from langchain_router.exceptions import InsufficientEvidenceError
from langchain_router.policies.chances import CHANCE_ERROR
from langchain_router.policies.epsilon_greedy import EpsilonGreedyPolicy
from langchain_router.signals.types import INTENTS, Intent

if TYPE_CHECKING:
    from langchain_router.outcomes.store import OutcomeStore

LogRouting = Callable[[Sequence[Entry], Sequence[Entry], Sequence[float]], RoutedLog]
"""Fits on the first decisions, and says what every threshold would have chosen for the second."""

_LEAST_WEIGHT, _MOST_WEIGHT = 2.0, 20.0
_USUAL: Final = 0.99  # share of the earlier decisions whose weight is not cut
_LEAST_DECISIONS: Final = 40


def calibrate_log(
    store: OutcomeStore,
    *,
    since_s: float | None = None,
    thresholds: Sequence[float] = SLACKS,
    route: LogRouting = routed_arms,
    wall_clock: Callable[[], float] = time.time,
    **options: Any,
) -> Found:
    """Fit on the earlier half of a log's judged decisions, and certify thresholds on the later half.

    Only labels of full weight count: what was said, not what hooks inferred. What a threshold would have lost
    is estimated with caution (see `cautious_losses`), so that what the log does not tell counts against it.
    Later decisions are taken in the order of time, so that the policy that made them may have been learning.

    The certificates rest on three things that a log cannot show: that propensities were recorded rightly,
    that requests to come are like those that were judged, and that whether an answer is judged does not
    depend on which plan gave it.

    Args:
        store: The log.
        since_s: How far back decisions count, in seconds; None for all.
        thresholds: Slacks, ascending.
        route: Fits and routes.
        wall_clock: Seconds since 1970.
        **options: As `calibrate` takes them: `max_quality_loss`, `confidence`, `together`. The method is
            always betting, since the other is for requests that are independent of each other.

    Raises:
        InsufficientEvidenceError: Nothing was left to chance, or too little was judged; says what is needed.
        ConfigurationError: There are no requests, too few arms, or a value is out of range.
        StoreError: The store could not be read.
    """
    log = read_log(store, since_s=since_s, wall_clock=wall_clock)
    entries = [
        Entry(situation=one.ended.situation, score=one.label.score, cost_usd=one.cost_usd)
        for one in log.requests
        if one.label is not None and one.label.weight >= COUNTS_FULLY
    ]
    entries.sort(key=lambda entry: (entry.situation.at_s, entry.situation.decision_id))
    explored = sum(entry.situation.propensity < 1 for entry in entries)
    _refuse_without_lots(len(entries), explored, options)
    fit, later = entries[: len(entries) // 2], entries[len(entries) // 2 :]
    routed = route(fit, later, thresholds)
    weights = [1 / _propensity(entry) for entry in fit]
    most_weight = float(np.clip(np.quantile(weights, _USUAL), _LEAST_WEIGHT, _MOST_WEIGHT))
    judged = [
        Judged(arm=entry.situation.arm, propensity=_propensity(entry), score=entry.score) for entry in later
    ]
    reference = np.full(len(later), routed.reference)
    losses = cautious_losses(judged, routed.routed, reference, most_weight=most_weight)
    labels = np.array([entry.situation.intent for entry in later])
    of = {intent: np.flatnonzero(labels == intent) for intent in INTENTS if (labels == intent).any()}
    calibration = calibrate(
        {intent: losses[members] for intent, members in of.items()},
        thresholds,
        lowest_loss=1 - most_weight,
        in_order=True,
        method="betting",
        basis="logged",
        reference=f"always choosing {routed.reference}",
        policy=routed.policy,
        data_fingerprint=_fingerprint(entries),
        wall_clock=wall_clock,
        **options,
    )
    saved: dict[Intent, float] = {}
    banded: dict[Intent, Certificate] = {}
    for intent, one in calibration.certificates.items():
        members = of[intent]
        column = int(np.argmin(np.abs(np.asarray(thresholds) - one.threshold)))
        mean_cost = float(routed.costs_usd[members, column].mean())
        saved[intent] = 1 - mean_cost / (routed.reference_cost_usd or 1.0)
        band = cautious_band(
            [judged[place] for place in members],
            routed.routed[members, column],
            most_weight=most_weight,
            doubt=(1 - one.confidence) / 2,
        )
        banded[intent] = replace(one, band=band)
    return Found(
        calibration=Calibration(certificates=banded, refusals=calibration.refusals),
        saved=saved,
        fitted=len(fit),
        calibrated=len(later),
        notes=_notes(len(log.requests), len(entries), explored),
    )


def _notes(requests: int, judged: int, explored: int) -> tuple[str, ...]:
    counted = (
        f"Of {requests} requests {judged} were judged, of which {explored} were decided by lot; the earlier "
        "half was fitted on."
    )
    holds = (
        "Certificates hold for requests like those that are judged, if whether an answer is judged does not "
        "depend on which plan gave it."
    )
    return counted, holds


def _refuse_without_lots(judged: int, explored: int, options: dict[str, Any]) -> None:
    if explored and judged >= _LEAST_DECISIONS:
        return
    worst = calibrate({"reasoning": np.zeros((0, 1))}, [0.0], **{**options, "method": "betting"})
    needed = 2 * (worst.refusals["reasoning"].still_needed or 0)
    what = f"only {judged} answers of the log are judged"
    if judged >= _LEAST_DECISIONS:
        what = (
            f"all {judged} judged decisions of the log were certain (propensity 1), so it says nothing of "
            "what other plans would have answered"
        )
    raise InsufficientEvidenceError(
        f"Nothing can be certified: {what}. Let a policy explore, such as EpsilonGreedyPolicy or "
        f"ThompsonPolicy, and record feedback: up to {needed} judged decisions by lot of an intent are "
        "needed, and far fewer where the plans seldom differ. Or calibrate on recorded answers with --data."
    )


def _propensity(entry: Entry) -> float:
    """Return the probability of a choice, or a little more where it is known up to an error only.

    A larger one gives a smaller weight, and so a larger loss.
    """
    one = entry.situation
    error = 0.0 if one.policy == EpsilonGreedyPolicy.name else CHANCE_ERROR
    return min(1.0, one.propensity + error)


def _fingerprint(entries: Sequence[Entry]) -> str:
    made = hashlib.sha256()
    for entry in entries:
        one = entry.situation
        made.update(repr((one.decision_id, one.arm, one.propensity, entry.score)).encode("utf-8", "replace"))
    return made.hexdigest()[:16]
