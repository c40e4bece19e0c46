"""Calls that are left behind just when they start a thread, or a call of their own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import pytest

from langchain_router.execution.workers import Worker

ROUNDS = 150


def start_threads() -> None:
    """Start one thread after another, as a client does that has a pool of its own."""
    while True:
        threading.Thread(target=int, daemon=True).start()


def start_calls() -> None:
    """Begin one call after another, each of which begins one itself."""
    while True:
        Worker(lambda: Worker(int).wait()).wait()


@pytest.mark.parametrize("call", [start_threads, start_calls])
def test_leaving_behind_a_call_that_starts_another_lets_nobody_wait_for_ever(
    call: Callable[[], None],
) -> None:
    # In Python 3.11 a thread that is being started can get the interruption meant for its starter.
    rng = random.Random(7)
    slowest_s = 0.0
    for _ in range(ROUNDS):
        worker = Worker(call)
        ends_s = time.perf_counter() + rng.uniform(0, 0.002)
        while time.perf_counter() < ends_s:
            time.sleep(0)
        started_s = time.perf_counter()
        worker.abandon()
        slowest_s = max(slowest_s, time.perf_counter() - started_s)
    assert slowest_s < 1
    assert left_after(5.0) == 0


def left_after(seconds: float) -> int:
    """Return how many calls are still under way, waiting for them so long at most."""
    ends_s = time.monotonic() + seconds
    while (left := _calls()) and time.monotonic() < ends_s:
        time.sleep(0.01)
    return left


def _calls() -> int:
    return sum(thread.name == "langchain-router-call" for thread in threading.enumerate())
