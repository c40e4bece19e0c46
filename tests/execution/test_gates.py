"""Gates: who may be called now, of what all requests share."""

from __future__ import annotations

import threading
from typing import Any

from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.gates import Gates
from langchain_router.execution.resilience import Hedging, Resilience
from tests.execution.breakers import Clock, in_eight_threads
from tests.execution.walks import priced

EXACT = BreakerConfig(jitter=0)


def gates(clock: Clock | None = None, **how: Any) -> Gates:
    return Gates(Resilience(**{"breaker": EXACT, **how}), clock=clock or Clock())


# --- one ticket -----------------------------------------------------------------------------------


def test_a_ticket_is_settled_once_and_settling_it_again_does_nothing() -> None:
    shared, one = gates(), priced("a", max_concurrency=2)
    first, second = shared.admit(one), shared.admit(one)
    assert first is not None
    assert second is not None
    first.succeeded()
    first.failed(ErrorKind.AUTH)
    first.neutral()
    assert shared.snapshot()["a"]["in_flight"] == 1
    assert shared.reason_against(one) is None
    second.neutral()
    assert shared.snapshot()["a"]["in_flight"] == 0


def test_an_open_breaker_gives_no_ticket_and_takes_no_place() -> None:
    shared, one = gates(breaker=BreakerConfig(failures=1, jitter=0)), priced("a", max_concurrency=1)
    ticket = shared.admit(one)
    assert ticket is not None
    ticket.failed(ErrorKind.SERVER)
    assert shared.admit(one) is None
    assert shared.snapshot()["a"]["in_flight"] == 0
    assert shared.reason_against(one) == "is left alone for another 30 s after 1 failure (server)"
    assert shared.retry_after_s(one) == 30


def test_a_last_hope_is_called_in_spite_of_its_breaker_but_not_of_a_limit() -> None:
    clock = Clock()
    shared, one = gates(clock, breaker=BreakerConfig(failures=1, jitter=0)), priced("a", max_concurrency=1)
    ticket = shared.admit(one)
    assert ticket is not None
    ticket.failed(ErrorKind.SERVER)
    assert shared.wait_s(one) == 0
    forced = shared.force(one)
    assert forced is not None
    assert shared.force(one) is None, "busy"
    forced.failed(ErrorKind.RATE_LIMITED, 5.0)
    assert shared.is_cooling(one)
    assert shared.wait_s(one) == 5
    assert shared.force(one) is None, "cooling"
    clock.now += 5
    assert shared.force(one) is not None


def test_without_breakers_nobody_is_left_alone() -> None:
    shared, one = gates(breaker=None), priced("a")
    for _ in range(20):
        ticket = shared.admit(one)
        assert ticket is not None
        ticket.failed(ErrorKind.AUTH)
    assert (shared.reason_against(one), shared.retry_after_s(one), shared.is_cooling(one)) == (
        None,
        0.0,
        False,
    )
    assert shared.snapshot() == {"a": {"in_flight": None}}


def test_without_hedging_no_hedge_is_allowed() -> None:
    assert not gates().may_hedge()


def test_a_request_that_raises_is_over_all_the_same() -> None:
    shared = gates(hedging=Hedging(after_s=1))
    try:
        with shared.request():
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    with shared.request():
        assert shared._retries._active == 1


def test_threads_share_one_gate_for_each_candidate() -> None:
    shared, one = gates(), priced("a", max_concurrency=3)
    lock, under_way, most = threading.Lock(), 0, 0

    def work(_: int, __: threading.Barrier) -> None:
        nonlocal under_way, most
        for _turn in range(200):
            ticket = shared.admit(one)
            if ticket is None:
                continue
            with lock:
                under_way += 1
                most = max(most, under_way)
            with lock:
                under_way -= 1
            ticket.succeeded()

    in_eight_threads(work)
    assert 1 <= most <= 3
    assert shared.snapshot()["a"]["in_flight"] == 0


def test_a_trial_that_streams_is_over_with_its_first_token_and_keeps_only_its_place() -> None:
    clock = Clock()
    gates = Gates(Resilience(breaker=BreakerConfig(jitter=0)), clock=clock)
    limited = priced("a", max_concurrency=2)
    for _ in range(5):
        ticket = gates.admit(limited)
        assert ticket is not None
        ticket.failed(ErrorKind.SERVER)
    clock.now += 3_600
    trial = gates.admit(limited)
    assert trial is not None
    assert gates.admit(limited) is None, "one trial at a time"
    trial.begun()
    assert gates.snapshot()["a"]["state"] == "closed"
    assert gates.snapshot()["a"]["in_flight"] == 1
    other = gates.admit(limited)
    assert other is not None
    other.succeeded()
    trial.failed(ErrorKind.INTERRUPTED)
    assert gates.snapshot()["a"]["failures_in_a_row"] == 1, "its breaking off counts by itself"
    assert gates.snapshot()["a"]["in_flight"] == 0
