"""The held callbacks of one request's calls: one of them becomes the answer, the others do not."""

from __future__ import annotations

import contextlib
import threading
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
        self._of_answer: dict[int, tuple[Any, HeldCallbacks | None]] = {}
        self._lock = threading.Lock()
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
        """Remember an answer, and what holds its tokens. One that comes when all is settled is closed."""
        if not self._is_kept(answer, held):
            _close(answer)

    async def akeep(self, answer: Any, held: HeldCallbacks | None) -> None:
        """Do as `keep` does."""
        if not self._is_kept(answer, held):
            await _aclose(answer)

    def settle(self, answer: Any = None) -> None:
        """Let go of every call, now that the answer is known; None where there is none.

        Open streams among the others are closed. A handler that raises keeps no other call from being let go.
        """
        chosen, rejected, others = self._settled(answer)
        with contextlib.ExitStack() as last_first:
            for other in others:
                last_first.callback(_close, other)
            if chosen is not None:
                last_first.callback(chosen.accept)
            for held in rejected:
                last_first.callback(held.reject)

    async def asettle(self, answer: Any = None) -> None:
        """Do as `settle` does; nor does a cancellation."""
        chosen, rejected, others = self._settled(answer)
        async with contextlib.AsyncExitStack() as last_first:
            for other in others:
                last_first.push_async_callback(_aclose, other)
            if chosen is not None:
                last_first.push_async_callback(chosen.aaccept)
            for held in rejected:
                last_first.push_async_callback(held.areject)

    def _is_kept(self, answer: Any, held: HeldCallbacks | None) -> bool:
        with self._lock:  # a call may end in a thread of its own, just when another is chosen
            if not self._is_settled:
                self._of_answer[id(answer)] = (answer, held)
            return not self._is_settled

    def _settled(self, answer: Any) -> tuple[HeldCallbacks | None, list[HeldCallbacks], list[Any]]:
        """Return what holds the answer's tokens, what holds those of others, and the other answers."""
        with self._lock:
            self._is_settled = True
            calls, self._calls = self._calls, []
            answers, self._of_answer = self._of_answer, {}
        _, chosen = answers.pop(id(answer), (None, None))
        rejected = [held for held in calls if held is not chosen]
        return chosen, rejected, [other for other, _ in answers.values()]


def _close(answer: Any) -> None:
    """Close a stream that nobody will read; of any other answer there is nothing to close."""
    close = getattr(answer, "close", None)
    if close is not None:
        close()


async def _aclose(answer: Any) -> None:
    close = getattr(answer, "close", None)
    if close is not None:
        await close()
