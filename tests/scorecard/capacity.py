"""A provider that bears so many requests a second, keeps a queue, and works on for callers who have left."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.exceptions import ModelAPIError
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatResult
from pydantic import PrivateAttr

from tests.faults.behaviours import healthy, status
from tests.faults.exchange import Exchange
from tests.scorecard.parts import Spoken

_LONGEST_QUEUE_S = 2.0  # longer than callers wait


class Capacity:
    """First come, first served; who finds the queue full is turned away.

    It cannot know that a caller has given up, so that work is wasted: this is what lets an overload outlive
    its cause. Belongs to one event loop.

    Attributes:
        rps: Requests a second that it bears.
        calls: When each came, by the event loop's clock.
    """

    def __init__(self, rps: float) -> None:
        self.rps = rps
        self.calls: list[float] = []
        self._longest = rps * _LONGEST_QUEUE_S
        self._queue: deque[asyncio.Future[None]] = deque()
        self._worker: asyncio.Task[None] | None = None

    async def takes(self) -> bool:
        """Wait for a turn; return whether there was one."""
        loop = asyncio.get_running_loop()
        self.calls.append(loop.time())
        if len(self._queue) >= self._longest:
            return False
        turn: asyncio.Future[None] = loop.create_future()
        self._queue.append(turn)
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        await turn
        return True

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        free_s = loop.time()
        while self._queue:
            free_s = max(free_s, loop.time() - 0.05) + 1 / self.rps  # so that late timers cost no capacity
            await asyncio.sleep(free_s - loop.time())
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
        self._worker = None

    async def behave(self, exchange: Exchange) -> None:
        """Answer an exchange of the fault server."""
        if await self.takes():
            await healthy(exchange)
        else:
            await status(503)(exchange)


class LimitedChatModel(Spoken):
    """A chat model in this process that has only so much capacity."""

    _capacity: Capacity = PrivateAttr()

    def __init__(self, *, capacity: Capacity, answer: str = "Here you are.") -> None:
        super().__init__(answers=[answer])
        self._capacity = capacity

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if not await self._capacity.takes():
            error = ModelAPIError("LimitedChatModel: the queue is full.")
            error.status_code = 503  # type: ignore[attr-defined]
            raise error
        return self._generate(messages, stop, None, **kwargs)
