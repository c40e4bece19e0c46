"""A call that is hedged: where it is slow, the next step is called too, and who answers first wins."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import replace

from langchain_router.decision import Step
from langchain_router.execution.calling import Answered, Caller
from langchain_router.execution.gates import Gates, Ticket
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Call, Came, Hedge, Move, Reply


def hedge_for(step: Step, pending: deque[Step], gates: Gates, ledger: Ledger) -> Step | None:
    """Return the step that may hedge a call, if there is one."""
    if gates.resilience.hedging is None or step.check is not None or not pending:
        return None
    other = pending[0]
    may = other.check is None and ledger.affords(step.candidate, other.candidate)
    return other if may else None


def hedged(
    call: Call,
    ticket: Ticket,
    other_step: Step,
    pending: deque[Step],
    *,
    caller: Caller,
    gates: Gates,
    ledger: Ledger,
) -> Generator[Move, Came, Answered]:
    """Make a call, and that of another step where the first is slow.

    Args:
        call: The first call.
        ticket: The right to it.
        other_step: From `hedge_for`.
        pending: The steps to come; the other one is taken away when its call is made.
        caller: Settles and records both calls.
        gates: Who may be called now.
        ledger: Of the request.
    """
    hedging = gates.resilience.hedging
    assert hedging is not None  # noqa: S101 - hedge_for looked
    call = replace(call, is_contested=True)
    other = caller.call_of(other_step, beside=1)
    limit_s = ledger.within(other.timeout_s, ledger.left_s() - hedging.after_s)
    other = replace(other, role="hedge", is_contested=True, timeout_s=limit_s)
    begun = [(call, ticket, ledger.clock())]

    def may_begin() -> bool:
        """Take the right to the second call only when it is made, so that nobody else lacks it."""
        other_ticket = caller.admit(other_step.candidate)
        if other_ticket is None:
            return False
        if not gates.may_hedge():
            other_ticket.neutral()
            return False
        begun.append((other, other_ticket, ledger.clock()))
        pending.remove(other_step)
        return True

    try:
        came = yield Hedge(first=call, second=other, after_s=hedging.after_s, may_begin=may_begin)
    except BaseException as error:
        for one, its_ticket, started_s in begun:
            caller.failed(one, its_ticket, error, started_s)
        raise
    answered = None
    for (one, its_ticket, started_s), what in zip(begun, came, strict=False):
        if isinstance(what, Reply):
            answered = caller.answered(one, its_ticket, what, started_s)
        else:
            caller.not_answered(one, its_ticket, what, started_s)
    if answered is None:
        raise caller.failures[0].error
    return answered
