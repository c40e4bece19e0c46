"""An event loop whose time passes only when nobody has anything to do: an hour of waiting takes no time."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer as soon as no callback is ready.

    For code that waits with timers only. A thread or a socket that is waited for would be overtaken.
    """

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__()

    def time(self) -> float:
        return self._now_s

    def _run_once(self) -> None:
        while self._scheduled and self._scheduled[0]._cancelled:  # type: ignore[attr-defined]
            heapq.heappop(self._scheduled)._scheduled = False  # type: ignore[attr-defined]
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now_s = max(self._now_s, self._scheduled[0]._when)  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


def run_virtually(made: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in virtual time; `asyncio.get_running_loop().time` tells it."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(made)
