"""Making one call of a step: alone, with second opinions beside it, or hedged."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.eligibility import reasons_against_place, reasons_against_reading
from langchain_router.checks.check import Ask
from langchain_router.decision import Step
from langchain_router.exceptions import CircuitOpenError, RouterError
from langchain_router.execution.errors import ErrorKind, error_kind, retry_after_s
from langchain_router.execution.gates import Gates, Ticket
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Call, Came, Hedge, Move, Reply, SideBySide


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
    """

    def __init__(self, ledger: Ledger, gates: Gates, *, is_live: bool) -> None:
        self._ledger = ledger
        self._gates = gates
        self._is_live = is_live
        self._second_answers: dict[str, Reply | Exception] = {}
        self.failures: list[Failure] = []
        self._second_indices: dict[str, int] = {}
        self._tickets: list[Ticket] = []

    @property
    def timeout_s(self) -> float | None:
        """How long a call, or a check, may take now, in seconds; None for no limit."""
        return self._ledger.within(self._gates.resilience.deadlines.attempt_s)

    # --- the right to call ----------------------------------------------------------------------

    def admit(self, candidate: Candidate, *, is_last_hope: bool = False) -> Ticket | None:
        """Return the right to call a candidate now, or None; a last hope gets it in spite of its breaker."""
        ticket = self._gates.admit(candidate)
        if ticket is None and is_last_hope:
            ticket = self._gates.force(candidate)
        return self._kept(ticket)

    def has_answered(self, candidate: Candidate) -> bool:
        """Return whether a candidate has answered the request already, as a second opinion."""
        return isinstance(self._second_answers.get(self._gates.key(candidate)), Reply)

    def let_go(self, *, but: Ticket | None = None) -> None:
        """Give back every right that is still held, but that of an answer which is still to come."""
        for ticket in self._tickets:
            if ticket is not but:
                ticket.neutral()

    def _kept(self, ticket: Ticket | None) -> Ticket | None:
        if ticket is not None:
            self._tickets.append(ticket)
        return ticket

    # --- steps of the plan ----------------------------------------------------------------------

    def call_step(
        self, step: Step, ticket: Ticket | None, pending: deque[Step]
    ) -> Generator[Move, Came | Reply, Answered]:
        """Call a step in the way that suits it; raises the call's error, with every failure in `failures`.

        Args:
            step: Whom to call.
            ticket: The right to; None for a step that has answered already, as a second opinion.
            pending: The steps to come; a hedge takes the next of them away.
        """
        self.failures = []
        if ticket is None:
            key = self._gates.key(step.candidate)
            reply = self._second_answers.pop(key)
            assert isinstance(reply, Reply)  # noqa: S101 - the walk looked before it came here
            return Answered(step=step, reply=reply, ticket=None, index=self._second_indices[key])
        call = self._call_of(step)
        asks = self._seconds_beside(step)
        if asks:
            return (yield from self._side_by_side(call, ticket, asks))
        other = self._hedge_for(step, pending)
        if other is not None:
            return (yield from self._hedged(call, ticket, pending, other))
        return (yield from self._alone(call, ticket))

    def _call_of(self, step: Step, *, beside: int = 0) -> Call:
        limits = self._gates.resilience.deadlines
        is_shown = self._is_live and step.check is None
        return Call(
            step=step,
            number=len(self._ledger.attempts) + 1 + beside,
            role="answer" if step.check is None else "draft",
            timeout_s=self._ledger.within(limits.first_token_s if is_shown else limits.attempt_s),
        )

    def _alone(self, call: Call, ticket: Ticket) -> Generator[Move, Reply, Answered]:
        started_s = self._ledger.clock()
        try:
            reply = yield call
        except BaseException as error:
            self._failed(call, ticket, error, started_s)
            raise
        return self._answered(call, ticket, reply, started_s)

    def _answered(self, call: Call, ticket: Ticket, reply: Reply, started_s: float) -> Answered:
        index = self._ledger.note_reply(call, reply, started_s=started_s)
        if reply.is_complete:
            ticket.succeeded()
        else:
            ticket.begun()
        kept = None if reply.is_complete else ticket
        return Answered(step=call.step, reply=reply, ticket=kept, index=index)

    def _failed(self, call: Call, ticket: Ticket, error: BaseException, started_s: float) -> None:
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

    def _not_answered(self, call: Call, ticket: Ticket, error: Exception | None, started_s: float) -> None:
        """Settle one of several calls that failed, or that was given up: then there is no error."""
        if error is None:
            self._given_up(call, ticket, started_s)
        else:
            self._failed(call, ticket, error, started_s)

    # --- side by side ---------------------------------------------------------------------------

    def _seconds_beside(self, step: Step) -> list[tuple[Ask, Ticket]]:
        if step.check is None:
            return []
        found: list[tuple[Ask, Ticket]] = []
        beside = [step.candidate]
        for asked in step.check.seconds:
            ask = replace(asked, candidate=self._gates.meant(asked.candidate))
            candidate = ask.candidate
            key = self._gates.key(candidate)
            is_known = key in self._second_answers or key == self._gates.key(step.candidate)
            if is_known or ask.messages is not None or self._reason_not_to_ask(ask, beside=beside):
                continue
            ticket = self._admit_for(ask)
            if ticket is not None:
                found.append((ask, ticket))
                beside.append(candidate)
        return found

    def _side_by_side(
        self, call: Call, ticket: Ticket, asks: list[tuple[Ask, Ticket]]
    ) -> Generator[Move, Came, Answered]:
        calls = [call, *(self._call_for(ask, beside=place) for place, (ask, _) in enumerate(asks, start=1))]
        tickets = [ticket, *(ticket for _, ticket in asks)]
        started_s = self._ledger.clock()
        try:
            came = yield SideBySide(calls=tuple(calls))
        except BaseException as error:
            for one, its_ticket in zip(calls, tickets, strict=True):
                self._failed(one, its_ticket, error, started_s)
            raise
        draft, *seconds = came
        assert draft is not None  # noqa: S101 - the first of them is never given up
        answered = None
        if isinstance(draft, Reply):
            answered = self._answered(call, ticket, draft, started_s)
        else:
            self._failed(call, ticket, draft, started_s)
        for one, its_ticket, what in zip(calls[1:], tickets[1:], seconds, strict=True):
            key = self._gates.key(one.step.candidate)
            if isinstance(what, Reply):
                self._second_indices[key] = self._answered(one, its_ticket, what, started_s).index
            else:
                self._not_answered(one, its_ticket, what, started_s)
            if what is not None:
                self._second_answers[key] = what
        if isinstance(draft, Exception):
            raise draft
        assert answered is not None  # noqa: S101 - the draft is a reply
        return answered

    # --- hedging --------------------------------------------------------------------------------

    def _hedge_for(self, step: Step, pending: deque[Step]) -> Step | None:
        """Return the step that may hedge a call, if there is one."""
        if self._gates.resilience.hedging is None or step.check is not None or not pending:
            return None
        other = pending[0]
        may = other.check is None and self._ledger.affords(step.candidate, other.candidate)
        return other if may else None

    def _hedged(
        self, call: Call, ticket: Ticket, pending: deque[Step], other_step: Step
    ) -> Generator[Move, Came, Answered]:
        hedging = self._gates.resilience.hedging
        assert hedging is not None  # noqa: S101 - _hedge_for looked
        call = replace(call, is_contested=True)
        other = self._call_of(other_step, beside=1)
        limit_s = self._ledger.within(other.timeout_s, self._ledger.left_s() - hedging.after_s)
        other = replace(other, role="hedge", is_contested=True, timeout_s=limit_s)
        begun = [(call, ticket, self._ledger.clock())]

        def may_begin() -> bool:
            """Take the right to the second call only when it is made, so that nobody else lacks it."""
            other_ticket = self.admit(other_step.candidate)
            if other_ticket is None:
                return False
            if not self._gates.may_hedge():
                other_ticket.neutral()
                return False
            begun.append((other, other_ticket, self._ledger.clock()))
            pending.remove(other_step)
            return True

        try:
            came = yield Hedge(first=call, second=other, after_s=hedging.after_s, may_begin=may_begin)
        except BaseException as error:
            for one, its_ticket, started_s in begun:
                self._failed(one, its_ticket, error, started_s)
            raise
        answered = None
        for (one, its_ticket, started_s), what in zip(begun, came, strict=False):
            if isinstance(what, Reply):
                answered = self._answered(one, its_ticket, what, started_s)
            else:
                self._not_answered(one, its_ticket, what, started_s)
        if answered is None:
            raise self.failures[0].error
        return answered

    # --- what checks ask ------------------------------------------------------------------------

    def ask(self, ask: Ask) -> Generator[Move, Reply, Reply]:
        """Ask a model for a check; raises why there is no word from it."""
        ask = replace(ask, candidate=self._gates.meant(ask.candidate))
        name = ask.candidate.name
        key = self._gates.key(ask.candidate)
        is_same_question = ask.role == "second" and ask.messages is None
        if is_same_question and key in self._second_answers:
            known = self._second_answers[key]
            if isinstance(known, Exception):
                raise known
            return known
        reason = self._reason_not_to_ask(ask)
        if reason is not None:
            raise NotAskedError(f"{name!r} was not asked: it {reason}.")
        ticket = self._admit_for(ask)
        if ticket is None:
            raise CircuitOpenError({name: self._gates.retry_after_s(ask.candidate)})
        answered = yield from self._alone(self._call_for(ask), ticket)
        if is_same_question:
            self._second_answers[key] = answered.reply
            self._second_indices[key] = answered.index
        return answered.reply

    def _call_for(self, ask: Ask, *, beside: int = 0) -> Call:
        return Call(
            step=Step(candidate=ask.candidate),
            number=len(self._ledger.attempts) + 1 + beside,
            role=ask.role,
            timeout_s=self._ledger.within(self._gates.resilience.deadlines.attempt_s, ask.timeout_s),
            messages=ask.messages,
        )

    def _admit_for(self, ask: Ask) -> Ticket | None:
        return self._kept(self._gates.admit(ask.candidate, is_hurried=ask.timeout_s is not None))

    def _reason_not_to_ask(self, ask: Ask, *, beside: Sequence[Candidate] = ()) -> str | None:
        """Say why a check may not ask this model, or None: whatever sees a prompt obeys the constraints."""
        candidate, request = ask.candidate, self._ledger.request
        if ask.messages is None:
            reasons = reasons_against_reading(candidate, request)
        else:
            reasons = reasons_against_place(candidate, request)
        reason = next(iter(reasons), None)
        if reason is None and not self._ledger.affords(*beside, candidate, messages=ask.messages):
            return "would take the request over max_cost_usd"
        return reason


class NotAskedError(RouterError):
    """A check wanted to ask a model that may not see this request."""
