"""Rate limits: the provider's word is kept, and is not held against it."""

from __future__ import annotations

import pytest

from langchain_router.execution.errors import ErrorKind
from tests.execution.breakers import Clock, admitted, fail, made, opened, state

SERVER, LIMITED = ErrorKind.SERVER, ErrorKind.RATE_LIMITED


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    ("asked_s", "cools_s"),
    [
        (7, 7),
        (0.25, 0.25),
        (1e9, 60),
        (float("inf"), 60),
        (None, 1),
        (0, 1),
        (-3, 1),
        (float("-inf"), 1),
        (float("nan"), 1),
    ],
)
def test_a_rate_limit_cools_for_the_time_named_or_a_default(
    clock: Clock, asked_s: float | None, cools_s: float
) -> None:
    breaker = made(clock)
    admitted(breaker).failed(LIMITED, asked_s)
    assert state(breaker) == "cooling"
    assert breaker.is_cooling
    assert breaker.retry_after_s() == breaker.cooling_s() == cools_s
    assert breaker.admit() is None
    clock.now += cools_s - 0.01
    assert breaker.admit() is None
    clock.now += 0.01
    assert state(breaker) == "closed"
    assert breaker.cooling_s() == 0
    assert all(breaker.admit() for _ in range(10))  # all at once: it is not a failure to be tried out


def test_a_rate_limit_is_said_in_words(clock: Clock) -> None:
    breaker = made(clock)
    admitted(breaker).failed(LIMITED, 11.2)
    assert breaker.reason == "is left alone for another 12 s (rate_limited)"


def test_rate_limits_never_count_as_failures(clock: Clock) -> None:
    breaker = made(clock)
    for _ in range(100):
        admitted(breaker).failed(LIMITED, 1)
        clock.now += 1
    assert state(breaker) == "closed"
    assert breaker.snapshot()["recent_calls"] == 0
    assert breaker.snapshot()["failures_in_a_row"] == 0


def test_repeated_limits_without_a_time_double_up_to_the_cap(clock: Clock) -> None:
    breaker = made(clock)
    waits_s = []
    for _ in range(8):
        fail(breaker, LIMITED)
        waits_s.append(breaker.retry_after_s())
        clock.now += waits_s[-1]
    assert waits_s == [1, 2, 4, 8, 16, 32, 60, 60]
    admitted(breaker).succeeded()
    fail(breaker, LIMITED)
    assert breaker.retry_after_s() == 1


def test_of_calls_under_way_together_only_the_first_limit_doubles(clock: Clock) -> None:
    breaker = made(clock)
    for permit in [admitted(breaker) for _ in range(50)]:
        permit.failed(LIMITED)
    assert breaker.retry_after_s() == 1


def test_a_shorter_time_does_not_cut_a_longer_one_short(clock: Clock) -> None:
    breaker = made(clock)
    first, second = admitted(breaker), admitted(breaker)
    first.failed(LIMITED, 40)
    second.failed(LIMITED, 2)
    assert breaker.retry_after_s() == 40


def test_an_answer_to_a_call_from_before_the_limit_does_not_end_it(clock: Clock) -> None:
    breaker = made(clock)
    early, limited = admitted(breaker), admitted(breaker)
    limited.failed(LIMITED, 40)
    early.succeeded()
    assert breaker.retry_after_s() == 40


def test_an_answered_last_hope_ends_a_limit(clock: Clock) -> None:
    breaker = made(clock)
    admitted(breaker).failed(LIMITED, 40)
    breaker.force().succeeded()
    assert breaker.retry_after_s() == 0


def test_a_late_limit_is_obeyed_though_the_breaker_has_moved_on(clock: Clock) -> None:
    breaker = made(clock)
    early = admitted(breaker)
    fail(breaker, times=5)
    clock.now += 30
    admitted(breaker).succeeded()
    early.failed(LIMITED, 20)
    assert state(breaker) == "cooling"
    assert breaker.retry_after_s() == 20


def test_a_limited_trial_call_is_tried_again_after_the_limit_and_no_later(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    admitted(breaker).failed(LIMITED, 8)
    assert state(breaker) == "open"
    assert breaker.snapshot()["openings"] == 1
    assert breaker.reason == "is left alone for another 8 s (rate_limited)"
    clock.now += 8
    admitted(breaker).succeeded()
    assert state(breaker) == "closed"


def test_a_time_that_an_overloaded_provider_names_is_obeyed_too(clock: Clock) -> None:
    breaker = made(clock)
    admitted(breaker).failed(ErrorKind.OVERLOADED, 12)
    assert breaker.retry_after_s() == 12
    assert breaker.snapshot()["failures_in_a_row"] == 1
    clock.now += 12
    fail(breaker, times=3)
    admitted(breaker).failed(SERVER, 45)  # the fifth: open for 30 s, but the provider wants 45
    assert breaker.retry_after_s() == 45
    assert state(breaker) == "open"
