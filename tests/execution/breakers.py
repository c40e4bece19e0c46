"""What the tests of breakers, budgets and limits share: a clock that stands still, and busy threads."""

from __future__ import annotations

import contextlib
import random
import sys
import threading
from collections.abc import Callable, Iterator

from langchain_router.execution.breaker import BreakerConfig, CircuitBreaker, Permit
from langchain_router.execution.errors import ErrorKind

EXACT = BreakerConfig(jitter=0)


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def made(clock: Clock, config: BreakerConfig = EXACT) -> CircuitBreaker:
    return CircuitBreaker("small", config, clock=clock, rng=random.Random(7))


def admitted(breaker: CircuitBreaker) -> Permit:
    permit = breaker.admit()
    assert permit is not None
    return permit


def fail(breaker: CircuitBreaker, kind: ErrorKind = ErrorKind.SERVER, times: int = 1) -> None:
    for _ in range(times):
        admitted(breaker).failed(kind)


def state(breaker: CircuitBreaker) -> str:
    """The state, in a type that a type checker does not narrow from one line to the next."""
    return breaker.state


def opened(clock: Clock, config: BreakerConfig = EXACT) -> CircuitBreaker:
    breaker = made(clock, config)
    fail(breaker, times=config.failures)
    assert state(breaker) == "open"
    return breaker


@contextlib.contextmanager
def switching_often() -> Iterator[None]:
    """Switch between threads as often as can be, so that they meet within the code under test."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def in_eight_threads(work: Callable[[int, threading.Barrier], None]) -> None:
    """Run `work(number, together)` in eight threads at once, and raise what any of them raised."""
    together = threading.Barrier(8, timeout=5)
    problems: list[BaseException] = []

    def run(number: int) -> None:
        try:
            together.wait()
            work(number, together)
        except BaseException as problem:  # noqa: BLE001 - raised below, where the test sees it
            problems.append(problem)
            together.abort()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    with switching_often():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in threads)
    assert not problems, problems
