"""The chain run around a stream of v3 events, which LangChain does not open for us."""

from __future__ import annotations

from typing import Any, Self

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import (
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
    patch_config,
)

from langchain_router.chat.announcing import Announced
from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.runs import RoutedRuns
from langchain_router.decision import RoutingDecision


class EventRun:
    """The chain run that a plan with checks opens; where there is none, nothing happens.

    Attributes:
        config: What the calls of candidates get: callbacks that make them children of the run.
        announced: Tells listeners of the request.
    """

    def __init__(self, decision: RoutingDecision, config: RunnableConfig, manager: Any = None) -> None:
        self.config = config if manager is None else patch_config(config, callbacks=manager.get_child())
        self.announced = Announced(decision, self.config)
        self._manager = manager

    @classmethod
    def open(cls, runs: RoutedRuns, decision: RoutingDecision, call: RoutedCall) -> Self:
        """Open the run, if there is to be one."""
        if not decision.has_checks:
            return cls(decision, call.config)
        callbacks = get_callback_manager_for_config(call.config)
        return cls(decision, call.config, callbacks.on_chain_start(None, call.messages, **_about(runs, call)))

    @classmethod
    async def aopen(cls, runs: RoutedRuns, decision: RoutingDecision, call: RoutedCall) -> Self:
        """Open the run as `open` does, with handlers called in the event loop."""
        if not decision.has_checks:
            return cls(decision, call.config)
        callbacks = get_async_callback_manager_for_config(call.config)
        return cls(
            decision, call.config, await callbacks.on_chain_start(None, call.messages, **_about(runs, call))
        )

    def ended(self, message: AIMessage) -> None:
        """Close the run with its answer."""
        self.announced.ended()
        manager = self._taken()
        if manager is not None:
            manager.on_chain_end(message)

    async def aended(self, message: AIMessage) -> None:
        """Do as `ended` does."""
        await self.announced.aended()
        manager = self._taken()
        if manager is not None:
            await manager.on_chain_end(message)

    def failed(self, error: BaseException) -> None:
        """Close the run with its error."""
        self.announced.ended()
        manager = self._taken()
        if manager is not None:
            manager.on_chain_error(error)

    async def afailed(self, error: BaseException) -> None:
        """Do as `failed` does."""
        await self.announced.aended()
        manager = self._taken()
        if manager is not None:
            await manager.on_chain_error(error)

    def _taken(self) -> Any:
        """Return what closes the run, once."""
        manager, self._manager = self._manager, None
        return manager


def _about(runs: RoutedRuns, call: RoutedCall) -> dict[str, Any]:
    name = call.config.get("run_name") or runs.get_name()
    return {"name": name, "run_id": call.config.get("run_id"), "run_type": "chain"}
