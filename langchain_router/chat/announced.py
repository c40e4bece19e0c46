"""What listeners are told of one request, from its decision to its outcome."""

from __future__ import annotations

from langchain_core.runnables import RunnableConfig

from langchain_router.chat import announcing
from langchain_router.decision import RoutingDecision
from langchain_router.execution.moves import Call
from langchain_router.outcomes.records import Outcome

_OF_THE_PLAN = ("answer", "draft", "hedge")


class Announced:
    """Tells of a request by custom events: of its decision, each step after the first, and its outcome.

    Args:
        decision: What was decided.
        config: Of the run around the calls; without such a run nobody is told.
    """

    def __init__(self, decision: RoutingDecision, config: RunnableConfig) -> None:
        self._decision = decision
        self._config = config
        self._is_heard = announcing.is_listened_to(config)
        self._before: Call | None = None
        self._outcome: Outcome | None = None

    def decided(self) -> None:
        """Tell of the decision."""
        if self._is_heard:
            announcing.announce(self._config, announcing.DECISION, announcing.decided(self._decision))

    async def adecided(self) -> None:
        """Do as `decided` does."""
        if self._is_heard:
            await announcing.aannounce(self._config, announcing.DECISION, announcing.decided(self._decision))

    def calling(self, call: Call) -> None:
        """Tell of a call of the plan that is about to be made after another."""
        before = self._step(call)
        if before is not None:
            announcing.announce(
                self._config, announcing.ESCALATION, announcing.escalated(self._decision, before, call)
            )

    async def acalling(self, call: Call) -> None:
        """Do as `calling` does."""
        before = self._step(call)
        if before is not None:
            await announcing.aannounce(
                self._config, announcing.ESCALATION, announcing.escalated(self._decision, before, call)
            )

    def note(self, outcome: Outcome) -> None:
        """Take note of what the request came to; `ended` tells of it."""
        if self._is_heard:
            self._outcome = outcome

    def ended(self) -> None:
        """Tell of the outcome, if there is one, and once."""
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            announcing.announce(self._config, announcing.OUTCOME, announcing.ended(outcome))

    async def aended(self) -> None:
        """Do as `ended` does."""
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            await announcing.aannounce(self._config, announcing.OUTCOME, announcing.ended(outcome))

    def _step(self, call: Call) -> Call | None:
        """Return the call of the plan before this one; None for the first, and for what a check asks."""
        if not self._is_heard or call.role not in _OF_THE_PLAN:
            return None
        before, self._before = self._before, call
        return before
