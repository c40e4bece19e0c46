"""What checks ask: second opinions, beside the draft or after it, and judges."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from langchain_router.candidates.candidate import Candidate
from langchain_router.checks.asking import reasons_against_asking
from langchain_router.checks.check import Ask
from langchain_router.decision import Step
from langchain_router.exceptions import CircuitOpenError, RouterError
from langchain_router.execution.calling import Answered, Caller
from langchain_router.execution.gates import Gates, Ticket
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Call, Came, Move, Reply, SideBySide


class Opinions:
    """Asks other models for the checks of one request, and remembers what second ones answered.

    Args:
        ledger: Of the request.
        gates: Who may be asked now.
        caller: Makes the calls.
    """

    def __init__(self, ledger: Ledger, gates: Gates, caller: Caller) -> None:
        self._ledger = ledger
        self._gates = gates
        self._caller = caller
        self._second_answers: dict[str, Reply | Exception] = {}
        self._second_indices: dict[str, int] = {}

    # --- an opinion that is the answer ----------------------------------------------------------

    def has(self, candidate: Candidate) -> bool:
        """Return whether a candidate has answered the request already, as a second opinion."""
        return isinstance(self._second_answers.get(self._gates.key(candidate)), Reply)

    def as_answer(self, step: Step) -> Answered:
        """Return a second opinion as the answer of its own step; there must be one, and it is used up."""
        key = self._gates.key(step.candidate)
        reply = self._second_answers.pop(key)
        assert isinstance(reply, Reply)  # noqa: S101 - whoever comes here has looked
        return Answered(step=step, reply=reply, ticket=None, index=self._second_indices[key])

    # --- side by side with the draft ------------------------------------------------------------

    def beside(self, step: Step) -> list[tuple[Ask, Ticket]]:
        """Return what may be asked side by side with a step's draft, with the right to ask it."""
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

    def side_by_side(
        self, call: Call, ticket: Ticket, asks: list[tuple[Ask, Ticket]]
    ) -> Generator[Move, Came, Answered]:
        """Call for a draft and for the opinions beside it; raises the draft's error."""
        calls = [call, *(self._call_for(ask, beside=place) for place, (ask, _) in enumerate(asks, start=1))]
        tickets = [ticket, *(ticket for _, ticket in asks)]
        started_s = self._ledger.clock()
        try:
            came = yield SideBySide(calls=tuple(calls))
        except BaseException as error:
            for one, its_ticket in zip(calls, tickets, strict=True):
                self._caller.failed(one, its_ticket, error, started_s)
            raise
        draft, *seconds = came
        assert draft is not None  # noqa: S101 - the first of them is never given up
        answered = None
        if isinstance(draft, Reply):
            answered = self._caller.answered(call, ticket, draft, started_s)
        else:
            self._caller.failed(call, ticket, draft, started_s)
        for one, its_ticket, what in zip(calls[1:], tickets[1:], seconds, strict=True):
            key = self._gates.key(one.step.candidate)
            if isinstance(what, Reply):
                self._second_indices[key] = self._caller.answered(one, its_ticket, what, started_s).index
            else:
                self._caller.not_answered(one, its_ticket, what, started_s)
            if what is not None:
                self._second_answers[key] = what
        if isinstance(draft, Exception):
            raise draft
        assert answered is not None  # noqa: S101 - the draft is a reply
        return answered

    # --- after the draft ------------------------------------------------------------------------

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
            raise CircuitOpenError(
                {name: self._gates.retry_after_s(ask.candidate)}, slots={name: ask.candidate.max_concurrency}
            )
        answered = yield from self._caller.alone(self._call_for(ask), ticket)
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
        return self._caller.admit(ask.candidate, is_hurried=ask.timeout_s is not None)

    def _reason_not_to_ask(self, ask: Ask, *, beside: Sequence[Candidate] = ()) -> str | None:
        """Say why a check may not ask this model, or None: whatever sees a prompt obeys the constraints."""
        reason = next(iter(reasons_against_asking(ask, self._ledger.request)), None)
        if reason is None and not self._ledger.affords(*beside, ask.candidate, messages=ask.messages):
            return "would take the request over max_cost_usd"
        return reason


class NotAskedError(RouterError):
    """A check wanted to ask a model that may not see this request."""
