"""Threads and event loops that share one router."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from typing import Any

from langchain_core.exceptions import ModelError

from langchain_router import ChatRouter, Resilience
from tests.scorecard.parts import FaultServer, Outcomes, in_memory, model_of, routed, streamed, wire
from tests.scorecard.row import Figures, Scale, row

_OVER_HTTP_EVERY = 25
_GRACE_S = 15.0


@row(
    "C3",
    "8 threads and 4 event loops on one router, with failures, a concurrency limit and LiteLLM over HTTP",
    "Every request has one outcome and every call is counted, nobody waits for ever, and no error but the "
    "providers' own.",
    p0=True,
    bound_s=100,
)
def threads_and_loops_share_a_router(scale: Scale) -> Figures:
    outcomes = Outcomes()
    flaky = in_memory(
        "flaky", rates={"server": 0.1, "malformed": 0.05, "slow": 0.2}, slow_s=0.002, max_concurrency=8
    )
    steady = in_memory("steady", rank=2, rates={"overloaded": 0.02})
    with FaultServer() as server:
        over_http = wire(server, "healthy", rank=3)
        chat = routed(flaky, steady, over_http, on_outcome=outcomes, resilience=Resilience(retry_budget=1.0))
        chat.invoke("Hello", model="healthy")
        crowd = _Crowd(chat, ends_s=time.monotonic() + scale.seconds(60, 3))
        stuck = crowd.run()
        made = Counter(flaky=model_of(flaky).calls, steady=model_of(steady).calls)
        made["healthy"] = server.requests("healthy")
    attempts = Counter(one.candidate for _, outcome in outcomes.all for one in outcome.attempts)
    figures = Figures()
    figures.tell("requests", crowd.asked)
    figures.none("requests without exactly one outcome", abs(len(outcomes.all) - crowd.asked - 1))
    figures.none("calls not counted or counted twice", sum(((made - attempts) + (attempts - made)).values()))
    figures.none(
        "places not given back", sum(one["in_flight"] or 0 for one in chat.health()["candidates"].values())
    )
    figures.none("threads and loops that hang", stuck)
    others = f" ({', '.join(sorted(crowd.errors))})" if crowd.errors else ""
    figures.none(f"errors of another kind{others}", crowd.errors.total())
    figures.at_least("calls over HTTP", made["healthy"], scale(100, 5))
    return figures


class _Crowd:
    """Asks from many threads and loops until the time is over."""

    def __init__(self, chat: ChatRouter, *, ends_s: float) -> None:
        self.asked = 0
        self.errors: Counter[str] = Counter()
        self._chat = chat
        self._ends_s = ends_s
        self._lock = threading.Lock()

    def run(self) -> int:
        """Return how many threads still run long after the end."""
        work: list[Any] = [lambda n=n: self._in_a_thread(n) for n in range(8)]
        work += [lambda n=n: asyncio.run(self._in_a_loop(n)) for n in range(4)]
        threads = [threading.Thread(target=one, daemon=True) for one in work]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, self._ends_s + _GRACE_S - time.monotonic()))
        return sum(thread.is_alive() for thread in threads)

    def _in_a_thread(self, turn: int) -> None:
        while time.monotonic() < self._ends_s:
            turn += 1
            error = None
            try:
                if turn % _OVER_HTTP_EVERY == 0:
                    self._chat.invoke("Hello", model="healthy")
                elif turn % 2:
                    self._chat.invoke("Hello")
                else:
                    list(self._chat.stream("Hello"))
            except BaseException as caught:  # noqa: BLE001 - counted
                error = caught
            self._note(error)

    async def _in_a_loop(self, number: int) -> None:
        await asyncio.gather(*(self._in_a_task(number * 10 + one) for one in range(5)))

    async def _in_a_task(self, turn: int) -> None:
        while time.monotonic() < self._ends_s:
            turn += 1
            error = None
            try:
                if turn % _OVER_HTTP_EVERY == 0:
                    await self._chat.ainvoke("Hello", model="healthy")
                elif turn % 2:
                    await self._chat.ainvoke("Hello")
                else:
                    await streamed(self._chat)
            except BaseException as caught:  # noqa: BLE001 - counted
                error = caught
            self._note(error)

    def _note(self, error: BaseException | None) -> None:
        with self._lock:
            self.asked += 1
            if error is not None and not isinstance(error, ModelError):
                self.errors[type(error).__name__] += 1
