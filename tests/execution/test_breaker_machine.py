"""The breaker in any order of events."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from langchain_router.execution.breaker import BreakerConfig, CircuitBreaker, Permit
from langchain_router.execution.errors import ErrorKind
from tests.execution.breakers import Clock

COUNTED = [ErrorKind.SERVER, ErrorKind.TIMEOUT, ErrorKind.CONNECT, ErrorKind.OVERLOADED]
AT_ONCE = [ErrorKind.AUTH, ErrorKind.NOT_FOUND]
NOT_COUNTED = [ErrorKind.BAD_REQUEST, ErrorKind.CONTEXT_OVERFLOW, ErrorKind.REFUSED]
CONFIG = BreakerConfig(failures=3, window=8, min_calls=5)
LONGEST_S = 300.0


@dataclass
class UnderWay:
    """A call that began, with what the test knows about it by its own count."""

    permit: Permit
    period: int
    is_ordinary: bool


class BreakerMachine(RuleBasedStateMachine):
    """Calls begin, end in any order and way, and time passes; a second, plain account is kept beside."""

    @initialize(seed=st.integers(0, 1_000))
    def begin(self, seed: int) -> None:
        self.clock = Clock()
        self.breaker = CircuitBreaker("small", CONFIG, clock=self.clock, rng=random.Random(seed))
        self.under_way: list[UnderWay] = []
        self.settled: list[Permit] = []
        self.results: list[bool] = []  # since it was last closed; True for a failure
        self.period = 0  # how often it opened or closed
        self.is_open = False

    # --- calls begin ---

    def trials(self) -> list[UnderWay]:
        return [one for one in self.under_way if one.period == self.period and one.permit.role == "trial"]

    @rule()
    def admit(self) -> None:
        state, wait_s, trials = self.breaker.state, self.breaker.retry_after_s(), self.trials()
        permit = self.breaker.admit()
        if state in ("open", "cooling"):
            assert permit is None, "open never grants"
            assert wait_s > 0
        elif state == "half_open":
            assert (permit is not None) == (not trials), "one trial, and one only"
        else:
            assert permit is not None
        if permit is not None:
            assert wait_s == 0
            assert permit.role == ("trial" if self.is_open else "call")
            self.under_way.append(UnderWay(permit, self.period, is_ordinary=permit.role == "call"))

    @rule()
    def force(self) -> None:
        permit = self.breaker.force()
        self.under_way.append(UnderWay(permit, self.period, is_ordinary=permit.role == "call"))

    @precondition(lambda self: not self.trials())
    @rule()
    def wait_as_long_as_it_says(self) -> None:
        wait_s = self.breaker.retry_after_s()
        if wait_s > 0.001:
            self.clock.now += wait_s - 0.001
            assert self.breaker.admit() is None
            self.clock.now += 0.001
        permit = self.breaker.admit()
        assert permit is not None, "after the time it gave, it grants"
        self.under_way.append(UnderWay(permit, self.period, is_ordinary=permit.role == "call"))

    @rule(seconds=st.sampled_from([0.1, 1.0, 7.0, 30.0, 61.0, 301.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    # --- calls end ---

    def take(self, data: st.DataObject) -> UnderWay:
        one = self.under_way.pop(data.draw(st.integers(0, len(self.under_way) - 1)))
        self.settled.append(one.permit)
        return one

    def opened(self) -> None:
        self.is_open = True
        self.period += 1

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def succeed(self, data: st.DataObject) -> None:
        one = self.take(data)
        before = self.breaker.snapshot()
        one.permit.succeeded()
        if one.period != self.period:
            self.same_circuit(before)
            return
        if self.is_open:
            self.results.clear()
            self.is_open = False
            self.period += 1
        else:
            self.results.append(False)

    @precondition(lambda self: self.under_way)
    @rule(
        data=st.data(), kind=st.sampled_from(COUNTED), asked_s=st.sampled_from([None, None, -1.0, 4.0, 1e9])
    )
    def fail(self, data: st.DataObject, kind: ErrorKind, asked_s: float | None) -> None:
        one = self.take(data)
        before = self.breaker.snapshot()
        one.permit.failed(kind, asked_s)
        if one.period != self.period or one.permit.role == "forced":
            self.same_circuit(before)
            return
        self.results.append(True)
        last = self.results[-CONFIG.window :]
        in_a_row = self.results[-CONFIG.failures :] == [True] * CONFIG.failures
        share = len(last) >= CONFIG.min_calls and sum(last) >= CONFIG.failure_share * len(last)
        if one.permit.role == "trial" or in_a_row or share:
            self.opened()

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), kind=st.sampled_from(AT_ONCE))
    def fail_at_once(self, data: st.DataObject, kind: ErrorKind) -> None:
        one = self.take(data)
        before = self.breaker.snapshot()
        one.permit.failed(kind)
        if one.period != self.period or one.permit.role == "forced":
            self.same_circuit(before)
            return
        self.results.append(True)
        self.opened()
        assert self.breaker.state == "open"
        assert self.breaker.retry_after_s() >= CONFIG.auth_open_s - 1e-6

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), asked_s=st.sampled_from([None, float("nan"), 0.0, 3.0, 45.0, 1e9]))
    def meet_a_limit(self, data: st.DataObject, asked_s: float | None) -> None:
        one = self.take(data)
        before, waited_s = self.breaker.snapshot(), self.cooling_s()
        one.permit.failed(ErrorKind.RATE_LIMITED, asked_s)
        self.same_circuit(before)
        least_s = CONFIG.rate_limit_s if asked_s is None or not asked_s > 0 else min(asked_s, 60.0)
        assert max(waited_s, least_s) - 1e-6 <= self.cooling_s() <= 60.0 + 1e-6
        assert self.breaker.admit() is None

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), kind=st.sampled_from([None, *NOT_COUNTED]))
    def give_up(self, data: st.DataObject, kind: ErrorKind | None) -> None:
        one = self.take(data)
        before, state, cooling_s = self.breaker.snapshot(), self.breaker.state, self.cooling_s()
        one.permit.neutral() if kind is None else one.permit.failed(kind, 10.0)
        self.same_circuit(before)
        assert (self.breaker.state, self.cooling_s()) == (state, cooling_s), "neutral moves nothing"

    @precondition(lambda self: self.settled)
    @rule(data=st.data(), way=st.sampled_from(["succeeded", "neutral", "failed"]))
    def say_it_again(self, data: st.DataObject, way: str) -> None:
        permit = data.draw(st.sampled_from(self.settled))
        before = self.breaker.snapshot()
        getattr(permit, way)(*([ErrorKind.AUTH, 50.0] if way == "failed" else []))
        assert self.breaker.snapshot() == before

    def cooling_s(self) -> float:
        """For how long the provider wants to be left alone; who waits is told at most a tenth more."""
        left_s = max(self.breaker._cooldown.until - self.clock.now, 0.0)
        assert left_s - 1e-6 <= self.breaker.cooling_s() <= left_s + 60.0 * CONFIG.jitter
        return left_s

    def same_circuit(self, before: dict[str, Any]) -> None:
        after = self.breaker.snapshot()
        for key in ("failures_in_a_row", "recent_calls", "recent_failures", "openings"):
            assert after[key] == before[key], key

    # --- at all times ---

    @invariant()
    def it_stands_as_the_plain_account_says(self) -> None:
        snapshot = self.breaker.snapshot()
        assert (snapshot["state"] in ("open", "half_open")) == self.is_open
        assert snapshot["is_trial_under_way"] == bool(self.trials())
        assert len(self.trials()) <= 1
        assert snapshot["recent_calls"] == len(self.results[-CONFIG.window :])
        assert snapshot["recent_failures"] == sum(self.results[-CONFIG.window :])
        assert (snapshot["openings"] > 0) == self.is_open
        assert snapshot["failures_in_a_row"] >= 0

    @invariant()
    def no_wait_is_longer_than_the_longest(self) -> None:
        assert 0 <= self.breaker.retry_after_s() <= LONGEST_S + 1e-6
        assert (self.breaker.reason is None) == (self.breaker.retry_after_s() == 0)


BreakerMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)
test_no_order_of_events_breaks_the_breaker = BreakerMachine.TestCase
