"""Breakers shared: by several threads, by several candidates of one request; and their clock."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router.execution import breaker as breaker_module
from langchain_router.execution.breaker import BreakerConfig, CircuitBreaker, Permit
from langchain_router.execution.errors import ErrorKind
from tests.execution.breakers import EXACT, Clock, admitted, fail, in_eight_threads, made, state

SERVER = ErrorKind.SERVER


def test_a_wall_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    right = time.time()
    breaker = CircuitBreaker("small", EXACT)  # on the real monotonic clock
    fail(breaker, times=5)
    for jump_s in (3_600, -3_600):
        monkeypatch.setattr(time, "time", lambda jump_s=jump_s: right + jump_s)
        assert state(breaker) == "open"
        assert breaker.admit() is None
        assert 25 < breaker.retry_after_s() <= 30


def test_nothing_here_reads_the_wall_clock() -> None:
    room = Path(breaker_module.__file__).parent
    for name in ("breaker", "breaker_config", "cooldown", "permit", "budget", "limit"):
        source = (room / f"{name}.py").read_text(encoding="utf-8")
        for wall in ("time.time", "datetime", "perf_counter"):
            assert wall not in source, name


def test_eight_threads_are_counted_exactly() -> None:
    breaker = made(Clock(), BreakerConfig(failures=10_000, window=10_000, min_calls=10_000))

    def work(_number: int, _together: object) -> None:
        for turn in range(500):
            permit = admitted(breaker)
            permit.neutral() if turn % 5 == 0 else permit.failed(SERVER)
            permit.failed(SERVER)
            breaker.force().failed(ErrorKind.RATE_LIMITED, 1e-9)  # a limit that is over at once

    in_eight_threads(work)
    found = breaker.snapshot()
    assert (found["failures_in_a_row"], found["recent_calls"], found["recent_failures"]) == (3_200,) * 3
    assert found["state"] == "closed"


class YieldingClock(Clock):
    """Lets other threads run whenever it is read, which is in the middle of a breaker's thoughts."""

    def __call__(self) -> float:
        time.sleep(0)
        return self.now


def test_eight_threads_that_fail_at_the_same_time_open_it_once() -> None:
    for _ in range(20):
        breaker = made(YieldingClock())
        fail(breaker, times=4)
        permits = [admitted(breaker) for _ in range(8)]
        in_eight_threads(lambda number, _, permits=permits: permits[number].failed(SERVER))  # type: ignore[misc]
        assert breaker.snapshot()["openings"] == 1
        assert breaker.retry_after_s() == 30


def test_of_eight_threads_one_makes_the_trial_call() -> None:
    clock = YieldingClock()
    breaker = made(clock)
    fail(breaker, times=5)
    rounds = 20
    trials: list[list[Permit]] = [[] for _ in range(rounds)]

    def work(number: int, together: threading.Barrier) -> None:
        for of_round, is_last in [(trials[turn], turn == rounds - 1) for turn in range(rounds)]:
            together.wait()
            if number == 0:
                clock.now += 300
            together.wait()
            permit = breaker.admit()
            if permit is not None:
                of_round.append(permit)
            together.wait()
            for trial in of_round:  # all eight say it, at the same time
                trial.succeeded() if is_last else trial.failed(SERVER)

    in_eight_threads(work)
    assert [len(of_round) for of_round in trials] == [1] * rounds
    assert state(breaker) == "closed"


@given(seed=st.integers(0, 2**32), failing=st.integers(0, 2), gap_s=st.sampled_from([0.02, 0.5, 5.0, 90.0]))
def test_of_three_candidates_the_failing_one_gets_only_trial_calls_once_it_is_open(
    seed: int, failing: int, gap_s: float
) -> None:
    rng, clock = random.Random(seed), Clock()
    breakers = [CircuitBreaker(f"c{number}", clock=clock, rng=rng) for number in range(3)]
    roles: list[str] = []  # of the calls to the failing one
    opened_after: int | None = None
    began_at = clock.now
    for _ in range(300):
        clock.now += rng.expovariate(1 / gap_s)
        for number in rng.sample(range(3), 3):
            permit = breakers[number].admit()
            if permit is None:
                continue
            if number != failing:
                permit.succeeded()
                break  # served
            permit.failed(SERVER)
            roles.append(permit.role)
            if opened_after is None and breakers[failing].state == "open":
                opened_after = len(roles)
        else:
            raise AssertionError("a healthy candidate was there and nobody answered")
    assert opened_after == 5
    assert roles[5:] == ["trial"] * len(roles[5:])
    # Opened for at least 27 s, then for 54, 108, 216, and for 270 ever after.
    longest_time_s, trials_possible, open_s = clock.now - began_at, 0, 27.0
    while longest_time_s >= open_s:
        longest_time_s -= open_s
        open_s = min(open_s * 2, 270.0)
        trials_possible += 1
    assert len(roles[5:]) <= trials_possible
