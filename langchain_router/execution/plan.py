"""The plan machine: walks a plan and says what to do next, without doing it.

The machine is a generator. It yields a `Call`; whoever drives it makes the call and sends the answer back,
or throws the error in. The sync and the async driver are a few lines each, so no logic is written twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from langchain_router.decision import RoutingDecision, Step
from langchain_router.exceptions import RouterExhaustedError
from langchain_router.execution.errors import ErrorKind, another_may_serve, error_kind

_logger = logging.getLogger("langchain_router")

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to one candidate.

    Attributes:
        candidate: Name of the candidate.
        latency_s: Until the answer, the first chunk of a stream, or the error, in seconds.
        error_kind: What went wrong, or None when it answered.
    """

    candidate: str
    latency_s: float
    error_kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What the machine wants done: call this step.

    Attributes:
        step: The step of the plan.
        number: 1 for the first attempt of the request.
    """

    step: Step
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Generic[Answer]):
    """A plan that came to an answer.

    Attributes:
        answer: What the serving step returned.
        attempts: Every call made, in order; the last is the one that answered.
    """

    answer: Answer
    attempts: tuple[Attempt, ...]


def walk(
    decision: RoutingDecision, *, clock: Callable[[], float] = time.monotonic
) -> Generator[Call, Any, Served[Any]]:
    """Walk the plan of a decision, from one step to the next while another may serve.

    After a context overflow, candidates whose window is known to be no larger are passed over.

    Args:
        decision: Its plan is walked.
        clock: Monotonic seconds.

    Yields:
        The next call to make. Send the answer in, or throw the error.

    Returns:
        The answer with all attempts.

    Raises:
        RouterExhaustedError: Every step failed with an error that another could have survived; for a plan
            of a single step its own error is raised instead.
    """
    attempts: list[Attempt] = []
    errors: list[Exception] = []
    too_small_tokens = 0
    for step in decision.plan:
        name, window_tokens = step.candidate.name, step.candidate.context_tokens
        if window_tokens is not None and window_tokens <= too_small_tokens:
            continue  # a window of that size has just been overflowed
        number = len(attempts) + 1
        started = clock()
        try:
            answer = yield Call(step=step, number=number)
        except Exception as error:
            kind = error_kind(error)
            attempts.append(Attempt(candidate=name, latency_s=clock() - started, error_kind=kind))
            if not another_may_serve(kind):
                if errors and kind is not ErrorKind.CONTROL_FLOW:
                    error.add_note(f"langchain_router: {len(errors)} candidate(s) had failed before.")
                raise
            if kind is ErrorKind.CONTEXT_OVERFLOW and window_tokens is not None:
                too_small_tokens = max(too_small_tokens, window_tokens)
            error.add_note(f"langchain_router: attempt {number}, candidate {name!r}, {kind.value}.")
            errors.append(error)
            _logger.info("candidate %s failed (%s), decision %s", name, kind.value, decision.id)
        else:
            attempts.append(Attempt(candidate=name, latency_s=clock() - started))
            return Served(answer=answer, attempts=tuple(attempts))
    raise _exhausted(attempts, errors)


def drive(machine: Generator[Call, Any, Served[Answer]], do: Callable[[Call], Answer]) -> Served[Answer]:
    """Run a plan machine to its end, making each call with `do`."""
    try:
        call = next(machine)
        while True:
            try:
                answer = do(call)
            except Exception as error:  # noqa: BLE001 - the machine decides what to do with it
                call = machine.throw(error)
            else:
                call = machine.send(answer)
    except StopIteration as end:
        served: Served[Answer] = end.value
        return served


async def adrive(
    machine: Generator[Call, Any, Served[Answer]], do: Callable[[Call], Awaitable[Answer]]
) -> Served[Answer]:
    """Run a plan machine to its end, awaiting each call."""
    try:
        call = next(machine)
        while True:
            try:
                answer = await do(call)
            except Exception as error:  # noqa: BLE001 - the machine decides what to do with it
                call = machine.throw(error)
            else:
                call = machine.send(answer)
    except StopIteration as end:
        served: Served[Answer] = end.value
        return served


def _exhausted(attempts: Sequence[Attempt], errors: Sequence[Exception]) -> Exception:
    if len(errors) == 1:
        return errors[0]
    tried = ", ".join(f"{attempt.candidate!r} {attempt.error_kind}" for attempt in attempts)
    return RouterExhaustedError(
        f"All {len(attempts)} candidates of the plan failed: {tried}. "
        "The group holds each error; check the providers' status, keys and limits, or add a candidate.",
        errors,
    )
