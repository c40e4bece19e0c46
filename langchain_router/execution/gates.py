"""Who may be called now: the state that requests share, one gate for each candidate."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_router.candidates.candidate import Candidate
from langchain_router.execution.breaker import CircuitBreaker, Permit
from langchain_router.execution.budget import RetryBudget
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.limit import ConcurrencyLimit
from langchain_router.execution.resilience import Resilience
from langchain_router.forks import give_lock

_POLL_S = 0.02


class Ticket:
    """The right to make one call. Settle it once, with what came of the call; settling again does nothing.

    Args:
        permit: Of the candidate's breaker, if there is one.
        limit: Where the call takes up a place.
        patience: Of the breaker for calls that have less time than others, for a call of that kind.
    """

    __slots__ = ("_is_settled", "_limit", "_patience", "_permit")

    def __init__(
        self, permit: Permit | None, limit: ConcurrencyLimit, patience: Permit | None = None
    ) -> None:
        self._permit = permit
        self._limit = limit
        self._patience = patience
        self._is_settled = False

    def begun(self) -> None:
        """The candidate has begun to answer, live: it is well, and the call goes on."""
        for permit in self._permits():
            permit.begun()

    def succeeded(self) -> None:
        """The call was answered."""
        if self._settle():
            for permit in self._permits():
                permit.succeeded()

    def failed(self, kind: ErrorKind, retry_after_s: float | None = None) -> None:
        """The call failed; kinds that say nothing of the candidate's health change nothing."""
        if self._settle():
            if self._permit is not None:
                self._permit.failed(kind, retry_after_s)
            if self._patience is not None:
                self._patience.neutral()

    def ran_out_of_time(self, *, is_own: bool) -> None:
        """The call had less time than others, which was not enough; the candidate may be well all the same.

        Args:
            is_own: Whether that was a limit of the call's own, rather than the end of the whole request.
        """
        if is_own and self._patience is not None and not self._is_settled:
            self._patience.failed(ErrorKind.TIMEOUT)
        self.neutral()

    def neutral(self) -> None:
        """The call was given up, or never made."""
        if self._settle():
            for permit in self._permits():
                permit.neutral()

    def _permits(self) -> Iterator[Permit]:
        return (permit for permit in (self._permit, self._patience) if permit is not None)

    def _settle(self) -> bool:
        if self._is_settled:
            return False
        self._is_settled = True
        self._limit.release()
        return True


class _Gate:
    """Breaker and concurrency limit of one candidate."""

    __slots__ = ("breaker", "limit")

    def __init__(self, breaker: CircuitBreaker | None, limit: ConcurrencyLimit) -> None:
        self.breaker = breaker
        self.limit = limit


class Gates:
    """The gates of all candidates, and the budgets for retries and hedges. Safe from threads and loops.

    Breakers live in this process; several processes each have their own.

    Args:
        resilience: How hard to try.
        candidates: The router's own. A model that a check asks shares a gate with one of them when it is the
            same; a mere name of one, given to a check, means that one.
        clock: Monotonic seconds.
        rng: For the breakers' jitter.
    """

    def __init__(
        self,
        resilience: Resilience,
        *,
        candidates: Sequence[Candidate] = (),
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.resilience = resilience
        self._own = {candidate.name: candidate for candidate in candidates}
        self._clock = clock
        self._rng = rng or random.Random()
        self._lock: threading.Lock
        give_lock(self, "_lock")
        self._gates: dict[str, _Gate] = {}
        self._retries = RetryBudget(share=resilience.retry_budget, clock=clock)
        hedging = resilience.hedging
        self._hedges = None if hedging is None else RetryBudget(share=hedging.share, minimum=0, clock=clock)

    @contextlib.contextmanager
    def request(self) -> Iterator[None]:
        """Count a request as active while the block runs; the budgets are shares of these."""
        budgets = [self._retries] if self._hedges is None else [self._retries, self._hedges]
        for budget in budgets:
            budget.began()
        try:
            yield
        finally:
            for budget in budgets:
                budget.ended()

    def admit(self, candidate: Candidate, *, is_hurried: bool = False) -> Ticket | None:
        """Return the right to call a candidate now, or None while it is left alone or busy.

        Args:
            candidate: Whom to call.
            is_hurried: Whether the call has a limit in time of its own, as a judge's has. One that was too
                slow for that several times is not called so again for a while, but called in other ways.
        """
        gate = self._gate(candidate)
        if not gate.limit.try_acquire():
            return None
        permits: list[Permit] = []
        for breaker in (gate.breaker, self._patience(candidate) if is_hurried else None):
            permit = None if breaker is None else breaker.admit()
            if permit is not None:
                permits.append(permit)
            elif breaker is not None:
                for other in permits:
                    other.neutral()
                gate.limit.release()
                return None
        return Ticket(permits[0] if permits else None, gate.limit, *permits[1:])

    def force(self, candidate: Candidate) -> Ticket | None:
        """Return the right to call a candidate whatever its breaker says: it is the last hope of a request.

        None while it is busy, or while a rate limit tells it to be left alone.
        """
        gate = self._gate(candidate)
        if self.is_cooling(candidate) or not gate.limit.try_acquire():
            return None
        return Ticket(None if gate.breaker is None else gate.breaker.force(), gate.limit)

    def wait_s(self, candidate: Candidate) -> float:
        """Return for how long a last-hope call to a candidate must wait, in seconds."""
        gate = self._gate(candidate)
        cooling_s = 0.0 if gate.breaker is None else gate.breaker.cooling_s()
        if cooling_s > 0:
            return cooling_s
        return _POLL_S if gate.limit.is_full else 0.0

    def is_cooling(self, candidate: Candidate) -> bool:
        """Return whether the provider's rate limit tells us not to call."""
        breaker = self._gate(candidate).breaker
        return breaker is not None and breaker.is_cooling

    def retry_after_s(self, candidate: Candidate) -> float:
        """Return after how many seconds the candidate may be called again in the ordinary way; 0 for now."""
        breaker = self._gate(candidate).breaker
        return 0.0 if breaker is None else breaker.retry_after_s()

    def reason_against(self, candidate: Candidate) -> str | None:
        """Say why a candidate is left alone now, or None when it is not."""
        breaker = self._gate(candidate).breaker
        return None if breaker is None or not breaker.retry_after_s() else breaker.reason

    def may_retry(self) -> bool:
        """Take a second call to a candidate from the retry budget, if there is one left."""
        return self._retries.try_spend()

    def may_hedge(self) -> bool:
        """Take a hedge from its budget, if there is one left."""
        return self._hedges is not None and self._hedges.try_spend()

    def snapshot(self) -> dict[str, dict[str, Any]]:
        """Return the state of every candidate called so far, as plain data for a health report."""
        with self._lock:
            gates = dict(self._gates)
        return {
            name: {
                "in_flight": gate.limit.in_flight,
                **({} if gate.breaker is None else gate.breaker.snapshot()),
            }
            for name, gate in gates.items()
        }

    def meant(self, candidate: Candidate) -> Candidate:
        """Return the router's own candidate where a check was given no more than its name."""
        if not isinstance(candidate.model, str) or candidate.options:
            return candidate
        return self._own.get(candidate.model, candidate)

    def key(self, candidate: Candidate) -> str:
        """Return the name of a candidate's gate: its own, unless the router has another of that name."""
        own = self._own.get(candidate.name)
        if own is None or own is candidate:
            return candidate.name
        is_same = own.model == candidate.model and own.options == candidate.options
        return candidate.name if is_same else f"{candidate.name} (asked by a check)"

    def _gate(self, candidate: Candidate) -> _Gate:
        key = self.key(candidate)
        gate = self._gates.get(key)  # reading a dict is atomic
        if gate is not None:
            return gate
        with self._lock:
            if key not in self._gates:
                limit = ConcurrencyLimit(candidate.max_concurrency)
                self._gates[key] = _Gate(self._breaker(key), limit)
            return self._gates[key]

    def _patience(self, candidate: Candidate) -> CircuitBreaker | None:
        key = f"{self.key(candidate)} (within a check's time)"
        with self._lock:
            if key not in self._gates:
                self._gates[key] = _Gate(self._breaker(key), ConcurrencyLimit(None))
            return self._gates[key].breaker

    def _breaker(self, key: str) -> CircuitBreaker | None:
        config = self.resilience.breaker
        return None if config is None else CircuitBreaker(key, config, clock=self._clock, rng=self._rng)
