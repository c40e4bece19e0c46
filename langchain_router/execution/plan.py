"""The plan machine: walks a plan and says what to do next, without doing it.

The machine is a generator. It yields moves (`Call`, `RunCheck`, `Sleep`, ...); whoever drives it does them
and sends back what came of it, or throws the error in. The sync and the async driver are a few lines each, so
no logic is written twice.

The walk: each step of the plan is called once, in order, passing over those that may not be called now. A
step that fails is followed by the next at once (failover); so is one whose answer its check does not pass
(escalation). When nobody new is left, what failed in passing is asked again, after a wait. The best
answer there was is returned when no better one can be had; only when every call failed there is an error.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

from langchain_router.checks.check import Verdict
from langchain_router.decision import RoutingDecision, Step
from langchain_router.exceptions import CircuitOpenError, RouterExhaustedError
from langchain_router.execution.calling import Answered, Caller, Failure
from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.execution.gates import Gates, Ticket
from langchain_router.execution.hedged import hedge_for, hedged
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Move
from langchain_router.execution.opinions import Opinions
from langchain_router.execution.retrying import AttemptState
from langchain_router.execution.reviewing import reviewed
from langchain_router.execution.served import Served, status_of_error
from langchain_router.execution.strategies import Strategies
from langchain_router.execution.turns import Turns
from langchain_router.outcomes.records import Outcome
from langchain_router.request import RoutingRequest

_logger = logging.getLogger("langchain_router")

_SURFACES = frozenset({ErrorKind.UNKNOWN, ErrorKind.CONTROL_FLOW, ErrorKind.INTERRUPTED})
"""Errors that are raised although an answer is in hand: bugs and interrupts; those of models are outlived."""

Machine = Generator[Move, Any, Served]
Report = Callable[[Outcome], None]


def walk(
    decision: RoutingDecision,
    request: RoutingRequest,
    *,
    gates: Gates,
    clock: Callable[[], float] = time.monotonic,
    is_live: bool = False,
    report: Report = lambda _: None,
) -> Machine:
    """Walk the plan of a decision until a step's answer is accepted.

    Args:
        decision: Its plan is walked.
        request: What is asked; checks look at it.
        gates: Who may be called now, and how hard to try.
        clock: Monotonic seconds.
        is_live: Whether answers are shown while they arrive: then a call has answered when it has begun.
        report: Called once with what came of the request. Must not raise.

    Yields:
        The next move. Send what came of it, or throw the error.

    Returns:
        The answer with all attempts.

    Raises:
        RouterExhaustedError: Several calls were made and all failed; a lone call's own error is raised as it
            is, and so is one that no other call could survive.
        CircuitOpenError: No call could be made now.
    """
    return _Walk(decision, request, gates, clock, is_live=is_live, report=report).run()


class _Walk:
    """One request on its way through its plan."""

    def __init__(
        self,
        decision: RoutingDecision,
        request: RoutingRequest,
        gates: Gates,
        clock: Callable[[], float],
        *,
        is_live: bool,
        report: Report,
    ) -> None:
        self._decision = decision
        self._request = request
        self._gates = gates
        self._tell = report
        self._is_reported = False
        self._ledger = Ledger(decision, request, total_s=gates.resilience.deadlines.total_s, clock=clock)
        self._caller = Caller(self._ledger, gates, is_live=is_live)
        self._opinions = Opinions(self._ledger, gates, self._caller)
        self._state = AttemptState(decision, started_s=self._ledger.started_s)
        self._strategies = Strategies(gates.resilience, self._state, self._ledger)
        self._turns = Turns(self._ledger, self._caller, self._opinions, gates, self._strategies)
        self._errors: list[Exception] = []
        self._drafts: list[tuple[Answered, Verdict | None]] = []

    def run(self) -> Machine:
        """Walk, with the outcome reported however the walk ends."""
        with self._gates.request():
            try:
                return (yield from self._walk())
            except BaseException as error:
                self._caller.let_go()
                self._report(self._ledger.outcome(status_of_error(error)))
                raise

    def _walk(self) -> Machine:
        while (found := (yield from self._turns.next(has_draft=bool(self._drafts)))) is not None:
            try:
                served = yield from self._attempt(*found)
            except Exception as error:
                if not self._drafts or error_kind(error) in _SURFACES:
                    raise
                break  # an answer is in hand
            if served is not None:
                return served
        if self._drafts:
            return self._served(_best(self._drafts))
        raise self._exhausted()

    # --- one attempt ----------------------------------------------------------------------------

    def _attempt(self, step: Step, ticket: Ticket | None) -> Generator[Move, Any, Served | None]:
        """Call a step; return what is served, or None to go on."""
        try:
            answered = yield from self._call(step, ticket)
        except Exception:
            if not self._caller.failures:  # no call was made
                raise
            for failure in self._caller.failures:
                self._note(failure.index, error=failure.error)
                self._failed(failure)
            return None
        verdict = None
        if answered.step.check is not None:
            verdict = yield from reviewed(
                answered.step.check, self._request, answered.reply, self._opinions, self._caller.timeout_s
            )
            self._ledger.note_verdict(answered.index, verdict)
        answer = answered.reply.message or answered.reply.answer
        self._note(answered.index, answer=answer, verdict=verdict)
        if not self._strategies.go_on():
            return self._served(answered)
        self._drafts.append((answered, verdict))
        if not answered.reply.is_complete:
            self._ledger.estimate(answered.index, answered.step.candidate)
        return None

    def _call(self, step: Step, ticket: Ticket | None) -> Generator[Move, Any, Answered]:
        """Call a step in the way that suits it; raises the call's error, with every failure noted."""
        self._caller.failures = []
        if ticket is None:
            return self._opinions.as_answer(step)
        call, pending = self._caller.call_of(step), self._turns.pending
        asks = self._opinions.beside(step)
        if asks:
            return (yield from self._opinions.side_by_side(call, ticket, asks))
        other = hedge_for(step, pending, self._gates, self._ledger)
        if other is None:
            return (yield from self._caller.alone(call, ticket))
        return (
            yield from hedged(
                call, ticket, other, pending, caller=self._caller, gates=self._gates, ledger=self._ledger
            )
        )

    def _failed(self, failure: Failure) -> None:
        """Take note of a failure that another call may survive; raise any other."""
        step, error = failure.step, failure.error
        kind, name = error_kind(error), step.candidate.name
        if not self._strategies.go_on():
            if self._errors and kind is not ErrorKind.CONTROL_FLOW:
                error.add_note(f"langchain_router: {len(self._errors)} call(s) had failed before.")
            raise error
        number = failure.index + 1
        error.add_note(f"langchain_router: attempt {number}, candidate {name!r}, {kind.value}.")
        self._errors.append(error)
        _logger.info("candidate %s failed (%s), decision %s", name, kind.value, self._decision.id)
        self._turns.failed(step, error)

    def _note(self, index: int, **came: Any) -> None:
        self._state.attempt = self._ledger.attempts[index]
        self._state.attempts = tuple(self._ledger.attempts)
        self._state.spent_usd = self._ledger.spent_usd
        self._state.attempt_number = max(self._state.attempt_number, self._ledger.calls_made_until(index))
        self._state.note(at_s=self._ledger.clock(), **came)

    # --- the end --------------------------------------------------------------------------------

    def _report(self, outcome: Outcome) -> None:
        if not self._is_reported:
            self._is_reported = True
            self._tell(outcome)

    def _served(self, answered: Answered) -> Served:
        for draft, _ in self._drafts:
            if draft is not answered and draft.ticket is not None:
                draft.ticket.succeeded()  # it did answer, though not well enough
        self._caller.let_go(but=answered.ticket)
        return Served(
            reply=answered.reply,
            candidate=answered.step.candidate,
            ledger=self._ledger,
            index=answered.index,
            ticket=answered.ticket,
            report=self._report,
        )

    def _exhausted(self) -> Exception:
        if not self._errors:
            waits_s = {
                step.candidate.name: self._gates.retry_after_s(step.candidate)
                for step in self._turns.postponed
            }
            slots = {step.candidate.name: step.candidate.max_concurrency for step in self._turns.postponed}
            return CircuitOpenError(waits_s, slots=slots)
        if len(self._errors) == 1:
            return self._errors[0]
        tried = ", ".join(
            f"{one.candidate!r} {one.error_kind}"
            for one in self._ledger.attempts
            if one.error_kind and one.role not in ("second", "judge")
        )
        return RouterExhaustedError(
            f"All {len(self._errors)} calls of the plan failed: {tried}. "
            "The group holds each error; check the providers' status, keys and limits, or add a candidate.",
            self._errors,
        )


def _best(drafts: Sequence[tuple[Answered, Verdict | None]]) -> Answered:
    """Return the draft that its check scored highest; of equals the last, whose tier is the ablest.

    One that cannot do whatever a check says of it is returned only when there is no other.
    """

    def rank(index: int) -> tuple[bool, float, int]:
        answered, verdict = drafts[index]
        score = 0.0 if verdict is None or verdict.score is None else verdict.score
        return answered.reply.fault is None, score, index

    return drafts[max(range(len(drafts)), key=rank)][0]
