"""Asking a model for a check outside a router, where no plan machine does it."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import RunnableConfig

from langchain_router.candidates.eligibility import reasons_against_place, reasons_against_reading
from langchain_router.checks.check import Ask
from langchain_router.exceptions import DeadlineExceededError, NoEligibleCandidateError
from langchain_router.execution.workers import Worker, within
from langchain_router.request import RoutingRequest


def asked(ask: Ask, request: RoutingRequest) -> AIMessage:
    """Call the model that a check asks.

    Raises:
        NoEligibleCandidateError: The request's constraints keep it from seeing the request, or it cannot
            read it.
        DeadlineExceededError: It took longer than the check waits.
        Exception: What the model raises.
    """
    _refuse_unless_allowed(ask, request)
    return within(
        lambda: ask.candidate.chat_model().invoke(_messages(ask, request), _config(ask)),
        ask.timeout_s,
        too_late=lambda: _too_late(ask),
    )


async def aasked(ask: Ask, request: RoutingRequest) -> AIMessage:
    """Do what `asked` does, without a thread."""
    _refuse_unless_allowed(ask, request)
    try:
        async with asyncio.timeout(ask.timeout_s) as deadline:
            model = await ask.candidate.achat_model()
            return await model.ainvoke(_messages(ask, request), _config(ask))
    except TimeoutError:
        if deadline.expired():
            raise _too_late(ask) from None
        raise


def waited(came: Any) -> Any:
    """Return what a function returned, or what the coroutine that it returned comes to."""
    if not inspect.isawaitable(came):
        return came

    async def run() -> Any:
        return await came

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(run())
    return Worker(lambda: asyncio.run(run())).result()  # the loop of this thread is busy: it is in here


def reasons_against_asking(ask: Ask, request: RoutingRequest) -> tuple[str, ...]:
    """Return why a check may not ask this model: whatever sees a prompt obeys the constraints.

    Who is put the request itself must be able to read it too; a judge gets a text of the check's own.
    """
    if ask.messages is None:
        return reasons_against_reading(ask.candidate, request)
    return reasons_against_place(ask.candidate, request)


def _refuse_unless_allowed(ask: Ask, request: RoutingRequest) -> None:
    reasons = reasons_against_asking(ask, request)
    if reasons:
        raise NoEligibleCandidateError({ask.candidate.name: reasons})


def _messages(ask: Ask, request: RoutingRequest) -> list[BaseMessage]:
    return list(request.messages if ask.messages is None else ask.messages)


def _config(ask: Ask) -> RunnableConfig:
    return {"tags": ["nostream", f"langchain_router:{ask.role}"]}


def _too_late(ask: Ask) -> Exception:
    return DeadlineExceededError(ask.candidate.name, limit_s=ask.timeout_s or 0.0, what="answer")
