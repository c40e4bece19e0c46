"""The concurrency limit: never more calls than allowed, never a place lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.limit import ConcurrencyLimit
from tests.execution.breakers import in_eight_threads


def test_it_lets_so_many_calls_through_and_no_more() -> None:
    limit = ConcurrencyLimit(2)
    assert [limit.try_acquire() for _ in range(4)] == [True, True, False, False]
    assert limit.in_flight == 2
    assert limit.is_full


def test_a_place_that_was_given_back_is_free_again() -> None:
    limit = ConcurrencyLimit(1)
    assert limit.try_acquire()
    limit.release()
    assert not limit.is_full
    assert limit.try_acquire()


def test_giving_back_a_place_that_nobody_held_is_an_error_and_frees_nothing() -> None:
    limit = ConcurrencyLimit(1)
    with pytest.raises(RuntimeError, match="nobody held"):
        limit.release()
    assert limit.in_flight == 0
    assert limit.try_acquire()
    assert not limit.try_acquire()


def test_without_a_limit_everybody_goes_and_nobody_counts() -> None:
    limit = ConcurrencyLimit(None)
    assert all(limit.try_acquire() for _ in range(1_000))
    assert limit.in_flight is None
    assert not limit.is_full
    limit.release()


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "3"])
def test_a_limit_that_cannot_work_is_refused_with_its_value(most: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"whole number above 0, got {most!r}"):
        ConcurrencyLimit(most)


class LimitMachine(RuleBasedStateMachine):
    """Any order of calls beginning and ending, beside a plain count."""

    @initialize(most=st.integers(1, 5))
    def begin(self, most: int) -> None:
        self.most = most
        self.held = 0
        self.limit = ConcurrencyLimit(most)

    @rule()
    def acquire(self) -> None:
        got = self.limit.try_acquire()
        assert got == (self.held < self.most)
        self.held += got

    @precondition(lambda self: self.held > 0)
    @rule()
    def release(self) -> None:
        self.limit.release()
        self.held -= 1

    @precondition(lambda self: self.held == 0)
    @rule()
    def release_too_often(self) -> None:
        with pytest.raises(RuntimeError):
            self.limit.release()

    @invariant()
    def it_counts_what_is_held(self) -> None:
        assert self.limit.in_flight == self.held
        assert self.limit.is_full == (self.held == self.most)


LimitMachine.TestCase.settings = settings(max_examples=260, stateful_step_count=50, deadline=None)
test_no_order_of_calls_breaks_the_limit = LimitMachine.TestCase


def test_eight_threads_never_exceed_it_and_lose_no_place() -> None:
    limit = ConcurrencyLimit(3)
    under_way: list[None] = []  # append and pop are atomic
    most_seen, granted = [0] * 8, [0] * 8

    def work(number: int, _together: object) -> None:
        for _ in range(2_000):
            if limit.try_acquire():
                under_way.append(None)
                most_seen[number] = max(most_seen[number], len(under_way))
                granted[number] += 1
                under_way.pop()
                limit.release()

    in_eight_threads(work)
    assert max(most_seen) <= 3
    assert sum(granted) >= 2_000
    assert limit.in_flight == 0
    assert [limit.try_acquire() for _ in range(4)] == [True, True, True, False]
