"""The retry budget: a lone request gets its second try, a storm does not feed itself."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.budget import RetryBudget
from tests.execution.breakers import Clock, in_eight_threads
from tests.execution.storm import Storm


def spent(budget: RetryBudget, tries: int) -> int:
    return sum(budget.try_spend() for _ in range(tries))


def test_a_lone_request_may_be_retried() -> None:
    budget = RetryBudget(clock=Clock())
    budget.began()
    assert spent(budget, 10) == 3


def test_what_is_always_allowed_comes_back_with_time() -> None:
    clock = Clock()
    budget = RetryBudget(minimum=2, window_s=10, clock=clock)
    budget.began()
    assert spent(budget, 5) == 2
    clock.now += 9.9
    assert spent(budget, 5) == 0
    clock.now += 0.1
    assert spent(budget, 5) == 2


@pytest.mark.parametrize(("requests", "retries"), [(1, 3), (15, 3), (20, 4), (100, 20)])
def test_requests_at_once_bring_their_share_of_retries_or_the_minimum(requests: int, retries: int) -> None:
    budget = RetryBudget(share=0.2, clock=Clock())
    for _ in range(requests):
        budget.began()
    assert spent(budget, 100) == retries


def test_an_advance_is_paid_back_by_later_requests() -> None:
    budget = RetryBudget(share=0.2, minimum=3, clock=Clock())
    spent_in_all = 0
    for _ in range(1_000):
        budget.began()
        spent_in_all += spent(budget, 3)
        budget.ended()
    assert spent_in_all == 200


def test_lean_hours_leave_no_debt_beyond_the_minimum() -> None:
    clock = Clock()
    budget = RetryBudget(share=0.2, minimum=3, clock=clock)
    for _ in range(100):  # lone requests, each tried again twice
        budget.began()
        assert spent(budget, 2) == 2
        budget.ended()
        clock.now += 60
    for _ in range(100):
        budget.began()
    assert spent(budget, 100) == 20 - 3


def test_good_hours_leave_no_hoard() -> None:
    budget = RetryBudget(share=0.2, minimum=0, clock=Clock())
    for _ in range(10_000):
        budget.began()
        budget.ended()
    assert spent(budget, 100) == 1


def test_without_a_minimum_the_share_is_never_exceeded() -> None:
    budget = RetryBudget(share=0.05, minimum=0, clock=Clock())
    hedges = 0
    for requests in range(1, 401):
        budget.began()
        hedges += spent(budget, 1)
        budget.ended()
        assert hedges == requests // 20


def test_a_share_of_none_allows_none() -> None:
    budget = RetryBudget(share=0, clock=Clock())
    for _ in range(100):
        budget.began()
    assert spent(budget, 10) == 0


def test_an_end_without_a_beginning_is_an_error() -> None:
    budget = RetryBudget(clock=Clock())
    with pytest.raises(RuntimeError, match="had not begun"):
        budget.ended()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"share": -0.1}, "share must be from 0 to 1, got -0.1"),
        ({"share": 1.1}, "share must be from 0 to 1, got 1.1"),
        ({"share": float("nan")}, "share must be from 0 to 1, got nan"),
        ({"share": "0.2"}, "share must be from 0 to 1, got '0.2'"),
        ({"minimum": -1}, "minimum must be a whole number, 0 or more, got -1"),
        ({"minimum": 1.5}, "minimum must be a whole number, 0 or more, got 1.5"),
        ({"minimum": True}, "minimum must be a whole number, 0 or more, got True"),
        ({"window_s": 0}, "window_s must be seconds above 0, got 0"),
        ({"window_s": float("inf")}, "window_s must be seconds above 0, got inf"),
    ],
)
def test_a_budget_that_cannot_work_is_refused_with_its_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        RetryBudget(**options)


class BudgetMachine(RuleBasedStateMachine):
    """Any order of requests, extra calls and waits; the promises are counted outside."""

    @initialize(share=st.sampled_from([0.05, 0.2, 0.5, 1.0]), minimum=st.integers(0, 4))
    def begin(self, share: float, minimum: int) -> None:
        self.clock = Clock()
        self.share, self.minimum = share, minimum
        self.budget = RetryBudget(share=share, minimum=minimum, window_s=10, clock=self.clock)
        self.active = self.requests = 0
        self.spent_at: list[float] = []

    @rule(count=st.integers(1, 30))
    def requests_begin(self, count: int) -> None:
        for _ in range(count):
            self.budget.began()
        self.active += count
        self.requests += count

    @precondition(lambda self: self.active > 0)
    @rule(data=st.data())
    def requests_end(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(1, self.active))
        for _ in range(count):
            self.budget.ended()
        self.active -= count

    @rule(tries=st.integers(1, 10))
    def spend(self, tries: int) -> None:
        for _ in range(tries):
            recent = [at for at in self.spent_at if self.clock.now - at < 10]
            got = self.budget.try_spend()
            if len(recent) < self.minimum:
                assert got, "the minimum is always allowed"
            if got:
                self.spent_at.append(self.clock.now)

    @rule(seconds=st.sampled_from([0.5, 3.0, 10.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def extra_calls_stay_within_the_share_and_the_minimum(self) -> None:
        windows = 1 + (self.clock.now - 1_000) // 10
        most = self.share * self.requests + self.minimum * windows
        assert len(self.spent_at) <= most + 1e-6


BudgetMachine.TestCase.settings = settings(max_examples=260, stateful_step_count=50, deadline=None)
test_no_order_of_requests_breaks_the_budget = BudgetMachine.TestCase


def test_eight_threads_spend_exactly_what_the_requests_brought() -> None:
    budget = RetryBudget(share=0.2, minimum=0, clock=Clock())
    counts = [0] * 8

    def work(number: int, together: threading.Barrier) -> None:
        for _ in range(1_000):
            budget.began()
        together.wait()
        counts[number] = spent(budget, 1_000)
        together.wait()
        for _ in range(1_000):
            budget.ended()

    in_eight_threads(work)
    assert sum(counts) == 1_600
    with pytest.raises(RuntimeError):
        budget.ended()


def test_a_retry_storm_ends_with_its_cause_and_amplifies_by_at_most_the_share() -> None:
    clock = Clock()
    storm = Storm(RetryBudget(clock=clock), clock)
    assert storm.amplification() <= 1.2
    assert storm.amplification(10, 40) <= 1.2
    for second in range(80):  # as much again as those active before may have saved: 1.5 s of 10 s
        assert storm.amplification(second, second + 10) <= 1.2 + 0.2 * 0.15, second
    assert storm.goodput(10, 40) < 0.1
    assert storm.goodput(60, 88) >= 0.95


def test_the_same_storm_without_a_budget_outlives_its_cause() -> None:
    storm = Storm(None, Clock())
    assert storm.amplification() > 2
    assert storm.goodput(0, 9) == 1
    assert storm.goodput(60, 88) < 0.5
