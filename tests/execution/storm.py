"""A provider with a queue, short of capacity for half a minute, and callers who try three times."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_router.execution.budget import RetryBudget
from tests.execution.breakers import Clock

TICK_S = 0.02  # one request in each, 50 a second
TRIES = 3
PATIENCE_S = 1.5
CAPACITY_RPS = 75.0
LONGEST_QUEUE = 150  # two seconds of work: longer than a caller's patience
TROUBLE_S = (10.0, 40.0)
END_S = 90


@dataclass
class Waiting:
    began_s: int
    attempt: int
    is_over: bool = False


class Storm:
    """Runs it, second by second; requests, calls and requests served are counted by when they began.

    The provider serves first come, first served, turns away who finds the queue full, and cannot know that a
    caller has given up: such work is wasted. That is what lets an overload outlive its cause.
    """

    def __init__(self, budget: RetryBudget | None, clock: Clock) -> None:
        self.requests, self.calls, self.served = [0] * END_S, [0] * END_S, [0] * END_S
        self._budget = budget
        self._clock = clock
        self._queue: deque[Waiting] = deque()
        self._patience: deque[tuple[float, Waiting]] = deque()
        self._credit = 0.0
        for tick in range(int(END_S / TICK_S)):
            self._clock.now = tick * TICK_S
            self._ask()
            self._serve()
            self._lose_patience()

    def amplification(self, begin_s: int = 0, end_s: int = END_S) -> float:
        return _share(self.calls, self.requests, begin_s, end_s)

    def goodput(self, begin_s: int, end_s: int) -> float:
        return _share(self.served, self.requests, begin_s, end_s)

    def _ask(self) -> None:
        began_s = int(self._clock.now)
        self.requests[began_s] += 1
        if self._budget is not None:
            self._budget.began()
        self._call(Waiting(began_s, attempt=1))

    def _call(self, waiting: Waiting) -> None:
        self.calls[int(self._clock.now)] += 1
        if len(self._queue) >= LONGEST_QUEUE:
            self._failed(waiting)
            return
        self._queue.append(waiting)
        self._patience.append((self._clock.now + PATIENCE_S, waiting))

    def _failed(self, waiting: Waiting) -> None:
        waiting.is_over = True
        if waiting.attempt < TRIES and (self._budget is None or self._budget.try_spend()):
            self._call(Waiting(waiting.began_s, waiting.attempt + 1))
        elif self._budget is not None:
            self._budget.ended()

    def _serve(self) -> None:
        is_in_trouble = TROUBLE_S[0] <= self._clock.now < TROUBLE_S[1]
        self._credit += TICK_S * CAPACITY_RPS * (0.1 if is_in_trouble else 1.0)
        while self._credit >= 1 and self._queue:
            self._credit -= 1
            waiting = self._queue.popleft()
            if waiting.is_over:
                continue
            waiting.is_over = True
            self.served[waiting.began_s] += 1
            if self._budget is not None:
                self._budget.ended()
        self._credit = min(self._credit, 1.0)

    def _lose_patience(self) -> None:
        while self._patience and self._patience[0][0] <= self._clock.now:
            _, waiting = self._patience.popleft()
            if not waiting.is_over:
                self._failed(waiting)


def _share(part: Sequence[int], whole: Sequence[int], begin_s: int, end_s: int) -> float:
    return sum(part[begin_s:end_s]) / sum(whole[begin_s:end_s])
