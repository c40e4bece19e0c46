"""What another policy would have cost, and how good its answers would have been, on recorded traffic."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import arm_of
from langchain_router.evaluation.offpolicy.intervals import CONFIDENCE, Estimate, Floats, mean_of
from langchain_router.evaluation.offpolicy.reward_model import FOLDS
from langchain_router.evaluation.offpolicy.weights import effective_sample, usual_clip
from langchain_router.evaluation.policy_spec import policy_from
from langchain_router.evaluation.whatif_chances import Chances
from langchain_router.evaluation.whatif_figure import Figure, Outcomes, Policies, figure
from langchain_router.evaluation.whatif_log import Log, read_log
from langchain_router.evaluation.whatif_refusals import refuse_too_few, refuse_what_was_never_tried
from langchain_router.evaluation.whatif_replay import Replay, arm_recorded
from langchain_router.policies.context import Policy
from langchain_router.signals.types import INTENTS

if TYPE_CHECKING:
    from langchain_router.outcomes.store import OutcomeStore


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What another policy would have come to, beside what the recorded one did.

    Attributes:
        policy: How the other policy shows itself.
        requests: How many recorded requests it rests on.
        cost_usd: US dollars a request.
        quality: Mean score of the answers, 0..1, where a request that nobody answered counts as 0; None where
            only the cost was asked for.
        elsewhere: Share of the requests that would have gone to another arm.
        shares: By arm, the share of requests: recorded, and under the other policy.
        mean_weight: Of the weights, which is 1 where the log could have held all that the policy would do.
        clipped: How many weights were too large and were clipped.
        confidence: Of the intervals.
        remarks: What else to know.
    """

    policy: str
    requests: int
    cost_usd: Figure
    quality: Figure | None
    elsewhere: float
    shares: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    mean_weight: Estimate
    clipped: int = 0
    confidence: float = CONFIDENCE
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        return {
            "policy": self.policy,
            "requests": self.requests,
            "elsewhere": self.elsewhere,
            "confidence": self.confidence,
            "cost_usd": self.cost_usd.to_dict(),
            "quality": None if self.quality is None else self.quality.to_dict(),
            "shares": {
                arm: {"recorded": recorded, "policy": other} for arm, (recorded, other) in self.shares.items()
            },
            "mean_weight": self.mean_weight.to_dict(),
            "clipped": self.clipped,
            "remarks": list(self.remarks),
        }


def whatif(
    store: OutcomeStore,
    policy: Policy | str,
    *,
    since_s: float | None = None,
    candidates: Sequence[Candidate] = (),
    cost_only: bool = False,
    confidence: float = CONFIDENCE,
    wall_clock: Callable[[], float] = time.time,
) -> WhatIf:
    """Estimate what a policy would have cost, and how good its answers would have been, on recorded traffic.

    Works where the recorded policy left something to chance and wrote down how likely each choice was. Prefer
    `langchain-router bench` where every candidate's answer to every prompt is known.

    Args:
        store: Where decisions, outcomes and feedback are.
        policy: A fresh policy, which is taught from the log as it goes, or a text such as
            `"cost:quality=0.9"`.
        since_s: How far back to look, in seconds; None for all.
        candidates: Those of the router, where more is known of them than the log and the catalogue say.
        cost_only: Whether to leave quality out, where there is no feedback.
        confidence: How often the intervals shall hold the truth, 0..1.
        wall_clock: Seconds since 1970.

    Raises:
        ConfigurationError: The policy is none, names an unknown candidate, or there is no such request.
        InsufficientEvidenceError: What is recorded does not tell.
        StoreError: The store could not be read.

    Example:
        >>> from langchain_router.outcomes.store import open_store
        >>> whatif(open_store(), "single:openai/gpt-4o-mini")
        Traceback (most recent call last):
        langchain_router.exceptions.ConfigurationError: The store memory holds no request that has ended. \
Name the store that your router writes to, or look further back.
    """
    made = policy_from(policy, seed=0) if isinstance(policy, str) else policy
    log = read_log(store, since_s=since_s, wall_clock=wall_clock)
    replay = Replay(log, [made], candidates=candidates)
    chances = [one.chances[0] for one in replay]
    policies = _policies(log, chances)
    mean_weight = mean_of(policies.weight, effective=effective_sample(policies.weight), confidence=confidence)
    refuse_what_was_never_tried(policies)
    features = _features(log)
    folds = np.array([zlib.crc32(one.decision_id.encode()) % FOLDS for one in log.requests])
    figures: dict[str, Figure] = {}
    wanted = [_costs(log, policies)] if cost_only else [_costs(log, policies), _qualities(log, policies)]
    for outcomes in wanted:
        refuse_too_few(policies, outcomes)
        figures[outcomes.what] = figure(
            policies, outcomes, features=features, fold=folds, confidence=confidence
        )
    return WhatIf(
        policy=repr(made),
        requests=len(log.requests),
        cost_usd=figures["cost"],
        quality=figures.get("quality"),
        elsewhere=float(1 - policies.of_recorded.mean()),
        shares=policies.shares(),
        mean_weight=mean_weight,
        clipped=int((policies.weight > usual_clip(len(policies.weight))).sum()),
        confidence=confidence,
        remarks=(*replay.remarks, *_remarks(log, policies, mean_weight)),
    )


def _policies(log: Log, chances: Sequence[Chances]) -> Policies:
    recorded = [arm_recorded(one.ended.situation) for one in log.requests]
    named = [{arm_of(plan): chance for plan, chance in one.items()} for one in chances]
    seen = sorted(set(recorded))
    never_seen = sorted({arm for one in named for arm in one} - set(seen))
    place = {arm: number for number, arm in enumerate([*seen, *never_seen])}
    target = np.zeros((len(recorded), len(place)))
    for row, one in enumerate(named):
        for arm, chance in one.items():
            target[row, place[arm]] = chance
    return Policies(
        names=tuple(place),
        seen=len(seen),
        arm=np.array([place[arm] for arm in recorded]),
        propensity=np.array([one.ended.situation.propensity for one in log.requests]),
        target=target,
    )


def _costs(log: Log, policies: Policies) -> Outcomes:
    known = [one.cost_usd for one in log.requests]
    return Outcomes(
        what="cost",
        value=np.array([0.0 if usd is None else usd for usd in known]),
        known=np.array([float(usd is not None) for usd in known]),
        stratum=policies.arm,
        most=None,
        hint=_expected_usd(log, policies),
    )


def _qualities(log: Log, policies: Policies) -> Outcomes:
    """Return how good the answers were; a lost request is always known to be worth 0."""
    lost = np.array([one.is_lost for one in log.requests])
    labels = [one.label for one in log.requests]
    return Outcomes(
        what="quality",
        value=np.array([0.0 if label is None else label.score for label in labels]) * ~lost,
        known=np.where(lost, 1.0, [0.0 if label is None else label.weight for label in labels]),
        stratum=2 * policies.arm + lost,
        most=1.0,
        hint=None,
    )


def _expected_usd(log: Log, policies: Policies) -> Floats:
    """Return what the first call of each recorded arm was expected to cost for each request."""
    openers: dict[str, str] = {}
    for one in log.requests:
        openers.setdefault(arm_recorded(one.ended.situation), one.ended.situation.plan[0][0])
    costs = np.array(
        [
            [
                one.ended.situation.expected_cost_usd.get(openers[arm])
                for arm in policies.names[: policies.seen]
            ]
            for one in log.requests
        ],
        dtype=np.float64,
    )
    unknown = np.isnan(costs)
    known = np.maximum((~unknown).sum(axis=0), 1)
    means = np.where(unknown, 0.0, costs).sum(axis=0) / known
    return np.where(unknown, means, costs)


def _features(log: Log) -> Floats:
    """Return what is known of each request: intent, complexity, text, and when it was."""
    situations = [one.ended.situation for one in log.requests]
    rows = [
        [*(one.intent_probabilities.get(label, 0.0) for label in INTENTS), one.complexity]
        for one in situations
    ]
    when = np.linspace(0.0, 1.0, len(rows))
    columns = [np.nan_to_num(np.array(rows, dtype=np.float64)), when[:, None]]
    lengths = {len(one.features) for one in situations}
    if len(lengths) == 1:
        columns.append(np.array([one.features for one in situations], dtype=np.float64))
    return np.column_stack(columns)


def _remarks(log: Log, policies: Policies, mean_weight: Estimate) -> list[str]:
    found = []
    if not log.is_whole:
        found.append("The store has forgotten its oldest requests; what they taught is missing.")
    unseen = float(policies.target[:, policies.seen :].sum(axis=1).mean())
    if unseen > 0:
        found.append(f"{unseen:.1%} of its choices were never recorded and are taken to be like its others.")
    if mean_weight.low > 1:
        found.append(
            f"The weights have a mean of {mean_weight.value:.2f} instead of 1: the recorded propensities are "
            "too small for what was chosen, and the figures not to be trusted."
        )
    return found
