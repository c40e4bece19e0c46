"""Making one call: the right to it, its limit in time, and what is settled and recorded of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import Step
from langchain_router.execution.errors import ErrorKind, error_kind, retry_after_s
from langchain_router.execution.gates import Gates, Ticket
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Call, Move, Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A step that was answered.

    Attributes:
        step: The step; of a hedged call, that of the winner.
        reply: What came.
        ticket: Still to be settled where the answer is not complete yet, else None.
        index: Of its attempt in the ledger.
    """

    step: Step
    reply: Reply
    ticket: Ticket | None
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A step whose call failed.

    Attributes:
        step: The step.
        error: What its call raised.
        index: Of its attempt in the ledger.
    """

    step: Step
    error: Exception
    index: int


class Caller:
    """Makes the calls of one request, and settles and records each.

    Args:
        ledger: Where attempts are recorded.
        gates: Who may be called now.
        is_live: Whether answers are shown while they arrive.

    Attributes:
        failures: Calls for the answer itself that failed, since whoever reads this emptied it.
    """

    def __init__(self, ledger: Ledger, gates: Gates, *, is_live: bool) -> None:
        self._ledger = ledger
        self._gates = gates
        self._is_live = is_live
        self.failures: list[Failure] = []
        self._tickets: list[Ticket] = []

    @property
    def timeout_s(self) -> float | None:
        """How long a call, or a check, may take now, in seconds; None for no limit."""
        return self._ledger.within(self._gates.resilience.deadlines.attempt_s)

    # --- the right to call ----------------------------------------------------------------------

    def admit(
        self, candidate: Candidate, *, is_last_hope: bool = False, is_hurried: bool = False
    ) -> Ticket | None:
        """Return the right to call a candidate now, or None.

        Args:
            candidate: Whom to call.
            is_last_hope: Call it in spite of its breaker.
            is_hurried: The call has a limit in time of its own.
        """
        ticket = self._gates.admit(candidate, is_hurried=is_hurried)
        if ticket is None and is_last_hope:
            ticket = self._gates.force(candidate)
        if ticket is not None:
            self._tickets.append(ticket)
        return ticket

    def let_go(self, *, but: Ticket | None = None) -> None:
        """Give back every right that is still held, but that of an answer which is still to come."""
        for ticket in self._tickets:
            if ticket is not but:
                ticket.neutral()

    # --- one call ------------------------------------------------------------------------------

    def call_of(self, step: Step, *, beside: int = 0) -> Call:
        """Return the call of a step.

        Args:
            step: Whom to call.
            beside: How many calls are made at the same time before it.
        """
        limits = self._gates.resilience.deadlines
        is_shown = self._is_live and step.check is None
        return Call(
            step=step,
            number=len(self._ledger.attempts) + 1 + beside,
            role="answer" if step.check is None else "draft",
            timeout_s=self._ledger.within(limits.first_token_s) if is_shown else self.timeout_s,
            decided_s=self.timeout_s,
        )

    def alone(self, call: Call, ticket: Ticket) -> Generator[Move, Reply, Answered]:
        """Make a call by itself; raises its error."""
        started_s = self._ledger.clock()
        try:
            reply = yield call
        except BaseException as error:
            self.failed(call, ticket, error, started_s)
            raise
        return self.answered(call, ticket, reply, started_s)

    def answered(self, call: Call, ticket: Ticket, reply: Reply, started_s: float) -> Answered:
        """Settle and record a call that was answered."""
        index = self._ledger.note_reply(call, reply, started_s=started_s)
        if reply.is_complete:
            ticket.succeeded()
        else:
            ticket.begun()
        kept = None if reply.is_complete else ticket
        return Answered(step=call.step, reply=reply, ticket=kept, index=index)

    def failed(self, call: Call, ticket: Ticket, error: BaseException, started_s: float) -> None:
        """Settle and record a call that failed, or that was given up together with the whole request."""
        if not isinstance(error, Exception):
            self._given_up(call, ticket, started_s)
            return
        kind = error_kind(error)
        if kind is ErrorKind.TIMEOUT and not self._had_fair_time(call):
            ticket.ran_out_of_time(is_own=self._ledger.left_s() > 0)
        else:
            ticket.failed(kind, retry_after_s(error))
        index = self._ledger.note_failure(call, kind, started_s=started_s)
        if call.role not in ("second", "judge"):
            self.failures.append(Failure(step=call.step, error=error, index=index))

    def _had_fair_time(self, call: Call) -> bool:
        """Return whether a call had at least half of the time that a request has at its start."""
        limits = self._gates.resilience.deadlines
        set_ = [one for one in (limits.total_s, limits.attempt_s, limits.first_token_s) if one is not None]
        asked = call.timeout_s
        return asked is None or not set_ or asked >= min(set_) / 2

    def _given_up(self, call: Call, ticket: Ticket, started_s: float) -> None:
        ticket.neutral()
        self._ledger.note_failure(call, ErrorKind.CANCELLED, started_s=started_s)

    def not_answered(self, call: Call, ticket: Ticket, error: Exception | None, started_s: float) -> None:
        """Settle one of several calls that failed, or that was given up: then there is no error."""
        if error is None:
            self._given_up(call, ticket, started_s)
        else:
            self.failed(call, ticket, error, started_s)
