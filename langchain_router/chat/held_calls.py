"""The held callbacks of one request's calls: one of them becomes the answer, the others do not."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import Any

from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config

from langchain_router.chat.holding import HeldCallbacks
from langchain_router.decision import RoutingDecision
from langchain_router.execution.moves import Call


class HeldCalls:
    """Holds the tokens of every call whose answer may turn out not to be the one.

    Args:
        holds_all: Hold the tokens of final answers too, until they are decided on.
    """

    def __init__(self, *, holds_all: bool = False) -> None:
        self._holds_all = holds_all
        self._calls: list[HeldCallbacks] = []
        self._of_answer: dict[int, tuple[Any, HeldCallbacks]] = {}
        self._is_settled = False

    def config(self, step: Call, config: RunnableConfig) -> tuple[RunnableConfig, HeldCallbacks | None]:
        """Return the config for a call, and what holds its tokens, if they are held."""
        if step.role == "answer" and not step.is_contested and not self._holds_all:
            return config, None
        held = HeldCallbacks()
        self._calls.append(held)
        return held.config(config), held

    @contextlib.contextmanager
    def around_checks(self, config: RunnableConfig, decision: RoutingDecision) -> Iterator[None]:
        """Let what a check of the user's own calls show no tokens: such a call takes the config around it."""
        if not decision.has_checks:
            yield
            return
        held = HeldCallbacks()
        self._calls.append(held)
        quiet = held.config({**config, "tags": [*(config.get("tags") or ()), "nostream"]})
        quiet.pop("run_id", None)  # a run id names one run only
        token = var_child_runnable_config.set(quiet)
        try:
            yield
        finally:
            var_child_runnable_config.reset(token)

    def keep(self, answer: Any, held: HeldCallbacks | None) -> None:
        """Remember which tokens belong to an answer. One that comes when all is settled comes for nobody."""
        if held is None:
            return
        if self._is_settled:
            close = getattr(answer, "close", None)
            if close is not None and not inspect.iscoroutinefunction(close):
                close()
            return
        self._of_answer[id(answer)] = (answer, held)

    def settle(self, answer: Any = None) -> None:
        """Let go of every call's tokens, now that the answer is known; None where there is none."""
        chosen = self._chosen(answer)
        for held in self._calls:
            if held is not chosen:
                held.reject()
        if chosen is not None:
            chosen.accept()
        self._calls, self._is_settled = [], True

    async def asettle(self, answer: Any = None) -> None:
        """Do as `settle` does."""
        chosen = self._chosen(answer)
        for held in self._calls:
            if held is not chosen:
                await held.areject()
        if chosen is not None:
            await chosen.aaccept()
        self._calls, self._is_settled = [], True

    def others(self, answer: Any) -> list[Any]:
        """Return the answers that did not become the one; streams among them are still open."""
        return [kept for kept, _ in self._of_answer.values() if kept is not answer]

    def _chosen(self, answer: Any) -> HeldCallbacks | None:
        found = self._of_answer.get(id(answer))
        return None if found is None else found[1]
