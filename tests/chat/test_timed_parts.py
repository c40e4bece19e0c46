"""Streams that nobody reads any more: they are ended, and the request is settled, with limits or without."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from langchain_router import ChatRouter, Resilience
from langchain_router.execution.resilience import Deadlines
from langchain_router.outcomes.records import Outcome
from tests.chat.chunks import chunked, end, text

UNLIMITED = Deadlines(total_s=None, attempt_s=None, first_token_s=None, between_chunks_s=None)


def _wait_until(is_so: Callable[[], bool], limit_s: float = 1.0) -> None:
    ends_s = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < ends_s
        time.sleep(0.005)


@pytest.mark.parametrize("deadlines", [Deadlines(), UNLIMITED])
@pytest.mark.parametrize("has_begun", [True, False])
def test_v3_events_that_nobody_reads_give_their_place_back(deadlines: Deadlines, *, has_begun: bool) -> None:
    outcomes: list[Outcome] = []
    only = replace(chunked("only", text("one "), text("two"), end()), max_concurrency=1)
    router = ChatRouter(
        candidates=[only],
        resilience=Resilience(deadlines=deadlines),
        on_outcome=lambda _, outcome: outcomes.append(outcome),
    )
    stream = router.stream_events("Hello", version="v3")
    if has_begun:
        next(iter(stream.text))
    assert router.health()["candidates"]["only"]["in_flight"] == 1
    del stream
    gc.collect()
    _wait_until(lambda: bool(outcomes))
    assert [one.status for one in outcomes] == ["cancelled"]
    assert router.health()["candidates"]["only"]["in_flight"] == 0
    assert router.invoke("Hello").text == "whole"


def test_the_collector_does_not_wait_for_a_lock_that_the_ending_needs() -> None:
    """It may run in a thread that holds such a lock, which is then never let go of."""
    lock, is_told = threading.Lock(), threading.Event()

    def told(*_: object) -> None:
        with lock:
            is_told.set()

    router = ChatRouter(
        candidates=[chunked("only", text("one "), text("two"), end())],
        resilience=Resilience(deadlines=UNLIMITED),
        on_outcome=told,
    )
    stream = router.stream_events("Hello", version="v3")
    next(iter(stream.text))
    with lock:
        del stream
        gc.collect()
        assert not is_told.is_set()
    assert is_told.wait(1.0)
