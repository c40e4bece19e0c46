"""Whose turn it is: who of a plan is called next, and after which wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from typing import Final

from langchain_router.decision import Step
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.calling import Caller
from langchain_router.execution.errors import ErrorKind, error_kind, retry_after_s, same_may_serve
from langchain_router.execution.gates import Gates, Ticket
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Move, Sleep
from langchain_router.execution.opinions import Opinions
from langchain_router.execution.retrying import AttemptState
from langchain_router.execution.strategies import Strategies

_ASKED_TWICE: Final = frozenset({ErrorKind.MALFORMED, ErrorKind.TRUNCATED})
"""Failures after which a candidate is asked once more, not again and again: the answer was paid for."""


class Turns:
    """Gives the steps of a plan their turns: the new ones in order, then those that must be waited for.

    Args:
        ledger: Of the request whose plan it is.
        caller: Gives the right to call.
        opinions: Who has answered already, for a check.
        gates: Who may be called now, and how hard to try.
        strategies: Say for how long to wait, and when it is enough.

    Attributes:
        pending: Steps that have not had their turn.
        postponed: Steps that could not be called when it was their turn.
    """

    def __init__(
        self, ledger: Ledger, caller: Caller, opinions: Opinions, gates: Gates, strategies: Strategies
    ) -> None:
        self.pending = deque(ledger.decision.plan)
        self.postponed: list[Step] = []
        self._ledger = ledger
        self._caller = caller
        self._opinions = opinions
        self._gates = gates
        self._strategies = strategies
        self._again: list[tuple[Step, AttemptState]] = []
        self._paid: list[Step] = []
        self._unreadable: set[str] = set()
        self._not_before_s: dict[str, float] = {}
        self._longest_told_s = (gates.resilience.breaker or BreakerConfig()).retry_after_cap_s
        self._overflowed_tokens = 0

    def next(self, *, has_draft: bool) -> Generator[Move, None, tuple[Step, Ticket | None] | None]:
        """Find the next step that may be called, waiting where nobody may be called at once.

        Args:
            has_draft: Whether an answer is in hand. Then nobody is waited for but what failed in passing.

        Returns:
            The step and the right to call it; no right for one that has answered as a second opinion. None
            when nobody is left, or when it is enough.
        """
        if self._ledger.attempts and self._strategies.are_enough():
            return None
        found = self._next_new()
        return found or (yield from self._next_again(has_draft=has_draft))

    def _next_new(self) -> tuple[Step, Ticket | None] | None:
        while self.pending:
            step = self.pending.popleft()
            has_answered = self._opinions.has(step.candidate)
            if not has_answered and not self._is_worth_calling(step):
                continue
            ticket = None if has_answered else self._caller.admit(step.candidate)
            if has_answered or ticket is not None:
                self._strategies.announce(step.candidate.name)
                return step, ticket
            self.postponed.append(step)
        return None

    def _next_again(self, *, has_draft: bool) -> Generator[Move, None, tuple[Step, Ticket | None] | None]:
        while (later := self._soonest(has_draft=has_draft)) is not None:
            step, wait_s = later
            if wait_s >= self._ledger.left_s():
                return None
            if not self._is_paid(step):
                self._take_off(step)
                continue
            if self._ledger.attempts and self._strategies.are_enough(sleep_s=wait_s):
                return None
            self._strategies.announce(step.candidate.name, wait_s)
            if wait_s > 0:
                yield Sleep(seconds=wait_s)
                self._strategies.slept(wait_s)
            self._take_off(step)
            ticket = self._caller.admit(step.candidate, is_last_hope=True)
            if ticket is not None:
                self._paid.remove(step)
                return step, ticket
            self.postponed.append(step)  # as many calls as it may bear are under way
        return None

    def failed(self, step: Step, error: Exception) -> None:
        """Take note of a failure that another call may survive: whether the same candidate is asked again."""
        kind, name = error_kind(error), step.candidate.name
        if kind is ErrorKind.CONTEXT_OVERFLOW and step.candidate.context_tokens is not None:
            self._overflowed_tokens = max(self._overflowed_tokens, step.candidate.context_tokens)
        told_s = retry_after_s(error) or 0.0
        self._not_before_s[name] = self._ledger.clock() + told_s
        is_hopeless = told_s > self._longest_told_s or (kind in _ASKED_TWICE and name in self._unreadable)
        if same_may_serve(kind) and not is_hopeless:
            self._again.append((step, self._strategies.failed_state()))
        if kind in _ASKED_TWICE:
            self._unreadable.add(name)

    def _is_paid(self, step: Step) -> bool:
        """Return whether a step may be called, paying for it once from the retry budget where it must be.

        A second call must fit the budget, and so must a further call to somebody who is left alone: where all
        are, each request would else make a call to every one of them, which can keep a provider overloaded
        long after the cause is over.
        """
        if step in self._paid:
            return True
        is_further = self._ledger.calls_made > 0
        is_left_alone = self._gates.reason_against(step.candidate) is not None
        is_free = step in self.postponed and not (is_further and is_left_alone)
        if not is_free and not self._gates.may_retry():
            return False
        self._paid.append(step)
        return True

    def _take_off(self, step: Step) -> None:
        """Take a step off the lists of those to wait for."""
        self._again = [(one, state) for one, state in self._again if one is not step]
        self.postponed = [one for one in self.postponed if one is not step]

    def _soonest(self, *, has_draft: bool) -> tuple[Step, float] | None:
        """Return who may be called soonest of those that must be waited for, and after how many seconds."""
        postponed = [] if has_draft else list(filter(self._is_worth_calling, self.postponed))
        options = [(step, self._gates.wait_s(step.candidate)) for step in postponed]
        # Of the calls allowed by default, one is kept for each that has not been called yet.
        if self._strategies.allow(len(postponed) + 1):
            for step, failed in self._again:
                if not self._is_worth_calling(step):
                    continue
                told_s = self._told_s(step)
                if told_s is None:
                    backoff_s = self._strategies.backoff_s(failed)
                    options.append((step, max(self._gates.wait_s(step.candidate), backoff_s)))
                elif not has_draft:
                    options.append((step, told_s))
        return min(options, key=lambda option: option[1], default=None)

    def _told_s(self, step: Step) -> float | None:
        """Return for how long its provider wants to be left alone, in seconds; None when it does not say."""
        told_s = self._not_before_s.get(step.candidate.name, 0.0) - self._ledger.clock()
        if self._gates.is_cooling(step.candidate):
            told_s = max(told_s, self._gates.wait_s(step.candidate))
        return told_s if told_s > 0 else None

    def _is_worth_calling(self, step: Step) -> bool:
        window_tokens = step.candidate.context_tokens
        if window_tokens is not None and window_tokens <= self._overflowed_tokens:
            return False  # a window of that size has just been overflowed
        return not self._ledger.attempts or self._ledger.affords(step.candidate)
