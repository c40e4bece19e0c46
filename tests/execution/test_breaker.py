"""The circuit breaker: when a candidate is left alone, for how long, and how it comes back."""

from __future__ import annotations

import random

import pytest

from langchain_router.execution.breaker import BreakerConfig, CircuitBreaker
from langchain_router.execution.errors import ErrorKind
from tests.execution.breakers import Clock, admitted, fail, made, opened, state

SERVER, AUTH = ErrorKind.SERVER, ErrorKind.AUTH


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --- opening --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [k for k in ErrorKind if k in ("server", "overloaded", "connect", "timeout", "malformed")]
)
def test_five_failures_in_a_row_open_it(clock: Clock, kind: ErrorKind) -> None:
    breaker = made(clock)
    fail(breaker, kind, times=4)
    assert state(breaker) == "closed"
    fail(breaker, kind)
    assert state(breaker) == "open"
    assert breaker.admit() is None
    assert breaker.retry_after_s() == 30
    assert breaker.reason == f"is left alone for another 30 s after 5 failures ({kind.value})"


def test_a_success_in_between_starts_the_count_anew(clock: Clock) -> None:
    breaker = made(clock)
    fail(breaker, times=4)
    admitted(breaker).succeeded()
    fail(breaker, times=4)
    assert breaker.snapshot()["failures_in_a_row"] == 4
    assert state(breaker) == "closed"


@pytest.mark.parametrize(
    ("results", "ends"),
    [
        ("fs" * 4 + "f", "closed"),  # nine calls are too few
        ("sf" * 5, "open"),  # half of ten
        ("ssf" * 10, "closed"),  # a third of the last twenty
        ("s" * 50 + "sf" * 10, "open"),  # half of the last twenty, whatever came before
        ("s" * 50 + "sf" * 9, "closed"),
    ],
)
def test_half_of_the_last_calls_failing_opens_it(clock: Clock, results: str, ends: str) -> None:
    breaker = made(clock)
    for result in results:
        assert state(breaker) == "closed"
        permit = admitted(breaker)
        permit.succeeded() if result == "s" else permit.failed(SERVER)
    assert state(breaker) == ends


def test_a_share_that_opened_it_is_named(clock: Clock) -> None:
    breaker = made(clock)
    for _ in range(5):
        admitted(breaker).succeeded()
        fail(breaker)
    assert breaker.reason == "is left alone for another 30 s after 5 failures in 10 calls (server)"


@pytest.mark.parametrize("kind", [ErrorKind.AUTH, ErrorKind.NOT_FOUND])
def test_a_rejected_key_or_an_unknown_model_opens_it_at_once_and_for_long(
    clock: Clock, kind: ErrorKind
) -> None:
    breaker = CircuitBreaker("small", clock=clock)  # with the default jitter, which must not shorten this
    fail(breaker, kind)
    assert breaker.retry_after_s() == 300
    assert breaker.reason == f"is left alone for another 300 s after 1 failure ({kind.value})"


@pytest.mark.parametrize(
    "kind", [ErrorKind.BAD_REQUEST, ErrorKind.CONTEXT_OVERFLOW, ErrorKind.REFUSED, ErrorKind.CANCELLED]
)
def test_what_is_not_the_candidates_fault_changes_nothing(clock: Clock, kind: ErrorKind) -> None:
    breaker = made(clock)
    fail(breaker, times=4)
    before = breaker.snapshot()
    fail(breaker, kind, times=50)
    assert breaker.snapshot() == before
    fail(breaker)
    assert state(breaker) == "open"


def test_cancelled_calls_change_nothing(clock: Clock) -> None:
    breaker = made(clock)
    fail(breaker, times=4)
    before = breaker.snapshot()
    for _ in range(1_000):
        admitted(breaker).neutral()
    assert breaker.snapshot() == before


def test_saying_twice_what_came_of_a_call_does_nothing(clock: Clock) -> None:
    breaker = made(clock)
    permit = admitted(breaker)
    permit.failed(SERVER)
    for _ in range(10):
        permit.failed(AUTH)
        permit.succeeded()
        permit.neutral()
    assert breaker.snapshot()["failures_in_a_row"] == 1
    assert state(breaker) == "closed"


def test_calls_under_way_when_it_opened_do_not_lengthen_it(clock: Clock) -> None:
    breaker = made(clock)
    permits = [admitted(breaker) for _ in range(100)]
    for permit in permits:
        clock.now += 0.1
        permit.failed(SERVER)
    assert breaker.snapshot()["openings"] == 1
    assert breaker.retry_after_s() == pytest.approx(30 - 95 * 0.1)


def test_a_call_from_before_it_opened_does_not_close_it(clock: Clock) -> None:
    breaker = made(clock)
    early = admitted(breaker), admitted(breaker)
    fail(breaker, times=5)
    early[0].succeeded()
    assert state(breaker) == "open"
    clock.now += 30
    admitted(breaker)
    early[1].succeeded()
    assert state(breaker) == "half_open"
    assert breaker.admit() is None


def test_a_call_from_before_it_opened_does_not_open_it_again_once_closed(clock: Clock) -> None:
    breaker = made(clock)
    early = [admitted(breaker) for _ in range(20)]
    fail(breaker, times=5)
    clock.now += 30
    admitted(breaker).succeeded()
    for permit in early:
        permit.failed(AUTH)
    assert state(breaker) == "closed"
    assert breaker.snapshot()["failures_in_a_row"] == 0


# --- coming back ----------------------------------------------------------------------------------


def test_after_its_time_exactly_one_trial_call_is_let_through(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 29.9
    assert breaker.admit() is None
    clock.now += 0.1
    assert state(breaker) == "half_open"
    assert breaker.reason is None
    trial = admitted(breaker)
    assert trial.role == "trial"
    assert [breaker.admit() for _ in range(10)] == [None] * 10
    assert breaker.retry_after_s() == 1
    assert breaker.reason == "is being tried by another request after 5 failures (server)"


def test_a_trial_that_answers_closes_it(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    admitted(breaker).succeeded()
    assert state(breaker) == "closed"
    assert breaker.retry_after_s() == 0
    assert breaker.reason is None
    fail(breaker, times=4)  # the old failures are forgotten
    assert state(breaker) == "closed"


def test_each_failed_trial_doubles_the_time_up_to_the_cap(clock: Clock) -> None:
    breaker = opened(clock)
    waits_s = []
    for _ in range(6):
        waits_s.append(breaker.retry_after_s())
        clock.now += waits_s[-1]
        fail(breaker)
        assert breaker.reason is not None
        assert "after a failed trial call (server)" in breaker.reason
    assert waits_s == [30, 60, 120, 240, 300, 300]


def test_the_doubling_starts_anew_once_it_was_closed(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    fail(breaker)
    clock.now += 60
    admitted(breaker).succeeded()
    fail(breaker, times=5)
    assert breaker.retry_after_s() == 30


def test_a_thousand_openings_overflow_nothing(clock: Clock) -> None:
    breaker = opened(clock)
    for _ in range(2_000):
        clock.now += 300
        fail(breaker)
    assert breaker.retry_after_s() == 300


@pytest.mark.parametrize("kind", [None, ErrorKind.BAD_REQUEST])
def test_a_neutral_trial_leaves_room_for_the_next(clock: Clock, kind: ErrorKind | None) -> None:
    breaker = opened(clock)
    clock.now += 30
    for _ in range(3):
        trial = admitted(breaker)
        trial.neutral() if kind is None else trial.failed(kind)
        assert state(breaker) == "half_open"
        assert breaker.retry_after_s() == 0
    admitted(breaker).succeeded()
    assert state(breaker) == "closed"


def test_jitter_only_shortens_and_only_a_little() -> None:
    waits_s = set()
    for seed in range(200):
        breaker = CircuitBreaker("small", BreakerConfig(jitter=0.1), clock=Clock(), rng=random.Random(seed))
        fail(breaker, times=5)
        waits_s.add(breaker.retry_after_s())
    assert 27 <= min(waits_s) < 28
    assert 29 < max(waits_s) <= 30
    assert len(waits_s) > 150


# --- last hopes -----------------------------------------------------------------------------------


def test_a_last_hope_that_is_answered_closes_it(clock: Clock) -> None:
    breaker = opened(clock)
    permit = breaker.force()
    assert permit.role == "forced"
    assert state(breaker) == "open"
    permit.succeeded()
    assert state(breaker) == "closed"


@pytest.mark.parametrize("kind", [SERVER, AUTH])
def test_a_last_hope_that_fails_neither_shortens_nor_lengthens_the_time(
    clock: Clock, kind: ErrorKind
) -> None:
    breaker = opened(clock)
    for _ in range(20):
        clock.now += 1
        breaker.force().failed(kind)
    assert breaker.retry_after_s() == 10
    assert breaker.snapshot()["openings"] == 1


def test_a_last_hope_beside_a_trial_call_does_not_take_its_place(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    trial, forced = admitted(breaker), breaker.force()
    assert (trial.role, forced.role) == ("trial", "forced")
    forced.failed(SERVER)
    assert state(breaker) == "half_open"
    assert breaker.admit() is None
    trial.failed(SERVER)
    assert breaker.retry_after_s() == 60


def test_a_last_hope_where_a_call_may_go_anyway_is_an_ordinary_call(clock: Clock) -> None:
    assert made(clock).force().role == "call"
    breaker = opened(clock)
    clock.now += 30
    assert breaker.force().role == "trial"
    assert breaker.admit() is None


def test_a_last_hope_of_an_earlier_opening_does_not_close_a_later_one(clock: Clock) -> None:
    breaker = opened(clock)
    forced = breaker.force()
    clock.now += 30
    fail(breaker)
    forced.succeeded()
    assert state(breaker) == "open"


def test_a_trial_overtaken_by_a_last_hope_changes_nothing_more(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 30
    trial, forced = admitted(breaker), breaker.force()
    forced.succeeded()
    trial.failed(SERVER)
    assert state(breaker) == "closed"
    assert breaker.snapshot()["failures_in_a_row"] == 0
