"""The recorded requests that two policies treat differently, one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import arm_of
from langchain_router.evaluation.policy_spec import RECORDED, policy_from
from langchain_router.evaluation.whatif_chances import Plan
from langchain_router.evaluation.whatif_log import read_log
from langchain_router.evaluation.whatif_replay import Replay, Replayed, plan_recorded
from langchain_router.policies.context import Policy

if TYPE_CHECKING:
    from langchain_router.outcomes.store import OutcomeStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A request that goes elsewhere.

    Attributes:
        decision_id: Whose it is.
        at_s: When it was decided, in seconds since 1970.
        intent: What kind of request it was taken for.
        complexity: How hard it was taken to be, 0..1.
        from_arm: What the first policy does with it.
        to_arm: What the second does.
        from_usd: Expected cost of the first, in US dollars; None when unknown.
        to_usd: Of the second.
    """

    decision_id: str
    at_s: float
    intent: str
    complexity: float
    from_arm: str
    to_arm: str
    from_usd: float | None
    to_usd: float | None

    @property
    def change_usd(self) -> float | None:
        """How much more the second is expected to cost, in US dollars; None when unknown."""
        return None if self.from_usd is None or self.to_usd is None else self.to_usd - self.from_usd

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        return {name: getattr(self, name) for name in (*self.__dataclass_fields__, "change_usd")}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDiff:
    """How two policies differ on recorded requests.

    Attributes:
        policies: How they show themselves.
        requests: How many there are.
        moved: Those that go elsewhere, the newest first.
        from_usd: Expected cost of all requests under the first policy, as far as it is known of both.
        to_usd: Under the second.
        unknown: Of how many requests the expected cost is not known of both.
        remarks: What else to know.
    """

    policies: tuple[str, str]
    requests: int
    moved: tuple[Moved, ...] = field(repr=False)
    from_usd: float
    to_usd: float
    unknown: int = 0
    remarks: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        return {
            "policies": list(self.policies),
            "requests": self.requests,
            "from_usd": self.from_usd,
            "to_usd": self.to_usd,
            "unknown": self.unknown,
            "remarks": list(self.remarks),
            "moved": [one.to_dict() for one in self.moved],
        }


def log_diff(
    store: OutcomeStore,
    first: Policy | str,
    second: Policy | str,
    *,
    since_s: float | None = None,
    candidates: Sequence[Candidate] = (),
    wall_clock: Callable[[], float] = time.time,
) -> LogDiff:
    """Find the recorded requests that two policies treat differently.

    Nothing is estimated, so any log will do, also one of a policy that explores nothing. Prefer `whatif` for
    what the difference comes to. A policy that draws lots counts as doing what it does most likely.

    Args:
        store: Where decisions, outcomes and feedback are.
        first: A fresh policy, which is taught from the log as it goes; a text such as `"cost:quality=0.9"`;
            or `"recorded"`, for what was done.
        second: Another.
        since_s: How far back to look, in seconds; None for all.
        candidates: Those of the router, where more is known of them than the log and the catalogue say.
        wall_clock: Seconds since 1970.

    Raises:
        ConfigurationError: A policy is none, or names an unknown candidate; or there is no such request.
        StoreError: The store could not be read.
    """
    made = [_made(one) for one in (first, second)]
    log = read_log(store, since_s=since_s, wall_clock=wall_clock)
    replay = Replay(log, [one for one in made if one is not None], candidates=candidates)
    moved: list[Moved] = []
    from_usd = to_usd = 0.0
    unknown = 0
    draws_lots = False
    for one in replay:
        chances = iter(one.chances)
        recorded = plan_recorded(one.logged.ended.situation)
        plans: list[Plan] = []
        for policy in made:
            found = {recorded: 1.0} if policy is None else next(chances)
            draws_lots = draws_lots or len(found) > 1
            plans.append(max(found.items(), key=lambda item: item[1])[0])
        costs = _costs(one, plans)
        if None in costs:
            unknown += 1
        else:
            from_usd += costs[0] or 0.0
            to_usd += costs[1] or 0.0
        if plans[0] != plans[1]:
            moved.append(_moved(one, plans, costs))
    return LogDiff(
        policies=(_shown(made[0]), _shown(made[1])),
        requests=len(log.requests),
        moved=tuple(sorted(moved, key=lambda one: (-one.at_s, one.decision_id))),
        from_usd=from_usd,
        to_usd=to_usd,
        unknown=unknown,
        remarks=(
            *replay.remarks,
            *(["A policy that draws lots counts as doing what it does most likely."] if draws_lots else []),
        ),
    )


def _made(given: Policy | str) -> Policy | None:
    """Return a policy; None for what is recorded."""
    if not isinstance(given, str):
        return given
    return None if given.strip() == RECORDED else policy_from(given, seed=0)


def _shown(policy: Policy | None) -> str:
    return RECORDED if policy is None else repr(policy)


def _costs(one: Replayed, plans: Sequence[Plan]) -> list[float | None]:
    """Return what both plans were expected to cost; with checks, as what was learned of them has it."""
    costs_usd = one.logged.ended.situation.expected_cost_usd
    if all(len(plan) == 1 for plan in plans):
        return [costs_usd.get(plan[0][0]) for plan in plans]
    try:
        return [
            expected.cost_usd
            for expected in one.quality.expect(plans, cost_usd=costs_usd, asked_usd=one.asked_usd)
        ]
    except KeyError:  # a candidate that is gone
        return [None, None]


def _moved(one: Replayed, plans: Sequence[Plan], costs: Sequence[float | None]) -> Moved:
    situation = one.logged.ended.situation
    return Moved(
        decision_id=situation.decision_id,
        at_s=situation.at_s,
        intent=situation.intent,
        complexity=situation.complexity,
        from_arm=arm_of(plans[0]),
        to_arm=arm_of(plans[1]),
        from_usd=costs[0],
        to_usd=costs[1],
    )
