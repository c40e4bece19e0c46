"""What one request has cost and tried so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from langchain_core.messages import BaseMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.most_cost import most_cost_usd
from langchain_router.checks.check import Verdict
from langchain_router.decision import RoutingDecision
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.moves import Call, Reply
from langchain_router.outcomes.bill import billed_tokens, cost_of_failure_usd, cost_usd
from langchain_router.outcomes.records import Attempt, Outcome, Status
from langchain_router.request import RoutingRequest

Messages = Sequence[BaseMessage] | None


class Ledger:
    """The attempts of one request, its time and its money.

    Args:
        decision: Whose plan is walked.
        request: What is asked.
        total_s: Seconds that the request may take, or None.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        decision: RoutingDecision,
        request: RoutingRequest,
        *,
        total_s: float | None,
        clock: Callable[[], float],
    ) -> None:
        self.decision = decision
        self.request = request
        self.clock = clock
        self.started_s = clock()
        self.attempts: list[Attempt] = []
        self._deadline_s = math.inf if total_s is None else self.started_s + total_s
        self._counted_usd: list[float] = []
        self._most_usd = request.constraints.max_cost_usd

    @property
    def calls_made(self) -> int:
        """How many calls of candidates were made for the answer itself; those of checks are not counted."""
        return self.calls_made_until(len(self.attempts))

    def calls_made_until(self, index: int) -> int:
        """Return how many calls were made for the answer itself up to this attempt, itself included."""
        return sum(attempt.role in ("answer", "draft", "hedge") for attempt in self.attempts[: index + 1])

    @property
    def spent_usd(self) -> float:
        """What was spent so far in US dollars; what is unknown counts as the most that it may be."""
        return sum(self._counted_usd)

    def left_s(self) -> float:
        """Return how many seconds are left of the request's deadline."""
        return self._deadline_s - self.clock()

    def within(self, *limits_s: float | None) -> float | None:
        """Return the shortest of these limits and of what is left, in seconds; None for no limit at all."""
        shortest = min((self.left_s(), *(limit for limit in limits_s if limit is not None)))
        return None if shortest == math.inf else max(shortest, 0.001)

    def affords(self, *candidates: Candidate, messages: Messages = None) -> bool:
        """Return whether further calls, one of each, fit `max_cost_usd` at the most that they may cost.

        Args:
            *candidates: Who would be called.
            messages: What the last of them would be asked instead of the request.
        """
        if self._most_usd is None:
            return True
        most_usd = self.spent_usd
        for candidate in candidates:
            cost = self._most_cost_usd(candidate, messages if candidate is candidates[-1] else None)
            if cost is None:
                return False
            most_usd += cost
        return most_usd <= self._most_usd

    def note_reply(self, call: Call, reply: Reply, *, started_s: float) -> int:
        """Record a call that was answered; return its index."""
        candidate = call.step.candidate
        tokens = billed_tokens(reply.message) if reply.is_complete else None
        attempt = Attempt(
            candidate=candidate.name,
            latency_s=self.clock() - started_s,
            role=call.role,
            input_tokens=None if tokens is None else tokens[0],
            output_tokens=None if tokens is None else tokens[1],
            cost_usd=cost_usd(candidate, reply.message) if reply.is_complete else None,
        )
        return self._append(attempt, call)

    def note_failure(self, call: Call, kind: ErrorKind, *, started_s: float) -> int:
        """Record a call that failed or was given up; return its index."""
        asked = self.request if call.messages is None else RoutingRequest(messages=call.messages)
        cost = cost_of_failure_usd(call.step.candidate, kind, prompt_tokens=asked.prompt_tokens)
        attempt = Attempt(
            candidate=call.step.candidate.name,
            latency_s=self.clock() - started_s,
            role=call.role,
            error_kind=kind,
            cost_usd=cost,
            estimated=bool(cost),
        )
        return self._append(attempt, call)

    def note_verdict(self, index: int, verdict: Verdict) -> None:
        """Record what a check said of an attempt."""
        self.attempts[index] = replace(self.attempts[index], verdict=verdict)

    def estimate(self, index: int, candidate: Candidate) -> None:
        """Record what a live stream cost that is given up for a better answer: at least its prompt."""
        cost = cost_of_failure_usd(candidate, ErrorKind.CANCELLED, prompt_tokens=self.request.prompt_tokens)
        self.attempts[index] = replace(self.attempts[index], cost_usd=cost, estimated=bool(cost))
        self._counted_usd[index] = cost or 0.0

    def complete(self, index: int, candidate: Candidate, reply: Reply, error_kind: ErrorKind | None) -> None:
        """Record what a live stream came to at its end."""
        tokens = billed_tokens(reply.message)
        cost = cost_usd(candidate, reply.message)
        if cost is None and error_kind is not None:
            cost = cost_of_failure_usd(candidate, error_kind, prompt_tokens=self.request.prompt_tokens)
        self.attempts[index] = replace(
            self.attempts[index],
            error_kind=error_kind,
            input_tokens=None if tokens is None else tokens[0],
            output_tokens=None if tokens is None else tokens[1],
            cost_usd=cost,
            estimated=tokens is None and bool(cost),
        )

    def outcome(
        self,
        status: Status,
        *,
        served_by: str | None = None,
        first_token_s: float | None = None,
        message_id: str | None = None,
    ) -> Outcome:
        """Return what the request came to, as of now."""
        return Outcome(
            decision_id=self.decision.id,
            status=status,
            served_by=served_by,
            latency_s=self.clock() - self.started_s,
            first_token_s=first_token_s,
            attempts=tuple(self.attempts),
            message_id=message_id,
        )

    def _append(self, attempt: Attempt, call: Call) -> int:
        self.attempts.append(attempt)
        counted_usd = attempt.cost_usd
        if counted_usd is None:
            counted_usd = self._most_cost_usd(call.step.candidate, call.messages)
        self._counted_usd.append(counted_usd or 0.0)
        return len(self.attempts) - 1

    def _most_cost_usd(self, candidate: Candidate, messages: Messages) -> float | None:
        return most_cost_usd(
            candidate,
            self.request,
            usual_answer_tokens=self.decision.expected_output_tokens,
            messages=messages,
        )
