"""Answers that are shown while they arrive: who answers for one, from the choice to the end."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from langchain_router.chat.announcing import Announced
from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.interruption import as_interrupted
from langchain_router.chat.runs import RoutedRuns, runs_around
from langchain_router.decision import RoutingDecision
from langchain_router.execution.drivers import AMakeCall, MakeCall
from langchain_router.execution.moves import Call
from langchain_router.execution.served import Served
from langchain_router.outcomes.records import Outcome


def serve_live(
    runs: RoutedRuns,
    call: RoutedCall,
    decision: RoutingDecision,
    config: RunnableConfig,
    held: HeldCalls,
    reply: MakeCall,
    announced: Announced,
) -> Served:
    """Walk the plan until an answer has begun that may be shown, and let go of all others.

    Where that fails after the choice, because a handler that hears the held tokens raises, the answer is
    closed and the request settled.

    Args:
        runs: Whose candidates are called.
        call: What is asked.
        decision: Whose plan is walked.
        config: Of the run around the calls.
        held: What holds their tokens.
        reply: Makes one call.
        announced: Tells listeners; of the outcome where the answer never begins.
    """
    served: Served | None = None

    def called(step: Call) -> Any:
        announced.calling(step)
        return reply(step)

    announced.decided()
    try:
        with held.around_checks(config, decision):
            served = runs.core.serve(
                decision,
                call.request,
                called,
                is_live=True,
                on_end=announced.note,
                run_ids=runs_around(call.config, config),
            )
        held.settle(served.answer)
    except BaseException as error:
        if served is None:
            held.settle()
        else:
            served.finish(None, error)
            served.answer.close()
        announced.ended()
        raise
    return served


async def aserve_live(
    runs: RoutedRuns,
    call: RoutedCall,
    decision: RoutingDecision,
    config: RunnableConfig,
    held: HeldCalls,
    reply: AMakeCall,
    announced: Announced,
) -> Served:
    """Do as `serve_live` does; a cancellation meanwhile is such a failure too."""
    served: Served | None = None

    async def called(step: Call) -> Any:
        await announced.acalling(step)
        return await reply(step)

    await announced.adecided()
    try:
        with held.around_checks(config, decision):
            served = await runs.core.aserve(
                decision,
                call.request,
                called,
                is_live=True,
                on_end=announced.note,
                run_ids=runs_around(call.config, config),
            )
        await held.asettle(served.answer)
    except BaseException as error:
        if served is None:
            await held.asettle()
        else:
            served.finish(None, error)
            await asyncio.shield(served.answer.close())
        await announced.aended()
        raise
    return served


class Showing:
    """An answer from its first token on: settles the request however it ends.

    Args:
        decision: Why the model was called.
        served: The request, as it was served.
    """

    def __init__(self, decision: RoutingDecision, served: Served) -> None:
        self._decision = decision
        self._served = served
        self._first_token_s = served.elapsed_s()

    def settled(self, message: AIMessage | None) -> Outcome:
        """Settle the request with the model's message, and return what it came to."""
        return self._served.finish(message, first_token_s=self._first_token_s)

    def interrupted(self, error: BaseException, *, known: AIMessage | None, text: str) -> BaseException:
        """Settle the request with an error; return what that is to the caller. A reader's leaving passes.

        Args:
            error: What broke the answer off.
            known: What is known of it; it may bear the usage.
            text: What went out of it.
        """
        self._served.finish(known, error, first_token_s=self._first_token_s)
        if not isinstance(error, Exception):
            return error
        return as_interrupted(error, text, self._decision, self._served.served_by)
