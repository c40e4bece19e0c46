"""How likely a policy is to choose each plan, asked from outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import RoutingDecision
from langchain_router.policies.context import Context, Policy

Plan = tuple[tuple[str, str | None], ...]
"""Name of each step's candidate, with how its check shows itself, or None, up to the first without one."""

Chances = Mapping[Plan, float]
"""Probability of each plan; they sum to 1."""

ENOUGH: Final = 0.99
"""Once the plans drawn have this probability together, the rest is left out."""

_MOST_DRAWS: Final = 40
_DRAWS_UNTOLD: Final = 200
_PROBED: Final = 20
_PROBES: Final = 5


class Chooser:
    """Asks a policy for the probability of each of its choices.

    A decision tells the probability of what was chosen (`propensity`), so a policy that draws lots is asked
    again until what it has chosen so far is nearly all there is. One that varies its choices and calls each
    of them certain does not tell: it is asked 200 times, and how often it chose what is taken instead.

    Args:
        policy: Whom to ask.

    Attributes:
        asks: By candidate and check, the names of the models that the check asks, as far as it was planned.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._is_untold = False
        self._asked = 0
        self.asks: dict[tuple[str, str], tuple[str, ...]] = {}

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of how it was asked."""
        if not self._is_untold:
            return ()
        told = (
            "The policy does not tell the probability of its choices; it was asked "
            f"{_DRAWS_UNTOLD} times for each request, and how often it chose what is taken instead."
        )
        return (told,)

    def chances(self, context: Context, candidates: Sequence[Candidate]) -> Chances:
        """Return the probability of each plan for a request."""
        plan, decision = self._plan(context, candidates)
        self._asked += 1
        is_certain = decision.propensity >= 1
        if is_certain and not self._is_untold and self._asked <= _PROBED and len(candidates) > 1:
            again = {self._plan(context, candidates)[0] for _ in range(_PROBES)}
            self._is_untold = again != {plan}
        if is_certain and self._is_untold:
            return self._counted(context, candidates)
        return self._told(plan, decision, context, candidates)

    def _told(
        self, plan: Plan, decision: RoutingDecision, context: Context, candidates: Sequence[Candidate]
    ) -> Chances:
        found = {plan: decision.propensity}
        for _ in range(_MOST_DRAWS):
            left = 1 - sum(found.values())
            if left <= 1 - ENOUGH:
                break
            unseen = [one for one in candidates if ((one.name, None),) not in found]
            if len(unseen) == 1 and decision.policy_params.get("plans", "unknown") is None:
                found[(unseen[0].name, None),] = left  # every candidate is an arm, and this is the last
                break
            plan, decision = self._plan(context, candidates)
            found[plan] = decision.propensity
        total = sum(found.values())
        return {plan: chance / total for plan, chance in found.items()}

    def _counted(self, context: Context, candidates: Sequence[Candidate]) -> Chances:
        drawn = Counter(self._plan(context, candidates)[0] for _ in range(_DRAWS_UNTOLD))
        return {plan: count / _DRAWS_UNTOLD for plan, count in drawn.items()}

    def _plan(self, context: Context, candidates: Sequence[Candidate]) -> tuple[Plan, RoutingDecision]:
        decision = self._policy.select(context, candidates)
        named = []
        for step in decision.plan:
            named.append((step.candidate.name, None if step.check is None else repr(step.check)))
            if step.check is None:
                break
            self.asks[step.candidate.name, repr(step.check)] = tuple(one.name for one in step.check.models)
        return tuple(named), decision
