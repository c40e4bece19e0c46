"""Custom events for those who listen: `router_decision`, `router_escalation` and `router_outcome`.

LangChain gives a custom event to the handlers of the run that it belongs to, as `on_custom_event` and in
`astream_events`. There must be such a run: the router's own, or the chain, graph or agent that the router is
called in. A call of a router alone in a plan of single steps has none; its handlers find the decision in the
model run's metadata and on the message instead.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
)

from langchain_router.decision import RoutingDecision
from langchain_router.execution.moves import Call
from langchain_router.outcomes.records import Outcome

_logger = logging.getLogger("langchain_router")

DECISION: Final = "router_decision"
ESCALATION: Final = "router_escalation"
OUTCOME: Final = "router_outcome"

_DEAF: Final = (BaseCallbackHandler.on_custom_event, AsyncCallbackHandler.on_custom_event)


_OF_THE_PLAN: Final = ("answer", "draft", "hedge")


class Announced:
    """Tells of a request by custom events: of its decision, each step after the first, and its outcome.

    Args:
        decision: What was decided.
        config: Of the run around the calls; without such a run nobody is told.
    """

    def __init__(self, decision: RoutingDecision, config: RunnableConfig) -> None:
        self._decision = decision
        self._config = config
        self._is_heard = _is_listened_to(config)
        self._before: Call | None = None
        self._outcome: Outcome | None = None

    def decided(self) -> None:
        """Tell of the decision."""
        if self._is_heard:
            announce(self._config, DECISION, decided(self._decision))

    async def adecided(self) -> None:
        """Do as `decided` does."""
        if self._is_heard:
            await aannounce(self._config, DECISION, decided(self._decision))

    def calling(self, call: Call) -> None:
        """Tell of a call of the plan that is about to be made after another."""
        before = self._step(call)
        if before is not None:
            announce(self._config, ESCALATION, escalated(self._decision, before, call))

    async def acalling(self, call: Call) -> None:
        """Do as `calling` does."""
        before = self._step(call)
        if before is not None:
            await aannounce(self._config, ESCALATION, escalated(self._decision, before, call))

    def note(self, outcome: Outcome) -> None:
        """Take note of what the request came to; `ended` tells of it."""
        if self._is_heard:
            self._outcome = outcome

    def ended(self) -> None:
        """Tell of the outcome, if there is one, and once."""
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            announce(self._config, OUTCOME, ended(outcome))

    async def aended(self) -> None:
        """Do as `ended` does."""
        outcome, self._outcome = self._outcome, None
        if outcome is not None:
            await aannounce(self._config, OUTCOME, ended(outcome))

    def _step(self, call: Call) -> Call | None:
        """Return the call of the plan before this one; None for the first, and for what a check asks."""
        if not self._is_heard or call.role not in _OF_THE_PLAN:
            return None
        before, self._before = self._before, call
        return before


def announce(config: RunnableConfig, name: str, data: Mapping[str, Any]) -> bool:
    """Send a custom event to the handlers of the run around a call; return whether there was such a run.

    Never raises. Costs next to nothing where nobody listens.

    Args:
        config: The config that the call's models get: its callbacks know the run around them.
        name: `router_decision`, `router_escalation` or `router_outcome`.
        data: What to say; plain data without text of prompts or answers.
    """
    if not _is_listened_to(config):
        return False
    try:
        manager = get_callback_manager_for_config(config)
        manager.on_custom_event(name, dict(data), run_id=manager.parent_run_id)
    except Exception as error:  # noqa: BLE001 - who listens must not break the call
        _logger.debug("%s was not announced (%s)", name, type(error).__name__)
        return False
    return True


async def aannounce(config: RunnableConfig, name: str, data: Mapping[str, Any]) -> bool:
    """Do as `announce` does, with handlers awaited."""
    if not _is_listened_to(config):
        return False
    try:
        manager = get_async_callback_manager_for_config(config)
        await manager.on_custom_event(name, dict(data), run_id=manager.parent_run_id)
    except Exception as error:  # noqa: BLE001 - as above
        _logger.debug("%s was not announced (%s)", name, type(error).__name__)
        return False
    return True


def decided(decision: RoutingDecision) -> dict[str, Any]:
    """Return what `router_decision` says: what `response_metadata["router"]` says before any call."""
    return decision.to_dict()


def escalated(decision: RoutingDecision, before: Call, after: Call) -> dict[str, Any]:
    """Return what `router_escalation` says: who is called now, after whom, and for what.

    Args:
        decision: Whose plan it is.
        before: The call before.
        after: The call that is made now.
    """
    return {
        "decision_id": decision.id,
        "from": before.step.candidate.name,
        "to": after.step.candidate.name,
        "attempt": after.number,
        "role": after.role,
    }


def ended(outcome: Outcome) -> dict[str, Any]:
    """Return what `router_outcome` says: what `response_metadata["router_outcome"]` says."""
    return outcome.to_dict()


def _is_listened_to(config: RunnableConfig) -> bool:
    """Return whether there is a run around a call, and a handler that takes custom events."""
    manager = config.get("callbacks")
    if not isinstance(manager, BaseCallbackManager) or manager.parent_run_id is None:
        return False
    return any(
        handler.__class__.on_custom_event not in _DEAF and not handler.ignore_custom_event
        for handler in manager.handlers
    )
